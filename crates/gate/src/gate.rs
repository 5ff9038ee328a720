//! Who a node is, and what a step comes to.

use cairn_question::{IssuerPins, Name, PartnerId, SigningKey};
use std::fmt;
use std::sync::Mutex;

use crate::tally::Tally;

/// One partner's gate. Shared by all questions; each question is a value that walks through it.
pub struct Gate {
    pub(crate) federation: Name,
    pub(crate) partner: PartnerId,
    pub(crate) issuers: IssuerPins,
    pub(crate) keys: Keys,
    pub(crate) unverified: Mutex<Tally>,
    pub(crate) over_limit: Mutex<Tally>,
}

/// The node's own secrets, made at its first start.
pub struct Keys {
    /// Signs replies.
    pub signing: SigningKey,
    /// Chooses which cells of a person count where a bound leaves some out ([`cairn_release::Bounds`]). Constant for life: another key would
    /// choose other cells, and two choices show more of a person than the bound says.
    pub cap: [u8; 32],
}

/// What a step came to.
#[must_use]
pub enum Step<T> {
    /// The next step may be taken.
    On(T),
    /// This is the whole reply: a signed refusal or fault, or the reply that was given before. It is in the audit already.
    Reply(Vec<u8>),
    /// Not a question at all, so there is no number to reply under. Close the stream.
    Unreadable,
}

impl Gate {
    /// The gate of `partner` in `federation`, under the issuers whose keys were pinned at installation.
    #[must_use]
    pub fn new(federation: Name, partner: PartnerId, issuers: IssuerPins, keys: Keys) -> Self {
        let (unverified, over_limit) = (Mutex::default(), Mutex::default());
        Self { federation, partner, issuers, keys, unverified, over_limit }
    }

    /// The partner.
    #[must_use]
    pub const fn partner(&self) -> &PartnerId {
        &self.partner
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({} of {})", self.partner, self.federation)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl<T> fmt::Debug for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(_) => f.write_str("On"),
            Self::Reply(bytes) => write!(f, "Reply({} bytes)", bytes.len()),
            Self::Unreadable => f.write_str("Unreadable"),
        }
    }
}
