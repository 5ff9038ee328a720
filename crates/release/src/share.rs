//! Each partner's share of the noise on a secure total: a trusted centre's accuracy without a centre.
//!
//! Noise at every partner adds up to n times the noise that one centre would need. Here a partner draws only its part, and the parts of as
//! many partners as are sure to be honest make up the whole. What that protects against, and what not: `docs/reference/shared-noise.md`.

use cairn_question::Scaling;
use cairn_question::privacy::{Epsilon, NanoRho};
use std::num::NonZeroU16;

use crate::noise::{NoiseFault, Scale};

mod draws;
mod gaussian;
mod self_test;
mod width;

pub use draws::Shares;
pub use gaussian::GaussianShare;
pub use self_test::self_test_shares;

/// h = |U| − t: how many of a round's partners are sure to keep their share of the noise to themselves. At least 2.
///
/// |U| is fixed before noise is drawn, so h is exact. With one honest partner the total would be that partner's own figure.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct HonestPartners(NonZeroU16);

impl HonestPartners {
    /// The partners of the round less those that may collude, which the framework's terms name.
    ///
    /// # Errors
    /// [`ShareFault::TooFewHonest`] when fewer than two are left.
    pub fn of(in_round: u16, may_collude: u16) -> Result<Self, ShareFault> {
        let honest = in_round.checked_sub(may_collude).filter(|honest| *honest >= HONEST_MIN);
        honest.and_then(NonZeroU16::new).map(Self).ok_or(ShareFault::TooFewHonest)
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u16 {
        self.0.get()
    }
}

/// A share of discrete Laplace noise: P − P′, with P and P′ negative binomial NB(1/h, a), a = e^(−1/scale).
///
/// Geometric noise is infinitely divisible: the difference of h such pairs is exactly discrete Laplace at the scale (Goryczka and Xiong
/// 2017; Ghosh, Roughgarden and Sundararajan 2012 for the whole). More partners' shares on top only add noise.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LaplaceShare {
    scale: Scale,
    honest: HonestPartners,
}

impl LaplaceShare {
    /// One partner's share of noise at `scale`. The scale's sensitivity is what one person changes the *total* by: a person known to K
    /// partners counts K times.
    ///
    /// # Errors
    /// [`ShareFault::TooWide`] above a scale of [`SCALE_MAX`].
    pub fn new(scale: Scale, honest: HonestPartners) -> Result<Self, ShareFault> {
        let (over, under) = scale.ratio();
        if over > u64::from(under) * SCALE_MAX {
            return Err(ShareFault::TooWide);
        }
        Ok(Self { scale, honest })
    }

    /// The scale of the whole.
    #[must_use]
    pub const fn scale(self) -> Scale {
        self.scale
    }

    /// Among how many the noise is shared.
    #[must_use]
    pub const fn honest(self) -> HonestPartners {
        self.honest
    }
}

/// One partner's share of the noise on a secure total.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Share {
    /// For counts with a pure ε.
    Laplace(LaplaceShare),
    /// For tables under zCDP.
    Gaussian(GaussianShare),
}

impl Share {
    /// What the total costs on the ledger, rounded up: ρ = ε·tanh(ε/2) for a pure ε ([`Epsilon::rho`]), the ρ asked for and one nano more
    /// for a Gaussian ([`GaussianShare::cost`]).
    #[must_use]
    pub fn cost(&self) -> NanoRho {
        match self {
            Self::Laplace(share) => share.scale.epsilon().rho(),
            Self::Gaussian(share) => share.cost(),
        }
    }

    /// Its pure ε, where it has one.
    #[must_use]
    pub const fn epsilon(&self) -> Option<Epsilon> {
        match self {
            Self::Laplace(share) => Some(share.scale.epsilon()),
            Self::Gaussian(_) => None,
        }
    }

    /// What counts are multiplied by before the share is added, and the total is divided by again.
    #[must_use]
    pub const fn scaling(&self) -> Scaling {
        match self {
            Self::Laplace(_) => Scaling::NONE,
            Self::Gaussian(share) => share.scaling(),
        }
    }
}

/// A source of shares. [`Shares`] is the one that ships; tests script theirs.
pub trait ShareNoise {
    /// `cells` independent draws of one partner's share.
    ///
    /// # Errors
    /// [`NoiseFault`] when there is no randomness to be had. Never depends on a count, which it is not given.
    fn draw_share(&mut self, share: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault>;
}

/// Exact numbers, scaled, each with a fresh draw of the share: what a partner masks and sends.
///
/// # Errors
/// [`ShareFault::NoNoise`], also where the source gave fewer draws than there are cells; [`ShareFault::Overflow`] when a scaled number leaves 64 bits, which the clamp of
/// a round's manifest rules out.
pub fn with_share(exact: &[i64], share: &Share, noise: &mut dyn ShareNoise) -> Result<Vec<i64>, ShareFault> {
    let draws = noise.draw_share(share, exact.len()).map_err(|_| ShareFault::NoNoise)?;
    if draws.len() != exact.len() {
        return Err(ShareFault::NoNoise);
    }
    let scaling = share.scaling();
    let noisy = |(count, draw): (&i64, &i64)| {
        scaling.scaled(*count).and_then(|scaled| scaled.checked_add(*draw)).ok_or(ShareFault::Overflow)
    };
    exact.iter().zip(&draws).map(noisy).collect()
}

/// Why a share of noise cannot be drawn. Depends on the round and its terms, never on a count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareFault {
    /// Fewer than two partners are sure to be honest.
    #[error("fewer than two partners of the round are sure to be honest")]
    TooFewHonest,
    /// The scaled counts would be too coarse for a sum of discrete Gaussians to be one.
    #[error("counts are not scaled enough for shared Gaussian noise of this width")]
    ScalingTooSmall,
    /// ρ, the sensitivity or the scaling is outside what is accounted for.
    #[error("the loss, the sensitivity or the scaling is outside the range of shared noise")]
    OutOfRange,
    /// The scale is above [`SCALE_MAX`].
    #[error("the noise is too wide to be shared exactly")]
    TooWide,
    /// A scaled number left 64 bits.
    #[error("a scaled number is out of range")]
    Overflow,
    /// The noise source gave nothing, or not enough.
    #[error("the noise source gave nothing")]
    NoNoise,
    /// The shares do not add up to the noise that they must.
    #[error("the shares of noise failed their self-test")]
    BadNoise,
}

impl ShareFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooFewHonest => "CT021",
            Self::ScalingTooSmall => "CT022",
            Self::OutOfRange => "CT023",
            Self::TooWide => "CT024",
            Self::Overflow => "CT025",
            Self::NoNoise => "CT003",
            Self::BadNoise => "CT004",
        }
    }
}

/// Fewest honest partners.
const HONEST_MIN: u16 = 2;

/// Largest scale of shared Laplace noise: 4,096, a sensitivity of 2,048 at ε = 0.5. The exact sampler takes time in proportion to it; sums with wider
/// clamps take Gaussian shares, which do not.
pub const SCALE_MAX: u64 = 4_096;

#[cfg(test)]
mod tests;
