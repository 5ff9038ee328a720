//! Keys for one attempt: where randomness comes in, and what two partners agree on.

use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use crate::mask::Blind;
use crate::refused::Refused;

/// An X25519 public key as it travels.
pub(crate) type PublicKey = [u8; 32];

/// Where fresh secrets come from. ring's randomness is sealed, so that nobody can script a mask: a test can make this fail, and no test may depend on mask bytes.
pub trait Randomness {
    /// A fresh key pair for one agreement with one peer.
    ///
    /// # Errors
    /// [`Refused::NoRandomness`].
    fn ephemeral(&mut self) -> Result<EphemeralPrivateKey, Refused>;

    /// 32 fresh bytes.
    ///
    /// # Errors
    /// [`Refused::NoRandomness`].
    fn bytes(&mut self) -> Result<Zeroizing<[u8; 32]>, Refused>;
}

/// The operating system's randomness.
#[derive(Debug)]
pub struct SystemRandomness(SystemRandom);

impl SystemRandomness {
    /// Opens the source.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemRandomness {
    fn default() -> Self {
        Self::new()
    }
}

impl Randomness for SystemRandomness {
    fn ephemeral(&mut self) -> Result<EphemeralPrivateKey, Refused> {
        EphemeralPrivateKey::generate(&X25519, &self.0).map_err(|_| Refused::NoRandomness)
    }

    fn bytes(&mut self) -> Result<Zeroizing<[u8; 32]>, Refused> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.0.fill(bytes.as_mut()).map_err(|_| Refused::NoRandomness)?;
        Ok(bytes)
    }
}

/// This side's half of one agreement. One use: agreeing consumes it.
pub(crate) struct Half {
    private: EphemeralPrivateKey,
    public: PublicKey,
}

impl Half {
    pub(crate) fn fresh(randomness: &mut dyn Randomness) -> Result<Self, Refused> {
        let private = randomness.ephemeral()?;
        let public = public_of(&private).ok_or(Refused::NoRandomness)?;
        Ok(Self { private, public })
    }

    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The shared secret with the peer's half. A key of small order, which would make it guessable, is refused by ring.
    pub(crate) fn agree(self, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, Refused> {
        let peer = UnparsedPublicKey::new(&X25519, peer);
        let copy = |secret: &[u8]| secret.try_into().map(Zeroizing::new);
        let agreed = agree_ephemeral(self.private, &peer, copy).map_err(|_| Refused::WeakKey)?;
        agreed.map_err(|_| Refused::WeakKey)
    }
}

/// The public half of a key, as it travels.
pub(crate) fn public_of(private: &EphemeralPrivateKey) -> Option<PublicKey> {
    private.compute_public_key().ok()?.as_ref().try_into().ok()
}

/// This node's own mask of one attempt.
pub(crate) fn blind(randomness: &mut dyn Randomness) -> Result<Blind, Refused> {
    randomness.bytes().map(|bytes| Blind::from_bytes(*bytes))
}
