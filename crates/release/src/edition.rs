//! Two editions of one day: the second holds late rows, and the difference of two tables would show the few people in them.
//!
//! Before a table without noise is made, its counts are held against those from which the same table was made on every other edition
//! of that day. A cell whose difference is neither 0 nor at least the threshold keeps the counts of the edition before; so a small change and
//! no change give the same table, whatever the treatment does afterwards. Where record keys are added up, people who were exchanged for as many
//! others are a small change too. The counts are kept beside the table in the partner's
//! own ledger and leave with nothing.

use cairn_question::{Dimension, Grid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

use crate::plan::{CountPlan, RawTable};

/// The counts that a table was made from, in an order that does not depend on how the question was written.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    cairn_basis: u8,
    dimensions: Vec<Dimension>,
    people: Vec<u64>,
    rows: Option<Vec<u64>>,
    /// The sums of the people's record keys, where keys are added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<u64>>,
    /// By the column that each filter narrows.
    left_out: BTreeMap<String, u64>,
}

/// Kept counts that are not those of the question's grid: the table must not leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the counts that an earlier edition was made from cannot be read")]
pub struct NotTheBasis;

impl Basis {
    /// Reads what [`Basis::to_json`] wrote.
    ///
    /// # Errors
    /// [`NotTheBasis`].
    pub fn read(json: &[u8]) -> Result<Self, NotTheBasis> {
        let basis: Self = serde_json::from_slice(json).map_err(|_| NotTheBasis)?;
        if basis.cairn_basis == 1 { Ok(basis) } else { Err(NotTheBasis) }
    }

    /// The bytes for the partner's own ledger.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Numbers and names only: serde_json cannot fail on them.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The counts of a plan's table.
    ///
    /// # Errors
    /// [`NotTheBasis`] where the counts are not the plan's grid.
    pub fn of(raw: &RawTable, plan: &CountPlan) -> Result<Self, NotTheBasis> {
        let mut dimensions = plan.grid.dimensions().to_vec();
        dimensions.sort_by(|a, b| a.column.cmp(&b.column));
        let sorted = Grid::new(dimensions).map_err(|_| NotTheBasis)?;
        let places = places(&sorted, &plan.grid)?;
        let numbers = Numbers::of(raw);
        Ok(Self {
            cairn_basis: 1,
            dimensions: sorted.dimensions().to_vec(),
            people: turned(&numbers.people, &places)?,
            rows: numbers.rows.as_ref().map(|rows| turned(rows, &places)).transpose()?,
            keys: numbers.keys.as_ref().map(|keys| turned(keys, &places)).transpose()?,
            left_out: filters(plan).zip(numbers.left_out).collect(),
        })
    }
}

/// Holds the counts against those of earlier editions, oldest first: each cell is either the new count, or what the newest of them had.
///
/// `least` is the threshold: a difference of 1 to `least` − 1 people, or rows, is a few.
///
/// # Errors
/// [`NotTheBasis`] where an earlier basis is of another grid.
pub fn held_against(
    raw: RawTable,
    earlier: &[Basis],
    plan: &CountPlan,
    least: u32,
) -> Result<RawTable, NotTheBasis> {
    if earlier.is_empty() {
        return Ok(raw);
    }
    let before = earlier.iter().map(|basis| basis.on(&raw, plan)).collect::<Result<Vec<_>, _>>()?;
    let new = Numbers::of(&raw);
    let people = |at: usize| picked(&new, &before, |table| table.cell(at), least);
    let cells = (0..new.people.len()).map(people).collect::<Result<Vec<_>, _>>()?;
    let left_out = |table: &Numbers, at: usize| {
        Some(InCell { people: table.left_out.get(at).copied()?, ..InCell::default() })
    };
    let cohort = |at: usize| picked(&new, &before, |table| left_out(table, at), least);
    let cohorts = (0..new.left_out.len()).map(cohort).collect::<Result<Vec<_>, _>>()?;
    let held = Numbers {
        people: cells.iter().map(|cell| cell.people).collect(),
        rows: new.rows.as_ref().map(|_| cells.iter().map(|cell| cell.rows).collect()),
        keys: new.keys.as_ref().map(|_| cells.iter().map(|cell| cell.keys).collect()),
        left_out: cohorts.iter().map(|cohort| cohort.people).collect(),
    };
    Ok(held.table(&raw))
}

