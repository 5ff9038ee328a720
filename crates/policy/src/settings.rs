//! What one layer allows under one share, and the meet of two layers: never more than either.
//!
//! Only what is ordered stands here. Rounding base, mechanism, profile and window column are not ordered, so they are
//! the policy's own and no other layer speaks of them.

use std::collections::{BTreeMap, BTreeSet};

use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Day, Hash};

/// Columns as seen from the dataset, each with every grain that is allowed.
pub type Grains = BTreeMap<String, BTreeSet<String>>;

/// The ordered settings of one layer. `None`, or 0 for what only rises: this layer says nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// First day in force; the later holds.
    pub from: Option<Day>,
    /// Last day in force; the earlier holds.
    pub until: Option<Day>,
    /// First day of the window; the later holds.
    pub window_from: Option<Day>,
    /// Days not counted before the snapshot date; the larger holds.
    pub lag_days: u32,
    /// Fewer people are withheld; the larger holds.
    pub min_people: u32,
    /// Partners that a question must be put to; the larger holds.
    pub min_partners: u32,
    /// People that a filter must leave out, if any; the larger holds.
    pub min_cohort: u32,
    /// Loss of one table on the account of tables; the smaller holds.
    pub epsilon: Option<Epsilon>,
    /// Loss of one linkage key in a count of people once; the smaller holds.
    pub count_epsilon: Option<Epsilon>,
    /// Such counts in a policy year; the smaller holds.
    pub counts_per_year: Option<u32>,
    /// Such counts ever; the smaller holds.
    pub counts_lifetime: Option<u32>,
    /// Cap on the person's account in a policy year; the smaller holds.
    pub rho_per_year: Option<NanoRho>,
    /// Cap for ever; the smaller holds.
    pub rho_lifetime: Option<NanoRho>,
    /// Most rows of one person; the smaller holds.
    pub rows_per_person: Option<u32>,
    /// Most columns grouped by together; the smaller holds.
    pub max_group_columns: Option<u32>,
    /// Most filters together; the smaller holds.
    pub max_filter_columns: Option<u32>,
    /// Tables of one analyst in a day; the smaller holds.
    pub tables_per_day: Option<u32>,
    /// Tables of one analyst in a policy year; the smaller holds.
    pub tables_per_year: Option<u32>,
    /// Loss of one analyst's tables in a policy year; the smaller holds.
    pub rho_per_analyst: Option<NanoRho>,
    /// The only analysts who may ask; the intersection holds.
    pub named_analysts: Option<BTreeSet<String>>,
    /// The only definitions that are answered, by their hash; the intersection holds.
    pub approved: Option<BTreeSet<Hash>>,
    /// What may be grouped by; the intersection holds.
    pub group_by: Option<Grains>,
    /// What may be filtered by; the intersection holds.
    pub filter_by: Option<Grains>,
}

impl Settings {
    /// The strictest reading of both. Associative, commutative, idempotent; [`Settings::default`] changes nothing.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            until: least(self.until, other.until),
            window_from: self.window_from.max(other.window_from),
            lag_days: self.lag_days.max(other.lag_days),
            min_people: self.min_people.max(other.min_people),
            min_partners: self.min_partners.max(other.min_partners),
            min_cohort: self.min_cohort.max(other.min_cohort),
            epsilon: least(self.epsilon, other.epsilon),
            count_epsilon: least(self.count_epsilon, other.count_epsilon),
            counts_per_year: least(self.counts_per_year, other.counts_per_year),
            counts_lifetime: least(self.counts_lifetime, other.counts_lifetime),
            rho_per_year: least(self.rho_per_year, other.rho_per_year),
            rho_lifetime: least(self.rho_lifetime, other.rho_lifetime),
            rows_per_person: least(self.rows_per_person, other.rows_per_person),
            max_group_columns: least(self.max_group_columns, other.max_group_columns),
            max_filter_columns: least(self.max_filter_columns, other.max_filter_columns),
            tables_per_day: least(self.tables_per_day, other.tables_per_day),
            tables_per_year: least(self.tables_per_year, other.tables_per_year),
            rho_per_analyst: least(self.rho_per_analyst, other.rho_per_analyst),
            named_analysts: common(self.named_analysts, other.named_analysts),
            approved: common(self.approved, other.approved),
            group_by: both(self.group_by, other.group_by),
            filter_by: both(self.filter_by, other.filter_by),
        }
    }
}

/// The smaller; `None` is no limit.
fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// What both name; `None` names everybody.
fn common<T: Clone + Ord>(one: Option<BTreeSet<T>>, other: Option<BTreeSet<T>>) -> Option<BTreeSet<T>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.intersection(&other).cloned().collect()),
        (one, other) => one.or(other),
    }
}

/// Columns that both allow, each with the grains that both allow. A column whose grains have nothing in common stays, with none.
fn both(one: Option<Grains>, other: Option<Grains>) -> Option<Grains> {
    match (one, other) {
        (Some(one), Some(other)) => Some(
            one.into_iter()
                .filter_map(|(column, grains)| {
                    let common = grains.intersection(other.get(&column)?).cloned().collect();
                    Some((column, common))
                })
                .collect(),
        ),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
