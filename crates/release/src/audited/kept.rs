//! The audit itself, and what the ledger keeps of it.

use cairn_disclosure::audit::file::salt;
use cairn_disclosure::audit::{Left, Marked, Outcome, Promise};
use cairn_disclosure::round_half_up;
use cairn_question::answer::AuditPromise;
use cairn_question::{Cell, Schema};
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::audited::atoms::Atoms;
use crate::audited::shape::{AuditRule, Joint, Shape, TooMany, cells, left};

/// The form of [`Kept`]; a reader refuses any other.
const FORM: u8 = 1;

/// What a partner's own ledger keeps of an audited table: which cells left and which did not, for the audits after it.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    cairn_audited: u8,
    pub(super) shape: Shape,
    min_people: u32,
    // Left out where counts are exact, as it was before rounded tables were audited.
    #[serde(default = "exact", skip_serializing_if = "is_exact")]
    round_to: u32,
    /// Cells and totals, in the order of the places of the shape's grid.
    pub(super) cells: Vec<Cell>,
    /// The places that were marked for a small difference.
    marked: Vec<usize>,
    pub(super) proof: Proof,
}

/// What bears a table out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Proof {
    /// A file of witnesses.
    Witnesses,
    /// Nothing: every cell of it is withheld.
    Whole,
}

/// An audited table for the ledger.
#[derive(Clone)]
pub struct AuditedTable {
    /// What later audits are held against.
    pub kept: Kept,
    /// The file of witnesses; `None` where the whole table is withheld.
    pub witnesses: Option<Vec<u8>>,
}

/// An audited table: what leaves, and what stays.
pub(crate) struct Protected {
    /// Cells and totals, axes sorted.
    pub(crate) cells: Vec<Cell>,
    pub(crate) promise: AuditPromise,
    pub(crate) table: AuditedTable,
}

impl AuditedTable {
    /// Most bytes of a file of witnesses.
    pub const WITNESS_BYTES_MAX: usize = cairn_disclosure::audit::file::BYTES_MAX;
}

impl Kept {
    /// Reads what [`Kept::to_json`] wrote. `None` for anything else.
    #[must_use]
    pub fn read(json: &[u8]) -> Option<Self> {
        let kept: Self = serde_json::from_slice(json).ok()?;
        (kept.cairn_audited == FORM).then_some(kept)
    }

    /// The bytes for the partner's own ledger.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Numbers, marks and names only: serde_json cannot fail on them.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The figures that it left under.
    pub(super) const fn rule(&self) -> AuditRule {
        AuditRule { min_people: self.min_people, round_to: self.round_to }
    }

    /// Its cells over the atoms, as they left. None where the whole table was withheld: then nothing was said of any.
    pub(super) fn left(&self, atoms: &Atoms, schema: &Schema) -> Result<Vec<Left>, TooMany> {
        if self.proof == Proof::Whole {
            return Ok(Vec::new());
        }
        let members = cells(&self.shape, atoms, schema)?;
        if members.len() != self.cells.len() {
            return Err(TooMany::Columns);
        }
        let marked = |at: usize| if self.marked.contains(&at) { Marked::Yes } else { Marked::No };
        let all = members.into_iter().zip(&self.cells).enumerate();
        Ok(all.map(|(at, (members, cell))| left(members, cell, marked(at))).collect())
    }
}

/// Audits the counts, one for each atom.
///
/// Every cell is withheld where a filter leaves out a few people, where what left earlier is not what is counted now, where no witness is
/// found within the audit's effort, or where what left earlier gives a small count away: one mark, and never an error.
pub(crate) fn protect(
    joint: &Joint,
    counts: &[u64],
    (rule, min_cohort): (AuditRule, u32),
    key: Salting<'_>,
) -> Protected {
    let audited = if few_left_out(joint, counts, min_cohort) || !agrees(joint, counts, rule) {
        None
    } else {
        audited(joint, counts, rule, key)
    };
    audited.unwrap_or_else(|| whole(joint, rule))
}

