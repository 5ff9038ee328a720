use std::collections::BTreeMap;

use super::sets::{Set, Side};

/// What a kind loses as soon as no bit of `mask` is left in its word: all of a list of terms are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Apart {
    pub(super) mask: u64,
    /// The bits that are taken away.
    pub(super) clears: u64,
}

/// The verdict of a kind, from the AND of the words of its parts.
pub(super) fn verdict(word: u64, apart: &[Apart]) -> u64 {
    let gone = apart.iter().filter(|list| word & list.mask == 0);
    gone.fold(word, |word, list| word & !list.clears)
}

/// The sets of one side that have one word. A verdict depends on words alone, so with any set of the other side all of
/// them come out alike.
pub(super) struct Alike {
    pub(super) word: u64,
    /// How many.
    pub(super) sets: u64,
    /// Fewest columns, then by name.
    pub(super) smallest: Set,
}

/// Every set of a side, each made and looked at, laid beside those that are decided alike.
pub(super) fn alike(side: &Side) -> Vec<Alike> {
    let mut known: BTreeMap<u64, Alike> = BTreeMap::new();
    side.each(&mut |set| {
        let first = Alike { word: set.word, sets: 0, smallest: *set };
        let alike = known.entry(set.word).or_insert(first);
        alike.sets += 1;
        if set.before(&alike.smallest) {
            alike.smallest = *set;
        }
    });
    known.into_values().collect()
}
