//! The audit as auditors take it away: JSON lines, each with its hash, and a signed head as the last.

use cairn_policy::Caps;
use cairn_question::answer::PolicyStatement;
use cairn_question::{Envelope, Hash, Moment, SigningKey};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;

use crate::account::{Account, account};
use crate::chain::{GENESIS, integer, link, natural, tip};
use crate::entry::Entry;
use crate::fault::LedgerFault;
use crate::ledger::check_form;
use crate::price::{Price, price};
use crate::reserve::Reservation;

mod verify;

pub use verify::{Break, BreakKind, Signature, Verified, verify_export};

/// Payload type of a signed head.
pub const HEAD_TYPE: &str = "application/vnd.cairn.audit-head.v1+json";

/// How every line of an entry begins; 64 hexadecimal digits follow.
pub(crate) const LINE_BEGINS: &str = r#"{"hash":"sha256:"#;

/// What stands between the digits and the entry.
pub(crate) const LINE_GOES_ON: &str = r#"","entry":"#;

/// How the last line begins; the envelope follows.
pub(crate) const HEAD_BEGINS: &str = r#"{"head":"#;

/// The end of the chain at the time of an export, as the partner signs it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Format, 1.
    pub cairn_audit: u8,
    /// How many entries there are.
    pub entries: u64,
    /// The last entry's hash; 32 zero bytes when there is none.
    pub hash: Hash,
    /// When the first entry was written.
    pub from: Option<Moment>,
    /// When the last entry was written.
    pub to: Option<Moment>,
}

/// A ledger open for reading only, beside the node that writes to it.
#[derive(Debug)]
pub struct History(Connection);

impl History {
    pub(crate) const fn connection(&self) -> &Connection {
        &self.0
    }

    /// Opens the ledger at `path` for reading.
    ///
    /// # Errors
    /// [`LedgerFault::Open`], [`LedgerFault::Version`].
    pub fn open(path: &Path) -> Result<Self, LedgerFault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|cause| LedgerFault::Open { path: path.to_owned(), cause: cause.into() })?;
        check_form(&connection)?;
        Ok(Self(connection))
    }

    /// At most `most` entries after number `after`, in order.
    ///
    /// # Errors
    /// [`LedgerFault::Read`], [`LedgerFault::Damaged`].
    pub fn entries(&self, after: u64, most: u32) -> Result<Vec<Entry>, LedgerFault> {
        entries(&self.0, after, most)
    }

    /// The last entry's number; 0 when there is none.
    ///
    /// # Errors
    /// [`LedgerFault::Read`].
    pub fn last(&self) -> Result<u64, LedgerFault> {
        tip(&self.0).map(|tip| tip.seq)
    }

    /// The person's account at `now`, as the node that writes to the ledger sees it.
    ///
    /// # Errors
    /// As [`crate::Ledger::account`].
    pub fn account(&self, caps: &Caps, now: Moment) -> Result<Account, LedgerFault> {
        account(&self.0, caps, now)
    }

    /// As [`crate::Ledger::price`].
    ///
    /// # Errors
    /// As there.
    pub fn price(&self, wants: &[Reservation], caps: &Caps, now: Moment) -> Result<Price, LedgerFault> {
        price(&self.0, wants, caps, now)
    }

    /// As [`crate::Ledger::export`].
    ///
    /// # Errors
    /// As there.
    pub fn export(&self, to: &mut dyn Write, signer: &SigningKey) -> Result<Head, LedgerFault> {
        export(&self.0, to, signer)
    }
}

pub(crate) fn entries(connection: &Connection, after: u64, most: u32) -> Result<Vec<Entry>, LedgerFault> {
    let mut statement = connection
        .prepare_cached("SELECT text FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2")
        .map_err(LedgerFault::read)?;
    let rows = statement
        .query_map(params![integer(after), most], |row| row.get::<_, String>(0))
        .map_err(LedgerFault::read)?;
    rows.map(|text| {
        serde_json::from_str(&text.map_err(LedgerFault::read)?)
            .map_err(|_| LedgerFault::Damaged { table: "entry" })
    })
    .collect()
}

/// The newest policy entry without a code: one with a code tells of a policy that was turned away.
pub(crate) fn last_policy(connection: &Connection) -> Result<Option<PolicyStatement>, LedgerFault> {
    let found = connection.query_row(
        "SELECT text FROM entry WHERE json_extract(text, '$.kind') = 'policy'
         AND json_extract(text, '$.code') IS NULL ORDER BY seq DESC LIMIT 1",
        [],
        |row| row.get::<_, String>(0),
    );
    let Some(text) = found.optional().map_err(LedgerFault::read)? else { return Ok(None) };
    let entry: Entry = serde_json::from_str(&text).map_err(|_| LedgerFault::Damaged { table: "entry" })?;
    // An entry of this kind without its policy would let any version in.
    entry.policy.map(Some).ok_or(LedgerFault::Damaged { table: "entry" })
}

pub(crate) fn export(
    connection: &Connection,
    to: &mut dyn Write,
    signer: &SigningKey,
) -> Result<Head, LedgerFault> {
    // One read transaction: entries that are written meanwhile are not in this export.
    let reading = connection.unchecked_transaction().map_err(LedgerFault::read)?;
    let head = lines(&reading, to)?;
    let payload = serde_json::to_vec(&head).map_err(|_| LedgerFault::Damaged { table: "head" })?;
    let envelope = Envelope::sign(HEAD_TYPE, &payload, signer).to_bytes();
    let last = [HEAD_BEGINS.as_bytes(), &envelope, b"}\n"].concat();
    to.write_all(&last).and_then(|()| to.flush()).map_err(|cause| LedgerFault::Export { cause })?;
    Ok(head)
}

/// Writes the entries and checks each link, so that nothing is signed that does not hold.
fn lines(reading: &Connection, to: &mut dyn Write) -> Result<Head, LedgerFault> {
    let mut head = Head { cairn_audit: 1, entries: 0, hash: GENESIS, from: None, to: None };
    let mut statement =
        reading.prepare("SELECT seq, text, hash FROM entry ORDER BY seq").map_err(LedgerFault::read)?;
    let mut rows = statement.query([]).map_err(LedgerFault::read)?;
    while let Some(row) = rows.next().map_err(LedgerFault::read)? {
        let (seq, text, hash) = row_of(row).map_err(LedgerFault::read)?;
        let seq = natural(seq, "entry")?;
        let entry: Entry =
            serde_json::from_str(&text).map_err(|_| LedgerFault::Damaged { table: "entry" })?;
        let expected = head.entries.saturating_add(1);
        let holds = seq == expected && entry.seq == seq && link(head.hash, text.as_bytes()) == hash;
        if !holds {
            return Err(LedgerFault::Chain { seq: expected });
        }
        let digits = cairn_question::id::hex(hash.as_bytes());
        let line = [LINE_BEGINS, &digits, LINE_GOES_ON, &text, "}\n"].concat();
        to.write_all(line.as_bytes()).map_err(|cause| LedgerFault::Export { cause })?;
        head = Head { entries: seq, hash, from: head.from.or(Some(entry.at)), to: Some(entry.at), ..head };
    }
    let tip = tip(reading)?;
    let whole = tip.seq == head.entries && tip.hash == head.hash;
    if whole { Ok(head) } else { Err(LedgerFault::Chain { seq: tip.seq }) }
}

fn row_of(row: &rusqlite::Row<'_>) -> Result<(i64, String, Hash), rusqlite::Error> {
    Ok((row.get(0)?, row.get(1)?, Hash::from_bytes(row.get(2)?)))
}
