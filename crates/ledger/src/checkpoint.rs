//! The chain's end as others hold it: a ledger that was put back from a backup is behind them, and has forgotten what was spent since.

use cairn_policy::{Caps, london_day};
use cairn_question::privacy::NanoRho;
use cairn_question::{Day, Hash, Moment};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::account::year_start;
use crate::audit::entries;
use crate::chain::{GENESIS, append, integer, natural, tip};
use crate::entry::Entry;
use crate::fault::LedgerFault;
use crate::ledger::Ledger;

/// The end of a chain: how many entries there are, and the last one's hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Held {
    /// How many entries.
    pub entries: u64,
    /// The last entry's hash; 32 zero bytes when there is none.
    pub hash: Hash,
}

/// What a ledger says of its own end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// Its end.
    pub head: Held,
    /// The hash of the head that was last given up after a restore, if any: whoever holds that one takes this in its place.
    pub given_up: Option<Hash>,
}

/// How a ledger stands to a head that somebody held. Complete, not open: whoever compares must know each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// The head is this ledger's own end.
    Same,
    /// The head is one of this ledger's earlier ends, or was given up.
    Ahead,
    /// The ledger has fewer entries: it was put back to an older state.
    Behind,
    /// The ledger has another entry in the head's place: it was put back, and wrote on.
    Forked,
}

impl Standing {
    /// Whether charges may be missing.
    #[must_use]
    pub const fn lacks_charges(self) -> bool {
        matches!(self, Self::Behind | Self::Forked)
    }
}

impl Ledger {
    /// The chain's end, for those who hold it so that a restored backup is noticed.
    ///
    /// # Errors
    /// [`LedgerFault::Read`].
    pub fn checkpoint(&self) -> Result<Checkpoint, LedgerFault> {
        own(self.reading()?)
    }

    /// How this ledger stands to a head of its own that somebody held.
    ///
    /// # Errors
    /// [`LedgerFault::Read`].
    pub fn compare(&self, held: Held) -> Result<Standing, LedgerFault> {
        compare(self.reading()?, held)
    }

    /// Gives up a head that a restored backup does not have: what may have been spent up to it is charged at the cap, in one transaction
    /// with its entry. Gives what was charged. From then on the head counts as known.
    ///
    /// # Errors
    /// [`LedgerFault::Reservation`] where nothing is missing; [`LedgerFault::Write`].
    pub fn give_up(
        &mut self,
        held: Held,
        caps: &Caps,
        entry: &Entry,
        now: Moment,
    ) -> Result<NanoRho, LedgerFault> {
        self.write(|transaction| give_up(transaction, held, caps, entry, now))
    }
}

/// Compares a chain's `end`, and the hash that it has `at` the held head's number, with the held head.
fn stands(end: Held, at: Option<Hash>, held: Held) -> Standing {
    match () {
        () if end.entries < held.entries => Standing::Behind,
        () if end == held => Standing::Same,
        () if at == Some(held.hash) => Standing::Ahead,
        () => Standing::Forked,
    }
}

fn own(connection: &Connection) -> Result<Checkpoint, LedgerFault> {
    let tip = tip(connection)?;
    let last = "SELECT hash FROM given_up ORDER BY number DESC LIMIT 1";
    let given_up = connection.query_row(last, [], |row| row.get(0).map(Hash::from_bytes));
    let given_up = given_up.optional().map_err(LedgerFault::read)?;
    Ok(Checkpoint { head: Held { entries: tip.seq, hash: tip.hash }, given_up })
}

fn compare(connection: &Connection, held: Held) -> Result<Standing, LedgerFault> {
    let known = "SELECT EXISTS (SELECT 1 FROM given_up WHERE hash = ?1)";
    let known = connection.query_row(known, params![held.hash.as_bytes()], |row| row.get(0));
    if known.map_err(LedgerFault::read)? {
        return Ok(Standing::Ahead);
    }
    let at = match held.entries {
        0 => Some(GENESIS),
        entries => {
            let hash = "SELECT hash FROM entry WHERE seq = ?1";
            let found =
                connection.query_row(hash, params![integer(entries)], |row| row.get(0).map(Hash::from_bytes));
            found.optional().map_err(LedgerFault::read)?
        }
    };
    Ok(stands(own(connection)?.head, at, held))
}

