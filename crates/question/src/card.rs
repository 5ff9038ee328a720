//! The public part of a partner's policy: what a coordinator may show of it. Signed by the partner, so that nobody can put
//! words into its board's mouth.

use serde::{Deserialize, Serialize};

use crate::answer::PolicyStatement;
use crate::day::{Day, Moment};
use crate::envelope::{Envelope, SigningKey, VerifyingKey};
use crate::id::{Name, PartnerId};
use crate::limits::NAME_CHARS_MAX;
use crate::measure::Measure;

/// Payload type of a card's envelope.
pub const CARD_TYPE: &str = "application/vnd.cairn.policy-card.v1+json";

/// Most bytes of a signed card: [`SHARES_MAX`] shares, base64 in its envelope.
pub const CARD_BYTES_MAX: usize = 160 * 1024;

/// Most shares on a card; a policy with more says how many it leaves out.
pub const SHARES_MAX: usize = 64;

/// Most kinds of answer of one share on a card; a share with more is left out.
pub const ANSWERS_MAX: usize = 16;

/// Most characters of a controller's name on a card.
pub const CONTROLLER_CHARS_MAX: usize = 200;

/// The policy that a node answers under, as far as it is public: no column, no threshold, no contact.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyCard {
    /// Format, 1.
    pub cairn_policy_card: u8,
    /// The federation.
    pub federation: Name,
    /// The partner.
    pub partner: PartnerId,
    /// When it was signed. A newer card takes an older one's place.
    pub at: Moment,
    /// The policy; absent where none is in force and nothing is answered.
    pub policy: Option<PublicPolicy>,
}

/// What of a policy is public.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicPolicy {
    /// Its id, version and hash.
    pub statement: PolicyStatement,
    /// Its first day.
    pub from: Day,
    /// Its last day.
    pub until: Day,
    /// The day by which the board reviews it.
    pub review_by: Day,
    /// The controller, in words; at most [`CONTROLLER_CHARS_MAX`] characters.
    pub controller: String,
    /// Whether the brake pauses everything.
    pub paused: bool,
    /// What is shared, at most [`SHARES_MAX`].
    pub shares: Vec<PublicShare>,
    /// How many shares there are beyond those.
    pub shares_left_out: u32,
}

/// One share: who may ask what, for what, and how it is protected.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicShare {
    /// Its id.
    pub id: Name,
    /// Who may ask.
    pub role: Name,
    /// For what.
    pub purpose: Name,
    /// Of which table of the data dictionary.
    pub dataset: String,
    /// What is counted or added up, at most [`ANSWERS_MAX`].
    pub answers: Vec<Measure>,
    /// How it is protected: `suppress-round` or `dp`.
    pub method: String,
    /// Whether the brake pauses this share.
    pub paused: bool,
}

impl PolicyCard {
    /// Signs the card with the partner's key.
    #[must_use]
    pub fn sign(&self, partner: &SigningKey) -> Envelope {
        Envelope::sign(CARD_TYPE, &serde_json::to_vec(self).unwrap_or_default(), partner)
    }

    /// Reads a signed card under the partner's registered key. `None` for anything else, and for words that are longer than
    /// they may be or that a screen would not show as they are.
    #[must_use]
    pub fn open(bytes: &[u8], key: &VerifyingKey, federation: &Name, partner: &PartnerId) -> Option<Self> {
        let envelope = Envelope::parse(bytes, CARD_BYTES_MAX).ok()?;
        let payload = envelope.open(CARD_TYPE, key).ok()?;
        let card: Self = serde_json::from_slice(&payload).ok()?;
        let ours = card.cairn_policy_card == 1 && card.federation == *federation && card.partner == *partner;
        (ours && card.policy.as_ref().is_none_or(PublicPolicy::fits)).then_some(card)
    }
}

impl PublicPolicy {
    fn fits(&self) -> bool {
        let share = |s: &PublicShare| {
            plain(&s.dataset, NAME_CHARS_MAX)
                && plain(&s.method, NAME_CHARS_MAX)
                && s.answers.len() <= ANSWERS_MAX
        };
        Name::new(&self.statement.id).is_ok()
            && plain(&self.controller, CONTROLLER_CHARS_MAX)
            && self.shares.len() <= SHARES_MAX
            && self.shares.iter().all(share)
    }
}

