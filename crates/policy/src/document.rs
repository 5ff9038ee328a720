//! The files as read: every value checked for its form and carrying its place. What the values mean together is
//! checked in [`crate::lint`].

mod brake;
mod framework;
mod policy;
#[cfg(test)]
mod print;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cairn_question::answer::Zeros;
use cairn_question::privacy::Epsilon;
use cairn_question::{Day, Hash, Measure, Name, PartnerId};

use crate::read::At;
use crate::treatment::{Concentrated, Dominance, Mechanism, Secondary, SnapshotEvery};

pub(crate) use brake::read as read_brake;
pub(crate) use framework::read as read_framework;
pub(crate) use policy::read as read_policy;

/// What stands in a section by name; `None` where the section is there and faulty, so that a mention of it is not
/// reported a second time.
pub(crate) type Named<T> = BTreeMap<String, Option<T>>;

#[derive(Clone, Debug)]
pub(crate) struct PolicyDoc {
    pub(crate) head: Option<Head>,
    pub(crate) unit: Option<At<String>>,
    pub(crate) budget: Option<Budget>,
    pub(crate) datasets: BTreeMap<String, Dataset>,
    pub(crate) links: Vec<Link>,
    pub(crate) releases: Named<Release>,
    pub(crate) roles: Named<Role>,
    pub(crate) purposes: Named<Purpose>,
    pub(crate) shares: Vec<Share>,
    pub(crate) records: Option<Records>,
}

#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) id: At<Name>,
    pub(crate) version: At<u32>,
    pub(crate) partner: At<PartnerId>,
    pub(crate) supersedes: Option<Hash>,
    pub(crate) framework: (At<Name>, At<u32>),
    pub(crate) effective_from: At<Day>,
    pub(crate) review_by: At<Day>,
    pub(crate) expires: At<Day>,
    pub(crate) controller: String,
    pub(crate) legal_basis: String,
    pub(crate) agreement: String,
    pub(crate) dpia: String,
    pub(crate) contact: String,
    pub(crate) notice_url: String,
    pub(crate) notice_at: Range<usize>,
    pub(crate) plan: Vec<(&'static str, String)>,
    /// Keys whose value is still a template's, or belongs to nobody.
    pub(crate) made_up: Vec<(&'static str, Range<usize>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Budget {
    pub(crate) per_year: At<u32>,
    pub(crate) lifetime: At<u32>,
    pub(crate) delta: At<f64>,
    pub(crate) year_starts: (u8, u8),
}

#[derive(Clone, Debug)]
pub(crate) struct Dataset {
    pub(crate) name: At<String>,
    pub(crate) table: Option<At<String>>,
    pub(crate) one_row_is: Option<At<String>>,
    pub(crate) snapshot: Option<At<SnapshotEvery>>,
    pub(crate) opt_out: Option<OptOutDoc>,
    pub(crate) keep_years: Option<At<u32>>,
    pub(crate) rows_per_person: Option<At<u32>>,
    pub(crate) columns: BTreeMap<String, ColumnRule>,
}

/// Whom the partner leaves out beside those who objected.
#[derive(Clone, Debug)]
pub(crate) enum OptOutDoc {
    Column { column: At<String>, share_only_if: At<Vec<At<String>>> },
    Via(At<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct ColumnRule {
    pub(crate) key: Range<usize>,
    pub(crate) usage: Option<At<Usage>>,
    pub(crate) grains: Vec<At<String>>,
    pub(crate) special: bool,
    pub(crate) codes: Option<At<String>>,
    /// Of a measure: least and most value kept, in its unit.
    pub(crate) bounds: Option<At<(u32, u32)>>,
    pub(crate) unit: Option<At<String>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Usage {
    Unit,
    Link,
    Hidden,
    Dimension,
    Filter,
    Time,
    Measure,
}

#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) id: At<Name>,
    pub(crate) left: At<String>,
    pub(crate) right: At<String>,
    pub(crate) on: At<String>,
    pub(crate) kind: At<LinkKind>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LinkKind {
    /// Rows of one table belong to one row of another, inside the node.
    OneToMany,
    /// People known to several partners are counted once.
    CountOnce,
}

#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) span: Range<usize>,
    pub(crate) min_partners: Option<At<u32>>,
    pub(crate) how: How,
}

#[derive(Clone, Debug)]
pub(crate) enum How {
    Cells(CellsDoc),
    Dp { mechanism: At<MechanismWord>, epsilon: At<Epsilon>, groups_per_person: At<u32> },
    CountOnce(CountOnceDoc),
}

/// A release that counts people once across partners.
#[derive(Clone, Debug)]
pub(crate) struct CountOnceDoc {
    /// ε₀, for one linkage key and one count.
    pub(crate) epsilon: At<Epsilon>,
    pub(crate) counts_per_year: At<u32>,
    pub(crate) counts_lifetime: At<u32>,
}

/// The kind of noise that a release names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MechanismWord {
    Laplace,
    Gaussian,
}

impl MechanismWord {
    pub(crate) const WORDS: [(&str, Self); 2] =
        [("discrete-laplace", Self::Laplace), ("discrete-gaussian", Self::Gaussian)];

    /// The noise of a table of this ε; a Gaussian's loss is what ε is at `delta`.
    pub(crate) fn at(self, epsilon: Epsilon, delta: f64) -> Mechanism {
        match self {
            Self::Laplace => Mechanism::Laplace,
            Self::Gaussian => Mechanism::Gaussian(Concentrated::new(epsilon, delta)),
        }
    }
}

/// A release without noise.
#[derive(Clone, Debug)]
pub(crate) struct CellsDoc {
    pub(crate) kind: CellsKind,
    pub(crate) profile: Option<At<String>>,
    pub(crate) min_people: Option<At<u32>>,
    pub(crate) round_to: Option<At<u32>>,
    pub(crate) zeros: Option<At<Zeros>>,
    pub(crate) secondary: Option<At<Secondary>>,
    pub(crate) dominance: Option<At<Dominance>>,
}

#[derive(Clone, Debug)]
pub(crate) enum CellsKind {
    SuppressRound,
    SuppressAudit,
    CellKey { table: At<String> },
}

#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) span: Range<usize>,
    pub(crate) issuer: At<Name>,
    pub(crate) max_people: At<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
    pub(crate) basis: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) span: Range<usize>,
    pub(crate) id: At<Name>,
    pub(crate) purpose: At<Name>,
    pub(crate) role: At<Name>,
    pub(crate) dataset: At<String>,
    /// First and last day on which the share answers, where it is not the policy's.
    pub(crate) from: Option<At<Day>>,
    pub(crate) until: Option<At<Day>>,
    /// The only analysts who may ask, by the names in their credentials; `None`: everybody in the role.
    pub(crate) named_analysts: Option<At<Vec<At<Name>>>>,
    /// The only indicators whose questions it answers; `None`: every question that its lists allow.
    pub(crate) indicators: Option<At<Vec<At<String>>>>,
    pub(crate) answers: Vec<At<Measure>>,
    pub(crate) group_by: Columns,
    pub(crate) filter_by: Columns,
    pub(crate) max_group_columns: At<u32>,
    pub(crate) max_filter_columns: At<u32>,
    pub(crate) min_cohort: Option<At<u32>>,
    pub(crate) never_together: Vec<At<Vec<At<String>>>>,
    pub(crate) window: Option<ShareWindow>,
    pub(crate) links: Vec<At<String>>,
    pub(crate) release: At<String>,
    pub(crate) tables_per_day: At<u32>,
    pub(crate) tables_per_year: Option<At<u32>>,
    /// Millionths of ε.
    pub(crate) epsilon_per_year: Option<At<u32>>,
}

