//! The layers in force: built-in floor, framework, policy and brake, read, checked and met.

mod cells;
mod methods;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cairn_question::answer::PolicyStatement;
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::schema::{CODE_GRAIN, Kind};
use cairn_question::{Day, Hash, Name, PartnerId, Schema};

use crate::decimal;
use crate::diff::facts::{self, Facts};
use crate::document::{
    BrakeDoc, Budget, Columns, FrameworkDoc, Head, OptOutDoc, PartnerTables, PolicyDoc, Release, Share,
    read_brake,
};
use crate::finding::{Faults, File, Finding, Severity, Sources};
use crate::indicators::{self, Definitions};
use crate::lint;
use crate::settings::{Grains, Settings};
use crate::treatment::{Caps, KeepYears, Method, OptOut, SnapshotEvery};

pub(crate) use cells::{dominance, secondary};

/// Every layer that decides, ready to decide. Made from files without any error only.
#[derive(Clone, Debug)]
pub struct Layers {
    pub(crate) schema: &'static Schema,
    pub(crate) policy: PolicyDoc,
    pub(crate) head: Head,
    pub(crate) budget: Budget,
    pub(crate) framework: FrameworkDoc,
    pub(crate) brake: BrakeDoc,
    pub(crate) shares: Vec<Ready>,
    /// What the framework's indicators ask, by their ids.
    pub(crate) indicators: BTreeMap<String, Definitions>,
    caps: Caps,
    statement: PolicyStatement,
    /// Every scalar of the policy's and the framework's file, for a comparison with another version.
    facts: Arc<Facts>,
}

/// One share with the meet of all layers under it.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) share: Share,
    pub(crate) settings: Settings,
    pub(crate) method: Method,
    /// How often the snapshots of the dataset are made.
    pub(crate) snapshot: Option<SnapshotEvery>,
    pub(crate) keep: Option<KeepYears>,
    pub(crate) opt_out: Option<OptOut>,
}

impl Layers {
    /// Reads and checks the files under the Shared Measurement Framework's dictionary. One error anywhere, and nothing loads: the node
    /// keeps what it has until that expires.
    ///
    /// # Errors
    /// Every finding of every file, warnings too, as [`crate::check`] gives them.
    pub fn load(sources: &Sources) -> Result<Self, Vec<Finding>> {
        Self::load_with(Schema::smf(), sources)
    }

    /// [`Layers::load`] under another data dictionary, for a board that tries its policy against one that is not in force yet.
    ///
    /// # Errors
    /// As [`Layers::load`].
    pub fn load_with(schema: &'static Schema, sources: &Sources) -> Result<Self, Vec<Finding>> {
        Self::checked(schema, sources).map(|(layers, _)| layers)
    }

