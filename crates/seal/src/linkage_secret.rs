//! The linkage secret: made by one partner, handed to each of the others under lock, never to the coordinator.
//!
//! A partner that wants it signs a fresh X25519 key ([`Asking`]); the maker seals the secret to that key and signs ([`LinkageSecret::seal_for`]). Both travel through the
//! coordinator, which has no key in the roster and reads neither. The secret is of one roster: a new roster has a new one.

use std::fmt;

use cairn_question::{Envelope, Hash, QuestionId, SigningKey, VerifyingKey};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac;
use ring::rand::SecureRandom;
use zeroize::{Zeroize as _, Zeroizing};

use crate::agree::{PublicKey, public_of};
use crate::members::NodeId;

/// The secret that all partners of one roster share. In memory and in a file of each node's own; no `Debug` of it. Wiped when dropped.
pub struct LinkageSecret {
    roster: Hash,
    bytes: Zeroizing<[u8; 32]>,
}

/// Stands for a linkage secret in one question: equal where two partners hold the same one, and nothing of it can be worked out from it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LinkageMark([u8; 32]);

/// One end of a hand-over, as the roster has it.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// Its number.
    pub node: NodeId,
    /// What it signs with.
    pub key: &'a VerifyingKey,
}

/// A partner that has asked for the secret and waits. Its half of the key agreement is in memory only: after a restart it asks again.
pub struct Asking {
    me: NodeId,
    roster: Hash,
    asked: Hash,
    private: EphemeralPrivateKey,
}

/// Why a hand-over failed. Nothing of the secret is in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotHandedOver {
    /// Not a document of this kind that this partner signed.
    #[error("the document is not what its partner signed")]
    NotSigned,
    /// It is of another roster than the one in force.
    #[error("the document is of another roster")]
    OtherRoster,
    /// It is by or for another partner, or answers another asking.
    #[error("the document is for another partner or another asking")]
    OtherPartner,
    /// The sealed secret does not open.
    #[error("the sealed secret does not open")]
    NotOpened,
    /// The operating system gave no randomness, or a public key is weak.
    #[error("no key can be agreed")]
    NoKey,
}

impl NotHandedOver {
    /// The stable code, with an entry in `docs/reference/codes/cu.md`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotSigned => "CU021",
            Self::OtherRoster => "CU022",
            Self::OtherPartner => "CU023",
            Self::NotOpened => "CU024",
            Self::NoKey => "CU025",
        }
    }
}

impl LinkageSecret {
    /// Makes the secret of a roster: 32 fresh bytes. One partner does it, once.
    ///
    /// # Errors
    /// [`NotHandedOver::NoKey`].
    pub fn make(roster: Hash, random: &dyn SecureRandom) -> Result<Self, NotHandedOver> {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut()).map_err(|_| NotHandedOver::NoKey)?;
        Ok(Self { roster, bytes })
    }

    /// The secret as this node kept it.
    #[must_use]
    pub fn restored(roster: Hash, mut bytes: [u8; 32]) -> Self {
        let secret = Self { roster, bytes: Zeroizing::new(bytes) };
        bytes.zeroize();
        secret
    }

    /// The bytes, for this node's own file and nothing else.
    #[must_use]
    pub fn to_keep(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The sub-key of a question: HMAC-SHA256 of the roster's hash and the question's id. Two questions' sub-keys have nothing in common, so what one question's buckets show
    /// cannot be laid beside another's.
    ///
    /// # Errors
    /// [`NotHandedOver::OtherRoster`] when another roster is in force: the secret went with its roster.
    pub fn question_key(&self, in_force: &Hash, question: &QuestionId) -> Result<[u8; 32], NotHandedOver> {
        self.derived(SUB_KEY_TAG, in_force, question)
    }

    /// What this partner shows the others of a round, so that nobody counts with a partner that holds another secret of the same roster: HMAC-SHA256 as the sub-key's, under a tag of its own.
    ///
    /// # Errors
    /// [`NotHandedOver::OtherRoster`] as of [`LinkageSecret::question_key`].
    pub fn mark(&self, in_force: &Hash, question: &QuestionId) -> Result<LinkageMark, NotHandedOver> {
        self.derived(MARK_TAG, in_force, question).map(LinkageMark)
    }

    fn derived(&self, tag: &[u8], in_force: &Hash, question: &QuestionId) -> Result<[u8; 32], NotHandedOver> {
        if self.roster != *in_force {
            return Err(NotHandedOver::OtherRoster);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.bytes.as_ref());
        let text = [tag, self.roster.as_bytes(), question.as_bytes()].concat();
        let mut derived = [0; 32];
        derived.iter_mut().zip(hmac::sign(&key, &text).as_ref()).for_each(|(to, from)| *to = *from);
        Ok(derived)
    }

    /// Seals the secret to the key that a partner of the roster asked with, and signs.
    ///
    /// # Errors
    /// [`NotHandedOver`] where the asking is not the partner's own, not of this roster, or its key is weak.
    pub fn seal_for(
        &self,
        asking: &Envelope,
        asker: Party<'_>,
        (me, signing): (NodeId, &SigningKey),
        random: &dyn SecureRandom,
    ) -> Result<Envelope, NotHandedOver> {
        let asked = asking.open(ASKING_TYPE, asker.key).map_err(|_| NotHandedOver::NotSigned)?;
        let (node, rest) = asked.split_first_chunk::<16>().ok_or(NotHandedOver::NotSigned)?;
        let (roster, public) = rest.split_first_chunk::<32>().ok_or(NotHandedOver::NotSigned)?;
        if roster != self.roster.as_bytes() {
            return Err(NotHandedOver::OtherRoster);
        }
        if node != asker.node.as_bytes() {
            return Err(NotHandedOver::OtherPartner);
        }
        let (private, mine) = key_pair(random)?;
        let head = [me.as_bytes().as_slice(), node, roster, Hash::of(&asked).as_bytes(), &mine].concat();
        let mut sealed = Zeroizing::new(self.bytes.to_vec());
        let key = agreed(private, public, &head)?;
        let tag = key.seal_in_place_separate_tag(once(), Aad::from(&head), &mut sealed);
        let tag = tag.map_err(|_| NotHandedOver::NoKey)?;
        let payload = [head.as_slice(), &sealed, tag.as_ref()].concat();
        Ok(Envelope::sign(SEALED_TYPE, &payload, signing))
    }
}

