//! The witnesses of audited tables, checked again beside the ledger: no search, no solver, no record, no running node.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use cairn_gate::stored_table;
use cairn_ledger::{AuditedAnswer, History, LedgerFault, SnapshotKey, witnesses_path};
use cairn_release::audited::check;
pub use cairn_release::audited::{Checked, Unsound};
use cairn_release::{AuditedTable, Kept};

/// One audited table and what its witnesses show.
#[derive(Debug)]
pub struct Rechecked {
    /// Its entry in the audit.
    pub entry: u64,
    /// The question in words.
    pub question: String,
    /// The snapshot.
    pub snapshot: SnapshotKey,
    /// What was found.
    pub found: Result<Checked, NotBorneOut>,
}

/// Why a table is not borne out. Holds no count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotBorneOut {
    /// The file is not there, cannot be read, or is larger than any that a node writes.
    #[error("the file of witnesses cannot be read")]
    NoFile,
    /// A byte of it is not what was committed to.
    #[error("{0}")]
    Changed(Unsound),
    /// It does not show what it should, or the ledger's own records do not fit each other.
    #[error("{0}")]
    Unsound(Unsound),
    /// What the ledger kept of the table cannot be read.
    #[error("what the ledger kept of the table cannot be read")]
    Kept,
}

impl NotBorneOut {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoFile => "CA110",
            Self::Changed(_) => "CA111",
            Self::Unsound(_) => "CA112",
            Self::Kept => "CA113",
        }
    }
}

/// Checks every audited table of a ledger, oldest first.
///
/// # Errors
/// [`LedgerFault`] where the ledger cannot be read.
pub fn recheck(ledger: &Path) -> Result<Vec<Rechecked>, LedgerFault> {
    let answers = History::open(ledger)?.audited()?;
    let mut before: HashMap<SnapshotKey, Vec<Kept>> = HashMap::new();
    let one = |answer: AuditedAnswer| {
        let earlier = before.entry(answer.snapshot).or_default();
        let kept = Kept::read(&answer.kept);
        let found = table(ledger, &answer, kept.as_ref(), earlier);
        earlier.extend(kept);
        let AuditedAnswer { seq: entry, question, snapshot, .. } = answer;
        Rechecked { entry, question, snapshot, found }
    };
    Ok(answers.into_iter().map(one).collect())
}

fn table(
    ledger: &Path,
    answer: &AuditedAnswer,
    kept: Option<&Kept>,
    earlier: &[Kept],
) -> Result<Checked, NotBorneOut> {
    let (Some(kept), Some(left)) = (kept, stored_table(&answer.table_json)) else {
        return Err(NotBorneOut::Kept);
    };
    let bytes = answer.witnesses.map(|_| read(&witnesses_path(ledger, answer.question_id))).transpose()?;
    let file = bytes.as_deref().zip(answer.witnesses);
    check(kept, earlier, &left, file).map_err(|why| match why {
        Unsound::Changed => NotBorneOut::Changed(why),
        _ => NotBorneOut::Unsound(why),
    })
}

/// A file no larger than a node writes.
fn read(path: &Path) -> Result<Vec<u8>, NotBorneOut> {
    let most = u64::try_from(AuditedTable::WITNESS_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|_| NotBorneOut::NoFile)?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|_| NotBorneOut::NoFile)?;
    if bytes.len() > AuditedTable::WITNESS_BYTES_MAX { Err(NotBorneOut::NoFile) } else { Ok(bytes) }
}
