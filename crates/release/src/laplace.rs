//! The noise that ships: OpenDP's discrete Laplace, and its discrete Gaussian ([`crate::gaussian`]).

use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use opendp::core::Measurement;
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::error::Fallible;
use opendp::measurements::{MakeNoise as _, ZExpFamily};
use opendp::measures::MaxDivergence;
use opendp::metrics::L1Distance;

use crate::gaussian::{self, Deviation};
use crate::noise::{Noise, NoiseFault, Scale};

/// OpenDP's exact samplers of the discrete Laplace and the discrete Gaussian distribution (Canonne, Kamath and Steinke 2020, section 5).
///
/// Built without OpenSSL, OpenDP draws from `rand` 0.7's thread generator: ChaCha seeded by the operating system, which nothing in
/// Cairn can seed. [`crate::self_test`] is run on it when a node starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiscreteLaplace;

pub(crate) type Vectors = VectorDomain<AtomDomain<IBig>>;

impl Noise for DiscreteLaplace {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        // A measurement is neither Send nor Sync, so it is built, used and dropped here. OpenDP's error text stays here too: it may
        // quote what it was given.
        let noisy = mechanism(scale).and_then(|m| m.invoke(&vec![IBig::ZERO; cells]));
        Ok(noisy.map_err(|_| NoiseFault)?.iter().map(saturate).collect())
    }

    fn draw_gaussian(&mut self, deviation: Deviation, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let noisy = gaussian::mechanism(deviation).and_then(|m| m.invoke(&vec![IBig::ZERO; cells]));
        Ok(noisy.map_err(|_| NoiseFault)?.iter().map(saturate).collect())
    }
}

/// OpenDP's Laplace mechanism over whole-number vectors, at the exact ratio.
///
/// The same mechanism as `make_laplace` over these vectors makes, without its detour through a float: an `f64` scale would have to be
/// rounded up to keep the claim, and a ratio needs no rounding.
pub(crate) fn mechanism(
    scale: Scale,
) -> Fallible<Measurement<Vectors, L1Distance<RBig>, MaxDivergence, Vec<IBig>>> {
    let (over, under) = scale.ratio();
    let scale = RBig::from_parts(IBig::from(over), UBig::from(under));
    ZExpFamily::<1> { scale }.make_noise((Vectors::default(), L1Distance::default()))
}

/// The nearest `i64`. A draw outside is one in e^(2⁶³/2⁵²) at the largest scale there is.
fn saturate(draw: &IBig) -> i64 {
    i64::try_from(draw).unwrap_or(if *draw < IBig::ZERO { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
