//! One table under audit: its counts, the cells that must be protected, and from whom.

use std::collections::{BTreeMap, BTreeSet};

use super::search::Known;
use super::table::{Fate, Layout, Nobody, Showing, Unfit, people};
use super::view::{FAR, Range, Size, read, seen, shown};
use super::{Mark, WIDTH, WIDTH_INSIDE};
use crate::suppress::round_half_up;

/// A layout with its counts, and what follows from them.
pub(super) struct Case<'a> {
    pub(super) layout: &'a Layout,
    pub(super) truth: Vec<i64>,
    /// The people in each cell.
    pub(super) values: Vec<i64>,
    /// Cells that must not be worked out, ascending, one of each class.
    pub(super) primaries: Vec<usize>,
    /// Cells with one person, who knows of it: ascending, one of each class.
    pub(super) singles: Vec<usize>,
    /// Parts that no shown zero gives away.
    alive: Vec<bool>,
    /// For each cell the first cell with the same living parts: they share a fate.
    class: Vec<usize>,
}

impl<'a> Case<'a> {
    /// The case of `counts` by part. `also` names cells that are primary by other rules than the threshold.
    ///
    /// # Errors
    /// [`Unfit::Outside`], [`Unfit::ZeroWithheld`], [`Unfit::RoundsToZero`].
    pub(super) fn new(layout: &'a Layout, truth: Vec<i64>, also: &[usize]) -> Result<Self, Unfit> {
        let values: Vec<i64> = layout.cells.iter().map(|cell| people(&truth, cell)).collect();
        fit(layout, &values, also)?;
        let marked = with_empty_totals(layout, &values, also);
        let alive = alive(layout, &values, &marked);
        let class = classes(layout, &values, &alive);
        let mut case = Self { layout, truth, values, primaries: vec![], singles: vec![], alive, class };
        let small = |cell: &usize| case.value(*cell) > 0 && case.value(*cell) < case.threshold();
        let primaries = case.firsts((0..layout.cells()).filter(|c| small(c) || marked.contains(c)));
        // Who is alone between two cells need not know it: no table has such a place.
        let alone = |&c: &usize| case.value(c) == 1 && case.fate(c) != Fate::Watched;
        case.singles = primaries.iter().copied().filter(alone).collect();
        case.primaries = primaries;
        Ok(case)
    }

    pub(super) fn value(&self, cell: usize) -> i64 {
        self.values.get(cell).copied().unwrap_or(0)
    }

    pub(super) fn threshold(&self) -> i64 {
        i64::try_from(self.layout.terms.threshold).unwrap_or(FAR)
    }

    pub(super) fn fate(&self, cell: usize) -> Fate {
        self.layout.fates.get(cell).copied().unwrap_or(Fate::Withheld)
    }

    pub(super) fn class(&self, cell: usize) -> usize {
        self.class.get(cell).copied().unwrap_or(cell)
    }

    pub(super) fn is_primary(&self, cell: usize) -> bool {
        self.primaries.binary_search(&self.class(cell)).is_ok()
    }

    /// The parts of a cell that no shown zero gives away.
    pub(super) fn living(&self, cell: usize) -> impl Iterator<Item = usize> {
        let is_alive = |part: &usize| self.alive.get(*part).copied().unwrap_or(false);
        self.layout.members(cell).iter().copied().filter(is_alive)
    }

    pub(super) fn parts(&self) -> usize {
        self.layout.parts()
    }

    /// What the attacker sees under these marks.
    pub(super) fn ranges(&self, marks: &[Mark]) -> Vec<Range> {
        let terms = &self.layout.terms;
        let seen = |(cell, (&mark, &value)): (usize, (&Mark, &i64))| {
            if self.fate(cell) == Fate::Watched {
                return Range::NOTHING;
            }
            let size = if self.is_primary(cell) { Size::of(terms, value) } else { Size::Other };
            seen(terms, mark, value, size)
        };
        marks.iter().zip(&self.values).enumerate().map(seen).collect()
    }

    /// Every cell that must be protected, from outside and from each person who is alone in a cell.
    pub(super) fn demands(&self, marks: &[Mark]) -> Vec<Demand> {
        let least = self.least(marks);
        let outside = self.primaries.iter().map(|&cell| self.outside(cell, marks, &least));
        let inside = self.singles.iter().flat_map(|&known| {
            let others = self.primaries.iter().filter(move |&&cell| cell != known);
            others.map(move |&cell| self.inside(cell, known))
        });
        outside.chain(inside).collect()
    }

    /// The target width of release.md, section 3, step 4: 1 to t−1 where the totals leave room, else [`WIDTH`].
    fn outside(&self, cell: usize, marks: &[Mark], least: &[i64]) -> Demand {
        let (value, floor) = (self.value(cell), self.layout.terms.floor());
        if value == 0 || value >= self.threshold() {
            return Demand::about(cell, None, value, WIDTH, floor);
        }
        let high = (self.threshold() - 1).min(self.room(cell, marks, least)).max(value).max(1 + WIDTH);
        Demand { cell, known: None, low: 1, high, width: WIDTH }
    }

    fn inside(&self, cell: usize, known: usize) -> Demand {
        Demand::about(cell, Some(known), self.value(cell), WIDTH_INSIDE, self.layout.terms.floor())
    }

