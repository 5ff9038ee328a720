//! Every kind of question there is, tried: none is left out.
//!
//! A kind is a role, a purpose, a dataset, an answer, a set of (group column, grain) and a set of (filter column, grain);
//! a column stands at most once on each side, at one grain. [`crate::decide`] looks at a filter's value only for membership
//! of a code list or of a window, so a policy answers a kind or refuses it, whatever the values
//! (`tests::the_enumeration_agrees_with_decide_on_every_shipped_policy`).
//!
//! Each part of a kind is decided by [`crate::decide`]'s own rules, once, and becomes a word of bits; a kind is the AND of
//! the words of its parts. So the sets of one side that have one word come out alike with any set of the other, and are tried
//! together: none is left out, and the count and the smallest are those of trying one by one
//! (`tests::trying_alike_sets_together_is_trying_each`). What "every" covers is written down under "Kinds of question" in
//! docs/reference/policy.md.

pub(crate) mod field;
mod items;
mod scan;
mod sets;

use std::collections::{BTreeMap, BTreeSet};

use cairn_question::form::print;
use cairn_question::schema::Use;
use cairn_question::{Measure, Name, Question, Schema};

use crate::layers::{Layers, Ready};
use field::Field;

/// Most kinds of question that one comparison tries: beyond it a policy is too wide for a board to review.
pub const KINDS_MAX: u64 = 4_000_000_000;

/// Why not every kind of question was tried.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TooWide {
    /// More than [`KINDS_MAX`].
    #[error(
        "there are {kinds} kinds of question to try, more than {KINDS_MAX}: too wide for a board to review"
    )]
    Kinds {
        /// How many, at least.
        kinds: u64,
    },
    /// More columns than one word of bits holds are kept apart, or looked for by a `[[never]]`.
    #[error(
        "more than {most} columns are kept apart in {share}, or looked for: too wide for a board to review"
    )]
    Apart {
        /// The share.
        share: Name,
        /// Most columns that may be named.
        most: u32,
    },
}

/// What was tried.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Kinds {
    /// Kinds tried: those whose role, purpose, dataset and answer a share of either policy has.
    pub tried: u64,
    /// Kinds that no share of either policy is for: refused whatever their columns, so they are counted and not tried.
    /// One role and one purpose that neither policy names are among them. At most `u64::MAX`.
    pub without_share: u64,
    /// Kinds that the old policy answers.
    pub answered_old: u64,
    /// Kinds that the new policy answers.
    pub answered_new: u64,
}

/// A kind of question, shown as one question of that kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Example {
    /// The question; its filters hold the first code of each list and a period inside the window.
    pub question: Question,
}

impl Example {
    /// The readable form, that of [`cairn_question::form`].
    #[must_use]
    pub fn text(&self) -> String {
        print(&self.question)
    }

    /// How many columns it names.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.question.group_by.len() + self.question.filter_by.len()
    }

    /// What the smallest is chosen by: fewest columns, then by name.
    pub(crate) fn rank(&self) -> (usize, String, &Name, &Name) {
        (self.columns(), self.text(), &self.question.role, &self.question.purpose)
    }
}

/// The two policies whose questions are tried together; one alone has no `old`.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) old: Option<&'a Layers>,
    pub(crate) new: &'a Layers,
}

#[derive(Clone, Copy)]
enum Turn {
    Old,
    New,
}

/// One policy's side of a block.
#[derive(Clone, Copy)]
pub(crate) struct Party<'a> {
    pub(crate) layers: &'a Layers,
    pub(crate) ready: &'a Ready,
}

/// All kinds with one role, purpose, dataset and answer.
pub(crate) struct Block<'a> {
    pub(crate) role: &'a Name,
    pub(crate) purpose: &'a Name,
    pub(crate) dataset: &'a str,
    pub(crate) measure: &'a Measure,
    pub(crate) old: Option<Party<'a>>,
    pub(crate) new: Option<Party<'a>>,
}

