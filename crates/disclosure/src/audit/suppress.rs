//! The pattern: proposed by elimination, mended until every primary cell has its witnesses, then made no larger than it must be.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Demand, Level};
use super::effort::Effort;
use super::eliminate::{again, first, want};
use super::search::{Extremes, Means, Move, Pool, Searcher};
use super::solve::{Solver, Towards};
use super::table::{Fate, Showing};
use super::view::{Size, View, seen};
use super::{Mark, Whole};

/// Rounds of hiding more, for each primary cell (release.md, section 3, step 5).
const ROUNDS_PER_PRIMARY: usize = 3;

/// Further cells that may be hidden for a cell that is safe but not yet anywhere in 1 to t−1.
const COVER_TRIES: u32 = 2;

/// A pattern and the tables that bear it out; not yet checked by anybody else.
pub(super) struct Settled {
    pub(super) marks: Vec<Mark>,
    pub(super) tables: Vec<Vec<i64>>,
    /// How many cells elimination alone would have withheld.
    pub(super) eliminated: usize,
    pub(super) rounds: usize,
}

/// Steps 2 to 5 of release.md, section 3, without merging.
///
/// # Errors
/// [`Whole`]: the whole table must be withheld, or its bands merged.
pub(super) fn settle(
    case: &Case<'_>,
    (solver, effort): (&dyn Solver, &Effort),
    mend: Mend,
) -> Result<Settled, Whole> {
    let marks = propose(case)?;
    let of_tables = marks.iter().take(case.layout.listed());
    let eliminated = of_tables.filter(|mark| **mark == Mark::Withheld).count();
    let pool = Pool::of(case.layout, std::slice::from_ref(&case.truth));
    let (hidden, covers) = (BTreeSet::new(), BTreeMap::new());
    let mut work = Work { case, solver, effort, marks, pool, hidden, covers };
    let limit = ROUNDS_PER_PRIMARY * case.primaries.len();
    let mut rounds = 0;
    loop {
        let short = work.short();
        if effort.is_spent() {
            return Err(Whole::NoWitness);
        }
        if short.is_empty() {
            break;
        }
        let required = short.iter().any(|(_, level)| *level == Level::Short);
        rounds += 1;
        let hidden = if rounds > limit || mend == Mend::Leave { Hid::Nothing } else { work.hide(&short)? };
        match hidden {
            Hid::Something => {}
            Hid::Nothing if required => return Err(Whole::NoWitness),
            Hid::Nothing => break,
        }
    }
    work.show_again();
    Ok(Settled { marks: work.marks, tables: work.pool.tables(), eliminated, rounds })
}

/// The first pattern. Rounded counts are bounds and not equations, so elimination has nothing to say of them.
fn propose(case: &Case<'_>) -> Result<Vec<Mark>, Whole> {
    match case.layout.terms.showing {
        Showing::Exact => first(case).map_err(|_| Whole::Register),
        Showing::Rounded { .. } => Ok((0..case.layout.cells()).map(|cell| unrounded(case, cell)).collect()),
    }
}

fn unrounded(case: &Case<'_>, cell: usize) -> Mark {
    match case.fate(cell) {
        Fate::Published => Mark::Published,
        Fate::Withheld | Fate::Watched => Mark::Withheld,
        Fate::Free { .. } if case.is_primary(cell) => Mark::Withheld,
        Fate::Free { .. } => Mark::Published,
    }
}

/// What to do about a cell without a witness.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mend {
    /// Hide more.
    Hide,
    /// Nothing: the caller merges bands.
    Leave,
}

enum Hid {
    Something,
    Nothing,
}

/// A shown cell that could be hidden for another. In order of cost: least wanted, then in the shortest total with it, then with most
/// people.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Near {
    want: u32,
    length: usize,
    people: Reverse<i64>,
    cell: usize,
}

struct Work<'a> {
    case: &'a Case<'a>,
    solver: &'a dyn Solver,
    effort: &'a Effort,
    marks: Vec<Mark>,
    pool: Pool<'a>,
    /// Cells hidden for want of a witness, which must not follow from the others.
    hidden: BTreeSet<usize>,
    /// How often a cell was hidden only to widen a primary cell.
    covers: BTreeMap<usize, u32>,
}

