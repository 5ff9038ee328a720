//! Sealing and opening: what is added to a table before it leaves, and how the sum comes out.
//!
//! `yᵢ = xᵢ + noiseᵢ + Σ_{j>i} PRG(kᵢⱼ) − Σ_{j<i} PRG(kᵢⱼ) + PRG(bᵢ)` and `S = Σ (yᵢ − PRG(bᵢ))`.

use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::{Zeroize as _, Zeroizing};

use cairn_question::Hash;

use crate::layout::{Layout, Masked, Plain};
use crate::members::NodeId;
use crate::prg;
use crate::refused::Refused;

pub use crate::layout::Side;

/// The key of one stream. Used for one stream, and wiped.
pub struct MaskKey(Zeroizing<[u8; 32]>);

/// A node's own mask key bᵢ of one attempt: secret until it is opened. Wiped when dropped.
pub struct Blind(Zeroizing<[u8; 32]>);

/// A stream that two partners share: one adds it, the other takes it away.
pub struct Pair {
    /// The key both derived.
    pub key: MaskKey,
    /// What this node does with it.
    pub side: Side,
}

/// How a round's vectors are sealed and opened. The seam at which another aggregator could serve: the flights and the rules stay.
pub trait Aggregator: Send + Sync {
    /// Seals a vector for the pairs and the blind of one attempt. Consumes all of them: none may serve twice.
    ///
    /// # Errors
    /// [`Refused::NoRandomness`] when the cipher fails.
    fn seal(&self, plain: Plain, pairs: Vec<Pair>, blind: &Blind) -> Result<Masked, Refused>;

    /// The sum of sealed vectors, given every blind in the same order.
    ///
    /// # Errors
    /// [`Refused::OtherLayout`] for vectors of other layouts; [`Refused::NotTheSum`] when the masks did not cancel, as far as that shows.
    fn open(&self, layout: Layout, sealed: &[(&Masked, &Blind)]) -> Result<Plain, Refused>;
}

/// Pairwise masks on a full graph.
#[derive(Clone, Copy, Debug, Default)]
pub struct PairwiseMasks;

impl Aggregator for PairwiseMasks {
    fn seal(&self, mut plain: Plain, pairs: Vec<Pair>, blind: &Blind) -> Result<Masked, Refused> {
        let mut scratch = prg::buffer(plain.layout().bytes());
        for pair in pairs {
            prg::stream(&pair.key.0, &mut scratch)?;
            plain.apply(&scratch, pair.side);
        }
        prg::stream(&blind.0, &mut scratch)?;
        plain.apply(&scratch, Side::Add);
        Ok(plain.into_masked())
    }

    fn open(&self, layout: Layout, sealed: &[(&Masked, &Blind)]) -> Result<Plain, Refused> {
        let mut sum = Plain::zero(layout);
        let mut scratch = prg::buffer(layout.bytes());
        for (masked, blind) in sealed {
            sum.add(masked)?;
            prg::stream(&blind.0, &mut scratch)?;
            sum.apply(&scratch, Side::Subtract);
        }
        if sum.is_whole() { Ok(sum) } else { Err(Refused::NotTheSum) }
    }
}

impl MaskKey {
    /// `HKDF-SHA256(salt H₁, secret ‖ onboarding key if there is one, "mask" ‖ lower id ‖ higher id)`: the same at both ends.
    ///
    /// # Errors
    /// [`Refused::NoRandomness`] when the cipher fails.
    pub fn derive(
        h1: &Hash,
        secret: &[u8; 32],
        onboarding: Option<&[u8; 32]>,
        (one, other): (NodeId, NodeId),
    ) -> Result<Self, Refused> {
        let mut material = Zeroizing::new(secret.to_vec());
        material.extend_from_slice(onboarding.map_or(&[], <[u8; 32]>::as_slice));
        let (low, high) = if one < other { (one, other) } else { (other, one) };
        let prk = Salt::new(HKDF_SHA256, h1.as_bytes()).extract(&material);
        let info: [&[u8]; 3] = [b"mask", low.as_bytes(), high.as_bytes()];
        let mut key = Zeroizing::new([0; 32]);
        let expanded = prk.expand(&info, HKDF_SHA256).and_then(|okm| okm.fill(key.as_mut()));
        expanded.map_err(|_| Refused::NoRandomness)?;
        Ok(Self(key))
    }
}

impl Blind {
    /// Takes 32 bytes that were drawn fresh, or that came as an opening.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let blind = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        blind
    }

    /// What is sent of it before it is opened: `cᵢ = SHA-256(bᵢ)`.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        Hash::of(self.0.as_ref())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
