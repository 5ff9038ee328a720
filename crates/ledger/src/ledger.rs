//! The ledger's one writer: every call is one transaction, synced before it returns.

use cairn_policy::Caps;
use cairn_question::answer::PolicyStatement;
use cairn_question::{Hash, Moment, Name, QuestionId, SigningKey, sabotage};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::account::{self, Account};
use crate::audit::{self, Head};
use crate::audited::{drop_witnesses, keep_witnesses};
use crate::chain::{self, integer, tip};
use crate::durable;
use crate::editions::AnsweredTable;
use crate::entry::Entry;
use crate::fault::LedgerFault;
use crate::replies::{REPLIES_PER_ANALYST_PER_DAY, Replies, too_many};
use crate::reserve::{self, Debited, Denied, Reservation, Reserved, StoredAnswer};

/// A partner's ledger, open for writing. One handle to a file at a time, in any process.
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
    state: State,
    replies: Replies,
    _lock: Option<durable::Lock>,
}

/// Whether what is on the disk is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Sound,
    Poisoned,
}

/// What is known of a question that comes (again).
#[derive(Clone, Eq, PartialEq)]
pub enum Recall {
    /// Nothing, or only a hold that was given up: take it through the ladder.
    Unknown,
    /// It was replied to: these signed bytes, to be sent again as they are.
    Reply(Vec<u8>),
    /// The id came before with another question: a replay of the id, or a tampered copy.
    OtherHash,
    /// A hold exists and no reply: it is being counted, or counting was cut off. Reserving again gives the same hold.
    Open,
}

/// Marks a file as a Cairn ledger: `CAL1` in ASCII.
pub(crate) const APPLICATION_ID: i64 = 0x4341_4C31;

/// The form of the tables. Rises with every change to `schema.sql`; a file of an older form is brought up to it when it is opened.
pub(crate) const FORM: i64 = 4;

impl Ledger {
    /// Opens the ledger at `path`, or makes one with mode 0600, and takes the right to write to it.
    ///
    /// # Errors
    /// [`LedgerFault::InUse`] when another handle is open, [`LedgerFault::NotDurable`] when a setting does not hold,
    /// [`LedgerFault::Version`], [`LedgerFault::Chain`] when the chain's end is not intact, [`LedgerFault::Open`].
    pub fn open(path: &Path) -> Result<Self, LedgerFault> {
        let lock = durable::Lock::take(path)?;
        Self::with(durable::open(path)?, path, Some(lock))
    }

    /// Without the lock only in tests.
    pub(crate) fn with(
        mut connection: Connection,
        path: &Path,
        lock: Option<durable::Lock>,
    ) -> Result<Self, LedgerFault> {
        set_up(&mut connection)?;
        check_form(&connection)?;
        bring_up(&mut connection)?;
        chain::check_head(&connection)?;
        let (path, replies) = (path.to_owned(), Replies::default());
        Ok(Self { connection, path, state: State::Sound, replies, _lock: lock })
    }

    /// Holds the cost of a question, its place in the quota and in the register, before anything is counted.
    ///
    /// The same (id, hash) with an open hold on the same terms gets that hold again and is not charged twice.
    ///
    /// # Errors
    /// [`Denied::Refusal`] names every cap and quota that fails; [`Denied::Fault`] when the ledger broke.
    pub fn reserve(&mut self, want: &Reservation, now: Moment) -> Result<Reserved, Denied> {
        self.write(|transaction| reserve::reserve(transaction, want, now))
    }

