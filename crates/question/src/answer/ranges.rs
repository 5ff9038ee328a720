//! What a released cell stands for: from least to most that the count behind it can be.

use super::{Cell, Range, TreatmentV1, Zeros};
use crate::perturbations::changed;

impl TreatmentV1 {
    /// The range of the cell at this place of its table; `None` where it was not answered.
    pub(super) fn range(&self, at: usize, cell: Cell, whole_table_withheld: bool) -> Option<Range> {
        let range = |least: i64, most: i64| Some(Range { least, most: Some(most) });
        match (self, cell) {
            (_, Cell::NotAnswered) => None,
            (
                Self::SuppressRound { .. } | Self::SuppressAudit { .. } | Self::CellKey { .. },
                Cell::Withheld,
            ) if whole_table_withheld => Some(Range { least: 0, most: None }),
            // A cell that is withheld for another's sake may have any number of people.
            (Self::SuppressAudit { .. } | Self::SuppressRound { promise: Some(_), .. }, Cell::Withheld) => {
                Some(Range { least: 1, most: None })
            }
            (Self::SuppressAudit { .. }, Cell::Value(v)) => range(v, v),
            (Self::SuppressRound { min_people, zeros, rows_per_person, .. }, Cell::Withheld) => {
                let people = i64::from(*min_people).max(1) - 1;
                range(
                    i64::from(*zeros == Zeros::Show),
                    people.saturating_mul(i64::from(*rows_per_person).max(1)),
                )
            }
            (Self::SuppressRound { .. }, Cell::Value(0)) => range(0, 0),
            (Self::SuppressRound { min_people, round_to, .. }, Cell::Value(v)) => {
                let (least, most) = rounded(v, *round_to, *min_people);
                range(least, most)
            }
            (Self::CellKey { min_people, zeros, max_change, total, .. }, Cell::Withheld) => {
                let most = i64::from(*min_people).max(1) - 1;
                range(i64::from(*zeros == Zeros::Show), most + changed(*max_change, *total))
            }
            // A few may have become nobody; nobody never became a few.
            (Self::CellKey { max_change: most, total, .. }, Cell::Value(0)) => {
                range(0, changed(*most, *total))
            }
            (Self::CellKey { min_people, round_to, max_change, total, .. }, Cell::Value(v)) => {
                let (least, most) = rounded(v, *round_to, *min_people);
                let change = changed(*max_change, *total);
                range(least.saturating_sub(change).max(1), most.saturating_add(change))
            }
            (Self::Dp { .. }, Cell::Value(v)) => {
                let within = i64::try_from(self.plus_minus_95(at).unwrap_or_default()).unwrap_or(i64::MAX);
                range(v.saturating_sub(within), v.saturating_add(within))
            }
            // Of an estimate, how far off it is follows from itself and the terms: worked out where it is read.
            (Self::Dp { .. }, Cell::Withheld) | (Self::CountOnce { .. }, _) => {
                Some(Range { least: 0, most: None })
            }
        }
    }
}

/// The counts that a rounded count stands for. Half up: v stands for v − ⌊b/2⌋ to v + ⌈b/2⌉ − 1.
fn rounded(v: i64, round_to: u32, min_people: u32) -> (i64, i64) {
    let base = i64::from(round_to.max(1));
    let least = v.saturating_sub(base / 2).max(i64::from(min_people));
    (least, v.saturating_add((base + 1) / 2 - 1))
}
