//! The release: raw counts and a debit in, a protected table out.

use cairn_disclosure::cell_key::{Keyed, PerturbationTable, Perturbed};
use cairn_disclosure::{Counts, Rule, suppress_round};
use cairn_ledger::Debited;
use cairn_question::answer::{TableV1, TreatmentV1};
use cairn_question::{Cell, QuestionId, sabotage};
use std::fmt;

use crate::audited::{AuditedTable, Protected, Salting, protect};
use crate::layout::{Channel, Counted, Layout};
use crate::noise::{Noise, Spread};
use crate::plan::{CountPlan, RawTable};
use crate::terms::{Auditing, Means, Noisy, ReleaseFault, Terms};
use crate::vector::within;

/// A table that may leave the building, with the debit that paid for it. Only [`release`] makes one.
#[must_use = "a released table that is not settled leaves its debit open"]
pub struct Released {
    debited: Debited,
    question_id: QuestionId,
    table: TableV1,
    treatment: TreatmentV1,
    audited: Option<AuditedTable>,
}

/// A release that did not happen, with the debit given back so that the ledger can close it.
#[must_use = "the debit inside must be abandoned"]
pub struct Unreleased {
    /// Why.
    pub fault: ReleaseFault,
    /// The debit.
    pub debited: Debited,
}

/// Protects the raw counts of a debited question as its terms say.
///
/// Takes the counts and the debit by value, so that one debit buys one release: fresh noise on the same counts would let an asker average it away.
///
/// # Errors
/// [`Unreleased`], with the debit.
pub fn release(
    raw: RawTable,
    terms: &Terms,
    debited: Debited,
    noise: &mut dyn Noise,
) -> Result<Released, Unreleased> {
    match table(&raw, terms, &debited, noise) {
        Ok(Table { cells, totals, treatment, audited }) => {
            let cells = sabotage!(cells, KeysFromData => crate::sabotage::not_empty(&cells, raw.people()));
            let cells = sabotage!(cells, SortedByCount => crate::sabotage::largest_first(cells));
            Ok(Released {
                debited,
                question_id: raw.question_id,
                table: TableV1 { dimensions: terms.grid().dimensions().to_vec(), cells, totals },
                treatment,
                audited,
            })
        }
        Err(fault) => Err(Unreleased { fault, debited }),
    }
}

/// What a release came to.
struct Table {
    cells: Vec<Cell>,
    totals: Vec<Cell>,
    treatment: TreatmentV1,
    audited: Option<AuditedTable>,
}

fn table(
    raw: &RawTable,
    terms: &Terms,
    debited: &Debited,
    noise: &mut dyn Noise,
) -> Result<Table, ReleaseFault> {
    if raw.question_id != terms.plan().question_id || raw.question_id != debited.question_id() {
        return Err(ReleaseFault::OtherQuestion);
    }
    check_shape(raw, terms.plan())?;
    let plain =
        |cells| Table { cells, totals: Vec::new(), treatment: terms.statement().clone(), audited: None };
    match &terms.means {
        Means::Suppress(rule) => suppressed(raw, rule).map(plain),
        Means::Perturb(table, rule) => perturbed(raw, table, rule).map(plain),
        Means::Audit(auditing) => audited(raw, terms, auditing, debited),
        // Nothing of it leaves but in a total.
        Means::Once(_) => Err(ReleaseFault::Contradiction),
        Means::Noise(vectors) => {
            let noise =
                sabotage!(noise, SeedPerQuestion => crate::sabotage::Seeded::by(debited.question_id()));
            noisy_cells(&raw.counted, vectors, noise).map(plain)
        }
    }
}

/// The audited table, its axes in the question's own order.
fn audited(
    raw: &RawTable,
    terms: &Terms,
    auditing: &Auditing,
    debited: &Debited,
) -> Result<Table, ReleaseFault> {
    let question = [&debited.question_id().as_bytes()[..], &debited.question_hash().as_bytes()[..]].concat();
    let salting = Salting { key: &terms.plan().bounds.cap_key, question: &question };
    let rule = (auditing.rule, auditing.min_cohort);
    let Protected { cells, promise, table } = protect(&auditing.joint, raw.people(), rule, salting);
    let places = terms.grid().places_in(auditing.joint.grid()).ok_or(ReleaseFault::NotTheGrid)?;
    let mut turned = places.iter().map(|at| cells.get(*at).copied());
    let own = turned.by_ref().take(terms.grid().cells()).collect::<Option<Vec<Cell>>>();
    let totals = turned.collect::<Option<Vec<Cell>>>();
    let (cells, totals) = own.zip(totals).ok_or(ReleaseFault::NotTheGrid)?;
    let treatment = terms.statement().clone().promising(promise);
    Ok(Table { cells, totals, treatment, audited: Some(table) })
}

