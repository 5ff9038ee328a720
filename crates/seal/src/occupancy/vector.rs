//! What one partner puts inside the mask.

use std::fmt;
use zeroize::{Zeroize as _, Zeroizing};

use cairn_question::{Breakdown, Hash};

use crate::layout::{Plain, VECTOR_BYTES_MAX};
use crate::occupancy::NotCounted;
use crate::occupancy::terms::{Buckets, CountTerms};
use crate::prg;
use crate::refused::Refused;

/// In which buckets a partner knows somebody. A pseudonym of everybody it knows: it stays in memory, is wiped, and shows nothing.
pub struct Occupied {
    buckets: Buckets,
    cells: u32,
    /// In how many cells one key is marked at most.
    cells_per_person: u32,
    /// Cell after cell.
    marks: Zeroizing<Vec<u8>>,
}

/// 32 fresh bytes that one vector's noise is drawn with: symbols and coins are AES-256 in counter mode under them, so the noise is as unpredictable as the cipher. One
/// use, then wiped: the same noise over two vectors would show where they differ.
pub struct FreshNoise(Zeroizing<[u8; 32]>);

impl FreshNoise {
    /// Takes bytes that were drawn for this vector and no other.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let noise = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        noise
    }
}

impl Occupied {
    /// Nobody yet, of a count that is not broken down.
    #[must_use]
    pub fn nobody(buckets: Buckets) -> Self {
        let count = usize::try_from(buckets.count()).unwrap_or_default();
        Self { buckets, cells: 1, cells_per_person: 1, marks: Zeroizing::new(vec![0; count]) }
    }

    /// Nobody yet, in any cell.
    ///
    /// # Errors
    /// [`NotCounted::TooManyCells`] for more buckets than a vector of the narrowest symbols carries.
    pub fn nobody_in(buckets: Buckets, breakdown: Option<Breakdown>) -> Result<Self, NotCounted> {
        let cells = Breakdown::cells_of(breakdown);
        let marks = u64::from(buckets.count()).saturating_mul(u64::from(cells));
        if marks > MARKS_MAX {
            return Err(NotCounted::TooManyCells);
        }
        let marks = usize::try_from(marks).map_err(|_| NotCounted::TooManyCells)?;
        let cells_per_person = Breakdown::cells_per_person_of(breakdown);
        Ok(Self { buckets, cells, cells_per_person, marks: Zeroizing::new(vec![0; marks]) })
    }

    /// Marks the bucket of a linkage hash. Marking it again changes nothing, so a person counts once here too.
    pub fn add(&mut self, hash: &[u8; 32]) {
        self.add_in(hash, &[0]);
    }

    /// Marks the bucket of a linkage hash in each of these cells, and never in more of them than one person is reckoned with: of more, in those that
    /// come first by a hash of both. Every partner of the question has the same hashes, so that a person who is in the same cells at several is marked in the
    /// same of them everywhere.
    ///
    /// All cells of a person at once: what was marked before is not known here.
    pub fn add_in(&mut self, hash: &[u8; 32], cells: &[u32]) {
        let most = usize::try_from(self.cells_per_person).unwrap_or(usize::MAX);
        for cell in chosen(hash, cells, most) {
            let first = usize::try_from(u64::from(cell).saturating_mul(u64::from(self.buckets.count())));
            let at = first.ok().and_then(|first| first.checked_add(self.buckets.of_hash(hash)));
            if let Some(mark) = at.and_then(|at| self.marks.get_mut(at)) {
                *mark = 1;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_marked(&self, cell: u32, hash: &[u8; 32]) -> bool {
        let at = (cell * self.buckets.count()) as usize + self.buckets.of_hash(hash);
        self.marks[at] == 1
    }

    /// The vector: in every bucket, in order and with the same steps, a uniform symbol where somebody is known or a coin of chance λᵢ falls so, and zero elsewhere.
    ///
    /// # Errors
    /// [`Refused::OtherLayout`] for terms of other buckets; [`Refused::NoRandomness`] when the cipher fails.
    #[expect(clippy::needless_pass_by_value, reason = "noise is spent")]
    pub fn vector(&self, terms: &CountTerms, noise: FreshNoise) -> Result<Plain, Refused> {
        if (terms.buckets(), terms.cells()) != (self.buckets, self.cells) {
            return Err(Refused::OtherLayout);
        }
        let mut draws = prg::buffer(self.marks.len().saturating_mul(DRAW_BYTES));
        prg::stream(&noise.0, &mut draws)?;
        let mask = u8::MAX >> (8 - terms.bits().bits());
        let symbol = |(mark, draw): (&u8, &[u8; DRAW_BYTES])| {
            let [coin @ .., symbol] = *draw;
            let fires = mark | u8::from(u32::from_le_bytes(coin) < terms.fire());
            symbol & mask & 0_u8.wrapping_sub(fires)
        };
        let draws = draws.as_chunks::<DRAW_BYTES>().0;
        let symbols: Zeroizing<Vec<u8>> = Zeroizing::new(self.marks.iter().zip(draws).map(symbol).collect());
        Plain::from_symbols(terms.layout()?, &symbols)
    }
}

/// Of a person's cells at most so many, each once.
fn chosen(hash: &[u8; 32], cells: &[u32], most: usize) -> Vec<u32> {
    let mut cells = cells.to_vec();
    cells.sort_unstable();
    cells.dedup();
    if cells.len() > most {
        let rank = |cell: &u32| *Hash::of(&[&hash[..], &cell.to_le_bytes()[..]].concat()).as_bytes();
        cells.sort_by_cached_key(rank);
        cells.truncate(most);
    }
    cells
}

impl fmt::Debug for Occupied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Occupied({} buckets withheld)", self.marks.len())
    }
}
impl fmt::Debug for FreshNoise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreshNoise(withheld)")
    }
}

/// Symbols of two bits, the narrowest of a count, in the longest vector.
const MARKS_MAX: u64 = VECTOR_BYTES_MAX as u64 * 4;

/// A coin of 32 bits and a symbol.
const DRAW_BYTES: usize = 5;
