//! How far totals are off under noise at every partner, shared noise, and a trusted centre's: `cargo run --release -p cairn-release
//! --example shared_noise -- [TOTALS]`. The figures of `docs/reference/shared-noise.md`.

use std::env;
use std::num::NonZeroU32;

use cairn_question::privacy::Epsilon;
use cairn_release::{
    DiscreteLaplace, HonestPartners, LaplaceShare, Noise as _, Scale, Share, ShareNoise as _, Shares,
};

const PARTNERS: u16 = 32;
const MAY_COLLUDE: u16 = 10;

#[expect(clippy::print_stdout, reason = "an example prints its figures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let totals: usize = env::args().nth(1).map_or(Ok(20_000), |text| text.parse())?;
    println!("{PARTNERS} partners, {MAY_COLLUDE} may collude, {totals} totals; root mean square error");
    println!("  ε     own noise   shared   centre   shared/centre   own/shared");
    for millionths in [500_000, 1_000_000, 2_000_000] {
        let scale = Scale::new(NonZeroU32::MIN, Epsilon::from_millionths(millionths)?);
        let share = Share::Laplace(LaplaceShare::new(scale, HonestPartners::of(PARTNERS, MAY_COLLUDE)?)?);
        let own = error(PARTNERS, totals, || Ok(DiscreteLaplace.draw(scale, totals)?))?;
        let shared = error(PARTNERS, totals, || Ok(Shares.draw_share(&share, totals)?))?;
        let centre = error(1, totals, || Ok(DiscreteLaplace.draw(scale, totals)?))?;
        let (to_centre, to_own) = (shared / centre, own / shared);
        println!(
            "{:>4} {own:>12.3} {shared:>8.3} {centre:>8.3} {to_centre:>15.3} {to_own:>12.3}",
            scale.epsilon()
        );
    }
    Ok(())
}

/// The root mean square of sums over so many partners.
#[expect(clippy::cast_precision_loss, reason = "noise and totals are far below 2⁵³")]
fn error(
    partners: u16,
    totals: usize,
    mut draw: impl FnMut() -> Result<Vec<i64>, Box<dyn std::error::Error>>,
) -> Result<f64, Box<dyn std::error::Error>> {
    let mut sums = vec![0_i64; totals];
    for _ in 0..partners {
        sums.iter_mut().zip(draw()?).for_each(|(sum, drawn)| *sum = sum.saturating_add(drawn));
    }
    Ok((sums.iter().map(|sum| (*sum as f64).powi(2)).sum::<f64>() / totals as f64).sqrt())
}
