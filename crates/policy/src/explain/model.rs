//! What there is to say about a policy, as plain data: worked out once from the layers, worded by every page.
//!
//! Nothing here depends on the brake, which changes without a signature, nor on a clock or a record: a board signs the
//! words that are made of this.

mod never;
pub(super) mod protection;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use cairn_question::answer::Zeros;
use cairn_question::schema::{CODE_GRAIN, Class, Table};
use cairn_question::{ChangedTotalV1, Day, Measure};

use self::never::{Never, never, used};
use self::protection::{changed_total, protection};
use crate::able::{Unable, unable_of};
use crate::decimal;
use crate::document::{Columns, Link, LinkKind, OptOutDoc};
use crate::layers::{Layers, Ready};
use crate::treatment::{Method, SnapshotEvery};

/// Scotland's councils, all of which are partners of No One Left Behind: 32 (Local Government etc. (Scotland) Act 1994, section 1 and
/// schedule 1). A national figure is said for this many partners.
pub(crate) const COUNCILS: NonZeroU32 = NonZeroU32::new(32).unwrap();

/// Everything that any page says of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) controller: String,
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) framework: String,
    pub(crate) from: Day,
    pub(crate) until: Day,
    pub(crate) review_by: Day,
    pub(crate) supersedes: Option<String>,
    pub(crate) legal_basis: String,
    pub(crate) agreement: String,
    pub(crate) dpia: String,
    pub(crate) contact: String,
    pub(crate) notice_url: String,
    pub(crate) plan: Vec<(&'static str, String)>,
    pub(crate) never: Never,
    pub(crate) roles: Vec<Role>,
    pub(crate) purposes: Vec<Purpose>,
    pub(crate) shares: Vec<Share>,
    /// Columns of special categories that some share lists, by the names of the dictionary.
    pub(crate) special: BTreeSet<String>,
    pub(crate) account: Option<Account>,
    /// Of each table that is shared, its own rule about whom it leaves out: the table, the column, the codes.
    pub(crate) opt_outs: Vec<(String, String, Vec<String>)>,
    /// Years after which closed rows never count, and the tables.
    pub(crate) keep: Vec<(u32, Vec<String>)>,
    /// How often snapshots are made, and the tables.
    pub(crate) snapshots: Vec<(SnapshotEvery, Vec<String>)>,
    /// Columns by which people are matched where some share counts them once across partners.
    pub(crate) once: BTreeSet<String>,
    pub(crate) audit_keep_years: Option<u32>,
    pub(crate) answers_cached_days: Option<u32>,
    pub(crate) conditions: Vec<String>,
    /// Partners behind a national figure.
    pub(crate) partners: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) max_people: u32,
    /// Analysts named by the shares of this role, where every one of them names some.
    pub(crate) named: BTreeSet<String>,
    pub(crate) purposes: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) basis: String,
}

/// The person's account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) per_year: String,
    pub(crate) lifetime: String,
    pub(crate) delta: f64,
    pub(crate) year_starts: (u8, u8),
    /// Tables that it pays for, whichever share asks: a year, and for life.
    pub(crate) tables: (u64, u64),
}

#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) purpose: String,
    pub(crate) dataset: String,
    pub(crate) named: Option<Vec<String>>,
    /// The only indicators that it answers; `None`: any question that its lists allow.
    pub(crate) indicators: Option<Vec<String>>,
    /// First and last day, where they are not the policy's.
    pub(crate) from: Option<Day>,
    pub(crate) until: Option<Day>,
    /// What is counted: `people`, `starts`.
    pub(crate) counted: Vec<String>,
    /// Columns that are added up, and averaged.
    pub(crate) summed: Vec<String>,
    pub(crate) averaged: Vec<String>,
    /// Columns by the names of the dictionary, each with its grain in words.
    pub(crate) group_by: Vec<(String, Option<String>)>,
    pub(crate) filter_by: Vec<(String, Option<String>)>,
    pub(crate) max_group: u32,
    pub(crate) max_filter: u32,
    pub(crate) apart: Vec<Vec<String>>,
    pub(crate) window: Option<(String, Day, u32)>,
    pub(crate) min_cohort: u32,
    /// Most rows of one person, where rows are counted.
    pub(crate) rows_per_person: Option<u32>,
    pub(crate) protection: Protection,
    pub(crate) min_partners: u32,
    /// How far off a national total is whose partners change their own counts.
    pub(crate) changed: Option<ChangedTotalV1>,
    pub(crate) per_day: u32,
    pub(crate) per_year: Option<u32>,
    /// The most tables that can leave.
    pub(crate) most: Most,
    /// What this program cannot do yet of what the share asks for, so that it refuses.
    pub(crate) unable: BTreeSet<Unable>,
    pub(crate) answered: Answered,
}

