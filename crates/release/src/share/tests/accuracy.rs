//! What sharing costs and what it saves, beside noise at every partner.

use super::*;

fn root_mean_square(mass: &[f64]) -> f64 {
    let middle = (mass.len() / 2) as f64;
    mass.iter().enumerate().map(|(i, p)| p * (i as f64 - middle).powi(2)).sum::<f64>().sqrt()
}

/// secure-totals.md section 2: 32 partners of which 10 may collude, ε = 1. In exact masses: own noise 7.68, shared 1.64, a trusted
/// centre 1.36 (the design measured 7.68, 1.63, 1.36).
#[test]
fn shared_noise_is_as_accurate_as_the_design_says() {
    let a = f64::exp(-1.0);
    let centre = discrete_laplace(a, 60);
    let share = difference(&negative_binomial(1.0 / 22.0, a, 60));
    let [own, shared] = [summed(&centre, 32, 120), summed(&share, 32, 120)].map(|m| root_mean_square(&m));
    let centre = root_mean_square(&centre);
    assert!((centre - 1.357).abs() < 0.001, "{centre}");
    assert!((shared - 1.637).abs() < 0.001, "{shared}");
    assert!((own - 7.677).abs() < 0.001, "{own}");
    assert!(shared / centre <= 1.23 && own / shared >= 4.6, "{} {}", shared / centre, own / shared);
}

/// The same of the sampler itself. 500 totals: a standard error is under 5 in 100 (0.07), and the bars are six of them away.
#[test]
fn drawn_totals_are_as_accurate_as_the_exact_masses() {
    let share = laplace(1, 1_000_000, honest(32, 10));
    let mut totals = vec![0_i64; 500];
    for _ in 0..32 {
        let drawn = Shares.draw_share(&share, totals.len()).unwrap();
        totals.iter_mut().zip(drawn).for_each(|(total, draw)| *total += draw);
    }
    let square: f64 = totals.iter().map(|t| (*t as f64).powi(2)).sum();
    let seen = (square / 500.0).sqrt();
    assert!((1.2..2.07).contains(&seen), "{seen}");
}

/// Tables under zCDP: the total's variance is n/h of the centre's, before and after scaling.
#[test]
fn gaussian_shares_have_the_centres_width_times_the_root_of_n_over_h() {
    let (rho, h) = (NanoRho::new(125_000_000), honest(8, 2));
    let scaling = Scaling::least(rho, NonZeroU64::MIN, h.count()).unwrap();
    let share = Share::Gaussian(GaussianShare::new(rho, NonZeroU64::MIN, h, scaling).unwrap());
    let mut totals = vec![0_i64; 1_500];
    for _ in 0..8 {
        let drawn = Shares.draw_share(&share, totals.len()).unwrap();
        totals.iter_mut().zip(drawn).for_each(|(total, draw)| *total += draw);
    }
    let scaled: f64 = totals.iter().map(|t| (*t as f64 / scaling.factor() as f64).powi(2)).sum();
    let seen = (scaled / 1_500.0).sqrt();
    // σ = 1/√(2ρ) = 2, times √(8/6) = 2.309; a standard error is 0.042.
    assert!((2.05..2.57).contains(&seen), "{seen}");
}
