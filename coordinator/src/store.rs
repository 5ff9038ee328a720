//! What a coordinator must not forget: accepted questions, verified replies, closed rounds. Durable before anybody is told.

mod transcripts;

use std::path::Path;

use cairn_ledger::durable::{self, Lock};
use cairn_ledger::{LedgerFault, rusqlite};
use cairn_question::{Day, Moment, Name, PartnerId, QuestionId};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::total::again::{Before, Equal};

pub use transcripts::{KeptTranscript, TRANSCRIPT_KEPT_MAX, Transcripts};

/// Most bytes of closed rounds that are kept: 16 GiB. Beyond it the oldest are forgotten before their time, so that no
/// analyst can fill the disk.
pub const KEPT_BYTES_MAX: u64 = 16 << 30;

/// How many of an analyst's newest questions are looked through for an equal one.
const EARLIER_MAX: i64 = 256;

/// The form of the store that this program writes.
const FORM: i64 = 4;

/// What brings a store of an older form up to the next.
const FROM_1: &str = include_str!("store_from_form_1.sql");
const FROM_2: &str = include_str!("store_from_form_2.sql");
const FROM_3: &str = include_str!("store_from_form_3.sql");

/// The store. One writer; every call blocks until the disk has it.
pub struct Store {
    connection: Connection,
    _lock: Lock,
}

/// A question that is to be kept.
#[derive(Clone, Debug)]
pub struct NewQuestion {
    /// Its number.
    pub id: QuestionId,
    /// The exact bytes that came.
    pub signed: Vec<u8>,
    /// Who asked, by the connection's certificate.
    pub analyst: Name,
    /// The register under which it was accepted.
    pub register_version: u32,
    /// When.
    pub accepted_at: Moment,
    /// When its round closes at the latest.
    pub deadline: Moment,
}

/// How many rounds may be open.
#[derive(Clone, Copy, Debug)]
pub struct OpenMax {
    /// Of all analysts.
    pub all: usize,
    /// Of one analyst.
    pub per_analyst: usize,
}

/// What became of a question that came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It is on disk now.
    New,
    /// It was there before, with the same bytes from the same analyst.
    Known,
    /// Its number was used before, for other bytes or by another analyst.
    NumberTaken,
    /// The analyst has this many open rounds, which is the most.
    AnalystBusy(usize),
    /// As many rounds are open as there may be.
    Busy,
}

/// A closed round as it was kept.
#[derive(Clone, Eq, PartialEq)]
pub struct Kept {
    /// The verified replies, by partner.
    pub replies: Vec<(PartnerId, Vec<u8>)>,
    /// The signed coverage statement.
    pub coverage: Vec<u8>,
}

/// Why the store did not work. The analyst sees the code only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFault {
    /// It could not be opened, or would not be durable.
    #[error("cannot open the coordinator's store")]
    Open(#[source] LedgerFault),
    /// Written by a newer program.
    #[error("the store has form {0}, newer than this program knows")]
    Form(i64),
    /// Reading or writing failed: a full disk, most often. Nothing of the call is kept.
    #[error("cannot read or write the coordinator's store")]
    Sql(#[from] rusqlite::Error),
    /// A row that this program does not write.
    #[error("a row of the coordinator's store is damaged")]
    Damaged,
    /// The coordinator is stopping, and has given the store back.
    #[error("the coordinator is stopping")]
    Stopped,
}

impl StoreFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open(_) => "CO301",
            Self::Form(_) => "CO302",
            Self::Sql(_) => "CO303",
            Self::Damaged => "CO304",
            Self::Stopped => "CO205",
        }
    }
}

