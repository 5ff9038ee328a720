//! What questions would cost, before anybody asks them: the rules of [`crate::reserve`] without a hold.

use cairn_policy::Caps;
use cairn_question::limits::CLOCK_SKEW_S;
use cairn_question::privacy::NanoRho;
use cairn_question::{Hash, Moment, Name, QuestionId, RuleBroken};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::BTreeMap;

use crate::account::{Account, Sums, Tables, account, year_from};
use crate::audited::beside_others;
use crate::chain::tip;
use crate::entry::SnapshotKey;
use crate::fault::LedgerFault;
use crate::ledger::Ledger;
use crate::reserve::{
    Denied, Reservation, beyond_quota, check, clock, others_in_progress, over_budget, settings_stick,
};
use crate::sticking::{Line, sticks, under_other_settings};

/// What a list of questions would come to, asked in its order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Price {
    /// One for each question, in the order of the list.
    pub questions: Vec<Priced>,
    /// The person's account as it stands, before any of them.
    pub account: Account,
    /// What they cost together.
    pub cost: NanoRho,
    /// What would be left of the policy year's cap.
    pub year_left: NanoRho,
    /// What would be left for life.
    pub lifetime_left: NanoRho,
}

/// What one question would come to, after those before it in the list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Priced {
    /// Whether it would be answered.
    pub answerable: Answerable,
    /// What it would cost: 0 for a repeat, a refusal, and a table without noise.
    pub cost: NanoRho,
    /// What would be left of the analyst's own part of the year, where the policy gives one.
    pub slice_left: Option<NanoRho>,
    /// How many tables the analyst would have left today under the share; `None` where no share matches.
    pub tables_left_today: Option<u64>,
}

/// How a question would be answered. Complete, not open: who reads a price must know each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answerable {
    /// Counted anew.
    Anew,
    /// With the table that an equal question was given, or is given earlier in the list: free.
    Again,
    /// Not: every rule that would refuse it.
    Refused(Vec<RuleBroken>),
}

impl Ledger {
    /// What the questions would cost, come to and be refused by, if they were asked in this order now. Reads only: nothing is held.
    ///
    /// # Errors
    /// [`LedgerFault::Read`], [`LedgerFault::Reservation`].
    pub fn price(&self, wants: &[Reservation], caps: &Caps, now: Moment) -> Result<Price, LedgerFault> {
        price(self.reading()?, wants, caps, now)
    }
}

/// Prices the questions. Reads only.
pub(crate) fn price(
    connection: &Connection,
    wants: &[Reservation],
    caps: &Caps,
    now: Moment,
) -> Result<Price, LedgerFault> {
    let account = account(connection, caps, now)?;
    let latest = tip(connection)?.latest;
    let mut list = List::new(connection, now.max(latest));
    let jumped = (now.plus_s(CLOCK_SKEW_S) < latest).then(|| clock(now, latest));
    let priced = wants.iter().map(|want| match &jumped {
        Some(rule) => list.said(want, Answerable::Refused(vec![rule.clone()])),
        None => list.price(want),
    });
    let questions: Vec<Priced> = priced.collect::<Result<_, _>>()?;
    let cost = questions.iter().fold(NanoRho::ZERO, |sum, q| sum.plus(q.cost));
    // What is counted once over all partners is charged on the other line.
    let tables = wants.iter().zip(&questions).filter(|(want, _)| want.scope.line() == Line::Tables);
    let of_tables = tables.fold(NanoRho::ZERO, |sum, (_, q)| sum.plus(q.cost));
    let left =
        |cap: NanoRho, used: NanoRho| NanoRho::new(cap.nano().saturating_sub(used.plus(of_tables).nano()));
    Ok(Price {
        cost,
        year_left: left(account.year_cap, account.year),
        lifetime_left: left(account.lifetime_cap, account.lifetime),
        questions,
        account,
    })
}

/// What is known on the way down the list: the ledger's own figures are read once, and what the questions before would add is added.
struct List<'c> {
    connection: &'c Connection,
    now: Moment,
    /// By first day of the policy year and line.
    sums: BTreeMap<(String, Line), Sums>,
    tables: BTreeMap<(Name, Name), Tables>,
    answered: BTreeMap<(Hash, String), Hash>,
    settings: BTreeMap<(String, String), Hash>,
}

impl<'c> List<'c> {
    fn new(connection: &'c Connection, now: Moment) -> Self {
        let (sums, tables) = (BTreeMap::new(), BTreeMap::new());
        Self { connection, now, sums, tables, answered: BTreeMap::new(), settings: BTreeMap::new() }
    }

