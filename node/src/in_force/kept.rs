//! The node's own copy of what it accepted. What was in force stays in force over a restart, whatever lies in the policy folder
//! by then, and there is always the text before to compare the next one with.
//!
//! One file, so that one rename exchanges it whole: the SHA-256 of what follows on the first line, then JSON.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cairn_policy::approval::{Approved, SignatureFile};
use cairn_policy::{Layers, Severity};
use cairn_question::{Hash, Moment, Name};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lapse::Warned;
use super::offer::{Offer, Signed};
use crate::disk;

/// The file's name, beside the ledger.
pub const KEPT_FILE: &str = "policy-in-force.json";

/// Most bytes of a kept copy: two texts of 1 MiB with every letter escaped, and a board's signatures.
const KEPT_BYTES_MAX: u64 = 16 << 20;

/// An accepted policy with all that it was accepted on.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptPolicy {
    /// Format, 1.
    pub(crate) cairn_policy_in_force: u8,
    /// When it came into force at this node.
    pub(crate) since: Moment,
    /// The exact text of the framework.
    pub(crate) framework: String,
    /// The exact text of the policy.
    pub(crate) policy: String,
    /// What the board approved of it, and who.
    pub(crate) approval: KeptApproval,
    /// What has been said of its last days.
    #[serde(default)]
    pub(crate) warned: Warned,
}

/// The approval of a kept policy.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptApproval {
    /// The note that was signed.
    pub(crate) note: String,
    /// Every file of `approvals/`, by name without `.sig`, so that an auditor can check them again.
    pub(crate) signatures: BTreeMap<String, String>,
    /// The members whose signatures counted.
    pub(crate) signers: Vec<Name>,
}

impl KeptApproval {
    pub(crate) fn of(offer: &Offer, approved: &Approved) -> Self {
        let one = |f: &SignatureFile| (f.stem.clone(), String::from_utf8_lossy(&f.bytes).into_owned());
        Self {
            note: offer.approval.note.clone().unwrap_or_default(),
            signatures: offer.approval.signatures.iter().map(one).collect(),
            signers: approved.signers().to_vec(),
        }
    }
}

/// Why a kept copy is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeptFault {
    /// The operating system does not let it be read.
    #[error("the node's own copy of what is in force cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// It is not what was written.
    #[error("the node's own copy of what is in force is damaged")]
    Damaged,
    /// It has errors for this program: another version kept it.
    #[error("this program does not read the policy that was in force: {0}")]
    Faulty(String),
}

impl KeptPolicy {
    /// The copy's place beside the ledger.
    pub(crate) fn path(ledger_path: &Path) -> PathBuf {
        ledger_path.with_file_name(KEPT_FILE)
    }

    /// Whether an offer is the very policy of the copy, whatever an editor did to the line ends.
    pub(crate) fn is(&self, offer: &Offer) -> bool {
        offer.is(&self.framework, &self.policy)
    }

    /// The layers of the copy.
    pub(crate) fn layers(&self) -> Result<Layers, KeptFault> {
        let (framework, policy) = (self.framework.clone(), self.policy.clone());
        let offer = Offer { framework, policy, approval: Signed::default() };
        Layers::load(&offer.sources()).map_err(|findings| {
            let first = findings.iter().find(|f| f.severity == Severity::Error);
            KeptFault::Faulty(first.map_or_else(String::new, |f| format!("{} {}", f.code, f.says)))
        })
    }
}

/// Puts a copy on disk, whole.
pub(crate) fn write<T: Serialize>(path: &Path, kept: &T) -> Result<(), io::Error> {
    let json = serde_json::to_vec_pretty(kept).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    disk::replace(path, &[Hash::of(&json).to_string().as_bytes(), b"\n", &json].concat())
}

/// Reads a copy; `None` where there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, KeptFault> {
    let unreadable = |e: io::Error| KeptFault::Unreadable(e.kind());
    let file = match std::fs::File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(unreadable)?,
    };
    let mut bytes = Vec::new();
    file.take(KEPT_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    let (hash, json) = split_line(&bytes).ok_or(KeptFault::Damaged)?;
    if Hash::of(json).to_string().as_bytes() != hash {
        return Err(KeptFault::Damaged);
    }
    serde_json::from_slice(json).map(Some).map_err(|_| KeptFault::Damaged)
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = bytes.splitn(2, |b| *b == b'\n');
    Some((parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> KeptPolicy {
        KeptPolicy {
            cairn_policy_in_force: 1,
            since: Moment::from_unix_s(5),
            framework: "a\r\nb".to_owned(),
            policy: "č".to_owned(),
            approval: KeptApproval::default(),
            warned: Warned::default(),
        }
    }

    #[test]
    fn a_copy_is_read_back_and_any_damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = KeptPolicy::path(&folder.path().join("ledger.sqlite"));
        assert!(read::<KeptPolicy>(&path).unwrap().is_none());
        write(&path, &kept()).unwrap();
        assert_eq!(read::<KeptPolicy>(&path).unwrap(), Some(kept()));
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(matches!(read::<KeptPolicy>(&path), Err(KeptFault::Damaged)), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(matches!(read::<KeptPolicy>(&path), Err(KeptFault::Damaged)), "cut at {at}");
        }
    }
}