    /// Turns the hold into a charge, and keeps the signed reply, the table and the audit entry: all in one transaction.
    /// Only after it may the reply leave.
    ///
    /// `table` is what an equal question is given later ([`StoredAnswer`]): it must depend on the table alone, not on
    /// the time or on who asks. The ledger writes the question, the cost and the year's total into the entry.
    ///
    /// # Errors
    /// [`LedgerFault::HoldGone`] when the hold lapsed or was settled already, [`LedgerFault::OtherTable`],
    /// [`LedgerFault::Write`]: in each case the reply must not leave.
    #[expect(clippy::needless_pass_by_value, reason = "a debit is spent: it cannot be used again")]
    pub fn settle<'t>(
        &mut self,
        debit: Debited,
        reply: &[u8],
        table: impl Into<AnsweredTable<'t>>,
        entry: &Entry,
        now: Moment,
    ) -> Result<(), LedgerFault> {
        let table = table.into();
        let mut entry = charged(entry, &debit);
        let (path, id) = (self.path.clone(), debit.question_id());
        entry.witnesses = table.witnesses.map(Hash::of);
        let settled = self.write(|transaction| {
            spend(transaction, &debit, now)?;
            register(transaction, &debit, &table)?;
            // Before the commit: a table never leaves without the witnesses that its entry names.
            table.witnesses.map_or(Ok(()), |bytes| keep_witnesses(&path, id, bytes))?;
            keep(transaction, id, debit.question_hash(), reply)?;
            chain::append(transaction, entry, now)
        });
        if settled.is_err() && table.witnesses.is_some() && self.state == State::Sound {
            drop_witnesses(&path, id);
        }
        settled
    }

    /// Replies with the table that an equal question was given: keeps the reply and the entry, charges nothing.
    ///
    /// # Errors
    /// [`LedgerFault::AlreadyReplied`] when the id belongs to another question, [`LedgerFault::Write`].
    #[expect(clippy::needless_pass_by_value, reason = "one stored answer is one reply")]
    pub fn repeat(
        &mut self,
        stored: StoredAnswer,
        reply: &[u8],
        entry: &Entry,
        now: Moment,
    ) -> Result<(), LedgerFault> {
        let (id, hash) = (stored.question_id(), stored.question_hash());
        let mut entry = entry.clone();
        entry.question_id = Some(id);
        entry.question_hash = Some(hash);
        entry.year_so_far.get_or_insert(stored.year_so_far());
        self.write(|transaction| {
            if keep(transaction, id, hash, reply)? == Kept::OtherHash {
                return Err(LedgerFault::AlreadyReplied);
            }
            let own = params![id.as_bytes()];
            let give_up = "UPDATE debit SET state = 'abandoned' WHERE question_id = ?1 AND state = 'held'";
            transaction.execute(give_up, own).map_err(LedgerFault::write)?;
            chain::append(transaction, entry, now)
        })
    }

    /// Gives the hold up: counting failed or was stopped by the brake, and nothing left the node.
    ///
    /// # Errors
    /// [`LedgerFault::Write`]; the hold then lapses at its deadline.
    #[expect(clippy::needless_pass_by_value, reason = "a debit is given up: it cannot be used again")]
    pub fn abandon(&mut self, debit: Debited, entry: &Entry, now: Moment) -> Result<(), LedgerFault> {
        let mut entry = entry.clone();
        entry.question_id = Some(debit.question_id());
        entry.question_hash = Some(debit.question_hash());
        self.write(|transaction| {
            transaction
                .execute(
                    "UPDATE debit SET state = 'abandoned' WHERE question_id = ?1 AND hold = ?2 AND state = 'held'",
                    params![debit.question_id().as_bytes(), debit.hold()],
                )
                .map_err(LedgerFault::write)?;
            chain::append(transaction, entry, now)
        })
    }

    /// Keeps a refusal and its entry. The same (id, hash) gets the same signed refusal again; a question whose id belongs to
    /// another one is logged, and that other one's reply stays.
    ///
    /// # Errors
    /// [`LedgerFault::Write`].
    pub fn refuse(
        &mut self,
        id: QuestionId,
        hash: Hash,
        reply: &[u8],
        entry: &Entry,
        now: Moment,
    ) -> Result<(), LedgerFault> {
        let mut entry = entry.clone();
        entry.question_id = Some(id);
        entry.question_hash = Some(hash);
        self.write(|transaction| {
            if keep(transaction, id, hash, reply)? == Kept::New {
                let give_up =
                    "UPDATE debit SET state = 'abandoned' WHERE question_id = ?1 AND state = 'held'";
                transaction.execute(give_up, params![id.as_bytes()]).map_err(LedgerFault::write)?;
            }
            chain::append(transaction, entry, now)
        })
    }

    /// Logs any other event: a load, a policy, the brake, start and stop.
    ///
    /// # Errors
    /// [`LedgerFault::Write`].
    pub fn note(&mut self, entry: &Entry, now: Moment) -> Result<(), LedgerFault> {
        self.write(|transaction| chain::append(transaction, entry.clone(), now))
    }

    /// Whether a question of this analyst may have a reply that is kept: at most [`REPLIES_PER_ANALYST_PER_DAY`] have, on the day of `now` in
    /// Europe/London. Ask it of questions that [`Ledger::recall`] has no reply of.
    ///
    /// # Errors
    /// [`Denied::Refusal`] past the limit: for the analyst, and not to be kept; [`Denied::Fault`] when the ledger broke.
    pub fn may_reply(&mut self, analyst: &Name, now: Moment) -> Result<(), Denied> {
        self.sound()?;
        let had = self.replies.of(&self.connection, analyst, now)?;
        if had < REPLIES_PER_ANALYST_PER_DAY { Ok(()) } else { Err(Denied::Refusal(too_many())) }
    }

    /// What is known of a question.
    ///
    /// # Errors
    /// [`LedgerFault::Read`].
    pub fn recall(&self, id: QuestionId, hash: Hash) -> Result<Recall, LedgerFault> {
        self.sound()?;
        let found = self.connection.query_row(
            "SELECT hash, reply, (SELECT state FROM debit WHERE question_id = id) FROM question WHERE id = ?1",
            params![id.as_bytes()],
            |row| Ok((Hash::from_bytes(row.get(0)?), row.get(1)?, row.get::<_, Option<String>>(2)?)),
        );
        let found: Option<(Hash, Option<Vec<u8>>, _)> = found.optional().map_err(LedgerFault::read)?;
        Ok(match found {
            None => Recall::Unknown,
            Some((known, ..)) if known != hash => Recall::OtherHash,
            Some((_, Some(reply), _)) => Recall::Reply(reply),
            Some((_, None, Some(state))) if state == "held" => Recall::Open,
            Some(_) => Recall::Unknown,
        })
    }

    /// The person's account at `now`, open holds included.
    ///
    /// # Errors
    /// [`LedgerFault::Read`]; [`LedgerFault::Reservation`] when the caps' year starts on no day of the calendar.
    pub fn account(&self, caps: &Caps, now: Moment) -> Result<Account, LedgerFault> {
        self.sound()?;
        account::account(&self.connection, caps, now)
    }

    /// Writes the whole audit as JSON lines, the last one a signed head; walks and checks the chain on the way.
    ///
    /// # Errors
    /// [`LedgerFault::Chain`] when the chain does not hold (then no head is written), [`LedgerFault::Export`].
    pub fn export(&self, to: &mut dyn Write, signer: &SigningKey) -> Result<Head, LedgerFault> {
        self.sound()?;
        audit::export(&self.connection, to, signer)
    }

    /// At most `most` entries after number `after`, in order.
    ///
    /// # Errors
    /// [`LedgerFault::Read`], [`LedgerFault::Damaged`].
    pub fn entries(&self, after: u64, most: u32) -> Result<Vec<Entry>, LedgerFault> {
        self.sound()?;
        audit::entries(&self.connection, after, most)
    }

    /// The policy that was last put in force, from the audit; `None` for a ledger that never saw one. Versions only rise, so a
    /// node that starts must know it.
    ///
    /// # Errors
    /// [`LedgerFault::Read`], [`LedgerFault::Damaged`].
    pub fn last_policy(&self) -> Result<Option<PolicyStatement>, LedgerFault> {
        self.sound()?;
        audit::last_policy(&self.connection)
    }

    #[cfg(test)]
    pub(crate) const fn connection_for_tests(&self) -> &Connection {
        &self.connection
    }

    /// For reading only.
    pub(crate) fn reading(&self) -> Result<&Connection, LedgerFault> {
        self.sound().map(|()| &self.connection)
    }

    const fn sound(&self) -> Result<(), LedgerFault> {
        match self.state {
            State::Sound => Ok(()),
            State::Poisoned => Err(LedgerFault::Poisoned),
        }
    }

    /// One transaction. A commit that fails, or an error that leaves the disk unknown, poisons the ledger: after a failed
    /// fsync the pages that did not reach the disk may count as clean, so that a second try would "succeed"
    /// (Rebello et al., "Can applications recover from fsync failures?", USENIX ATC 2020).
    pub(crate) fn write<T, E: From<LedgerFault> + Unknowing>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.sound()?;
        let (result, state) = run(&mut self.connection, work);
        self.state = if self.connection.is_autocommit() { state } else { State::Poisoned };
        result
    }
}

