//! What can be wrong with a folder of ours, or with another party's certificate.

use cairn_question::{Moment, Name};
use std::path::Path;

use super::party::Party;

/// Why a folder or a file of identity was not made or not accepted. Paths are shown as they were given; keys never.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Others than its owner can read a private key.
    #[error("`{file}` can be read by others (mode {mode:o}); make it 0600 and consider the key known")]
    KeyReadable {
        /// The file.
        file: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The file could not be read.
    #[error("cannot read `{file}`: {why}")]
    Read {
        /// The file.
        file: String,
        /// What the operating system said.
        why: String,
    },
    /// The file does not hold what it should.
    #[error("`{file}`: {why}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong, with the line where there is one.
        why: String,
    },
    /// The certificate's life is over.
    #[error("the certificate `{file}` expired on {on}", on = .at.day_utc())]
    Expired {
        /// The file.
        file: String,
        /// When it expired.
        at: Moment,
    },
    /// The certificate is from the future: this machine's clock is behind.
    #[error("clock wrong by {apart_min} min or more: the certificate `{file}` is not valid yet")]
    Clock {
        /// The file.
        file: String,
        /// How far, at least, in whole minutes.
        apart_min: u64,
    },
    /// There is something there already.
    #[error("`{file}` exists; nothing is overwritten")]
    Exists {
        /// The file.
        file: String,
    },
    /// The files of a folder do not belong together.
    #[error("`{file}` does not belong to this identity: {why}")]
    Foreign {
        /// The file.
        file: String,
        /// What differs.
        why: String,
    },
    /// A name, kind, address or period that cannot be used.
    #[error("{why}")]
    Unusable {
        /// What is wrong.
        why: String,
    },
    /// The file could not be written.
    #[error("cannot write `{file}`: {why}")]
    Write {
        /// The file.
        file: String,
        /// What the operating system said.
        why: String,
    },
    /// A key could not be made or used: a fault, not a refusal.
    #[error("cannot make or use a key: {why}")]
    Key {
        /// What the library said; never key material.
        why: String,
    },
}

impl IdentityError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyReadable { .. } => "CI101",
            Self::Read { .. } => "CI102",
            Self::Malformed { .. } => "CI103",
            Self::Expired { .. } => "CI104",
            Self::Clock { .. } => "CI105",
            Self::Exists { .. } => "CI106",
            Self::Foreign { .. } => "CI107",
            Self::Unusable { .. } => "CI108",
            Self::Write { .. } => "CI109",
            Self::Key { .. } => "CI110",
        }
    }

    pub(crate) fn read(file: &Path, why: &std::io::Error) -> Self {
        Self::Read { file: file.display().to_string(), why: why.to_string() }
    }

    pub(crate) fn write(file: &Path, why: &std::io::Error) -> Self {
        match why.kind() {
            std::io::ErrorKind::AlreadyExists => Self::Exists { file: file.display().to_string() },
            _ => Self::Write { file: file.display().to_string(), why: why.to_string() },
        }
    }

    pub(crate) fn malformed(file: &Path, why: impl Into<String>) -> Self {
        Self::Malformed { file: file.display().to_string(), why: why.into() }
    }

    pub(crate) fn foreign(file: &Path, why: impl Into<String>) -> Self {
        Self::Foreign { file: file.display().to_string(), why: why.into() }
    }

    pub(crate) fn unusable(why: impl Into<String>) -> Self {
        Self::Unusable { why: why.into() }
    }
}

/// Why another party's certificate is not accepted. Complete, not open: each check has its own words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PeerError {
    /// It does not chain to the pinned root.
    #[error("its certificate is not from this federation's root")]
    OtherRoot,
    /// Its life is over.
    #[error("its certificate expired on {}", .at.day_utc())]
    Expired {
        /// When.
        at: Moment,
    },
    /// It is from the future: one of the clocks is wrong.
    #[error("clock wrong by {apart_min} min or more: its certificate is not valid yet")]
    Clock {
        /// How far, at least, in whole minutes.
        apart_min: u64,
    },
    /// It names another federation.
    #[error("its certificate is of the federation `{found}`, not `{expected}`")]
    OtherFederation {
        /// The federation expected.
        expected: Name,
        /// The one it names.
        found: Name,
    },
    /// It is for another role: by its name, or by the use it may be put to.
    #[error("its certificate is for another role: {found}")]
    OtherRole {
        /// What it is for.
        found: String,
    },
    /// It does not carry exactly one name of ours.
    #[error("its certificate does not carry exactly one cairn:// name")]
    Names,
    /// It is on the deny list.
    #[error("`{party}` is on the deny list")]
    Denied {
        /// Who.
        party: Party,
    },
    /// It was made for other addresses than the one that was dialled.
    #[error("its certificate does not name the address `{address}`")]
    Address {
        /// The host that was dialled.
        address: String,
    },
    /// Not a certificate, or one that breaks X.509's rules.
    #[error("its certificate does not read")]
    Malformed,
}

impl PeerError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherRoot => "CI201",
            Self::Expired { .. } => "CI202",
            Self::Clock { .. } => "CI203",
            Self::OtherFederation { .. } => "CI204",
            Self::OtherRole { .. } => "CI205",
            Self::Names => "CI206",
            Self::Denied { .. } => "CI207",
            Self::Address { .. } => "CI208",
            Self::Malformed => "CI209",
        }
    }
}
