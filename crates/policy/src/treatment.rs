//! What a policy says about a question it permits: how the answer must be counted, protected and charged.

use cairn_question::answer::Zeros;
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Day, Name};
use chrono::Datelike as _;

/// How a permitted question is answered. Made by [`crate::decide`] only, as the meet of all layers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Treatment {
    /// The share that matched.
    pub share: Name,
    /// The release that the share names: what a rule about its method is called by.
    pub release: String,
    /// How the table is protected.
    pub method: Method,
    /// Least number of partners that a question must be put to. 1: this partner's own table leaves under its name; from 3
    /// on, only a total over that many partners.
    pub min_partners: u32,
    /// Which rows can count at all.
    pub window: Window,
    /// For each filter: it leaves out nobody, or at least this many people; else the whole table is withheld. 0: no rule.
    pub min_cohort: u32,
    /// Most rows of one person that count, oldest kept; `None` where people are counted (each once, however many rows) or
    /// where one row is one person.
    pub rows_per_person: Option<u32>,
    /// How a column is added up, for a sum or a mean of it; `None` where none is, or where the policy does not bound it.
    pub summed: Option<Summed>,
    /// How often the snapshots that it may be counted on are made; `None`: any.
    pub snapshot: Option<SnapshotEvery>,
    /// Rows that were closed too long ago, which never count; `None`: the policy has no such rule.
    pub keep: Option<KeepYears>,
    /// Whom the partner leaves out beside those who objected; `None`: nobody.
    pub opt_out: Option<OptOut>,
    /// What the analyst may ask for under this share.
    pub quota: Quota,
    /// The caps on the person's account; under [`Method::CountOnce`] those on the account of such counts.
    pub caps: Caps,
}

/// How a table is protected. Complete, not open: whoever releases a table must handle every treatment there is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Method {
    /// Threshold and rounding.
    SuppressRound(Cells),
    /// Exact counts, with small cells and others that would give them away withheld.
    SuppressAudit(Cells),
    /// Counts perturbed by the record keys of the people in the cell.
    CellKey {
        /// The table of perturbations, by name.
        table: String,
        /// What is withheld and rounded besides.
        cells: Cells,
    },
    /// Noise on every declared cell.
    Dp {
        /// The kind of noise.
        mechanism: Mechanism,
        /// The table's loss; under Gaussian noise what it is at the policy's δ.
        epsilon: Epsilon,
        /// Most cells of the table that one person may be in: the share's bound, and 1 where every axis describes the person.
        groups_per_person: u32,
    },
    /// Different people over all partners, each counted once.
    CountOnce(CountOnce),
}

/// How people are counted once across partners, and the account of its own that such counts are charged to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CountOnce {
    /// ε₀: what one count costs for each linkage key.
    pub epsilon: Epsilon,
    /// s_max: most linkage keys that one person may be recorded under, by the framework.
    pub keys_per_person: u32,
    /// c_max: most cells of the table that one person may be in over all partners: 1 where it has one, and [`CountOnce::UNSAID`] where it has several and the
    /// framework does not say.
    pub cells_per_person: u32,
    /// Counts in one policy year, all analysts together.
    pub counts_per_year: u32,
    /// Counts ever.
    pub counts_lifetime: u32,
}

impl CountOnce {
    /// Cells of a person where nobody says how many: what no account holds.
    pub const UNSAID: u32 = u32::MAX;

    /// What one count costs a person who is recorded under as many keys and is in as many cells as may be: s_max · c_max · ε₀. The checker refuses what would
    /// be above [`Epsilon::MAX`], where this stays.
    #[must_use]
    pub fn person_epsilon(&self) -> Epsilon {
        self.times_keys_and_cells().unwrap_or(Epsilon::MAX)
    }

    /// s_max · c_max · ε₀; `None` where that is no ε.
    #[must_use]
    pub fn times_keys_and_cells(&self) -> Option<Epsilon> {
        let keys = self.epsilon.millionths().checked_mul(self.keys_per_person)?;
        Epsilon::from_millionths(keys.checked_mul(self.cells_per_person)?).ok()
    }

    /// What one count is charged: ρ of [`CountOnce::person_epsilon`], or more than any account holds where s_max · c_max · ε₀ is no ε.
    #[must_use]
    pub fn loss(&self) -> NanoRho {
        self.times_keys_and_cells().map_or(NanoRho::new(u64::MAX), Epsilon::rho)
    }