    /// The layers with the warnings found on the way.
    pub(crate) fn checked(
        schema: &'static Schema,
        sources: &Sources,
    ) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        Self::checked_under(schema, &lint::Framework::read(schema, &sources.framework), sources)
    }

    /// [`Layers::checked`] under a framework that was read before: that of `sources`.
    pub(crate) fn checked_under(
        schema: &'static Schema,
        framework: &lint::Framework,
        sources: &Sources,
    ) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        let checked = lint::check(schema, framework, sources);
        let faulty = checked.findings.iter().any(|f| f.severity == Severity::Error);
        let built = if faulty {
            None
        } else {
            let documents = (checked.policy, checked.framework, checked.brake);
            Self::build(schema, sources, documents, framework.indicators.clone())
        };
        match built.map(|layers| (lint::space::wide(&layers, sources), layers)) {
            Some((None, layers)) => Ok((layers, checked.findings)),
            Some((Some(wide), _)) => Err(checked.findings.into_iter().chain([wide]).collect()),
            None => Err(checked.findings),
        }
    }

    fn build(
        schema: &'static Schema,
        sources: &Sources,
        (policy, framework, brake): (Option<PolicyDoc>, Option<FrameworkDoc>, BrakeDoc),
        indicators: BTreeMap<String, Definitions>,
    ) -> Option<Self> {
        let (policy, framework) = (policy?, framework?);
        let (head, budget) = (policy.head.clone()?, policy.budget.clone()?);
        let floor = framework.floor.as_ref()?;
        let cap = |millionths: u32| NanoRho::cap_for(f64::from(millionths) / 1e6, budget.delta.value);
        let framework_caps = (cap(floor.epsilon_max_per_year.value), cap(floor.epsilon_max_lifetime.value));
        let caps = Caps {
            per_year: cap(budget.per_year.value).min(framework_caps.0),
            lifetime: cap(budget.lifetime.value).min(framework_caps.1),
            year_starts_month: budget.year_starts.0,
            year_starts_day: budget.year_starts.1,
        };
        let shares = policy.shares.iter().map(|share| {
            let mut ready = ready(schema, &policy, &head, &framework, share)?;
            let approved = indicators::approved(share, &indicators);
            ready.settings = ready.settings.meet(Settings { approved, ..Settings::default() });
            Some(ready)
        });
        let shares = shares.collect::<Option<Vec<_>>>()?;
        let statement = PolicyStatement {
            id: head.id.value.to_string(),
            version: head.version.value,
            hash: Hash::of(sources.policy.text.replace("\r\n", "\n").as_bytes()),
        };
        let facts = Arc::new(facts::of_both(&sources.policy.text, &sources.framework.text));
        Some(Self {
            schema,
            policy,
            head,
            budget,
            framework,
            brake,
            shares,
            indicators,
            caps,
            statement,
            facts,
        })
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The policy's id and version, and the SHA-256 of its file with LF line ends: what the board signed, whatever an
    /// editor did to the line ends.
    #[must_use]
    pub const fn statement(&self) -> &PolicyStatement {
        &self.statement
    }

    /// The file that it says it replaces, by its SHA-256 with LF line ends.
    #[must_use]
    pub const fn supersedes(&self) -> Option<Hash> {
        self.head.supersedes
    }

    /// The partner whose policy it is.
    #[must_use]
    pub const fn partner(&self) -> &PartnerId {
        &self.head.partner.value
    }

    /// The controller, in words.
    #[must_use]
    pub fn controller(&self) -> &str {
        &self.head.controller
    }

    /// First and last day in force, both counted, in Europe/London.
    #[must_use]
    pub const fn in_force(&self) -> (Day, Day) {
        (self.head.effective_from.value, self.head.expires.value)
    }

    /// The day by which the board reviews it; warnings begin 60 days before.
    #[must_use]
    pub const fn review_by(&self) -> Day {
        self.head.review_by.value
    }

    /// The caps on the person's account: one account for all shares, analysts and versions.
    #[must_use]
    pub const fn caps(&self) -> Caps {
        self.caps
    }

    /// The issuer that must have vouched for analysts of a role; `None`: the policy has no such role.
    #[must_use]
    pub fn role_issuer(&self, role: &Name) -> Option<&Name> {
        self.policy.roles.get(role.as_str())?.as_ref().map(|r| &r.issuer.value)
    }

    /// The same layers under another brake, or none. A brake that cannot be read pauses everything: a duty officer who
    /// mistypes has still stopped the node. The findings say what was wrong.
    #[must_use]
    pub fn with_brake(&self, brake: Option<&File>) -> (Self, Vec<Finding>) {
        let Some(file) = brake else {
            return (Self { brake: BrakeDoc::default(), ..self.clone() }, Vec::new());
        };
        let faults = Faults::new(file);
        crate::letters::check(file, &faults);
        let mut doc = read_brake(&faults);
        lint::brake(&doc, Some(&self.policy), &faults);
        let findings = faults.into_found();
        if findings.iter().any(|f| f.severity == Severity::Error) {
            doc.pause_all = true;
            doc.reason = "the brake file cannot be read".to_owned();
        }
        (Self { brake: doc, ..self.clone() }, findings)
    }

    /// The datasets that shares answer from snapshots of certain days only, and how often such a day comes.
    #[must_use]
    pub fn snapshot_days(&self) -> BTreeMap<&str, SnapshotEvery> {
        self.shares.iter().filter_map(|r| Some((r.share.dataset.value.as_str(), r.snapshot?))).collect()
    }

    /// How many tables of each differentially private share the person's account pays for.
    #[must_use]
    pub fn tables_bought(&self) -> Vec<TablesBought> {
        self.tables_for(self.caps.per_year, self.caps.lifetime)
    }

    /// How many tables of each differentially private share this much pays for: what is left of the policy year's cap, and of
    /// the lifetime's.
    #[must_use]
    pub fn tables_for(&self, year: NanoRho, lifetime: NanoRho) -> Vec<TablesBought> {
        let bought = |ready: &Ready| match ready.method.table_loss() {
            Some(loss) => {
                let cost = loss.nano().max(1);
                let per_year = year.nano() / cost;
                let lifetime = lifetime.nano() / cost;
                Some(TablesBought { share: ready.share.id.value.clone(), per_year, lifetime })
            }
            None => None,
        };
        self.shares.iter().filter_map(bought).collect()
    }
}

/// What the caps buy of one share, if nothing else is asked: fewer than a reader of ε would guess or more, so it is said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TablesBought {
    /// The share.
    pub share: Name,
    /// Tables in a policy year, all analysts together.
    pub per_year: u64,
    /// Tables ever.
    pub lifetime: u64,
}

