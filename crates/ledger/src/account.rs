//! The person's account: one for all analysts, shares and policy versions. Integers only, so that it adds up anywhere.

use cairn_policy::{Caps, london_day};
use cairn_question::privacy::NanoRho;
use cairn_question::{Day, Moment, Name, QuestionId, sabotage};
use chrono::Datelike as _;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::chain::{integer, natural, tip};
use crate::fault::LedgerFault;
use crate::sticking::Line;

/// What the account stands at. Open holds are counted as if they were spent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Account {
    /// First day of the policy year (Europe/London).
    pub year_from: Day,
    /// Spent and held in the policy year.
    pub year: NanoRho,
    /// The cap on it.
    pub year_cap: NanoRho,
    /// Spent and held ever.
    pub lifetime: NanoRho,
    /// The cap on it.
    pub lifetime_cap: NanoRho,
    /// The part of [`Account::lifetime`] that is only held yet.
    pub held: NanoRho,
    /// Σε of the pure-ε releases, ever, in millionths; their ρ is in [`Account::lifetime`] too.
    pub pure_epsilon_millionths: u64,
    /// Σρ of the releases that are not pure, ever. The loss shown is the smaller of conv(Σρ) and Σε + conv(this).
    pub other: NanoRho,
    /// Spent and held in the policy year on the other line, that of people counted once over all partners. No part of the figures above.
    pub once_year: NanoRho,
    /// Spent and held on it ever.
    pub once_lifetime: NanoRho,
}

/// The account at `now`.
pub(crate) fn account(connection: &Connection, caps: &Caps, now: Moment) -> Result<Account, LedgerFault> {
    let now = now.max(tip(connection)?.latest);
    let year_from = year_from(connection, caps, london_day(now))?;
    let sums = Sums::read(connection, Line::Tables, year_from, now, None)?;
    let once = Sums::read(connection, Line::Once, year_from, now, None)?;
    Ok(Account {
        year_from,
        year: NanoRho::new(sums.year),
        year_cap: caps.per_year,
        lifetime: NanoRho::new(sums.lifetime),
        lifetime_cap: caps.lifetime,
        held: NanoRho::new(sums.held),
        pure_epsilon_millionths: sums.pure_epsilon,
        other: NanoRho::new(sums.other),
        once_year: NanoRho::new(once.year),
        once_lifetime: NanoRho::new(once.lifetime),
    })
}

/// Totals of what is spent or still held.
pub(crate) struct Sums {
    pub(crate) year: u64,
    pub(crate) lifetime: u64,
    held: u64,
    pure_epsilon: u64,
    other: u64,
}

/// A debit counts while it is spent, or held and not lapsed at `?1`.
pub(crate) const COUNTS: &str =
    "(state = 'spent' OR (state = 'held' AND until_s >= ?1)) AND question_id IS NOT ?2";

impl Sums {
    /// Adds up all debits of a line but `except`'s.
    pub(crate) fn read(
        connection: &Connection,
        line: Line,
        year_from: Day,
        now: Moment,
        except: Option<QuestionId>,
    ) -> Result<Self, LedgerFault> {
        let except = except.map(|id| *id.as_bytes());
        let mut statement = connection.prepare_cached(&Self::sql(line)).map_err(LedgerFault::read)?;
        let sums = statement
            .query_row(params![integer(now.unix_s()), except, year_from.to_string()], |row| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get::<_, i64>(4)?])
            });
        let [year, lifetime, held, pure_epsilon, other] = sums.map_err(LedgerFault::read)?;
        Ok(Self {
            year: natural(year, "debit")?,
            lifetime: natural(lifetime, "debit")?,
            held: natural(held, "debit")?,
            pure_epsilon: natural(pure_epsilon, "debit")?,
            other: natural(other, "debit")?,
        })
    }

    /// SUM over integers is exact in SQLite and an error when it overflows.
    pub(crate) fn sql(line: Line) -> String {
        let counts = sabotage!(COUNTS, ChargeOnSuccess => "state = 'spent' AND question_id IS NOT ?2");
        format!(
            "SELECT coalesce(sum(cost) FILTER (WHERE day >= ?3), 0), coalesce(sum(cost), 0),
                    coalesce(sum(cost) FILTER (WHERE state = 'held'), 0), coalesce(sum(pure_epsilon), 0),
                    coalesce(sum(cost) FILTER (WHERE pure_epsilon IS NULL), 0)
             FROM debit WHERE {counts} AND {}",
            line.sql()
        )
    }
}