    /// The fewest people of each part: one, and where counts are rounded as many as its own shown cell says.
    fn least(&self, marks: &[Mark]) -> Vec<i64> {
        let mut least = vec![self.layout.terms.floor(); self.parts()];
        if self.layout.terms.showing == Showing::Exact {
            return least;
        }
        let shown_cells = marks.iter().enumerate().filter(|(_, mark)| **mark == Mark::Published);
        for (cell, _) in shown_cells {
            let [part] = self.layout.members(cell) else { continue };
            if let Some(least) = least.get_mut(*part) {
                let terms = &self.layout.terms;
                *least = read(terms, shown(terms, self.value(cell))).low.max(*least);
            }
        }
        least
    }

    /// Most people that a cell could have if all others of each shown total had their fewest.
    fn room(&self, cell: usize, marks: &[Mark], least: &[i64]) -> i64 {
        let Some(part) = self.living(cell).next() else { return 0 };
        let totals = marks.iter().enumerate().filter(|(_, mark)| **mark == Mark::Published);
        let holding = totals.filter(|(c, _)| self.layout.members(*c).binary_search(&part).is_ok());
        let left = holding.map(|(total, _)| {
            let others = self.living(total).filter(|p| self.layout.members(cell).binary_search(p).is_err());
            let others: i64 = others.filter_map(|part| least.get(part)).sum();
            let most = read(&self.layout.terms, shown(&self.layout.terms, self.value(total))).high;
            most.unwrap_or(FAR) - others
        });
        left.min().unwrap_or(FAR)
    }

    /// What the reader of a demand knows besides the release.
    pub(super) fn known(&self, demand: &Demand) -> Option<Known> {
        demand.known.map(|cell| Known { cell, count: self.value(cell) })
    }

    fn firsts(&self, cells: impl Iterator<Item = usize>) -> Vec<usize> {
        cells.map(|cell| self.class(cell)).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// One cell, one reader, and how unsure the reader must be left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Demand {
    pub(super) cell: usize,
    /// The one-person cell that the reader knows; none for a reader from outside.
    pub(super) known: Option<usize>,
    /// Wanted: a table with at most this many people in the cell.
    pub(super) low: i64,
    /// Wanted: a table with at least this many.
    pub(super) high: i64,
    /// Required: two tables that differ in the cell by this many.
    pub(super) width: i64,
}

impl Demand {
    fn about(cell: usize, known: Option<usize>, value: i64, width: i64, floor: i64) -> Self {
        Self { cell, known, low: (value - width).max(floor), high: value + width, width }
    }

    /// How well a cell that may have `fewest` to `most` people meets the demand.
    pub(super) const fn judge(&self, fewest: i64, most: i64) -> Level {
        match () {
            () if most - fewest < self.width => Level::Short,
            () if self.known.is_none() && (fewest > self.low || most < self.high) => Level::Enough,
            () => Level::Full,
        }
    }
}

/// How well a demand is met.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Level {
    Short,
    /// The required width, though not all of the wanted interval.
    Enough,
    Full,
}

fn fit(layout: &Layout, values: &[i64], also: &[usize]) -> Result<(), Unfit> {
    let zero = |cell: usize| values.get(cell) == Some(&0);
    let withheld = layout.fates.iter().enumerate().filter(|(_, f)| **f == Fate::Withheld).map(|(c, _)| c);
    let zero_withheld = also.iter().copied().chain(withheld).any(zero);
    match (layout.terms.nobody, layout.terms.showing) {
        _ if also.iter().any(|&cell| cell >= values.len()) => Err(Unfit::Outside),
        (Nobody::AlwaysShown, _) if zero_withheld => Err(Unfit::ZeroWithheld),
        (_, Showing::Rounded { base }) if round_half_up(layout.terms.threshold.max(1), base) == 0 => {
            Err(Unfit::RoundsToZero)
        }
        _ => Ok(()),
    }
}

/// The marked cells, and every empty total of a marked zero: shown, it would say that the cell is a zero.
fn with_empty_totals(layout: &Layout, values: &[i64], also: &[usize]) -> BTreeSet<usize> {
    let zero = |cell: &&usize| values.get(**cell) == Some(&0);
    let zeros: Vec<usize> = also.iter().filter(zero).copied().collect();
    let holds = |total: usize, cell: usize| {
        layout.members(cell).iter().all(|m| layout.members(total).binary_search(m).is_ok())
    };
    let totals =
        (0..layout.cells()).filter(|total| zero(&total)).filter(|&t| zeros.iter().any(|&z| holds(t, z)));
    totals.chain(also.iter().copied()).collect()
}

fn alive(layout: &Layout, values: &[i64], marked: &BTreeSet<usize>) -> Vec<bool> {
    let mut alive = vec![true; layout.parts()];
    for (cell, _) in values.iter().enumerate().filter(|(cell, v)| **v == 0 && !marked.contains(cell)) {
        for &part in layout.members(cell) {
            if let Some(alive) = alive.get_mut(part) {
                *alive = false;
            }
        }
    }
    alive
}

fn classes(layout: &Layout, values: &[i64], alive: &[bool]) -> Vec<usize> {
    let mut first: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let living = |cell: usize| -> Vec<usize> {
        let members = layout.members(cell).iter().copied();
        members.filter(|&m| alive.get(m).copied().unwrap_or(false)).collect()
    };
    (0..values.len()).map(|cell| *first.entry(living(cell)).or_insert(cell)).collect()
}
