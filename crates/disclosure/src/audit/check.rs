//! The exact check, and the evidence that only it makes.

use std::collections::BTreeMap;
use std::fmt;

use cairn_question::Cell;

use super::case::{Case, Demand, Level};
use super::search::Pool;
use super::suppress::{Settled, judge};
use super::table::{Terms, people};
use super::view::{Range, allows, shown};
use super::{Mark, Promise};

/// Two tables for one cell and one reader. Their places in [`Audited::tables`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The cell in which the two tables differ.
    pub cell: usize,
    /// The one-person cell that the reader is taken to know; none for a reader from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<usize>,
    /// The table with fewer people in the cell.
    pub low: usize,
    /// The table with more.
    pub high: usize,
    /// The reader's means.
    pub against: Promise,
}

/// How a pattern came about. For the partner's own log: it depends on the records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Figures {
    /// Cells that must not be worked out, one of each class.
    pub primary: usize,
    /// Withheld cells, primary ones among them.
    pub withheld: usize,
    /// Cells that elimination alone would have withheld, primary ones among them.
    pub eliminated: usize,
    /// Rounds of hiding more.
    pub rounds: usize,
    /// Primary cells that, as far as witnesses show, may be anything from 1 to t−1 or as far as the totals leave room.
    pub covered: usize,
}

/// Proof that no primary cell of a release can be worked out. Only the exact check makes one; it holds true counts.
#[must_use = "a proof that nobody keeps cannot be checked again"]
#[derive(Clone)]
pub struct Audited {
    marks: Vec<Mark>,
    cells: Vec<Cell>,
    pub(super) ranges: Vec<Range>,
    pub(super) tables: Vec<Vec<i64>>,
    pub(super) witnesses: Vec<Witness>,
    pub(super) terms: Terms,
    pub(super) members: Vec<Vec<usize>>,
    pub(super) parts: usize,
    /// How many of the members, the last ones, are of no table.
    pub(super) watched: usize,
    pub(super) primaries: Vec<usize>,
    pub(super) singles: Vec<usize>,
    promise: Promise,
    figures: Figures,
}

impl Audited {
    /// For each cell of the tables whether it is shown.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        self.marks.get(..self.cells.len()).unwrap_or_default()
    }

    /// For each cell of the tables what leaves the node: the count, rounded where the terms say so, or the one mark.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Whom it withstands.
    #[must_use]
    pub const fn promise(&self) -> Promise {
        self.promise
    }

    /// The tables that witnesses point to, each a count for every part. The node's own.
    #[must_use]
    pub fn tables(&self) -> &[Vec<i64>] {
        &self.tables
    }

    /// A witness for every primary cell and reader.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The primary cells, ascending, one of each class.
    #[must_use]
    pub fn primaries(&self) -> &[usize] {
        &self.primaries
    }

    /// The same, claiming [`Promise::KnowsThresholds`] alone.
    pub(super) fn thresholds_only(mut self) -> Self {
        self.promise = Promise::KnowsThresholds;
        self
    }

    /// How the pattern came about.
    #[must_use]
    pub const fn figures(&self) -> Figures {
        self.figures
    }
}

impl fmt::Debug for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audited({} cells, {:?}, counts withheld)", self.marks.len(), self.promise)
    }
}

/// Picks witnesses for every demand out of what was found, and checks them.
///
/// `None`: one is missing or wrong. `same` are tables for which the algorithm gives the same pattern, where there are enough.
pub(super) fn audited(case: &Case<'_>, settled: &Settled, same: Option<&[Vec<i64>]>) -> Option<Audited> {
    let ranges = case.ranges(&settled.marks);
    let demands = case.demands(&settled.marks);
    let mut picks = Picks::default();
    picks.pick(case, &demands, &settled.tables, Promise::KnowsThresholds);
    if let Some(same) = same {
        picks.pick(case, &demands, same, Promise::KnowsAlgorithm);
    }
    let leaving = settled.marks.iter().zip(&case.values).take(case.layout.listed());
    let audited = Audited {
        cells: leaving.map(|(m, v)| leaves(case, *m, *v)).collect(),
        marks: settled.marks.clone(),
        ranges,
        tables: picks.tables,
        witnesses: picks.witnesses,
        terms: case.layout.terms,
        members: case.layout.cells.clone(),
        parts: case.parts(),
        watched: case.layout.watched,
        primaries: case.primaries.clone(),
        singles: case.singles.clone(),
        promise: if same.is_some() { Promise::KnowsAlgorithm } else { Promise::KnowsThresholds },
        figures: figures(settled, case, picks.covered),
    };
    holds(case, &audited, &demands).then_some(audited)
}

