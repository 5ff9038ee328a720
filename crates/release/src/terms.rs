//! What a treatment will do to a table, worked out before anything is counted.

use cairn_disclosure::Rule;
use cairn_disclosure::cell_key::PerturbationTable;
use cairn_policy::{Cells, Concentrated, CountOnce, Mechanism, Method, Treatment};
use cairn_question::answer::{AddedV1, AuditPromise, ConcentratedV1, NoisyRowsV1, TreatmentV1};
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Breakdown, Day, Grid, LinkedBy, Measure, Question, QuestionId, Schema};

use crate::audited::{AuditRule, Joint, Kept, TooMany, shows_zeros};
use crate::gaussian::Deviation;
use crate::noise::{NoiseFault, Scale, Spread};
use crate::plan::{Axis, AxisCodes, Cohort, ColumnPath, CountPlan};
use crate::vector::Vector;

/// How a question is counted and how its table will be protected. Made in one piece from one treatment, so that the bounds the
/// engine counts under are the ones the noise is scaled to. No count goes into it.
#[derive(Debug)]
pub struct Terms {
    plan: CountPlan,
    grid: Grid,
    pub(crate) means: Means,
    statement: TreatmentV1,
    used: Vec<ColumnPath>,
}

/// The figures the release works with.
#[derive(Clone, Debug)]
pub(crate) enum Means {
    Suppress(Rule),
    /// Everything that the audit needs beside the counts.
    Audit(Box<Auditing>),
    /// The counts are changed by the table first.
    Perturb(&'static PerturbationTable, Rule),
    /// One for each vector: the counts, the sums, or the sums and the rows of a mean.
    Noise(Vec<Noisy>),
    /// Who they are goes into a pattern of all partners: nothing leaves but in a total.
    Once(CountOnce),
}

/// An audit before its counts.
#[derive(Clone, Debug)]
pub(crate) struct Auditing {
    pub(crate) joint: Joint,
    pub(crate) rule: AuditRule,
    pub(crate) min_cohort: u32,
}

/// A vector and the noise that it gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Noisy {
    pub(crate) vector: Vector,
    pub(crate) spread: Spread,
}

/// Why a table was not released. Ours to mend, never the asker's; holds no count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseFault {
    /// The counts, the plan and the debit are not of the same question.
    #[error("the counts are of another question than the debit")]
    OtherQuestion,
    /// The counts are not one for each cell and filter of the plan.
    #[error("the counts are not the plan's full grid")]
    NotTheGrid,
    /// The noise source gave nothing.
    #[error("the noise source gave nothing")]
    NoNoise,
    /// The noise is not distributed as it must be.
    #[error("the noise source failed its self-test")]
    BadNoise,
    /// Noise was wanted, and nothing bounds what one person adds to the table.
    #[error("nothing bounds what one person adds to this table")]
    NoBound,
    /// The treatment contradicts itself: a base that shows people as nobody, or noise with a rule that withholds.
    #[error("the treatment contradicts itself")]
    Contradiction,
    /// The question does not fit the schema; the gate has checked that before.
    #[error("the question does not fit the schema")]
    NoPlan,
    /// The table cannot be audited beside those that were audited before on the snapshot: the gate refuses, by its own code.
    #[error("{0}")]
    TooMany(TooMany),
}

impl ReleaseFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherQuestion => "CT001",
            Self::NotTheGrid => "CT002",
            Self::NoNoise => "CT003",
            Self::BadNoise => "CT004",
            Self::NoBound => "CT005",
            Self::Contradiction => "CT006",
            Self::NoPlan | Self::TooMany(_) => "CT007",
        }
    }
}

impl Terms {
    /// The terms on which a permitted question is answered, on a snapshot of `as_of`. `cap_key` is the node's own
    /// ([`crate::Bounds`]).
    ///
    /// # Errors
    /// [`ReleaseFault::NoBound`], [`ReleaseFault::Contradiction`] or [`ReleaseFault::NoPlan`].
    pub fn new(
        question_id: QuestionId,
        question: &Question,
        treatment: &Treatment,
        schema: &Schema,
        as_of: Day,
        cap_key: [u8; 32],
    ) -> Result<Self, ReleaseFault> {
        let counted = (as_of, cap_key);
        Self::beside(question_id, question, treatment, schema, counted, &[])
    }

