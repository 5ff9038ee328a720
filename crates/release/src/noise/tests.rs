use super::*;
use proptest::prelude::*;

fn scale(sensitivity: u32, millionths: u32) -> Scale {
    Scale::new(NonZeroU32::new(sensitivity).unwrap(), Epsilon::from_millionths(millionths).unwrap())
}

fn check(sensitivity: u32, millionths: u32, width: u64) {
    assert_eq!(scale(sensitivity, millionths).plus_minus_95(), width, "{sensitivity} at {millionths}");
}

/// The same width in floats, from the closed form w = ⌈s·ln(40/(1+q))⌉ − 1.
fn by_floats(sensitivity: u32, millionths: u32) -> f64 {
    let s = f64::from(sensitivity) * 1e6 / f64::from(millionths);
    s * (40.0 / (1.0 + (-1.0 / s).exp())).ln() - 1.0
}

#[test]
fn the_width_is_the_smallest_that_holds_95_in_100() {
    // Worked by hand from 40·q^(w+1) ≤ 1+q: q = e^-½ gives w+1 ≥ 6.43.
    check(1, 500_000, 6);
    check(1, 1_000_000, 3);
    check(1, 2_000_000, 1);
    check(1, 10_000_000, 0);
    check(2, 1_000_000, 6);
    check(12, 1_000_000, 36);
    check(1, 100_000, 30);
    // The widest there can be still ends.
    assert!(scale(u32::MAX, 1).plus_minus_95() > 1 << 53);
}

#[test]
fn the_width_agrees_with_the_exact_tail_of_the_distribution() {
    for (sensitivity, millionths) in [(1, 500_000), (1, 700_000), (3, 1_000_000), (5, 250_000)] {
        let q = (-f64::from(millionths) / f64::from(sensitivity) / 1e6).exp();
        let outside = |w: i32| 1.0 - (-w..=w).map(|x| (1.0 - q) / (1.0 + q) * q.powi(x.abs())).sum::<f64>();
        let w = i32::try_from(scale(sensitivity, millionths).plus_minus_95()).unwrap();
        assert!(outside(w) <= 0.05 && outside(w - 1) > 0.05, "{sensitivity} at {millionths}: {w}");
    }
}

proptest! {
    #[test]
    fn the_width_is_the_closed_forms(sensitivity in 1_u32..2_000, millionths in 1_u32..=10_000_000) {
        let (width, float) = (scale(sensitivity, millionths).plus_minus_95() as f64, by_floats(sensitivity, millionths));
        // Up to the float's own error near a whole number.
        prop_assert!(width >= float - 1e-6 * (1.0 + float.abs()) && width < float.max(0.0) + 1.0 + 1e-6 * (1.0 + float.abs()), "{width} {float}");
    }

    #[test]
    fn the_decay_lies_between_its_bounds(sensitivity in 1_u32..2_000, millionths in 1_u32..=10_000_000) {
        let decay = Decay::of(scale(sensitivity, millionths));
        let tight = UBig::ONE << 40;
        prop_assert!(decay.least < decay.most && &decay.most - &decay.least < tight);
        let top = u64::try_from(&(&decay.most >> (BITS - 60))).unwrap() as f64 / 2f64.powi(60);
        let q = (-f64::from(millionths) / f64::from(sensitivity) / 1e6).exp();
        prop_assert!((top - q).abs() < 1e-12, "{top} {q}");
        prop_assert!(decay.power(0) == one() && decay.power(1) >= decay.most && decay.power(3) <= decay.power(2));
    }
}
