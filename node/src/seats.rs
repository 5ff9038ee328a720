//! The register as this node holds it: who has a seat in secure totals, and the coordinator's key, as the federation's key signed them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cairn_question::register::{REGISTER_BYTES_MAX, Register, RegisterError};
use cairn_question::{PartnerId, VerifyingKey};
use cairn_seal::{NodeId, Roster};

/// The register's file in the identity folder.
pub const REGISTER_FILE: &str = "register.json";

/// Who takes part in secure totals, under one version of the register.
#[derive(Debug)]
pub(crate) struct Seats {
    pub(crate) roster: Arc<Roster>,
    pub(crate) coordinator: VerifyingKey,
    /// This node's own number.
    pub(crate) own: NodeId,
    /// Whose node makes the linkage secret; `None` where people are not counted once.
    pub(crate) linkage_keeper: Option<PartnerId>,
}

/// Why this node takes part in no secure total.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum NoSeat {
    #[error("this node has no register of the federation yet")]
    Missing,
    #[error("this node's copy of the register does not hold: {0}")]
    Register(RegisterError),
    #[error("this node's copy of the register is older than one it had before")]
    Older,
    #[error("this partner has no seat in secure totals")]
    Unseated,
}

/// Looks at the file anew for each total: it changes when a partner joins or leaves, and nobody restarts a node for that.
pub(crate) struct SeatsFile {
    path: PathBuf,
    federation: VerifyingKey,
    partner: PartnerId,
    /// The newest version that was seen: no older one counts afterwards.
    newest: Mutex<u32>,
}

impl SeatsFile {
    pub(crate) fn new(identity_dir: &Path, federation: VerifyingKey, partner: PartnerId) -> Self {
        Self { path: identity_dir.join(REGISTER_FILE), federation, partner, newest: Mutex::new(0) }
    }

    /// The seats as the file has them now. Blocks.
    pub(crate) fn look(&self) -> Result<Seats, NoSeat> {
        let mut newest = self.newest();
        let bytes = self.read().ok_or(NoSeat::Missing)?;
        let register = Register::open(&bytes, &self.federation).map_err(NoSeat::Register)?;
        let coordinator = register.coordinator.as_ref().ok_or(NoSeat::Missing)?.signing_key;
        if register.version < *newest {
            return Err(NoSeat::Older);
        }
        *newest = register.version;
        drop(newest);
        let roster = Roster::of(&register).map_err(|_| NoSeat::Unseated)?;
        let own = roster.of_partner(&self.partner).ok_or(NoSeat::Unseated)?.1.node;
        let linkage_keeper = register.linkage_keeper.filter(|keeper| roster.of_partner(keeper).is_some());
        Ok(Seats { roster: Arc::new(roster), coordinator, own, linkage_keeper })
    }

    /// Takes a register that the coordinator sent: kept where the federation's key signed it and it is newer than the one that is here. Says
    /// whether it was. Blocks.
    pub(crate) fn take(&self, bytes: &[u8]) -> bool {
        let Ok(new) = Register::open(bytes, &self.federation) else { return false };
        let mut newest = self.newest();
        let here = self.read().and_then(|bytes| Register::open(&bytes, &self.federation).ok());
        if here.is_some_and(|here| here.version >= new.version) || new.version < *newest {
            return false;
        }
        let taken = crate::disk::replace(&self.path, bytes).is_ok();
        if taken {
            *newest = new.version;
        }
        taken
    }

    /// Held while the file is read or written: of two registers that come together, the older one is never written last.
    fn newest(&self) -> MutexGuard<'_, u32> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Option<Vec<u8>> {
        let most = u64::try_from(REGISTER_BYTES_MAX).unwrap_or(u64::MAX);
        let file = std::fs::File::open(&self.path).ok()?;
        let mut bytes = Vec::new();
        // One byte more than a register may have, so that a longer file is found to be none.
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests;