/// The node's own key and the question, from which the salt of the file is made.
#[derive(Clone, Copy)]
pub(crate) struct Salting<'a> {
    pub(crate) key: &'a [u8; 32],
    pub(crate) question: &'a [u8],
}

fn audited(joint: &Joint, counts: &[u64], rule: AuditRule, key: Salting<'_>) -> Option<Protected> {
    let Ok(Outcome::Audited(audited)) = joint.joined.audit(counts, &[]) else { return None };
    let witnesses = audited.file(salt(key.key, key.question)).to_bytes()?;
    let own = joint.joined.own();
    let cells = own.iter().map(|at| audited.cells().get(*at).copied()).collect::<Option<Vec<Cell>>>()?;
    let few = joint.joined.by_difference(counts);
    let marked = own.iter().enumerate().filter(|(_, at)| few.binary_search(at).is_ok()).map(|(own, _)| own);
    let promise = match audited.promise() {
        Promise::KnowsThresholds => AuditPromise::KnowsThresholds,
        Promise::KnowsAlgorithm => AuditPromise::KnowsAlgorithm,
    };
    let kept = Kept {
        cairn_audited: FORM,
        shape: joint.shape.clone(),
        min_people: rule.min_people,
        round_to: rule.round_to,
        cells: cells.clone(),
        marked: marked.collect(),
        proof: Proof::Witnesses,
    };
    Some(Protected { cells, promise, table: AuditedTable { kept, witnesses: Some(witnesses) } })
}

fn whole(joint: &Joint, rule: AuditRule) -> Protected {
    let cells = vec![Cell::Withheld; joint.joined.own().len()];
    let kept = Kept {
        cairn_audited: FORM,
        shape: joint.shape.clone(),
        min_people: rule.min_people,
        round_to: rule.round_to,
        cells: cells.clone(),
        marked: Vec::new(),
        proof: Proof::Whole,
    };
    Protected { cells, promise: AuditPromise::KnowsThresholds, table: AuditedTable { kept, witnesses: None } }
}

/// Whether some filter alone leaves out somebody and fewer than the cohort rule says.
fn few_left_out(joint: &Joint, counts: &[u64], min_cohort: u32) -> bool {
    let filters = &joint.shape.filters;
    let passing = |of: &[_]| joint.atoms.passing(of, &joint.shape.dataset, Schema::smf());
    let Ok(all) = passing(filters) else { return true };
    let left_out = |at: usize| {
        let others: Vec<_> =
            filters.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, f)| f.clone()).collect();
        let passing = passing(&others).ok()?;
        let only = passing.iter().zip(&all).zip(counts).filter(|((others, all), _)| **others && !**all);
        Some(only.map(|(_, count)| *count).fold(0_u64, u64::saturating_add))
    };
    let few = |people: Option<u64>| people.is_none_or(|n| (1..u64::from(min_cohort)).contains(&n));
    (0..filters.len()).any(|at| few(left_out(at)))
}

/// Whether every cell that was shown earlier has the count that it was shown with, rounded where that was: the snapshot is frozen, so
/// anything else is damage, and an audit of other numbers than those that left would prove nothing.
fn agrees(joint: &Joint, counts: &[u64], rule: AuditRule) -> bool {
    let same = |left: &Left, cell: &Cell| match cell {
        Cell::Value(shown) => {
            let people = left.members.iter().filter_map(|m| counts.get(*m));
            let people = people.fold(0_u64, |sum, n| sum.saturating_add(*n));
            u64::try_from(*shown) == Ok(round_half_up(people, rule.round_to))
        }
        Cell::Withheld | Cell::NotAnswered => true,
    };
    joint.earlier.iter().all(|kept| {
        kept.left(&joint.atoms, Schema::smf())
            .is_ok_and(|left| left.iter().zip(&kept.cells).all(|(left, cell)| same(left, cell)))
    })
}

const fn exact() -> u32 {
    1
}

const fn is_exact(round_to: &u32) -> bool {
    *round_to == 1
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} cells, {:?})", self.cells.len(), self.proof)
    }
}

impl fmt::Debug for AuditedTable {
    /// Shows no witness: they hold true counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditedTable({:?})", self.kept)
    }
}
