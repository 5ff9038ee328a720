//! The width that an answer states, against the masses.

use super::*;

/// What lies outside −w to w.
fn outside(mass: &[f64], w: u64) -> f64 {
    1.0 - centre(mass, usize::try_from(w).unwrap()).iter().sum::<f64>()
}

#[test]
fn the_width_of_a_total_is_the_smallest_that_holds_95_in_100() {
    for (n, t, sensitivity, millionths) in [
        (32_u16, 10, 1, 1_000_000),
        (32, 10, 1, 500_000),
        (32, 10, 2, 2_000_000),
        (12, 9, 1, 1_000_000),
        (500, 100, 1, 1_000_000),
        (5, 3, 1, 3_000_000),
    ] {
        let h = honest(n, t).count();
        let a = (-f64::from(millionths) / 1e6 / f64::from(sensitivity)).exp();
        // n shares of 1/h are NB(n/h) less NB(n/h).
        let mass = difference(&negative_binomial(f64::from(n) / f64::from(h), a, 140));
        let w = laplace(sensitivity, millionths, honest(n, t)).plus_minus_95(n);
        assert!(outside(&mass, w) <= 0.05, "{n} {t} {millionths}: {w} leaves {}", outside(&mass, w));
        assert!(w == 0 || outside(&mass, w - 1) > 0.05, "{n} {t} {millionths}: {w} is not the smallest");
    }
}

/// Where nobody may collude, shares are made for all: the whole is one centre's noise, and so is its width.
#[test]
fn without_colluders_the_width_is_the_centres() {
    for (sensitivity, millionths) in [(1, 500_000), (1, 1_000_000), (12, 1_000_000), (300, 1_000_000)] {
        let width = laplace(sensitivity, millionths, honest(20, 0)).plus_minus_95(20);
        assert_eq!(width, scale(sensitivity, millionths).plus_minus_95(), "{sensitivity} at {millionths}");
    }
}

#[test]
fn a_gaussian_total_is_stated_at_196_standard_deviations_and_its_rounding() {
    // ρ = ½, Δ = 1: σ = 1, times √(32/22), 2.364 at 1.96, and a half: 2.86, so 3. ρ = .005: σ = 10: 23.64 and a half: 25.
    for (rho, width) in [(500_000_000, 3), (5_000_000, 25)] {
        let h = honest(32, 10);
        let scaling = Scaling::least(NanoRho::new(rho), NonZeroU64::MIN, h.count()).unwrap();
        let share = GaussianShare::new(NanoRho::new(rho), NonZeroU64::MIN, h, scaling).unwrap();
        assert_eq!(Share::Gaussian(share).plus_minus_95(32), width);
    }
}