/// Columns, each with the finest grain that is shared, in the order of the file.
pub(crate) type Columns = Vec<(At<String>, At<String>)>;

#[derive(Clone, Debug)]
pub(crate) struct ShareWindow {
    pub(crate) column: At<String>,
    pub(crate) from: At<Day>,
    pub(crate) lag_days: At<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub(crate) audit_keep_years: u32,
    pub(crate) answers_cached_days: Option<At<u32>>,
    pub(crate) conditions: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct FrameworkDoc {
    pub(crate) id: Option<At<Name>>,
    pub(crate) version: Option<At<u32>>,
    pub(crate) floor: Option<FloorDoc>,
    /// `table.column` to its grains, coarse to fine; the last is the finest that may be shared.
    pub(crate) grains: BTreeMap<String, (Range<usize>, Vec<At<String>>)>,
    /// What a partner may open, by table.
    pub(crate) open: BTreeMap<String, Open>,
    pub(crate) purposes: BTreeSet<String>,
    pub(crate) profiles: BTreeMap<String, Profile>,
    pub(crate) secure: Option<SecureDoc>,
    pub(crate) indicators: BTreeMap<String, IndicatorDoc>,
}

/// Questions under one name, as written: `{breakdown}`, `{grain}` and `{period}` stand for each of the lists beside them.
#[derive(Clone, Debug)]
pub(crate) struct IndicatorDoc {
    pub(crate) span: Range<usize>,
    pub(crate) questions: Vec<At<String>>,
    pub(crate) breakdowns: Vec<At<String>>,
    pub(crate) grains: Vec<At<&'static str>>,
    /// What a board approved.
    pub(crate) hash: Option<At<String>>,
}

/// The terms of secure totals: what every manifest keeps to.
#[derive(Clone, Debug)]
pub(crate) struct SecureDoc {
    /// t: partners that may collude without learning another's figure.
    pub(crate) colluding_max: At<u32>,
    /// Least n_min: partners behind an opened total.
    pub(crate) answering_min: At<u32>,
    /// Least |I|: partners that are asked.
    pub(crate) invited_min: At<u32>,
    /// s_max: linkage keys that one person may be recorded under.
    pub(crate) keys_per_person_max: At<u32>,
    /// c_max: cells of a table that one person may be in over all partners; without it no count of people once is broken down.
    pub(crate) cells_per_person_max: Option<At<u32>>,
    /// The profile by which a total is protected unless the analyst asks for another protection.
    pub(crate) usual: Option<At<String>>,
}

/// Which roles may be given one partner's own table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PartnerTables {
    /// Roles whose issuer is the partner itself.
    OwnRole,
    /// Any role.
    AnyRole,
}

