#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "supports of a few hundred whole numbers"
)]

use super::*;
use cairn_question::privacy::Epsilon;
use std::num::{NonZeroU32, NonZeroU64};

mod accuracy;
mod collusion;
mod exact;
mod gaussian;
mod spoilt;
mod width;

fn scale(sensitivity: u32, millionths: u32) -> Scale {
    Scale::new(NonZeroU32::new(sensitivity).unwrap(), Epsilon::from_millionths(millionths).unwrap())
}

fn honest(in_round: u16, may_collude: u16) -> HonestPartners {
    HonestPartners::of(in_round, may_collude).unwrap()
}

fn laplace(sensitivity: u32, millionths: u32, honest: HonestPartners) -> Share {
    Share::Laplace(LaplaceShare::new(scale(sensitivity, millionths), honest).unwrap())
}

/// P(s) of NB(r, a) for s = 0, 1, …, by P(s + 1) = P(s)·a·(r + s)/(s + 1).
fn negative_binomial(r: f64, a: f64, most: usize) -> Vec<f64> {
    let mut mass = vec![(1.0 - a).powf(r)];
    for s in 0..most {
        mass.push(mass[s] * a * (r + s as f64) / (s as f64 + 1.0));
    }
    mass
}

/// P(x) for x = −most..=most of X − Y, both with these masses.
fn difference(mass: &[f64]) -> Vec<f64> {
    let most = mass.len() as i64 - 1;
    let at = |x: i64| -> f64 {
        (0.max(x)..=most.min(most + x)).map(|s| mass[s as usize] * mass[(s - x) as usize]).sum()
    };
    (-most..=most).map(at).collect()
}

/// P of the sum of two, both centred.
fn convolved(left: &[f64], right: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; left.len() + right.len() - 1];
    for (i, l) in left.iter().enumerate() {
        for (j, r) in right.iter().enumerate() {
            sum[i + j] += l * r;
        }
    }
    sum
}

/// P of the sum of so many, cut to `most` either side.
fn summed(mass: &[f64], many: usize, most: usize) -> Vec<f64> {
    let mut sum = vec![1.0];
    for _ in 0..many {
        sum = convolved(&sum, mass);
        let cut = (sum.len() / 2).saturating_sub(most);
        sum = sum[cut..sum.len() - cut].to_vec();
    }
    sum
}

/// P(x) of the discrete Laplace distribution with q = a, for x = −most..=most.
fn discrete_laplace(a: f64, most: i32) -> Vec<f64> {
    (-most..=most).map(|x| (1.0 - a) / (1.0 + a) * a.powi(x.abs())).collect()
}

fn total_variation(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(l, r)| (l - r).abs()).sum::<f64>() / 2.0
}

/// The part of a mass that lies within −most to +most.
fn centre(mass: &[f64], most: usize) -> &[f64] {
    let middle = mass.len() / 2;
    &mass[middle - most..=middle + most]
}

#[test]
fn honest_partners_are_those_of_the_round_less_those_that_may_collude() {
    assert_eq!(honest(32, 10).count(), 22);
    assert_eq!(honest(4, 2).count(), 2);
    for (in_round, may_collude) in [(11, 10), (10, 10), (5, 10), (0, 0), (1, 0)] {
        assert_eq!(HonestPartners::of(in_round, may_collude), Err(ShareFault::TooFewHonest));
    }
}

#[test]
fn a_pure_total_costs_what_one_centre_would() {
    let share = laplace(1, 1_000_000, honest(32, 10));
    assert_eq!(share.cost().nano(), 462_117_158);
    assert_eq!(share.epsilon().unwrap().millionths(), 1_000_000);
    assert_eq!(share.scaling(), Scaling::NONE);
}

#[test]
fn too_wide_a_scale_is_refused() {
    let honest = honest(32, 10);
    assert!(LaplaceShare::new(scale(4_096, 1_000_000), honest).is_ok());
    assert_eq!(LaplaceShare::new(scale(4_097, 1_000_000), honest), Err(ShareFault::TooWide));
    assert_eq!(LaplaceShare::new(scale(1, 1), honest), Err(ShareFault::TooWide));
}

/// Draws that are told.
struct Told(Vec<i64>);

impl ShareNoise for Told {
    fn draw_share(&mut self, _: &Share, _: usize) -> Result<Vec<i64>, NoiseFault> {
        Ok(self.0.clone())
    }
}

#[test]
fn a_share_is_added_to_the_scaled_number_in_every_cell_also_at_zero() {
    let h = honest(32, 10);
    let plain = laplace(1, 1_000_000, h);
    assert_eq!(with_share(&[0, 6, 40], &plain, &mut Told(vec![-2, 1, 0])), Ok(vec![-2, 7, 40]));
    let rho = NanoRho::new(500_000_000);
    let scaling = Scaling::of_power(4).unwrap();
    let scaled = Share::Gaussian(GaussianShare::new(rho, NonZeroU64::MIN, h, scaling).unwrap());
    assert_eq!(with_share(&[0, 6], &scaled, &mut Told(vec![-2, 1])), Ok(vec![-2, 97]));
    assert_eq!(with_share(&[i64::MAX], &scaled, &mut Told(vec![0])), Err(ShareFault::Overflow));
    assert_eq!(with_share(&[i64::MAX], &plain, &mut Told(vec![1])), Err(ShareFault::Overflow));
    assert_eq!(with_share(&[1, 2], &plain, &mut Told(vec![1])), Err(ShareFault::NoNoise));
}
