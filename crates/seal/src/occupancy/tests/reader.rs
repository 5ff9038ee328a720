use super::*;
use crate::occupancy::reader::{Others, binomial, hockey_stick, sum, supremum, with_coin};

/// secure-totals.md section 3: ε₀ = 3 is about .0274 to a reader at 100,000 people and δ = 10⁻⁶.
#[test]
fn a_readers_loss_is_far_below_that_of_who_sees_the_buckets() {
    let loss = ReaderLoss::at(&usual(3_000_000, 18), 1e-6);
    assert!((0.024..0.031).contains(&loss.epsilon()), "{loss:?}");
    let loss = ReaderLoss::at(&usual(1_000_000, 18), 1e-6);
    assert!((0.001..0.02).contains(&loss.epsilon()), "{loss:?}");
}

/// Fewer buckets hide less, and a smaller δ costs more; never more than ε₀.
#[test]
fn a_readers_loss_rises_as_buckets_and_delta_fall() {
    let at = |power, delta| ReaderLoss::at(&usual(2_000_000, power), delta).epsilon();
    assert!(at(10, 1e-6) > at(12, 1e-6) && at(12, 1e-6) > at(16, 1e-6));
    assert!(at(12, 1e-9) > at(12, 1e-6) && at(12, 1e-6) > at(12, 1e-3));
    assert!(at(10, 1e-300) <= 2.0);
}

/// The supremum over where others are lies at an end: nobody, or everybody.
#[test]
fn no_mixture_of_others_is_worse_than_the_ends() {
    for millionths in [1_000_000, 3_000_000] {
        let terms = usual(millionths, 10);
        let ends = [Others::Nobody, Others::Everybody].map(|others| supremum(&terms, others, 1e-6));
        let worst = ends.into_iter().fold(0.0, f64::max);
        for taken in [1, 50, 200, 448, 700, 850, 894] {
            let here = supremum(&terms, Others::In(taken), 1e-6);
            assert!(here <= worst * 1.000_1, "ε {millionths}, {taken} taken: {here} above {worst}");
        }
    }
}

/// Against a normal distribution of the same width, which the sum of coins nearly is.
#[test]
fn a_readers_loss_is_near_the_normal_approximation() {
    let terms = usual(3_000_000, 16);
    let (p0, p1) = (terms.empty_is_zero(22), terms.p_occupied());
    let m = f64::from(terms.buckets().for_people());
    let mu = (p0 - p1) / (m * (p1 * (1.0 - p1)).min(p0 * (1.0 - p0))).sqrt();
    // Φ by Simpson's rule.
    let phi = |x: f64| {
        let (from, steps) = (-14.0_f64, 4_000);
        let h = (x - from) / f64::from(steps);
        let f = |y: f64| (-y * y / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let inner = |i: i32| if i % 2 == 1 { 4.0 } else { 2.0 } * f(from + h * f64::from(i));
        (f(from) + f(x) + (1..steps).map(inner).sum::<f64>()) * h / 3.0
    };
    let delta = |e: f64| phi(mu / 2.0 - e / mu) - e.exp() * phi(-mu / 2.0 - e / mu);
    let epsilon = ReaderLoss::at(&terms, 1e-6).epsilon();
    assert!(delta(epsilon * 0.9) > 1e-6 && delta(epsilon * 1.1) < 1e-6, "ε {epsilon}: δ {}", delta(epsilon));
}

/// The least ε at δ = 10⁻⁶ where ten of 32 tell the reader their symbols, and alone know somebody in this share of the other buckets. Where the XOR of what they tell is not zero,
/// an empty bucket opens as zero with λ/q and not with p₀.
fn where_partners_tell(terms: &CountTerms, filled: f64) -> f64 {
    let (p0, p1) = (terms.empty_is_zero(22), terms.p_occupied());
    let other = (1.0 - p0) / (1.0 / p1 - 1.0);
    let coins = f64::from(terms.fire()) / 2f64.powi(32);
    let by_coins = (1.0 - (1.0 - coins).powi(10)) * (1.0 - p1);
    let rest = terms.buckets().for_people() - 1;
    let differs = f64::from(rest) * (filled * (1.0 - p1) + (1.0 - filled) * by_coins);
    let differs = u32::try_from((0..rest).take_while(|n| f64::from(*n) < differs).count()).unwrap();
    let noise = sum(&binomial(rest - differs, p0), &binomial(differs, other));
    // The bucket of the person, in which none of the ten knows anybody.
    let pairs = [(1.0 - by_coins, p0), (by_coins, other)]
        .map(|(share, empty)| (share, with_coin(&noise, empty), with_coin(&noise, p1)));
    let delta = |epsilon: f64| {
        let one = pairs.iter().map(|(s, a, b)| s * hockey_stick(a, b, epsilon)).sum::<f64>();
        let other = pairs.iter().map(|(s, a, b)| s * hockey_stick(b, a, epsilon)).sum::<f64>();
        one.max(other)
    };
    let (mut least, mut most) = (0.0, 3.0);
    for _ in 0..40 {
        let middle = f64::midpoint(least, most);
        if delta(middle) > 1e-6 { least = middle } else { most = middle }
    }
    most
}

/// Why the stated loss is claimed against a reader whom no partner tells.
#[test]
fn partners_that_tell_their_symbols_make_a_readers_loss_up_to_three_times_as_large() {
    for (millionths, third, all) in
        [(1_000_000, 1.03, 1.22), (2_000_000, 1.20, 2.01), (3_000_000, 1.23, 2.90)]
    {
        let terms = usual(millionths, 15);
        let stated = ReaderLoss::at(&terms, 1e-6).epsilon();
        for (filled, times) in [(0.35, third), (1.0, all)] {
            let found = where_partners_tell(&terms, filled) / stated;
            assert!(
                (found / times - 1.0).abs() < 0.01,
                "ε {millionths}, {filled} filled: {found} for {times}"
            );
        }
        assert!(where_partners_tell(&terms, 0.0) < 1.03 * stated, "ε {millionths}: they know nobody");
    }
}
