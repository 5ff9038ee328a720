//! What an attacker sees of a release, as bounds on whole numbers.

use super::Mark;
use super::table::{Layout, Nobody, Showing, Terms, people};
use crate::suppress::round_half_up;

/// More people than any table holds, so that arithmetic on it cannot overflow.
pub(super) const FAR: i64 = 1 << 60;

/// The fewest and the most people that a release allows in a cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// At least this many.
    pub low: i64,
    /// At most this many; none where the release sets no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<i64>,
}

impl Range {
    /// What is said of people whom no table shows.
    pub(super) const NOTHING: Self = Self { low: 0, high: None };

    /// Exactly this many.
    pub(super) const fn exactly(count: i64) -> Self {
        Self { low: count, high: Some(count) }
    }

    /// Whether the count may be this.
    #[must_use]
    pub fn holds(&self, count: i64) -> bool {
        self.low <= count && self.high.is_none_or(|high| count <= high)
    }

    fn end(&self) -> i64 {
        self.high.unwrap_or(FAR)
    }
}

/// What the cell says to somebody who knows the terms.
///
/// * Exact: the count.
/// * Rounded half up to base b as v: v − ⌊b/2⌋ to v + ⌈b/2⌉ − 1, and at least t; 0 is exact (release.md, section 1).
/// * Withheld: at least 1, since a zero is always shown; at least 0 where a zero may be withheld.
///
/// Where counts are rounded, most withheld cells are small counts and readers take them so. `Small` cells are therefore granted
/// to be known as 1 to t−1.
pub(super) fn seen(terms: &Terms, mark: Mark, count: i64, size: Size) -> Range {
    let small = i64::try_from(terms.threshold).unwrap_or(FAR) - 1;
    match (mark, terms.showing) {
        (Mark::Withheld, Showing::Rounded { .. }) if size == Size::Small => {
            Range { low: terms.floor(), high: Some(small) }
        }
        (Mark::Withheld, _) => Range { low: terms.floor(), high: None },
        (Mark::Published, _) => read(terms, shown(terms, count)),
    }
}

/// A count as it is published.
pub(super) fn shown(terms: &Terms, count: i64) -> i64 {
    match terms.showing {
        Showing::Exact => count,
        Showing::Rounded { base } => {
            i64::try_from(round_half_up(u64::try_from(count).unwrap_or(0), base)).unwrap_or(FAR)
        }
    }
}

/// What a published number says.
pub(super) fn read(terms: &Terms, shown: i64) -> Range {
    match terms.showing {
        Showing::Rounded { base } if base > 1 && shown != 0 => {
            let (base, least) = (i64::from(base), i64::try_from(terms.threshold).unwrap_or(FAR));
            let low = (shown - base / 2).max(least);
            Range { low, high: Some(shown.saturating_add((base + 1) / 2 - 1)) }
        }
        _ => Range::exactly(shown),
    }
}

/// Whether a cell has 1 to t−1 people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Size {
    Small,
    Other,
}

impl Size {
    pub(super) fn of(terms: &Terms, count: i64) -> Self {
        let threshold = i64::try_from(terms.threshold).unwrap_or(FAR);
        let least = match terms.nobody {
            Nobody::AlwaysShown => 1,
            // A withheld zero is one of the cells that may be taken for small.
            Nobody::MayBeWithheld => 0,
        };
        if (least..threshold).contains(&count) { Self::Small } else { Self::Other }
    }
}

/// A condition on a sum of parts.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) members: Vec<usize>,
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Line {
    pub(super) fn new(members: &[usize], range: Range) -> Self {
        Self { members: members.to_vec(), low: range.low, high: range.end() }
    }

    /// How far a sum is from what the line allows: what would have to be added.
    pub(super) fn lacks(&self, sum: i64) -> i64 {
        match () {
            () if sum < self.low => self.low - sum,
            () if sum > self.high => self.high - sum,
            () => 0,
        }
    }
}

