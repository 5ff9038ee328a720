//! What a policy says about a question it permits: how the answer must be counted, protected and charged.

use cairn_question::answer::Zeros;
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Day, Name};

/// How a permitted question is answered. Made by [`crate::decide`] only, as the meet of all layers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Treatment {
    /// The share that matched.
    pub share: Name,
    /// How the table is protected.
    pub method: Method,
    /// Which rows can count at all.
    pub window: Window,
    /// For each filter: it leaves out nobody, or at least this many people; else the whole table is withheld. 0: no rule.
    pub min_cohort: u32,
    /// Most rows of one person that count, oldest kept; `None` where people are counted (each once, however many rows) or
    /// where one row is one person.
    pub rows_per_person: Option<u32>,
    /// What the analyst may ask for under this share.
    pub quota: Quota,
    /// The caps on the person's account.
    pub caps: Caps,
}

/// How a table is protected. Complete, not open: whoever releases a table must handle every treatment there is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Method {
    /// Threshold and rounding.
    SuppressRound {
        /// The profile's name.
        profile: String,
        /// Fewer people than this are withheld.
        min_people: u32,
        /// The rounding base.
        round_to: u32,
        /// Whether 0 is shown.
        zeros: Zeros,
    },
    /// Discrete Laplace noise on every declared cell.
    Dp {
        /// The table's loss.
        epsilon: Epsilon,
        /// Most cells of the table that one person may be in: the share's bound, and 1 where every axis describes the person.
        groups_per_person: u32,
    },
}

impl Method {
    /// The method's word in a policy: `suppress-round` or `dp`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::SuppressRound { .. } => "suppress-round",
            Self::Dp { .. } => "dp",
        }
    }
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
}

/// The caps on the person's account: one for all analysts, shares and policy versions.
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
