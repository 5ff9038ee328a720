//! What a board says can never happen (`[[never]]` in `tests.toml`), tried against every kind of question.

mod read;

use cairn_question::Name;
use cairn_question::answer::Zeros;
use cairn_question::privacy::Epsilon;

use crate::diff::{Axes, treated};
use crate::layers::Layers;
use crate::space::field::{AWAITED, Field, NEW, PERSON, Place, Term, Wanted};
use crate::space::{Block, Example, Pair, TooWide};
use crate::treatment::{Secondary, Treatment};

pub(crate) use read::read;

/// How one `[[never]]` statement came out. It holds where no kind of question that the policy answers is of its kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NeverResult {
    /// The statement's name.
    pub name: String,
    /// Kinds of question that were tried for it: those of its role, purpose and dataset.
    pub tried: u64,
    /// Kinds that are answered and should never be; 0: it holds.
    pub violations: u64,
    /// The smallest of them: fewest columns, then by name.
    pub smallest: Option<Example>,
}

impl NeverResult {
    /// Whether it holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.violations == 0
    }
}

/// One statement as read: every name in it is one of the policy's or of the dictionary's.
#[derive(Debug)]
pub(crate) struct Never {
    name: String,
    role: Option<Name>,
    purpose: Option<Name>,
    dataset: Option<String>,
    /// Each must be there.
    uses_all: Vec<Place>,
    /// At least one must be there; none: no rule.
    uses_any: Vec<Place>,
    /// All must hold of the treatment.
    release: Vec<Condition>,
}

/// Something about a treatment.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Condition {
    Method(&'static str),
    MethodNot(&'static str),
    /// A treatment without a threshold is under any.
    MinPeopleUnder(u32),
    /// Likewise of rounding.
    RoundToUnder(u32),
    /// Of noisy tables only.
    EpsilonOver(Epsilon),
    MinPartnersUnder(u32),
    MinCohortUnder(u32),
    Zeros(Zeros),
    Secondary(Secondary),
}

/// Tries a statement against every kind of question.
///
/// # Errors
/// [`TooWide`].
pub(crate) fn tried(layers: &Layers, never: &Never) -> Result<NeverResult, TooWide> {
    let pair = Pair::alone(layers);
    // Whether there are few enough kinds is decided over all of them.
    pair.fields()?;
    let mut result = NeverResult { name: never.name.clone(), tried: 0, violations: 0, smallest: None };
    for block in pair.blocks().iter().filter(|b| never.is_about(b)) {
        never.try_block(pair, block, &mut result)?;
    }
    Ok(result)
}

impl Never {
    fn is_about(&self, block: &Block<'_>) -> bool {
        self.role.as_ref().is_none_or(|r| r == block.role)
            && self.purpose.as_ref().is_none_or(|p| p == block.purpose)
            && self.dataset.as_ref().is_none_or(|d| d == block.dataset)
    }

    fn try_block(&self, pair: Pair<'_>, block: &Block<'_>, result: &mut NeverResult) -> Result<(), TooWide> {
        let mut terms: Vec<Term> = self.uses_all.iter().map(|p| vec![p.clone()]).collect();
        if !self.uses_any.is_empty() {
            terms.push(self.uses_any.clone());
        }
        let mut field = Field::new(pair, block, &terms)?;
        field.await_all(0..terms.len());
        result.tried = result.tried.saturating_add(u64::try_from(field.kinds()).unwrap_or(u64::MAX));
        let Some(party) = block.new else { return Ok(()) };
        // Answered, and nothing is awaited any more; by whether all axes describe the person, as the treatment may differ.
        let mut wanted: Vec<Wanted> = [(Axes::OfPerson, PERSON), (Axes::OfRows, 0)]
            .into_iter()
            .filter(|(axes, _)| self.release.iter().all(|c| c.holds(&treated(block, party, *axes))))
            .map(|(_, axes)| Wanted::new(NEW | AWAITED | PERSON, NEW | axes))
            .collect();
        field.scan(&mut wanted);
        for found in &wanted {
            result.violations += found.count;
            let Some(example) = found.smallest(&field) else { continue };
            if result.smallest.as_ref().is_none_or(|known| example.rank() < known.rank()) {
                result.smallest = Some(example);
            }
        }
        Ok(())
    }
}

impl Condition {
    fn holds(&self, treatment: &Treatment) -> bool {
        let cells = treatment.method.cells();
        match self {
            Self::Method(word) => treatment.method.as_str() == *word,
            Self::MethodNot(word) => treatment.method.as_str() != *word,
            Self::MinPeopleUnder(people) => cells.map_or(0, |c| c.min_people) < *people,
            Self::RoundToUnder(base) => cells.map_or(0, |c| c.round_to) < *base,
            Self::EpsilonOver(most) => match &treatment.method {
                crate::Method::Dp { epsilon, .. } => epsilon > most,
                _ => false,
            },
            Self::MinPartnersUnder(partners) => treatment.min_partners < *partners,
            Self::MinCohortUnder(people) => treatment.min_cohort < *people,
            Self::Zeros(zeros) => cells.is_some_and(|c| c.zeros == *zeros),
            Self::Secondary(secondary) => cells.is_some_and(|c| c.secondary == *secondary),
        }
    }
}

#[cfg(test)]
mod tests;
