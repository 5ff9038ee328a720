use super::*;
use crate::laplace::DiscreteLaplace;
use crate::noise::NoiseFault;

type Spoil = fn(i64) -> i64;

/// Real draws, spoilt.
struct Spoilt(Spoil);

impl Noise for Spoilt {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        Ok(DiscreteLaplace.draw(scale, cells)?.into_iter().map(self.0).collect())
    }
}

/// Another scale than was asked for.
struct Rescaled(u32);

impl Noise for Rescaled {
    fn draw(&mut self, _: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        DiscreteLaplace.draw(Scale::new(NonZeroU32::MIN, Epsilon::from_millionths(self.0).unwrap()), cells)
    }
}

/// The same start at every call: a seed per question.
struct Restarting(Vec<i64>);

impl Noise for Restarting {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        if self.0.is_empty() {
            self.0 = DiscreteLaplace.draw(scale, cells)?;
        }
        Ok(self.0.clone())
    }
}

struct Broken;

impl Noise for Broken {
    fn draw(&mut self, _: Scale, _: usize) -> Result<Vec<i64>, NoiseFault> {
        Err(NoiseFault)
    }
}

#[test]
fn the_noise_that_ships_passes() {
    assert_eq!(self_test(&mut DiscreteLaplace), Ok(()));
}

#[test]
fn each_spoilt_source_is_caught() {
    let spoilt: [(&str, Spoil); 8] = [
        ("none", |_| 0),
        ("halved", |x| x / 2),
        ("one-sided", i64::abs),
        ("shifted", |x| x + 1),
        ("clipped", |x| x.clamp(-3, 3)),
        ("doubled", |x| x * 2),
        ("never zero", |x| if x == 0 { 1 } else { x }),
        ("even", |x| x - x % 2),
    ];
    for (how, spoil) in spoilt {
        assert_eq!(self_test(&mut Spoilt(spoil)), Err(ReleaseFault::BadNoise), "{how}");
    }
    for millionths in [440_000, 570_000, 1_000_000] {
        assert_eq!(self_test(&mut Rescaled(millionths)), Err(ReleaseFault::BadNoise), "{millionths}");
    }
    assert_eq!(self_test(&mut Restarting(Vec::new())), Err(ReleaseFault::BadNoise));
    assert_eq!(self_test(&mut Broken), Err(ReleaseFault::NoNoise));
}

#[test]
fn what_is_expected_adds_up_to_the_draws() {
    let expected = expected_milli(Scale::new(NonZeroU32::MIN, HALF), DRAWS);
    let all: u64 = expected.iter().sum();
    assert!(all.abs_diff(20_000_000) < 100, "{all}");
    assert!(expected.iter().all(|&e| e > 140_000));
    assert!(expected.iter().eq(expected.iter().rev()));
    let exact: Vec<u64> = expected.iter().map(|e| e / 1_000).collect();
    assert!(chi_square_milli(&exact.try_into().unwrap(), &expected) < 100);
}

/// Real Gaussian draws, spoilt; the Laplace ones are left as they are.
struct SpoiltGaussian(Spoil);

impl Noise for SpoiltGaussian {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        DiscreteLaplace.draw(scale, cells)
    }

    fn draw_gaussian(&mut self, deviation: Deviation, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        Ok(DiscreteLaplace.draw_gaussian(deviation, cells)?.into_iter().map(self.0).collect())
    }
}

/// Laplace noise in the place of Gaussian noise.
struct Laplace;

impl Noise for Laplace {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        DiscreteLaplace.draw(scale, cells)
    }

    fn draw_gaussian(&mut self, _: Deviation, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        // Of nearly the same variance: 2·2.83² = 16.
        let third = Epsilon::from_millionths(353_000).unwrap();
        DiscreteLaplace.draw(Scale::new(NonZeroU32::MIN, third), cells)
    }
}

#[test]
fn each_spoilt_gaussian_source_is_caught() {
    assert_eq!(self_test(&mut SpoiltGaussian(|x| x)), Ok(()));
    let spoilt: [(&str, Spoil); 7] = [
        ("none", |_| 0),
        ("halved", |x| x / 2),
        ("one-sided", i64::abs),
        ("shifted", |x| x + 1),
        ("clipped", |x| x.clamp(-6, 6)),
        ("doubled", |x| x * 2),
        ("never zero", |x| if x == 0 { 1 } else { x }),
    ];
    for (how, spoil) in spoilt {
        assert_eq!(self_test(&mut SpoiltGaussian(spoil)), Err(ReleaseFault::BadNoise), "{how}");
    }
    assert_eq!(self_test(&mut Laplace), Err(ReleaseFault::BadNoise));
    // A source that has no Gaussian noise, such as a scripted one.
    assert_eq!(self_test(&mut Spoilt(|x| x)), Err(ReleaseFault::NoNoise));
}

#[test]
fn what_is_expected_of_a_gaussian_adds_up_to_the_draws() {
    let expected = expected_gaussian_milli(DRAWS);
    let all: u64 = expected.iter().sum();
    assert!(all.abs_diff(20_000_000) < 100, "{all}");
    let weight = |x: i32| (-f64::from(x * x) / 32.0).exp();
    let sum: f64 = (-60..=60).map(weight).sum();
    for (bin, x) in expected.iter().zip(-8_i32..=8).filter(|(_, x)| x.abs() < 8) {
        let exact = 2e7 * weight(x) / sum;
        assert!((*bin as f64 - exact).abs() < 2.0, "{x}: {bin} for {exact}");
    }
}
