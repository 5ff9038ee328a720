//! What a reader of the published figure learns of one person: far less than who sees the opened vector.

use crate::occupancy::terms::CountTerms;

/// (ε, δ) of one linkage key against somebody who sees only what is made of the number of zeros, where t partners leave out their noise.
///
/// Partners that tell their symbols narrow the noise of the number, to a third at worst, and those that choose them on purpose further; against that only
/// [`CountTerms::loss`] stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReaderLoss {
    epsilon: f64,
    delta: f64,
}

impl ReaderLoss {
    /// The least ε at `delta`, as the supremum over how many buckets others are in, rounded up by a thousandth.
    ///
    /// One key more turns one bucket of the Z that counts zeros from chance p₀ to chance p₁. Given the others, Z is a sum of coins with these two chances, and its noise is least
    /// where all are of the narrower kind, so both ends are worked out: nobody else, and everybody. δ(ε) is the exact hockey-stick divergence of the two
    /// binomial sums, both ways round.
    #[must_use]
    pub fn at(terms: &CountTerms, delta: f64) -> Self {
        let worst = [Others::Nobody, Others::Everybody].map(|others| supremum(terms, others, delta));
        let epsilon = worst.into_iter().fold(0.0, f64::max) * ROUNDED_UP;
        Self { epsilon: epsilon.min(f64::from(terms.epsilon().millionths()) / 1e6), delta }
    }

    /// ε.
    #[must_use]
    pub const fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// δ.
    #[must_use]
    pub const fn delta(&self) -> f64 {
        self.delta
    }
}

/// Where other people are.
#[derive(Clone, Copy)]
pub(super) enum Others {
    Nobody,
    /// So many of the buckets for people.
    #[cfg(test)]
    In(u32),
    Everybody,
}

/// The ε at which δ(ε) falls to `delta`, by bisection, from above.
pub(super) fn supremum(terms: &CountTerms, others: Others, delta: f64) -> f64 {
    let (p0, p1) = (terms.empty_is_zero(terms.honest()), terms.p_occupied());
    let rest = terms.buckets().for_people() - 1;
    let noise = match others {
        Others::Nobody => binomial(rest, p0),
        Others::Everybody => binomial(rest, p1),
        #[cfg(test)]
        Others::In(taken) => sum(&binomial(taken, p1), &binomial(rest - taken, p0)),
    };
    let without = with_coin(&noise, p0);
    let with = with_coin(&noise, p1);
    let far =
        |epsilon: f64| hockey_stick(&without, &with, epsilon).max(hockey_stick(&with, &without, epsilon));
    let (mut least, mut most) = (0.0, f64::from(terms.epsilon().millionths()) / 1e6);
    for _ in 0..40 {
        let middle = f64::midpoint(least, most);
        if far(middle) + CUT_OFF > delta { least = middle } else { most = middle }
    }
    most
}

/// P(X = x) over a window of x that leaves out less than [`CUT_OFF`].
pub(super) fn binomial(n: u32, p: f64) -> Vec<f64> {
    let n = f64::from(n);
    let mode = ((n + 1.0) * p).floor().min(n);
    let reach = 14.0 * (n * p * (1.0 - p)).sqrt() + 60.0;
    let (mut below, mut above) = (Vec::new(), Vec::new());
    let (mut mass, mut x) = (1.0, mode);
    while x > 0.0 && mode - x < reach {
        mass *= x * (1.0 - p) / ((n - x + 1.0) * p);
        below.push(mass);
        x -= 1.0;
    }
    (mass, x) = (1.0, mode);
    while x < n && x - mode < reach {
        mass *= (n - x) * p / ((x + 1.0) * (1.0 - p));
        above.push(mass);
        x += 1.0;
    }
    let all = 1.0 + below.iter().sum::<f64>() + above.iter().sum::<f64>();
    below.iter().rev().chain([&1.0]).chain(&above).map(|mass| mass / all).collect()
}

/// The masses with one coin of chance p more, from one below the window to its end.
pub(super) fn with_coin(mass: &[f64], p: f64) -> Vec<f64> {
    let stays = mass.iter().map(|m| m * (1.0 - p)).chain([0.0]);
    let rises = [0.0].into_iter().chain(mass.iter().map(|m| m * p));
    stays.zip(rises).map(|(stays, rises)| stays + rises).collect()
}

/// Σ max(0, P − e^ε·Q).
pub(super) fn hockey_stick(p: &[f64], q: &[f64], epsilon: f64) -> f64 {
    let times = epsilon.exp();
    p.iter().zip(q).map(|(p, q)| (p - times * q).max(0.0)).sum()
}

#[cfg(test)]
pub(super) fn sum(left: &[f64], right: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; left.len() + right.len() - 1];
    for (i, l) in left.iter().enumerate() {
        for (j, r) in right.iter().enumerate() {
            sum[i + j] += l * r;
        }
    }
    sum
}

/// More than the windows leave out, and than the additions lose: added to δ.
const CUT_OFF: f64 = 1e-12;

const ROUNDED_UP: f64 = 1.001;
