//! The register in force.

use std::io::Read as _;
use std::path::Path;

use cairn_link::CoordinatorIdentity;
use cairn_question::register::{REGISTER_BYTES_MAX, Register, RegisterError};

/// A register whose signature holds and that names this coordinator.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) register: Register,
    /// The exact bytes, as the federation signed them.
    pub(super) signed: Vec<u8>,
}

/// Why a register is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MembersFault {
    /// The file cannot be read.
    #[error("cannot read the register `{path}`: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system says.
        cause: std::io::ErrorKind,
    },
    /// Not a register, or not under the federation's key.
    #[error("the register does not hold: {0}")]
    Register(#[from] RegisterError),
    /// Of another federation, or without this coordinator's key, so that nobody could check a coverage statement.
    #[error("the register is of another federation, or does not name this coordinator's key")]
    Elsewhere,
    /// Older than the one that was served before.
    #[error("the register has version {found}, and version {served} was served before")]
    Older {
        /// The version of the file.
        found: u32,
        /// The newest version that was served.
        served: u32,
    },
}

impl MembersFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "CO401",
            Self::Register(_) => "CO402",
            Self::Elsewhere => "CO403",
            Self::Older { .. } => "CO404",
        }
    }
}

impl Members {
    /// Reads the register and checks it, and that it is not older than version `served`.
    pub(super) fn load(
        path: &Path,
        identity: &CoordinatorIdentity,
        served: u32,
    ) -> Result<Self, MembersFault> {
        let signed = read(path)?;
        let register = Register::open(&signed, identity.federation_key())?;
        let own_key = identity.signing_key().verifying_key();
        let names_us = register.coordinator.as_ref().is_some_and(|c| c.signing_key == own_key);
        if register.federation != *identity.federation() || !names_us {
            return Err(MembersFault::Elsewhere);
        }
        if register.version < served {
            return Err(MembersFault::Older { found: register.version, served });
        }
        Ok(Self { register, signed })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, MembersFault> {
    let unreadable = |cause: std::io::Error| MembersFault::Unreadable {
        path: path.display().to_string(),
        cause: cause.kind(),
    };
    let most = u64::try_from(REGISTER_BYTES_MAX).unwrap_or(u64::MAX);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than a register may have, so that a longer file is found to be no register.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}
