//! The register: who is in the federation, with which signing key, as the federation's own key says it.

use serde::{Deserialize, Serialize};

use crate::day::{Day, Moment};
use crate::envelope::{Envelope, SigningKey, VerifyingKey};
use crate::id::{Hash, Name, PartnerId};
use crate::limits::PARTNERS_MAX;

/// Payload type of a register's envelope.
pub const REGISTER_TYPE: &str = "application/vnd.cairn.register.v1+json";

/// Most bytes of a signed register.
pub const REGISTER_BYTES_MAX: usize = 1 << 20;

/// The federation's members at one version.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Format, 1.
    pub cairn_register: u8,
    /// The federation's name.
    pub federation: Name,
    /// Rises by one with every change.
    pub version: u32,
    /// When this version was made.
    pub issued_at: Moment,
    /// The coordinator, once it has been made.
    pub coordinator: Option<CoordinatorEntry>,
    /// The partners, by id, each once.
    pub partners: Vec<PartnerEntry>,
    /// Whose node makes the linkage secret and hands it to the others with a seat; absent in registers of programs before it, and where people are not
    /// counted once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linkage_keeper: Option<PartnerId>,
}

/// One partner. One entry per controller: an organisation never has two.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerEntry {
    /// The partner's id.
    pub id: PartnerId,
    /// Its name, in words.
    pub name: String,
    /// Its kind: a code of the list `partner_type`.
    pub kind: String,
    /// The key that signs its answers and refusals.
    pub signing_key: VerifyingKey,
    /// Its seat in secure totals; absent in registers of programs before them, and for a partner that takes part in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<SeatV1>,
}

/// What lets a partner take part in secure totals. The roster is made of these ([`Register`] is what the board signs).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatV1 {
    /// The organisation that answers for the records. It has one seat, however many systems it runs.
    pub controller: Name,
    /// SHA-256 of the public key of its certificate.
    pub tls_key: Hash,
    /// First day on which it takes part.
    pub valid_from: Day,
    /// Last day.
    pub valid_until: Day,
}

/// The coordinator. It signs coverage statements and vouches for nobody.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorEntry {
    /// Its name, as in its certificate.
    pub name: Name,
    /// The key that signs coverage statements.
    pub signing_key: VerifyingKey,
}

/// Why a register was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RegisterError {
    /// Not a register, too long, or a partner named twice.
    #[error("not a register, or a partner is named twice")]
    Malformed,
    /// The federation's key did not sign it.
    #[error("the federation's key did not sign this register")]
    BadSignature,
}

impl Register {
    /// Signs the register with the federation's key.
    #[must_use]
    pub fn sign(&self, federation: &SigningKey) -> Envelope {
        Envelope::sign(REGISTER_TYPE, &serde_json::to_vec(self).unwrap_or_default(), federation)
    }

    /// Reads a signed register and checks it against the federation's pinned key.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn open(bytes: &[u8], federation: &VerifyingKey) -> Result<Self, RegisterError> {
        let envelope = Envelope::parse(bytes, REGISTER_BYTES_MAX).map_err(|_| RegisterError::Malformed)?;
        let payload = envelope.open(REGISTER_TYPE, federation).map_err(|_| RegisterError::BadSignature)?;
        let register: Self = serde_json::from_slice(&payload).map_err(|_| RegisterError::Malformed)?;
        let mut ids: Vec<_> = register.partners.iter().map(|p| &p.id).collect();
        ids.sort();
        let once = ids.windows(2).all(|pair| pair.first() != pair.last());
        let fits = register.cairn_register == 1 && register.partners.len() <= PARTNERS_MAX;
        if once && fits { Ok(register) } else { Err(RegisterError::Malformed) }
    }

    /// The entry of one partner.
    #[must_use]
    pub fn partner(&self, id: &PartnerId) -> Option<&PartnerEntry> {
        self.partners.iter().find(|p| p.id == *id)
    }
}