/// Words that a screen shows as they are: no control character, and none that turns the direction of writing.
fn plain(text: &str, most: usize) -> bool {
    let turns = |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
    text.chars().count() <= most && !text.chars().any(|c| c.is_control() || turns(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Hash;

    fn key() -> SigningKey {
        SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn share(n: usize) -> PublicShare {
        PublicShare {
            id: name(&format!("{}{n}", "s".repeat(NAME_CHARS_MAX - 4))),
            role: name(&"r".repeat(NAME_CHARS_MAX)),
            purpose: name(&"p".repeat(NAME_CHARS_MAX)),
            dataset: "participants".to_owned(),
            answers: vec![Measure::Mean("c".repeat(64)); ANSWERS_MAX],
            method: "suppress-round".to_owned(),
            paused: false,
        }
    }

    fn card() -> PolicyCard {
        let policy = PublicPolicy {
            statement: PolicyStatement {
                id: "fife-sharing".to_owned(),
                version: 7,
                hash: Hash::of(b"a policy"),
            },
            from: "2026-04-01".parse().unwrap(),
            until: "2027-03-31".parse().unwrap(),
            review_by: "2027-01-31".parse().unwrap(),
            controller: "Fife Council".to_owned(),
            paused: false,
            shares: vec![share(1)],
            shares_left_out: 0,
        };
        PolicyCard {
            cairn_policy_card: 1,
            federation: name("nolb"),
            partner: PartnerId::new("fife").unwrap(),
            at: Moment::from_unix_s(5),
            policy: Some(policy),
        }
    }

    fn changed(change: impl FnOnce(&mut PublicPolicy)) -> PolicyCard {
        let mut card = card();
        change(card.policy.as_mut().unwrap());
        card
    }

    #[test]
    fn a_card_is_read_under_its_partners_key_only() {
        let (key, other) = (key(), key());
        let (federation, partner) = (name("nolb"), PartnerId::new("fife").unwrap());
        let bytes = card().sign(&key).to_bytes();
        let open = |bytes: &[u8], key: &SigningKey, federation: &str, partner: &PartnerId| {
            PolicyCard::open(bytes, &key.verifying_key(), &name(federation), partner)
        };
        assert_eq!(open(&bytes, &key, "nolb", &partner), Some(card()));
        assert_eq!(open(&bytes, &other, "nolb", &partner), None);
        assert_eq!(open(&bytes, &key, "another", &partner), None);
        assert_eq!(open(&bytes, &key, "nolb", &PartnerId::new("angus").unwrap()), None);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            let read = PolicyCard::open(&damaged, &key.verifying_key(), &federation, &partner);
            assert!(read.is_none_or(|read| read == card()), "byte {at}");
            assert_eq!(open(&bytes[..at], &key, "nolb", &partner), None, "cut at {at}");
        }
    }

    #[test]
    fn words_of_a_card_are_short_and_plain() {
        let key = key();
        let check = |what: &str, card: &PolicyCard, good: bool| {
            let bytes = card.sign(&key).to_bytes();
            let read = PolicyCard::open(&bytes, &key.verifying_key(), &card.federation, &card.partner);
            assert_eq!(read.is_some(), good, "{what}");
        };
        check("as it is", &card(), true);
        check("nothing in force", &PolicyCard { policy: None, ..card() }, true);
        check("another format", &PolicyCard { cairn_policy_card: 2, ..card() }, false);
        let fullest = changed(|p| {
            p.shares = (0..SHARES_MAX).map(share).collect();
            p.controller = "č".repeat(CONTROLLER_CHARS_MAX);
        });
        check("the fullest", &fullest, true);
        check("too many shares", &changed(|p| p.shares = (0..=SHARES_MAX).map(share).collect()), false);
        check("a long controller", &changed(|p| p.controller = "c".repeat(201)), false);
        check("an escape", &changed(|p| p.controller = "Fife\u{1b}[2J".to_owned()), false);
        check("turned around", &changed(|p| p.controller = "Fife\u{202e}".to_owned()), false);
        check("an id that is no name", &changed(|p| p.statement.id = "Fife; rm".to_owned()), false);
        check("a long method", &changed(|p| p.shares[0].method = "d".repeat(65)), false);
        check("a dataset over two lines", &changed(|p| p.shares[0].dataset = "a\nb".to_owned()), false);
        check(
            "many answers",
            &changed(|p| p.shares[0].answers = vec![Measure::Rows; ANSWERS_MAX + 1]),
            false,
        );
    }

    #[test]
    fn a_card_from_a_later_program_is_not_half_read() {
        let key = key();
        let mut later = serde_json::to_value(card()).unwrap();
        later["more"] = 1.into();
        let bytes = Envelope::sign(CARD_TYPE, later.to_string().as_bytes(), &key).to_bytes();
        assert_eq!(PolicyCard::open(&bytes, &key.verifying_key(), &card().federation, &card().partner), None);
    }

    proptest::proptest! {
        #[test]
        fn signed_nonsense_is_no_card(payload in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let key = key();
            let bytes = Envelope::sign(CARD_TYPE, &payload, &key).to_bytes();
            let read = PolicyCard::open(&bytes, &key.verifying_key(), &card().federation, &card().partner);
            proptest::prop_assert!(read.is_none());
        }
    }
}