/// How much of a share this program can answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answered {
    Yes,
    InPart,
    NotYet,
}

/// How a share's tables are protected.
#[derive(Clone, Debug)]
pub(crate) enum Protection {
    Plain {
        min_people: u32,
        zeros: Zeros,
        shown: Shown,
        secondary: bool,
        /// Its totals leave with it, and it is checked beside every such table before it.
        audited: bool,
        dominance: Option<(u32, u32)>,
    },
    Noise {
        epsilon: String,
        /// Of Gaussian noise: its ρ, and the chance for which the odds do not hold.
        concentrated: Option<(String, String)>,
        /// At most this factor in the odds of a guess.
        odds: String,
        /// 95 in 100 within this, in what one question gives: this partner's table, or the total.
        here: u64,
        /// And in the national figure.
        national: u64,
    },
    /// People counted once over all partners.
    Once(Once),
}

/// How people are counted once.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    /// ε₀: for each linkage key and each count.
    pub(crate) epsilon: String,
    /// Keys that a person may stand under.
    pub(crate) keys: u32,
    /// What a person under so many loses in one count.
    pub(crate) person: String,
    /// At most this factor in the odds of a guess about such a person.
    pub(crate) odds: String,
    /// Of a share that lets counts be broken down: the cells that a person may be in, and what such a person under so many keys loses in one table.
    pub(crate) broken_down: Option<(u32, String)>,
    /// Counts in a policy year, and ever.
    pub(crate) counts: (u32, u32),
    /// How far off a figure is, of 10,000 to 100,000 people.
    pub(crate) off_by: &'static str,
}

/// What a cell of a plain table shows.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    /// The count to the nearest multiple.
    Rounded(u32),
    /// The count itself.
    Exact,
    /// The count as the record keys of its people change it, by this table, to the nearest multiple.
    Perturbed(String, u32),
}

/// The most tables that one share can give.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Most {
    /// What the person's account pays for, if nothing else is asked.
    Account { per_year: u64, lifetime: u64 },
    /// The account of counts of people once.
    Counts { per_year: u32, lifetime: u32 },
    /// No account limits it: the analysts' quotas, for as many people as the issuer agreed to name or as are named.
    Quotas { per_year: u64 },
}

impl Model {
    /// What the layers say, a national figure being one of that many partners.
    pub(crate) fn of(layers: &Layers, partners: NonZeroU32) -> Self {
        let (head, (from, until)) = (&layers.head, layers.in_force());
        let statement = layers.statement();
        let records = layers.policy.records.as_ref();
        Self {
            controller: head.controller.clone(),
            id: statement.id.clone(),
            version: statement.version,
            framework: format!("{} version {}", head.framework.0.value, head.framework.1.value),
            from,
            until,
            review_by: head.review_by.value,
            supersedes: head.supersedes.map(|h| h.to_string()),
            legal_basis: head.legal_basis.clone(),
            agreement: head.agreement.clone(),
            dpia: head.dpia.clone(),
            contact: head.contact.clone(),
            notice_url: head.notice_url.clone(),
            plan: head.plan.clone(),
            never: never(layers),
            roles: roles(layers),
            purposes: purposes(layers),
            shares: layers.shares.iter().map(|r| share(layers, r, partners.get())).collect(),
            special: special(layers),
            account: account(layers),
            opt_outs: opt_outs(layers),
            keep: by_value(layers, |r| r.keep.as_ref().map(|k| k.years)),
            snapshots: by_value(layers, |r| r.snapshot),
            once: once(layers),
            audit_keep_years: records.map(|r| r.audit_keep_years),
            answers_cached_days: records.and_then(|r| Some(r.answers_cached_days.as_ref()?.value)),
            conditions: records.map(|r| r.conditions.clone()).unwrap_or_default(),
            partners: partners.get(),
        }
    }

