//! What one partner puts inside the mask.

use std::fmt;
use zeroize::{Zeroize as _, Zeroizing};

use crate::layout::Plain;
use crate::occupancy::terms::{Buckets, CountTerms};
use crate::prg;
use crate::refused::Refused;

/// In which buckets a partner knows somebody. A pseudonym of everybody it knows: it stays in memory, is wiped, and shows nothing.
pub struct Occupied {
    buckets: Buckets,
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
    /// Nobody yet.
    #[must_use]
    pub fn nobody(buckets: Buckets) -> Self {
        let count = usize::try_from(buckets.count()).unwrap_or_default();
        Self { buckets, marks: Zeroizing::new(vec![0; count]) }
    }

    /// Marks the bucket of a linkage hash. Marking it again changes nothing, so a person counts once here too.
    pub fn add(&mut self, hash: &[u8; 32]) {
        if let Some(mark) = self.marks.get_mut(self.buckets.of_hash(hash)) {
            *mark = 1;
        }
    }

    /// The vector: in every bucket, in order and with the same steps, a uniform symbol where somebody is known or a coin of chance λᵢ falls so, and zero elsewhere.
    ///
    /// # Errors
    /// [`Refused::OtherLayout`] for terms of other buckets; [`Refused::NoRandomness`] when the cipher fails.
    #[expect(clippy::needless_pass_by_value, reason = "noise is spent")]
    pub fn vector(&self, terms: &CountTerms, noise: FreshNoise) -> Result<Plain, Refused> {
        if terms.buckets() != self.buckets {
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

impl fmt::Debug for Occupied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Occupied({} buckets withheld)", self.buckets.count())
    }
}
impl fmt::Debug for FreshNoise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreshNoise(withheld)")
    }
}

/// A coin of 32 bits and a symbol.
const DRAW_BYTES: usize = 5;
