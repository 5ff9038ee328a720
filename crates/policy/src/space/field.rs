//! One block's kinds, laid out to be tried.

use std::collections::BTreeSet;

use cairn_question::{Question, Schema};

pub(crate) use super::items::{NEW, OLD, PERSON, Place, Term};
use super::items::{Part, TERMS_MAX, side, term_bit};
use super::scan::{Apart, alike, verdict};
use super::sets::{Set, Side};
use super::{Block, Example, Pair, Party, TooWide};
use crate::decide::admits;
use crate::layers::Purposes;

/// Every kind of one block.
pub(crate) struct Field {
    group: Side,
    filter: Side,
    apart: Vec<Apart>,
    /// What holds of the block whatever the columns.
    base: u64,
    bare: Question,
}

/// Kinds that are looked for, by their verdict; after [`Field::scan`]: how many there are and the smallest.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    mask: u64,
    value: u64,
    pub(crate) count: u64,
    smallest: Option<Kind>,
}

/// One kind of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(super) group: Set,
    pub(super) filter: Set,
}

impl Wanted {
    /// Kinds whose verdict has exactly `value` of the bits of `mask`.
    pub(crate) const fn new(mask: u64, value: u64) -> Self {
        Self { mask, value, count: 0, smallest: None }
    }

    /// Those of them that have all of these terms: the bit of a term is set while it is not there.
    pub(crate) fn with_all(self, terms: impl Iterator<Item = usize>) -> Self {
        let mask = terms.map(term_bit).fold(self.mask, |mask, bit| mask | bit);
        Self { mask, ..self }
    }

    /// The smallest: fewest columns, then by name.
    pub(crate) fn smallest(&self, field: &Field) -> Option<Example> {
        self.smallest.map(|kind| Example { question: field.question(&kind) })
    }

    /// So many kinds of one verdict, and the smallest of them.
    fn offer(&mut self, verdict: u64, kinds: u64, kind: Kind) {
        if verdict & self.mask != self.value {
            return;
        }
        self.count = self.count.saturating_add(kinds);
        if self.smallest.is_none_or(|known| kind.before(&known)) {
            self.smallest = Some(kind);
        }
    }
}

impl Kind {
    pub(super) fn len(&self) -> usize {
        self.group.len + self.filter.len
    }

    pub(super) fn before(&self, other: &Self) -> bool {
        let key = |k: &Self| (k.len(), k.group.picks, k.filter.picks);
        key(self) < key(other)
    }
}

impl Field {
    /// The block's field. `terms` are looked for besides: [`Wanted::with_all`] knows them by their places in the list.
    pub(crate) fn new(pair: Pair<'_>, block: &Block<'_>, terms: &[Term]) -> Result<Self, TooWide> {
        let mut terms = terms.to_vec();
        let mut apart = Vec::new();
        for (bit, party) in [(OLD, block.old), (NEW, block.new)] {
            apart.extend(party.into_iter().flat_map(|p| kept_apart(pair.schema(), p, bit, &mut terms)));
        }
        if u32::try_from(terms.len()).map_or(true, |n| n > TERMS_MAX) {
            let share = |p: Party<'_>| p.ready.share.id.value.clone();
            let unnamed = block.role.clone();
            return Err(TooWide::Apart {
                share: block.new.or(block.old).map_or(unnamed, share),
                most: TERMS_MAX,
            });
        }
        let bare = block.bare();
        let answers = |p: Party<'_>| admits(p.layers, p.ready, &bare);
        let base = [(OLD, block.old), (NEW, block.new)]
            .into_iter()
            .filter(|(_, party)| !party.is_some_and(answers))
            .fold(u64::MAX, |base, (bit, _)| base & !bit);
        let most = |of: fn(&crate::settings::Settings) -> Option<u32>| {
            [block.old, block.new].map(|p| p.and_then(|p| of(&p.ready.settings)).unwrap_or(0))
        };
        let mut group = side(pair, block, Purposes::Group, &terms);
        group.most = most(|s| s.max_group_columns);
        let mut filter = side(pair, block, Purposes::Filter, &terms);
        filter.most = most(|s| s.max_filter_columns);
        Ok(Self { group, filter, apart, base, bare })
    }

    /// A dataset's columns where no share is for them, as many together as any share of either policy allows.
    pub(super) fn unshared(pair: Pair<'_>, dataset: &str) -> Self {
        // Nothing is decided by these two names: no share is looked at.
        let nobody = &pair.new.head.id.value;
        let block = Block {
            role: nobody,
            purpose: nobody,
            dataset,
            measure: &cairn_question::Measure::Rows,
            old: None,
            new: None,
        };
        let most = |of: fn(&crate::settings::Settings) -> Option<u32>| {
            let every = pair.each().flat_map(|l| &l.shares).filter_map(|r| of(&r.settings));
            [0, every.max().unwrap_or(0)]
        };
        let mut group = side(pair, &block, Purposes::Group, &[]);
        group.most = most(|s| s.max_group_columns);
        let mut filter = side(pair, &block, Purposes::Filter, &[]);
        filter.most = most(|s| s.max_filter_columns);
        Self { group, filter, apart: Vec::new(), base: 0, bare: block.bare() }
    }