fn run<T, E: From<LedgerFault> + Unknowing>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> (Result<T, E>, State) {
    // Immediate: the write lock is taken before anything is read, so that no two questions race past the check.
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = match begun {
        Ok(transaction) => transaction,
        Err(cause) => return (Err(LedgerFault::Write { cause }.into()), State::Sound),
    };
    match work(&transaction) {
        Ok(value) => match transaction.commit() {
            Ok(()) => (Ok(value), State::Sound),
            Err(cause) => (Err(LedgerFault::Write { cause }.into()), State::Poisoned),
        },
        Err(error) => {
            let state = if error.leaves_disk_unknown() { State::Poisoned } else { State::Sound };
            (Err(error), state)
        }
    }
}

/// An error that may leave the disk's state unknown.
pub(crate) trait Unknowing {
    fn leaves_disk_unknown(&self) -> bool;
}

impl Unknowing for LedgerFault {
    fn leaves_disk_unknown(&self) -> bool {
        self.leaves_disk_unknown()
    }
}

impl Unknowing for Denied {
    fn leaves_disk_unknown(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.leaves_disk_unknown())
    }
}

/// The entry of a charge: the question, the cost and the year's total are the ledger's to write.
pub(crate) fn charged(entry: &Entry, debit: &Debited) -> Entry {
    Entry {
        question_id: Some(debit.question_id()),
        question_hash: Some(debit.question_hash()),
        cost: Some(debit.cost()),
        year_so_far: entry.year_so_far.or(Some(debit.year_so_far())),
        ..entry.clone()
    }
}

