//! Signed documents: DSSE v1 over Ed25519.
//!
//! A signature covers the type and the exact bytes ([DSSE v1 "PAE"](https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md)),
//! so a credential can never be taken for a question, and nothing is ever re-serialised before it is checked.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::id::{Hash, hex};

mod statement;

pub use statement::Signature;

/// A signed document as it travels: JSON with the payload in base64.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<SignatureLine>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureLine {
    keyid: String,
    sig: String,
}

/// An Ed25519 key pair. Has no `Debug`, `Clone` or `Display`, so that it cannot end in a log.
pub struct SigningKey(Ed25519KeyPair);

/// An Ed25519 public key, written as base64 of its 32 bytes.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifyingKey([u8; 32]);

/// Why an envelope was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not JSON of an envelope.
    #[error("not a signed document")]
    Malformed,
    /// Longer than its kind may be.
    #[error("the signed document is too long")]
    TooLong,
    /// A signed document, but of another kind.
    #[error("a signed document of another kind")]
    WrongType,
    /// No signature by the expected key holds.
    #[error("the signature does not hold")]
    BadSignature,
    /// The key bytes are not an Ed25519 key.
    #[error("not an Ed25519 key")]
    BadKey,
}

/// Most signatures on one envelope: a board of four and a spare.
const SIGNATURES_MAX: usize = 8;

impl Envelope {
    /// Signs `payload` as a document of type `payload_type`.
    #[must_use]
    pub fn sign(payload_type: &str, payload: &[u8], key: &SigningKey) -> Self {
        let sig = key.0.sign(&pre_authentication(payload_type, payload));
        Self {
            payload_type: payload_type.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: vec![SignatureLine {
                keyid: key.verifying_key().id(),
                sig: STANDARD.encode(sig.as_ref()),
            }],
        }
    }

    /// Reads an envelope of at most `bytes_max` bytes. Nothing is verified yet.
    ///
    /// # Errors
    /// [`EnvelopeError::TooLong`] or [`EnvelopeError::Malformed`].
    pub fn parse(bytes: &[u8], bytes_max: usize) -> Result<Self, EnvelopeError> {
        if bytes.len() > bytes_max {
            return Err(EnvelopeError::TooLong);
        }
        let envelope: Self = serde_json::from_slice(bytes).map_err(|_| EnvelopeError::Malformed)?;
        let count = envelope.signatures.len();
        if (1..=SIGNATURES_MAX).contains(&count) { Ok(envelope) } else { Err(EnvelopeError::Malformed) }
    }

    /// The envelope as JSON bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and lists only: serde_json cannot fail on them.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The payload, if it is of type `payload_type` and `key` signed it.
    ///
    /// # Errors
    /// [`EnvelopeError::WrongType`], [`EnvelopeError::BadSignature`], or [`EnvelopeError::Malformed`] for bad base64 or too
    /// many signatures.
    pub fn open(&self, payload_type: &str, key: &VerifyingKey) -> Result<Vec<u8>, EnvelopeError> {
        // Here too, since an envelope inside another document is not read by `parse`: each line costs a verification.
        if self.signatures.len() > SIGNATURES_MAX {
            return Err(EnvelopeError::Malformed);
        }
        let payload = self.payload_unverified(payload_type)?;
        let signed = pre_authentication(payload_type, &payload);
        let holds = self.signatures.iter().any(|line| {
            STANDARD
                .decode(&line.sig)
                .is_ok_and(|sig| UnparsedPublicKey::new(&ED25519, key.0).verify(&signed, &sig).is_ok())
        });
        if holds { Ok(payload) } else { Err(EnvelopeError::BadSignature) }
    }

    /// The payload without any check of who signed it: for finding out which key to ask for, and for display only.
    ///
    /// # Errors
    /// [`EnvelopeError::WrongType`] or [`EnvelopeError::Malformed`].
    pub fn payload_unverified(&self, payload_type: &str) -> Result<Vec<u8>, EnvelopeError> {
        if self.payload_type != payload_type {
            return Err(EnvelopeError::WrongType);
        }
        STANDARD.decode(&self.payload).map_err(|_| EnvelopeError::Malformed)
    }
}

/// DSSE v1 pre-authentication encoding: `DSSEv1 SP LEN(type) SP type SP LEN(body) SP body`.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

impl SigningKey {
    /// Makes a fresh key and gives it back as PKCS#8 bytes, which the caller writes to a file of mode 0600.
    ///
    /// # Errors
    /// [`EnvelopeError::BadKey`] when the operating system gives no randomness.
    pub fn make_pkcs8() -> Result<Vec<u8>, EnvelopeError> {
        let random = ring::rand::SystemRandom::new();
        let document = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| EnvelopeError::BadKey)?;
        Ok(document.as_ref().to_vec())
    }

    /// Takes a key from PKCS#8 bytes.
    ///
    /// # Errors
    /// [`EnvelopeError::BadKey`].
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map(Self).map_err(|_| EnvelopeError::BadKey)
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(self.0.public_key().as_ref()) {
            *to = *from;
        }
        VerifyingKey(bytes)
    }
}

impl VerifyingKey {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A short name for the key: the first 16 hexadecimal digits of the SHA-256 of its bytes.
    #[must_use]
    pub fn id(&self) -> String {
        hex(Hash::of(&self.0).as_bytes()).chars().take(16).collect()
    }
}

impl TryFrom<String> for VerifyingKey {
    type Error = EnvelopeError;
    fn try_from(text: String) -> Result<Self, EnvelopeError> {
        let bytes = STANDARD.decode(text).map_err(|_| EnvelopeError::BadKey)?;
        bytes.try_into().map(Self).map_err(|_| EnvelopeError::BadKey)
    }
}
impl From<VerifyingKey> for String {
    fn from(key: VerifyingKey) -> Self {
        STANDARD.encode(key.0)
    }
}
impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}
impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.id())
    }
}
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({}, {} bytes)", self.payload_type, self.payload.len())
    }
}

#[cfg(test)]
mod tests;