impl Work<'_> {
    /// Searches for every demand that is not fully met; those for which something must still be hidden.
    fn short(&mut self) -> Vec<(usize, Level)> {
        let view = View::new(self.case.layout, self.case.ranges(&self.marks));
        let searcher = Searcher { view: &view, solver: self.solver, effort: self.effort };
        let mut short: BTreeMap<usize, Level> = BTreeMap::new();
        for demand in self.case.demands(&self.marks) {
            let level = self.pursue(&searcher, &demand);
            if level == Level::Short || (level == Level::Enough && self.may_cover(demand.cell)) {
                let worst = short.entry(demand.cell).or_insert(level);
                *worst = level.min(*worst);
            }
        }
        short.into_iter().collect()
    }

    /// Whether a cell that is safe is worth further cells that are hidden only to widen it. The few between two cells are not: of them
    /// nothing is said anyway.
    fn may_cover(&self, cell: usize) -> bool {
        let tries = self.covers.get(&cell).copied().unwrap_or(0);
        tries < COVER_TRIES && self.case.fate(cell) != Fate::Watched
    }

    fn pursue(&mut self, searcher: &Searcher<'_>, demand: &Demand) -> Level {
        let (cell, known) = (demand.cell, self.case.known(demand));
        for (towards, goal) in [(Towards::More, demand.high), (Towards::Fewer, demand.low)] {
            self.effort.spend(2 * self.pool.len());
            let level = judge(demand, self.pool.extremes(cell, known));
            if level == Level::Full || self.effort.is_spent() {
                return level;
            }
            searcher.pursue(&mut self.pool, Move { cell, known, towards, goal, means: means(demand, level) });
        }
        judge(demand, self.pool.extremes(cell, known))
    }

    /// Hides for each cell the cheapest shown cell near it, unless one near it was hidden just now.
    fn hide(&mut self, short: &[(usize, Level)]) -> Result<Hid, Whole> {
        let mut now = BTreeSet::new();
        for &(cell, level) in short {
            let near = self.near(cell);
            let Some(cheapest) = near.first() else { continue };
            if near.iter().filter(|n| n.length <= cheapest.length).any(|n| now.contains(&n.cell)) {
                continue;
            }
            now.insert(cheapest.cell);
            if level == Level::Enough {
                *self.covers.entry(cell).or_insert(0) += 1;
            }
        }
        if now.is_empty() {
            return Ok(Hid::Nothing);
        }
        self.hidden.extend(now);
        self.withhold_hidden()?;
        Ok(Hid::Something)
    }

    fn withhold_hidden(&mut self) -> Result<(), Whole> {
        let (case, hidden) = (self.case, &self.hidden);
        let shown = |cell: usize| self.marks.get(cell) == Some(&Mark::Published);
        if case.layout.terms.showing == Showing::Exact {
            let free = (0..self.marks.len()).filter(|&c| shown(c) && is_free(case, c));
            self.marks = again(case, free, hidden).map_err(|_| Whole::Register)?;
            return Ok(());
        }
        for (cell, mark) in self.marks.iter_mut().enumerate() {
            if hidden.contains(&case.class(cell)) && is_free(case, cell) {
                *mark = Mark::Withheld;
            }
        }
        Ok(())
    }

    /// Shown cells whose hiding could give a cell room, cheapest first.
    fn near(&self, cell: usize) -> Vec<Near> {
        let totals = self.totals_over(cell);
        let near = (0..self.marks.len()).filter(|&c| self.may_hide(c) && c != cell);
        let mut near: Vec<Near> = near
            .filter_map(|c| {
                let over = totals
                    .iter()
                    .filter(|(_, parts)| self.case.living(c).any(|p| parts.binary_search(&p).is_ok()));
                let length = over.map(|(length, _)| *length).min()?;
                Some(Near { want: want(self.case, c), length, people: Reverse(self.case.value(c)), cell: c })
            })
            .collect();
        near.sort_unstable();
        near
    }

    /// The shown cells that count some of a cell's people, as their living parts, ascending.
    fn totals_over(&self, cell: usize) -> Vec<(usize, Vec<usize>)> {
        let own: Vec<usize> = self.case.living(cell).collect();
        let shown = self.marks.iter().enumerate().filter(|(_, mark)| **mark == Mark::Published);
        let over = |c: &usize| {
            let members = self.case.layout.members(*c);
            own.iter().any(|part| members.binary_search(part).is_ok())
        };
        let parts = shown.map(|(c, _)| c).filter(over).map(|c| self.case.living(c).collect::<Vec<_>>());
        parts.map(|parts| (parts.len(), parts)).collect()
    }

    fn may_hide(&self, cell: usize) -> bool {
        let shown = self.marks.get(cell) == Some(&Mark::Published);
        shown && is_free(self.case, cell) && self.case.value(cell) > 0 && self.case.class(cell) == cell
    }

    /// Publishes again, most wanted first, what turned out not to be needed: the tables that remain bear out every demand as well.
    fn show_again(&mut self) {
        let demands = self.case.demands(&self.marks);
        let levels: Vec<Level> = demands.iter().map(|d| self.level(&self.pool, d)).collect();
        let secondary = |c: &usize| {
            self.marks.get(*c) == Some(&Mark::Withheld) && is_free(self.case, *c) && !self.case.is_primary(*c)
        };
        let mut cells: Vec<usize> = (0..self.marks.len()).filter(secondary).collect();
        cells.sort_by_key(|&cell| (Reverse(want(self.case, cell)), cell));
        for cell in cells {
            if self.effort.is_spent() {
                return;
            }
            let range = seen(&self.case.layout.terms, Mark::Published, self.case.value(cell), Size::Other);
            let pool = self.pool.within(cell, range);
            if demands.iter().zip(&levels).all(|(demand, level)| self.level(&pool, demand) >= *level) {
                self.pool = pool;
                if let Some(mark) = self.marks.get_mut(cell) {
                    *mark = Mark::Published;
                }
            }
        }
    }

    fn level(&self, pool: &Pool<'_>, demand: &Demand) -> Level {
        self.effort.spend(pool.len());
        judge(demand, pool.extremes(demand.cell, self.case.known(demand)))
    }
}

/// The solver is asked for what is required, and of readers from outside alone: for one who knows a cell it finds a table in 4 of 100
/// askings (measured on 4×3×3 tables), and hiding a cell more is cheaper than the time.
fn means(demand: &Demand, level: Level) -> Means {
    if level == Level::Short && demand.known.is_none() { Means::Solver } else { Means::Changes }
}

pub(super) fn judge(demand: &Demand, found: Option<Extremes>) -> Level {
    found.map_or(Level::Short, |f| demand.judge(f.fewest.count, f.most.count))
}

fn is_free(case: &Case<'_>, cell: usize) -> bool {
    matches!(case.fate(cell), Fate::Free { .. })
}
