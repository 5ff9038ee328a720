//! Record keys: one for each person, made from a secret of the node.

use ring::hmac;
use std::fmt;

/// How many keys there are. A key is 0 to 255.
pub const KEYS: usize = 256;

/// What a node makes record keys with: 32 random bytes, kept for the life of the records.
///
/// A new secret gives every cell a new perturbation, and old and new answers could be averaged. Changing it is therefore an event
/// that the board signs, and never a routine.
pub struct NodeSecret(hmac::Key);

/// The key of one person, 0 to 255, constant for life.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct RecordKey(u8);

/// A record without a person id has no key: it would be everybody's and nobody's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a record without a person id has no record key")]
pub struct NoPersonId;

impl NodeSecret {
    /// Takes the node's 32 random bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The key of a person: HMAC-SHA256 over the length of `schema` (8 bytes, big-endian), `schema` and `person`, as one number
    /// modulo 256. The length keeps two different pairs from being written alike.
    ///
    /// * `schema`: the data dictionary and its table, such as `smf/participants`.
    /// * `person`: the stable id of the person at this partner; of linked records, the one that they were linked under.
    ///
    /// # Errors
    /// [`NoPersonId`] where `person` is empty.
    pub fn record_key(&self, schema: &str, person: &[u8]) -> Result<RecordKey, NoPersonId> {
        if person.is_empty() {
            return Err(NoPersonId);
        }
        let mut message = hmac::Context::with_key(&self.0);
        let length = u64::try_from(schema.len()).unwrap_or(u64::MAX);
        message.update(&length.to_be_bytes());
        message.update(schema.as_bytes());
        message.update(person);
        let tag = message.sign();
        // A big-endian number modulo 256 is its last byte.
        Ok(RecordKey(tag.as_ref().last().copied().unwrap_or_default()))
    }
}

impl RecordKey {
    /// A key that was kept beside the record: made at load by [`NodeSecret::record_key`], or by whoever drew the records.
    #[must_use]
    pub const fn stored(key: u8) -> Self {
        Self(key)
    }

    /// The key as it is kept beside the record, inside the node.
    #[must_use]
    pub const fn to_store(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for NodeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeSecret(..)")
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKey(..)")
    }
}

#[cfg(test)]
mod tests;
