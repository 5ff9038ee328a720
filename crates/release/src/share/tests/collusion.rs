//! What is left when colluders tell each other their shares.

use super::*;

/// The largest ε at any outcome between a total and the same total with one person more, in exact masses.
fn loss(mass: &[f64]) -> f64 {
    mass.windows(2).map(|pair| (pair[0] / pair[1]).ln().abs()).fold(0.0, f64::max)
}

/// t colluders know their own shares; those of the other n − t = h are still the whole of the noise. One colluder more than t, and it is not.
#[test]
fn with_t_colluders_the_rest_is_still_the_noise_that_was_promised() {
    for (n, t, epsilon) in [(32, 10, 1.0), (4, 2, 1.0), (12, 9, 0.5)] {
        let h = honest(n, t).count();
        let a = f64::exp(-epsilon);
        let share = difference(&negative_binomial(1.0 / f64::from(h), a, 140));
        let rest = |colluders: u16| summed(&share, usize::from(n - colluders), 140);
        let left = loss(centre(&rest(t), 12));
        assert!((left - epsilon).abs() < 1e-9, "n {n}, t {t}: {left} for {epsilon}");
        for fewer in [0, t / 2, t - 1] {
            assert!(loss(centre(&rest(fewer), 12)) <= epsilon + 1e-9, "n {n}, {fewer} colluders");
        }
        assert!(loss(centre(&rest(t + 1), 12)) > epsilon * 1.01, "n {n}: one colluder too many goes unseen");
    }
}

/// The lower end of a 99 % Clopper–Pearson interval, by bisection on the binomial's exact tail.
fn at_least(seen: u32, of: u32) -> f64 {
    let log_choose = |k: u32| -> f64 { (0..k).map(|i| (f64::from(of - i) / f64::from(k - i)).ln()).sum() };
    let tail = |p: f64| -> f64 {
        let mut term = log_choose(seen) + f64::from(seen) * p.ln() + f64::from(of - seen) * (-p).ln_1p();
        let mut sum = 0.0;
        for k in seen..=of {
            sum += term.exp();
            term += (f64::from(of - k) / f64::from(k + 1)).ln() + p.ln() - (-p).ln_1p();
        }
        sum
    };
    let (mut low, mut high) = (1e-12, f64::from(seen) / f64::from(of));
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if tail(middle) < 0.005 { low = middle } else { high = middle }
    }
    low
}

/// An attack: the colluders subtract all they know and guess from what is left whether somebody is in the total. 4,000 totals either way, ε = 1.
#[test]
fn colluders_learn_no_more_than_the_claim() {
    let (honest, runs) = (honest(4, 2), 4_000);
    let share = laplace(1, 1_000_000, honest);
    let left = |count: i64| -> u32 {
        let mut totals = vec![count; runs as usize];
        for _ in 0..honest.count() {
            let drawn = Shares.draw_share(&share, totals.len()).unwrap();
            totals.iter_mut().zip(drawn).for_each(|(total, draw)| *total += draw);
        }
        totals.iter().filter(|t| **t >= 1).count() as u32
    };
    let (without, with) = (left(0), left(1));
    // P(≥ 1): e^−1/(1 + e^−1) = .269 without the person, .731 with.
    let epsilon = (at_least(with, runs) / (1.0 - at_least(runs - without, runs))).ln();
    assert!(epsilon <= 1.0, "the attack shows ε ≥ {epsilon} of a claimed 1");
    assert!(epsilon >= 0.75, "the attack is too weak to show anything: {epsilon}");
}
