//! What a later edition of the same day is held against: the tables of the editions before, and the counts that they were made from.

use cairn_question::Hash;
use rusqlite::params;
use std::fmt;

use crate::entry::SnapshotKey;
use crate::fault::LedgerFault;
use crate::ledger::Ledger;

/// A table as the ledger keeps it.
#[derive(Clone, Copy)]
pub struct AnsweredTable<'t> {
    /// What an equal question is given: the table that left.
    pub json: &'t [u8],
    /// What a later edition of the same day is held against ([`Ledger::earlier`]): the counts it was made from. They leave the node with
    /// nothing. `None` for a noisy table.
    pub counts: Option<&'t [u8]>,
    /// The witnesses of an audited table: kept in a file of their own beside the ledger, and their hash in the audit.
    pub witnesses: Option<&'t [u8]>,
}

/// An answer to the same question on another edition of the same day.
pub struct Earlier {
    /// The edition.
    pub edition: u32,
    /// The counts that its table was made from ([`AnsweredTable::counts`]). `None` for a noisy table, and for tables of ledgers before
    /// form 3.
    pub counts: Option<Vec<u8>>,
}

impl Ledger {
    /// How the same question was answered on other editions of the same day, oldest first: a new edition must not show who came between.
    ///
    /// # Errors
    /// [`LedgerFault::Read`].
    pub fn earlier(&self, canonical: Hash, snapshot: SnapshotKey) -> Result<Vec<Earlier>, LedgerFault> {
        let sql = "SELECT edition, counts FROM answer WHERE canonical = ?1 AND as_of = ?2 AND edition <> ?3
                   ORDER BY edition";
        let mut statement = self.reading()?.prepare_cached(sql).map_err(LedgerFault::read)?;
        let which = params![canonical.as_bytes(), snapshot.as_of.to_string(), snapshot.edition];
        let found =
            statement.query_map(which, |row| Ok(Earlier { edition: row.get(0)?, counts: row.get(1)? }));
        found.and_then(Iterator::collect).map_err(LedgerFault::read)
    }
}

impl<'t> From<&'t [u8]> for AnsweredTable<'t> {
    fn from(json: &'t [u8]) -> Self {
        Self { json, counts: None, witnesses: None }
    }
}

impl<'t, const N: usize> From<&'t [u8; N]> for AnsweredTable<'t> {
    fn from(json: &'t [u8; N]) -> Self {
        Self { json, counts: None, witnesses: None }
    }
}

impl fmt::Debug for AnsweredTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnsweredTable({} bytes)", self.json.len())
    }
}

impl fmt::Debug for Earlier {
    /// Shows no count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Earlier(edition {})", self.edition)
    }
}