#[derive(Clone, Debug)]
pub(crate) struct FloorDoc {
    pub(crate) min_people: At<u32>,
    pub(crate) round_to: At<u32>,
    pub(crate) min_partners: At<u32>,
    pub(crate) max_group_columns: At<u32>,
    pub(crate) max_filter_columns: At<u32>,
    pub(crate) epsilon_max_per_table: At<u32>,
    pub(crate) epsilon_max_per_year: At<u32>,
    pub(crate) epsilon_max_lifetime: At<u32>,
    pub(crate) delta_max: At<f64>,
    pub(crate) lag_days: At<u32>,
    pub(crate) max_valid_months: At<u32>,
    pub(crate) special_needs_method: Vec<At<String>>,
    pub(crate) partner_tables: PartnerTables,
    /// Column (with or without its table) to the finest grain that may be shared.
    pub(crate) finest: Vec<(At<String>, At<String>)>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Open {
    pub(crate) span: Range<usize>,
    pub(crate) group: Vec<At<String>>,
    pub(crate) filter: Vec<At<String>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// The word of the method that a release under this profile names.
    pub(crate) method: &'static str,
    pub(crate) min_people: At<u32>,
    pub(crate) round_to: At<u32>,
    pub(crate) zeros: Zeros,
    pub(crate) secondary: Secondary,
    pub(crate) dominance: Option<Dominance>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct BrakeDoc {
    pub(crate) paused_shares: Vec<At<String>>,
    pub(crate) blocked_analysts: Vec<At<Name>>,
    pub(crate) pause_all: bool,
    pub(crate) reason: String,
}

impl FrameworkDoc {
    /// Whether special-category columns may leave by a method: the built-in floor has it, and the framework lists it. A
    /// framework whose floor cannot be read does not load, so no policy is decided under it. A count of people once leaves with noise as `dp`
    /// does, and stands and falls with it.
    pub(crate) fn fits_special(&self, method: &str) -> bool {
        let method = if method == "count-once" { crate::floor::SPECIAL_METHOD } else { method };
        let listed =
            self.floor.as_ref().is_none_or(|f| f.special_needs_method.iter().any(|m| m.value == method));
        listed && method == crate::floor::SPECIAL_METHOD
    }
}

impl How {
    /// The method's word.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Cells(cells) => match cells.kind {
                CellsKind::SuppressRound => "suppress-round",
                CellsKind::SuppressAudit => "suppress-audit",
                CellsKind::CellKey { .. } => "cell-key",
            },
            Self::Dp { .. } => "dp",
            Self::CountOnce(_) => "count-once",
        }
    }
}

impl Usage {
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("unit", Self::Unit),
        ("link", Self::Link),
        ("hidden", Self::Hidden),
        ("dimension", Self::Dimension),
        ("filter", Self::Filter),
        ("time", Self::Time),
        ("measure", Self::Measure),
    ];

    /// Whether a share may group by a column of this use.
    pub(crate) const fn groups(self) -> bool {
        matches!(self, Self::Dimension | Self::Time)
    }

    /// Whether a share may filter by it.
    pub(crate) const fn filters(self) -> bool {
        matches!(self, Self::Dimension | Self::Time | Self::Filter)
    }

    /// The word, as in the file.
    pub(crate) fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, u)| *u == self).map_or("", |(w, _)| w)
    }
}

/// `zeros` in a release or a profile.
pub(crate) const ZEROS: &[(&str, Zeros)] = &[("show", Zeros::Show), ("withhold", Zeros::Withhold)];

/// The nine parts that the GO Award asks of an action plan.
pub(crate) const PLAN: [&str; 9] =
    ["published", "scope", "need", "aims", "measures", "dates", "resource", "owner", "monitoring"];