/// Tables that an analyst was given, or is being given, under one share: by the share's name, whatever version of the policy.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    pub(crate) today: u64,
    pub(crate) year: u64,
    /// What they cost in the policy year, in nano-ρ.
    pub(crate) year_cost: u64,
}

impl Tables {
    /// Counts all but `except`'s.
    pub(crate) fn read(
        connection: &Connection,
        (analyst, share): (&Name, &Name),
        year_from: Day,
        now: Moment,
        except: QuestionId,
    ) -> Result<Self, LedgerFault> {
        let mut statement = connection.prepare_cached(&Self::sql()).map_err(LedgerFault::read)?;
        let (today, year_from) = (now.day_utc().to_string(), year_from.to_string());
        let (analyst, share) = (analyst.as_str(), share.as_str());
        let asked = params![integer(now.unix_s()), except.as_bytes(), today, year_from, analyst, share];
        let counts = statement.query_row(asked, |row| Ok([row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?]));
        let [today, year, year_cost] = counts.map_err(LedgerFault::read)?;
        let counted = |n| natural(n, "debit");
        Ok(Self { today: counted(today)?, year: counted(year)?, year_cost: counted(year_cost)? })
    }

    pub(crate) fn sql() -> String {
        format!(
            "SELECT count(*) FILTER (WHERE day_utc = ?3), count(*) FILTER (WHERE day >= ?4),
                    coalesce(sum(cost) FILTER (WHERE day >= ?4), 0)
             FROM debit WHERE analyst = ?5 AND share = ?6 AND {COUNTS}"
        )
    }
}

/// First day of the policy year that runs on `day`.
///
/// A policy may move the day on which the year starts. A year that has begun goes on all the same until a start that is twelve months
/// or more after its own: otherwise each move would be a fresh cap.
pub(crate) fn year_from(connection: &Connection, caps: &Caps, day: Day) -> Result<Day, LedgerFault> {
    let starts = year_start(caps, day)?;
    Ok(running(connection, starts)?.map_or(starts, |began| began.min(starts)))
}

/// Keeps when the running year began, where a new one has.
pub(crate) fn keep_year(connection: &Connection, caps: &Caps, day: Day) -> Result<(), LedgerFault> {
    let starts = year_start(caps, day)?;
    if running(connection, starts)?.is_some() {
        return Ok(());
    }
    let keep = "INSERT OR REPLACE INTO year VALUES (1, ?1)";
    connection.execute(keep, params![starts.to_string()]).map_err(LedgerFault::write)?;
    Ok(())
}

/// When the year began that a start on `starts` does not end.
fn running(connection: &Connection, starts: Day) -> Result<Option<Day>, LedgerFault> {
    Ok(began(connection)?.filter(|began| starts < began.plus_months(12)))
}

fn began(connection: &Connection) -> Result<Option<Day>, LedgerFault> {
    let found = connection.query_row("SELECT began FROM year", [], |row| row.get::<_, String>(0));
    let found = match found.optional() {
        // A file of an older form that is only read: no year is kept yet.
        Err(rusqlite::Error::SqliteFailure(_, Some(says))) if says.starts_with("no such table") => None,
        found => found.map_err(LedgerFault::read)?,
    };
    found.map(|day| day.parse().map_err(|_| LedgerFault::Damaged { table: "year" })).transpose()
}

/// First day of the policy year that `day` falls in by the policy alone. A year that starts on 29 February starts on the 28th in other years.
pub(crate) fn year_start(caps: &Caps, day: Day) -> Result<Day, LedgerFault> {
    let (month, first) = (u32::from(caps.year_starts_month), u32::from(caps.year_starts_day));
    let start_in = |year| Day::new(year, month, first).or_else(|| Day::new(year, month, first.min(28)));
    let year = day.date().year();
    let start = start_in(year).filter(|start| *start <= day).or_else(|| start_in(year.saturating_sub(1)));
    start.ok_or(LedgerFault::Reservation { what: "the policy year starts on no day of the calendar" })
}

#[cfg(test)]
mod tests;
