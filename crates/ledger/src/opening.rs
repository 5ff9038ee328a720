//! The openings of secure totals: one for a question, ever, and *same partners or new noise* (rules R2 and R6 of docs/reference/seal.md).
//!
//! What a node gives to a total is masked until the node opens, so it is the opening that turns the hold into a charge. What the record
//! says is the caller's: here it is bytes, kept so that after a restart that very opening is sent again and never another.

use cairn_policy::london_day;
use cairn_question::limits::{CLOCK_SKEW_S, PARTNERS_MAX, QUESTION_LIFE_S_MAX};
use cairn_question::privacy::NanoRho;
use cairn_question::{Day, Moment, Name, QuestionId, Refusal, RuleBroken};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::fmt;
use zeroize::Zeroizing;

use crate::chain::{append, integer, natural, tip};
use crate::entry::{Entry, SnapshotKey};
use crate::fault::LedgerFault;
use crate::ledger::{Kept, Ledger, charged, keep, spend};
use crate::reserve::{Debited, Denied, refuse, rule};

/// Most bytes of a record: 1,024 partners at 16 bytes each, and as much again for all else.
pub const RECORD_BYTES_MAX: usize = 32 * 1024;
const _: () = assert!(PARTNERS_MAX * 16 <= RECORD_BYTES_MAX / 2, "a record has room for all partners");

/// The opening of this partner's part of a total, as the ledger keeps it.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// The table that was counted: the hold's own.
    pub dataset: &'a Name,
    /// The snapshot that was counted: the hold's own.
    pub snapshot: SnapshotKey,
    /// What binds the next opening.
    pub repeat: Repeat,
    /// The node ids of the partners whose total opens, this one's among them; rising, each once.
    pub partners: &'a [[u8; 16]],
    /// What opens, to be sent again as it is; at most [`RECORD_BYTES_MAX`] bytes. It holds a secret.
    pub record: &'a [u8],
    /// The round's deadline: up to it the opening may have to be sent again; after it the record is wiped.
    pub deadline: Moment,
}

/// What binds the next opening on the same records. Complete: rule R6 knows two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repeat {
    /// Fresh noise, charged: nothing binds it.
    Charged,
    /// No fresh noise: every opening of this kind on the records of a day, in whatever table, is of the same partners and the same edition. Asked
    /// again without one of them, the difference would be its exact count.
    SamePartners,
}

/// What the next opening without fresh noise on a snapshot is bound to. Complete: rule R6 knows no other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Bound {
    /// Nothing: none was opened on the records of this day.
    Free,
    /// These partners, by their node ids, rising.
    Partners(Vec<[u8; 16]>),
    /// One was opened on another edition of the day: none can be on this one, since the difference would be this partner's late rows.
    OtherEdition,
    /// A backup without any was put back on that day or later: there may have been one, and nobody knows of whom.
    Forgotten,
}

/// Proof that the record of an opening is on disk: what it holds may be sent. Only the ledger makes one. Wiped in memory when dropped.
#[must_use = "the opening is charged: send it"]
pub struct KeptRecord {
    question_id: QuestionId,
    bytes: Zeroizing<Vec<u8>>,
}

/// A question's opening, as the ledger has it. Complete, not open: a node that starts must know each.
#[derive(Debug)]
pub enum Opened {
    /// Its record is kept: this opening is sent again, until its deadline, and no other.
    Record(KeptRecord),
    /// Its deadline has passed and its record was wiped: nothing is sent.
    Over,
}

/// Why nothing was opened. In each case nothing of the record may leave.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// R2 or R6 says no, and nothing has changed: the debit is given back, so that its hold can be given up.
    #[error("refused")]
    Refused {
        /// The debit. After a refusal by R2 its hold was spent by the opening before.
        debit: Box<Debited>,
        /// For the coordinator and the analyst: CM214 or CM215.
        refusal: Refusal,
    },
    /// The ledger broke, or the hold is gone. After a fault of a write, ask [`Ledger::opening`] what is on the disk once it is open anew.
    #[error(transparent)]
    Fault(#[from] LedgerFault),
}

impl KeptRecord {
    /// The question.
    #[must_use]
    pub const fn question_id(&self) -> QuestionId {
        self.question_id
    }