    /// The same beside the tables that were audited before on the snapshot, for a table that is to be audited too.
    ///
    /// `counted`: the snapshot's day and the node's own key, as for [`Terms::new`].
    ///
    /// # Errors
    /// As there; [`ReleaseFault::TooMany`] too where the tables are too many for an audit ([`Joint::new`]).
    pub fn beside(
        question_id: QuestionId,
        question: &Question,
        treatment: &Treatment,
        schema: &Schema,
        (as_of, cap_key): (Day, [u8; 32]),
        earlier: &[Kept],
    ) -> Result<Self, ReleaseFault> {
        let mut plan = CountPlan::new(question_id, question, treatment, schema, as_of, cap_key)
            .map_err(|_| ReleaseFault::NoPlan)?;
        let grid = question.grid(schema).map_err(|_| ReleaseFault::NoPlan)?;
        let used = plan.columns().cloned().collect();
        let (means, statement) = match treatment.method.audited() {
            Some(cells) => auditing(question, treatment, cells, schema, earlier)?,
            None => means(&plan, treatment)?,
        };
        if let Means::Audit(auditing) = &means {
            count_atoms(&mut plan, &auditing.joint);
        }
        Ok(Self { plan, grid, means, statement, used })
    }

    /// The columns that the question itself groups by, filters by or adds up, and those that the policy leaves people out by.
    #[must_use]
    pub fn used(&self) -> &[ColumnPath] {
        &self.used
    }

    /// The cells of the table that leaves: the plan's, or for a mean each of them as a sum and as rows.
    #[must_use]
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// What the engine is to count.
    #[must_use]
    pub const fn plan(&self) -> &CountPlan {
        &self.plan
    }

    /// What the answer will say about its protection.
    #[must_use]
    pub const fn statement(&self) -> &TreatmentV1 {
        &self.statement
    }
}

fn means(plan: &CountPlan, treatment: &Treatment) -> Result<(Means, TreatmentV1), ReleaseFault> {
    match &treatment.method {
        // Other treatments, rules that this program cannot keep and sums without noise are refused at the gate, before anything is reserved.
        Method::SuppressAudit(_) => Err(ReleaseFault::NoPlan),
        Method::SuppressRound(_) if plan.measure.column().is_some() => Err(ReleaseFault::NoPlan),
        Method::SuppressRound(cells) => {
            let Cells { profile, min_people, round_to, zeros, .. } = cells;
            let rule = Rule::new(*min_people, *round_to, *zeros).map_err(|_| ReleaseFault::Contradiction)?;
            let min_cohort = treatment.min_cohort;
            let statement = TreatmentV1::SuppressRound {
                profile: profile.clone(),
                min_people: *min_people,
                round_to: *round_to,
                zeros: *zeros,
                min_cohort,
                rows_per_person: treatment.rows_per_person.unwrap_or(1),
                promise: None,
            };
            Ok((Means::Suppress(rule.with_min_cohort(min_cohort)), statement))
        }
        Method::CellKey { .. } if plan.measure != Measure::People => Err(ReleaseFault::NoPlan),
        Method::CellKey { table, cells } => {
            let Cells { profile, min_people, round_to, zeros, .. } = cells;
            let perturbations = PerturbationTable::named(table).ok_or(ReleaseFault::NoPlan)?;
            let rule = Rule::new(*min_people, *round_to, *zeros).map_err(|_| ReleaseFault::Contradiction)?;
            let min_cohort = treatment.min_cohort;
            let statement = TreatmentV1::CellKey {
                profile: profile.clone(),
                table: table.clone(),
                max_change: perturbations.max_change().into(),
                min_people: *min_people,
                round_to: *round_to,
                zeros: *zeros,
                min_cohort,
                total: None,
            };
            Ok((Means::Perturb(perturbations, rule.with_min_cohort(min_cohort)), statement))
        }
        Method::CountOnce(_) if plan.measure != Measure::People => Err(ReleaseFault::NoPlan),
        Method::CountOnce(_) if treatment.min_cohort > 0 => Err(ReleaseFault::Contradiction),
        Method::CountOnce(count) => {
            // Buckets and key are the total's to say.
            let CountOnce { epsilon, keys_per_person, cells_per_person, .. } = *count;
            let (buckets_power, linked_by) = (0, LinkedBy::Nino);
            let breakdown = Breakdown::of(&plan.grid, cells_per_person);
            let statement =
                TreatmentV1::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, breakdown };
            Ok((Means::Once(*count), statement))
        }
        // A cohort rule withholds by the true counts, which noise promises not to show.
        Method::Dp { .. } if treatment.min_cohort > 0 => Err(ReleaseFault::Contradiction),
        Method::Dp { mechanism: Mechanism::Laplace, epsilon, .. } => {
            let noisy = noisy(plan, *epsilon)?;
            let statement = laplace_statement(plan, treatment, *epsilon, &noisy)?;
            Ok((Means::Noise(noisy.iter().map(Laplace::noisy).collect()), statement))
        }
        Method::Dp { mechanism: Mechanism::Gaussian(loss), epsilon, .. } => {
            gaussian(plan, treatment, *loss, *epsilon)
        }
    }
}