    /// How many kinds there are.
    pub(crate) fn kinds(&self) -> u128 {
        self.group.count().saturating_mul(self.filter.count())
    }

    /// Whether the new policy answers the kind without any column.
    pub(crate) fn answers(&self) -> bool {
        self.verdict(u64::MAX) & NEW != 0
    }

    /// The columns of one side that some kind uses which the new policy answers: those that it answers alone.
    pub(crate) fn used(&self, list: Purposes) -> BTreeSet<String> {
        let side = self.side(list);
        let alone = side.alone().filter(|(set, _)| self.verdict(set.word) & NEW != 0);
        alone.map(|(_, item)| item.part.column().to_owned()).collect()
    }

    /// Whether a question could use all of these columns, were they not kept apart: each is let in on a side, and there are
    /// not too many for either.
    pub(crate) fn could_meet(&self, columns: &BTreeSet<&str>) -> bool {
        let on = |list: Purposes, column: &str| {
            let mut alone = self.side(list).alone();
            alone.any(|(set, item)| set.word & self.base & NEW != 0 && item.part.column() == column)
        };
        let [mut only_group, mut only_filter] = [0_u32, 0];
        for column in columns {
            match (on(Purposes::Group, column), on(Purposes::Filter, column)) {
                (true, true) => {}
                (true, false) => only_group += 1,
                (false, true) => only_filter += 1,
                (false, false) => return false,
            }
        }
        let ([_, groups], [_, filters]) = (self.group.most, self.filter.most);
        let all = u32::try_from(columns.len()).unwrap_or(u32::MAX);
        only_group <= groups && only_filter <= filters && all <= groups + filters
    }

    fn side(&self, list: Purposes) -> &Side {
        match list {
            Purposes::Group => &self.group,
            Purposes::Filter => &self.filter,
        }
    }

    pub(super) fn verdict(&self, word: u64) -> u64 {
        verdict(word & self.base, &self.apart)
    }

    /// Tries every kind and adds up what is wanted. Sets that are decided alike are tried together, which leaves no kind
    /// out and gives what trying one by one gives (`tests::trying_alike_sets_together_is_trying_each`).
    pub(crate) fn scan<'a>(&self, wanted: impl IntoIterator<Item = &'a mut Wanted>) {
        let mut wanted: Vec<&mut Wanted> = wanted.into_iter().collect();
        let filters = alike(&self.filter);
        for group in alike(&self.group) {
            for filter in &filters {
                let verdict = self.verdict(group.word & filter.word);
                let kind = Kind { group: group.smallest, filter: filter.smallest };
                let kinds = group.sets.saturating_mul(filter.sets);
                wanted.iter_mut().for_each(|want| want.offer(verdict, kinds, kind));
            }
        }
    }

    /// One question of a kind.
    pub(crate) fn question(&self, kind: &Kind) -> Question {
        let mut question = self.bare.clone();
        for (side, set) in [(&self.group, &kind.group), (&self.filter, &kind.filter)] {
            for item in set.picked().filter_map(|n| side.items.get(n)) {
                match &item.part {
                    Part::Axis(axis) => question.group_by.push(axis.clone()),
                    Part::Filter(filter) => question.filter_by.push(filter.clone()),
                }
            }
        }
        question
    }

    /// Both sides' sets, for tests that lay kinds beside [`crate::decide`].
    #[cfg(test)]
    pub(crate) fn sets(&self) -> [Vec<Set>; 2] {
        [&self.group, &self.filter].map(|side| {
            let mut sets = Vec::new();
            side.each(&mut |set| sets.push(*set));
            sets
        })
    }

    /// One kind and its verdict, likewise.
    #[cfg(test)]
    pub(crate) fn kind(&self, group: &Set, filter: &Set) -> (Kind, u64) {
        (Kind { group: *group, filter: *filter }, self.verdict(group.word & filter.word))
    }
}

/// A share's `never_together`, each list as the terms that must not all be there.
fn kept_apart(schema: &Schema, party: Party<'_>, bit: u64, terms: &mut Vec<Term>) -> Vec<Apart> {
    let dataset = &party.ready.share.dataset.value;
    let mut term = |column: &str| {
        let found = schema.find(dataset, column)?;
        let term = vec![Place {
            table: Some(found.table.name.clone()),
            column: found.column.name.clone(),
            grain: None,
        }];
        let known = terms.iter().position(|t| *t == term);
        Some(term_bit(known.unwrap_or_else(|| {
            terms.push(term);
            terms.len() - 1
        })))
    };
    let mut apart = |list: &Vec<crate::read::At<String>>| {
        // A list with a column that does not exist is never whole.
        let bits = list.iter().map(|c| term(&c.value)).collect::<Option<Vec<u64>>>()?;
        let mask = bits.into_iter().fold(0, |mask, bit| mask | bit);
        Some(Apart { mask, clears: bit })
    };
    party.ready.share.never_together.iter().filter_map(|list| apart(&list.value)).collect()
}