impl LinkageMark {
    /// As it came from another partner.
    #[must_use]
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As it is sent.
    #[must_use]
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Asking {
    /// Asks for the secret of a roster, with a fresh key that this partner signs.
    ///
    /// # Errors
    /// [`NotHandedOver::NoKey`].
    pub fn new(
        roster: Hash,
        (me, signing): (NodeId, &SigningKey),
        random: &dyn SecureRandom,
    ) -> Result<(Self, Envelope), NotHandedOver> {
        let (private, public) = key_pair(random)?;
        let payload = [me.as_bytes().as_slice(), roster.as_bytes(), &public].concat();
        let asked = Hash::of(&payload);
        Ok((Self { me, roster, asked, private }, Envelope::sign(ASKING_TYPE, &payload, signing)))
    }

    /// Opens what the maker sealed. Consumes the asking: an answer serves once.
    ///
    /// # Errors
    /// [`NotHandedOver`] where it is not the maker's, not for this asking, or does not open.
    pub fn open(self, sealed: &Envelope, maker: Party<'_>) -> Result<LinkageSecret, NotHandedOver> {
        let payload = sealed.open(SEALED_TYPE, maker.key).map_err(|_| NotHandedOver::NotSigned)?;
        let (head, locked) = payload.split_at_checked(HEAD_BYTES).ok_or(NotHandedOver::NotSigned)?;
        let (named, public) = head.split_last_chunk::<32>().ok_or(NotHandedOver::NotSigned)?;
        let (parties, rest) = named.split_at_checked(32).ok_or(NotHandedOver::NotSigned)?;
        if rest.get(..32) != Some(self.roster.as_bytes().as_slice()) {
            return Err(NotHandedOver::OtherRoster);
        }
        let ours = [maker.node.as_bytes().as_slice(), self.me.as_bytes()].concat();
        if parties != ours || rest.get(32..) != Some(self.asked.as_bytes().as_slice()) {
            return Err(NotHandedOver::OtherPartner);
        }
        let mut locked = Zeroizing::new(locked.to_vec());
        let key = agreed(self.private, public, head)?;
        let opened = key.open_in_place(once(), Aad::from(head), &mut locked);
        let opened = opened.map_err(|_| NotHandedOver::NotOpened)?;
        let bytes = <[u8; 32]>::try_from(&*opened).map_err(|_| NotHandedOver::NotOpened)?;
        Ok(LinkageSecret::restored(self.roster, bytes))
    }
}

fn key_pair(random: &dyn SecureRandom) -> Result<(EphemeralPrivateKey, PublicKey), NotHandedOver> {
    let private = EphemeralPrivateKey::generate(&X25519, random).map_err(|_| NotHandedOver::NoKey)?;
    let public = public_of(&private).ok_or(NotHandedOver::NoKey)?;
    Ok((private, public))
}

/// The key of one seal: HKDF-SHA256 of the agreed point, salted with the head, which names both ends, the roster, the asking and both public keys. A point of
/// small order is refused by ring.
fn agreed(private: EphemeralPrivateKey, public: &[u8], head: &[u8]) -> Result<LessSafeKey, NotHandedOver> {
    let salt = Salt::new(HKDF_SHA256, Hash::of(head).as_bytes());
    let derived = agree_ephemeral(private, &UnparsedPublicKey::new(&X25519, public), |point| {
        let mut key = Zeroizing::new([0; 32]);
        let prk = salt.extract(point);
        let okm = prk.expand(&[SEAL_TAG], HKDF_SHA256).map_err(|_| NotHandedOver::NoKey)?;
        okm.fill(key.as_mut()).map_err(|_| NotHandedOver::NoKey)?;
        UnboundKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| NotHandedOver::NoKey)
    });
    derived.map_err(|_| NotHandedOver::NoKey)?.map(LessSafeKey::new)
}

/// The one nonce of a key that seals once.
fn once() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

impl fmt::Debug for LinkageSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkageSecret(withheld)")
    }
}
impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asking(withheld)")
    }
}

/// Maker, asker, roster, asking, maker's public key.
const HEAD_BYTES: usize = 16 + 16 + 32 + 32 + 32;

const ASKING_TYPE: &str = "application/vnd.cairn.linkage-asking.v1";
const SEALED_TYPE: &str = "application/vnd.cairn.linkage-sealed.v1";
const SEAL_TAG: &[u8] = b"cairn linkage secret 1";
const SUB_KEY_TAG: &[u8] = b"cairn linkage question 1";
const MARK_TAG: &[u8] = b"cairn linkage mark 1";

#[cfg(test)]
mod tests;
