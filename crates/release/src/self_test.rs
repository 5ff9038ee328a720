//! A goodness-of-fit test of the noise source, run when a node starts.

use cairn_question::privacy::{Epsilon, NanoRho};
use dashu::integer::UBig;
use std::num::{NonZeroU32, NonZeroU64};

use crate::gaussian::Deviation;
use crate::noise::{Decay, Noise, Scale, Spread, one};
use crate::terms::ReleaseFault;

/// Draws 20,000 times at scale 2 and compares with the discrete Laplace distribution, and as often with the discrete Gaussian one, by Pearson's chi-square over 17 bins
/// (≤ −8, −7 to 7, ≥ 8).
///
/// Catches a scale that is off by a tenth or more, a shifted, one-sided, clipped or constant source, and one that starts over at
/// every call. It cannot show that draws are unpredictable or independent. [`CHI_SQUARE_MAX`] says how often a good source fails.
///
/// # Errors
/// [`ReleaseFault::NoNoise`] or [`ReleaseFault::BadNoise`].
pub fn self_test(noise: &mut dyn Noise) -> Result<(), ReleaseFault> {
    fits_laplace(noise, DRAWS)?;
    fits_gaussian(noise, DRAWS)
}

/// The Gaussian part at σ = 4, with an even number of draws.
pub(crate) fn fits_gaussian(noise: &mut dyn Noise, draws: usize) -> Result<(), ReleaseFault> {
    let deviation = Deviation::new(SIXTEEN, HALF_RHO).ok_or(ReleaseFault::BadNoise)?;
    fits(noise, Spread::Gaussian(deviation), draws, &expected_gaussian_milli(draws))
}

/// The Laplace part with an even number of draws.
pub(crate) fn fits_laplace(noise: &mut dyn Noise, draws: usize) -> Result<(), ReleaseFault> {
    let scale = Scale::new(NonZeroU32::MIN, HALF);
    fits(noise, Spread::Laplace(scale), draws, &expected_milli(scale, draws))
}

fn fits(
    noise: &mut dyn Noise,
    spread: Spread,
    draws: usize,
    expected: &[u64; BINS],
) -> Result<(), ReleaseFault> {
    let (first, second) = (spread.draw(noise, draws / 2)?, spread.draw(noise, draws / 2)?);
    let counted = first.len() == draws / 2 && second.len() == draws / 2;
    let seen = tally(first.iter().chain(&second));
    let fits = chi_square_milli(&seen, expected) <= CHI_SQUARE_MAX * MILLI;
    if counted && first != second && fits { Ok(()) } else { Err(ReleaseFault::BadNoise) }
}

fn tally<'a>(draws: impl Iterator<Item = &'a i64>) -> [u64; BINS] {
    let mut seen = [0_u64; BINS];
    for draw in draws {
        let bin = usize::try_from((*draw).clamp(-EDGE, EDGE) + EDGE).unwrap_or_default();
        if let Some(count) = seen.get_mut(bin) {
            *count += 1;
        }
    }
    seen
}

/// The expected count of each bin in thousandths: (1−q)/(1+q)·q^|x| inside, q^8/(1+q) in each tail.
fn expected_milli(scale: Scale, draws: usize) -> [u64; BINS] {
    let decay = Decay::of(scale);
    let q = &decay.least;
    let draws = UBig::from(draws) * UBig::from(MILLI);
    let mut expected = [0_u64; BINS];
    for (bin, x) in expected.iter_mut().zip(-EDGE..=EDGE) {
        let tail = x.abs() == EDGE;
        let mass = if tail { one() } else { one() - q };
        let count = &draws * mass * decay.power(x.unsigned_abs()) / (one() + q) / one();
        *bin = u64::try_from(&count).unwrap_or(u64::MAX);
    }
    expected
}

/// The expected count of each bin in thousandths at σ = 4, the tails from two σ on: e^(−x²/32) over its sum inside, and in each tail half of what is left. With q = e^(−1/32) the weights are
/// q^(x²); beyond 60 they add up to less than 10⁻⁴⁸.
fn expected_gaussian_milli(draws: usize) -> [u64; BINS] {
    let decay = Decay::of(Scale::new(THIRTY_TWO, ONE));
    let weight = |x: i64| decay.power(x.unsigned_abs().saturating_mul(x.unsigned_abs()));
    let all = (-60..=60).map(weight).fold(UBig::ZERO, |sum, w| sum + w);
    let inside = (1 - EDGE..EDGE).map(weight).fold(UBig::ZERO, |sum, w| sum + w);
    let tail = (&all - inside) / UBig::from(2_u8);
    let draws = UBig::from(draws) * UBig::from(MILLI);
    let mut expected = [0_u64; BINS];
    for (bin, x) in expected.iter_mut().zip(-EDGE..=EDGE) {
        let mass = if x.abs() == EDGE { tail.clone() } else { weight(x) };
        *bin = u64::try_from(&(&draws * mass / &all)).unwrap_or(u64::MAX);
    }
    expected
}

/// Σ (seen − expected)² ÷ expected, in thousandths.
fn chi_square_milli(seen: &[u64; BINS], expected_milli: &[u64; BINS]) -> u64 {
    let part = |(&seen, &expected): (&u64, &u64)| {
        let apart = u128::from((seen * MILLI).abs_diff(expected));
        u64::try_from(apart * apart / u128::from(expected.max(1))).unwrap_or(u64::MAX)
    };
    seen.iter().zip(expected_milli).map(part).fold(0, u64::saturating_add)
}

/// ε = 0.5 on sensitivity 1: scale 2.
const HALF: Epsilon = match Epsilon::from_millionths(500_000) {
    Ok(half) => half,
    Err(_) => Epsilon::MAX,
};

/// ε = 1 on sensitivity 32: e^(−1/32) is the decay.
const ONE: Epsilon = match Epsilon::from_millionths(1_000_000) {
    Ok(one) => one,
    Err(_) => Epsilon::MAX,
};
const THIRTY_TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(31);
/// Δ₂² = 16 at ρ = ½: σ = 4.
pub(crate) const SIXTEEN: NonZeroU64 = NonZeroU64::MIN.saturating_add(15);
pub(crate) const HALF_RHO: NanoRho = NanoRho::new(500_000_000);

/// Draws in one test: the thinnest bin expects 148.
const DRAWS: usize = 20_000;

/// Draws of this size or more share a bin.
const EDGE: i64 = 8;
const BINS: usize = 17;
const MILLI: u64 = 1_000;

/// Largest chi-square that passes. At 16 degrees of freedom a good source exceeds it once in 10²³ starts by the chi-square law; the fourteen
/// orders of magnitude down to 10⁻⁹ are left for the law being an approximation at 20,000 draws.
const CHI_SQUARE_MAX: u64 = 150;

#[cfg(test)]
mod tests;
