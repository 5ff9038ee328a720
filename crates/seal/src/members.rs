//! Who takes part: node ids, and sets of them as places in the roster.

use std::fmt;

use cairn_question::id::{hex, unhex};
use cairn_question::limits::PARTNERS_MAX;
use cairn_question::{Hash, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::refused::Refused;

/// A node's own number in the roster: 16 bytes, printed as 32 hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId([u8; 16]);

/// A set of nodes, as places in a roster that is sorted by node id. Written as hexadecimal digits, the first place in the lowest bit of the first byte.
///
/// A set of 500 nodes is 63 bytes, where their ids would be 8,000. It means nothing without the roster's hash, which every document names beside it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Members(Vec<u8>);

impl NodeId {
    /// The number of the node that signs with this key: the first half of the key's SHA-256. A new key is a new node.
    #[must_use]
    pub fn of_key(key: &VerifyingKey) -> Self {
        let mut id = [0; 16];
        id.iter_mut().zip(Hash::of(key.as_bytes()).as_bytes()).for_each(|(to, from)| *to = *from);
        Self(id)
    }

    /// Takes the bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Members {
    /// The set of these places.
    ///
    /// # Errors
    /// [`Refused::Members`] for a place at or above [`PARTNERS_MAX`].
    pub fn of(places: impl IntoIterator<Item = usize>) -> Result<Self, Refused> {
        let mut bytes = vec![0_u8; PARTNERS_MAX.div_ceil(8)];
        for place in places {
            let byte = bytes.get_mut(place / 8).ok_or(Refused::Members)?;
            *byte |= 1 << (place % 8);
        }
        Ok(Self::trimmed(bytes))
    }

    /// The set that these bytes write. There is one way to write a set: the last byte is not 0.
    ///
    /// # Errors
    /// [`Refused::Members`] for more places than a federation has, or a last byte of 0.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refused> {
        let fits = bytes.len() <= PARTNERS_MAX.div_ceil(8) && bytes.last() != Some(&0);
        if fits { Ok(Self(bytes.to_vec())) } else { Err(Refused::Members) }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many nodes are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().filter_map(|byte| usize::try_from(byte.count_ones()).ok()).sum()
    }

    /// Whether nobody is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this place is in it.
    #[must_use]
    pub fn contains(&self, place: usize) -> bool {
        self.0.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1)
    }

    /// Whether every place of it is in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.places().all(|place| other.contains(place))
    }

    /// Those of it that `keep` says.
    #[must_use]
    pub fn keep(&self, keep: impl Fn(&usize) -> bool) -> Self {
        let byte = |(at, byte): (usize, &u8)| {
            let bits = (0..8).filter(|bit| byte >> bit & 1 == 1 && keep(&(at * 8 + bit)));
            bits.fold(0_u8, |kept, bit| kept | 1 << bit)
        };
        Self::trimmed(self.0.iter().enumerate().map(byte).collect())
    }

    /// Those of it that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.keep(|place| !other.contains(*place))
    }

    /// The places, rising.
    pub fn places(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.0.len().saturating_mul(8)).filter(|place| self.contains(*place))
    }

    fn trimmed(mut bytes: Vec<u8>) -> Self {
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        Self(bytes)
    }
}

impl TryFrom<String> for NodeId {
    type Error = Refused;
    fn try_from(text: String) -> Result<Self, Refused> {
        let bytes = unhex(&text).ok_or(Refused::Members)?;
        bytes.try_into().map(Self).map_err(|_| Refused::Members)
    }
}
impl From<NodeId> for String {
    fn from(id: NodeId) -> Self {
        id.to_string()
    }
}
impl TryFrom<String> for Members {
    type Error = Refused;
    fn try_from(text: String) -> Result<Self, Refused> {
        Self::from_bytes(&unhex(&text).ok_or(Refused::Members)?)
    }
}
impl From<Members> for String {
    fn from(members: Members) -> Self {
        hex(&members.0)
    }
}
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}
impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

#[cfg(test)]
mod tests;
