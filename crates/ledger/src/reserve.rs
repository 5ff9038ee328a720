//! Holding the cost of a question before anything is counted: the rules that the account, the quotas and the register set.

use cairn_policy::{Caps, Quota};
use cairn_question::limits::CLOCK_SKEW_S;
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Day, Hash, Moment, Name, QuestionId, Refusal, RuleBroken, sabotage};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::account::{Sums, Tables, keep_year, year_from};
use crate::audited::beside_others;
use crate::chain::{integer, natural, saw, tip};
use crate::entry::SnapshotKey;
use crate::fault::LedgerFault;
use crate::opening::wipe;
use crate::sticking::{Kind, Line, Scope, under_other_settings};

/// What is to be held, for whom, and under which caps.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// The question's number.
    pub question_id: QuestionId,
    /// SHA-256 of the signed question's bytes.
    pub question_hash: Hash,
    /// The hash that equal questions share however they are written.
    pub canonical: Hash,
    /// The frozen snapshot that will be counted.
    pub snapshot: SnapshotKey,
    /// A hash of everything that decides how the table is counted and protected: an equal question gets its table only under it.
    pub treatment: Hash,
    /// The tables that it stands beside.
    pub scope: Scope,
    /// A hash of the part of the settings that sticks to all of them: everything that is not ordered.
    pub settings: Hash,
    /// Who asks.
    pub analyst: Name,
    /// The share that matched.
    pub share: Name,
    /// What the answer costs: 0 for a treatment without a formal promise, which is reserved all the same.
    pub cost: NanoRho,
    /// For a pure-ε release, its ε; `cost` is its ρ.
    pub pure_epsilon: Option<Epsilon>,
    /// The caps on the person's account.
    pub caps: Caps,
    /// The analyst's quota under the share.
    pub quota: Quota,
    /// After this moment the hold lapses if it was not settled.
    pub hold_until: Moment,
    /// The day in Europe/London, which decides the policy year.
    pub day: Day,
}

/// What a reservation came to.
#[derive(Debug)]
pub enum Reserved {
    /// The cost is held, on disk: count.
    Debited(Debited),
    /// An equal question on the same snapshot, under the same treatment, was answered before: give that table again.
    Stored(StoredAnswer),
}

/// Why nothing was held.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The account, a quota or the register says no. For the analyst.
    #[error("refused")]
    Refusal(Refusal),
    /// The ledger broke. For the node's own log.
    #[error(transparent)]
    Fault(#[from] LedgerFault),
}

/// Proof that the hold is on disk. Only [`crate::Ledger::reserve`] makes one; not `Clone`: spent once, by
/// [`crate::Ledger::settle`], [`crate::Ledger::open_total`] or [`crate::Ledger::abandon`]. Dropped, its hold lapses at its deadline.
#[must_use = "a debit that buys no answer is privacy budget held for nothing"]
#[derive(Debug)]
pub struct Debited {
    question_id: QuestionId,
    question_hash: Hash,
    cost: NanoRho,
    year_so_far: NanoRho,
    /// Which hold of the question, so that a debit of a replaced hold settles nothing.
    hold: i64,
}

impl Debited {
    /// The question.
    #[must_use]
    pub const fn question_id(&self) -> QuestionId {
        self.question_id
    }

    /// SHA-256 of the signed question's bytes.
    #[must_use]
    pub const fn question_hash(&self) -> Hash {
        self.question_hash
    }

    /// What is held.
    #[must_use]
    pub const fn cost(&self) -> NanoRho {
        self.cost
    }

    /// The policy year's total with this hold, for the answer's privacy statement.
    #[must_use]
    pub const fn year_so_far(&self) -> NanoRho {
        self.year_so_far
    }

    pub(crate) const fn hold(&self) -> i64 {
        self.hold
    }
}

/// The table that an equal question was given, to be given again: no new noise, no charge.
#[derive(Debug)]
pub struct StoredAnswer {
    question_id: QuestionId,
    question_hash: Hash,
    table_json: Vec<u8>,
    year_so_far: NanoRho,
}

impl StoredAnswer {
    /// The question that is asked now.
    #[must_use]
    pub const fn question_id(&self) -> QuestionId {
        self.question_id
    }

    /// SHA-256 of its signed bytes.
    #[must_use]
    pub const fn question_hash(&self) -> Hash {
        self.question_hash
    }

    /// The table's JSON, as it was given to [`crate::Ledger::settle`].
    #[must_use]
    pub fn table_json(&self) -> &[u8] {
        &self.table_json
    }

    /// The policy year's total, for the answer's privacy statement.
    #[must_use]
    pub const fn year_so_far(&self) -> NanoRho {
        self.year_so_far
    }
}

