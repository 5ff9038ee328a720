//! The sampler's distribution, worked out exactly and compared.

use super::*;
use crate::share::draws::urn;
use dashu::rational::RBig;

/// Every way that the coins can fall in so many steps, each with its exact chance: P(s of `steps`), s = 0..=steps.
fn urn_exactly(steps: u64, honest: HonestPartners) -> Vec<RBig> {
    let mut mass = vec![RBig::ZERO; usize::try_from(steps).unwrap() + 1];
    for falls in 0..1_u64 << steps {
        let (mut chance, mut step) = (RBig::ONE, 0);
        let ours = urn(steps, honest, |over, under| {
            assert!(over <= under, "a chance of {over}/{under}");
            let up = falls >> step & 1 == 1;
            let p = RBig::from(over) / RBig::from(under);
            chance *= if up { p } else { RBig::ONE - p };
            step += 1;
            Ok(up)
        });
        mass[usize::try_from(ours.unwrap()).unwrap()] += chance;
    }
    mass
}

/// Dirichlet-multinomial: C(g, s)·(1/h)ₛ·((h−1)/h)_{g−s} / g!, (x)ₖ the rising factorial; in lowest terms.
fn dirichlet(steps: u64, honest: HonestPartners) -> Vec<RBig> {
    let h = RBig::from(honest.count());
    let rising = |x: &RBig, k: u64| (0..k).fold(RBig::ONE, |product, i| product * (x + RBig::from(i)));
    let factorial = |k: u64| rising(&RBig::ONE, k);
    let ours = RBig::ONE / &h;
    let others = (&h - RBig::ONE) / &h;
    (0..=steps)
        .map(|s| rising(&ours, s) * rising(&others, steps - s) / (factorial(s) * factorial(steps - s)))
        .collect()
}

#[test]
fn the_urn_gives_exactly_one_partners_part_of_the_whole() {
    for h in [2, 3, 22, 334, u16::MAX] {
        for steps in 0..=9 {
            let honest = honest(h, 0);
            assert!(urn_exactly(steps, honest) == dirichlet(steps, honest), "h {h}, {steps} steps");
        }
    }
}

/// Mixed over a geometric number of steps, the urn is NB(1/h, a). The bar is the design's: total variation 4e-16, less what f64 itself loses in a few hundred
/// additions.
#[test]
fn mixed_over_a_geometric_whole_it_is_negative_binomial() {
    for (h, epsilon) in [(2.0, 1.0), (22.0, 1.0), (334.0, 0.5), (22.0, 0.5)] {
        let a: f64 = f64::exp(-epsilon);
        let most = 160;
        let mut mixed = vec![0.0; most + 1];
        // P(s of g) by the urn's own recursion.
        let mut urn = vec![1.0];
        let mut weight = 1.0 - a;
        for g in 0..=most {
            for (s, chance) in urn.iter().enumerate() {
                mixed[s] += weight * chance;
            }
            let mut next = vec![0.0; g + 2];
            for (s, chance) in urn.iter().enumerate() {
                let up = (1.0 + h * s as f64) / (h * (g as f64 + 1.0));
                next[s + 1] += chance * up;
                next[s] += chance * (1.0 - up);
            }
            (urn, weight) = (next, weight * a);
        }
        let apart = total_variation(&mixed, &negative_binomial(1.0 / h, a, most));
        assert!(apart < 2e-15, "h {h}, ε {epsilon}: {apart:e}");
    }
}

/// The sum over h shares is the discrete Laplace distribution, no more and no less.
#[test]
fn the_shares_of_all_honest_partners_are_discrete_laplace_together() {
    for (h, epsilon, most) in [(2_usize, 1.0, 60), (5, 1.0, 60), (22, 1.0, 60), (22, 2.0, 30), (40, 0.5, 110)]
    {
        let a = f64::exp(-epsilon);
        let share = difference(&negative_binomial(1.0 / h as f64, a, most));
        let together = summed(&share, h, most);
        let apart = total_variation(&together, &discrete_laplace(a, most as i32));
        assert!(apart < 1e-13, "h {h}, ε {epsilon}: {apart:e}");
    }
}

/// The sampler that ships against the exact masses, by Pearson's chi-square over −2 to 2 and further out.
#[test]
fn drawn_shares_have_the_exact_distribution() {
    for h in [2, 22] {
        let a = f64::exp(-1.0);
        let exact = difference(&negative_binomial(1.0 / f64::from(h), a, 80));
        let draws = Shares.draw_share(&laplace(1, 1_000_000, honest(h, 0)), 6_000).unwrap();
        let mut chi_square = 0.0;
        let mut rest = (1.0, 6_000.0);
        for x in -2..=2_i64 {
            let seen = draws.iter().filter(|d| **d == x).count() as f64;
            let mass = exact[usize::try_from(80 + x).unwrap()];
            chi_square += (seen - 6_000.0 * mass).powi(2) / (6_000.0 * mass);
            rest = (rest.0 - mass, rest.1 - seen);
        }
        chi_square += (rest.1 - 6_000.0 * rest.0).powi(2) / (6_000.0 * rest.0);
        // 5 degrees of freedom: above 60 once in 10^11.
        assert!(chi_square < 60.0, "h {h}: {chi_square}");
    }
}