    /// The same of a count that is not broken down.
    #[must_use]
    pub const fn in_one_cell(self) -> Self {
        Self { cells_per_person: 1, ..self }
    }

    /// The same of a table of so many cells: nobody is in more than there are.
    #[must_use]
    pub fn in_cells(self, cells: u32) -> Self {
        Self { cells_per_person: self.cells_per_person.min(cells.max(1)), ..self }
    }

    /// The account that counts are charged to, in the policy year of the account of tables: it holds so many that are not broken down.
    pub(crate) fn caps(&self, tables: Caps) -> Caps {
        let counts = |n: u32| NanoRho::new(self.in_one_cell().loss().nano().saturating_mul(n.into()));
        Caps { per_year: counts(self.counts_per_year), lifetime: counts(self.counts_lifetime), ..tables }
    }
}

/// The kind of noise. Neither is the stricter.
///
/// Complete: whoever releases a table must be able to draw each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mechanism {
    /// Discrete Laplace noise, for a pure ε.
    Laplace,
    /// Discrete Gaussian noise, for a zero-concentrated loss.
    Gaussian(Concentrated),
}

/// A zero-concentrated loss, and the δ at which it is the ε that a board reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Concentrated {
    /// The loss that the noise is scaled to and that is charged: the largest whole number of nano-ρ whose loss at δ is at most ε.
    pub rho: NanoRho,
    /// δ in trillionths (10⁻¹²), rounded up. For display only: what is charged is ρ.
    pub delta_trillionths: u64,
}

impl Concentrated {
    /// The loss of a table whose ε at `delta` a policy states. Zero where that ε is too small for a nano-ρ, which the checker refuses.
    #[must_use]
    pub(crate) fn new(epsilon: Epsilon, delta: f64) -> Self {
        let rho = NanoRho::cap_for(f64::from(epsilon.millionths()) / 1e6, delta);
        Self { rho, delta_trillionths: trillionths(delta) }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a δ is above 0 and below 1, and a cast from a float stays at the ends"
)]
fn trillionths(delta: f64) -> u64 {
    (delta * 1e12).ceil() as u64
}

impl Mechanism {
    /// The same kind of noise for a table of this ε.
    pub(crate) fn at(self, epsilon: Epsilon, delta: f64) -> Self {
        match self {
            Self::Laplace => Self::Laplace,
            Self::Gaussian(_) => Self::Gaussian(Concentrated::new(epsilon, delta)),
        }
    }

    /// Its word in a policy and in an answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Laplace => "discrete-laplace",
            Self::Gaussian(_) => "discrete-gaussian",
        }
    }
}

impl Method {
    /// What one table costs the person, rounded up; `None` without noise, which costs nothing.
    ///
    /// Laplace noise of a pure ε: ε·tanh(ε/2) ([`Epsilon::rho`]). Gaussian noise: the ρ that it is scaled to. A count of people once: that of
    /// s_max · c_max · ε₀, on an account of its own.
    #[must_use]
    pub fn loss(&self) -> Option<NanoRho> {
        match self {
            Self::Dp { mechanism: Mechanism::Laplace, epsilon, .. } => Some(epsilon.rho()),
            Self::Dp { mechanism: Mechanism::Gaussian(loss), .. } => Some(loss.rho),
            Self::CountOnce(count) => Some(count.loss()),
            Self::SuppressRound(_) | Self::SuppressAudit(_) | Self::CellKey { .. } => None,
        }
    }

    /// What one table takes from the person's account of tables; `None` for what costs nothing, and for counts on an account of their own.
    pub(crate) fn table_loss(&self) -> Option<NanoRho> {
        self.loss().filter(|_| !matches!(self, Self::CountOnce(_)))
    }

    /// The method's word in a policy: `suppress-round`, `dp`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::SuppressRound(_) => "suppress-round",
            Self::SuppressAudit(_) => "suppress-audit",
            Self::CellKey { .. } => "cell-key",
            Self::Dp { .. } => "dp",
            Self::CountOnce(_) => "count-once",
        }
    }

    /// The rules of a table that is audited beside every other of its snapshot, with its totals: exact counts, and rounded ones whose
    /// release withholds what would give a small count away. `None` for any other.
    #[must_use]
    pub const fn audited(&self) -> Option<&Cells> {
        match self {
            Self::SuppressAudit(cells) => Some(cells),
            Self::SuppressRound(cells) if matches!(cells.secondary, Secondary::Yes) => Some(cells),
            Self::SuppressRound(_) | Self::CellKey { .. } | Self::Dp { .. } | Self::CountOnce(_) => None,
        }
    }

    /// The rules about small cells; `None` for noise, which has none.
    #[must_use]
    pub const fn cells(&self) -> Option<&Cells> {
        match self {
            Self::SuppressRound(cells) | Self::SuppressAudit(cells) | Self::CellKey { cells, .. } => {
                Some(cells)
            }
            Self::Dp { .. } | Self::CountOnce(_) => None,
        }
    }
}

