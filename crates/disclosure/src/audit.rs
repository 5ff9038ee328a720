//! `suppress-audit`: secondary suppression that carries its own proof.
//!
//! A release is safe because an attacker's audit of it failed, not because an algorithm ran (release.md, section 3). For each
//! primary cell two whole tables are found that agree with everything published and differ in that cell: whoever sees the release
//! cannot tell which is true. The tables are *witnesses*; they stay at the node and can be checked again without any search.
//!
//! * [`table`]: what is audited. Tables over common atoms, and what was released before.
//! * `eliminate`, `search`, `solve`, `suppress`: propose a pattern and find witnesses. None of it is trusted.
//! * [`check`]: the exact check, and [`Audited`], which only it makes.
//! * [`grid`]: a table with all its totals, whose bands merge where nothing else helps.
//! * [`joined`]: a new table beside the tables that were audited before it.
//! * [`file`]: witnesses as a file, its commitment, and the check of an auditor.
//!
//! What it promises, to whom, and what not: docs/reference/suppress-audit.md.

mod bounds;
mod case;
pub mod check;
mod effort;
mod eliminate;
pub mod file;
mod gf61;
pub mod grid;
pub mod joined;
mod promise;
mod search;
mod solve;
mod suppress;
pub mod table;
mod view;

pub use check::{Audited, Figures, Witness};
pub use file::{Rechecked, Unproven, WitnessFile};
pub use grid::{Audit, Table};
pub use joined::{Asked, Joined, Left, Marked};
pub use table::{CellSpec, Fate, Layout, Nobody, Showing, Terms, Unfit};
pub use view::Range;

use case::Case;
use effort::{Effort, UNITS};
use solve::{Microlp, Solver};
use suppress::Mend;

/// Fewest people by which two witnesses of a primary cell differ, to a reader from outside (release.md, section 3, step 4).
pub const WIDTH: i64 = 2;

/// The same to a person who is alone in another cell and knows it: the cell must not be known exactly.
pub const WIDTH_INSIDE: i64 = 1;

/// Whether a cell is shown. One mark for primary and secondary cells: which is which would say that a count is small.
///
/// Complete: there is no third.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// Shown.
    Published,
    /// Not shown.
    Withheld,
}

/// Whom the release withstands.
///
/// Complete: the two attackers of release.md, section 3.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// Somebody who knows every shown cell, the threshold, and that a withheld cell has at least one person.
    KnowsThresholds,
    /// Somebody who knows all that and can run this program on any table, to see whether it gives the same pattern.
    KnowsAlgorithm,
}

/// Why every cell of a table is withheld. For the partner's own log: it depends on the records.
///
/// Complete: the two ends of release.md, section 3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whole {
    /// What was released earlier gives a primary cell away, whatever this table does.
    Register,
    /// No pattern was found in which every primary cell has its witnesses.
    NoWitness,
}

/// What became of a table.
///
/// Complete: it leaves with its proof, or every cell of it is withheld.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Some cells withheld, and the proof.
    Audited(Box<Audited>),
    /// Every cell gets the one mark.
    Whole(Whole),
}

impl Outcome {
    /// The same with no more than the first promise.
    fn thresholds_only(self) -> Self {
        match self {
            Self::Audited(audited) => Self::Audited(Box::new(audited.thresholds_only())),
            whole @ Self::Whole(_) => whole,
        }
    }
}

/// Finds a pattern for `counts`, one for each atom of the layout, and proves it.
///
/// Primary cells are those of 1 to t−1 people and those that `also` names by their place. Equal arguments give equal results: no
/// clock, no randomness, and limits on steps alone.
///
/// # Errors
/// [`Unfit`]: the table cannot be audited at all; never because of how it came out.
pub fn suppress(layout: &Layout, counts: &[u64], also: &[usize]) -> Result<Outcome, Unfit> {
    suppress_with(layout, counts, also, &Microlp)
}

/// The same where another rule than the threshold may mark cells: `by_threshold_alone` says of a table of parts that none does.
fn suppress_among(
    layout: &Layout,
    counts: &[u64],
    also: &[usize],
    by_threshold_alone: OtherTables<'_>,
) -> Result<Outcome, Unfit> {
    suppress_within(layout, counts, also, (&Microlp, &Effort::new(UNITS)), Some(by_threshold_alone))
}

/// The same where the layout itself depends on the counts, so that nothing is promised against whoever runs the algorithm.
fn suppress_watching(layout: &Layout, counts: &[u64], also: &[usize]) -> Result<Outcome, Unfit> {
    suppress_within(layout, counts, also, (&Microlp, &Effort::new(UNITS)), None)
}

fn suppress_with(
    layout: &Layout,
    counts: &[u64],
    also: &[usize],
    solver: &dyn Solver,
) -> Result<Outcome, Unfit> {
    suppress_within(layout, counts, also, (solver, &Effort::new(UNITS)), Some(&|_| true))
}

/// Whether the algorithm may be run on a table of these counts to see what it would show.
type OtherTables<'a> = &'a dyn Fn(&[i64]) -> bool;

/// `others`: on which tables the algorithm may be run to see whether it gives the same pattern; `None`: on none.
fn suppress_within(
    layout: &Layout,
    counts: &[u64],
    also: &[usize],
    (solver, effort): (&dyn Solver, &Effort),
    others: Option<OtherTables<'_>>,
) -> Result<Outcome, Unfit> {
    let case = Case::new(layout, layout.counts(counts)?, also)?;
    let settled = match suppress::settle(&case, (solver, effort), Mend::Hide) {
        Ok(settled) => settled,
        Err(whole) => return Ok(Outcome::Whole(whole)),
    };
    // Marks by other rules cannot be worked out for another table.
    let others = others.filter(|_| also.is_empty());
    let same = others.and_then(|others| promise::same_pattern(&case, &settled, (solver, effort), others));
    Ok(proven(check::audited(&case, &settled, same.as_deref())))
}

/// The same without hiding more than the rule itself does.
fn as_it_is(layout: &Layout, counts: &[u64], also: &[usize]) -> Result<Outcome, Unfit> {
    let case = Case::new(layout, layout.counts(counts)?, also)?;
    Ok(match suppress::settle(&case, (&Microlp, &Effort::new(UNITS)), Mend::Leave) {
        Ok(settled) => proven(check::audited(&case, &settled, None)),
        Err(whole) => Outcome::Whole(whole),
    })
}

fn proven(audited: Option<Audited>) -> Outcome {
    audited.map_or(Outcome::Whole(Whole::NoWitness), |a| Outcome::Audited(Box::new(a)))
}

#[cfg(test)]
mod tests;
