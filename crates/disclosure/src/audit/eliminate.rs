//! The first pattern: publish from most to least wanted, unless what is published would give a primary cell away.
//!
//! Linear algebra alone, so only a proposal: it does not see that counts are whole and at least 1. Measured on small sparse tables
//! (release.md, section 3), patterns from it left primary cells recoverable in 21 of 68.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Mark;
use super::case::Case;
use super::gf61::{Known, Row, Sum};
use super::table::Fate;

/// What was released earlier gives a primary cell away, whatever this table does.
pub(super) struct Exposed;

/// The pattern where nothing beyond the primaries has been withheld yet, in which no primary cell follows by adding and taking
/// away, from outside or for a person alone in a cell.
pub(super) fn first(case: &Case<'_>) -> Result<Vec<Mark>, Exposed> {
    let fates = case.layout.fates.iter().enumerate();
    let free = fates.filter(|(_, f)| matches!(f, Fate::Free { .. })).map(|(cell, _)| cell);
    again(case, free, &BTreeSet::new())
}

/// The same with only `candidates` still to be published, and none of `kept` to follow from what is.
pub(super) fn again(
    case: &Case<'_>,
    candidates: impl Iterator<Item = usize>,
    kept: &BTreeSet<usize>,
) -> Result<Vec<Mark>, Exposed> {
    let mut marks = vec![Mark::Withheld; case.layout.cells()];
    let mut guard = Guard::new(case);
    for cell in forced(case) {
        guard.publish(case.sum(cell), Firmly::Forced);
        publish(&mut marks, cell);
    }
    if guard.is_broken() {
        return Err(Exposed);
    }
    guard.keep(case, kept);
    let mut candidates: Vec<usize> =
        candidates.filter(|&c| !case.is_primary(c) && !kept.contains(&c)).collect();
    candidates.sort_by_key(|&cell| (Reverse(want(case, cell)), cell));
    for cell in candidates {
        if guard.publish(case.sum(cell), Firmly::IfSafe) == Done::Published {
            publish(&mut marks, cell);
        }
    }
    Ok(marks)
}

/// How much a cell is wanted; nothing for one that is not free.
pub(super) fn want(case: &Case<'_>, cell: usize) -> u32 {
    match case.fate(cell) {
        Fate::Free { want } => want,
        Fate::Published | Fate::Withheld | Fate::Watched => 0,
    }
}

fn forced(case: &Case<'_>) -> impl Iterator<Item = usize> {
    let fates = case.layout.fates.iter().enumerate();
    fates.filter(|(_, fate)| **fate == Fate::Published).map(|(cell, _)| cell)
}

fn publish(marks: &mut [Mark], cell: usize) {
    if let Some(mark) = marks.get_mut(cell) {
        *mark = Mark::Published;
    }
}

impl Case<'_> {
    fn sum(&self, cell: usize) -> Sum {
        Sum::of(self.parts(), self.living(cell))
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Firmly {
    Forced,
    IfSafe,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Done {
    Published,
    WouldExpose,
}

/// What is published, and what is left unknown of each cell that must stay so.
struct Guard {
    known: Known,
    /// The primary cells, then the cells that are kept.
    rests: Vec<Rest>,
}

/// What is left unknown of one cell.
struct Rest {
    sum: Sum,
    /// For primary cells: two with the same direction follow from each other.
    direction: Option<Row>,
    role: Role,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Role {
    Primary,
    /// A primary cell with one person.
    Single,
    Kept,
}

impl Guard {
    fn new(case: &Case<'_>) -> Self {
        let rest = |&cell: &usize| {
            let role = if case.value(cell) == 1 { Role::Single } else { Role::Primary };
            Rest::new(case.sum(cell), role)
        };
        Self { known: Known::default(), rests: case.primaries.iter().map(rest).collect() }
    }

    /// Keeps further cells from following, as far as what was released leaves them unknown.
    fn keep(&mut self, case: &Case<'_>, cells: &BTreeSet<usize>) {
        let sums = cells.iter().map(|&cell| self.known.rest(case.sum(cell))).filter(|sum| !sum.is_zero());
        let kept: Vec<Rest> = sums.map(|sum| Rest::new(sum, Role::Kept)).collect();
        self.rests.extend(kept);
    }

    fn publish(&mut self, sum: Sum, firmly: Firmly) -> Done {
        let Some(row) = self.known.rest(sum).direction() else { return Done::Published };
        let mut before = Vec::new();
        for (at, rest) in self.rests.iter_mut().enumerate().filter(|(_, rest)| rest.sum.has(&row)) {
            let after = rest.without(&row);
            before.push((at, std::mem::replace(rest, after)));
        }
        if firmly == Firmly::IfSafe && before.iter().any(|(at, _)| self.follows(*at)) {
            for (at, was) in before {
                if let Some(rest) = self.rests.get_mut(at) {
                    *rest = was;
                }
            }
            return Done::WouldExpose;
        }
        self.known.add(row);
        Done::Published
    }

    fn is_broken(&self) -> bool {
        (0..self.rests.len()).any(|at| self.follows(at))
    }

    /// Whether a cell follows, or a primary cell from another that its one person knows.
    fn follows(&self, at: usize) -> bool {
        let Some(rest) = self.rests.get(at) else { return false };
        if rest.sum.is_zero() {
            return true;
        }
        let from_one = |other: &Rest| rest.role == Role::Single || other.role == Role::Single;
        let same = |other: &Rest| rest.direction.is_some() && other.direction == rest.direction;
        self.rests.iter().enumerate().any(|(o, other)| o != at && from_one(other) && same(other))
    }
}

impl Rest {
    fn new(sum: Sum, role: Role) -> Self {
        let direction = if role == Role::Kept { None } else { sum.direction() };
        Self { sum, direction, role }
    }

    fn without(&self, row: &Row) -> Self {
        let mut sum = self.sum.clone();
        sum.clear(row);
        Self::new(sum, self.role)
    }
}