/// The cells under a rule that withholds: what leaves, and what a board is told about it before.
pub(crate) fn suppressed(raw: &RawTable, rule: &Rule) -> Result<Vec<Cell>, ReleaseFault> {
    let counts = Counts::new(raw.people(), raw.rows(), raw.counted.left_out());
    counts.map(|counts| suppress_round(&counts, rule)).map_err(|_| ReleaseFault::NotTheGrid)
}

/// The counts changed by the keys of their people, then the rule that withholds.
pub(crate) fn perturbed(
    raw: &RawTable,
    table: &PerturbationTable,
    rule: &Rule,
) -> Result<Vec<Cell>, ReleaseFault> {
    Ok(changed(raw, table)?.release(rule, raw.counted.left_out()))
}

/// The counts changed by the keys of their people.
pub(crate) fn changed(raw: &RawTable, table: &PerturbationTable) -> Result<Perturbed, ReleaseFault> {
    let keyed = Keyed::from_sums(raw.people(), raw.counted.of(Channel::Keys));
    Ok(keyed.map_err(|_| ReleaseFault::NotTheGrid)?.perturb(table))
}

/// One count for each cell, rows only and always for the measure rows, and a cohort count for each filter when wanted: a count
/// that is missing would otherwise pass for "nobody was left out".
///
/// # Errors
/// [`ReleaseFault::NotTheGrid`].
pub fn check_shape(raw: &RawTable, plan: &CountPlan) -> Result<(), ReleaseFault> {
    if raw.counted.fits(&Layout::of(plan)) { Ok(()) } else { Err(ReleaseFault::NotTheGrid) }
}

/// The one vector's cells; or of a mean's two, cell by cell, the sum (with the middle given back for each noisy row) and the rows.
fn noisy_cells(
    counted: &Counted,
    vectors: &[Noisy],
    noise: &mut dyn Noise,
) -> Result<Vec<Cell>, ReleaseFault> {
    let noisy = vectors.iter().map(|v| add_noise(&v.vector.exact(counted), v.spread, noise));
    let noisy: Vec<Vec<i64>> = noisy.collect::<Result<_, _>>()?;
    match (noisy.as_slice(), vectors) {
        ([one], _) => Ok(one.iter().map(|n| Cell::Value(*n)).collect()),
        ([sums, rows], [of_sums, _]) => {
            let middle = i128::from(of_sums.vector.middle);
            let sum = |(sum, rows): (&i64, &i64)| within(i128::from(*sum) + i128::from(*rows) * middle);
            let parts = sums.iter().zip(rows).flat_map(|(s, r)| [sum((s, r)), *r]);
            Ok(parts.map(Cell::Value).collect())
        }
        _ => Err(ReleaseFault::NoBound),
    }
}

/// Noise on every cell, at zero too; never a threshold, never a clamp at zero: a cell that looks impossible is what keeps sums unbiased,
/// and whether noise was added must not depend on the count.
fn add_noise(exact: &[i64], spread: Spread, noise: &mut dyn Noise) -> Result<Vec<i64>, ReleaseFault> {
    let draws = spread.draw(noise, exact.len())?;
    if draws.len() != exact.len() {
        return Err(ReleaseFault::NoNoise);
    }
    let add = |(&count, draw): (&i64, i64)| {
        let draw = sabotage!(draw, HalfNoise => draw / 2);
        let draw = sabotage!(draw, NoiseOnNonZeroOnly => if count == 0 { 0 } else { draw });
        sabotage!(count.saturating_add(draw), I32Sums => count.saturating_add(draw) << 32 >> 32)
    };
    Ok(exact.iter().zip(draws).map(add).collect())
}

impl Released {
    /// The question it answers.
    #[must_use]
    pub const fn question_id(&self) -> QuestionId {
        self.question_id
    }

    /// The protected table.
    #[must_use]
    pub const fn table(&self) -> &TableV1 {
        &self.table
    }

    /// How it was protected.
    #[must_use]
    pub const fn treatment(&self) -> &TreatmentV1 {
        &self.treatment
    }

    /// What the ledger keeps of an audited table; `None` for any other.
    #[must_use]
    pub const fn audited(&self) -> Option<&AuditedTable> {
        self.audited.as_ref()
    }

    /// The debit, the table and its treatment, for the step that settles and sends.
    #[must_use = "the debit inside must be settled or abandoned"]
    pub fn into_parts(self) -> (Debited, TableV1, TreatmentV1) {
        (self.debited, self.table, self.treatment)
    }
}

impl fmt::Debug for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Released({}, {} cells)", self.question_id.short(), self.table.cells.len())
    }
}

impl fmt::Debug for Unreleased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unreleased({})", self.fault)
    }
}

#[cfg(test)]
mod tests;
