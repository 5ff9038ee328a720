use cairn_question::limits::CELLS_MAX;

use super::items::{Item, NEW, OLD};

/// Most columns of one side in any question: the limit of questions for filters, which is the larger.
pub(crate) const PICKS_MAX: usize = cairn_question::limits::FILTERS_MAX;

/// What may stand on one side: columns in order of name, each with its grains.
pub(crate) struct Side {
    pub(crate) items: Vec<Item>,
    /// For each column its items, as first and one past the last.
    columns: Vec<(u16, u16)>,
    /// Most columns together under the old policy and under the new.
    pub(crate) most: [u32; 2],
}

/// Items of one side that go together, and what is left of the word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Set {
    pub(crate) word: u64,
    pub(crate) len: usize,
    /// Item numbers, rising; unused places hold `u16::MAX`.
    pub(crate) picks: [u16; PICKS_MAX],
    cells: usize,
}

impl Set {
    pub(super) const EMPTY: Self = Self { word: u64::MAX, len: 0, picks: [u16::MAX; PICKS_MAX], cells: 1 };

    pub(crate) fn picked(&self) -> impl Iterator<Item = usize> {
        self.picks.iter().take(self.len).map(|p| usize::from(*p))
    }

    /// Fewer columns, or as many that come before by name.
    pub(super) fn before(&self, other: &Self) -> bool {
        (self.len, self.picks) < (other.len, other.picks)
    }

    fn with(&self, number: u16, item: &Item) -> Self {
        let mut set = *self;
        if let Some(place) = set.picks.get_mut(self.len) {
            *place = number;
        }
        set.len += 1;
        set.word &= item.word;
        set.cells = set.cells.saturating_mul(item.cells);
        set
    }
}

impl Side {
    pub(super) const fn empty() -> Self {
        Self { items: Vec::new(), columns: Vec::new(), most: [0, 0] }
    }

    /// One column with its grains.
    pub(super) fn add(&mut self, items: Vec<Item>) {
        let number = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let first = number(self.items.len());
        self.items.extend(items);
        self.columns.push((first, number(self.items.len())));
    }

    /// Most columns together that are tried.
    fn widest(&self) -> usize {
        let [old, new] = self.most;
        usize::try_from(old.max(new)).unwrap_or(PICKS_MAX).min(PICKS_MAX)
    }

    /// How many sets there are: of each size, the sum over columns of the products of their grains.
    pub(crate) fn count(&self) -> u128 {
        let mut by_size = vec![0_u128; self.widest() + 1];
        if let Some(none) = by_size.first_mut() {
            *none = 1;
        }
        for (first, end) in &self.columns {
            let grains = u128::from(end.saturating_sub(*first));
            let fewer = by_size.clone();
            for (size, before) in by_size.iter_mut().skip(1).zip(fewer) {
                *size = size.saturating_add(before.saturating_mul(grains));
            }
        }
        by_size.into_iter().fold(0, u128::saturating_add)
    }

    /// Every set of one item, with the item.
    pub(crate) fn alone(&self) -> impl Iterator<Item = (Set, &Item)> {
        let numbered = (0_u16..).zip(&self.items);
        numbered.map(|(number, item)| (self.whole(&Set::EMPTY.with(number, item)), item))
    }

    /// Every set, the empty one too, each once.
    pub(crate) fn each(&self, then: &mut impl FnMut(&Set)) {
        self.extend(&Set::EMPTY, 0, then);
    }

    fn extend(&self, set: &Set, from: usize, then: &mut impl FnMut(&Set)) {
        then(&self.whole(set));
        if set.len == self.widest() {
            return;
        }
        for (nth, (first, end)) in self.columns.iter().enumerate().skip(from) {
            for number in *first..*end {
                if let Some(item) = self.items.get(usize::from(number)) {
                    self.extend(&set.with(number, item), nth + 1, then);
                }
            }
        }
    }

    /// The set with what is decided of all its items together.
    fn whole(&self, set: &Set) -> Set {
        let mut word = set.word;
        let [old, new] = self.most;
        for (bit, most) in [(OLD, old), (NEW, new)] {
            if u32::try_from(set.len).map_or(true, |len| len > most) {
                word &= !bit;
            }
        }
        if set.cells > CELLS_MAX {
            word &= !(OLD | NEW);
        }
        Set { word, ..*set }
    }
}
