use super::sets::Set;

/// What a kind loses as soon as no bit of `mask` is left in its word: all of a list of terms are there.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Apart {
    pub(crate) mask: u64,
    /// The low bits that are taken away.
    pub(crate) clears: u8,
}

/// The sets of the side that has fewer, ready to be laid against each set of the other.
pub(super) struct Inner {
    pub(super) sets: Vec<Set>,
    words: Vec<u64>,
    lows: Vec<u8>,
    verdicts: Vec<u8>,
}

impl Inner {
    /// In the order of the smallest: fewest columns, then by name.
    pub(super) fn new(mut sets: Vec<Set>) -> Self {
        sets.sort_by_key(|s| (s.len, s.picks));
        let words: Vec<u64> = sets.iter().map(|s| s.word).collect();
        let lows: Vec<u8> = words.iter().map(|w| low(*w)).collect();
        let verdicts = vec![0; sets.len()];
        Self { sets, words, lows, verdicts }
    }

    /// The verdicts of the kinds tried last, in the order of the sets.
    pub(super) fn verdicts(&self) -> &[u8] {
        &self.verdicts
    }

    /// Tries every kind that has this outer set.
    pub(super) fn try_each(&mut self, outer: u64, apart: &[Apart]) {
        if apart.is_empty() {
            let outer = low(outer);
            for (verdict, inner) in self.verdicts.iter_mut().zip(&self.lows) {
                *verdict = outer & inner;
            }
        } else {
            for (verdict, inner) in self.verdicts.iter_mut().zip(&self.words) {
                *verdict = tried(outer & inner, apart);
            }
        }
    }
}

pub(super) fn tried(word: u64, apart: &[Apart]) -> u8 {
    let mut verdict = low(word);
    for list in apart {
        let gone = if word & list.mask == 0 { list.clears } else { 0 };
        verdict &= !gone;
    }
    verdict
}

const fn low(word: u64) -> u8 {
    let [low, ..] = word.to_le_bytes();
    low
}

/// How many verdicts have exactly these bits of a mask.
pub(super) fn count(verdicts: &[u8], mask: u8, value: u8) -> u64 {
    let mut all = 0_u64;
    // In runs that a byte can count, so that the machine compares many at a time.
    for run in verdicts.chunks(255) {
        let found: u8 = run.iter().map(|v| u8::from(v & mask == value)).fold(0, u8::wrapping_add);
        all += u64::from(found);
    }
    all
}
