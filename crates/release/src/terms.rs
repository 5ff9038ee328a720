//! What a treatment will do to a table, worked out before anything is counted.

use cairn_disclosure::Rule;
use cairn_policy::{Cells, Method, Treatment};
use cairn_question::answer::TreatmentV1;
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Day, Measure, Question, QuestionId, Schema};
use std::num::NonZeroU32;

use crate::noise::{NoiseFault, Scale};
use crate::plan::CountPlan;

/// How a question is counted and how its table will be protected. Made in one piece from one treatment, so that the bounds the
/// engine counts under are the ones the noise is scaled to. No count goes into it.
#[derive(Debug)]
pub struct Terms {
    plan: CountPlan,
    pub(crate) means: Means,
    statement: TreatmentV1,
}

/// The figures the release works with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Means {
    Suppress(Rule),
    Noise(Scale),
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
            Self::NoPlan => "CT007",
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
        let (means, statement) = means(question, treatment, schema)?;
        let plan = CountPlan::new(question_id, question, treatment, schema, as_of, cap_key)
            .map_err(|_| ReleaseFault::NoPlan)?;
        Ok(Self { plan, means, statement })
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

fn means(
    question: &Question,
    treatment: &Treatment,
    schema: &Schema,
) -> Result<(Means, TreatmentV1), ReleaseFault> {
    match &treatment.method {
        // Sums, other treatments and rules that this program cannot keep are refused at the gate, before anything is reserved.
        _ if question.measure.column().is_some() => Err(ReleaseFault::NoPlan),
        Method::SuppressAudit(_) | Method::CellKey { .. } => Err(ReleaseFault::NoPlan),
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
            };
            Ok((Means::Suppress(rule.with_min_cohort(min_cohort)), statement))
        }
        // A cohort rule withholds by the true counts, which noise promises not to show.
        Method::Dp { .. } if treatment.min_cohort > 0 => Err(ReleaseFault::Contradiction),
        Method::Dp { epsilon, groups_per_person } => {
            let sensitivity = sensitivity(question, treatment.rows_per_person, *groups_per_person, schema)?;
            let scale = Scale::new(sensitivity, *epsilon);
            let statement = TreatmentV1::Dp {
                mechanism: MECHANISM.to_owned(),
                epsilon: *epsilon,
                sensitivity: sensitivity.get(),
                plus_minus_95: scale.plus_minus_95(),
            };
            Ok((Means::Noise(scale), statement))
        }
    }
}

/// The most that adding or removing one person changes the table by, in all cells together (L1), as the engine bounds it.
///
/// * people: the person is counted once in each of at most `groups_per_person` cells.
/// * rows: at most `rows_per_person` rows of the person are counted, each in one cell; one where a row is a person.
fn sensitivity(
    question: &Question,
    rows_per_person: Option<u32>,
    groups_per_person: u32,
    schema: &Schema,
) -> Result<NonZeroU32, ReleaseFault> {
    let most = match (&question.measure, rows_per_person) {
        (Measure::People, _) => groups_per_person,
        (Measure::Rows, Some(rows)) => rows,
        (Measure::Rows, None) => {
            let table = schema.table(&question.dataset);
            let row_is_person =
                table.is_some_and(|t| t.person_key.is_some() && t.rows_per_person_max.is_none());
            u32::from(row_is_person)
        }
        (Measure::Sum(_) | Measure::Mean(_), _) => 0,
    };
    NonZeroU32::new(most).ok_or(ReleaseFault::NoBound)
}

/// What a table costs: its zCDP loss, and its pure ε where it has one.
///
/// `suppress-round` has no formal loss and costs nothing on the account. `dp` costs its ε for the whole table, since the noise is scaled to all cells
/// together: ρ = ε·tanh(ε/2), rounded up ([`Epsilon::rho`]).
#[must_use]
pub fn cost(treatment: &Treatment) -> (NanoRho, Option<Epsilon>) {
    match &treatment.method {
        Method::SuppressRound(_) | Method::SuppressAudit(_) | Method::CellKey { .. } => (NanoRho::ZERO, None),
        Method::Dp { epsilon, .. } => (epsilon.rho(), Some(*epsilon)),
    }
}

/// The mechanism's name in an answer.
const MECHANISM: &str = "discrete-laplace";

impl From<NoiseFault> for ReleaseFault {
    fn from(_: NoiseFault) -> Self {
        Self::NoNoise
    }
}

#[cfg(test)]
mod tests;