/// What became of a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kept {
    /// It is the question's reply.
    New,
    /// The question had its reply already, which stays.
    Earlier,
    /// The id belongs to another question, whose reply stays.
    OtherHash,
}

/// Keeps the reply of a question that has none.
pub(crate) fn keep(
    connection: &Connection,
    id: QuestionId,
    hash: Hash,
    reply: &[u8],
) -> Result<Kept, LedgerFault> {
    let put = "INSERT INTO question (id, hash, reply) VALUES (?1, ?2, ?3) ON CONFLICT (id)
               DO UPDATE SET reply = excluded.reply WHERE hash = excluded.hash AND reply IS NULL";
    let row = params![id.as_bytes(), hash.as_bytes(), reply];
    if connection.execute(put, row).map_err(LedgerFault::write)? == 1 {
        return Ok(Kept::New);
    }
    let whose =
        connection.query_row("SELECT hash FROM question WHERE id = ?1", params![id.as_bytes()], |r| {
            r.get(0).map(Hash::from_bytes)
        });
    let ours = whose.map_err(LedgerFault::read)? == hash;
    Ok(if ours { Kept::Earlier } else { Kept::OtherHash })
}

/// Turns the very hold that this debit proves into a charge, unless it lapsed.
pub(crate) fn spend(connection: &Connection, debit: &Debited, now: Moment) -> Result<(), LedgerFault> {
    let now = now.max(tip(connection)?.latest);
    let sql = "UPDATE debit SET state = 'spent'
               WHERE question_id = ?1 AND hold = ?2 AND state = 'held' AND until_s >= ?3";
    let id = debit.question_id();
    let which = params![id.as_bytes(), debit.hold(), integer(now.unix_s())];
    let spent = connection.execute(sql, which).map_err(LedgerFault::write)?;
    if spent == 1 { Ok(()) } else { Err(LedgerFault::HoldGone) }
}

