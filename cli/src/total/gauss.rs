//! Shared Gaussian noise as it is asked for: its loss, and the counts scaled for as many partners as are invited.

use std::num::{NonZeroU32, NonZeroU64};

use cairn_question::privacy::GaussianLoss;
use cairn_question::{Measure, Scaling, TotalTreatment};
use cairn_seal::Refused;

/// What was written: `gauss=0.1`, `gauss=0.1,3`, `gauss=0.1,3,1e-7`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Gauss {
    loss: GaussianLoss,
    /// The most that one person adds at one partner, in all cells together.
    sensitivity: NonZeroU32,
}

impl Gauss {
    pub(super) fn read(figures: &[&str]) -> Option<Self> {
        let (epsilon, rest) = figures.split_first()?;
        let (sensitivity, delta) = match rest {
            [] => ("1", DELTA),
            [most] => (*most, DELTA),
            [most, delta] => (*most, *delta),
            _ => return None,
        };
        let loss = GaussianLoss::at(epsilon.parse().ok()?, trillionths(delta)?).ok()?;
        Some(Self { loss, sensitivity: sensitivity.parse().ok()? })
    }

    /// For a round in which at most so many are sure to be honest. A person is in each cell once, so that √Δ is as far as people move a table; all rows of
    /// a person may lie in one cell.
    pub(super) fn treatment(self, measure: &Measure, honest: u16) -> Result<TotalTreatment, Refused> {
        let Self { loss, sensitivity } = self;
        let most = NonZeroU64::from(sensitivity);
        let l2_squared = if *measure == Measure::People { most } else { most.saturating_mul(most) };
        let scaling = Scaling::least(loss.of_noise(), l2_squared, honest).map_err(|_| Refused::Scaling)?;
        let (sensitivity, l2_squared) = (sensitivity.get(), l2_squared.get());
        Ok(TotalTreatment::DpGaussian { loss, sensitivity, l2_squared, scaling })
    }
}

/// A δ between 0 and 1 in trillionths, to the nearest.
fn trillionths(text: &str) -> Option<u64> {
    let delta: f64 = text.parse().ok().filter(|delta| (0.0..1.0).contains(delta))?;
    format!("{:.0}", delta * 1e12).parse().ok()
}

/// What the shipped policies read ε at.
const DELTA: &str = "1e-6";

#[cfg(test)]
mod tests {
    use cairn_question::privacy::{Epsilon, NanoRho};

    use super::*;

    fn read(text: &str) -> Option<Gauss> {
        Gauss::read(&text.split(',').collect::<Vec<_>>())
    }

    #[test]
    fn its_loss_is_read_from_its_figures() {
        let check = |text: &str, rho: NanoRho, most: u32, delta: u64| {
            let gauss = read(text).unwrap();
            let Gauss { loss, sensitivity } = gauss;
            assert_eq!(
                (loss.rho(), sensitivity.get(), loss.delta_trillionths()),
                (rho, most, delta),
                "{text}"
            );
        };
        check("0.1", NanoRho::cap_for(0.1, 1e-6), 1, 1_000_000);
        check("0.1,3", NanoRho::cap_for(0.1, 1e-6), 3, 1_000_000);
        check("2,3,1e-7", NanoRho::cap_for(2.0, 1e-7), 3, 100_000);
        check("2,3,0.0000033", NanoRho::cap_for(2.0, 3.3e-6), 3, 3_300_000);
        for wrong in [
            "",
            "0",
            "11",
            "0.1,0",
            "0.1,x",
            "0.1,1,0",
            "0.1,1,1",
            "0.1,1,-1",
            "0.1,1,NaN",
            "0.1,1,1e-6,1",
            "0.000001",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn it_is_made_for_what_is_counted_and_scaled_for_who_is_invited() {
        let check = |text: &str, measure: Measure, honest: u16, l2: u64, factor: i64| {
            let made = read(text).unwrap().treatment(&measure, honest).unwrap();
            let TotalTreatment::DpGaussian { l2_squared, scaling, .. } = made else { panic!("{made:?}") };
            assert_eq!((l2_squared, scaling.factor()), (l2, factor), "{text}");
            assert!(made.is_scaled_for(honest));
        };
        check("0.1,3", Measure::People, 22, 3, 1);
        check("0.1,3", Measure::Rows, 22, 9, 1);
        // ε = 10 is ρ = 1.54, σ = .57: among 4 it takes 8, among 22 it takes 32.
        check("10", Measure::People, 4, 1, 8);
        check("10", Measure::People, 22, 1, 32);
        let loss = GaussianLoss::at(Epsilon::MAX, 1_000_000).unwrap();
        assert_eq!(read("10").unwrap().loss, loss);
    }
}