/// An audit's means. The promise of the statement is the least that there is: what it came to is known after the audit.
fn auditing(
    question: &Question,
    treatment: &Treatment,
    cells: &Cells,
    schema: &Schema,
    earlier: &[Kept],
) -> Result<(Means, TreatmentV1), ReleaseFault> {
    if question.measure != Measure::People || !shows_zeros(cells.zeros) {
        return Err(ReleaseFault::NoPlan);
    }
    let rule = AuditRule::of(&treatment.method).ok_or(ReleaseFault::NoPlan)?;
    Rule::new(rule.min_people, rule.round_to, cells.zeros).map_err(|_| ReleaseFault::Contradiction)?;
    let joint = Joint::new(question, earlier, rule, schema).map_err(ReleaseFault::TooMany)?;
    let (profile, min_people, min_cohort) = (cells.profile.clone(), rule.min_people, treatment.min_cohort);
    let promise = AuditPromise::KnowsThresholds;
    let statement = match &treatment.method {
        Method::SuppressRound(_) => TreatmentV1::SuppressRound {
            profile,
            min_people,
            round_to: rule.round_to,
            zeros: cells.zeros,
            min_cohort,
            rows_per_person: 1,
            promise: Some(promise),
        },
        _ => TreatmentV1::SuppressAudit { profile, min_people, min_cohort, promise },
    };
    Ok((Means::Audit(Box::new(Auditing { joint, rule, min_cohort })), statement))
}

/// The engine counts atoms: filters are axes like others, so that the people they leave out are counted too.
fn count_atoms(plan: &mut CountPlan, joint: &Joint) {
    let table = plan.dataset.clone();
    let axis = |dimension: &cairn_question::Dimension| {
        let codes = dimension.codes.iter().enumerate().map(|(at, code)| (code.clone(), at)).collect();
        let column = ColumnPath { table: table.clone(), column: dimension.column.clone() };
        Axis { column, codes: AxisCodes::Codes(codes) }
    };
    plan.axes = joint.counted().dimensions().iter().map(axis).collect();
    plan.grid = joint.counted().clone();
    plan.filters = Vec::new();
    plan.cohort = Cohort::NotCounted;
}

/// A vector and the Laplace noise that it gets.
struct Laplace {
    vector: Vector,
    scale: Scale,
}

impl Laplace {
    const fn noisy(&self) -> Noisy {
        Noisy { vector: self.vector, spread: Spread::Laplace(self.scale) }
    }
}

/// Gaussian noise of the loss on the one vector, and what the answer says of it. A mean is refused at the gate.
fn gaussian(
    plan: &CountPlan,
    treatment: &Treatment,
    loss: Concentrated,
    epsilon: Epsilon,
) -> Result<(Means, TreatmentV1), ReleaseFault> {
    let vectors = Vector::all_of(plan).ok_or(ReleaseFault::NoBound)?;
    let [vector] = vectors.as_slice() else { return Err(ReleaseFault::NoPlan) };
    let l2_squared = vector.l2_squared();
    let deviation = Deviation::new(l2_squared, loss.rho).ok_or(ReleaseFault::Contradiction)?;
    let statement = TreatmentV1::Dp {
        mechanism: Mechanism::Gaussian(loss).as_str().to_owned(),
        epsilon,
        sensitivity: vector.sensitivity.get(),
        plus_minus_95: deviation.plus_minus_95(),
        added: added(plan, treatment, None)?,
        concentrated: Some(ConcentratedV1 {
            rho: loss.rho,
            l2_squared: l2_squared.get(),
            delta_trillionths: loss.delta_trillionths,
        }),
    };
    let noisy = Noisy { vector: *vector, spread: Spread::Gaussian(deviation) };
    Ok((Means::Noise(vec![noisy]), statement))
}

