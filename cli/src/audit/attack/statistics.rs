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

/// For an alarm: eleven findings of a run are left to chance, each to one in 10⁷ at most, so that a right program is accused in about one run in a million at
/// most.
pub(super) const ALARM: Alpha = Alpha(1e-7);

impl Alpha {
    /// Whether a chance is below it.
    pub(super) fn is_above(self, chance: f64) -> bool {
        chance < self.0
    }
}

impl Hits {
    pub(super) fn count(of: impl Iterator<Item = bool>) -> Self {
        of.fold(Self { hits: 0, of: 0 }, |n, hit| Self { hits: n.hits + u32::from(hit), of: n.of + 1 })
    }

    /// The share of them in a hundred; 0 of none.
    pub(super) fn percent(self) -> f64 {
        100.0 * f64::from(self.hits) / f64::from(self.of.max(1))
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

/// How surprising noise is under the discrete Laplace law of `scale`: the chance, at most, that some bin is as full or as empty as the
/// most surprising one is. The bins lie between the rising `edges`, and beyond the first and the last.
///
/// In each bin the number of draws is binomial, so that both its tails are exact; over the bins their chances add up at most (Bonferroni). No
/// bin has to be full enough for an approximation.
pub(super) fn surprise(noise: &[i64], scale: f64, edges: &[i64]) -> f64 {
    let of = u32::try_from(noise.len()).unwrap_or(u32::MAX);
    let from = std::iter::once(None).chain(edges.iter().copied().map(Some));
    let to = edges.iter().copied().map(Some).chain(std::iter::once(None));
    let bins: Vec<_> = from.zip(to).collect();
    let chance = |&(from, to): &(Option<i64>, Option<i64>)| {
        let inside = |x: &&i64| from.is_none_or(|from| **x >= from) && to.is_none_or(|to| **x < to);
        let hits = Hits::count(noise.iter().map(|x| inside(&x))).hits;
        let p = from.map_or(1.0, |a| laplace_from(a, scale)) - to.map_or(0.0, |a| laplace_from(a, scale));
        upper_tail(of, hits, p).min(upper_tail(of, of - hits, 1.0 - p))
    };
    let least = bins.iter().map(chance).fold(1.0, f64::min);
    let tails = 2 * u32::try_from(bins.len()).unwrap_or(u32::MAX);
    (least * f64::from(tails)).min(1.0)
}

/// P(X ≥ a) for X discrete Laplace of `scale`: q^a ÷ (1+q) with q = e^(−1/scale) for a ≥ 1, and the rest of the other tail below.
fn laplace_from(a: i64, scale: f64) -> f64 {
    let below = 1.0 + (-scale.recip()).exp();
    // Exact up to 2⁵³, far beyond any edge.
    let steps = |n: i64| -(n as f64) / scale;
    if a >= 1 { steps(a).exp() / below } else { 1.0 - steps(1 - a).exp() / below }
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

    /// So many draws at the law's own shares, from −40 to 40.
    fn the_law(draws: f64) -> Vec<i64> {
        let q = (-1.0_f64).exp();
        let mut noise = Vec::new();
        for x in -40_i64..=40 {
            let share = (1.0 - q) / (1.0 + q) * q.powi(i32::try_from(x.abs()).unwrap());
            let n: usize = format!("{:.0}", share * draws).parse().unwrap();
            noise.extend(std::iter::repeat_n(x, n));
        }
        noise
    }

    const EDGES: [i64; 12] = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6];

    #[test]
    fn noise_of_another_law_is_a_surprise() {
        let noise = the_law(10_000.0);
        assert!(surprise(&noise, 1.0, &EDGES) > 0.5);
        assert!(surprise(&noise, 2.0, &EDGES) < 1e-30);
        let halved: Vec<i64> = noise.iter().map(|x| x / 2).collect();
        assert!(surprise(&halved, 1.0, &EDGES) < 1e-30);
        let none_at_zero: Vec<i64> =
            noise.iter().enumerate().map(|(n, x)| if n % 6 == 0 { 0 } else { *x }).collect();
        assert!(surprise(&none_at_zero, 1.0, &EDGES) < 1e-12);
        assert!(surprise(&vec![0; 1_000], 1.0, &EDGES) < 1e-30);
    }

    #[test]
    fn tails_of_the_law_add_up() {
        let q = (-0.5_f64).exp();
        let point = |x: i64| (1.0 - q) / (1.0 + q) * q.powi(i32::try_from(x.abs()).unwrap());
        for a in -6..=6 {
            let sum: f64 = (a..200).map(point).sum();
            near(laplace_from(a, 2.0), sum);
        }
        near(laplace_from(1 << 31, 4e9), 0.292_3);
    }

    /// A clean gate cries wolf once in 10⁷ for each bound. Here a source that follows the law is looked at 3,000 times at an alarm of 1 in 100: as
    /// often as that, at most, it must look wrong.
    #[test]
    fn a_right_source_surprises_no_more_often_than_is_said() {
        let q = (-1.0_f64).exp();
        let mut state = 7_u64;
        let mut uniform = || {
            // Knuth's MMIX generator; the upper bits are good.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
        };
        let mut geometric = || (0_i64..).find(|_| uniform() > q).unwrap();
        let mut alarms = 0;
        for _ in 0..3_000 {
            let noise: Vec<i64> = (0..200).map(|_| geometric() - geometric()).collect();
            alarms += u32::from(surprise(&noise, 1.0, &EDGES) < 0.01);
        }
        assert!(Hits { hits: alarms, of: 3_000 }.least(Alpha(1e-6)) <= 0.01, "{alarms}");
        assert!(alarms > 0, "it is really looked at");
    }
}
