//! What was kept of opened totals, read for an auditor beside the coordinator that writes: by whoever may read the store's file, and nobody else.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use cairn_ledger::LedgerFault;
use cairn_ledger::rusqlite::{self, Connection, OpenFlags, OptionalExtension as _};
use cairn_question::QuestionId;

use super::{FORM, StoreFault};

/// Most bytes of a transcript that is kept: 16 MiB, six times what a table of 10,000 cells from 32 partners has. A longer one is not kept, so that
/// totals cannot crowd other rounds out of the store.
pub const TRANSCRIPT_KEPT_MAX: usize = 16 << 20;

/// Since this form there are transcripts.
const SINCE_FORM: i64 = 4;

/// Longest wait for the coordinator that writes.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// A coordinator's store open for reading only, whether the coordinator runs or not.
pub struct Transcripts(Option<Connection>);

/// Everything that an auditor needs to work an opened total out again, each part as its maker signed it.
#[derive(Clone, Eq, PartialEq)]
pub struct KeptTranscript {
    /// The register under which the question was taken on.
    pub register: Vec<u8>,
    /// The question, with its manifest.
    pub question: Vec<u8>,
    /// Every vector, commitment, opening and signature. Whoever has it has the sum.
    pub transcript: Vec<u8>,
}

impl Transcripts {
    /// Opens the store at `path`.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        let cannot = |cause: rusqlite::Error| {
            StoreFault::Open(LedgerFault::Open { path: path.to_owned(), cause: cause.into() })
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(cannot)?;
        connection.busy_timeout(BUSY_MAX).map_err(cannot)?;
        let form: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(cannot)?;
        match form {
            newer if newer > FORM => Err(StoreFault::Form(newer)),
            before if before < SINCE_FORM => Ok(Self(None)),
            _ => Ok(Self(Some(connection))),
        }
    }

    /// What is kept of the total that this question was put as; `None` where it was none, or did not open, was too long, or is forgotten.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn of(&self, question: QuestionId) -> Result<Option<KeptTranscript>, StoreFault> {
        let Some(connection) = &self.0 else { return Ok(None) };
        let sql = "SELECT r.signed, q.signed, t.bytes FROM transcript t
                   JOIN question q ON q.id = t.question JOIN register r ON r.version = q.register_version
                   WHERE t.question = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(KeptTranscript { register: row.get(0)?, question: row.get(1)?, transcript: row.get(2)? })
        };
        Ok(connection.query_row(sql, [question.as_bytes()], read).optional()?)
    }
}

impl fmt::Debug for KeptTranscript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptTranscript({} bytes)", self.transcript.len())
    }
}