    /// The record, as it was given to [`Ledger::open_total`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Ledger {
    /// Turns the hold into a charge and keeps the opening, the signed reply and the audit entry: all in one transaction. Only after it may
    /// the opening leave.
    ///
    /// The register gets no table: a total's table is the coordinator's, so that an equal question is another total and another charge.
    ///
    /// # Errors
    /// [`NotOpened::Refused`] when the question was opened before (R2, CM214), or when a total without fresh noise was opened on these records
    /// with other partners (R6, CM215), or may have been before a backup was put back (R6, CM223). [`NotOpened::Fault`] with [`LedgerFault::HoldGone`] when the hold lapsed, was given up or replaced,
    /// [`LedgerFault::Opening`] when the opening is not of the hold, [`LedgerFault::Write`].
    pub fn open_total(
        &mut self,
        debit: Debited,
        opening: Opening<'_>,
        reply: &[u8],
        entry: &Entry,
        now: Moment,
    ) -> Result<KeptRecord, NotOpened> {
        let entry = Entry { partners: u32::try_from(opening.partners.len()).ok(), ..charged(entry, &debit) };
        match self.write(|transaction| open(transaction, &debit, &opening, (reply, entry), now)) {
            Ok(()) => Ok(KeptRecord {
                question_id: debit.question_id(),
                bytes: Zeroizing::new(opening.record.to_vec()),
            }),
            Err(Denied::Refusal(refusal)) => Err(NotOpened::Refused { debit: Box::new(debit), refusal }),
            Err(Denied::Fault(fault)) => Err(NotOpened::Fault(fault)),
        }
    }

    /// Whether the question was opened, ever, and what of it is still to be sent. Ask it before [`Ledger::recall`] and [`Ledger::reserve`].
    ///
    /// # Errors
    /// [`LedgerFault::Read`].
    pub fn opening(&self, id: QuestionId) -> Result<Option<Opened>, LedgerFault> {
        let sql = "SELECT record FROM opening WHERE question_id = ?1";
        let found = self
            .reading()?
            .query_row(sql, params![id.as_bytes()], |row| row.get::<_, Option<Vec<u8>>>(0))
            .optional()
            .map_err(LedgerFault::read)?;
        Ok(found.map(|record| match record {
            Some(bytes) => Opened::Record(KeptRecord { question_id: id, bytes: Zeroizing::new(bytes) }),
            None => Opened::Over,
        }))
    }

    /// What an opening without fresh noise on a snapshot is bound to (R6).
    ///
    /// # Errors
    /// [`LedgerFault::Read`], [`LedgerFault::Damaged`].
    pub fn bound_to(&self, snapshot: SnapshotKey) -> Result<Bound, LedgerFault> {
        bound(self.reading()?, snapshot)
    }
}

/// Decides and opens, inside the caller's transaction: what is refused after a write is taken back with it.
fn open(
    connection: &Connection,
    debit: &Debited,
    opening: &Opening<'_>,
    (reply, entry): (&[u8], Entry),
    now: Moment,
) -> Result<(), Denied> {
    // The ledger's own time never runs backward.
    let seen = now.max(tip(connection)?.latest);
    if was_opened(connection, debit.question_id())? {
        return Err(refuse(already_opened()));
    }
    spend(connection, debit, now)?;
    check(debit, opening, seen)?;
    of_the_hold(connection, debit, opening)?;
    same_partners(connection, opening)?;
    wipe(connection, seen)?;
    put(connection, debit.question_id(), opening)?;
    if keep(connection, debit.question_id(), debit.question_hash(), reply)? != Kept::New {
        return Err(LedgerFault::AlreadyReplied.into());
    }
    Ok(append(connection, entry, now)?)
}

/// Wipes the records of openings whose deadline has passed: a secret is kept no longer than it may have to be sent. The openings stay.
pub(crate) fn wipe(connection: &Connection, now: Moment) -> Result<(), LedgerFault> {
    let sql = "UPDATE opening SET record = NULL WHERE record IS NOT NULL AND until_s < ?1";
    connection.execute(sql, params![integer(now.unix_s())]).map_err(LedgerFault::write)?;
    Ok(())
}

/// Checks what the caller says of the opening.
fn check(debit: &Debited, opening: &Opening<'_>, now: Moment) -> Result<(), LedgerFault> {
    let last = now.plus_s(QUESTION_LIFE_S_MAX + CLOCK_SKEW_S);
    let rising = opening.partners.iter().zip(opening.partners.iter().skip(1)).all(|(one, next)| one < next);
    let what = match () {
        () if !(1..=PARTNERS_MAX).contains(&opening.partners.len()) => "no partners, or too many",
        () if !rising => "its partners are out of order",
        () if !(1..=RECORD_BYTES_MAX).contains(&opening.record.len()) => "its record is empty or too long",
        () if opening.deadline < now => "its deadline has passed",
        () if opening.deadline > last => "its deadline is too far off",
        // Otherwise a word of the caller's would set R6 aside.
        () if opening.repeat == Repeat::Charged && debit.cost() == NanoRho::ZERO => {
            "it claims fresh noise, and its hold costs nothing"
        }
        () => return Ok(()),
    };
    Err(LedgerFault::Opening { what })
}