fn ready(
    schema: &Schema,
    policy: &PolicyDoc,
    head: &Head,
    framework: &FrameworkDoc,
    share: &Share,
) -> Option<Ready> {
    let release = policy.releases.get(&share.release.value)?.as_ref()?;
    let delta = policy.budget.as_ref()?.delta.value;
    let method = methods::own(framework, release, delta)?;
    let own = own_settings(schema, policy, head, framework, share, &method, release);
    let settings =
        floor_settings().meet(framework_settings(schema, framework, &share.dataset.value)?).meet(own);
    let method = methods::met(method, &settings, delta);
    let dataset = &share.dataset.value;
    let declared = policy.datasets.get(dataset);
    Some(Ready {
        share: share.clone(),
        settings,
        method,
        snapshot: declared.and_then(|d| d.snapshot.as_ref()).map(|s| s.value),
        keep: keep(schema, policy, dataset)?,
        opt_out: opt_out(schema, policy, dataset)?,
    })
}

/// The dataset's own rule about closed rows, on the date by which the dictionary says that they are closed. `None`: there is a rule,
/// and it could leave out nothing, so that nothing may load.
fn keep(schema: &Schema, policy: &PolicyDoc, dataset: &str) -> Option<Option<KeepYears>> {
    let Some(years) = &policy.datasets.get(dataset)?.keep_years else { return Some(None) };
    let column = schema.table(dataset)?.closed_by.clone()?;
    Some(Some(KeepYears { column, years: years.value }))
}

/// The rule about whom the partner leaves out: that of the topmost table that has one, of the dataset's own table and those above it.
/// `None`: there is a rule, and the dataset cannot reach it, so that nothing may load.
fn opt_out(schema: &Schema, policy: &PolicyDoc, dataset: &str) -> Option<Option<OptOut>> {
    let declared = |table: &str| policy.datasets.get(table)?.opt_out.as_ref();
    let own = |table: &str| match declared(table)? {
        OptOutDoc::Column { column, share_only_if } => Some((column, share_only_if)),
        OptOutDoc::Via(_) => None,
    };
    let tables = schema.ancestry(dataset);
    let rule = tables.iter().rev().find_map(|t| Some((t, own(&t.name)?)));
    let Some((table, (column, share_only_if))) = rule else {
        return declared(dataset).is_none().then_some(None);
    };
    table.column(&column.value)?;
    let own_table = table.name == dataset;
    let column = if own_table { column.value.clone() } else { format!("{}.{}", table.name, column.value) };
    let share_only_if = share_only_if.value.iter().map(|c| c.value.clone()).collect();
    Some(Some(OptOut { column, share_only_if }))
}

/// The least number of partners behind what a release gives: 1 is the partner's own table.
pub(crate) fn min_partners(release: &Release) -> u32 {
    release.min_partners.as_ref().map_or(1, |p| p.value)
}

/// Whether a share's role may be given this partner's own table under the framework.
pub(crate) fn own_table_allowed(
    policy: &PolicyDoc,
    head: &Head,
    framework: &FrameworkDoc,
    role: &Name,
) -> bool {
    let any = framework.floor.as_ref().is_some_and(|f| f.partner_tables == PartnerTables::AnyRole);
    let issuer = policy.roles.get(role.as_str()).and_then(|r| r.as_ref()).map(|r| r.issuer.value.as_str());
    any || issuer == Some(head.partner.value.as_str())
}

fn floor_settings() -> Settings {
    Settings {
        min_people: crate::floor::MIN_PEOPLE,
        max_group_columns: Some(crate::floor::GROUP_COLUMNS),
        max_filter_columns: Some(crate::floor::FILTER_COLUMNS),
        epsilon: Some(Epsilon::MAX),
        count_epsilon: Epsilon::from_millionths(crate::floor::COUNT_EPSILON.1).ok(),
        counts_per_year: Some(crate::floor::COUNTS_PER_YEAR),
        counts_lifetime: Some(crate::floor::COUNTS_LIFETIME),
        ..Settings::default()
    }
}

fn framework_settings(schema: &Schema, framework: &FrameworkDoc, dataset: &str) -> Option<Settings> {
    let floor = framework.floor.as_ref()?;
    let most = floor.epsilon_max_per_table.value;
    Some(Settings {
        min_people: floor.min_people.value,
        lag_days: floor.lag_days.value,
        epsilon: Epsilon::from_millionths(most).ok(),
        max_group_columns: Some(floor.max_group_columns.value),
        max_filter_columns: Some(floor.max_filter_columns.value),
        group_by: Some(open_columns(schema, framework, dataset, Purposes::Group)),
        filter_by: Some(open_columns(schema, framework, dataset, Purposes::Filter)),
        ..Settings::default()
    })
}

/// Which of a framework's two lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purposes {
    Group,
    Filter,
}

