//! Release settings stick to a snapshot from its first answer: for every table of a dataset that one role is given, not only for the
//! same question again. The margins of a table are another question, and the same counts to the nearest 5 there and to the nearest
//! 10 here leave fewer candidates than either.

use cairn_question::{Measure, Moment, Name, RuleBroken};
use rusqlite::{Connection, params};

use crate::account::COUNTS;
use crate::chain::integer;
use crate::fault::LedgerFault;
use crate::reserve::{Reservation, rule};

/// The tables that a reader can lay side by side: one snapshot's, of one dataset, counting the same, given to one role.
///
/// Roles apart: results travel, and a board that gives two roles two treatments is told so when its policy is checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scope {
    /// Who is given them.
    pub role: Name,
    /// The table that is counted.
    pub dataset: String,
    /// What is counted.
    pub measure: Measure,
    /// Whether they are noisy.
    pub kind: Kind,
}

/// The kinds of table. Noise binds no other and is bound by none: what it promises holds whatever else its reader knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Thresholds and rounding.
    Cells,
    /// Exact or rounded counts that an audit found safe beside every other such table of the snapshot.
    Audit,
    /// Noise with a formal promise.
    Noise,
    /// People counted once over all partners, on a budget line of its own.
    Once,
}

/// What is charged together. A count of people over all partners is seen whole by the coordinator alone, and costs a person far more there than a
/// table does: it has caps of its own, so that neither uses up the other's.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Line {
    /// The account of tables.
    Tables,
    /// People counted once.
    Once,
}

impl Line {
    /// Which debits are on it, by their scope's last word.
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            // Debits of the oldest form of the file have no scope.
            Self::Tables => "(scope IS NULL OR scope NOT LIKE '% once')",
            Self::Once => "scope LIKE '% once'",
        }
    }
}

impl Scope {
    /// Its words in the ledger. No part has a space in it.
    pub(crate) fn words(&self) -> String {
        let kind = match self.kind {
            Kind::Cells => "cells",
            Kind::Audit => "audit",
            Kind::Noise => "noise",
            Kind::Once => "once",
        };
        format!("{} {} {} {kind}", self.role, self.dataset, self.measure)
    }

    /// The line that its tables are charged on.
    pub(crate) const fn line(&self) -> Line {
        match self.kind {
            Kind::Cells | Kind::Audit | Kind::Noise => Line::Tables,
            Kind::Once => Line::Once,
        }
    }
}

/// Whether a table of the scope left, or is being counted, under other settings on the same snapshot.
pub(crate) fn under_other_settings(
    connection: &Connection,
    want: &Reservation,
    now: Moment,
) -> Result<Option<RuleBroken>, LedgerFault> {
    let mut statement = connection.prepare_cached(&other_settings()).map_err(LedgerFault::read)?;
    let asked = params![
        integer(now.unix_s()),
        want.question_id.as_bytes(),
        want.snapshot.as_of.to_string(),
        want.snapshot.edition,
        want.scope.words(),
        want.settings.as_bytes(),
    ];
    let other: bool = statement.query_row(asked, |row| row.get(0)).map_err(LedgerFault::read)?;
    Ok(other.then(|| sticks(want)))
}

/// Whether a table of the scope is there under other settings.
pub(crate) fn other_settings() -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM debit WHERE as_of = ?3 AND edition = ?4 AND scope = ?5 AND settings <> ?6 AND {COUNTS})"
    )
}

pub(crate) fn sticks(want: &Reservation) -> RuleBroken {
    let says = format!(
        "release settings stick to a snapshot from its first answer; a table of {} was answered to the role {} under other settings on the snapshot of {}, ask again on the next one",
        want.scope.dataset, want.scope.role, want.snapshot.as_of
    );
    rule("ledger.settings-stick", "CA206", says)
}
