//! How a table lies in bytes, and how such vectors add up.
//!
//! Words are little-endian on the wire and in memory, on every machine. Sums are modulo 2⁶⁴, modulo 2³², or bit by bit.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::refused::Refused;

/// Most bytes of one vector: with signatures and a head it fits one frame of the link (1 MiB).
///
/// 122,880 words of 64 bits; 2²⁰ buckets of 5 bits.
pub const VECTOR_BYTES_MAX: usize = 15 << 16;
const _: () = assert!(VECTOR_BYTES_MAX + 4_096 <= cairn_question::limits::FRAME_BYTES_MAX, "fits one frame");

/// In which group a round's vectors add up. Complete: another one is another version of the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ring {
    /// Words of 64 bits, added modulo 2⁶⁴.
    U64,
    /// Words of 32 bits, added modulo 2³².
    U32,
    /// Symbols of so many bits, packed from the lowest bit of the first byte, added bit by bit.
    Xor(SymbolBits),
}

/// Bits of one symbol: 1 to 8.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct SymbolBits(u8);

/// How many symbols a vector has, and of which ring. At least one symbol, at most [`VECTOR_BYTES_MAX`] bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "LayoutDoc", into = "LayoutDoc")]
pub struct Layout {
    ring: Ring,
    symbols: u32,
}

/// A vector nobody else may see: a partner's own, or a sum before it is protected. Wiped when dropped.
pub struct Plain {
    layout: Layout,
    bytes: Zeroizing<Vec<u8>>,
}

/// A masked vector: without every opening it says nothing, so it may travel.
#[derive(Clone, Eq, PartialEq)]
pub struct Masked {
    layout: Layout,
    bytes: Vec<u8>,
}

/// Whether a stream is added or taken away. Complete: there are two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Added.
    Add,
    /// Taken away.
    Subtract,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayoutDoc {
    ring: Ring,
    symbols: u32,
}

impl SymbolBits {
    /// Takes 1 to 8.
    ///
    /// # Errors
    /// [`Refused::Layout`] for anything else.
    pub const fn new(bits: u8) -> Result<Self, Refused> {
        if bits >= 1 && bits <= 8 { Ok(Self(bits)) } else { Err(Refused::Layout { symbols: 0 }) }
    }

    /// The number of bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl Ring {
    /// Bits of one symbol: 64, 32, or 1 to 8.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::U64 => 64,
            Self::U32 => 32,
            Self::Xor(bits) => bits.0 as u32,
        }
    }
}

impl Layout {
    /// A vector of `symbols` of `ring`.
    ///
    /// # Errors
    /// [`Refused::Layout`] for no symbols, or for more than [`VECTOR_BYTES_MAX`] bytes.
    pub fn new(ring: Ring, symbols: usize) -> Result<Self, Refused> {
        let refused = Refused::Layout { symbols };
        let layout = Self { ring, symbols: u32::try_from(symbols).map_err(|_| refused.clone())? };
        if symbols > 0 && layout.bytes() <= VECTOR_BYTES_MAX { Ok(layout) } else { Err(refused) }
    }

    /// The ring.
    #[must_use]
    pub const fn ring(self) -> Ring {
        self.ring
    }

    /// How many symbols.
    #[must_use]
    pub fn symbols(self) -> usize {
        usize::try_from(self.symbols).unwrap_or(usize::MAX)
    }

    /// Bytes of one vector; the last byte's spare bits are 0 in a plain one.
    #[must_use]
    pub fn bytes(self) -> usize {
        let bits = u64::from(self.symbols) * u64::from(self.ring.bits());
        usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX)
    }
}

impl Plain {
    /// Zeros.
    #[must_use]
    pub fn zero(layout: Layout) -> Self {
        Self { layout, bytes: Zeroizing::new(vec![0; layout.bytes()]) }
    }

    /// Signed numbers as words in two's complement, one for each symbol.
    ///
    /// # Errors
    /// [`Refused::OtherLayout`] for another number of values or symbols of bits; [`Refused::TooWide`] for a value beyond 32 bits in a ring of 32.
    pub fn from_values(layout: Layout, values: &[i64]) -> Result<Self, Refused> {
        let mut plain = Self::zero(layout);
        if values.len() != layout.symbols() {
            return Err(Refused::OtherLayout);
        }
        match layout.ring {
            Ring::U64 => {
                for (word, value) in plain.bytes.chunks_exact_mut(8).zip(values) {
                    word.copy_from_slice(&value.to_le_bytes());
                }
            }
            Ring::U32 => {
                for (word, value) in plain.bytes.chunks_exact_mut(4).zip(values) {
                    let value = i32::try_from(*value).map_err(|_| Refused::TooWide)?;
                    word.copy_from_slice(&value.to_le_bytes());
                }
            }
            Ring::Xor(_) => return Err(Refused::OtherLayout),
        }
        Ok(plain)
    }

    /// Symbols of a few bits, packed.
    ///
    /// # Errors
    /// [`Refused::OtherLayout`] for another number of symbols or a ring of words; [`Refused::TooWide`] for a symbol beyond its bits.
    pub fn from_symbols(layout: Layout, symbols: &[u8]) -> Result<Self, Refused> {
        let Ring::Xor(SymbolBits(bits)) = layout.ring else { return Err(Refused::OtherLayout) };
        if symbols.len() != layout.symbols() {
            return Err(Refused::OtherLayout);
        }
        let mut plain = Self::zero(layout);
        let (mut held, mut held_bits) = (0_u16, 0_u8);
        let mut to = plain.bytes.iter_mut();
        for symbol in symbols {
            if u16::from(*symbol) >> bits != 0 {
                return Err(Refused::TooWide);
            }
            held |= u16::from(*symbol) << held_bits;
            held_bits += bits;
            if held_bits >= 8 {
                let [low, high] = held.to_le_bytes();
                if let Some(byte) = to.next() {
                    *byte = low;
                }
                (held, held_bits) = (u16::from(high), held_bits - 8);
            }
        }
        if let Some(byte) = to.next() {
            *byte = held.to_le_bytes()[0];
        }
        Ok(plain)
    }