/// Charges what may be missing, at the most that the caps would have let be spent, and remembers the head.
///
/// Nobody knows what was spent between the backup and the head, nor in how many policy years. Each year from this ledger's last charge
/// (since a node that lacks charges answers nothing, the backup is no older) to today is therefore charged up to its cap, and all of them
/// together up to the lifetime's.
fn give_up(
    connection: &Connection,
    held: Held,
    caps: &Caps,
    entry: &Entry,
    now: Moment,
) -> Result<NanoRho, LedgerFault> {
    if !compare(connection, held)?.lacks_charges() {
        return Err(LedgerFault::Reservation { what: "nothing is missing up to this head" });
    }
    // The ledger's own time: a machine that was set up anew may come with a clock of long ago.
    let now = now.max(tip(connection)?.latest);
    let today = london_day(now);
    let mut charged = NanoRho::ZERO;
    for year in years(caps, last_charge(connection)?.unwrap_or(today), today)? {
        let missing = missing(connection, caps, year)?;
        if missing > NanoRho::ZERO {
            charge(connection, held, year.0, missing)?;
        }
        charged = charged.plus(missing);
    }
    let remember = "INSERT INTO given_up (seq, hash) VALUES (?1, ?2)";
    let row = params![integer(held.entries), held.hash.as_bytes()];
    connection.execute(remember, row).map_err(LedgerFault::write)?;
    let entry = Entry { cost: Some(charged), question_hash: Some(held.hash), ..entry.clone() };
    append(connection, entry, now)?;
    Ok(charged)
}

/// The day of the last charge; of the first entry where there is none yet.
fn last_charge(connection: &Connection) -> Result<Option<Day>, LedgerFault> {
    let last = connection.query_row("SELECT max(day) FROM debit", [], |row| row.get::<_, Option<String>>(0));
    if let Some(day) = last.map_err(LedgerFault::read)? {
        return day.parse().map(Some).map_err(|_| LedgerFault::Damaged { table: "debit" });
    }
    let first = entries(connection, 0, 1)?;
    Ok(first.first().map(|entry| london_day(entry.at)))
}

/// First and last day of each policy year from that of `first` to that of `last`, as the caps cut them.
fn years(caps: &Caps, first: Day, last: Day) -> Result<Vec<(Day, Day)>, LedgerFault> {
    let mut years = Vec::new();
    let mut from = year_start(caps, first)?;
    while from <= last && years.len() < YEARS_MAX {
        // Thirteen months later lies in the next year, wherever a leap day falls.
        let next = year_start(caps, from.plus_months(13))?;
        years.push((from, next.plus_days(-1)));
        from = next;
    }
    Ok(years)
}

/// Most policy years that one backup can be old.
const YEARS_MAX: usize = 100;

/// What the year's cap and the lifetime's both leave over.
fn missing(connection: &Connection, caps: &Caps, (from, to): (Day, Day)) -> Result<NanoRho, LedgerFault> {
    let sql = "SELECT coalesce(sum(cost) FILTER (WHERE day BETWEEN ?1 AND ?2), 0), coalesce(sum(cost), 0)
               FROM debit WHERE state IN ('spent', 'held')";
    let sums = connection.query_row(sql, params![from.to_string(), to.to_string()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    let (year, lifetime) = sums.map_err(LedgerFault::read)?;
    let left = |cap: NanoRho, used| Ok::<_, LedgerFault>(cap.nano().saturating_sub(natural(used, "debit")?));
    Ok(NanoRho::new(left(caps.per_year, year)?.min(left(caps.lifetime, lifetime)?)))
}

/// A charge without a question: nobody knows any more which it was.
fn charge(connection: &Connection, held: Held, day: Day, cost: NanoRho) -> Result<(), LedgerFault> {
    let id = Hash::of(
        &[b"cairn restore v1".as_slice(), held.hash.as_bytes(), day.to_string().as_bytes()].concat(),
    );
    let name = "INSERT INTO question (id, hash) VALUES (?1, ?2)";
    connection.execute(name, params![id.as_bytes(), held.hash.as_bytes()]).map_err(LedgerFault::write)?;
    let last = connection.query_row("SELECT coalesce(max(hold), 0) FROM debit", [], |row| row.get(0));
    let hold = natural(last.map_err(LedgerFault::read)?, "debit")?.saturating_add(1);
    let none = [0_u8; 32];
    let sql =
        "INSERT INTO debit (question_id, hold, state, cost, day, day_utc, until_s, analyst, share, canonical,
                   as_of, edition, treatment)
               VALUES (?1, ?2, 'spent', ?3, ?4, ?4, 0, 'restore', 'restore', ?5, ?4, 0, ?5)";
    let row = params![id.as_bytes(), integer(hold), integer(cost.nano()), day.to_string(), none];
    connection.execute(sql, row).map_err(LedgerFault::write)?;
    Ok(())
}

#[cfg(test)]
mod tests;
