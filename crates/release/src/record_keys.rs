//! Who has which record key, for the engine that adds them up: the node's secret without the rest of `cell-key`.

use std::fmt;
use std::sync::Arc;

use cairn_disclosure::cell_key::{NoPersonId, NodeSecret};

/// Gives people their record keys. Cheap to clone; its `Debug` shows nothing.
#[derive(Clone)]
pub struct RecordKeys {
    secret: Arc<NodeSecret>,
}

impl RecordKeys {
    /// The record keys of a node.
    ///
    /// `cap_key`: the node's own 32 bytes, which are never made anew. No other message under them begins as a record key's does, with the
    /// length of a name in eight bytes.
    #[must_use]
    pub fn new(cap_key: &[u8; 32]) -> Self {
        Self { secret: Arc::new(NodeSecret::new(cap_key)) }
    }

    /// The key of the person with this id, 0 to 255; `None` for an empty id, which would be everybody's and nobody's.
    #[must_use]
    pub fn of(&self, person: &str) -> Option<u8> {
        match self.secret.record_key(DICTIONARY, person.as_bytes()) {
            Ok(key) => Some(key.to_store()),
            Err(NoPersonId) => None,
        }
    }
}

/// What is hashed with the person's id. The dictionary and not a table of it: a member of staff who is a participant too is one person.
const DICTIONARY: &str = "smf";

impl fmt::Debug for RecordKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKeys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_key_for_life_at_one_node() {
        let keys = |secret: u8| RecordKeys::new(&[secret; 32]);
        let of = |secret: u8, person: &str| keys(secret).of(person);
        assert_eq!(of(1, "P-0001"), of(1, "P-0001"));
        assert_eq!(of(1, ""), None);
        let people: Vec<String> = (0..64).map(|n| format!("P-{n}")).collect();
        let all = |secret: u8| people.iter().map(|p| of(secret, p).unwrap()).collect::<Vec<u8>>();
        assert_ne!(all(1), all(2), "another node gives other keys");
        assert!(all(1).iter().collect::<std::collections::BTreeSet<_>>().len() > 40, "keys are spread");
        assert_eq!(format!("{:?}", keys(1)), "RecordKeys(..)");
    }
}