/// The check: the true table and every witness table within every range, every primary cell withheld, and for every demand a
/// witness of the width required. It reads counts and ranges alone, and nothing that a search left behind.
fn holds(case: &Case<'_>, audited: &Audited, demands: &[Demand]) -> bool {
    let allowed = |table: &[i64]| allows(&audited.members, &audited.ranges, audited.parts, table);
    let withheld = |cell: &usize| audited.marks.get(*cell) == Some(&Mark::Withheld);
    let promises = [Promise::KnowsThresholds, Promise::KnowsAlgorithm];
    let asked = promises.iter().filter(|p| **p <= audited.promise);
    allowed(&case.truth)
        && audited.tables.iter().all(|table| allowed(table))
        && audited.primaries.iter().all(withheld)
        && asked.into_iter().all(|&against| demands.iter().all(|d| is_met(case, audited, d, against)))
}

fn is_met(case: &Case<'_>, audited: &Audited, demand: &Demand, against: Promise) -> bool {
    let same = |w: &&Witness| w.cell == demand.cell && w.known == demand.known && w.against == against;
    let known = |table: &[i64]| {
        let still = |cell: usize| people(table, case.layout.members(cell)) == case.value(cell);
        demand.known.is_none_or(still)
    };
    audited.witnesses.iter().filter(same).any(|witness| {
        let pair = audited.tables.get(witness.low).zip(audited.tables.get(witness.high));
        pair.is_some_and(|(low, high)| {
            let cell = case.layout.members(demand.cell);
            known(low) && known(high) && people(high, cell) - people(low, cell) >= demand.width
        })
    })
}

/// The tables that are used, each once.
#[derive(Default)]
struct Picks {
    tables: Vec<Vec<i64>>,
    witnesses: Vec<Witness>,
    covered: usize,
}

impl Picks {
    fn pick(&mut self, case: &Case<'_>, demands: &[Demand], from: &[Vec<i64>], against: Promise) {
        let pool = Pool::of(case.layout, from);
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        for demand in demands {
            let found = pool.extremes(demand.cell, case.known(demand));
            let full = judge(demand, found) == Level::Full;
            let of_table = demand.known.is_none() && demand.cell < case.layout.listed();
            self.covered += usize::from(full && of_table && against == Promise::KnowsThresholds);
            let Some(found) = found else { continue };
            let [low, high] = [found.fewest.table, found.most.table].map(|at| {
                *places.entry(at).or_insert_with(|| {
                    self.tables.extend(from.get(at).cloned());
                    self.tables.len().saturating_sub(1)
                })
            });
            self.witnesses.push(Witness { cell: demand.cell, known: demand.known, low, high, against });
        }
    }
}

fn leaves(case: &Case<'_>, mark: Mark, count: i64) -> Cell {
    match mark {
        Mark::Withheld => Cell::Withheld,
        Mark::Published => Cell::Value(shown(&case.layout.terms, count)),
    }
}

fn figures(settled: &Settled, case: &Case<'_>, covered: usize) -> Figures {
    Figures {
        primary: case.primaries.iter().filter(|cell| **cell < case.layout.listed()).count(),
        withheld: settled.marks.iter().take(case.layout.listed()).filter(|m| **m == Mark::Withheld).count(),
        eliminated: settled.eliminated,
        rounds: settled.rounds,
        covered,
    }
}