/// How a column was bounded and added up; `None` where people or rows are counted.
fn added(
    plan: &CountPlan,
    treatment: &Treatment,
    rows: Option<NoisyRowsV1>,
) -> Result<Option<AddedV1>, ReleaseFault> {
    let (Some(clamped), Some(summed)) = (&plan.summed, &treatment.summed) else { return Ok(None) };
    Ok(Some(AddedV1 {
        unit: summed.unit.clone(),
        least: clamped.least,
        most: clamped.most,
        rows_per_person: plan.bounds.rows_per_person.ok_or(ReleaseFault::NoBound)?,
        rows,
    }))
}

/// The noise of each vector. The parts of a mean have half of ε each, the rows the smaller half where it is odd.
fn noisy(plan: &CountPlan, epsilon: Epsilon) -> Result<Vec<Laplace>, ReleaseFault> {
    let vectors = Vector::all_of(plan).ok_or(ReleaseFault::NoBound)?;
    let of = |vector: &Vector, epsilon| Laplace {
        vector: *vector,
        scale: Scale::new(vector.sensitivity, epsilon),
    };
    match vectors.as_slice() {
        [one] => Ok(vec![of(one, epsilon)]),
        [sums, rows] => {
            let part = |millionths| Epsilon::from_millionths(millionths).map_err(|_| ReleaseFault::NoBound);
            let of_rows = epsilon.millionths() / 2;
            let of_sums = epsilon.millionths() - of_rows;
            Ok(vec![of(sums, part(of_sums)?), of(rows, part(of_rows)?)])
        }
        _ => Err(ReleaseFault::NoBound),
    }
}

fn laplace_statement(
    plan: &CountPlan,
    treatment: &Treatment,
    epsilon: Epsilon,
    noisy: &[Laplace],
) -> Result<TreatmentV1, ReleaseFault> {
    let first = noisy.first().ok_or(ReleaseFault::NoBound)?;
    let rows = noisy.get(1);
    let plus_minus_95 =
        rows.map_or(first.scale.plus_minus_95(), |rows| sums_within(first, rows, first.vector.middle));
    let of_rows = rows.zip(plan.summed.as_ref()).map(|(rows, clamped)| NoisyRowsV1 {
        epsilon: rows.scale.epsilon(),
        plus_minus_95: rows.scale.plus_minus_95(),
        mean_within: sums_within(first, rows, (clamped.most - clamped.least).div_ceil(2)),
    });
    let added = added(plan, treatment, of_rows)?;
    let mechanism = Mechanism::Laplace.as_str().to_owned();
    let sensitivity = first.vector.sensitivity.get();
    Ok(TreatmentV1::Dp { mechanism, epsilon, sensitivity, plus_minus_95, added, concentrated: None })
}

/// How far X + times·Y reaches at least 95 times in 100, X the noise of a mean's sums and Y that of its rows: each is further out than its own
/// part at most once in 40, so both together at most once in 20.
///
/// A released sum is the noisy sum less the middle m for each row, plus m for each noisy row: off by X + m·Y. A mean is m + (T+X)/(n+Y)
/// where T/n is its exact distance from m, at most half the bounds' width h. It is off by (X − Y·T/n) ÷ (n+Y), at most (|X| + h·|Y|) ÷
/// the noisy rows.
fn sums_within(sums: &Laplace, rows: &Laplace, times: u32) -> u64 {
    let (sums, rows) = (sums.scale.outside_one_in(40), rows.scale.outside_one_in(40));
    rows.saturating_mul(times.into()).saturating_add(sums)
}

/// What a table costs: its zCDP loss, and its pure ε where it has one.
///
/// The treatments without noise have no formal loss and cost nothing on the account. `dp` costs its loss for the whole table, since the noise is scaled to all
/// cells together ([`Method::loss`]). Gaussian noise is not pure: in the account's total its ρ counts among the others.
#[must_use]
pub fn cost(treatment: &Treatment) -> (NanoRho, Option<Epsilon>) {
    let pure = match &treatment.method {
        Method::Dp { mechanism: Mechanism::Laplace, epsilon, .. } => Some(*epsilon),
        Method::Dp { mechanism: Mechanism::Gaussian(_), .. }
        | Method::SuppressRound(_)
        | Method::SuppressAudit(_)
        | Method::CellKey { .. } => None,
        Method::CountOnce(count) => Some(count.person_epsilon()),
    };
    (treatment.method.loss().unwrap_or_default(), pure)
}

impl From<NoiseFault> for ReleaseFault {
    fn from(_: NoiseFault) -> Self {
        Self::NoNoise
    }
}

#[cfg(test)]
pub(crate) mod tests;