impl Store {
    /// Opens the store, and makes it at first start. One program at a time holds it.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        let lock = Lock::take(path).map_err(StoreFault::Open)?;
        let mut connection = durable::open(path).map_err(StoreFault::Open)?;
        let transaction = connection.transaction()?;
        let form: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let steps: &[&str] = match form {
            0 => &[include_str!("store.sql")],
            1 => &[FROM_1, FROM_2, FROM_3],
            2 => &[FROM_2, FROM_3],
            3 => &[FROM_3],
            FORM => &[],
            newer => return Err(StoreFault::Form(newer)),
        };
        steps.iter().try_for_each(|step| transaction.execute_batch(step))?;
        transaction.pragma_update(None, "user_version", FORM)?;
        transaction.commit()?;
        Ok(Self { connection, _lock: lock })
    }

    /// Keeps a register, so that a round is resumed under the one it began with.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn keep_register(&mut self, version: u32, signed: &[u8]) -> Result<(), StoreFault> {
        self.connection.execute(
            "INSERT OR REPLACE INTO register (version, signed) VALUES (?1, ?2)",
            params![version, signed],
        )?;
        Ok(())
    }

    /// The signed register of this version, and the newest version there is.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn register(&self, version: u32) -> Result<Option<Vec<u8>>, StoreFault> {
        let sql = "SELECT signed FROM register WHERE version = ?1";
        Ok(self.connection.query_row(sql, [version], |row| row.get(0)).optional()?)
    }

    /// The newest version of the register that this coordinator has served; 0 before the first.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn newest_register(&self) -> Result<u32, StoreFault> {
        let sql = "SELECT coalesce(max(version), 0) FROM register";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// The partners of the first total without noise of the records of a day: every other is of the same. `None` before it.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn roll_call(&self, as_of: Day) -> Result<Option<Vec<PartnerId>>, StoreFault> {
        let sql = "SELECT partners FROM roll_call WHERE as_of = ?1";
        let row: Option<String> =
            self.connection.query_row(sql, [as_of.to_string()], |row| row.get(0)).optional()?;
        row.map(|json| serde_json::from_str(&json).map_err(|_| StoreFault::Damaged)).transpose()
    }

    /// Keeps the partners of a total without noise, where there was none of these records before.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn keep_roll_call(&mut self, as_of: Day, partners: &[PartnerId]) -> Result<(), StoreFault> {
        // Names only: serde_json cannot fail on them.
        let json = serde_json::to_string(partners).unwrap_or_default();
        let sql = "INSERT INTO roll_call (as_of, partners) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.connection.execute(sql, [as_of.to_string(), json])?;
        Ok(())
    }

    /// The newest signed end of a partner's ledger that is held here.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn checkpoint(&self, partner: &PartnerId) -> Result<Option<Vec<u8>>, StoreFault> {
        let sql = "SELECT signed FROM checkpoint WHERE partner = ?1";
        Ok(self.connection.query_row(sql, [partner.as_str()], |row| row.get(0)).optional()?)
    }

    /// Holds the signed end of a partner's ledger, in place of the one before where `replaces` says so of it. Says whether it is held.
    ///
    /// # Errors
    /// [`StoreFault`]; the one before is held then.
    pub fn hold_checkpoint(
        &mut self,
        partner: &PartnerId,
        signed: &[u8],
        replaces: impl FnOnce(&[u8]) -> bool,
    ) -> Result<bool, StoreFault> {
        if self.checkpoint(partner)?.is_some_and(|before| !replaces(&before)) {
            return Ok(false);
        }
        let sql = "INSERT OR REPLACE INTO checkpoint (partner, signed) VALUES (?1, ?2)";
        self.connection.execute(sql, params![partner.as_str(), signed])?;
        Ok(true)
    }

    /// Keeps a question, if its number is free and the analyst may have one more open round. When this returns
    /// [`Taken::New`], the question survives a power cut.
    ///
    /// # Errors
    /// [`StoreFault`]; the question is not accepted then.
    pub fn accept(&mut self, new: &NewQuestion, most: OpenMax) -> Result<Taken, StoreFault> {
        let transaction = self.connection.transaction()?;
        let taken = accept(&transaction, new, most)?;
        transaction.commit()?;
        Ok(taken)
    }

    /// The questions whose rounds are open, oldest first.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn open_questions(&self) -> Result<Vec<NewQuestion>, StoreFault> {
        let sql = "SELECT id, signed, analyst, register_version, accepted_s, deadline_s FROM question
                   WHERE closed_s IS NULL ORDER BY accepted_s, id";
        let mut statement = self.connection.prepare(sql)?;
        let rows: Vec<_> = statement.query_map([], raw_question)?.collect::<Result<_, _>>()?;
        rows.into_iter().map(RawQuestion::read).collect()
    }

    /// Keeps verified replies of an open round. One that is there already stays as it is.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn keep_replies(
        &mut self,
        id: QuestionId,
        replies: &[(PartnerId, Vec<u8>)],
    ) -> Result<(), StoreFault> {
        let transaction = self.connection.transaction()?;
        insert_replies(&transaction, id, replies)?;
        transaction.commit()?;
        Ok(())
    }

    /// The replies kept for a question, by partner.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn replies(&self, id: QuestionId) -> Result<Vec<(PartnerId, Vec<u8>)>, StoreFault> {
        let sql = "SELECT partner, signed FROM reply WHERE question = ?1 ORDER BY partner";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([id.as_bytes()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        let rows: Vec<(String, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
        let read =
            |(partner, signed)| Ok((PartnerId::new(partner).map_err(|_| StoreFault::Damaged)?, signed));
        rows.into_iter().map(read).collect()
    }

    /// Closes a round: its last replies, its coverage statement and the transcript of its total, where it is one, become durable together.
    ///
    /// # Errors
    /// [`StoreFault`]; the round is open then, and is closed after the next start.
    pub fn close(
        &mut self,
        id: QuestionId,
        kept: &Kept,
        transcript: Option<&[u8]>,
        now: Moment,
    ) -> Result<(), StoreFault> {
        let transaction = self.connection.transaction()?;
        insert_replies(&transaction, id, &kept.replies)?;
        let sql = "INSERT OR IGNORE INTO transcript (question, bytes)
                   SELECT id, ?2 FROM question WHERE id = ?1 AND closed_s IS NULL";
        if let Some(bytes) = transcript {
            transaction.execute(sql, params![id.as_bytes(), bytes])?;
        }
        transaction.execute(
            "UPDATE question SET coverage = ?2, closed_s = ?3,
               kept_bytes = length(signed) + length(?2)
                 + (SELECT coalesce(sum(length(r.signed)), 0) FROM reply r WHERE r.question = ?1)
                 + (SELECT coalesce(sum(length(t.bytes)), 0) FROM transcript t WHERE t.question = ?1)
             WHERE id = ?1 AND closed_s IS NULL",
            params![id.as_bytes(), kept.coverage, seconds(now)],
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// Whether this analyst has a question under this number.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn has(&self, id: QuestionId, analyst: &Name) -> Result<bool, StoreFault> {
        let sql = "SELECT count(*) FROM question WHERE id = ?1 AND analyst = ?2";
        let count: i64 =
            self.connection.query_row(sql, params![id.as_bytes(), analyst.as_str()], |row| row.get(0))?;
        Ok(count > 0)
    }

    /// The closed round of a question; `None` where it is open or unknown.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn closed(&self, id: QuestionId) -> Result<Option<Kept>, StoreFault> {
        let sql = "SELECT coverage FROM question WHERE id = ?1 AND closed_s IS NOT NULL";
        let coverage = self.connection.query_row(sql, [id.as_bytes()], |row| row.get(0)).optional()?;
        coverage.map(|coverage| Ok(Kept { replies: self.replies(id)?, coverage })).transpose()
    }

    /// The newest equal question that this analyst was answered as a total of all partners.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn answered_before(&self, analyst: &Name, equal: &Equal) -> Result<Option<Before>, StoreFault> {
        let sql = "SELECT id, signed, closed_s, coverage FROM question
                   WHERE analyst = ?1 AND closed_s IS NOT NULL ORDER BY closed_s DESC, id LIMIT ?2";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query(params![analyst.as_str(), EARLIER_MAX])?;
        while let Some(row) = rows.next()? {
            let (signed, at): (Vec<u8>, Moment) = (row.get(1)?, moment(row.get(2)?));
            if equal.is_asked_in(&signed, at) && equal.is_answered_in(&row.get::<_, Vec<u8>>(3)?) {
                let id: [u8; 32] = row.get(0)?;
                return Ok(Some(Before { id: QuestionId::from_bytes(id), at }));
            }
        }
        Ok(None)
    }

    /// Forgets rounds that were closed before `before`, and the oldest ones beyond `bytes_max`. Gives how many.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub fn forget(&mut self, before: Moment, bytes_max: u64) -> Result<usize, StoreFault> {
        let bytes_max = i64::try_from(bytes_max).unwrap_or(i64::MAX);
        let sql = "DELETE FROM question WHERE closed_s < ?1 OR id IN (
                     SELECT id FROM (SELECT id, closed_s, sum(kept_bytes) OVER (ORDER BY closed_s DESC, id) AS up_to
                       FROM question WHERE closed_s IS NOT NULL) WHERE up_to > ?2)";
        Ok(self.connection.execute(sql, params![seconds(before), bytes_max])?)
    }
}