impl<'a> Pair<'a> {
    /// One policy by itself.
    pub(crate) const fn alone(new: &'a Layers) -> Self {
        Self { old: None, new }
    }

    /// Old first.
    pub(crate) fn each(self) -> impl Iterator<Item = &'a Layers> {
        self.old.into_iter().chain([self.new])
    }

    pub(crate) fn schema(self) -> &'static Schema {
        self.new.schema
    }

    /// Every role, purpose, dataset and answer that a share of either is for.
    pub(crate) fn blocks(self) -> Vec<Block<'a>> {
        let mut blocks: BTreeMap<_, Block<'a>> = BTreeMap::new();
        let old = self.old.into_iter().map(|l| (Turn::Old, l));
        for (turn, layers) in old.chain([(Turn::New, self.new)]) {
            for ready in &layers.shares {
                let share = &ready.share;
                for measure in &share.answers {
                    let (role, purpose) = (&share.role.value, &share.purpose.value);
                    let (dataset, measure) = (share.dataset.value.as_str(), &measure.value);
                    let block = blocks.entry((role, purpose, dataset, measure)).or_insert(Block {
                        role,
                        purpose,
                        dataset,
                        measure,
                        old: None,
                        new: None,
                    });
                    let party = Some(Party { layers, ready });
                    match turn {
                        Turn::Old => block.old = party,
                        Turn::New => block.new = party,
                    }
                }
            }
        }
        blocks.into_values().collect()
    }

    /// How many kinds there are, tried and not; each block with its field.
    pub(crate) fn fields(self) -> Result<(Vec<(Block<'a>, Field)>, Kinds), TooWide> {
        let mut fields = Vec::new();
        let mut tried: u128 = 0;
        for block in self.blocks() {
            let field = Field::new(self, &block, &[])?;
            tried = tried.saturating_add(field.kinds());
            fields.push((block, field));
        }
        if tried > u128::from(KINDS_MAX) {
            return Err(TooWide::Kinds { kinds: u64::try_from(tried).unwrap_or(u64::MAX) });
        }
        let tried = u64::try_from(tried).unwrap_or(u64::MAX);
        let without_share = without_share(self, &fields);
        Ok((fields, Kinds { tried, without_share, ..Kinds::default() }))
    }
}

/// The kinds of every (role, purpose, dataset, answer) that no share is for. Their columns are those of their dataset, as
/// many together as any share of either policy allows.
fn without_share(pair: Pair<'_>, fields: &[(Block<'_>, Field)]) -> u64 {
    let names = |each: fn(&Layers) -> Vec<&str>| {
        let mut names: BTreeSet<String> = BTreeSet::new();
        names.extend(pair.each().flat_map(each).map(str::to_owned));
        names
    };
    let roles = names(|l| l.policy.roles.keys().map(String::as_str).collect()).len() + 1;
    let purposes =
        names(|l| l.policy.purposes.keys().chain(&l.framework.purposes).map(String::as_str).collect()).len()
            + 1;
    let datasets = names(|l| l.policy.datasets.keys().map(String::as_str).collect());
    let mut all: u128 = 0;
    for dataset in datasets {
        let shared = fields.iter().filter(|(b, _)| b.dataset == dataset).count();
        let answers = answers(pair.schema(), &dataset);
        let blocks = (roles * purposes * answers).saturating_sub(shared);
        let each = Field::unshared(pair, &dataset).kinds();
        all = all.saturating_add(each.saturating_mul(u128::try_from(blocks).unwrap_or(u128::MAX)));
    }
    u64::try_from(all).unwrap_or(u64::MAX)
}

/// How many answers the dictionary knows of a dataset: people, rows, and the sum and the mean of each number.
fn answers(schema: &Schema, dataset: &str) -> usize {
    let Some(table) = schema.table(dataset) else { return 0 };
    let people = usize::from(table.person_key.is_some());
    people + 1 + 2 * table.columns.iter().filter(|c| c.allows(Use::Sum)).count()
}

#[cfg(test)]
mod tests;
