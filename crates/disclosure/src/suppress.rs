//! `suppress-round`: small counts withheld, the others rounded.

use cairn_question::answer::Zeros;
use cairn_question::{Cell, sabotage};
use std::fmt;

/// The figures of one `suppress-round` release.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    min_people: u32,
    round_to: u32,
    zeros: Zeros,
    min_cohort: u32,
}

/// The base is so large beside the threshold that a shown count would be rounded to 0: a 0 would no longer mean nobody.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("rounding to {round_to} would show {min_people} people as 0")]
pub struct RoundsToZero {
    /// The threshold.
    pub min_people: u32,
    /// The base.
    pub round_to: u32,
}

impl Rule {
    /// A rule without cohorts.
    ///
    /// * `min_people`: the k-threshold. Cells of 1 to k−1 people are withheld. 0 and 1 withhold nothing; policy refuses both.
    /// * `round_to`: the rounding base b. 0 and 1 round nothing.
    /// * `zeros`: whether a cell with nobody in it is shown as 0.
    ///
    /// # Errors
    /// [`RoundsToZero`].
    pub const fn new(min_people: u32, round_to: u32, zeros: Zeros) -> Result<Self, RoundsToZero> {
        if min_people > 0 && round_half_up(min_people as u64, round_to) == 0 {
            return Err(RoundsToZero { min_people, round_to });
        }
        Ok(Self { min_people, round_to, zeros, min_cohort: 0 })
    }

    /// The same rule where each filter leaves out nobody, or at least `people`; otherwise every cell is withheld. 0: no such rule.
    #[must_use]
    pub const fn with_min_cohort(self, people: u32) -> Self {
        Self { min_cohort: people, ..self }
    }
}

/// Raw counts of one table: for every cell of the grid the people in it, and for the measure rows their rows as well.
#[derive(Clone, Copy)]
pub struct Counts<'a> {
    people: &'a [u64],
    rows: Option<&'a [u64]>,
    left_out: &'a [u64],
}

/// The rows do not have one count for each cell of the people.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("people and rows are not counted over the same cells")]
pub struct Uneven;

impl<'a> Counts<'a> {
    /// Takes `people` and, for the measure rows, `rows` for the same cells; and, for each filter, the people whom it alone leaves
    /// out (empty where there is no filter, or no rule on cohorts).
    ///
    /// # Errors
    /// [`Uneven`].
    pub const fn new(
        people: &'a [u64],
        rows: Option<&'a [u64]>,
        left_out: &'a [u64],
    ) -> Result<Self, Uneven> {
        match rows {
            Some(rows) if rows.len() != people.len() => Err(Uneven),
            _ => Ok(Self { people, rows, left_out }),
        }
    }
}

/// Withholds and rounds; one cell for each count, in the same order.
///
/// * A filter that leaves out 1 to `min_cohort`−1 people: every cell gets the one mark. The table beside the same table without
///   that filter would show those few.
/// * Nobody in the cell: 0 (or withheld, as the rule says).
/// * 1 to k−1 people: withheld.
/// * Otherwise the count, rounded half up to base b.
///
/// For the measure rows the value is the row count, and the threshold stays on the people: five rows of one person are one
/// person. It is held on the rows too, since a person may be in the cell by a row that the bound on rows per person left out.
/// What is shown therefore has at least k rows of at least k people, so a rounded row count is never the sign of a smaller cell,
/// and the same cell asked as people and as rows gets the same mark.
#[must_use]
pub fn suppress_round(counts: &Counts<'_>, rule: &Rule) -> Vec<Cell> {
    if counts.left_out.iter().any(|&people| small(people, rule.min_cohort)) {
        return vec![Cell::Withheld; counts.people.len()];
    }
    let rows = counts.rows.unwrap_or(counts.people);
    counts.people.iter().zip(rows).map(|(&people, &rows)| cell(people, rows, rule)).collect()
}

fn cell(people: u64, value: u64, rule: &Rule) -> Cell {
    let shown_zero = people == 0 && value == 0 && rule.zeros == Zeros::Show;
    let least = sabotage!(rule.min_people, ThresholdOffByOne => rule.min_people.saturating_sub(1));
    let large = people > 0 && value > 0 && people.min(value) >= u64::from(least);
    match () {
        () if shown_zero => Cell::Value(0),
        () if large => Cell::Value(i64::try_from(round_half_up(value, rule.round_to)).unwrap_or(i64::MAX)),
        () => Cell::Withheld,
    }
}

/// Whether a group has somebody in it and fewer than `least`.
fn small(people: u64, least: u32) -> bool {
    (1..u64::from(least)).contains(&people)
}

/// The nearest multiple of `base`; a count halfway between two goes up. Base 0 and 1 change nothing.
///
/// "Half up" is part of the promise: a reader can only tell which counts a value stands for by knowing it.
#[must_use]
pub const fn round_half_up(count: u64, base: u32) -> u64 {
    if base <= 1 {
        return count;
    }
    let base = base as u64;
    let above = count % base;
    let down = count - above;
    // `above * 2 >= base` without overflow.
    if above >= base - above { down.saturating_add(base) } else { down }
}

impl fmt::Debug for Counts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counts({} cells withheld)", self.people.len())
    }
}

#[cfg(test)]
mod tests;