fn accept(on: &Transaction<'_>, new: &NewQuestion, most: OpenMax) -> Result<Taken, StoreFault> {
    let known = "SELECT signed = ?2 AND analyst = ?3 FROM question WHERE id = ?1";
    let same: Option<bool> = on
        .query_row(known, params![new.id.as_bytes(), new.signed, new.analyst.as_str()], |row| row.get(0))
        .optional()?;
    match same {
        Some(true) => return Ok(Taken::Known),
        Some(false) => return Ok(Taken::NumberTaken),
        None => {}
    }
    let counts = "SELECT count(*), count(*) FILTER (WHERE analyst = ?1) FROM question WHERE closed_s IS NULL";
    let (all, own): (i64, i64) =
        on.query_row(counts, [new.analyst.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (all, own) = (usize::try_from(all).unwrap_or(usize::MAX), usize::try_from(own).unwrap_or(usize::MAX));
    if own >= most.per_analyst {
        return Ok(Taken::AnalystBusy(own));
    }
    if all >= most.all {
        return Ok(Taken::Busy);
    }
    on.execute(
        "INSERT INTO question (id, signed, analyst, register_version, accepted_s, deadline_s)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            new.id.as_bytes(),
            new.signed,
            new.analyst.as_str(),
            new.register_version,
            seconds(new.accepted_at),
            seconds(new.deadline)
        ],
    )?;
    Ok(Taken::New)
}

fn insert_replies(
    on: &Transaction<'_>,
    id: QuestionId,
    replies: &[(PartnerId, Vec<u8>)],
) -> Result<(), StoreFault> {
    let sql = "INSERT OR IGNORE INTO reply (question, partner, signed) VALUES (?1, ?2, ?3)";
    let mut statement = on.prepare_cached(sql)?;
    for (partner, signed) in replies {
        statement.execute(params![id.as_bytes(), partner.as_str(), signed])?;
    }
    Ok(())
}

struct RawQuestion {
    id: Vec<u8>,
    signed: Vec<u8>,
    analyst: String,
    register_version: u32,
    accepted_s: i64,
    deadline_s: i64,
}

fn raw_question(row: &Row<'_>) -> Result<RawQuestion, rusqlite::Error> {
    Ok(RawQuestion {
        id: row.get(0)?,
        signed: row.get(1)?,
        analyst: row.get(2)?,
        register_version: row.get(3)?,
        accepted_s: row.get(4)?,
        deadline_s: row.get(5)?,
    })
}

impl RawQuestion {
    fn read(self) -> Result<NewQuestion, StoreFault> {
        let id: [u8; 32] = self.id.try_into().map_err(|_| StoreFault::Damaged)?;
        Ok(NewQuestion {
            id: QuestionId::from_bytes(id),
            signed: self.signed,
            analyst: Name::new(self.analyst).map_err(|_| StoreFault::Damaged)?,
            register_version: self.register_version,
            accepted_at: moment(self.accepted_s),
            deadline: moment(self.deadline_s),
        })
    }
}

fn seconds(moment: Moment) -> i64 {
    i64::try_from(moment.unix_s()).unwrap_or(i64::MAX)
}

fn moment(seconds: i64) -> Moment {
    Moment::from_unix_s(u64::try_from(seconds).unwrap_or(0))
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} replies)", self.replies.len())
    }
}

#[cfg(test)]
mod tests;
