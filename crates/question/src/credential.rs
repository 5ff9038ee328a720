//! Analysts' credentials: small signed statements from issuers whose keys a node pinned at installation.
//!
//! A council may vouch for its own analysts, the Scottish Government for its; the coordinator vouches for nobody.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::day::Moment;
use crate::envelope::{Envelope, EnvelopeError, SigningKey, VerifyingKey};
use crate::id::Name;

/// Payload type of a credential's envelope.
pub const CREDENTIAL_TYPE: &str = "application/vnd.cairn.credential.v1+json";

/// Who an analyst is, in which role, for which organisation, until when; as its issuer said it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Format, 1.
    pub cairn_credential: u8,
    /// The issuer, by the name under which nodes pinned its key.
    pub issuer: Name,
    /// The analyst: one name per human, however many roles.
    pub analyst: Name,
    /// The role that this credential lets the analyst ask in.
    pub role: Name,
    /// The organisation the analyst works for, in words.
    pub organisation: String,
    /// The key that signs the analyst's questions.
    pub key: VerifyingKey,
    /// First moment at which the credential holds.
    pub not_before: Moment,
    /// Last moment at which it holds.
    pub not_after: Moment,
}

/// The issuers a node trusts, and the role names each may vouch for (a policy narrows this further).
#[derive(Clone, Debug, Default)]
pub struct IssuerPins(BTreeMap<Name, VerifyingKey>);

/// Why a credential was not accepted. Each has its own rule name in a refusal.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// Not a credential.
    #[error("not a credential")]
    Malformed,
    /// No key is pinned for that issuer.
    #[error("no key is pinned for the credential's issuer")]
    UnknownIssuer,
    /// The pinned key did not sign it.
    #[error("the issuer's pinned key did not sign this credential")]
    BadSignature,
    /// Too early.
    #[error("the credential is not valid yet")]
    NotYet,
    /// Too late.
    #[error("the credential has expired")]
    Expired,
}

impl Credential {
    /// Signs the credential with its issuer's key.
    #[must_use]
    pub fn sign(&self, issuer: &SigningKey) -> Envelope {
        Envelope::sign(CREDENTIAL_TYPE, &serde_json::to_vec(self).unwrap_or_default(), issuer)
    }

    /// What the credential says, unverified: for routing and for display only.
    ///
    /// # Errors
    /// [`CredentialError::Malformed`].
    pub fn peek(envelope: &Envelope) -> Result<Self, CredentialError> {
        parse(&envelope.payload_unverified(CREDENTIAL_TYPE).map_err(|_| CredentialError::Malformed)?)
    }
}

impl IssuerPins {
    /// Pins the given keys.
    #[must_use]
    pub const fn new(keys: BTreeMap<Name, VerifyingKey>) -> Self {
        Self(keys)
    }

    /// The credential inside, if a pinned issuer signed it and it holds at `now`.
    ///
    /// # Errors
    /// [`CredentialError`], one kind for each reason.
    pub fn open(&self, envelope: &Envelope, now: Moment) -> Result<Credential, CredentialError> {
        let claimed = Credential::peek(envelope)?;
        let key = self.0.get(&claimed.issuer).ok_or(CredentialError::UnknownIssuer)?;
        let payload = envelope.open(CREDENTIAL_TYPE, key).map_err(|e| match e {
            EnvelopeError::BadSignature => CredentialError::BadSignature,
            _ => CredentialError::Malformed,
        })?;
        let credential = parse(&payload)?;
        match () {
            () if now < credential.not_before => Err(CredentialError::NotYet),
            () if now > credential.not_after => Err(CredentialError::Expired),
            () => Ok(credential),
        }
    }
}

fn parse(payload: &[u8]) -> Result<Credential, CredentialError> {
    let credential: Credential = serde_json::from_slice(payload).map_err(|_| CredentialError::Malformed)?;
    let fits = credential.cairn_credential == 1 && credential.organisation.len() <= ORGANISATION_BYTES_MAX;
    if fits { Ok(credential) } else { Err(CredentialError::Malformed) }
}

/// Longest organisation name, in bytes.
const ORGANISATION_BYTES_MAX: usize = 200;
