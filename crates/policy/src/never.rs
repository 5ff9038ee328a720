//! What a board says can never happen (`[[never]]` in `tests.toml`), tried against every kind of question.

mod read;

use cairn_question::Name;
use cairn_question::answer::Zeros;
use cairn_question::privacy::Epsilon;

use crate::diff::{Axes, treated};
use crate::layers::Layers;
use crate::space::field::{Field, NEW, PERSON, Place, Term, Wanted};
use crate::space::{Block, Example, Pair, Party, TooWide};
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
    /// Whether what leaves is noisy: tables of `dp`, and people counted once.
    Noise(bool),
    /// A treatment without a threshold is under any.
    MinPeopleUnder(u32),
    /// Likewise of rounding.
    RoundToUnder(u32),
    /// Of noisy tables, and of people counted once: there what one count costs a person.
    EpsilonOver(Epsilon),
    MinPartnersUnder(u32),
    MinCohortUnder(u32),
    Zeros(Zeros),
    Secondary(Secondary),
}

/// Tries every statement against every kind of question, in one walk over them.
///
/// # Errors
/// [`TooWide`].
pub(crate) fn tried(layers: &Layers, nevers: &[Never]) -> Result<Vec<NeverResult>, TooWide> {
    let pair = Pair::alone(layers);
    // Whether there are few enough kinds is decided over all of them.
    pair.fields()?;
    let untried = |n: &Never| NeverResult { name: n.name.clone(), tried: 0, violations: 0, smallest: None };
    let mut results: Vec<NeverResult> = nevers.iter().map(untried).collect();
    for block in &pair.blocks() {
        let mut about: Vec<(&Never, &mut NeverResult)> =
            nevers.iter().zip(&mut results).filter(|(never, _)| never.is_about(block)).collect();
        try_block(pair, block, &mut about)?;
    }
    Ok(results)
}

/// Tries the statements that are about one block. Where they look for more than one word of bits holds, each half by itself.
fn try_block(
    pair: Pair<'_>,
    block: &Block<'_>,
    about: &mut [(&Never, &mut NeverResult)],
) -> Result<(), TooWide> {
    let Some(party) = block.new.filter(|_| !about.is_empty()) else { return Ok(()) };
    let mut terms = Vec::new();
    let places: Vec<Vec<usize>> = about.iter().map(|(never, _)| never.terms(&mut terms)).collect();
    let field = match Field::new(pair, block, &terms) {
        Err(TooWide::Apart { .. }) if about.len() > 1 => {
            let (one, other) = about.split_at_mut(about.len() / 2);
            try_block(pair, block, one)?;
            return try_block(pair, block, other);
        }
        field => field?,
    };
    let looked_for = |((never, _), terms): (&(&Never, _), &Vec<usize>)| never.wanted(block, party, terms);
    let mut wanted: Vec<[Option<Wanted>; 2]> = about.iter().zip(&places).map(looked_for).collect();
    field.scan(wanted.iter_mut().flatten().flatten());
    let kinds = u64::try_from(field.kinds()).unwrap_or(u64::MAX);
    for ((_, result), wanted) in about.iter_mut().zip(&wanted) {
        result.tried = result.tried.saturating_add(kinds);
        wanted.iter().flatten().for_each(|found| result.take(found, &field));
    }
    Ok(())
}

impl NeverResult {
    fn take(&mut self, found: &Wanted, field: &Field) {
        self.violations += found.count;
        let Some(example) = found.smallest(field) else { return };
        if self.smallest.as_ref().is_none_or(|known| example.rank() < known.rank()) {
            self.smallest = Some(example);
        }
    }
}

impl Never {
    fn is_about(&self, block: &Block<'_>) -> bool {
        self.role.as_ref().is_none_or(|r| r == block.role)
            && self.purpose.as_ref().is_none_or(|p| p == block.purpose)
            && self.dataset.as_ref().is_none_or(|d| d == block.dataset)
    }

    /// Where in a list of terms those stand that must all be there; those not yet on it are added.
    fn terms(&self, list: &mut Vec<Term>) -> Vec<usize> {
        let any = (!self.uses_any.is_empty()).then(|| self.uses_any.clone());
        let own = self.uses_all.iter().map(|p| vec![p.clone()]).chain(any);
        own.map(|term| {
            list.iter().position(|known| *known == term).unwrap_or_else(|| {
                list.push(term);
                list.len() - 1
            })
        })
        .collect()
    }

    /// Kinds that are answered and have all that the statement names; by whether all axes describe the person, as the
    /// treatment may differ. `None`: that treatment is not the statement's.
    fn wanted(&self, block: &Block<'_>, party: Party<'_>, terms: &[usize]) -> [Option<Wanted>; 2] {
        [(Axes::OfPerson, PERSON), (Axes::OfRows, 0)].map(|(axes, person)| {
            let treatment = treated(block, party, axes);
            let meant = self.release.iter().all(|c| c.holds(&treatment));
            meant.then(|| Wanted::new(NEW | PERSON, NEW | person).with_all(terms.iter().copied()))
        })
    }
}

/// Fewest people that are counted once over all partners: below, the coordinator gives no figure (CU005).
const COUNTED_ONCE_MIN: u32 = 500;

impl Condition {
    fn holds(&self, treatment: &Treatment) -> bool {
        let cells = treatment.method.cells();
        let counts_once = matches!(treatment.method, crate::Method::CountOnce(_));
        match self {
            Self::Method(word) => treatment.method.as_str() == *word,
            Self::MethodNot(word) => treatment.method.as_str() != *word,
            Self::Noise(noise) => treatment.method.loss().is_some() == *noise,
            // A count of people over all partners is an estimate, never of a few, and rougher than a rounding.
            Self::MinPeopleUnder(people) | Self::RoundToUnder(people) if counts_once => {
                COUNTED_ONCE_MIN < *people
            }
            Self::MinPeopleUnder(people) => cells.map_or(0, |c| c.min_people) < *people,
            Self::RoundToUnder(base) => cells.map_or(0, |c| c.round_to) < *base,
            Self::EpsilonOver(most) => match &treatment.method {
                crate::Method::Dp { epsilon, .. } => epsilon > most,
                // What a person can lose, who may stand under several keys.
                crate::Method::CountOnce(count) => count.person_epsilon() > *most,
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