    /// Columns that tables are broken down or narrowed by, by the names of the dictionary.
    pub(crate) fn counted_by(&self) -> BTreeSet<&str> {
        let listed = self.shares.iter().flat_map(|s| s.group_by.iter().chain(&s.filter_by));
        listed.map(|(c, _)| bare(c)).collect()
    }

    /// Columns that are added up or averaged.
    pub(crate) fn added_up(&self) -> BTreeSet<&str> {
        self.shares.iter().flat_map(|s| s.summed.iter().chain(&s.averaged)).map(|c| bare(c)).collect()
    }

    /// Whatever some share asks for and this program cannot do yet, after "cannot", each with the shares.
    pub(crate) fn unable(&self) -> BTreeMap<&str, Vec<&Share>> {
        let mut unable: BTreeMap<&str, Vec<&Share>> = BTreeMap::new();
        for share in &self.shares {
            let whats: BTreeSet<&str> = share.unable.iter().map(|u| u.what.as_str()).collect();
            whats.into_iter().for_each(|what| unable.entry(what).or_default().push(share));
        }
        unable
    }

    /// The shares whose tables leave under the partner's own name, and those that leave in a total only.
    pub(crate) fn by_path(&self) -> (Vec<&Share>, Vec<&Share>) {
        self.shares.iter().partition(|s| !s.is_total())
    }
}

impl Share {
    /// Whether only a total over several partners leaves.
    pub(crate) const fn is_total(&self) -> bool {
        self.min_partners > 1
    }

    /// How it counts people once, where it does.
    pub(crate) const fn once(&self) -> Option<&Once> {
        match &self.protection {
            Protection::Once(once) => Some(once),
            _ => None,
        }
    }

    /// Whether this program cannot add to such a total yet.
    pub(crate) fn lacks_totals(&self) -> bool {
        let of_totals = [".min_partners", ".ptable"];
        self.unable.iter().any(|u| of_totals.iter().any(|key| u.rule.ends_with(key)))
    }
}

/// The roles that some share names. Another role may ask nothing, so it is not said.
fn roles(layers: &Layers) -> Vec<Role> {
    let mut roles = Vec::new();
    for (name, role) in layers.policy.roles.iter().filter_map(|(n, r)| Some((n, r.as_ref()?))) {
        let shares: Vec<&Ready> =
            layers.shares.iter().filter(|r| r.share.role.value.as_str() == name).collect();
        if shares.is_empty() {
            continue;
        }
        let all = shares.iter().map(|r| r.settings.named_analysts.clone()).collect::<Option<Vec<_>>>();
        roles.push(Role {
            name: name.clone(),
            issuer: role.issuer.value.to_string(),
            max_people: role.max_people.value,
            named: all.unwrap_or_default().into_iter().flatten().collect(),
            purposes: shares.iter().map(|r| r.share.purpose.value.to_string()).collect(),
        });
    }
    roles
}

fn purposes(layers: &Layers) -> Vec<Purpose> {
    let used: BTreeSet<&str> = layers.shares.iter().map(|r| r.share.purpose.value.as_str()).collect();
    let known = layers.policy.purposes.iter().filter(|(name, _)| used.contains(name.as_str()));
    known
        .filter_map(|(name, purpose)| {
            let purpose = purpose.as_ref()?;
            Some(Purpose { name: name.clone(), text: purpose.text.clone(), basis: purpose.basis.clone() })
        })
        .collect()
}

