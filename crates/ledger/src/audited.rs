//! Tables whose small counts were shown to be safe by an audit: what stands beside them on a snapshot, and their witnesses.
//!
//! An audit takes in every table that was audited before on the same snapshot. So no two run at once, all of them are of one edition and
//! one treatment, and no table without noise that an audit knows nothing of stands beside them.

use cairn_question::{Hash, Moment, QuestionId, RuleBroken};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::account::COUNTS;
use crate::audit::{History, entries};
use crate::chain::integer;
use crate::entry::SnapshotKey;
use crate::fault::LedgerFault;
use crate::ledger::Ledger;
use crate::reserve::{Denied, Reservation, in_progress, refuse, rule};
use crate::sticking::Kind;

/// An audited table as the ledger keeps it, in the order in which they left.
pub struct AuditedAnswer {
    /// The question.
    pub question_id: QuestionId,
    /// The number of its entry in the audit.
    pub seq: u64,
    /// The question in words, from its entry.
    pub question: String,
    /// The snapshot.
    pub snapshot: SnapshotKey,
    /// What later audits are held against.
    pub kept: Vec<u8>,
    /// The table that left.
    pub table_json: Vec<u8>,
    /// The hash of its witnesses, from its entry. `None`: the whole table was withheld, which nothing needs to bear out.
    pub witnesses: Option<Hash>,
}

impl Ledger {
    /// What was kept of the tables audited on a snapshot, in the order in which they left.
    ///
    /// # Errors
    /// [`LedgerFault::Read`], [`LedgerFault::Damaged`].
    pub fn audited(&self, snapshot: SnapshotKey) -> Result<Vec<Vec<u8>>, LedgerFault> {
        let rows = rows(self.reading()?)?;
        Ok(rows.into_iter().filter(|row| row.snapshot == snapshot).map(|row| row.kept).collect())
    }
}

impl History {
    /// Every audited table, in the order in which they left.
    ///
    /// # Errors
    /// [`LedgerFault::Read`], [`LedgerFault::Damaged`].
    pub fn audited(&self) -> Result<Vec<AuditedAnswer>, LedgerFault> {
        let mut rows = rows(self.connection())?;
        let mut at: BTreeMap<QuestionId, usize> =
            rows.iter().enumerate().map(|(at, row)| (row.question_id, at)).collect();
        let mut after = 0;
        loop {
            let some = entries(self.connection(), after, PAGE)?;
            let Some(last) = some.last() else { break };
            after = last.seq;
            for entry in some {
                let answered = entry.kind == crate::EntryKind::QuestionAnswered;
                let row = entry.question_id.filter(|_| answered).and_then(|id| at.remove(&id));
                if let Some(row) = row.and_then(|at| rows.get_mut(at)) {
                    row.seq = entry.seq;
                    row.question = entry.question.unwrap_or_default();
                    row.witnesses = entry.witnesses;
                }
            }
        }
        if at.is_empty() { Ok(rows) } else { Err(LedgerFault::Damaged { table: "answer" }) }
    }
}

/// Entries that are read at once.
const PAGE: u32 = 1_000;

fn rows(connection: &Connection) -> Result<Vec<AuditedAnswer>, LedgerFault> {
    let sql = "SELECT answer.question_id, answer.as_of, answer.edition, answer.counts, answer.table_json
               FROM answer JOIN debit ON debit.question_id = answer.question_id
               WHERE debit.scope LIKE '% audit' ORDER BY debit.hold";
    let mut statement = connection.prepare_cached(sql).map_err(LedgerFault::read)?;
    let found = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get::<_, Option<_>>(3)?, row.get(4)?))
    });
    let found: Vec<_> = found.and_then(Iterator::collect).map_err(LedgerFault::read)?;
    let damaged = || LedgerFault::Damaged { table: "answer" };
    let row = |(id, as_of, edition, kept, table_json): ([u8; 32], String, u32, Option<Vec<u8>>, Vec<u8>)| {
        let as_of = as_of.parse().map_err(|_| damaged())?;
        Ok(AuditedAnswer {
            question_id: QuestionId::from_bytes(id),
            seq: 0,
            question: String::new(),
            snapshot: SnapshotKey { as_of, edition },
            kept: kept.ok_or_else(damaged)?,
            table_json,
            witnesses: None,
        })
    };
    found.into_iter().map(row).collect()
}

