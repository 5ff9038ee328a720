//! Why a node does not start.

use cairn_engine::EngineFault;
use cairn_ledger::LedgerFault;
use cairn_link::identity::IdentityError;
use cairn_records::StoreFault;
use cairn_release::{ReleaseFault, ShareFault};

use crate::answer::BROKEN;
use crate::secret::SecretFault;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartFault {
    /// The noise is not what it must be, so that nothing may be released.
    #[error("the noise does not pass its test: {0}")]
    Noise(#[from] ReleaseFault),
    /// The shares of noise on secure totals are not what they must be.
    #[error("the shares of noise do not pass their test: {0}")]
    Shares(#[from] ShareFault),
    /// The node's own secret.
    #[error(transparent)]
    Secret(#[from] SecretFault),
    /// The identity folder.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// The folder of snapshots.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineFault),
    /// A thread broke while starting.
    #[error("a thread broke while starting")]
    Broken,
}

impl StartFault {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Noise(fault) => fault.code(),
            Self::Shares(fault) => fault.code(),
            Self::Secret(fault) => fault.code(),
            Self::Identity(fault) => fault.code(),
            Self::Ledger(fault) => fault.code(),
            Self::Store(fault) => fault.code(),
            Self::Engine(fault) => fault.code(),
            Self::Broken => BROKEN,
        }
    }
}
