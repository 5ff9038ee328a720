//! The rule of scaling, and the loss that it keeps to.

use super::*;
use proptest::prelude::*;

fn check(rho: u64, l2_squared: u64, h: u16, power: u8) -> Result<GaussianShare, ShareFault> {
    let l2_squared = NonZeroU64::new(l2_squared).unwrap();
    GaussianShare::new(NanoRho::new(rho), l2_squared, honest(h, 0), Scaling::of_power(power).unwrap())
}

#[test]
fn shares_that_are_not_scaled_enough_are_refused() {
    // ρ = ½: σ = 1. 22 partners: s·1/√22 ≥ 2 needs s ≥ 9.38, so 16 and not 8.
    assert_eq!(check(500_000_000, 1, 22, 3), Err(ShareFault::ScalingTooSmall));
    assert!(check(500_000_000, 1, 22, 4).is_ok());
    // Exactly at the bar: ρ = 1/32, σ = 4, h = 4: 4/2 = 2. One nano more of loss is too much.
    assert!(check(31_250_000, 1, 4, 0).is_ok());
    assert_eq!(check(31_250_001, 1, 4, 0), Err(ShareFault::ScalingTooSmall));
    // The design's case: .21 wide each.
    assert_eq!(check(500_000_000, 1, 22, 0), Err(ShareFault::ScalingTooSmall));
}

#[test]
fn losses_outside_what_is_accounted_for_are_refused() {
    assert_eq!(check(0, 1, 22, 4), Err(ShareFault::OutOfRange));
    assert_eq!(check(10_000_000_001, 1, 22, 16), Err(ShareFault::OutOfRange));
}

#[test]
fn a_table_costs_what_was_asked_and_one_nano() {
    assert_eq!(Share::Gaussian(check(500_000_000, 1, 22, 4).unwrap()).cost().nano(), 500_000_001);
    assert_eq!(Share::Gaussian(check(500_000_000, 1, 22, 4).unwrap()).epsilon(), None);
}

proptest! {
    #[test]
    fn the_least_scaling_is_enough_and_half_of_it_is_not(
        rho in 1_u64..=10_000_000_000, l2_squared in 1_u64..1_000_000_000, h in 2_u16..2_000,
    ) {
        let delta = NonZeroU64::new(l2_squared).unwrap();
        let scaling = Scaling::least(NanoRho::new(rho), delta, h).unwrap();
        let share = GaussianShare::new(NanoRho::new(rho), delta, honest(h, 0), scaling).unwrap();
        let sigma = (l2_squared as f64 * 1e9 / (2.0 * rho as f64)).sqrt();
        let wide = |factor: i64| factor as f64 * sigma / f64::from(h).sqrt();
        prop_assert!(wide(scaling.factor()) > 2.0 - 1e-9);
        prop_assert!(scaling == Scaling::NONE || wide(scaling.factor() / 2) < 2.0 + 1e-9);
        // The width that is drawn: never less than claimed, and hardly more.
        let (claimed, drawn) = (wide(scaling.factor()), share.width().to_f64().value());
        prop_assert!(drawn >= claimed * (1.0 - 1e-12) && drawn <= claimed + 1e-6, "{drawn} {claimed}");
    }
}

/// Masses of a discrete Gaussian over −most..=most.
fn gaussian(width: f64, most: i32) -> Vec<f64> {
    let weight = |x: i32| (-f64::from(x).powi(2) / (2.0 * width * width)).exp();
    let all: f64 = (-most..=most).map(weight).sum();
    (-most..=most).map(|x| weight(x) / all).collect()
}

/// The Rényi divergence of order α between these masses and the same moved by `apart`, over α: the ρ that they show at α.
fn shown(mass: &[f64], apart: usize, alpha: f64) -> f64 {
    let pairs = mass.iter().zip(&mass[apart..]).filter(|(p, q)| **p > 1e-290 && **q > 1e-290);
    let sum: f64 = pairs.map(|(p, q)| (alpha * p.ln() + (1.0 - alpha) * q.ln()).exp()).sum();
    sum.ln() / (alpha - 1.0) / alpha
}

/// What h shares show of one person, who moves the scaled total by s: at every order at most the ρ that the ledger is charged.
#[test]
fn scaled_shares_lose_what_is_charged_at_every_order() {
    for (rho, h) in [(500_000_000, 4), (500_000_000, 22), (2_000_000_000, 9), (50_000_000, 22)] {
        let scaling = Scaling::least(NanoRho::new(rho), NonZeroU64::MIN, h).unwrap();
        let share = GaussianShare::new(NanoRho::new(rho), NonZeroU64::MIN, honest(h, 0), scaling).unwrap();
        let width = share.width().to_f64().value();
        let most = (width * 22.0) as i32;
        let total =
            summed(&gaussian(width, most), usize::from(h), (width * 22.0 * f64::from(h).sqrt()) as usize);
        let claimed = share.cost().nano() as f64 / 1e9;
        for alpha in [1.5, 2.0, 4.0, 8.0] {
            let shown = shown(&total, usize::try_from(scaling.factor()).unwrap(), alpha);
            assert!(shown <= claimed + 1e-9, "ρ {rho}, h {h}, α {alpha}: {shown} above {claimed}");
            assert!(shown >= claimed * 0.999, "ρ {rho}, h {h}, α {alpha}: {shown} is far below {claimed}");
        }
    }
}

/// Why the rule refuses: without scaling 22 shares of ρ = ½ show more than ten times as much as is claimed.
#[test]
fn unscaled_shares_would_lose_ten_times_the_claim() {
    let width = 1.0 / f64::sqrt(22.0);
    let total = summed(&gaussian(width, 5), 22, 60);
    let worst =
        [1.5, 2.0, 4.0, 8.0, 32.0].map(|alpha| shown(&total, 1, alpha)).into_iter().fold(0.0, f64::max);
    assert!(worst > 5.0, "{worst}");
}
