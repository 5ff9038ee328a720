use super::*;
use cairn_question::privacy::{Epsilon, NanoRho};
use opendp::combinators::make_zCDP_to_approxDP;
use opendp::measurements::{make_gaussian, make_laplace};
use opendp::measures::ZeroConcentratedDivergence;
use opendp::metrics::AbsoluteDistance;
use std::num::NonZeroU32;

fn scale(sensitivity: u32, millionths: u32) -> Scale {
    Scale::new(NonZeroU32::new(sensitivity).unwrap(), Epsilon::from_millionths(millionths).unwrap())
}

#[test]
fn opendps_own_privacy_map_says_the_epsilon_that_is_claimed() {
    for (sensitivity, millionths) in [(1, 500_000), (3, 1_000_000), (7, 123_457), (12, 10_000_000), (1, 1)] {
        let loss = mechanism(scale(sensitivity, millionths)).unwrap().map(&RBig::from(sensitivity)).unwrap();
        let claimed = f64::from(millionths) / 1e6;
        // The map is in floats, rounded up: one unit in the last place is its own.
        assert!(loss <= claimed.next_up() && loss >= claimed.next_down(), "{loss} for {claimed}");
    }
}

#[test]
fn it_is_the_mechanism_that_make_laplace_makes() {
    // Scale 6 is exact as a float, so the two privacy maps agree to the bit.
    let space = (VectorDomain::new(AtomDomain::<i64>::default()), L1Distance::<i64>::default());
    let theirs = make_laplace(space.0, space.1, 6.0, None).unwrap();
    let ours = mechanism(scale(3, 500_000)).unwrap();
    assert_eq!(theirs.map(&3).unwrap().to_bits(), ours.map(&RBig::from(3)).unwrap().to_bits());
}

#[test]
fn draws_are_one_for_each_cell_and_differ() {
    let draws = DiscreteLaplace.draw(scale(1, 1_000), 64).unwrap();
    assert_eq!(draws.len(), 64);
    assert_ne!(draws, DiscreteLaplace.draw(scale(1, 1_000), 64).unwrap());
    assert_eq!(DiscreteLaplace.draw(scale(1, 1_000), 0).unwrap(), Vec::<i64>::new());
}

#[test]
fn draws_past_the_ends_stay_at_the_ends() {
    assert_eq!(saturate(&(IBig::ONE << 80)), i64::MAX);
    assert_eq!(saturate(&-(IBig::ONE << 80)), i64::MIN);
    assert_eq!(saturate(&IBig::from(-3)), -3);
}

/// The share of draws within the stated width is 95 in 100, no less: at scale 10 the exact share is .9505.
#[test]
fn the_stated_width_holds_95_in_100_draws() {
    let scale = scale(5, 500_000);
    let width = i64::try_from(scale.plus_minus_95()).unwrap();
    let draws = DiscreteLaplace.draw(scale, 20_000).unwrap();
    let within = draws.iter().filter(|d| d.abs() <= width).count();
    // 6.5 standard deviations (30.8) either side of 19,010: a false alarm is under one in 10^9.
    assert!((18_800..=19_220).contains(&within), "{within} of 20,000 within {width}");
}

/// The ε caps of a policy become ρ caps by `question`'s own conversion. OpenDP's is another author's.
#[test]
#[expect(non_snake_case, reason = "OpenDP's name")]
fn caps_agree_with_opendps_conversion_within_1_in_100_and_are_never_above() {
    let make_zCDP_to_approxDP = make_zCDP_to_approxDP::<_, _, ZeroConcentratedDivergence, i64>;
    for (epsilon, delta) in [(3.0, 1e-6), (1.0, 1e-6), (0.5, 1e-5), (8.0, 1e-8), (10.0, 1e-6)] {
        let cap = NanoRho::cap_for(epsilon, delta);
        // OpenDP's ε at δ of a mechanism whose ρ is the cap: a Gaussian of σ = 1/√(2ρ) at sensitivity 1.
        let epsilon_of = |nano: u64| {
            let sigma = (2.0 * nano as f64 / 1e9).sqrt().recip();
            let space = (AtomDomain::<i64>::default(), AbsoluteDistance::<f64>::default());
            let gaussian =
                make_gaussian::<_, _, ZeroConcentratedDivergence>(space.0, space.1, sigma, None).unwrap();
            make_zCDP_to_approxDP(gaussian).unwrap().map(&1.0).unwrap().epsilon(delta).unwrap()
        };
        let theirs = epsilon_of(cap.nano());
        assert!(theirs <= epsilon * 1.000_001, "ε {epsilon} δ {delta}: cap {cap} is ε {theirs} by OpenDP");
        assert!(epsilon_of(cap.nano() * 101 / 100) > epsilon, "ε {epsilon} δ {delta}: cap {cap} is too low");
    }
}

/// ρ = ε·tanh(ε/2) against the zCDP loss measured on the mechanism's own distribution: at order α the Rényi divergence of the
/// discrete Laplace and its neighbour shifted by the sensitivity is at most ρ·α.
#[test]
fn rho_bounds_the_renyi_divergence_of_the_mechanism() {
    for millionths in [100_000_u32, 500_000, 1_000_000, 3_000_000] {
        let epsilon = f64::from(millionths) / 1e6;
        let q = (-epsilon).exp();
        let mass = |x: i32| (1.0 - q) / (1.0 + q) * q.powi(x.abs());
        let rho = Epsilon::from_millionths(millionths).unwrap().rho().nano() as f64 / 1e9;
        for alpha in [1.01, 1.5, 2.0, 4.0, 16.0, 128.0] {
            // P(x)/Q(x) is e^ε up to x = 0 and e^−ε after it, for the neighbour Q that is shifted by 1.
            let ratio = |x: i32| if x <= 0 { epsilon } else { -epsilon };
            let sum: f64 = (-400..400).map(|x| mass(x) * ((alpha - 1.0) * ratio(x)).exp()).sum();
            let divergence = sum.ln() / (alpha - 1.0);
            assert!(
                divergence <= rho * alpha + 1e-9,
                "ε {epsilon} α {alpha}: {divergence} above {}",
                rho * alpha
            );
        }
    }
}
