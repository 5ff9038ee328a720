//! Shares of discrete Gaussian noise.

use cairn_question::Scaling;
use cairn_question::privacy::NanoRho;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use std::num::NonZeroU64;

use crate::gaussian::root_up;
use crate::share::{HonestPartners, ShareFault};

/// A share of discrete Gaussian noise on scaled counts: variance (sσ)²/h, σ² = Δ₂²/(2ρ).
///
/// A sum of discrete Gaussians is not one, but comes so near that it costs nothing that can be seen, *if* each is wide beside its steps
/// (Kairouz, Liu and Steinke 2021, Proposition 14). Unscaled shares of a narrow total lose more than ten times the claim at a width of .21 each.
/// So a share is made only where s·σ/√h ≥ 2 ([`Scaling::is_enough`]).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GaussianShare {
    rho: NanoRho,
    scaling: Scaling,
    honest: HonestPartners,
    /// Standard deviation of one share, in units of [`WIDTH_BITS`] binary places, rounded up.
    width: UBig,
}

impl GaussianShare {
    /// One partner's share of noise that makes a table of loss `rho`, which one person changes by at most √`l2_squared` (L2, before scaling, at
    /// all partners together).
    ///
    /// # Errors
    /// [`ShareFault::ScalingTooSmall`] where s·σ/√h < 2; [`ShareFault::OutOfRange`] where ρ is 0 or above 10.
    pub fn new(
        rho: NanoRho,
        l2_squared: NonZeroU64,
        honest: HonestPartners,
        scaling: Scaling,
    ) -> Result<Self, ShareFault> {
        if rho == NanoRho::ZERO || rho > RHO_MAX {
            return Err(ShareFault::OutOfRange);
        }
        if !scaling.is_enough(rho, l2_squared, honest.count()) {
            return Err(ShareFault::ScalingTooSmall);
        }
        // (sσ)²/h = 4^power·Δ₂²·10⁹ / (2·nano·h). The square root is rounded up: more noise than is claimed, never less.
        let over = (UBig::from(l2_squared.get()) * UBig::from(BILLION)) << (2 * usize::from(scaling.power()));
        let under = UBig::from(2 * u32::from(honest.count())) * UBig::from(rho.nano());
        let width = root_up(&(over << (2 * WIDTH_BITS)), &under);
        Ok(Self { rho, scaling, honest, width })
    }

    /// The loss asked for and one nano more.
    ///
    /// Proposition 14 of Kairouz, Liu and Steinke 2021 gives ½(√(2ρ) + τ√d)² with Theorem 1's τ = 10·Σ_{k=1}^{h−1} e^(−2π²·w²·k/(k+1)), w the width of a share. At w ≥ 2 the first
    /// term is e^(−4π²) < 7.2·10⁻¹⁸ and the others together are less than a hundredth of it for every h below 2¹⁶, so τ < 7.3·10⁻¹⁷. With d ≤ 2²⁰ cells and ρ ≤ 10
    /// the excess is below 4·10⁻¹³, so a nano covers it two thousand times.
    #[must_use]
    pub const fn cost(&self) -> NanoRho {
        self.rho.plus(NanoRho::new(1))
    }

    /// What counts are multiplied by.
    #[must_use]
    pub const fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// Among how many the noise is shared.
    #[must_use]
    pub const fn honest(&self) -> HonestPartners {
        self.honest
    }

    /// The square of one share's standard deviation, in units of the square of [`GaussianShare::width_unit`].
    pub(super) fn width_squared(&self) -> UBig {
        &self.width * &self.width
    }

    /// What one is in units of a width.
    pub(super) fn width_unit(&self) -> UBig {
        UBig::ONE << WIDTH_BITS
    }

    /// The standard deviation of one share, an exact ratio.
    pub(super) fn width(&self) -> RBig {
        RBig::from_parts(IBig::from(self.width.clone()), self.width_unit())
    }
}

/// Largest ρ of one table. An account has far less.
const RHO_MAX: NanoRho = NanoRho::new(10_000_000_000);

const BILLION: u64 = 1_000_000_000;

/// Binary places of a width.
const WIDTH_BITS: usize = 20;
