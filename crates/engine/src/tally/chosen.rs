//! Which cells of a person count, where they are in more than the bound on cells.

use std::sync::Arc;

use cairn_release::Bounds;
use ring::hmac;

/// Ranks a person's cells by a keyed hash; those that rank lowest count.
///
/// The hash is tabulation hashing (Zobrist 1970; its spread is Pătraşcu and Thorup's, J. ACM 59 (3), 2012): each cell has a secret number,
/// by HMAC-SHA-256 under the node's key; a person's own number is the sum over the cells that they are in; a cell ranks by both, mixed.
/// That is a few nanoseconds a person where a hash of their rows would be a microsecond.
///
/// The person's number in the snapshot has no part in it: it is a rank among all persons, so that one person more or less would change
/// what is kept of every later one, and the bound on what one person can change would not hold.
#[derive(Clone)]
pub(super) struct Chosen {
    most: usize,
    /// A secret number for each cell.
    numbers: Arc<[u64]>,
}

/// Lowest first; the cell settles what is equal.
pub(super) type Rank = (u64, u32);

/// So few cells are ranked by comparing each with each.
const FEW: usize = 8;

impl Chosen {
    /// `None` where the bounds let a person be in every cell.
    pub(super) fn new(bounds: &Bounds, cells: usize) -> Option<Self> {
        let most = usize::try_from(bounds.groups_per_person?).unwrap_or(usize::MAX);
        Some(Self { most, numbers: secret_numbers(cells, &bounds.cap_key) })
    }

    /// Most cells that a person counts in.
    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// The ranks of a person's cells, each given once, into `ranks` in the same order; and the lowest rank that no longer counts:
    /// exactly [`most`](Self::most) are below it, or all where there are no more.
    pub(super) fn rank(&self, cells: impl Iterator<Item = u32> + Clone, ranks: &mut Vec<Rank>) -> Rank {
        let own = cells.clone().fold(0_u64, |own, cell| own.wrapping_add(self.number(cell)));
        ranks.clear();
        ranks.extend(cells.map(|cell| (mixed(own ^ self.number(cell)), cell)));
        match ranks.len() {
            within if within <= self.most => (u64::MAX, u32::MAX),
            ..=FEW => nth_of_few(ranks, self.most),
            _ => *ranks.clone().select_nth_unstable(self.most).1,
        }
    }

    fn number(&self, cell: u32) -> u64 {
        self.numbers.get(super::index(cell)).copied().unwrap_or_default()
    }
}

/// The rank that so many are lower than. Which of a few is lower is not to be foreseen, so it is counted without a branch.
fn nth_of_few(ranks: &[Rank], n: usize) -> Rank {
    let lower = |(rank, cell): &Rank| {
        let is_lower = |(r, c): &Rank| usize::from((r < rank) | ((r == rank) & (c < cell)));
        ranks.iter().map(is_lower).sum::<usize>()
    };
    ranks.iter().fold((0, 0), |found, rank| if lower(rank) == n { *rank } else { found })
}

/// Four cells a call: a digest is four numbers.
fn secret_numbers(cells: usize, key: &[u8; 32]) -> Arc<[u64]> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let four = |at: u64| {
        let mut context = hmac::Context::with_key(&key);
        context.update(b"cairn cells of one person v2");
        context.update(&at.to_le_bytes());
        context.sign()
    };
    let of_digest = |digest: hmac::Tag| {
        let (words, _) = digest.as_ref().as_chunks::<8>();
        words.iter().map(|word| u64::from_le_bytes(*word)).collect::<Vec<_>>()
    };
    (0_u64..).map(four).flat_map(of_digest).take(cells).collect()
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit in moves every bit out.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn chosen(key: u8, most: u32, cells: usize) -> Chosen {
        let bounds = Bounds { rows_per_person: None, groups_per_person: Some(most), cap_key: [key; 32] };
        Chosen::new(&bounds, cells).unwrap()
    }

    fn kept(of: &Chosen, cells: &[u32]) -> Vec<u32> {
        let mut ranks = Vec::new();
        let end = of.rank(cells.iter().copied(), &mut ranks);
        let mut kept: Vec<u32> = ranks.iter().filter(|rank| **rank < end).map(|(_, cell)| *cell).collect();
        kept.sort_unstable();
        kept
    }

    #[test]
    fn all_of_a_person_within_the_bound_stays_in_any_order() {
        let of = chosen(1, 3, 9);
        assert_eq!(kept(&of, &[8, 0, 4]), [0, 4, 8]);
        assert_eq!(kept(&of, &[]), [] as [u32; 0]);
        assert_eq!(kept(&of, &[7, 1, 5, 2, 3]), kept(&of, &[3, 2, 5, 1, 7]));
    }

    /// Every pair of five cells is kept about as often as any other: 300 of 3,000 keys and sets, a standard deviation of 16.4.
    #[test]
    fn no_cell_is_favoured() {
        let mut pairs: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
        for key in 0..100 {
            let of = chosen(key, 2, 400);
            for set in 0..30_u32 {
                let cells: Vec<u32> = (0..5).map(|n| set * 13 + n).collect();
                *pairs.entry(kept(&of, &cells).iter().map(|cell| cell - set * 13).collect()).or_default() +=
                    1;
            }
        }
        assert_eq!(pairs.len(), 10);
        assert!(pairs.values().all(|n| n.abs_diff(300) < 82), "within 5 standard deviations: {pairs:?}");
    }

    #[test]
    fn exactly_so_many_are_kept_of_few_and_of_many() {
        for (most, cells) in [(0, 2), (1, 2), (2, 8), (3, 9), (8, 9), (5, 400)] {
            let of = chosen(7, most, 400);
            let kept = kept(&of, &(0..cells).collect::<Vec<u32>>());
            assert_eq!(kept.len(), of.most(), "{most} of {cells}");
        }
    }

    #[test]
    fn a_cell_has_the_same_number_in_a_table_of_any_size() {
        assert_eq!(chosen(1, 2, 9).numbers[..], chosen(1, 2, 400).numbers[..9]);
        assert_ne!(chosen(1, 2, 9).numbers, chosen(2, 2, 9).numbers);
    }
}
