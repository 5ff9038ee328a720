//! Other tables that a release allows: the pool of those found, small changes first, the solver last.

use std::rc::Rc;

use super::bounds::leave_room;
use super::effort::Effort;
use super::solve::{Ask, Solver, Towards};
use super::table::{Layout, people};
use super::view::{Line, Range, View};

/// Changes that one repair may try. A cycle of a two-way table is found in some ten.
const STEPS: u32 = 120;

/// Longest chain of changes: a cube of a three-way table has eight corners.
const DEPTH: u32 = 14;

/// Ways that are tried to mend one line, best first.
const WAYS: usize = 3;

/// Passes over all lines that bounds take as a rule, in units of effort.
const PASSES_USUAL: usize = 4;

/// Lines that count a part as a rule.
const LINES_USUAL: usize = 8;

/// What asking the solver costs beside one pass over all lines.
const SOLVED: usize = 400;

/// Tables found so far that the release allows, the true one first. They stay allowed when more is withheld.
#[derive(Clone)]
pub(super) struct Pool<'a> {
    layout: &'a Layout,
    found: Vec<Found>,
}

/// A table with the people in each of its cells.
#[derive(Clone)]
struct Found {
    table: Rc<[i64]>,
    cells: Rc<[i64]>,
}

impl Found {
    fn count(&self, cell: usize) -> i64 {
        self.cells.get(cell).copied().unwrap_or(0)
    }

    fn agrees(&self, known: Option<Known>) -> bool {
        known.is_none_or(|k| self.count(k.cell) == k.count)
    }
}

impl<'a> Pool<'a> {
    pub(super) fn of(layout: &'a Layout, tables: &[Vec<i64>]) -> Self {
        let mut pool = Self { layout, found: Vec::new() };
        for table in tables {
            pool.add(table);
        }
        pool
    }

    pub(super) const fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn add(&mut self, table: &[i64]) {
        let cells = self.layout.cells.iter().map(|cell| people(table, cell)).collect();
        self.found.push(Found { table: table.into(), cells });
    }

    pub(super) fn tables(&self) -> Vec<Vec<i64>> {
        self.found.iter().map(|f| f.table.to_vec()).collect()
    }

    /// The tables in which the reader's own cell is as it is, newest first.
    pub(super) fn agreeing(&self, known: Option<Known>) -> impl Iterator<Item = &[i64]> {
        self.found.iter().rev().filter(move |f| f.agrees(known)).map(|f| &*f.table)
    }

    /// The tables that allow the cell a count within the range.
    pub(super) fn within(&self, cell: usize, range: Range) -> Self {
        let found = self.found.iter().filter(|f| range.holds(f.count(cell))).cloned().collect();
        Self { layout: self.layout, found }
    }

    /// The tables with the fewest and the most people in `cell`, among those in which the reader's own cell is as it is.
    pub(super) fn extremes(&self, cell: usize, known: Option<Known>) -> Option<Extremes> {
        let fitting = self.found.iter().enumerate().filter(|(_, f)| f.agrees(known));
        fitting.fold(None, |extremes, (table, found)| {
            let here = Extreme { table, count: found.count(cell) };
            Some(match extremes {
                None => Extremes { fewest: here, most: here },
                Some(Extremes { fewest, most }) => Extremes {
                    fewest: if here.count < fewest.count { here } else { fewest },
                    most: if here.count > most.count { here } else { most },
                },
            })
        })
    }

    fn table(&self, at: usize) -> Vec<i64> {
        self.found.get(at).map_or_else(Vec::new, |f| f.table.to_vec())
    }
}

/// A cell whose count somebody knows: the one person in it.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) cell: usize,
    pub(super) count: i64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Extreme {
    pub(super) table: usize,
    pub(super) count: i64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Extremes {
    pub(super) fewest: Extreme,
    pub(super) most: Extreme,
}

/// One search: move the people of a cell as far as `goal`, with `known` held.
#[derive(Clone, Copy)]
pub(super) struct Move {
    pub(super) cell: usize,
    pub(super) known: Option<Known>,
    pub(super) towards: Towards,
    pub(super) goal: i64,
    pub(super) means: Means,
}

/// How much a table is worth looking for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Means {
    /// Small changes only.
    Changes,
    /// The solver too: ten to a hundred times as long.
    Solver,
}