/// R6 speaks of the records that were counted, so these must be the ones that the hold is of.
fn of_the_hold(connection: &Connection, debit: &Debited, opening: &Opening<'_>) -> Result<(), LedgerFault> {
    let sql = "SELECT coalesce(scope, ''), as_of = ?2 AND edition = ?3 FROM debit WHERE question_id = ?1";
    let id = debit.question_id();
    let which = params![id.as_bytes(), opening.snapshot.as_of.to_string(), opening.snapshot.edition];
    let held = connection.query_row(sql, which, |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
    let (scope, same_snapshot) = held.map_err(LedgerFault::read)?;
    match scope.split(' ').nth(1) {
        Some(dataset) if same_snapshot && dataset == opening.dataset.as_str() => Ok(()),
        _ => Err(LedgerFault::Opening { what: "it is of other records than its hold" }),
    }
}

/// R2: whatever was opened for the question before.
fn was_opened(connection: &Connection, id: QuestionId) -> Result<bool, LedgerFault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM opening WHERE question_id = ?1)";
    connection.query_row(sql, params![id.as_bytes()], |row| row.get(0)).map_err(LedgerFault::read)
}

/// R6.
fn same_partners(connection: &Connection, opening: &Opening<'_>) -> Result<(), Denied> {
    if opening.repeat == Repeat::Charged {
        return Ok(());
    }
    match bound(connection, opening.snapshot)? {
        Bound::Free => Ok(()),
        Bound::Partners(before) if before == opening.partners => Ok(()),
        Bound::Partners(_) | Bound::OtherEdition => Err(refuse(other_partners(opening))),
        Bound::Forgotten => Err(refuse(forgotten(opening))),
    }
}

/// The partners of the first opening without fresh noise on these records; all later ones have the same.
/// By the day, whatever the table: the same people stand in several, and two editions of a day differ by the few who came between.
fn bound(connection: &Connection, snapshot: SnapshotKey) -> Result<Bound, LedgerFault> {
    let sql = "SELECT partners, edition FROM opening WHERE as_of = ?1 AND repeat = 'same-partners' LIMIT 1";
    let found = connection.query_row(sql, params![snapshot.as_of.to_string()], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, u32>(1)?))
    });
    match found.optional().map_err(LedgerFault::read)? {
        None if put_back_since(connection, snapshot.as_of)? => Ok(Bound::Forgotten),
        None => Ok(Bound::Free),
        Some((_, edition)) if edition != snapshot.edition => Ok(Bound::OtherEdition),
        Some((bytes, _)) => match bytes.as_chunks::<16>() {
            (ids, []) => Ok(Bound::Partners(ids.to_vec())),
            _ => Err(LedgerFault::Damaged { table: "opening" }),
        },
    }
}

/// Whether a backup was put back, and acknowledged, on this day or later: what was opened on its records is then not known.
fn put_back_since(connection: &Connection, day: Day) -> Result<bool, LedgerFault> {
    let never = connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM given_up)", [], |row| row.get(0));
    if never.map_err(LedgerFault::read)? {
        return Ok(false);
    }
    let sql =
        "SELECT max(json_extract(text, '$.at')) FROM entry WHERE json_extract(text, '$.kind') = 'restore'";
    let at: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).map_err(LedgerFault::read)?;
    let at = at.ok_or(LedgerFault::Damaged { table: "given_up" })?;
    Ok(london_day(Moment::from_unix_s(natural(at, "entry")?)) >= day)
}

fn put(connection: &Connection, id: QuestionId, opening: &Opening<'_>) -> Result<(), LedgerFault> {
    let sql = "INSERT INTO opening VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let row = params![
        id.as_bytes(),
        opening.dataset.as_str(),
        opening.snapshot.as_of.to_string(),
        opening.snapshot.edition,
        opening.repeat.word(),
        opening.partners.as_flattened(),
        integer(opening.deadline.unix_s()),
        opening.record,
    ];
    connection.execute(sql, row).map_err(LedgerFault::write)?;
    Ok(())
}

impl Repeat {
    /// Its word in the ledger.
    const fn word(self) -> &'static str {
        match self {
            Self::Charged => "charged",
            Self::SamePartners => "same-partners",
        }
    }
}

fn already_opened() -> RuleBroken {
    let says = "this partner opened its part of this total already, and opens nothing else for the question";
    rule("ledger.one-opening", "CM214", says.to_owned())
}

fn other_partners(opening: &Opening<'_>) -> RuleBroken {
    let says = format!(
        "a total without fresh noise was opened with other partners, or on another edition, of the records of {}, and the difference of two would be one partner's figure; ask with the same partners, under noise, or on the next snapshot",
        opening.snapshot.as_of
    );
    rule("ledger.same-partners", "CM215", says)
}

fn forgotten(opening: &Opening<'_>) -> RuleBroken {
    let says = format!(
        "this partner's ledger was put back from a backup, so it does not know of whom totals without fresh noise of the records of {} were; ask under noise, or on the next snapshot",
        opening.snapshot.as_of
    );
    rule("ledger.same-partners", "CM223", says)
}

impl fmt::Debug for Opening<'_> {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({}, {:?}, {} partners)", self.dataset, self.repeat, self.partners.len())
    }
}

impl fmt::Debug for KeptRecord {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptRecord({}, {} bytes)", self.question_id.short(), self.bytes.len())
    }
}

#[cfg(test)]
mod tests;
