//! Public keys as OpenSSH writes them: `ssh-ed25519 AAAA… comment`, and the same on a security key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use cairn_question::Hash;

use super::wire::{Wire, put};

/// A member's public key: Ed25519 in a file or agent, or Ed25519 on a FIDO2 security key.
///
/// No other kind is taken: one curve, one verification, and what a security key signs says whether it was touched.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublicKey {
    pub(super) kind: Kind,
    pub(super) point: [u8; 32],
}

#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    Ed25519,
    /// With the application that the security key binds the key to, mostly `ssh:`.
    SecurityKey {
        application: Vec<u8>,
    },
}

/// Why a text is not a public key of a member.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not two or three words on one line.
    #[error("not a public key line of OpenSSH, such as `ssh-ed25519 AAAA… name`")]
    Line,
    /// A key, but not Ed25519.
    #[error("the key is of another kind than `ssh-ed25519` and `sk-ssh-ed25519@openssh.com`")]
    Kind,
    /// The second word is not the key that the first one names.
    #[error("the key itself is damaged: copy the whole line of the `.pub` file again")]
    Damaged,
}

impl PublicKey {
    /// Takes the 32 bytes of an Ed25519 public key.
    #[must_use]
    pub const fn from_ed25519(point: [u8; 32]) -> Self {
        Self { kind: Kind::Ed25519, point }
    }

    /// Reads the line of a `.pub` file: kind, key, and a comment that is dropped.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        let line = line.trim_end_matches(['\n', '\r']);
        if line.len() > LINE_BYTES_MAX || line.contains(['\n', '\r']) {
            return Err(KeyError::Line);
        }
        let (kind, rest) = line.split_once(' ').ok_or(KeyError::Line)?;
        if kind != ED25519 && kind != SK_ED25519 {
            return Err(KeyError::Kind);
        }
        let encoded = rest.split(' ').next().unwrap_or_default();
        let blob = STANDARD.decode(encoded).map_err(|_| KeyError::Damaged)?;
        let key = Self::from_blob(&blob).ok_or(KeyError::Damaged)?;
        // The short names that a blob may have are for signatures only: one key, one way to write it.
        if key.name() == kind && key.blob() == blob { Ok(key) } else { Err(KeyError::Damaged) }
    }

    /// The key as two words, without a comment.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.name(), STANDARD.encode(self.blob()))
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Hash::of(&self.blob()).as_bytes()))
    }

    /// `ssh-ed25519` or `sk-ssh-ed25519@openssh.com`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Ed25519 => ED25519,
            Kind::SecurityKey { .. } => SK_ED25519,
        }
    }

    /// The key in OpenSSH's binary form.
    pub(super) fn blob(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, self.name().as_bytes());
        put(&mut bytes, &self.point);
        if let Kind::SecurityKey { application } = &self.kind {
            put(&mut bytes, application);
        }
        bytes
    }

    /// Reads the binary form as OpenSSH does, which also knows a kind by its short name in any case.
    pub(super) fn from_blob(blob: &[u8]) -> Option<Self> {
        let mut wire = Wire::new(blob);
        let name = wire.c_string()?;
        let is =
            |long: &str, short: &str| name == long.as_bytes() || name.eq_ignore_ascii_case(short.as_bytes());
        let key = if is(ED25519, "ED25519") {
            Self::from_ed25519(wire.string()?.try_into().ok()?)
        } else if is(SK_ED25519, "ED25519-SK") {
            let point = wire.string()?.try_into().ok()?;
            Self { kind: Kind::SecurityKey { application: wire.c_string()?.to_vec() }, point }
        } else {
            return None;
        };
        wire.end()?;
        Some(key)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

const ED25519: &str = "ssh-ed25519";
const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com";
/// Longest line of a `.pub` file: the key is some 100 bytes, the rest is comment.
const LINE_BYTES_MAX: usize = 2_000;