    fn price(&mut self, want: &Reservation) -> Result<Priced, LedgerFault> {
        check(want, self.now)?;
        let key = (want.canonical, snapshot(want.snapshot));
        let answered = match self.answered.get(&key) {
            Some(treatment) => Some(*treatment),
            None => treatment_of(self.connection, want)?,
        };
        match answered {
            Some(treatment) if treatment == want.treatment => self.said(want, Answerable::Again),
            Some(_) => self.said(want, Answerable::Refused(vec![settings_stick(want.snapshot)])),
            None => {
                let rules = self.rules(want)?;
                if rules.is_empty() {
                    self.answered.insert(key, want.treatment);
                    self.add(want)?;
                    self.said(want, Answerable::Anew)
                } else {
                    self.said(want, Answerable::Refused(rules))
                }
            }
        }
    }

    /// In the order of a reservation: what is under way and what sticks refuse alone, then every cap and quota.
    fn rules(&mut self, want: &Reservation) -> Result<Vec<RuleBroken>, LedgerFault> {
        let in_the_way = others_in_progress(self.connection, want, self.now)
            .and_then(|()| beside_others(self.connection, want, self.now));
        match in_the_way {
            Ok(()) => {}
            Err(Denied::Refusal(refusal)) => return Ok(refusal.rules),
            Err(Denied::Fault(fault)) => return Err(fault),
        }
        if let Some(rule) = self.sticking(want)? {
            return Ok(vec![rule]);
        }
        let mut rules = over_budget(want, self.sums(want)?);
        rules.extend(beyond_quota(want, &self.tables(want)?));
        Ok(rules)
    }

    /// The settings of the scope: those of the list, or those of the ledger. A scope that has no table yet is looked at once.
    fn sticking(&mut self, want: &Reservation) -> Result<Option<RuleBroken>, LedgerFault> {
        let scope = (snapshot(want.snapshot), want.scope.words());
        match self.settings.get(&scope) {
            Some(settings) if *settings == want.settings => return Ok(None),
            Some(_) => return Ok(Some(sticks(want))),
            None => {}
        }
        let sticks = under_other_settings(self.connection, want, self.now)?;
        if sticks.is_none() {
            self.settings.insert(scope, want.settings);
        }
        Ok(sticks)
    }

    fn sums(&mut self, want: &Reservation) -> Result<&mut Sums, LedgerFault> {
        let from = year_from(self.connection, &want.caps, want.day)?;
        let line = (from.to_string(), want.scope.line());
        let sums = match self.sums.remove(&line) {
            Some(sums) => sums,
            None => Sums::read(self.connection, line.1, from, self.now, None)?,
        };
        Ok(self.sums.entry(line).or_insert(sums))
    }

    fn tables(&mut self, want: &Reservation) -> Result<Tables, LedgerFault> {
        let whose = (want.analyst.clone(), want.share.clone());
        if let Some(had) = self.tables.get(&whose) {
            return Ok(*had);
        }
        let from = year_from(self.connection, &want.caps, want.day)?;
        let nobody = QuestionId::from_bytes([0; 32]);
        let had = Tables::read(self.connection, (&want.analyst, &want.share), from, self.now, nobody)?;
        self.tables.insert(whose, had);
        Ok(had)
    }

    fn add(&mut self, want: &Reservation) -> Result<(), LedgerFault> {
        let cost = want.cost.nano();
        let sums = self.sums(want)?;
        sums.year = sums.year.saturating_add(cost);
        sums.lifetime = sums.lifetime.saturating_add(cost);
        let mut had = self.tables(want)?;
        had.today = had.today.saturating_add(1);
        had.year = had.year.saturating_add(1);
        had.year_cost = had.year_cost.saturating_add(cost);
        self.tables.insert((want.analyst.clone(), want.share.clone()), had);
        Ok(())
    }

    fn said(&mut self, want: &Reservation, answerable: Answerable) -> Result<Priced, LedgerFault> {
        let had = self.tables(want)?;
        let cost = if answerable == Answerable::Anew { want.cost } else { NanoRho::ZERO };
        let slice_left =
            want.quota.rho_per_year.map(|slice| NanoRho::new(slice.nano().saturating_sub(had.year_cost)));
        let tables_left_today = Some(u64::from(want.quota.tables_per_day).saturating_sub(had.today));
        Ok(Priced { answerable, cost, slice_left, tables_left_today })
    }
}

fn snapshot(key: SnapshotKey) -> String {
    format!("{} {}", key.as_of, key.edition)
}

/// Under which settings an equal question was answered on the snapshot.
fn treatment_of(connection: &Connection, want: &Reservation) -> Result<Option<Hash>, LedgerFault> {
    let mut statement = connection.prepare_cached(ANSWERED).map_err(LedgerFault::read)?;
    let which = params![want.canonical.as_bytes(), want.snapshot.as_of.to_string(), want.snapshot.edition];
    let found = statement.query_row(which, |row| row.get(0).map(Hash::from_bytes));
    found.optional().map_err(LedgerFault::read)
}

const ANSWERED: &str = "SELECT treatment FROM answer WHERE canonical = ?1 AND as_of = ?2 AND edition = ?3";

#[cfg(test)]
mod tests;