/// Decides and holds, inside the caller's transaction.
pub(crate) fn reserve(connection: &Connection, want: &Reservation, now: Moment) -> Result<Reserved, Denied> {
    let latest = tip(connection)?.latest;
    if now.plus_s(CLOCK_SKEW_S) < latest {
        return Err(refuse(clock(now, latest)));
    }
    // The ledger's own time never runs backward, so that a hold that lapsed stays lapsed.
    let now = now.max(latest);
    check(want, now)?;
    let year_from = year_from(connection, &want.caps, want.day)?;
    known(connection, want)?;
    let sums = Sums::read(connection, want.scope.line(), year_from, now, Some(want.question_id))?;
    if let Some(answered) = sabotage!(registered(connection, want)?, FreshNoiseOnRetry => None) {
        return repeat(want, answered, sums.year);
    }
    let year_so_far = NanoRho::new(sums.year).plus(want.cost);
    let own = own_hold(connection, want, now)?;
    if own.is_none() {
        others_in_progress(connection, want, now)?;
        beside_others(connection, want, now)?;
        if let Some(sticks) = under_other_settings(connection, want, now)? {
            return Err(refuse(sticks));
        }
        let mut rules = over_budget(want, &sums);
        rules.extend(over_quota(connection, want, year_from, now)?);
        if !rules.is_empty() {
            return Err(Denied::Refusal(Refusal { rules, nearest: None }));
        }
    }
    let hold = hold(connection, want, own, now)?;
    keep_year(connection, &want.caps, want.day)?;
    saw(connection, now)?;
    let (question_id, question_hash, cost) = (want.question_id, want.question_hash, want.cost);
    Ok(Reserved::Debited(Debited { question_id, question_hash, cost, year_so_far, hold }))
}

/// Checks what the caller says of day and cost.
pub(crate) fn check(want: &Reservation, now: Moment) -> Result<(), LedgerFault> {
    let apart = want.day.epoch_days().abs_diff(now.day_utc().epoch_days());
    if apart > 1 {
        return Err(LedgerFault::Reservation { what: "its day is not the clock's" });
    }
    if want.cost > COST_MAX {
        return Err(LedgerFault::Reservation { what: "its cost is above any cap there can be" });
    }
    Ok(())
}

/// ρ = 1,000, the most that any cap can be; millions of them add up without overflow.
const COST_MAX: NanoRho = NanoRho::new(1_000_000_000_000);

/// A question id belongs to the first signed bytes that came with it.
fn known(connection: &Connection, want: &Reservation) -> Result<(), Denied> {
    let known = connection.query_row(
        "SELECT hash, reply IS NOT NULL FROM question WHERE id = ?1",
        params![want.question_id.as_bytes()],
        |row| Ok((Hash::from_bytes(row.get(0)?), row.get::<_, i64>(1)?)),
    );
    match known.optional().map_err(LedgerFault::read)? {
        None => Ok(()),
        Some((hash, _)) if hash != want.question_hash => Err(refuse(other_question())),
        Some((_, 0)) => Ok(()),
        Some(_) => Err(LedgerFault::AlreadyReplied.into()),
    }
}

/// Which table an equal question was given.
struct Registered {
    treatment: Hash,
    table_json: Vec<u8>,
}

/// What the register has for the canonical question on the snapshot.
fn registered(connection: &Connection, want: &Reservation) -> Result<Option<Registered>, LedgerFault> {
    let found = connection.query_row(
        "SELECT treatment, table_json FROM answer WHERE canonical = ?1 AND as_of = ?2 AND edition = ?3",
        params![want.canonical.as_bytes(), want.snapshot.as_of.to_string(), want.snapshot.edition],
        |row| Ok(Registered { treatment: Hash::from_bytes(row.get(0)?), table_json: row.get(1)? }),
    );
    found.optional().map_err(LedgerFault::read)
}

fn repeat(want: &Reservation, answered: Registered, year: u64) -> Result<Reserved, Denied> {
    if answered.treatment != want.treatment {
        return Err(refuse(settings_stick(want.snapshot)));
    }
    let (question_id, question_hash) = (want.question_id, want.question_hash);
    let (table_json, year_so_far) = (answered.table_json, NanoRho::new(year));
    Ok(Reserved::Stored(StoredAnswer { question_id, question_hash, table_json, year_so_far }))
}

