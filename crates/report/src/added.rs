//! Partners' released tables of one question, added up cell by cell as [`Count`]s.

use cairn_question::answer::Zeros;
use cairn_question::combine::{CombinedV1, combine};
use cairn_question::{AnswerV1, Cell, Grid, TreatmentV1};

use crate::figure::Count;

/// The released cells of one question over some partners.
pub(crate) struct Added<'a> {
    answers: Vec<&'a AnswerV1>,
    certain: Option<CombinedV1>,
    noisy: Option<CombinedV1>,
    noise_squared: u128,
}

impl<'a> Added<'a> {
    pub(crate) fn over(grid: &Grid, answers: Vec<&'a AnswerV1>) -> Self {
        let (noisy, certain): (Vec<&AnswerV1>, Vec<&AnswerV1>) =
            answers.iter().partition(|a| half_width(a).is_some());
        Self {
            noise_squared: noisy.iter().filter_map(|a| half_width(a)).map(|w| w.saturating_mul(w)).sum(),
            certain: combine(grid, certain),
            noisy: combine(grid, noisy),
            answers,
        }
    }

    /// The cell at a place of the grid.
    pub(crate) fn cell(&self, at: usize) -> Count {
        let of = |sum: &Option<CombinedV1>| sum.as_ref().and_then(|s| s.cells.get(at).copied());
        Count::new(of(&self.certain), self.withheld_doubled(at), of(&self.noisy), self.noise_squared)
    }

    /// Twice the middle of how many people the withheld parts of a cell can be of, added up.
    fn withheld_doubled(&self, at: usize) -> i64 {
        let withheld = self.answers.iter().filter(|a| a.table.cells.get(at) == Some(&Cell::Withheld));
        let ends = withheld.map(|a| match a.treatment {
            TreatmentV1::SuppressRound { min_people, zeros, promise: None, .. } => {
                i64::from(zeros == Zeros::Show) + i64::from(min_people).max(1) - 1
            }
            // Most are small; one that is withheld for another's sake may be of more, which widens the range and not this middle.
            TreatmentV1::SuppressRound { min_people, .. } | TreatmentV1::SuppressAudit { min_people, .. } => {
                i64::from(min_people).max(1)
            }
            TreatmentV1::CellKey { min_people, zeros, max_change, .. } => {
                i64::from(zeros == Zeros::Show) + i64::from(min_people).max(1) - 1 + i64::from(max_change)
            }
            TreatmentV1::Dp { .. } | TreatmentV1::CountOnce { .. } => 0,
        });
        ends.sum()
    }
}

/// The 95 % half-width of an answer with noise.
fn half_width(answer: &AnswerV1) -> Option<u128> {
    match answer.treatment {
        TreatmentV1::Dp { plus_minus_95, .. } => Some(plus_minus_95.into()),
        TreatmentV1::SuppressRound { .. }
        | TreatmentV1::SuppressAudit { .. }
        | TreatmentV1::CellKey { .. }
        | TreatmentV1::CountOnce { .. } => None,
    }
}
