//! The end of a partner's ledger, as the partner signs it for others to hold: a backup that was put back is behind it.

use serde::{Deserialize, Serialize};

use crate::day::Moment;
use crate::envelope::{Envelope, SigningKey, VerifyingKey};
use crate::id::{Hash, Name, PartnerId};

/// Payload type of a checkpoint's envelope.
pub const CHECKPOINT_TYPE: &str = "application/vnd.cairn.checkpoint.v1+json";

/// Most bytes of a signed checkpoint: two hashes and two names, base64 in its envelope.
pub const CHECKPOINT_BYTES_MAX: usize = 4_096;

/// The end of a partner's ledger. It says how many entries there are, and nothing of what stands in them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointV1 {
    /// Format, 1.
    pub cairn_checkpoint: u8,
    /// The federation.
    pub federation: Name,
    /// The partner.
    pub partner: PartnerId,
    /// When it was signed.
    pub at: Moment,
    /// How many entries the ledger has.
    pub entries: u64,
    /// The last entry's hash; 32 zero bytes when there is none.
    pub hash: Hash,
    /// After an acknowledged restore: the hash of the end that was given up, whose place this one takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<Hash>,
}

impl CheckpointV1 {
    /// Signs it with the partner's key.
    #[must_use]
    pub fn sign(&self, partner: &SigningKey) -> Envelope {
        Envelope::sign(CHECKPOINT_TYPE, &serde_json::to_vec(self).unwrap_or_default(), partner)
    }

    /// Reads a signed checkpoint of this partner in this federation. `None` for anything else.
    #[must_use]
    pub fn open(bytes: &[u8], key: &VerifyingKey, federation: &Name, partner: &PartnerId) -> Option<Self> {
        let envelope = Envelope::parse(bytes, CHECKPOINT_BYTES_MAX).ok()?;
        let payload = envelope.open(CHECKPOINT_TYPE, key).ok()?;
        let checkpoint: Self = serde_json::from_slice(&payload).ok()?;
        let ours = checkpoint.federation == *federation && checkpoint.partner == *partner;
        (ours && checkpoint.cairn_checkpoint == 1).then_some(checkpoint)
    }

    /// What a signed checkpoint says, unverified: of a file of one's own.
    #[must_use]
    pub fn peek(bytes: &[u8]) -> Option<Self> {
        let envelope = Envelope::parse(bytes, CHECKPOINT_BYTES_MAX).ok()?;
        serde_json::from_slice(&envelope.payload_unverified(CHECKPOINT_TYPE).ok()?).ok()
    }

    /// How many entries there are, and the last one's hash.
    #[must_use]
    pub const fn head(&self) -> (u64, Hash) {
        (self.entries, self.hash)
    }

    /// Whether whoever holds `held` takes this one in its place: it is further on, or says that `held` was given up. A ledger that was put
    /// back can so not hide the end that it lost.
    #[must_use]
    pub fn replaces(&self, held: &Self) -> bool {
        self.given_up == Some(held.hash) || self.entries > held.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(entries: u64, hash: &str, given_up: Option<&str>) -> CheckpointV1 {
        CheckpointV1 {
            cairn_checkpoint: 1,
            federation: Name::new("nolb").unwrap(),
            partner: PartnerId::new("fife").unwrap(),
            at: Moment::from_unix_s(5),
            entries,
            hash: Hash::of(hash.as_bytes()),
            given_up: given_up.map(|hash| Hash::of(hash.as_bytes())),
        }
    }

    #[test]
    fn only_the_partners_own_key_makes_one() {
        let key = || SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
        let (own, other) = (key(), key());
        let made = checkpoint(3, "three", None);
        let bytes = made.sign(&own).to_bytes();
        assert!(bytes.len() < CHECKPOINT_BYTES_MAX);
        let open = |key: &SigningKey, federation: &str, partner: &str| {
            let (federation, partner) = (Name::new(federation).unwrap(), PartnerId::new(partner).unwrap());
            CheckpointV1::open(&bytes, &key.verifying_key(), &federation, &partner)
        };
        assert_eq!(open(&own, "nolb", "fife"), Some(made));
        assert_eq!(open(&other, "nolb", "fife"), None);
        assert_eq!(open(&own, "demo", "fife"), None);
        assert_eq!(open(&own, "nolb", "angus"), None);
    }

    #[test]
    fn a_ledger_that_was_put_back_does_not_replace_what_is_held() {
        let held = checkpoint(10, "ten", None);
        let check = |next: CheckpointV1, expected: bool| {
            assert_eq!(next.replaces(&held), expected, "{next:?}");
        };
        check(checkpoint(11, "eleven", None), true);
        check(checkpoint(10, "ten", None), false);
        check(checkpoint(10, "fork", None), false);
        check(checkpoint(4, "four", None), false);
        check(checkpoint(4, "four", Some("nine")), false);
        check(checkpoint(4, "four", Some("ten")), true);
    }
}