/// What is counted in one place of a table: the new counts where nobody can tell from any edition before that a few changed, else those of
/// the newest of them.
fn picked(
    new: &Numbers,
    before: &[Numbers],
    of: impl Fn(&Numbers) -> Option<InCell>,
    least: u32,
) -> Result<InCell, NotTheBasis> {
    let olds = before.iter().map(&of).collect::<Option<Vec<_>>>();
    let (new, olds) = of(new).zip(olds).ok_or(NotTheBasis)?;
    let shown = olds.iter().all(|old| clear(*old, new, least));
    Ok(if shown { new } else { olds.last().copied().unwrap_or(new) })
}

/// A table's numbers.
struct Numbers {
    people: Vec<u64>,
    rows: Option<Vec<u64>>,
    keys: Option<Vec<u64>>,
    left_out: Vec<u64>,
}

/// One place of it; 0 where rows or keys are not counted.
#[derive(Clone, Copy, Default)]
struct InCell {
    people: u64,
    rows: u64,
    keys: u64,
}

impl Numbers {
    fn of(raw: &RawTable) -> Self {
        Self {
            people: raw.people().to_vec(),
            rows: raw.rows().map(<[u64]>::to_vec),
            keys: raw.keys().map(<[u64]>::to_vec),
            left_out: raw.counted.left_out().to_vec(),
        }
    }

    fn cell(&self, at: usize) -> Option<InCell> {
        let of = |numbers: &Option<Vec<u64>>| numbers.as_ref().map_or(Some(0), |n| n.get(at).copied());
        Some(InCell { people: self.people.get(at).copied()?, rows: of(&self.rows)?, keys: of(&self.keys)? })
    }

    fn table(self, of: &RawTable) -> RawTable {
        let table = RawTable::new(of.question_id, self.people, self.rows, self.left_out);
        self.keys.into_iter().fold(table, RawTable::with_keys)
    }
}

/// Whether a change may be seen: nobody and no row, or at least so many people with at least so many rows. The same number of people with
/// other keys are other people: perhaps a few.
fn clear(old: InCell, new: InCell, least: u32) -> bool {
    let (people, rows) = (old.people.abs_diff(new.people), old.rows.abs_diff(new.rows));
    let least = u64::from(least);
    (people == 0 && rows == 0 && old.keys == new.keys) || (people >= least && (rows == 0 || rows >= least))
}

impl Basis {
    /// The basis as numbers of the plan, in the shape of `raw`.
    fn on(&self, raw: &RawTable, plan: &CountPlan) -> Result<Numbers, NotTheBasis> {
        let own = Grid::new(self.dimensions.clone()).map_err(|_| NotTheBasis)?;
        let places = places(&plan.grid, &own)?;
        let new = Numbers::of(raw);
        let same = self.rows.is_some() == new.rows.is_some() && self.keys.is_some() == new.keys.is_some();
        if self.people.len() != own.cells() || !same {
            return Err(NotTheBasis);
        }
        // A filter under whose rule nobody was counted then has nothing to be held against: the new count stands.
        let left_out = filters(plan).zip(new.left_out);
        let left_out = left_out.map(|(column, new)| self.left_out.get(&column).copied().unwrap_or(new));
        Ok(Numbers {
            people: turned(&self.people, &places)?,
            rows: self.rows.as_ref().map(|rows| turned(rows, &places)).transpose()?,
            keys: self.keys.as_ref().map(|keys| turned(keys, &places)).transpose()?,
            left_out: left_out.collect(),
        })
    }
}

fn filters(plan: &CountPlan) -> impl Iterator<Item = String> {
    plan.filters.iter().map(|f| format!("{}.{}", f.column.table, f.column.column))
}

/// For each cell of `to`, its place in `from`: the same axes, perhaps in another order.
fn places(to: &Grid, from: &Grid) -> Result<Vec<usize>, NotTheBasis> {
    let same = |a: &Dimension, b: &Dimension| a.column == b.column && a.codes == b.codes;
    let axes: Option<Vec<usize>> =
        from.dimensions().iter().map(|d| to.dimensions().iter().position(|other| same(d, other))).collect();
    let axes = axes.filter(|axes| axes.len() == to.dimensions().len()).ok_or(NotTheBasis)?;
    let place = |at: usize| {
        let codes = to.codes_of(at);
        let codes: Option<Vec<&str>> = axes.iter().map(|axis| codes.get(*axis).copied()).collect();
        from.cell_of(&codes?)
    };
    (0..to.cells()).map(|at| place(at).ok_or(NotTheBasis)).collect()
}

fn turned(counts: &[u64], places: &[usize]) -> Result<Vec<u64>, NotTheBasis> {
    places.iter().map(|place| counts.get(*place).copied().ok_or(NotTheBasis)).collect()
}

impl fmt::Debug for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Basis({} cells withheld)", self.people.len())
    }
}

#[cfg(test)]
mod tests;
