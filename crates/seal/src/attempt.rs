//! One attempt of a round: its number, its two hashes, and the three statements that partners sign in it.

use cairn_question::{Hash, Signature, SigningKey, VerifyingKey};
use ring::digest::{Context, SHA256};

use crate::agree::PublicKey;
use crate::linkage_secret::LinkageMark;
use crate::manifest::Manifest;
use crate::mask::Blind;
use crate::members::NodeId;
use crate::refused::Refused;

/// R5: most attempts of one round. Each loses a partner; a round that lost five is asked again.
pub const ATTEMPTS_MAX: u8 = 5;

/// An attempt's number, 1 to [`ATTEMPTS_MAX`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Attempt(u8);

impl Attempt {
    /// The first.
    pub const FIRST: Self = Self(1);

    /// Takes 1 to [`ATTEMPTS_MAX`].
    ///
    /// # Errors
    /// [`Refused::Attempt`].
    pub const fn new(number: u8) -> Result<Self, Refused> {
        if number >= 1 && number <= ATTEMPTS_MAX { Ok(Self(number)) } else { Err(Refused::Attempt) }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The next, while there is one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::new(self.0.saturating_add(1)).ok()
    }
}

/// What the coordinator tells every member of every member's sealed vector.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SealedLine {
    pub(crate) signature: Signature,
    /// SHA-256(yᵢ).
    pub(crate) vector: Hash,
    /// cᵢ = SHA-256(bᵢ).
    pub(crate) commitment: Hash,
}

/// `H₁ = SHA-256(tag ‖ manifest hash ‖ attempt ‖ sorted U ‖ roster version)`.
pub(crate) fn h1(manifest: &Manifest, attempt: Attempt, ids: &[NodeId]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(b"cairn-seal-h1-v1");
    context.update(manifest.hash().as_bytes());
    context.update(&[attempt.0]);
    // Ids are of one length, so that the list is written in one way.
    ids.iter().for_each(|id| context.update(id.as_bytes()));
    context.update(&manifest.says().roster_version.to_le_bytes());
    Hash::from_digest(&context.finish())
}

/// `H₂ = SHA-256(tag ‖ H₁ ‖ all (i, SHA-256(yᵢ), cᵢ))`.
pub(crate) fn h2<'a>(h1: &Hash, ids: &[NodeId], lines: impl IntoIterator<Item = &'a SealedLine>) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(b"cairn-seal-h2-v1");
    context.update(h1.as_bytes());
    for (id, line) in ids.iter().zip(lines) {
        context.update(id.as_bytes());
        context.update(line.vector.as_bytes());
        context.update(line.commitment.as_bytes());
    }
    Hash::from_digest(&context.finish())
}

/// `SHA-256(tag ‖ H₂ ‖ every OPEN signature)`: stands for the whole transcript, and nothing of the sum can be guessed from it.
pub(crate) fn transcript_hash<'a>(h2: &Hash, openings: impl IntoIterator<Item = &'a Signature>) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(b"cairn-seal-transcript-v1");
    context.update(h2.as_bytes());
    openings.into_iter().for_each(|signature| context.update(signature.as_bytes()));
    Hash::from_digest(&context.finish())
}

/// A statement that a partner signs. Each has a type of its own, so that none can be taken for another.
pub(crate) struct Statement {
    kind: &'static str,
    bytes: Vec<u8>,
}

impl Statement {
    /// F1: `key` is i's half for its agreement with j in this attempt; where people are counted once, i holds the linkage secret of this mark.
    pub(crate) fn key(
        manifest: &Manifest,
        attempt: Attempt,
        (from, to): (NodeId, NodeId),
        (key, mark): (&PublicKey, Option<&LinkageMark>),
    ) -> Self {
        let parts: [&[u8]; 7] = [
            manifest.says().question.as_bytes(),
            manifest.hash().as_bytes(),
            &[attempt.0],
            from.as_bytes(),
            to.as_bytes(),
            key,
            mark.map_or(&[], |mark| mark.as_bytes()),
        ];
        let kind = match mark {
            None => "application/vnd.cairn.seal-key.v1",
            Some(_) => "application/vnd.cairn.seal-key-and-mark.v1",
        };
        Self { kind, bytes: parts.concat() }
    }

    /// F2: this is what i sealed for this set.
    pub(crate) fn sealed(h1: &Hash, vector: &Hash, commitment: &Hash) -> Self {
        let parts = [*h1.as_bytes(), *vector.as_bytes(), *commitment.as_bytes()];
        Self { kind: "application/vnd.cairn.seal-sealed.v1", bytes: parts.concat() }
    }

    /// F3: i opens, having seen everybody's line.
    pub(crate) fn open(h2: &Hash, blind: &Blind) -> Self {
        let parts = [*h2.as_bytes(), *blind.as_bytes()];
        Self { kind: "application/vnd.cairn.seal-open.v1", bytes: parts.concat() }
    }

    pub(crate) fn sign(&self, key: &SigningKey) -> Signature {
        key.sign_statement(self.kind, &self.bytes)
    }

    pub(crate) fn is_signed_by(&self, key: &VerifyingKey, signature: &Signature) -> bool {
        key.verify_statement(self.kind, &self.bytes, signature).is_ok()
    }
}
