//! How far noise may move a figure, exactly: the law of a sum of discrete Laplace draws, worked out and not simulated.

/// How much noise is in one figure, as a number of discrete Laplace draws: `parts ÷ of`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Draws {
    parts: u32,
    of: u32,
}

impl Draws {
    /// One partner's own table, or a total over which the partners share the noise with nobody to spare.
    pub(crate) const ONE: Self = Self { parts: 1, of: 1 };

    /// The sum of tables of that many partners, each with its own noise.
    pub(crate) const fn own_of(partners: u32) -> Self {
        Self { parts: if partners == 0 { 1 } else { partners }, of: 1 }
    }

    /// Noise shared by `partners`, of whom `colluding` may leave theirs out: each adds one part in `partners − colluding`.
    /// With all of them adding it, that is `partners ÷ (partners − colluding)` draws.
    pub(crate) const fn shared_by(partners: u32, colluding: u32) -> Self {
        match partners.checked_sub(colluding) {
            None | Some(0) => Self::ONE,
            Some(honest) => Self { parts: partners, of: honest },
        }
    }

    fn shape(self) -> f64 {
        f64::from(self.parts) / f64::from(self.of)
    }
}

/// The smallest n for which 95 in 100 figures are within ±n, the noise being `draws` of discrete Laplace noise of scale
/// `groups_per_person ÷ ε`.
///
/// Exact up to a scale of some 150 (of 32 draws); beyond it at most 3 in 100 too large, and never too small.
pub(crate) fn within(epsilon_millionths: u32, groups_per_person: u32, draws: Draws) -> u64 {
    let scale = f64::from(groups_per_person.max(1)) * 1e6 / f64::from(epsilon_millionths.max(1));
    let shape = draws.shape();
    let finest = exact_scale(shape);
    if scale <= finest {
        return quantile(shape, scale);
    }
    // Whole draws only: noise added to noise spreads it (both are symmetric with one peak), so more draws is never too small. A geometric
    // number of scale s is an exponential one times s, cut off to a whole number; so two scales differ by under one a draw on each side.
    let whole = shape.ceil();
    let finest = exact_scale(whole);
    ceiling(scale / finest * (real(quantile(whole, finest)) + whole) + whole)
}

/// The same for discrete Gaussian noise of loss ρ in nano, σ = √(groups ÷ 2ρ): 1.96·σ·√draws rounded up, and one more a draw for its steps. Never too
/// small: a discrete Gaussian's tail is at most the continuous one's a step further in (Canonne, Kamath and Steinke 2020, Proposition 25).
pub(crate) fn gaussian_within(nano_rho: u64, groups_per_person: u32, draws: Draws) -> u64 {
    let variance = f64::from(groups_per_person.max(1)) * 1e9 / (2.0 * real(nano_rho.max(1)));
    let steps = if draws == Draws::ONE { 0.0 } else { draws.shape().ceil() };
    ceiling(1.96 * (variance * draws.shape()).sqrt() + steps)
}

/// The smallest n with P(|S| ≤ n) ≥ 0.95, S the difference of two negative binomial numbers of this shape: the sum of
/// `shape` geometric ones, so that S is the sum of `shape` discrete Laplace ones (Inusah and Kozubowski 2006, section 2).
fn quantile(shape: f64, scale: f64) -> u64 {
    let law = negative_binomial(shape, (-1.0 / scale).exp());
    let mut inside = 0.0;
    for n in 0..law.len() {
        let at_n: f64 = law.iter().zip(law.iter().skip(n)).map(|(a, b)| a * b).sum();
        inside += if n == 0 { at_n } else { 2.0 * at_n };
        if inside >= COVERED {
            return u64::try_from(n).unwrap_or(u64::MAX);
        }
    }
    u64::try_from(law.len()).unwrap_or(u64::MAX)
}

/// P(k) = Γ(r + k) ÷ (Γ(r) k!) · (1 − a)^r · a^k for k from 0 on, until what is left is too little to matter. In logarithms, since
/// (1 − a)^r may be smaller than any float.
fn negative_binomial(shape: f64, a: f64) -> Vec<f64> {
    let mean = shape * a / (1.0 - a);
    let mut log = shape * (-a).ln_1p();
    let mut law = Vec::new();
    let mut k = 0.0;
    while law.len() < LAW_MAX && (k <= mean || log > NOTHING_LEFT) {
        law.push(log.exp());
        log += a.ln() + ((shape + k) / (k + 1.0)).ln();
        k += 1.0;
    }
    law
}