fn share(layers: &Layers, ready: &Ready, partners: u32) -> Share {
    let Ready { share, settings, .. } = ready;
    let (from, until) = layers.in_force();
    let row = layers.schema.table(&share.dataset.value).map_or("row", |t: &Table| t.one_row_is.as_str());
    let answers = || share.answers.iter().map(|a| &a.value);
    let unable: Vec<Vec<Unable>> = answers().map(|a| unable_of(layers, ready, a)).collect();
    Share {
        id: share.id.value.to_string(),
        role: share.role.value.to_string(),
        purpose: share.purpose.value.to_string(),
        dataset: words(&share.dataset.value),
        named: settings.named_analysts.as_ref().map(|n| n.iter().cloned().collect()),
        indicators: share
            .indicators
            .as_ref()
            .map(|named| named.value.iter().map(|id| crate::read::shown(&id.value)).collect()),
        from: settings.from.filter(|d| *d != from),
        until: settings.until.filter(|d| *d != until),
        counted: answers().filter_map(|a| counted(a, row)).collect(),
        summed: answers()
            .filter_map(|a| if let Measure::Sum(c) = a { Some(c.clone()) } else { None })
            .collect(),
        averaged: answers()
            .filter_map(|a| if let Measure::Mean(c) = a { Some(c.clone()) } else { None })
            .collect(),
        group_by: listed(&share.group_by),
        filter_by: listed(&share.filter_by),
        max_group: settings.max_group_columns.unwrap_or(0),
        max_filter: settings.max_filter_columns.unwrap_or(0),
        apart: share
            .never_together
            .iter()
            .map(|l| l.value.iter().map(|c| words(&c.value)).collect())
            .collect(),
        window: share.window.as_ref().map(|w| {
            (words(&w.column.value), settings.window_from.unwrap_or(w.from.value), settings.lag_days)
        }),
        min_cohort: settings.min_cohort,
        rows_per_person: settings.rows_per_person.filter(|_| answers().any(|a| *a == Measure::Rows)),
        protection: protection(layers, ready, partners),
        min_partners: settings.min_partners.max(1),
        changed: changed_total(ready, partners),
        per_day: settings.tables_per_day.unwrap_or(0),
        per_year: tables_a_year(ready),
        most: most(layers, ready),
        answered: answered(&unable),
        unable: unable.into_iter().flatten().collect(),
    }
}

/// By what each of a share's answers lacks.
fn answered(unable: &[Vec<Unable>]) -> Answered {
    match unable.iter().filter(|lacks| lacks.is_empty()).count() {
        all if all == unable.len() => Answered::Yes,
        0 => Answered::NotYet,
        _ => Answered::InPart,
    }
}

fn counted(measure: &Measure, row: &str) -> Option<String> {
    match measure {
        Measure::People => Some("people".to_owned()),
        Measure::Rows => Some(format!("{row}s")),
        Measure::Sum(_) | Measure::Mean(_) => None,
    }
}

fn listed(columns: &Columns) -> Vec<(String, Option<String>)> {
    let grain = |g: &str| (g != CODE_GRAIN).then(|| g.to_owned());
    columns.iter().map(|(c, g)| (c.value.clone(), grain(&g.value))).collect()
}

/// One analyst's tables in a policy year: the quota, or what the analyst's own loss pays for; the smaller.
fn tables_a_year(ready: &Ready) -> Option<u32> {
    let paid = match (ready.settings.rho_per_analyst, ready.method.table_loss()) {
        (Some(cap), Some(loss)) => Some(u32::try_from(cap.nano() / loss.nano().max(1)).unwrap_or(u32::MAX)),
        _ => None,
    };
    ready.settings.tables_per_year.into_iter().chain(paid).min()
}