/// All tables that a release allows.
///
/// `lower`, `upper` and `lines` are the same conditions made short for the search; [`View::allows`] is the exact check and reads
/// the cells themselves.
pub(super) struct View<'a> {
    layout: &'a Layout,
    ranges: Vec<Range>,
    pub(super) lower: Vec<i64>,
    pub(super) upper: Vec<i64>,
    pub(super) lines: Vec<Line>,
    /// For each part the lines that count it.
    pub(super) lines_of: Vec<Vec<usize>>,
    /// Numbers in all lines and bounds: what one pass over them looks at.
    size: usize,
}

impl<'a> View<'a> {
    pub(super) fn new(layout: &'a Layout, ranges: Vec<Range>) -> Self {
        let lines = layout.cells.iter().zip(&ranges).map(|(c, r)| Line::new(c, *r)).collect();
        let parts = layout.parts();
        let mut view = Self {
            layout,
            ranges,
            lower: vec![0; parts],
            upper: vec![FAR; parts],
            lines,
            lines_of: vec![Vec::new(); parts],
            size: 0,
        };
        while view.shorten() {}
        view.index();
        view.size = parts + view.lines.iter().map(|line| line.members.len()).sum::<usize>();
        view
    }

    pub(super) const fn size(&self) -> usize {
        self.size
    }

    pub(super) fn members(&self, cell: usize) -> &[usize] {
        self.layout.members(cell)
    }

    /// The exact integer check: every cell of every table, this one's and the register's.
    pub(super) fn allows(&self, table: &[i64]) -> bool {
        allows(&self.layout.cells, &self.ranges, self.layout.parts(), table)
    }

    /// Whether a part has but one possible count by its own bounds.
    pub(super) fn is_fixed(&self, part: usize) -> bool {
        self.lower.get(part) == self.upper.get(part)
    }

    /// Takes known parts out of the lines and turns lines of one part into bounds. Whether that made a bound tighter.
    fn shorten(&mut self) -> bool {
        let mut tighter = Tighter::No;
        for mut line in std::mem::take(&mut self.lines) {
            self.take_out_known(&mut line);
            match line.members.as_slice() {
                [] => {}
                [part] => tighter = tighter.or(self.bound(*part, &line)),
                _ if self.is_idle(&line) => {}
                _ => self.lines.push(line),
            }
        }
        tighter == Tighter::Yes
    }

    fn take_out_known(&self, line: &mut Line) {
        let known: i64 =
            line.members.iter().filter(|&&m| self.is_fixed(m)).filter_map(|&m| self.lower.get(m)).sum();
        line.members.retain(|&m| !self.is_fixed(m));
        line.low -= known;
        if line.high < FAR {
            line.high -= known;
        }
    }

    fn bound(&mut self, part: usize, line: &Line) -> Tighter {
        let mut tighter = Tighter::No;
        if let Some(lower) = self.lower.get_mut(part).filter(|lower| **lower < line.low) {
            *lower = line.low;
            tighter = Tighter::Yes;
        }
        if let Some(upper) = self.upper.get_mut(part).filter(|upper| **upper > line.high) {
            *upper = line.high;
            tighter = Tighter::Yes;
        }
        tighter
    }

    /// Whether the bounds of the parts alone keep the line.
    fn is_idle(&self, line: &Line) -> bool {
        let least: i64 = line.members.iter().filter_map(|&m| self.lower.get(m)).sum();
        line.high >= FAR && least >= line.low
    }

    fn index(&mut self) {
        for (at, line) in self.lines.iter().enumerate() {
            for &member in &line.members {
                if let Some(list) = self.lines_of.get_mut(member) {
                    list.push(at);
                }
            }
        }
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Tighter {
    No,
    Yes,
}

impl Tighter {
    const fn or(self, other: Self) -> Self {
        match self {
            Self::Yes => Self::Yes,
            Self::No => other,
        }
    }
}

/// Whether a table of `parts` counts, none of them negative, keeps every cell within its range.
pub(super) fn allows(cells: &[Vec<usize>], ranges: &[Range], parts: usize, table: &[i64]) -> bool {
    table.len() == parts
        && cells.len() == ranges.len()
        && table.iter().all(|count| (0..FAR).contains(count))
        && cells.iter().zip(ranges).all(|(cell, range)| range.holds(people(table, cell)))
}
