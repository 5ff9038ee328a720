//! Where noise comes from, how wide it is, and how far it reaches.

use cairn_question::privacy::Epsilon;
use dashu::integer::UBig;
use std::num::NonZeroU32;

use crate::gaussian::Deviation;

/// A source of noise. [`crate::DiscreteLaplace`] is the one that ships; tests script theirs.
pub trait Noise {
    /// `cells` independent draws of the discrete Laplace distribution at `scale`: P(x) ∝ e^(−|x|/scale) over the whole numbers.
    ///
    /// # Errors
    /// [`NoiseFault`] when there is no randomness to be had. Never depends on a count, which it is not given.
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault>;

    /// `cells` independent draws of the discrete Gaussian distribution: P(x) ∝ e^(−x²/2σ²) over the whole numbers. A source that has no such
    /// noise gives none.
    ///
    /// # Errors
    /// As for [`Noise::draw`].
    fn draw_gaussian(&mut self, _deviation: Deviation, _cells: usize) -> Result<Vec<i64>, NoiseFault> {
        Err(NoiseFault)
    }
}

/// How wide the noise of one vector is, and of which kind.
///
/// Complete: the kinds of noise that there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Spread {
    Laplace(Scale),
    Gaussian(Deviation),
}

impl Spread {
    pub(crate) fn draw(self, noise: &mut dyn Noise, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        match self {
            Self::Laplace(scale) => noise.draw(scale, cells),
            Self::Gaussian(deviation) => noise.draw_gaussian(deviation, cells),
        }
    }
}

/// The noise source gave nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the noise source gave nothing")]
pub struct NoiseFault;

/// The scale of discrete Laplace noise, sensitivity ÷ ε, as an exact ratio.
///
/// Noise of this scale on every cell makes the whole table ε-differentially private for one person who adds at most the
/// sensitivity to all cells together (Ghosh, Roughgarden and Sundararajan 2012, section 2; Dwork and Roth 2014, Theorem 3.6, on whole numbers).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Scale {
    sensitivity: NonZeroU32,
    epsilon: Epsilon,
}

impl Scale {
    /// The scale at which a table that one person changes by at most `sensitivity` (L1, all cells together) loses `epsilon`.
    #[must_use]
    pub const fn new(sensitivity: NonZeroU32, epsilon: Epsilon) -> Self {
        Self { sensitivity, epsilon }
    }

    /// The loss that it buys.
    #[must_use]
    pub const fn epsilon(self) -> Epsilon {
        self.epsilon
    }

    /// The scale as numerator over denominator, not in lowest terms: millionths of the sensitivity over millionths of ε.
    #[must_use]
    pub fn ratio(self) -> (u64, u32) {
        (u64::from(self.sensitivity.get()) * MILLION, self.epsilon.millionths())
    }

    /// The smallest w such that 95 in 100 draws lie within −w to +w; the half-width that an answer states.
    ///
    /// With q = e^(−1/scale) a draw lies outside with probability 2·q^(w+1) ÷ (1+q): the two geometric tails
    /// (1−q)/(1+q)·Σ q^k for k > w (the two-sided geometric distribution of Ghosh, Roughgarden and Sundararajan 2012). So w is the
    /// smallest whole number with 40·q^(w+1) ≤ 1+q. Both sides are bounded in integers so that w is never understated.
    #[must_use]
    pub fn plus_minus_95(self) -> u64 {
        self.outside_one_in(20)
    }

    /// The smallest w such that at most one draw in so many lies outside −w to +w, by the same formula.
    pub(crate) fn outside_one_in(self, many: u16) -> u64 {
        let decay = Decay::of(self);
        let twice = UBig::from(many) * UBig::from(2_u8);
        let enough = |w: u64| decay.power(w.saturating_add(1)) * &twice <= one() + &decay.least;
        let (mut least, mut most) = (0_u64, 1_u64);
        while !enough(most) {
            (least, most) = (most, most.saturating_mul(2));
        }
        if enough(least) {
            return least;
        }
        while most - least > 1 {
            let middle = least + (most - least) / 2;
            if enough(middle) { most = middle } else { least = middle }
        }
        most
    }
}

/// q = e^(−1/scale) between two bounds, in units of 2^−[`BITS`].
pub(crate) struct Decay {
    pub(crate) least: UBig,
    pub(crate) most: UBig,
}

impl Decay {
    /// From the series of e^x at x = 1/scale, at most 10: each term is rounded down for the lower bound and up for the
    /// upper, and what is cut off after the last term (each under half the one before) is covered by that term once more.
    pub(crate) fn of(scale: Scale) -> Self {
        let (over, under) = scale.ratio();
        let (over, x) = (UBig::from(over), UBig::from(under));
        let (mut low, mut high) = (one(), one());
        let (mut low_term, mut high_term) = (one(), one());
        for n in 1..=TERMS {
            let by = UBig::from(n) * &over;
            low_term = &low_term * &x / &by;
            high_term = div_up(&high_term * &x, &by);
            low += &low_term;
            high += &high_term;
        }
        high += high_term;
        let square = one() * one();
        Self { least: &square / high, most: div_up(square, &low) }
    }

    /// An upper bound on q^n, by squaring.
    pub(crate) fn power(&self, mut n: u64) -> UBig {
        let (mut power, mut square) = (one(), self.most.clone());
        while n > 0 {
            if n % 2 == 1 {
                power = div_up(power * &square, &one());
            }
            square = div_up(&square * &square, &one());
            n /= 2;
        }
        power
    }
}

/// One in fixed point.
pub(crate) fn one() -> UBig {
    UBig::ONE << BITS
}

fn div_up(over: UBig, under: &UBig) -> UBig {
    (over + under - UBig::ONE) / under
}

const MILLION: u64 = 1_000_000;

/// Fixed-point bits: the largest scale there can be (2³² ÷ 10⁻⁶) is under 2⁵², so that q keeps 140 good bits and its highest power
/// that is ever asked for (some 2⁵⁴) keeps 80.
const BITS: usize = 192;

/// Terms of the series: 10¹²⁰ ÷ 120! is under 2⁻²⁵⁰.
const TERMS: u32 = 120;

#[cfg(test)]
mod tests;
