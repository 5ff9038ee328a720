//! What a number of successes shows: exact binomial bounds, and the loss ε that they certify.

/// Successes of independent trials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Hits {
    pub(super) hits: u32,
    pub(super) of: u32,
}

/// How sure a bound is: the chance, at most, that it is wrong on its side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Alpha(f64);

/// For what is printed: 99 %.
pub(super) const PRINTED: Alpha = Alpha(0.01);

/// For an alarm: a gate that runs at every change and tries some ten bounds a run must not cry wolf in a thousand runs.
pub(super) const ALARM: Alpha = Alpha(1e-7);

impl Hits {
    pub(super) fn count(of: impl Iterator<Item = bool>) -> Self {
        of.fold(Self { hits: 0, of: 0 }, |n, hit| Self { hits: n.hits + u32::from(hit), of: n.of + 1 })
    }

    /// The least success probability that these hits leave possible (Clopper and Pearson 1934, one-sided).
    pub(super) fn least(self, alpha: Alpha) -> f64 {
        if self.hits == 0 {
            return 0.0;
        }
        // P(X ≥ hits) rises with p: the least p is where it reaches α.
        root(|p| upper_tail(self.of, self.hits, p) - alpha.0)
    }

    /// The largest.
    pub(super) fn most(self, alpha: Alpha) -> f64 {
        1.0 - Self { hits: self.of - self.hits, of: self.of }.least(alpha)
    }
}

/// The ε that a mechanism must have, at least, if an event happens so often with the person in and so often with the person out.
///
/// For pure ε every event has P(in) ≤ e^ε · P(out), and its complement too, both ways round. The event is chosen before the data are
/// seen, so that two one-sided bounds at α/2 give a bound at α.
pub(super) fn epsilon(inside: Hits, outside: Hits, alpha: Alpha) -> f64 {
    let half = Alpha(alpha.0 / 2.0);
    let more = (inside.least(half) / outside.most(half).max(f64::MIN_POSITIVE)).ln();
    let less = ((1.0 - outside.most(half)) / (1.0 - inside.least(half)).max(f64::MIN_POSITIVE)).ln();
    more.max(less).max(0.0)
}

/// Pearson's chi-square of noise against the discrete Laplace law of `scale`, over the bins −`edge` … `edge` with open ends.
pub(super) fn laplace_misfit(noise: &[i64], scale: f64, edge: i64) -> f64 {
    let q = (-1.0 / scale).exp();
    let all = f64::from(u32::try_from(noise.len()).unwrap_or(u32::MAX));
    let bin = |x: i64| {
        let seen = noise.iter().filter(|n| (**n).clamp(-edge, edge) == x).count();
        let power = q.powi(i32::try_from(x.abs()).unwrap_or(i32::MAX));
        let mass = if x.abs() == edge { power / (1.0 + q) } else { power * (1.0 - q) / (1.0 + q) };
        let seen = f64::from(u32::try_from(seen).unwrap_or(u32::MAX));
        (seen - all * mass).powi(2) / (all * mass).max(f64::MIN_POSITIVE)
    };
    (-edge..=edge).map(bin).sum()
}

/// P(X ≥ hits) for X binomial.
fn upper_tail(of: u32, hits: u32, p: f64) -> f64 {
    if p <= 0.0 {
        return if hits == 0 { 1.0 } else { 0.0 };
    }
    if p >= 1.0 {
        return 1.0;
    }
    let mut log = log_choose(of, hits) + f64::from(hits) * p.ln() + f64::from(of - hits) * (-p).ln_1p();
    let mut sum = log.exp();
    for k in hits..of {
        log += (f64::from(of - k) / f64::from(k + 1)).ln() + (p / (1.0 - p)).ln();
        sum += log.exp();
    }
    sum.min(1.0)
}

fn log_choose(of: u32, hits: u32) -> f64 {
    (1..=hits.min(of - hits)).map(|k| (f64::from(of - k + 1) / f64::from(k)).ln()).sum()
}

/// The zero of a function that rises over [0, 1].
fn root(rises: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if rises(middle) < 0.0 { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-3, "{a} is not {b}");
    }

    /// Against R 4: `binom.test(hits, of, alternative = "greater", conf.level = 0.99)$conf.int`, and where the formula is closed.
    #[test]
    fn bounds_are_those_of_clopper_and_pearson() {
        let least = |hits, of| Hits { hits, of }.least(PRINTED);
        near(least(100, 100), 0.01_f64.powf(0.01));
        near(least(1, 1), 0.01);
        near(least(1, 100), 1.0 - 0.99_f64.powf(0.01));
        near(Hits { hits: 0, of: 100 }.most(PRINTED), 1.0 - 0.01_f64.powf(0.01));
        assert!(least(0, 5) == 0.0 && Hits { hits: 5, of: 5 }.most(PRINTED) > 0.999_999);
        for (hits, of) in [(3, 10), (731, 1_000), (4_000, 5_600)] {
            let p = least(hits, of);
            near(upper_tail(of, hits, p), 0.01);
            assert!(p < f64::from(hits) / f64::from(of));
        }
    }

    /// release.md section 7: 20,000 runs a side of a tight mechanism of ε = 0.5 show 0.463 or more; 5,000 canaries show .88 of 1.
    #[test]
    fn a_tight_mechanism_shows_what_the_design_says() {
        let check = |epsilon_claimed: f64, runs: u32, at_least: f64| {
            let q = (-epsilon_claimed).exp();
            let part = |p: f64| {
                let hits = (p * f64::from(runs)).round();
                // A whole number below 2³².
                Hits { hits: format!("{hits}").parse().unwrap(), of: runs }
            };
            let seen = epsilon(part(1.0 / (1.0 + q)), part(q / (1.0 + q)), PRINTED);
            assert!(seen >= at_least && seen <= epsilon_claimed, "{seen}");
        };
        check(0.5, 20_000, 0.455);
        check(1.0, 5_600, 0.88);
    }

    #[test]
    fn nothing_is_shown_where_in_and_out_are_alike() {
        let half = Hits { hits: 50, of: 100 };
        assert!(epsilon(half, half, PRINTED) == 0.0);
        assert!(epsilon(Hits { hits: 90, of: 90 }, Hits { hits: 0, of: 90 }, ALARM) > 1.0);
    }

    #[test]
    fn noise_of_half_the_scale_does_not_fit() {
        let q = (-1.0_f64).exp();
        // The law itself, in 10,000 draws.
        let mut noise = Vec::new();
        for x in -8_i64..=8 {
            let share = (1.0 - q) / (1.0 + q) * q.powi(i32::try_from(x.abs()).unwrap());
            let n: usize = format!("{:.0}", share * 10_000.0).parse().unwrap();
            noise.extend(std::iter::repeat_n(x, n));
        }
        assert!(laplace_misfit(&noise, 1.0, 5) < 1.0);
        assert!(laplace_misfit(&noise, 2.0, 5) > 1_000.0);
        assert!(laplace_misfit(&vec![0; 10_000], 1.0, 5) > 1_000.0);
    }
}
