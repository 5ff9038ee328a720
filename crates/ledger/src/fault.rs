//! What can break in the ledger. Every fault refuses the question at hand; none holds a count or a value.

use std::error::Error;
use std::path::PathBuf;

/// Something of ours broke. `Display` says what; `source()` has the cause, for the node's own log only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerFault {
    /// The file could not be made or opened.
    #[error("cannot open the ledger `{path}`", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The file would not keep what was committed: a setting read back other than it was set.
    #[error("the ledger would not be durable: `{pragma}` is {found}, and must be {wanted}")]
    NotDurable {
        /// The setting.
        pragma: &'static str,
        /// What was read back.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// Another process, or another handle of this one, writes to the same file.
    #[error("the ledger `{path}` is in use by another program", path = .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Not a ledger, or one of a newer program.
    #[error("not a ledger, or a ledger of a newer program: form {found}, known up to {known}")]
    Version {
        /// The form that was found.
        found: i64,
        /// The newest form that this program knows.
        known: i64,
    },
    /// The last audit entry, the head and the number of entries do not agree.
    #[error("the audit chain is broken at entry {seq}")]
    Chain {
        /// The entry.
        seq: u64,
    },
    /// A write failed, and nothing of it is kept: a full disk, most often.
    #[error("cannot write to the ledger")]
    Write {
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
    /// An earlier write failed in a way that leaves the disk's state unknown. Nothing works until the ledger is opened anew.
    #[error("the ledger stopped after a failed write, and must be opened anew")]
    Poisoned,
    /// A read failed.
    #[error("cannot read the ledger")]
    Read {
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
    /// What was read does not have the form that the ledger writes.
    #[error("a row of the ledger's `{table}` is damaged")]
    Damaged {
        /// The table.
        table: &'static str,
    },
    /// The hold is no longer open: it lapsed, was settled or given up, or was replaced. The answer must not leave.
    #[error("the question's hold is no longer open")]
    HoldGone,
    /// The entry is longer than an entry may be.
    #[error("an audit entry is too long")]
    EntryTooLong,
    /// The question has its reply already; ask [`crate::Ledger::recall`] first.
    #[error("the question has been replied to already")]
    AlreadyReplied,
    /// The reservation contradicts itself or the clock.
    #[error("the reservation makes no sense: {what}")]
    Reservation {
        /// What is wrong.
        what: &'static str,
    },
    /// An equal question was given another table, although neither has noise.
    #[error("an equal question on the same snapshot was answered with another table")]
    OtherTable,
    /// The opening of a total contradicts itself, its hold or the clock.
    #[error("the opening makes no sense: {what}")]
    Opening {
        /// What is wrong.
        what: &'static str,
    },
    /// The witnesses of an audited table could not be kept.
    #[error("cannot keep witnesses in `{path}`", path = .path.display())]
    Witnesses {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The export's destination failed.
    #[error("cannot write the export")]
    Export {
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

impl LedgerFault {
    /// The stable code, with an entry in docs/reference/codes/ca.md.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "CA001",
            Self::NotDurable { .. } => "CA002",
            Self::InUse { .. } => "CA003",
            Self::Version { .. } => "CA004",
            Self::Chain { .. } => "CA005",
            Self::Write { .. } => "CA006",
            Self::Poisoned => "CA007",
            Self::Read { .. } => "CA008",
            Self::Damaged { .. } => "CA009",
            Self::HoldGone => "CA010",
            Self::EntryTooLong => "CA011",
            Self::AlreadyReplied => "CA012",
            Self::Reservation { .. } => "CA013",
            Self::OtherTable => "CA014",
            Self::Export { .. } => "CA015",
            Self::Witnesses { .. } => "CA016",
            Self::Opening { .. } => "CA017",
        }
    }

    pub(crate) const fn read(cause: rusqlite::Error) -> Self {
        Self::Read { cause }
    }

    pub(crate) const fn write(cause: rusqlite::Error) -> Self {
        Self::Write { cause }
    }

    /// Whether the state of the disk is unknown after it, so that nothing may be written on top.
    pub(crate) fn leaves_disk_unknown(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, SystemIoFailure};
        let (Self::Write { cause } | Self::Read { cause }) = self else { return false };
        matches!(cause.sqlite_error_code(), Some(SystemIoFailure | DatabaseCorrupt | NotADatabase))
    }
}
