use super::*;
use crate::laplace::DiscreteLaplace;
use crate::noise::Noise as _;
use opendp::measurements::make_gaussian;
use proptest::prelude::*;

fn deviation(l2_squared: u64, nano: u64) -> Deviation {
    Deviation::new(NonZeroU64::new(l2_squared).unwrap(), NanoRho::new(nano)).unwrap()
}

fn sigma(deviation: Deviation) -> f64 {
    let (over, under) = deviation.ratio();
    over as f64 / under as f64
}

/// σ = Δ₂ ÷ √(2ρ).
#[test]
fn the_deviation_is_the_formulas() {
    let check = |l2_squared, nano, expected: f64| {
        let found = sigma(deviation(l2_squared, nano));
        assert!(found >= expected && found < expected * (1.0 + 1e-9) + 2e-6, "{found} for {expected}");
    };
    check(1, 500_000_000, 1.0);
    check(16, 500_000_000, 4.0);
    check(2, 500_000_000, 2.0_f64.sqrt());
    check(4, 1_000_000, 2.0 / 0.002_f64.sqrt());
    check(1, 1, 1.0 / 2e-9_f64.sqrt());
    // The largest sum of a person at the smallest loss.
    let most = u64::from(u32::MAX).pow(2);
    check(most, 1, f64::from(u32::MAX) / 2e-9_f64.sqrt());
    assert_eq!(Deviation::new(NonZeroU64::MIN, NanoRho::ZERO), None);
}

/// OpenDP's own privacy map says that the mechanism loses no more than what the account is charged.
#[test]
fn opendps_own_privacy_map_says_at_most_the_rho_that_is_charged() {
    for (groups, nano) in
        [(1_u64, 731_000_u64), (1, 500_000_000), (4, 1_000_003), (9, 73), (25, 10_000_000_000)]
    {
        // √G is whole in these, so that the distance is exact.
        let distance = RBig::from(u32::try_from(groups.isqrt()).unwrap());
        let loss = mechanism(deviation(groups, nano)).unwrap().map(&distance).unwrap();
        let charged = nano as f64 / 1e9;
        assert!(loss <= charged && loss > charged * 0.999, "{loss} of {charged}");
    }
}

#[test]
fn it_is_the_mechanism_that_make_gaussian_makes() {
    use opendp::domains::{AtomDomain, VectorDomain};
    let input = VectorDomain::<AtomDomain<i64>>::default();
    let theirs = make_gaussian(input, L2Distance::<f64>::default(), 4.0, None).unwrap();
    let ours = mechanism(deviation(16, 500_000_000)).unwrap();
    let (theirs, ours): (f64, f64) = (theirs.map(&1.0).unwrap(), ours.map(&RBig::from(1_u8)).unwrap());
    assert!((theirs - ours).abs() < 1e-12, "{theirs} {ours}");
    assert!((ours - 1.0 / 32.0).abs() < 1e-12);
}

/// P(|X| > w) of the discrete Gaussian distribution, term by term.
fn outside(sigma: f64, w: u64) -> f64 {
    let weight = |x: f64| (-x * x / (2.0 * sigma * sigma)).exp();
    // A width of 95 in 100 is 1.96 σ or so; beyond 40 σ nothing is left that a float can hold.
    let far = 25 * (w + 2);
    let beyond: f64 = (w + 1..far).map(|x| weight(x as f64)).sum();
    let all: f64 = 1.0 + 2.0 * (1..far).map(|x| weight(x as f64)).sum::<f64>();
    2.0 * beyond / all
}

proptest! {
    /// The stated width against the exact law: never too small, and at most one too large.
    #[test]
    fn the_stated_width_holds_by_the_exact_law(nano in 200_000_u64..20_000_000_000, groups in 1_u64..30) {
        let deviation = deviation(groups, nano);
        let (w, sigma) = (deviation.plus_minus_95(), sigma(deviation));
        prop_assert!(outside(sigma, w) <= 0.05, "{w} at {sigma}");
        prop_assert!(w < 2 || outside(sigma, w - 2) > 0.05, "{w} at {sigma}");
    }
}

/// Pearson's chi-square over 17 bins at σ = 2.5, and the width: the draws that ship are of the distribution that is claimed.
#[test]
fn the_draws_fit_the_discrete_gaussian_distribution() {
    let deviation = deviation(25, 2_000_000_000);
    let sigma = sigma(deviation);
    assert!((sigma - 2.5).abs() < 1e-5);
    let draws = DiscreteLaplace.draw_gaussian(deviation, 20_000).unwrap();
    let weight = |x: i64| (-(x * x) as f64 / (2.0 * sigma * sigma)).exp();
    let all: f64 = (-60..=60).map(weight).sum();
    let edge = 6;
    let chi_square: f64 = (-edge..=edge)
        .map(|bin| {
            let seen = draws.iter().filter(|d| (**d).clamp(-edge, edge) == bin).count() as f64;
            let mass: f64 = (-60..=60).filter(|x: &i64| (*x).clamp(-edge, edge) == bin).map(weight).sum();
            let expected = 20_000.0 * mass / all;
            (seen - expected).powi(2) / expected
        })
        .sum();
    // 12 degrees of freedom: a good source exceeds 80 once in 10¹¹ runs.
    assert!(chi_square < 80.0, "{chi_square}");
    let within = draws.iter().filter(|d| d.unsigned_abs() <= deviation.plus_minus_95()).count();
    assert!(within >= 19_000, "{within}");
    assert_ne!(draws, DiscreteLaplace.draw_gaussian(deviation, 20_000).unwrap());
    assert_eq!(DiscreteLaplace.draw_gaussian(deviation, 0).unwrap(), Vec::<i64>::new());
}