    /// The words as signed numbers; `None` for symbols of bits.
    #[must_use]
    pub fn values(&self) -> Option<Vec<i64>> {
        match self.layout.ring {
            Ring::U64 => Some(words(&self.bytes, i64::from_le_bytes).collect()),
            Ring::U32 => Some(words(&self.bytes, i32::from_le_bytes).map(i64::from).collect()),
            Ring::Xor(_) => None,
        }
    }

    /// The symbols of bits, one a byte; `None` for words.
    #[must_use]
    pub fn symbols(&self) -> Option<Vec<u8>> {
        let Ring::Xor(SymbolBits(bits)) = self.layout.ring else { return None };
        let mask = u8::MAX >> (8 - bits);
        let (mut held, mut held_bits) = (0_u16, 0_u8);
        let mut from = self.bytes.iter();
        let symbol = |_| {
            if held_bits < bits {
                held |= u16::from(*from.next()?) << held_bits;
                held_bits += 8;
            }
            let low = held.to_le_bytes()[0] & mask;
            held >>= bits;
            held_bits -= bits;
            Some(low)
        };
        (0..self.layout.symbols).map(symbol).collect()
    }

    /// The layout.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether the last byte's spare bits are 0: they are not when masks did not cancel.
    pub(crate) fn is_whole(&self) -> bool {
        let used = u64::from(self.layout.symbols) * u64::from(self.layout.ring.bits()) % 8;
        used == 0 || self.bytes.last().is_none_or(|last| last >> used == 0)
    }

    pub(crate) fn add(&mut self, other: &Masked) -> Result<(), Refused> {
        if self.layout != other.layout {
            return Err(Refused::OtherLayout);
        }
        self.apply(&other.bytes, Side::Add);
        Ok(())
    }

    /// Adds a stream of as many bytes as the vector has.
    pub(crate) fn apply(&mut self, stream: &[u8], side: Side) {
        let into = &mut self.bytes;
        match (self.layout.ring, side) {
            (Ring::U64, Side::Add) => each(into, stream, |a, b| u64s(a).wrapping_add(u64s(b)).to_le_bytes()),
            (Ring::U64, Side::Subtract) => {
                each(into, stream, |a, b| u64s(a).wrapping_sub(u64s(b)).to_le_bytes());
            }
            (Ring::U32, Side::Add) => each(into, stream, |a, b| u32s(a).wrapping_add(u32s(b)).to_le_bytes()),
            (Ring::U32, Side::Subtract) => {
                each(into, stream, |a, b| u32s(a).wrapping_sub(u32s(b)).to_le_bytes());
            }
            (Ring::Xor(_), _) => each(into, stream, |[a]: [u8; 1], [b]| [a ^ b]),
        }
    }

    /// Says that every mask was applied. Only `mask` calls it.
    pub(crate) fn into_masked(self) -> Masked {
        Masked { layout: self.layout, bytes: self.bytes.to_vec() }
    }
}

impl Masked {
    /// A vector as it came.
    ///
    /// # Errors
    /// [`Refused::OtherLayout`] for another number of bytes than the layout has.
    pub fn from_bytes(layout: Layout, bytes: Vec<u8>) -> Result<Self, Refused> {
        if bytes.len() == layout.bytes() { Ok(Self { layout, bytes }) } else { Err(Refused::OtherLayout) }
    }

    /// The bytes as they travel.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The layout.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }
}

/// Combines words one by one. Lengths agree: a layout's bytes are whole words.
fn each<const N: usize>(into: &mut [u8], stream: &[u8], combine: impl Fn([u8; N], [u8; N]) -> [u8; N]) {
    for (to, from) in into.as_chunks_mut().0.iter_mut().zip(stream.as_chunks().0) {
        *to = combine(*to, *from);
    }
}

const fn u64s(word: [u8; 8]) -> u64 {
    u64::from_le_bytes(word)
}

const fn u32s(word: [u8; 4]) -> u32 {
    u32::from_le_bytes(word)
}

fn words<const N: usize, W>(bytes: &[u8], read: fn([u8; N]) -> W) -> impl Iterator<Item = W> {
    bytes.as_chunks::<N>().0.iter().map(move |word| read(*word))
}

impl TryFrom<u8> for SymbolBits {
    type Error = Refused;
    fn try_from(bits: u8) -> Result<Self, Refused> {
        Self::new(bits)
    }
}
impl From<SymbolBits> for u8 {
    fn from(bits: SymbolBits) -> Self {
        bits.0
    }
}
impl TryFrom<LayoutDoc> for Layout {
    type Error = Refused;
    fn try_from(doc: LayoutDoc) -> Result<Self, Refused> {
        Self::new(doc.ring, usize::try_from(doc.symbols).unwrap_or(usize::MAX))
    }
}
impl From<Layout> for LayoutDoc {
    fn from(layout: Layout) -> Self {
        Self { ring: layout.ring, symbols: layout.symbols }
    }
}
impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plain({:?}, {} symbols withheld)", self.layout.ring, self.layout.symbols)
    }
}
impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masked({:?}, {} symbols)", self.layout.ring, self.layout.symbols)
    }
}

#[cfg(test)]
mod tests;
