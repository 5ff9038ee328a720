//! The shares that ship: exact samplers over OpenDP's.

use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use opendp::error::Fallible;
use opendp::traits::samplers::{
    sample_discrete_gaussian, sample_discrete_laplace, sample_uniform_uint_below,
};

use crate::noise::{NoiseFault, Scale};
use crate::share::{HonestPartners, LaplaceShare, Share, ShareNoise};

/// Exact draws from OpenDP's discrete Laplace and discrete Gaussian samplers and its uniform whole numbers; no float, no table.
///
/// Randomness is OpenDP's, as for [`crate::DiscreteLaplace`]. [`crate::share::self_test_shares`] is run on it when a node starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shares;

impl ShareNoise for Shares {
    fn draw_share(&mut self, share: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        match share {
            Share::Laplace(share) => (0..cells).map(|_| laplace_share(share)).collect(),
            Share::Gaussian(share) => {
                let width = share.width();
                let draw = |_| sample_discrete_gaussian(width.clone()).map_err(|_| NoiseFault);
                (0..cells).map(draw).map(|drawn| i64::try_from(&drawn?).map_err(|_| NoiseFault)).collect()
            }
        }
    }
}

/// P − P′.
fn laplace_share(share: &LaplaceShare) -> Result<i64, NoiseFault> {
    let plus = negative_binomial(share.scale(), share.honest())?;
    let minus = negative_binomial(share.scale(), share.honest())?;
    let signed = |drawn: u64| i64::try_from(drawn).map_err(|_| NoiseFault);
    signed(plus)?.checked_sub(signed(minus)?).ok_or(NoiseFault)
}

/// NB(1/h, a), a = e^(−1/scale): one partner's part of a geometric draw, which is NB(1, a).
///
/// Given their sum g, the parts of h partners are Dirichlet-multinomial with all parameters 1/h, and so one part is what a Pólya urn gives in g steps
/// ([`urn`]). A g beyond 64 bits has a chance below e^(−2⁵²) at [`crate::share::SCALE_MAX`].
fn negative_binomial(scale: Scale, honest: HonestPartners) -> Result<u64, NoiseFault> {
    let whole = geometric(scale).map_err(|_| NoiseFault)?;
    let steps = u64::try_from(&whole).map_err(|_| NoiseFault)?;
    let coin = |over: u64, under: u64| {
        let drawn: u64 = sample_uniform_uint_below(under).map_err(|_| NoiseFault)?;
        Ok(drawn < over)
    };
    urn(steps, honest, coin)
}

/// P(g) = (1−a)·a^g: a discrete Laplace draw, drawn again until it is not negative.
fn geometric(scale: Scale) -> Fallible<IBig> {
    let (over, under) = scale.ratio();
    let scale = RBig::from_parts(IBig::from(over), UBig::from(under));
    loop {
        let drawn = sample_discrete_laplace(scale.clone())?;
        if drawn >= IBig::ZERO {
            return Ok(drawn);
        }
    }
}

/// A Pólya urn: after k draws of which s were ours, the next is ours with the chance (1/h + s)/(1 + k) = (1 + h·s)/(h·(k + 1)). How many of `steps`
/// were ours. `coin` comes up with the chance of its first number over its second.
pub(super) fn urn(
    steps: u64,
    honest: HonestPartners,
    mut coin: impl FnMut(u64, u64) -> Result<bool, NoiseFault>,
) -> Result<u64, NoiseFault> {
    let h = u64::from(honest.count());
    let mut ours = 0_u64;
    for step in 0..steps {
        let over = h.checked_mul(ours).and_then(|hs| hs.checked_add(1)).ok_or(NoiseFault)?;
        let under = step.checked_add(1).and_then(|k| h.checked_mul(k)).ok_or(NoiseFault)?;
        if coin(over, under)? {
            ours += 1;
        }
    }
    Ok(ours)
}
