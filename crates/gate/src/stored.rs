//! The table that an equal question gets again.

use cairn_ledger::{Entry, EntryKind, Ledger, SnapshotKey, StoredAnswer};
use cairn_policy::Caps;
use cairn_question::answer::{AnswerV1, PrivacyStatement, SnapshotStatement, TreatmentV1};
use cairn_question::privacy::NanoRho;
use cairn_question::{Cell, Dimension, Grid, Moment, OutcomeV1, TableV1};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::gate::Gate;
use crate::release::UNIT;

/// A released table as the ledger keeps it: with its axes sorted, since equal questions may name them in another order. Holds nothing of
/// the time or of who asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredTable {
    cairn_stored_table: u8,
    table: TableV1,
    treatment: TreatmentV1,
}

/// The table in the ledger's form, axes sorted, as it left; `None` where it cannot be read.
#[must_use]
pub fn stored_table(json: &[u8]) -> Option<TableV1> {
    StoredTable::read(json).map(|stored| stored.table)
}

impl StoredTable {
    pub(crate) fn of(table: &TableV1, treatment: &TreatmentV1) -> Self {
        let mut dimensions = table.dimensions.clone();
        dimensions.sort_by(|a, b| a.column.cmp(&b.column));
        // The table came from a grid, and its axes in another order are a grid of the same size.
        let sorted = Grid::new(dimensions).ok().and_then(|grid| turned(table, &grid));
        let table = sorted.unwrap_or_else(|| table.clone());
        Self { cairn_stored_table: 1, table, treatment: treatment.clone() }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        // Numbers, marks and names only: serde_json cannot fail on them.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn read(json: &[u8]) -> Option<Self> {
        let stored: Self = serde_json::from_slice(json).ok()?;
        (stored.cairn_stored_table == 1).then_some(stored)
    }
}

/// The table with its axes in the order of `grid`. `None` where the two do not have the same axes.
fn turned(table: &TableV1, grid: &Grid) -> Option<TableV1> {
    let own = Grid::new(table.dimensions.clone()).ok()?;
    let same = own.dimensions().len() == grid.dimensions().len() && own.cells() == table.cells.len();
    let places: Option<Vec<usize>> = own
        .dimensions()
        .iter()
        .map(|d| grid.dimensions().iter().position(|other| same_axis(d, other)))
        .collect();
    let places = places.filter(|_| same)?;
    let totals = if table.totals.is_empty() { Some(Vec::new()) } else { totals(table, &own, grid) };
    let cell = |at: usize| -> Option<Cell> {
        let codes = grid.codes_of(at);
        let own_codes: Option<Vec<&str>> = places.iter().map(|p| codes.get(*p).copied()).collect();
        table.cells.get(own.cell_of(&own_codes?)?).copied()
    };
    let cells: Option<Vec<Cell>> = (0..grid.cells()).map(cell).collect();
    Some(TableV1 { dimensions: grid.dimensions().to_vec(), cells: cells?, totals: totals? })
}

/// The totals in the order of `grid`.
fn totals(table: &TableV1, own: &Grid, grid: &Grid) -> Option<Vec<Cell>> {
    let places = grid.places_in(own)?;
    let totals = places.iter().skip(grid.cells());
    totals.map(|at| table.totals.get(at.checked_sub(own.cells())?).copied()).collect()
}

/// Whether two axes have the same cells. Two grains with the same codes for the same rows are one: equal questions have equal ones.
fn same_axis(one: &Dimension, other: &Dimension) -> bool {
    one.column == other.column && one.codes == other.codes
}

impl Gate {
    /// Wraps a stored table for the question that is asked now: the same cells and treatment, charged 0.
    #[expect(
        clippy::too_many_arguments,
        reason = "a reply needs the question, its table, its snapshot, its account and the ledger"
    )]
    pub(crate) fn repeat(
        &self,
        context: &Context,
        stored: StoredAnswer,
        grid: &Grid,
        snapshot: SnapshotStatement,
        caps: Caps,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Vec<u8> {
        let read = StoredTable::read(stored.table_json());
        let Some((table, treatment)) = read.and_then(|s| Some((turned(&s.table, grid)?, s.treatment))) else {
            return self.fault(context, "CN004", ledger, now);
        };
        let entry = Entry {
            treatment: Some(treatment.clone()),
            snapshot: Some(SnapshotKey { as_of: snapshot.as_of, edition: snapshot.edition }),
            cells: u32::try_from(table.cells.len()).ok(),
            cost: Some(NanoRho::ZERO),
            ..context.entry(EntryKind::QuestionRepeated)
        };
        let privacy = PrivacyStatement {
            unit: UNIT.to_owned(),
            charged: NanoRho::ZERO,
            year_so_far: stored.year_so_far(),
            year_cap: caps.per_year,
        };
        let answer = AnswerV1 { table, treatment, snapshot, privacy };
        let reply = self.sign(context.asked(), &context.policy, OutcomeV1::Answer(Box::new(answer)), now);
        match ledger.repeat(stored, &reply, &entry, now) {
            Ok(()) => reply,
            Err(fault) => self.broken(context.asked(), &context.policy, &fault, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(column: &str, codes: &[&str]) -> Dimension {
        let codes = codes.iter().map(|c| (*c).to_owned()).collect();
        Dimension { column: column.into(), grain: "code".into(), codes }
    }

    #[test]
    fn a_table_turns_with_its_axes() {
        let (a, b) = (axis("a", &["x", "y"]), axis("b", &["1", "2", "3"]));
        let cells: Vec<Cell> = (0..6).map(Cell::Value).collect();
        let totals: Vec<Cell> = (6..12).map(Cell::Value).collect();
        let table = TableV1 { dimensions: vec![b.clone(), a.clone()], cells, totals };
        let grid = Grid::new(vec![a.clone(), b.clone()]).unwrap();
        let there = turned(&table, &grid).unwrap();
        assert_eq!(there.cells, [0, 2, 4, 1, 3, 5].map(Cell::Value));
        // Over `b` first, then over `a`, now the other way about; the total over both is last.
        assert_eq!(there.totals, [9, 10, 6, 7, 8, 11].map(Cell::Value));
        let back = Grid::new(vec![b, a.clone()]).unwrap();
        assert_eq!(turned(&there, &back).unwrap(), table);
        assert_eq!(turned(&there, &Grid::new(vec![a]).unwrap()), None);
        assert_eq!(turned(&there, &Grid::new(vec![axis("a", &["x"]), axis("b", &["1"])]).unwrap()), None);
    }
}