/// Searches one view.
pub(super) struct Searcher<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) solver: &'a dyn Solver,
    pub(super) effort: &'a Effort,
}

impl Searcher<'_> {
    /// Adds tables to the pool until the cell has reached the goal or nothing moves it further.
    pub(super) fn pursue(&self, pool: &mut Pool<'_>, wanted: Move) {
        while let Some(base) = short_of(pool, wanted).filter(|_| !self.effort.is_spent()) {
            self.effort.spend(pool.len() + PASSES_USUAL * self.view.size());
            let near = base.count + wanted.towards.step();
            // Most cells that do not move cannot, and bounds say so at once.
            if !leave_room(self.view, &self.conditions(wanted, wanted.towards.from(near))) {
                return;
            }
            let from = pool.table(base.table);
            let found = self.repair(&from, wanted, wanted.goal).or_else(|| self.repair(&from, wanted, near));
            let Some(table) = found.or_else(|| self.solved(&from, wanted, near)) else { return };
            pool.add(&table);
        }
    }

    /// Changes a table a little until the cell is at `count` or beyond and all lines hold again.
    pub(super) fn repair(&self, from: &[i64], wanted: Move, count: i64) -> Option<Vec<i64>> {
        let also = self.conditions(wanted, wanted.towards.from(count));
        let mut repair = Repair::new(self.view, &also, from);
        let done = repair.run(DEPTH).is_some();
        self.effort.spend(self.view.size() + repair.looked);
        Some(repair.table).filter(|table| done && self.accepts(table, &also))
    }

    /// Asks the solver for a table with the cell at `near` or between it and the goal, and checks what it says.
    pub(super) fn solved(&self, from: &[i64], wanted: Move, near: i64) -> Option<Vec<i64>> {
        if wanted.means == Means::Changes {
            return None;
        }
        self.effort.spend(SOLVED * self.view.size());
        let range = Range { low: near.min(wanted.goal), high: Some(near.max(wanted.goal)) };
        let also = self.conditions(wanted, range);
        let cell = self.view.members(wanted.cell);
        let ask = Ask { view: self.view, also: &also, cell, towards: wanted.towards, from };
        self.solver.solve(&ask).filter(|table| self.accepts(table, &also))
    }

    fn conditions(&self, wanted: Move, range: Range) -> Vec<Line> {
        let known = wanted.known.map(|k| Line::new(self.view.members(k.cell), Range::exactly(k.count)));
        std::iter::once(Line::new(self.view.members(wanted.cell), range)).chain(known).collect()
    }

    /// The exact check, whoever made the table.
    fn accepts(&self, table: &[i64], also: &[Line]) -> bool {
        self.view.allows(table) && also.iter().all(|line| line.lacks(people(table, &line.members)) == 0)
    }
}

/// The best table so far, where it is not at the goal.
fn short_of(pool: &Pool<'_>, wanted: Move) -> Option<Extreme> {
    let found = pool.extremes(wanted.cell, wanted.known)?;
    let (best, short) = match wanted.towards {
        Towards::Fewer => (found.fewest, found.fewest.count > wanted.goal),
        Towards::More => (found.most, found.most.count < wanted.goal),
    };
    short.then_some(best)
}

impl Towards {
    const fn step(self) -> i64 {
        match self {
            Self::Fewer => -1,
            Self::More => 1,
        }
    }

    /// `count`, or beyond it.
    const fn from(self, count: i64) -> Range {
        match self {
            Self::Fewer => Range { low: 0, high: Some(count) },
            Self::More => Range { low: count, high: None },
        }
    }
}

/// A bounded search for a chain of changes that mends every line: an alternating cycle in a two-way table, a cube in a three-way.
struct Repair<'a> {
    view: &'a View<'a>,
    also: &'a [Line],
    table: Vec<i64>,
    sums: Vec<i64>,
    /// Which way each part has been changed: never back.
    changed: Vec<i64>,
    /// The lines that do not hold, ascending.
    broken: Vec<usize>,
    steps: u32,
    /// Lines looked at.
    looked: usize,
}

