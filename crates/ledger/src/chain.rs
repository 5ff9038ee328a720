//! The hash chain: each entry's hash covers the hash before it and the entry's text exactly as stored.

use cairn_question::{Hash, Moment};
use ring::digest::{Context, SHA256};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::entry::{ENTRY_BYTES_MAX, Entry, NOTE_CHARS_MAX};
use crate::fault::LedgerFault;

/// What stands before the first entry.
pub(crate) const GENESIS: Hash = Hash::from_bytes([0; 32]);

/// The chain's end.
pub(crate) struct Tip {
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
    /// The latest moment that the ledger has seen.
    pub(crate) latest: Moment,
}

/// SHA-256 of the previous hash and the entry's text.
pub(crate) fn link(previous: Hash, text: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(previous.as_bytes());
    context.update(text);
    Hash::from_digest(&context.finish())
}

/// The head as it is stored.
pub(crate) fn tip(connection: &Connection) -> Result<Tip, LedgerFault> {
    let row = connection.query_row("SELECT seq, hash, latest_s FROM head", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, i64>(2)?))
    });
    let (seq, hash, latest_s) = row.map_err(LedgerFault::read)?;
    Ok(Tip {
        seq: natural(seq, "head")?,
        hash: Hash::from_bytes(hash),
        latest: Moment::from_unix_s(natural(latest_s, "head")?),
    })
}

/// Adds an entry at the chain's end, numbered and dated.
pub(crate) fn append(connection: &Connection, mut entry: Entry, now: Moment) -> Result<(), LedgerFault> {
    let tip = tip(connection)?;
    entry.seq = tip.seq.saturating_add(1);
    entry.at = now;
    entry.note = entry.note.map(|note| note.chars().take(NOTE_CHARS_MAX).collect());
    let text = serde_json::to_string(&entry).map_err(|_| LedgerFault::EntryTooLong)?;
    if text.len() > ENTRY_BYTES_MAX {
        return Err(LedgerFault::EntryTooLong);
    }
    let hash = link(tip.hash, text.as_bytes());
    let seq = integer(entry.seq);
    let added =
        connection.execute("INSERT INTO entry VALUES (?1, ?2, ?3)", params![seq, text, hash.as_bytes()]);
    added.map_err(LedgerFault::write)?;
    let moved = connection.execute("UPDATE head SET seq = ?1, hash = ?2", params![seq, hash.as_bytes()]);
    moved.map_err(LedgerFault::write)?;
    saw(connection, now)
}

/// Moves the ledger's own time forward to `now`, never backward.
pub(crate) fn saw(connection: &Connection, now: Moment) -> Result<(), LedgerFault> {
    let moved = connection
        .execute("UPDATE head SET latest_s = max(latest_s, ?1)", params![integer(now.unix_s())])
        .map_err(LedgerFault::write)?;
    if moved == 1 { Ok(()) } else { Err(LedgerFault::Damaged { table: "head" }) }
}

/// Checks that the head, the last entry and the number of entries agree. Does not walk the chain; an export does.
pub(crate) fn check_head(connection: &Connection) -> Result<(), LedgerFault> {
    let tip = tip(connection)?;
    let broken = || LedgerFault::Chain { seq: tip.seq };
    let count = connection.query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0));
    if natural(count.map_err(LedgerFault::read)?, "entry")? != tip.seq {
        return Err(broken());
    }
    if tip.seq == 0 {
        return if tip.hash == GENESIS { Ok(()) } else { Err(broken()) };
    }
    let previous = match tip.seq {
        1 => GENESIS,
        seq => entry_at(connection, seq - 1)?.ok_or_else(broken)?.1,
    };
    let (text, hash) = entry_at(connection, tip.seq)?.ok_or_else(broken)?;
    let holds = hash == tip.hash && link(previous, text.as_bytes()) == hash;
    if holds { Ok(()) } else { Err(broken()) }
}

fn entry_at(connection: &Connection, seq: u64) -> Result<Option<(String, Hash)>, LedgerFault> {
    let found =
        connection.query_row("SELECT text, hash FROM entry WHERE seq = ?1", params![integer(seq)], |row| {
            Ok((row.get(0)?, Hash::from_bytes(row.get(1)?)))
        });
    found.optional().map_err(LedgerFault::read)
}

/// A number as SQLite holds it. Sequence numbers and seconds never come near its end.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as the ledger wrote it: never negative.
pub(crate) fn natural(number: i64, table: &'static str) -> Result<u64, LedgerFault> {
    u64::try_from(number).map_err(|_| LedgerFault::Damaged { table })
}
