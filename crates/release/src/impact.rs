//! What a treatment does to a table, in numbers of cells: for the partner's own board, which decides about the treatment.
//!
//! Nothing is released. The rule that withholds is the release's own, so that the paper cannot say otherwise than the tables will.

use cairn_question::Cell;

use crate::audited::{Salting, protect};
use crate::noise::Spread;
use crate::plan::RawTable;
use crate::released::{check_shape, perturbed, suppressed};
use crate::terms::{Means, ReleaseFault, Terms};

/// The cells of one table. No count of people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CellShares {
    /// All of them.
    pub cells: u64,
    /// Those that somebody is in.
    pub with_somebody: u64,
    /// Those that would be withheld.
    pub withheld: u64,
    /// For noise: how far a cell with somebody is typically off, in thousandths of its count: the median noise in the median such
    /// cell. `None` without noise, and where nobody is in any cell.
    pub error_per_mille: Option<u64>,
}

/// What the terms do to these counts.
///
/// # Errors
/// [`ReleaseFault::OtherQuestion`], [`ReleaseFault::NotTheGrid`].
pub fn cell_shares(raw: &RawTable, terms: &Terms) -> Result<CellShares, ReleaseFault> {
    if raw.question_id != terms.plan().question_id {
        return Err(ReleaseFault::OtherQuestion);
    }
    check_shape(raw, terms.plan())?;
    let counts = match &terms.means {
        // Counted by atoms; what leaves are cells and totals.
        Means::Audit(auditing) => auditing.joint.people(raw.people()),
        Means::Suppress(_) | Means::Perturb(..) | Means::Noise(_) | Means::Once(_) => raw.counts().to_vec(),
    };
    let (cells_withheld, error_per_mille) = match &terms.means {
        Means::Audit(auditing) => {
            let rule = (auditing.rule, auditing.min_cohort);
            // No file is made of it, so that its salt does not matter.
            let salting = Salting { key: &terms.plan().bounds.cap_key, question: &[] };
            let table = protect(&auditing.joint, raw.people(), rule, salting);
            (withheld(&table.cells), None)
        }
        Means::Suppress(rule) => (withheld(&suppressed(raw, rule)?), None),
        Means::Perturb(table, rule) => (withheld(&perturbed(raw, table, rule)?), None),
        // How far off it is follows from the partners of the total.
        Means::Once(_) => (0, None),
        Means::Noise(noisy) => (0, noisy.first().and_then(|first| typical_error(&counts, first.spread))),
    };
    let with_somebody = number(counts.iter().filter(|n| **n > 0).count());
    Ok(CellShares { cells: number(counts.len()), with_somebody, withheld: cells_withheld, error_per_mille })
}

fn withheld(cells: &[Cell]) -> u64 {
    number(cells.iter().filter(|c| **c == Cell::Withheld).count())
}

/// Half of all draws lie within scale · ln 2 of zero, of Gaussian ones within 0.6745 · σ; for a discrete draw that is right to the next whole number.
fn typical_error(counts: &[u64], spread: Spread) -> Option<u64> {
    let mut inhabited: Vec<u64> = counts.iter().copied().filter(|n| *n > 0).collect();
    inhabited.sort_unstable();
    // Of two in the middle the smaller, which is further off.
    let median = *inhabited.get(inhabited.len().checked_sub(1)? / 2)?;
    let (above, below, half) = match spread {
        Spread::Laplace(scale) => {
            let (above, below) = scale.ratio();
            (u128::from(above), u128::from(below), LN_2_MILLIONTHS)
        }
        Spread::Gaussian(deviation) => {
            let (above, below) = deviation.ratio();
            (above, u128::from(below), HALF_GAUSSIAN_MILLIONTHS)
        }
    };
    let off = above.saturating_mul(half * 1_000);
    let of = below.saturating_mul(MILLION).saturating_mul(u128::from(median));
    Some(u64::try_from(off.checked_div(of)?).unwrap_or(u64::MAX))
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

const MILLION: u128 = 1_000_000;
const LN_2_MILLIONTHS: u128 = 693_147;
/// Half of the normal law lies within this many standard deviations.
const HALF_GAUSSIAN_MILLIONTHS: u128 = 674_490;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Scale;
    use cairn_question::privacy::Epsilon;
    use std::num::NonZeroU32;

    #[test]
    fn the_typical_error_is_the_median_noise_in_the_median_cell() {
        let check = |counts: &[u64], millionths, expected| {
            let epsilon = Epsilon::from_millionths(millionths).unwrap();
            let scale = Scale::new(NonZeroU32::new(1).unwrap(), epsilon);
            assert_eq!(typical_error(counts, Spread::Laplace(scale)), expected, "{counts:?}");
        };
        // ε = 0.2: the scale is 5 and the median noise 3.47.
        check(&[100], 200_000, Some(34));
        check(&[0, 10, 0, 100, 1_000], 200_000, Some(34));
        check(&[10, 100], 200_000, Some(346));
        check(&[100], 1_000_000, Some(6));
        check(&[0, 0], 200_000, None);
        check(&[], 200_000, None);
        check(&[u64::MAX], 1, Some(0));
    }
}
