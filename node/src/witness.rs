//! The end of this node's ledger as others hold it. A backup that was put back is behind it, and has forgotten what was spent since:
//! nothing is answered then, until the operator has acknowledged it and paid.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cairn_gate::Gate;
use cairn_ledger::{Entry, EntryKind, Held, Ledger, LedgerFault};
use cairn_policy::Caps;
use cairn_question::privacy::NanoRho;
use cairn_question::{CheckpointV1, Moment};

use crate::disk;

/// Beside the ledger: the end that it lacks, as this node signed it. There only while nothing is answered for it.
const LACKED: &str = ".lacked";

/// What is known of the ends that others hold.
pub(crate) struct Witness {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Heard, and not compared yet: at most [`HEARD_MAX`].
    heard: Vec<Vec<u8>>,
    lacks: Lacks,
}

/// Whether charges are missing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Lacks {
    /// No, as far as anybody has said.
    #[default]
    Nothing,
    /// Yes: this ledger is behind an end of its own, or has another entry in its place.
    Charges,
}

/// Why an end could not be given up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotRestored {
    /// Nobody has told this node of an end that it lacks.
    #[error("this node lacks no end of its ledger, as far as anybody has told it")]
    NothingLacked,
    /// The file beside the ledger is not what the node wrote.
    #[error("the end that the ledger lacks cannot be read")]
    Unreadable,
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

impl Witness {
    /// What this node knew when it stopped.
    pub(crate) fn open(ledger_path: &Path) -> Self {
        let path = lacked(ledger_path);
        let heard = std::fs::read(&path).ok().into_iter().collect();
        Self { path, known: Mutex::new(Known { heard, lacks: Lacks::Nothing }) }
    }

    /// Hears of an end that somebody holds. It is compared before the next answer.
    pub(crate) fn hear(&self, signed: Vec<u8>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.heard.len() >= HEARD_MAX {
            known.heard.remove(0);
        }
        known.heard.push(signed);
    }

    /// Compares what was heard. One that this node did not sign says nothing of this ledger.
    ///
    /// A ledger that cannot be read lacks charges until it can.
    pub(crate) fn lacks(&self, ledger: &Ledger, gate: &Gate) -> Lacks {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(heard) = known.heard.pop() {
            let Some(end) = gate.open_checkpoint(&heard) else {
                tracing::warn!(
                    code = "CN531",
                    "an end of the ledger that is held elsewhere is not signed by this node"
                );
                continue;
            };
            match ledger.compare(head(&end)) {
                Ok(standing) if standing.lacks_charges() => {
                    if known.lacks == Lacks::Nothing {
                        tracing::error!(
                            code = "CA211",
                            ?standing,
                            "the ledger was put back from a backup; nothing is answered"
                        );
                    }
                    self.remember(&end, &heard);
                    known.lacks = Lacks::Charges;
                }
                Ok(_) => {}
                Err(fault) => {
                    tracing::error!(code = fault.code(), %fault, "the ledger failed");
                    known.heard.push(heard);
                    return Lacks::Charges;
                }
            }
        }
        known.lacks
    }

    /// Keeps the furthest end that is lacking, for the operator to give up.
    fn remember(&self, end: &CheckpointV1, signed: &[u8]) {
        let before = std::fs::read(&self.path).ok().and_then(|bytes| CheckpointV1::peek(&bytes));
        if before.is_some_and(|before| before.entries > end.entries) {
            return;
        }
        if let Err(cause) = disk::replace(&self.path, signed) {
            tracing::error!(code = "CN531", %cause, "the end that the ledger lacks could not be kept");
        }
    }
}

/// Most ends that wait to be compared: the coordinator's, another partner's, and the one that was lacked before a restart, twice over.
const HEARD_MAX: usize = 6;

/// Gives up the end that the ledger lacks, at the price of the caps: what may have been spent up to it is charged. The node must not
/// run. Gives what was charged.
///
/// # Errors
/// [`NotRestored`].
pub fn acknowledge_restore(ledger_path: &Path, caps: &Caps, now: Moment) -> Result<NanoRho, NotRestored> {
    let path = lacked(ledger_path);
    let signed = std::fs::read(&path).map_err(|_| NotRestored::NothingLacked)?;
    let end = CheckpointV1::peek(&signed).ok_or(NotRestored::Unreadable)?;
    let entry = Entry { note: Some(NOTE.to_owned()), ..Entry::new(EntryKind::Restore) };
    let charged = Ledger::open(ledger_path)?.give_up(head(&end), caps, &entry, now)?;
    // Where the file stays it is compared again at the next start, and found to be given up.
    let _ = std::fs::remove_file(path);
    Ok(charged)
}

const fn head(end: &CheckpointV1) -> Held {
    Held { entries: end.entries, hash: end.hash }
}

fn lacked(ledger_path: &Path) -> PathBuf {
    let mut path = ledger_path.as_os_str().to_owned();
    path.push(LACKED);
    PathBuf::from(path)
}

/// What the audit says of it.
const NOTE: &str = "what a restored backup may lack is charged at the cap";