/// The rules of a table without noise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cells {
    /// The profile's name, or `own`.
    pub profile: String,
    /// Fewer people than this are withheld.
    pub min_people: u32,
    /// The rounding base; 1 rounds nothing.
    pub round_to: u32,
    /// Whether 0 is shown.
    pub zeros: Zeros,
    /// Whether cells that would give a withheld one away are withheld too.
    pub secondary: Secondary,
    /// When a sum is withheld because a few people make up most of it; `None`: never.
    pub dominance: Option<Dominance>,
}

/// Secondary suppression.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Secondary {
    /// Small cells only are withheld.
    No,
    /// Cells from which a small one follows are withheld with it.
    Yes,
}

/// A sum is withheld where the `largest` people together make up more than `max_percent` of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dominance {
    /// How many people.
    pub largest: u32,
    /// Per cent of the sum, 1 to 100.
    pub max_percent: u32,
}

/// What a policy says of a number column that it lets be added up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Summed {
    /// What its numbers are of, in the policy's words: `quarter-hours`.
    pub unit: String,
    /// Least that one row adds: a smaller value counts as this.
    pub least: u32,
    /// Most that one row adds, above `least`: a larger value counts as this.
    pub most: u32,
}

/// How often frozen snapshots are made.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum SnapshotEvery {
    /// At the end of each month.
    Month,
    /// At the end of each calendar quarter.
    Quarter,
}

impl SnapshotEvery {
    /// `month` or `quarter`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// Whether a snapshot of this day is one: the last day of a month, or of a calendar quarter.
    #[must_use]
    pub fn holds(self, as_of: Day) -> bool {
        let next = as_of.plus_days(1);
        let starts = next.to_string();
        let month = starts.get(5..7).unwrap_or_default();
        let ends_month = starts.ends_with("-01");
        match self {
            Self::Month => ends_month,
            Self::Quarter => ends_month && matches!(month, "01" | "04" | "07" | "10"),
        }
    }
}

/// Rows whose closing day is more than `years` before the snapshot's day never count; open ones do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeepYears {
    /// The closing date, as the question's dataset sees it.
    pub column: String,
    /// Years.
    pub years: u32,
}

impl KeepYears {
    /// The first closing day that counts on a snapshot of `as_of`: on it, the row was closed `years` before and not more.
    #[must_use]
    pub fn first_kept(&self, as_of: Day) -> Day {
        let date = as_of.date();
        let year = i32::try_from(self.years).ok().and_then(|years| date.year().checked_sub(years));
        // A year without 29 February has its next day instead: the 28th is a day too long ago.
        let day = year.and_then(|y| Day::new(y, date.month(), date.day()).or_else(|| Day::new(y, 3, 1)));
        day.unwrap_or(Day::EARLIEST)
    }
}

/// Only people whose column holds one of these codes count; a blank never does. Objections are applied besides, always.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OptOut {
    /// The column, as the question's dataset sees it.
    pub column: String,
    /// The codes.
    pub share_only_if: Vec<String>,
}

/// Rows whose date lies in the window count; others never do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Window {
    /// The date column, as the question's dataset sees it; `None`: every row of the snapshot.
    pub column: Option<String>,
    /// First day.
    pub from: Option<Day>,
    /// Days before the snapshot date that are not counted yet, since late rows are still expected.
    pub lag_days: u32,
}

/// An analyst's quota under one share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quota {
    /// Tables in one day (UTC).
    pub tables_per_day: u32,
    /// Tables in one policy year.
    pub tables_per_year: u32,
    /// Loss of this analyst's tables under this share in one policy year; `None`: only the person's account limits it.
    pub rho_per_year: Option<NanoRho>,
}

/// The caps on the person's account: one for all analysts, shares and policy versions, and one beside it for people counted once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caps {
    /// In one policy year.
    pub per_year: NanoRho,
    /// Ever.
    pub lifetime: NanoRho,
    /// First month of the policy year.
    pub year_starts_month: u8,
    /// First day of the policy year.
    pub year_starts_day: u8,
}