/// What the framework opens, as seen from a dataset, with every grain of its chains.
pub(crate) fn open_columns(
    schema: &Schema,
    framework: &FrameworkDoc,
    dataset: &str,
    list: Purposes,
) -> Grains {
    let mut columns = BTreeMap::new();
    for table in schema.ancestry(dataset) {
        let open = framework.open.get(&table.name);
        let names = open.map(|o| if list == Purposes::Group { &o.group } else { &o.filter });
        for name in names.into_iter().flatten() {
            let seen = if table.name == dataset {
                name.value.clone()
            } else {
                format!("{}.{}", table.name, name.value)
            };
            let grains = chain(framework, &table.name, &name.value).into_iter().collect();
            columns.insert(seen, grains);
        }
    }
    columns
}

/// The grains of a column that the framework allows, coarse to fine; `code` alone where it says nothing.
pub(crate) fn chain(framework: &FrameworkDoc, table: &str, column: &str) -> Vec<String> {
    let full = format!("{table}.{column}");
    let listed = framework.grains.get(&full).or_else(|| framework.grains.get(column));
    let mut chain: Vec<String> = match listed {
        Some((_, grains)) => grains.iter().map(|g| g.value.clone()).collect(),
        None => vec![CODE_GRAIN.to_owned()],
    };
    let finest = framework.floor.iter().flat_map(|f| &f.finest);
    for (_, finest) in finest.filter(|(c, _)| c.value == full || c.value == column) {
        match chain.iter().position(|g| *g == finest.value) {
            Some(at) => chain.truncate(at + 1),
            // A finest grain that the chain does not have leaves nothing: the framework's check says so.
            None => chain.clear(),
        }
    }
    chain
}

fn own_settings(
    schema: &Schema,
    policy: &PolicyDoc,
    head: &Head,
    framework: &FrameworkDoc,
    share: &Share,
    method: &Method,
    release: &Release,
) -> Settings {
    let dataset = &share.dataset.value;
    let rows = policy.datasets.get(dataset).and_then(|d| d.rows_per_person.as_ref()).map(|r| r.value);
    let rows_most = schema.table(dataset).and_then(|t| t.rows_per_person_max);
    let once = if let Method::CountOnce(once) = method { Some(once) } else { None };
    Settings {
        from: share.from.as_ref().map(|d| d.value).max(Some(head.effective_from.value)),
        until: share.until.as_ref().map(|d| d.value).into_iter().chain([head.expires.value]).min(),
        window_from: share.window.as_ref().map(|w| w.from.value),
        lag_days: share.window.as_ref().map_or(0, |w| w.lag_days.value),
        min_people: method.cells().map_or(0, |c| c.min_people),
        min_partners: min_partners(release),
        min_cohort: share.min_cohort.as_ref().map_or(0, |m| m.value),
        epsilon: match method {
            Method::Dp { epsilon, .. } => Some(*epsilon),
            _ => None,
        },
        count_epsilon: once.map(|o| o.epsilon),
        counts_per_year: once.map(|o| o.counts_per_year),
        counts_lifetime: once.map(|o| o.counts_lifetime),
        rho_per_year: None,
        rho_lifetime: None,
        rows_per_person: rows.into_iter().chain(rows_most).min(),
        max_group_columns: Some(share.max_group_columns.value),
        max_filter_columns: Some(share.max_filter_columns.value),
        tables_per_day: Some(share.tables_per_day.value),
        tables_per_year: share.tables_per_year.as_ref().map(|t| t.value),
        rho_per_analyst: share.epsilon_per_year.as_ref().and_then(|e| {
            Some(NanoRho::cap_for(f64::from(e.value) / 1e6, policy.budget.as_ref()?.delta.value))
        }),
        named_analysts: share
            .named_analysts
            .as_ref()
            .map(|l| l.value.iter().map(|n| n.value.to_string()).collect()),
        approved: None,
        group_by: Some(own_columns(schema, framework, dataset, &share.group_by)),
        filter_by: Some(own_columns(schema, framework, dataset, &share.filter_by)),
    }
}

/// A share's columns, each with the grain named and every coarser one of the framework's chain that nests in it.
fn own_columns(schema: &Schema, framework: &FrameworkDoc, dataset: &str, columns: &Columns) -> Grains {
    let grains = |column: &str, fine: &str| -> Option<BTreeSet<String>> {
        let found = schema.find(dataset, column)?;
        let chain = chain(framework, &found.table.name, &found.column.name);
        Some(chain.into_iter().filter(|g| schema.nests(found.column, fine, g)).collect())
    };
    columns.iter().filter_map(|(c, g)| Some((c.value.clone(), grains(&c.value, &g.value)?))).collect()
}

/// Whether a column holds days.
pub(crate) fn is_dated(schema: &Schema, dataset: &str, column: &str) -> bool {
    schema.find(dataset, column).is_some_and(|f| f.column.kind == Kind::Date)
}

/// An ε cap in words: `4`.
pub(crate) fn epsilon_words(millionths: u32) -> String {
    decimal::print(millionths)
}