/// One change of one part, and by how much it leaves the lines worse.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Change {
    worse: i64,
    part: usize,
    by: i64,
}

impl<'a> Repair<'a> {
    fn new(view: &'a View<'a>, also: &'a [Line], from: &[i64]) -> Self {
        let lines = || view.lines.iter().chain(also);
        let sums: Vec<i64> = lines().map(|line| people(from, &line.members)).collect();
        let broken = lines().zip(&sums).enumerate().filter(|(_, (l, s))| l.lacks(**s) != 0);
        let broken = broken.map(|(at, _)| at).collect();
        Self {
            view,
            also,
            table: from.to_vec(),
            changed: vec![0; from.len()],
            sums,
            broken,
            steps: STEPS,
            looked: 0,
        }
    }

    fn line(&self, at: usize) -> Option<&'a Line> {
        self.view.lines.get(at).or_else(|| self.also.get(at.checked_sub(self.view.lines.len())?))
    }

    fn lacks(&self, at: usize, change: i64) -> i64 {
        self.line(at).zip(self.sums.get(at)).map_or(0, |(line, sum)| line.lacks(sum + change))
    }

    /// The lines that count a part.
    fn lines_of(&self, part: usize) -> impl Iterator<Item = usize> {
        let of_view = self.view.lines_of.get(part).into_iter().flatten().copied();
        let first = self.view.lines.len();
        let also = self.also.iter().enumerate();
        of_view.chain(also.filter(move |(_, l)| l.members.contains(&part)).map(move |(at, _)| first + at))
    }

    /// Mends the shortest broken line in the best ways, and what breaks by that. `None`: not within depth and steps.
    fn run(&mut self, depth: u32) -> Option<()> {
        let length = |at: &usize| self.line(*at).map_or(0, |l| l.members.len());
        let Some(at) = self.broken.iter().copied().min_by_key(length) else { return Some(()) };
        let depth = depth.checked_sub(1)?;
        for change in self.ways(at) {
            self.steps = self.steps.checked_sub(1)?;
            let before = self.changed.get(change.part).copied().unwrap_or(0);
            self.apply(change.part, change.by, change.by.signum());
            if self.run(depth).is_some() {
                return Some(());
            }
            self.apply(change.part, -change.by, before);
        }
        None
    }

    fn ways(&mut self, at: usize) -> Vec<Change> {
        let lack = self.lacks(at, 0);
        self.looked += LINES_USUAL * self.line(at).map_or(0, |line| line.members.len());
        let members = self.line(at).into_iter().flat_map(|line| &line.members);
        let mut ways: Vec<Change> = members.filter_map(|&part| self.way(part, lack)).collect();
        ways.sort_unstable();
        ways.truncate(WAYS);
        ways
    }

    /// The change of a part by as much of `lack` as its bounds leave room for.
    fn way(&self, part: usize, lack: i64) -> Option<Change> {
        let now = *self.table.get(part)?;
        let room =
            if lack > 0 { self.view.upper.get(part)? - now } else { now - self.view.lower.get(part)? };
        let by = lack.abs().min(room) * lack.signum();
        let back = self.changed.get(part).is_some_and(|was| was * lack < 0);
        if by == 0 || back {
            return None;
        }
        let worse = |at: usize| self.lacks(at, by).abs() - self.lacks(at, 0).abs();
        Some(Change { worse: self.lines_of(part).map(worse).sum(), part, by })
    }

    fn apply(&mut self, part: usize, by: i64, changed: i64) {
        if let (Some(count), Some(way)) = (self.table.get_mut(part), self.changed.get_mut(part)) {
            *count += by;
            *way = changed;
        }
        for at in self.lines_of(part).collect::<Vec<_>>() {
            if let Some(sum) = self.sums.get_mut(at) {
                *sum += by;
            }
            match (self.lacks(at, 0), self.broken.binary_search(&at)) {
                (0, Ok(place)) => {
                    self.broken.remove(place);
                }
                (0, Err(_)) | (_, Ok(_)) => {}
                (_, Err(place)) => self.broken.insert(place, at),
            }
        }
    }
}
