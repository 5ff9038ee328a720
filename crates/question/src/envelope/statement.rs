//! Short statements with a bare signature: where hundreds travel in one frame, and JSON would be most of it.

use ring::signature::{ED25519, UnparsedPublicKey};

use super::{EnvelopeError, SigningKey, VerifyingKey, pre_authentication};

/// An Ed25519 signature over a statement of a type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Bytes of one.
    pub const BYTES: usize = 64;

    /// Takes the bytes as they came. Nothing is verified.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl SigningKey {
    /// Signs a statement. As in an envelope the type is signed with it (DSSE v1), so that none can be taken for another.
    #[must_use]
    pub fn sign_statement(&self, statement_type: &str, statement: &[u8]) -> Signature {
        let mut bytes = [0; 64];
        let signature = self.0.sign(&pre_authentication(statement_type, statement));
        for (to, from) in bytes.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
        Signature(bytes)
    }
}

impl VerifyingKey {
    /// Checks that this key signed the statement as one of this type.
    ///
    /// # Errors
    /// [`EnvelopeError::BadSignature`].
    pub fn verify_statement(
        &self,
        statement_type: &str,
        statement: &[u8],
        signature: &Signature,
    ) -> Result<(), EnvelopeError> {
        let signed = pre_authentication(statement_type, statement);
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        key.verify(&signed, &signature.0).map_err(|_| EnvelopeError::BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_of_one_key_one_type_and_one_text() {
        let key = || SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
        let (own, other) = (key(), key());
        let signature = own.sign_statement("one", b"text");
        let check = |key: &SigningKey, kind: &str, text: &[u8]| {
            key.verifying_key().verify_statement(kind, text, &signature).is_ok()
        };
        assert!(check(&own, "one", b"text"));
        assert!(!check(&other, "one", b"text"));
        assert!(!check(&own, "two", b"text"));
        assert!(!check(&own, "one", b"tex"));
        let altered = Signature::from_bytes([1; 64]);
        assert!(own.verifying_key().verify_statement("one", b"text", &altered).is_err());
        assert_eq!(Signature::from_bytes(*signature.as_bytes()), signature);
    }
}
