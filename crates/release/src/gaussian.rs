//! Discrete Gaussian noise: how wide it must be for a zero-concentrated loss, in closed form and in whole numbers.

use cairn_question::privacy::NanoRho;
use dashu::base::SquareRoot as _;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use opendp::core::Measurement;
use opendp::error::Fallible;
use opendp::measurements::{MakeNoise as _, ZExpFamily};
use opendp::measures::ZeroConcentratedDivergence;
use opendp::metrics::L2Distance;
use std::num::NonZeroU64;

use crate::laplace::Vectors;

/// The standard deviation σ of discrete Gaussian noise, an exact ratio.
///
/// Noise of σ² ≥ Δ₂² ÷ 2ρ on every cell makes the whole table ρ-zCDP for one person who moves it by at most Δ₂ (Canonne, Kamath and Steinke
/// 2020, Theorem 14 with Δ₂ in place of Δ, in many dimensions).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Deviation {
    /// In units of 2^−[`PLACES`], rounded up.
    width: u128,
}

impl Deviation {
    /// σ = √(Δ₂² · 10⁹ ÷ (2 · nano-ρ)), rounded up to a multiple of 2^−[`PLACES`]: more noise than is claimed, never less.
    ///
    /// `l2_squared` is Δ₂² itself, since Δ₂ = √G is no whole number. `None` where ρ is 0: no noise is so wide.
    #[must_use]
    pub fn new(l2_squared: NonZeroU64, rho: NanoRho) -> Option<Self> {
        if rho == NanoRho::ZERO {
            return None;
        }
        let over = (UBig::from(l2_squared.get()) * UBig::from(BILLION)) << (2 * PLACES);
        let under = UBig::from(rho.nano()) * UBig::from(2_u8);
        Some(Self { width: u128::try_from(&root_up(&over, &under)).ok()? })
    }

    /// σ as numerator over denominator.
    #[must_use]
    pub const fn ratio(self) -> (u128, u64) {
        (self.width, 1 << PLACES)
    }

    /// A w such that at least 95 in 100 draws lie within −w to +w; the half-width that an answer states: 1.96·σ, rounded up.
    ///
    /// P(|X| > w) = 2·P(X ≥ w+1) ≤ 2·P(N ≥ w) for the continuous N of the same σ (Canonne, Kamath and Steinke 2020, Proposition 25), which at w ≥ 1.96·σ is
    /// below 0.05: the quantile is 1.95996…. So w is never understated, and at most one more than the least there is.
    #[must_use]
    pub fn plus_minus_95(self) -> u64 {
        self.times(196, 100)
    }

    /// σ · `over` ÷ `under`, rounded up.
    pub(crate) fn times(self, over: u32, under: u32) -> u64 {
        let under = UBig::from(under) << PLACES;
        let product = UBig::from(self.width) * UBig::from(over);
        u64::try_from(&((product + &under - UBig::ONE) / under)).unwrap_or(u64::MAX)
    }
}

/// √(`over` ÷ `under`), rounded up to a whole number.
pub(crate) fn root_up(over: &UBig, under: &UBig) -> UBig {
    let square = (over + under - UBig::ONE) / under;
    let floor = square.sqrt();
    if &floor * &floor == square { floor } else { floor + UBig::ONE }
}

/// OpenDP's Gaussian mechanism over whole-number vectors, at the exact ratio: the one that `make_gaussian` makes, without its detour
/// through a float.
pub(crate) fn mechanism(
    deviation: Deviation,
) -> Fallible<Measurement<Vectors, L2Distance<RBig>, ZeroConcentratedDivergence, Vec<IBig>>> {
    let (over, under) = deviation.ratio();
    let scale = RBig::from_parts(IBig::from(over), UBig::from(under));
    ZExpFamily::<2> { scale }.make_noise((Vectors::default(), L2Distance::default()))
}

/// Binary places of σ.
const PLACES: usize = 20;
const BILLION: u64 = 1_000_000_000;

#[cfg(test)]
mod tests;