/// The number of the question's own open hold, if it has one on these very terms: after a crash it is counted again on it.
///
/// On other terms (the policy or the snapshot changed meanwhile) the old hold is replaced, since nothing left on it.
fn own_hold(connection: &Connection, want: &Reservation, now: Moment) -> Result<Option<i64>, LedgerFault> {
    let found = connection.query_row(
        "SELECT hold FROM debit WHERE question_id = ?1 AND state = 'held' AND until_s >= ?2 AND cost = ?3
             AND pure_epsilon IS ?4 AND analyst = ?5 AND share = ?6 AND canonical = ?7 AND as_of = ?8
             AND edition = ?9 AND treatment = ?10 AND scope = ?11 AND settings = ?12",
        params![
            want.question_id.as_bytes(),
            integer(now.unix_s()),
            integer(want.cost.nano()),
            want.pure_epsilon.map(Epsilon::millionths),
            want.analyst.as_str(),
            want.share.as_str(),
            want.canonical.as_bytes(),
            want.snapshot.as_of.to_string(),
            want.snapshot.edition,
            want.treatment.as_bytes(),
            want.scope.words(),
            want.settings.as_bytes(),
        ],
        |row| row.get(0),
    );
    found.optional().map_err(LedgerFault::read)
}

/// Another question with the same canonical form may be being counted: under another treatment it would break the rule that
/// settings stick, and a second noisy table of the same would be bought for nothing. Tables without noise come out equal, unless the
/// other is of another edition of the same day: each must be held against the one before.
pub(crate) fn others_in_progress(
    connection: &Connection,
    want: &Reservation,
    now: Moment,
) -> Result<(), Denied> {
    let mut statement = connection.prepare_cached(IN_PROGRESS).map_err(LedgerFault::read)?;
    let found = statement.query_map(
        params![
            want.canonical.as_bytes(),
            want.snapshot.as_of.to_string(),
            want.snapshot.edition,
            integer(now.unix_s()),
            want.question_id.as_bytes(),
        ],
        |row| Ok((Hash::from_bytes(row.get(0)?), row.get(1)?)),
    );
    let held: Vec<(Hash, bool)> = found.and_then(Iterator::collect).map_err(LedgerFault::read)?;
    let (held, editions): (Vec<_>, Vec<_>) = held.into_iter().partition(|(_, same_edition)| *same_edition);
    match () {
        () if !editions.is_empty() && want.scope.kind != Kind::Noise => Err(refuse(in_progress())),
        () if held.iter().any(|(treatment, _)| *treatment != want.treatment) => {
            Err(refuse(settings_stick(want.snapshot)))
        }
        () if !held.is_empty() && want.cost > NanoRho::ZERO => Err(refuse(in_progress())),
        () => Ok(()),
    }
}

/// Others that hold the same canonical question on a snapshot of the same day, with their treatments.
pub(crate) const IN_PROGRESS: &str =
    "SELECT treatment, edition = ?3 FROM debit WHERE canonical = ?1 AND as_of = ?2
     AND state = 'held' AND until_s >= ?4 AND question_id <> ?5";

/// One account for the person: what is spent and held, and this, must stay under both caps.
pub(crate) fn over_budget(want: &Reservation, sums: &Sums) -> Vec<RuleBroken> {
    let over = |used: u64, cap: NanoRho| NanoRho::new(used).plus(want.cost) > cap;
    let says = |used: u64, cap: NanoRho, when: &str| {
        let left = NanoRho::new(cap.nano().saturating_sub(used));
        format!(
            "a loss of at most ρ {cap} {when}; {left} is left for all analysts together, this {} costs {}",
            match want.scope.line() {
                Line::Tables => "table",
                Line::Once => "count of people over all partners",
            },
            want.cost
        )
    };
    let (of_year, of_lifetime) = match want.scope.line() {
        Line::Tables => ("budget.epsilon_per_year", "budget.epsilon_lifetime"),
        Line::Once => ("release.counts_per_year", "release.counts_lifetime"),
    };
    let mut rules = Vec::new();
    if want.cost == NanoRho::ZERO {
        return rules;
    }
    if over(sums.year, want.caps.per_year) {
        let says = says(sums.year, want.caps.per_year, "in a policy year");
        rules.push(rule(of_year, "CA202", says));
    }
    if over(sums.lifetime, want.caps.lifetime) {
        let says = says(sums.lifetime, want.caps.lifetime, "in a person's lifetime");
        rules.push(rule(of_lifetime, "CA203", says));
    }
    rules
}

/// The analyst's own quota under the share.
fn over_quota(
    connection: &Connection,
    want: &Reservation,
    year_from: Day,
    now: Moment,
) -> Result<Vec<RuleBroken>, LedgerFault> {
    let had = Tables::read(connection, (&want.analyst, &want.share), year_from, now, want.question_id)?;
    Ok(beyond_quota(want, &had))
}

