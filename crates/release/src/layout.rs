//! Which numbers are counted for each cell, and how they lie in one row of numbers on their way through the engine.
//!
//! To count something more of each cell: add a [`Channel`], say in [`Layout::of`] when a plan wants it, and let the engine's
//! tally give its numbers. Everything between passes it through.

use std::collections::BTreeMap;
use std::fmt;

use cairn_question::Measure;

use crate::plan::{Cohort, CountPlan};

/// A number that each cell has. They lie in this order. Complete, not open: whoever counts must know every one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Channel {
    /// People, each once in a cell.
    People,
    /// Their rows; where a column is added up, only those that have a value.
    Rows,
    /// The sum of the column, each row's value clamped to the plan's bounds first.
    Sums,
    /// The sum of the record keys of the people, each once in a cell.
    Keys,
}

/// The numbers of one plan: a channel after the other, each cell by cell, then the people left out by each filter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    cells: usize,
    channels: Vec<Channel>,
    filters: usize,
}

/// The numbers of one plan, told apart. Not serialisable; its `Debug` shows none.
#[derive(Clone, Eq, PartialEq)]
pub struct Counted {
    pub(crate) channels: BTreeMap<Channel, Vec<u64>>,
    pub(crate) left_out: Vec<u64>,
}

impl Layout {
    /// What a plan wants counted.
    #[must_use]
    pub fn of(plan: &CountPlan) -> Self {
        let channels = match plan.measure {
            Measure::People if plan.record_keys.is_some() => vec![Channel::People, Channel::Keys],
            Measure::People => vec![Channel::People],
            Measure::Rows => vec![Channel::People, Channel::Rows],
            Measure::Sum(_) | Measure::Mean(_) => vec![Channel::People, Channel::Rows, Channel::Sums],
        };
        let filters = match plan.cohort {
            Cohort::Counted => plan.filters.len(),
            Cohort::NotCounted => 0,
        };
        Self::new(plan.grid.cells(), &channels, filters)
    }

    /// These channels of so many cells, and a count for each of so many filters.
    #[must_use]
    pub fn new(cells: usize, channels: &[Channel], filters: usize) -> Self {
        let mut channels = channels.to_vec();
        channels.sort_unstable();
        channels.dedup();
        Self { cells, channels, filters }
    }

    /// How many cells.
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.cells
    }

    /// How many filters have a count of the people that they alone leave out.
    #[must_use]
    pub const fn filters(&self) -> usize {
        self.filters
    }

    /// Whether each cell has this number.
    #[must_use]
    pub fn has(&self, channel: Channel) -> bool {
        self.channels.contains(&channel)
    }

    /// How many numbers there are.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.cells * self.channels.len() + self.filters
    }

    /// Lays the numbers out: `of` gives a channel's, cell by cell.
    pub fn join(&self, of: impl Fn(Channel) -> Vec<u64>, left_out: &[u64]) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.channels.iter().flat_map(|channel| of(*channel)).collect();
        numbers.extend(left_out);
        numbers
    }

    /// Tells the numbers apart; `None` where they are not as many as there must be.
    #[must_use]
    pub fn split(&self, numbers: &[u64]) -> Option<Counted> {
        let (cells, left_out) = numbers.split_at_checked(self.cells * self.channels.len())?;
        let parts = cells.chunks(self.cells.max(1)).map(<[u64]>::to_vec);
        let channels: BTreeMap<Channel, Vec<u64>> = self.channels.iter().copied().zip(parts).collect();
        let whole = channels.len() == self.channels.len() && left_out.len() == self.filters;
        whole.then(|| Counted { channels, left_out: left_out.to_vec() })
    }
}

impl Counted {
    /// A channel's numbers, cell by cell; empty where it was not counted.
    #[must_use]
    pub fn of(&self, channel: Channel) -> &[u64] {
        self.channels.get(&channel).map_or(&[], Vec::as_slice)
    }

    /// For each filter, the people that it alone leaves out.
    #[must_use]
    pub fn left_out(&self) -> &[u64] {
        &self.left_out
    }

    /// Whether these are the numbers of this layout: every channel of it and no other, one number for each cell.
    pub(crate) fn fits(&self, layout: &Layout) -> bool {
        self.channels.keys().eq(&layout.channels)
            && self.channels.values().all(|numbers| numbers.len() == layout.cells)
            && self.left_out.len() == layout.filters
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<&Channel> = self.channels.keys().collect();
        write!(f, "Counted({channels:?} withheld)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_laid_out_are_told_apart_again() {
        let check = |channels: &[Channel], filters: usize, numbers: &[u64]| {
            let layout = Layout::new(2, channels, filters);
            assert_eq!(layout.numbers(), numbers.len());
            let counted = layout.split(numbers).unwrap();
            assert!(counted.fits(&layout));
            assert_eq!(layout.join(|c| counted.of(c).to_vec(), counted.left_out()), numbers);
            assert_eq!(layout.split(&[numbers, &[1]].concat()), None);
            assert_eq!(numbers.split_last().and_then(|(_, fewer)| layout.split(fewer)), None);
            counted
        };
        use Channel::{People, Rows, Sums};
        check(&[People], 0, &[1, 2]);
        check(&[People], 1, &[1, 2, 7]);
        let all = check(&[Sums, People, Rows], 2, &[1, 2, 3, 4, 50, 60, 7, 8]);
        assert_eq!((all.of(People), all.of(Rows), all.of(Sums)), (&[1, 2][..], &[3, 4][..], &[50, 60][..]));
        assert_eq!(all.left_out(), [7, 8]);
        assert!(!all.fits(&Layout::new(2, &[People, Sums], 2)));
        assert_eq!(format!("{all:?}"), "Counted([People, Rows, Sums] withheld)");
    }
}
