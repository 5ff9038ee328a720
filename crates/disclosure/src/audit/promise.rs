//! Whether the release withstands somebody who can run the algorithm.
//!
//! Such a reader keeps only those tables for which the algorithm gives the very pattern that was released. A row 4, 4, 5 with total
//! 13 at t = 5 can then be read: of all pairs with sum 8, some would have hidden another cell.

use super::OtherTables;
use super::case::{Case, Demand, Level};
use super::effort::Effort;
use super::search::{Means, Move, Pool, Searcher};
use super::solve::{Solver, Towards};
use super::suppress::{Mend, Settled, judge, settle};
use super::table::people;
use super::view::View;

/// Most cells of a table for which this is tried (release.md, section 3, step 4).
pub(super) const CELLS_MAX: usize = 200;

/// Most tables that the algorithm is run on. Each run takes about as long as the release itself.
const RUNS: u32 = 64;

/// Tables from which small changes are tried.
const BASES: usize = 4;

/// Tables for which the algorithm gives the same pattern and that meet every demand; `None` where they were not found. `others` says of
/// a table that the threshold alone marks its cells: the algorithm is not run on any other.
pub(super) fn same_pattern(
    case: &Case<'_>,
    settled: &Settled,
    (solver, effort): (&dyn Solver, &Effort),
    others: OtherTables<'_>,
) -> Option<Vec<Vec<i64>>> {
    if case.layout.cells() > CELLS_MAX {
        return None;
    }
    let view = View::new(case.layout, case.ranges(&settled.marks));
    let same = Pool::of(case.layout, std::slice::from_ref(&case.truth));
    let searcher = Searcher { view: &view, solver, effort };
    let mut runs = Runs { case, settled, searcher, others, left: RUNS, same, seen: vec![] };
    let all = case.demands(&settled.marks).iter().all(|demand| runs.meet(demand));
    all.then(|| runs.same.tables())
}

/// Runs of the algorithm on other tables.
struct Runs<'a> {
    case: &'a Case<'a>,
    settled: &'a Settled,
    searcher: Searcher<'a>,
    others: OtherTables<'a>,
    left: u32,
    same: Pool<'a>,
    seen: Vec<Vec<i64>>,
}

impl Runs<'_> {
    fn meet(&mut self, demand: &Demand) -> bool {
        for table in &self.settled.tables {
            if self.is_met(demand) {
                return true;
            }
            self.widen(table, demand);
        }
        for towards in [Towards::More, Towards::Fewer] {
            for _ in 0..demand.width {
                if !self.is_met(demand) {
                    self.vary(demand, towards);
                }
            }
        }
        self.is_met(demand)
    }

    fn is_met(&self, demand: &Demand) -> bool {
        judge(demand, self.same.extremes(demand.cell, self.case.known(demand))) >= Level::Enough
    }

    /// Runs on a table if it would widen what the cell may be.
    fn widen(&mut self, table: &[i64], demand: &Demand) {
        let known = self.case.known(demand);
        let in_cell = |cell| people(table, self.case.layout.members(cell));
        let count = in_cell(demand.cell);
        let found = self.same.extremes(demand.cell, known);
        let wider = found.is_some_and(|e| count < e.fewest.count || count > e.most.count);
        if wider && known.is_none_or(|k| in_cell(k.cell) == k.count) {
            self.run(table);
        }
    }

    /// Runs on small changes of tables known to give the same pattern, until one does too.
    fn vary(&mut self, demand: &Demand, towards: Towards) {
        let (cell, known) = (demand.cell, self.case.known(demand));
        let Some(found) = self.same.extremes(cell, known) else { return };
        let goal = match towards {
            Towards::More => found.most.count + 1,
            Towards::Fewer => found.fewest.count - 1,
        };
        let wanted = Move { cell, known, towards, goal, means: Means::Changes };
        let bases: Vec<Vec<i64>> = self.same.agreeing(known).take(BASES).map(<[i64]>::to_vec).collect();
        for base in bases {
            let Some(table) = self.searcher.repair(&base, wanted, goal) else { continue };
            if self.run(&table) == Pattern::Same {
                return;
            }
        }
    }

    fn run(&mut self, table: &[i64]) -> Pattern {
        if self.left == 0 || self.searcher.effort.is_spent() || self.seen.iter().any(|seen| seen == table) {
            return Pattern::Other;
        }
        if !(self.others)(table) {
            return Pattern::Other;
        }
        self.left -= 1;
        self.seen.push(table.to_vec());
        let case = Case::new(self.case.layout, table.to_vec(), &[]);
        let marks = case
            .ok()
            .and_then(|case| settle(&case, (self.searcher.solver, self.searcher.effort), Mend::Hide).ok());
        if marks.is_none_or(|other| other.marks != self.settled.marks) {
            return Pattern::Other;
        }
        self.same.add(table);
        Pattern::Same
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Pattern {
    Same,
    Other,
}
