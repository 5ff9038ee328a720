//! The table of perturbations.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::cell_key::KEYS;

/// Most rows of a table, that is, the largest count with a row of its own. The ONS package's tables have 750.
pub const COUNT_MAX: usize = 2_000;

/// In a table with more than so many rows, the rows above it serve the larger counts in turn; otherwise its last row serves them
/// all.
///
/// The ONS package's form: with 750 rows, a count over 750 takes row ((n − 1) mod 250) + 501.
pub const CYCLE_FROM: usize = 500;

/// By how much a count changes, for each count (a row) and each cell key.
///
/// Holds for every row and key: the changed count is not negative. A count of 0 never changes. The table is no secret: a board may
/// publish it. Who knows it and a cell's key knows the count, so keys never leave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PerturbationTable {
    /// Row by row from count 1 on, [`KEYS`] changes a row.
    changes: Vec<i16>,
}

static D3: LazyLock<Option<PerturbationTable>> = LazyLock::new(|| {
    PerturbationTable::read(include_str!("../../tables/d3.csv")).ok().map(|reading| reading.table)
});

static D3_TOTAL: LazyLock<Option<PerturbationTable>> = LazyLock::new(|| {
    PerturbationTable::read(include_str!("../../tables/d3-total.csv")).ok().map(|reading| reading.table)
});

/// Why a table of perturbations must not change the counts that a secure total adds up.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotForTotals {
    /// A row's changes do not add up to 0: as many partners as there are would each be off to the same side.
    #[error("the changes of a count of {0} do not add up to 0")]
    Biased(usize),
    /// The count of one never comes out. Nobody sees a partner's counts in a total, so this hides nothing, and leaves its small counts fewer
    /// changes to have, which are easier to guess.
    #[error("a count of one never comes out")]
    HidesOne,
}

impl PerturbationTable {
    /// The table of that name which every partner has: `framework:d3` for its own tables, `framework:d3-total` for totals too. `None` for any
    /// other name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        match name {
            "framework:d3" => D3.as_ref(),
            "framework:d3-total" => D3_TOTAL.as_ref(),
            _ => None,
        }
    }

    /// Whether the counts that a secure total adds up may be changed by it.
    ///
    /// # Errors
    /// [`NotForTotals`].
    pub fn for_totals(&self) -> Result<(), NotForTotals> {
        for row in 1..=self.rows() {
            if self.sums(row as u64).is_none_or(|(sum, _)| sum != 0) {
                return Err(NotForTotals::Biased(row));
            }
        }
        let one = |row: u64| (0..KEYS).any(|key| row.checked_add_signed(self.at(row, key)) == Some(1));
        if (1..=self.rows() as u64).any(one) { Ok(()) } else { Err(NotForTotals::HidesOne) }
    }

    fn at(&self, row: u64, key: usize) -> i64 {
        self.change(row, key).unwrap_or_default().into()
    }

    /// Takes rows that were checked: each has [`KEYS`] changes, and none makes its count negative.
    pub(super) const fn from_checked(changes: Vec<i16>) -> Self {
        Self { changes }
    }

    /// The largest count with a row of its own, 1 to [`COUNT_MAX`].
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.changes.len() / KEYS
    }

    /// The row (`pcv`) for a count: the count itself where it has one, 0 for nobody, and one of the last rows for larger counts
    /// ([`CYCLE_FROM`]).
    #[must_use]
    pub fn row_of(&self, people: u64) -> u64 {
        let rows = self.rows() as u64;
        if people <= rows {
            return people;
        }
        let in_turn = rows.saturating_sub(CYCLE_FROM as u64).max(1);
        let before = rows.saturating_sub(in_turn);
        before + 1 + (people - 1 - before) % in_turn
    }

    /// The most that it changes a count by, up or down.
    #[must_use]
    pub fn max_change(&self) -> u16 {
        self.changes.iter().map(|change| change.unsigned_abs()).max().unwrap_or(0)
    }

    /// The change that a row and a cell key have: what the table's file says. 0 in row 0, and `None` for a row or key that it has
    /// not.
    #[must_use]
    pub fn change(&self, row: u64, key: usize) -> Option<i16> {
        if key >= KEYS {
            return None;
        }
        let Some(above) = usize::try_from(row).ok()?.checked_sub(1) else { return Some(0) };
        self.changes.get(above.checked_mul(KEYS)?..)?.get(key).copied()
    }

    /// A count as it is perturbed under a cell key.
    pub(super) fn perturbed(&self, people: u64, key: u8) -> u64 {
        let change = self.change(self.row_of(people), usize::from(key)).unwrap_or_default();
        people.saturating_add_signed(i64::from(change))
    }

    /// The sum of a row's changes over all keys, and the sum of their squares: mean and variance are a 256th of them (less the
    /// mean's square). `None` for a row that it has not.
    #[must_use]
    pub fn sums(&self, row: u64) -> Option<(i64, i64)> {
        let start = usize::try_from(row).ok()?.checked_sub(1)?.checked_mul(KEYS)?;
        let row = self.changes.get(start..start.checked_add(KEYS)?)?;
        let sum = row.iter().map(|c| i64::from(*c)).sum();
        Some((sum, row.iter().map(|c| i64::from(*c) * i64::from(*c)).sum()))
    }

    /// The table as CSV, `pcv,ckey,pvalue`, with rows for counts 1 to `rows` (larger counts as [`Self::row_of`] has them). With
    /// 750 rows it is what the ONS package reads.
    #[must_use]
    pub fn to_csv(&self, rows: usize) -> String {
        let mut csv = String::from("pcv,ckey,pvalue\n");
        for row in 1..=rows.min(COUNT_MAX) as u64 {
            for key in 0..KEYS {
                let change = self.change(self.row_of(row), key).unwrap_or_default();
                // Writing to a String cannot fail.
                let _ = writeln!(csv, "{row},{key},{change}");
            }
        }
        csv
    }
}

#[cfg(test)]
mod tests;