/// Whether another table of the same day stands in an audit's way, or the other way about.
///
/// # Errors
/// [`Denied::Refusal`], [`Denied::Fault`].
pub(crate) fn beside_others(connection: &Connection, want: &Reservation, now: Moment) -> Result<(), Denied> {
    let others = match want.scope.kind {
        Kind::Noise | Kind::Once => return Ok(()),
        Kind::Cells => "scope LIKE '% audit'",
        Kind::Audit => {
            "(scope IS NULL OR scope LIKE '% cells' OR (scope LIKE '% audit'
                AND (edition <> ?4 OR treatment <> ?5 OR scope NOT LIKE '% ' || ?6 || ' % audit')))"
        }
    };
    let asked = params![
        integer(now.unix_s()),
        want.question_id.as_bytes(),
        want.snapshot.as_of.to_string(),
        want.snapshot.edition,
        want.treatment.as_bytes(),
        want.scope.dataset,
    ];
    let exists = |what: &str| -> Result<bool, LedgerFault> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM debit WHERE as_of = ?3 AND {what} AND {COUNTS})
                AND ?4 IS NOT NULL AND ?5 IS NOT NULL AND ?6 IS NOT NULL"
        );
        let mut statement = connection.prepare_cached(&sql).map_err(LedgerFault::read)?;
        statement.query_row(asked, |row| row.get(0)).map_err(LedgerFault::read)
    };
    if exists(others)? {
        return Err(refuse(not_beside(want)));
    }
    if want.scope.kind == Kind::Audit && exists("scope LIKE '% audit' AND state = 'held'")? {
        return Err(refuse(in_progress()));
    }
    Ok(())
}

fn not_beside(want: &Reservation) -> RuleBroken {
    let says = format!(
        "audited tables are checked against every other table of their snapshot, so they do not stand beside tables under other rules; one of the other kind has left on the snapshot of {}, ask again on the next one",
        want.snapshot.as_of
    );
    rule("ledger.audited", "CA212", says)
}

/// Where the witnesses of a question are: beside the ledger, in a folder of their own.
#[must_use]
pub fn witnesses_path(ledger: &Path, question: QuestionId) -> PathBuf {
    folder(ledger).join(format!("{question}.json"))
}

fn folder(ledger: &Path) -> PathBuf {
    let mut folder = ledger.as_os_str().to_owned();
    folder.push(".witnesses");
    PathBuf::from(folder)
}

/// Writes a question's witnesses, with mode 0600 in a folder of mode 0700, and syncs both. What an earlier attempt left is replaced:
/// nothing was committed to it.
pub(crate) fn keep_witnesses(ledger: &Path, question: QuestionId, bytes: &[u8]) -> Result<(), LedgerFault> {
    let path = witnesses_path(ledger, question);
    let fault = |cause: std::io::Error| LedgerFault::Witnesses { path: path.clone(), cause };
    let folder = folder(ledger);
    make_folder(&folder).map_err(fault)?;
    let mut file = options().open(&path).map_err(fault)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(fault)?;
    sync(&folder).map_err(fault)
}

/// Best effort: a file that nothing was committed to says nothing, and is replaced when the question is counted again.
pub(crate) fn drop_witnesses(ledger: &Path, question: QuestionId) {
    let _ = std::fs::remove_file(witnesses_path(ledger, question));
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_folder(folder: &Path) -> Result<(), std::io::Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    folder.parent().filter(|p| !p.as_os_str().is_empty()).map_or(Ok(()), sync)
}

#[cfg(unix)]
fn sync(folder: &Path) -> Result<(), std::io::Error> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_folder: &Path) -> Result<(), std::io::Error> {
    Ok(())
}

impl fmt::Debug for AuditedAnswer {
    /// Shows no count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditedAnswer({}, entry {})", self.question_id.short(), self.seq)
    }
}

#[cfg(test)]
mod tests;
