//! A goodness-of-fit test of shares, run when a node starts.

use cairn_question::Scaling;

use crate::gaussian::Deviation;
use crate::noise::{Noise, NoiseFault, Scale};
use crate::self_test::{HALF_RHO, SIXTEEN, fits_gaussian, fits_laplace};
use crate::share::{GaussianShare, HonestPartners, LaplaceShare, Share, ShareFault, ShareNoise};
use crate::terms::ReleaseFault;

/// Adds up the shares of two partners 5,000 times at scale 2 and compares the sums with the discrete Laplace distribution, and as often at σ = 4 with the discrete Gaussian one, as
/// [`crate::self_test`] does with whole noise; with a quarter of its draws it catches a scale that is off by a fifth. How it is known that shares of h partners fit for every h: the samplers' exact distributions are tests.
///
/// # Errors
/// [`ShareFault::NoNoise`] or [`ShareFault::BadNoise`].
pub fn self_test_shares(noise: &mut dyn ShareNoise) -> Result<(), ShareFault> {
    let honest = HonestPartners::of(2, 0)?;
    let mut together = Together { honest, noise };
    let fits = fits_laplace(&mut together, SUMS).and_then(|()| fits_gaussian(&mut together, SUMS));
    fits.map_err(|fault| match fault {
        ReleaseFault::NoNoise => ShareFault::NoNoise,
        _ => ShareFault::BadNoise,
    })
}

/// The shares of all honest partners, added up: whole noise again.
struct Together<'a> {
    honest: HonestPartners,
    noise: &'a mut dyn ShareNoise,
}

impl Noise for Together<'_> {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let share = LaplaceShare::new(scale, self.honest).map_err(|_| NoiseFault)?;
        self.summed(&Share::Laplace(share), cells)
    }

    /// `deviation` is the one of the test: Δ₂² = 16 at ρ = ½. Two shares of it are 2.83 wide each, which needs no scaling.
    fn draw_gaussian(&mut self, _deviation: Deviation, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let share =
            GaussianShare::new(HALF_RHO, SIXTEEN, self.honest, Scaling::NONE).map_err(|_| NoiseFault)?;
        self.summed(&Share::Gaussian(share), cells)
    }
}

impl Together<'_> {
    fn summed(&mut self, share: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let mut sums = vec![0_i64; cells];
        for _ in 0..self.honest.count() {
            let drawn = self.noise.draw_share(share, cells)?;
            if drawn.len() != cells {
                return Err(NoiseFault);
            }
            sums.iter_mut().zip(drawn).for_each(|(sum, draw)| *sum = sum.saturating_add(draw));
        }
        Ok(sums)
    }
}

/// Sums in one test: the thinnest bin expects 37.
const SUMS: usize = 5_000;