/// Puts the table into the release register, unless an equal question that was counted at the same time did; then the two
/// must be the same table.
fn register(connection: &Connection, debit: &Debited, table: &AnsweredTable<'_>) -> Result<(), LedgerFault> {
    let id = debit.question_id();
    let put = "INSERT INTO answer SELECT canonical, as_of, edition, treatment, ?2, question_id, ?3
               FROM debit WHERE question_id = ?1 ON CONFLICT DO NOTHING";
    let row = params![id.as_bytes(), table.json, table.counts];
    let put = connection.execute(put, row).map_err(LedgerFault::write)?;
    if put == sabotage!(1, FreshNoiseOnRetry => put) {
        return Ok(());
    }
    let same = connection.query_row(
        "SELECT count(*) FROM answer JOIN debit USING (canonical, as_of, edition, treatment)
         WHERE debit.question_id = ?1 AND table_json = ?2",
        params![id.as_bytes(), table.json],
        |row| row.get::<_, i64>(0),
    );
    if same.map_err(LedgerFault::read)? == 1 { Ok(()) } else { Err(LedgerFault::OtherTable) }
}

/// Makes the tables in an empty file. All or nothing.
fn set_up(connection: &mut Connection) -> Result<(), LedgerFault> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(LedgerFault::write)?;
    let tables = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    if tables.map_err(LedgerFault::read)? > 0 {
        return Ok(());
    }
    let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORM};");
    transaction.execute_batch(include_str!("schema.sql")).map_err(LedgerFault::write)?;
    transaction.execute_batch(&marks).map_err(LedgerFault::write)?;
    transaction.commit().map_err(LedgerFault::write)
}

/// Brings a file of an older form up to this program's. All or nothing; an older program refuses the file from then on.
fn bring_up(connection: &mut Connection) -> Result<(), LedgerFault> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(LedgerFault::write)?;
    let steps = [
        (1, include_str!("from_form_1.sql")),
        (2, include_str!("from_form_2.sql")),
        (3, include_str!("from_form_3.sql")),
    ];
    for (from, step) in steps {
        if form(&transaction)? == from {
            transaction.execute_batch(step).map_err(LedgerFault::write)?;
        }
    }
    transaction.commit().map_err(LedgerFault::write)
}

/// Refuses a file of another kind or of a newer program. The audit reads the same in every form.
pub(crate) fn check_form(connection: &Connection) -> Result<(), LedgerFault> {
    let found = form(connection)?;
    if (1..=FORM).contains(&found) { Ok(()) } else { Err(LedgerFault::Version { found, known: FORM }) }
}

/// The file's form; 0 for a file of another kind.
fn form(connection: &Connection) -> Result<i64, LedgerFault> {
    let read = |pragma| {
        connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(LedgerFault::read)
    };
    Ok(if read("application_id")? == APPLICATION_ID { read("user_version")? } else { 0 })
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({}, {:?})", self.path.display(), self.state)
    }
}

impl fmt::Debug for Recall {
    /// Shows no reply, since it holds a released table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("Unknown"),
            Self::Reply(bytes) => write!(f, "Reply({} bytes)", bytes.len()),
            Self::OtherHash => f.write_str("OtherHash"),
            Self::Open => f.write_str("Open"),
        }
    }
}

#[cfg(test)]
mod tests;