fn most(layers: &Layers, ready: &Ready) -> Most {
    if let Method::CountOnce(count) = &ready.method {
        return Most::Counts { per_year: count.counts_per_year, lifetime: count.counts_lifetime };
    }
    let bought = layers.tables_bought().into_iter().find(|b| b.share == ready.share.id.value);
    if let Some(bought) = bought {
        return Most::Account { per_year: bought.per_year, lifetime: bought.lifetime };
    }
    let role = layers.policy.roles.get(ready.share.role.value.as_str()).and_then(|r| r.as_ref());
    let agreed = role.map_or(0, |r| u64::from(r.max_people.value));
    let named = ready.settings.named_analysts.as_ref().map(|n| u64::try_from(n.len()).unwrap_or(u64::MAX));
    let people = named.map_or(agreed, |named| named.min(agreed));
    Most::Quotas { per_year: people.saturating_mul(u64::from(tables_a_year(ready).unwrap_or(0))) }
}

/// What the dictionary or the policy calls special, among what is shared.
fn special(layers: &Layers) -> BTreeSet<String> {
    let is = |table: &str, column: &str| {
        let own =
            layers.policy.datasets.get(table).and_then(|d| d.columns.get(column)).is_some_and(|c| c.special);
        own || layers
            .schema
            .table(table)
            .and_then(|t| t.column(column))
            .is_some_and(|c| c.class == Class::SpecialCategory)
    };
    used(layers).into_iter().filter(|(t, c)| is(t, c)).map(|(_, c)| c.to_owned()).collect()
}

/// `None` where no share draws on it.
fn account(layers: &Layers) -> Option<Account> {
    let bought = layers.tables_bought();
    let most = |of: fn(&crate::TablesBought) -> u64| bought.iter().map(of).max();
    let budget = &layers.budget;
    Some(Account {
        tables: (most(|b| b.per_year)?, most(|b| b.lifetime)?),
        per_year: decimal::print(budget.per_year.value),
        lifetime: decimal::print(budget.lifetime.value),
        delta: budget.delta.value,
        year_starts: budget.year_starts,
    })
}

/// Every table's own rule, once each: a table that takes another's is named with it.
fn opt_outs(layers: &Layers) -> Vec<(String, String, Vec<String>)> {
    let own = |(table, dataset): (&String, &crate::document::Dataset)| match dataset.opt_out.as_ref()? {
        OptOutDoc::Column { column, share_only_if } => {
            let codes = share_only_if.value.iter().map(|c| c.value.clone()).collect();
            Some((words(table), words(&column.value), codes))
        }
        OptOutDoc::Via(_) => None,
    };
    layers.policy.datasets.iter().filter_map(own).collect()
}

/// The tables that shares count, under what a rule says of them.
fn by_value<T: Ord>(layers: &Layers, of: impl Fn(&Ready) -> Option<T>) -> Vec<(T, Vec<String>)> {
    let mut values: BTreeMap<T, BTreeSet<String>> = BTreeMap::new();
    for ready in &layers.shares {
        if let Some(value) = of(ready) {
            values.entry(value).or_default().insert(words(&ready.share.dataset.value));
        }
    }
    values.into_iter().map(|(value, tables)| (value, tables.into_iter().collect())).collect()
}

/// The link that a share counts people once by is that of its dataset, which it names.
fn once(layers: &Layers) -> BTreeSet<String> {
    let by = |ready: &Ready| {
        let of_dataset = |l: &&Link| l.left.value == ready.share.dataset.value;
        let mut links = layers.policy.links.iter().filter(|l| l.kind.value == LinkKind::CountOnce);
        let link = links.find(of_dataset)?;
        Some(words(&link.on.value))
    };
    layers.shares.iter().filter(|r| matches!(r.method, Method::CountOnce(_))).filter_map(by).collect()
}

/// A column without its table.
pub(crate) fn bare(column: &str) -> &str {
    column.rsplit('.').next().unwrap_or(column)
}

/// A column or table as words: `participants.age_band` is "age band".
pub(crate) fn words(name: &str) -> String {
    bare(name).replace('_', " ")
}