/// The quota's rules that one more table would break.
pub(crate) fn beyond_quota(want: &Reservation, had: &Tables) -> Vec<RuleBroken> {
    let quota = want.quota;
    let mut rules = Vec::new();
    let name = |which: &str| format!("share.{}.per_analyst.{which}", want.share);
    let says = |most: u32, had: u64, per: &str| {
        format!("tables for one analyst {per}: {most} at most; `{}` has had {had}", want.analyst)
    };
    if had.today >= u64::from(quota.tables_per_day) {
        let says = says(quota.tables_per_day, had.today, "in a day (UTC)");
        rules.push(rule(&name("tables_per_day"), "CA204", says));
    }
    if had.year >= u64::from(quota.tables_per_year) {
        let says = says(quota.tables_per_year, had.year, "in a policy year");
        rules.push(rule(&name("tables_per_year"), "CA205", says));
    }
    rules.extend(over_slice(want, had.year_cost).map(|says| rule(&name("epsilon_per_year"), "CA210", says)));
    rules
}

/// The analyst's slice of the person's account: never more than the account has, since the account's own caps hold besides.
fn over_slice(want: &Reservation, used: u64) -> Option<String> {
    let slice = want.quota.rho_per_year?;
    if want.cost == NanoRho::ZERO || NanoRho::new(used).plus(want.cost) <= slice {
        return None;
    }
    let left = NanoRho::new(slice.nano().saturating_sub(used));
    Some(format!(
        "a loss of at most ρ {slice} in a policy year for the tables of one analyst; `{}` has {left} left, this table costs {}",
        want.analyst, want.cost
    ))
}

/// Writes the hold, in place of an earlier one of the same question from which nothing left, and lapses what is overdue.
fn hold(
    connection: &Connection,
    want: &Reservation,
    own: Option<i64>,
    now: Moment,
) -> Result<i64, LedgerFault> {
    let write = LedgerFault::write;
    let lapse = "UPDATE debit SET state = 'lapsed' WHERE state = 'held' AND until_s < ?1";
    connection.execute(lapse, params![integer(now.unix_s())]).map_err(write)?;
    wipe(connection, now)?;
    if let Some(number) = own {
        // The day stays: it was the cap of that day's year that was checked.
        let longer = "UPDATE debit SET until_s = max(until_s, ?2) WHERE hold = ?1";
        let until = params![number, integer(want.hold_until.unix_s())];
        connection.execute(longer, until).map_err(write)?;
        return Ok(number);
    }
    let name = "INSERT INTO question (id, hash) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
    let known = params![want.question_id.as_bytes(), want.question_hash.as_bytes()];
    connection.execute(name, known).map_err(write)?;
    let number = next_hold(connection)?;
    put(connection, want, number, now)?;
    Ok(number)
}

fn put(connection: &Connection, want: &Reservation, number: i64, now: Moment) -> Result<(), LedgerFault> {
    let sql = "INSERT OR REPLACE INTO debit VALUES
        (?1, ?2, 'held', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    let row = params![
        want.question_id.as_bytes(),
        number,
        integer(want.cost.nano()),
        want.pure_epsilon.map(Epsilon::millionths),
        want.day.to_string(),
        now.day_utc().to_string(),
        integer(want.hold_until.unix_s()),
        want.analyst.as_str(),
        want.share.as_str(),
        want.canonical.as_bytes(),
        want.snapshot.as_of.to_string(),
        want.snapshot.edition,
        want.treatment.as_bytes(),
        want.scope.words(),
        want.settings.as_bytes(),
    ];
    connection.execute(sql, row).map_err(LedgerFault::write)?;
    Ok(())
}

fn next_hold(connection: &Connection) -> Result<i64, LedgerFault> {
    let last = connection.query_row("SELECT coalesce(max(hold), 0) FROM debit", [], |row| row.get(0));
    Ok(integer(natural(last.map_err(LedgerFault::read)?, "debit")?.saturating_add(1)))
}

pub(crate) fn rule(name: &str, code: &str, says: String) -> RuleBroken {
    RuleBroken { rule: name.to_owned(), code: code.to_owned(), says }
}

pub(crate) fn refuse(broken: RuleBroken) -> Denied {
    Denied::Refusal(Refusal { rules: vec![broken], nearest: None })
}

fn other_question() -> RuleBroken {
    let says = "this question id came before with another question; every question needs an id of its own";
    rule("ledger.question-id", "CA201", says.to_owned())
}

pub(crate) fn settings_stick(snapshot: SnapshotKey) -> RuleBroken {
    let says = format!(
        "release settings stick to a snapshot from its first answer; this question was answered under other settings on the snapshot of {}, ask again on the next one",
        snapshot.as_of
    );
    rule("ledger.settings-stick", "CA206", says)
}

pub(crate) fn clock(now: Moment, latest: Moment) -> RuleBroken {
    let says = format!(
        "the partner's clock says {now}, but its ledger has an entry of {latest}; the clock jumped back"
    );
    rule("ledger.clock", "CA207", says)
}

pub(crate) fn in_progress() -> RuleBroken {
    let says = "an equal question is being answered at this moment; ask again and get the same table";
    rule("ledger.in-progress", "CA208", says.to_owned())
}

#[cfg(test)]
mod tests;