/// The largest scale worked out term by term: some 30 million products.
fn exact_scale(shape: f64) -> f64 {
    let root = shape.sqrt().max(1.0);
    (WORK / ((shape + 10.0 * root) * 2.8 * root)).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "a figure under 2⁵³")]
fn real(n: u64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "above 0, and a cast from a float stays at the largest value"
)]
fn ceiling(x: f64) -> u64 {
    x.ceil() as u64
}

const COVERED: f64 = 0.95;
/// ln 1e-18: terms smaller than this change no figure.
const NOTHING_LEFT: f64 = -41.4;
const WORK: f64 = 3e7;
/// Terms of a law: what `WORK` allows stays far below.
const LAW_MAX: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// N-fold convolution of the law itself, on −span..=span.
    fn by_convolution(partners: usize, scale: f64, span: usize) -> u64 {
        let a = (-1.0 / scale).exp();
        let one: Vec<f64> =
            (0..=2 * span).map(|i| (1.0 - a) / (1.0 + a) * a.powf((i as f64 - span as f64).abs())).collect();
        let mut sum = one.clone();
        for _ in 1..partners {
            let mut next = vec![0.0; sum.len() + 2 * span];
            for (i, p) in sum.iter().enumerate() {
                for (j, q) in one.iter().enumerate() {
                    next[i + j] += p * q;
                }
            }
            sum = next;
        }
        let middle = sum.len() / 2;
        let inside = |n: usize| sum[middle - n..=middle + n].iter().sum::<f64>();
        (0..middle).find(|n| inside(*n) >= 0.95).unwrap() as u64
    }

    #[test]
    fn a_sum_of_draws_is_the_convolution_of_their_laws() {
        for (partners, epsilon) in
            [(1, 500_000), (2, 1_000_000), (3, 700_000), (5, 2_000_000), (32, 1_000_000)]
        {
            let scale = 1e6 / f64::from(epsilon);
            let expected = by_convolution(partners, scale, 60);
            let found = within(epsilon, 1, Draws::own_of(u32::try_from(partners).unwrap()));
            assert_eq!(found, expected, "{partners} partners at {epsilon}");
        }
    }

    #[test]
    fn one_draw_is_said_as_its_law_has_it() {
        // Scale 5: tail beyond 15 is 2·e^(−16/5) ÷ (1 + e^(−1/5)) = 0.0448, beyond 14 is 0.0547.
        assert_eq!(within(200_000, 1, Draws::ONE), 15);
        assert_eq!(within(200_000, 2, Draws::ONE), 30);
        assert_eq!(within(200_000, 2, Draws::own_of(1)), 30);
    }

    #[test]
    fn many_draws_come_near_the_normal_law() {
        // Variance of one draw: 2a ÷ (1 − a)²; 32 of them at scale 10.
        let a = (-0.1_f64).exp();
        let normal = 1.96 * (32.0 * 2.0 * a / (1.0 - a).powi(2)).sqrt();
        let found = real(within(100_000, 1, Draws::own_of(32)));
        assert!((found - normal).abs() < 3.0, "{found} and {normal}");
    }

    #[test]
    fn shared_noise_is_little_more_than_one_draw_and_far_less_than_everybodys_own() {
        let [one, shared, own] =
            [Draws::ONE, Draws::shared_by(32, 10), Draws::own_of(32)].map(|d| within(200_000, 1, d));
        assert!(one < shared && shared * 4 < own, "{one} {shared} {own}");
        assert_eq!(Draws::shared_by(3, 3), Draws::ONE);
    }

    #[test]
    fn any_scale_is_answered_at_once_and_never_too_small() {
        assert!(within(1, 1_000, Draws::own_of(500)) > 1_000_000_000);
        // Just beyond the exact reach, and half of it twice over.
        let wide = within(2_000, 1, Draws::own_of(32));
        let exact = real(within(10_000, 1, Draws::own_of(32))) * 5.0;
        assert!(real(wide) >= exact - 5.0 && real(wide) < exact * 1.04, "{wide} and {exact}");
    }
}
