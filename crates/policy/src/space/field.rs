//! One block's kinds, laid out to be tried.

use std::collections::BTreeSet;

use cairn_question::{Question, Schema};

pub(crate) use super::items::{AWAITED, NEW, OLD, PERSON, Place, Term, term_bit};
use super::items::{Part, TERMS_MAX, side};
pub(crate) use super::scan::Apart;
use super::scan::{Inner, count, tried};
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
    mask: u8,
    value: u8,
    pub(crate) count: u64,
    smallest: Option<Kind>,
}

/// One kind of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    group: Set,
    filter: Set,
}

impl Wanted {
    /// Kinds whose verdict has exactly `value` of the bits of `mask`.
    pub(crate) fn new(mask: u64, value: u64) -> Self {
        let low = |bits: u64| u8::try_from(bits).unwrap_or(u8::MAX);
        Self { mask: low(mask), value: low(value), count: 0, smallest: None }
    }

    /// Whether any kind with an outer set of this word could be wanted: a kind has no bit that one of its parts has not.
    const fn could_be_in(&self, outer: u64) -> bool {
        let [low, ..] = outer.to_le_bytes();
        low & self.value == self.value
    }

    /// The smallest: fewest columns, then by name.
    pub(crate) fn smallest(&self, field: &Field) -> Option<Example> {
        self.smallest.map(|kind| Example { question: field.question(&kind) })
    }
}

impl Kind {
    fn len(&self) -> usize {
        self.group.len + self.filter.len
    }

    fn before(&self, other: &Self) -> bool {
        let key = |k: &Self| (k.len(), k.group.picks, k.filter.picks);
        key(self) < key(other)
    }
}

impl Field {
    /// The block's field. `terms` are looked for besides: their bits are [`term_bit`] of their places in the list.
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

    /// Kinds that have all of these terms lose [`AWAITED`].
    pub(crate) fn await_all(&mut self, terms: impl Iterator<Item = usize>) {
        let mask = terms.map(term_bit).fold(0, |mask, bit| mask | bit);
        self.apart.push(Apart { mask, clears: u8::try_from(AWAITED).unwrap_or(0) });
    }

    /// How many kinds there are.
    pub(crate) fn kinds(&self) -> u128 {
        self.group.count().saturating_mul(self.filter.count())
    }

    /// Whether the new policy answers the kind without any column.
    pub(crate) fn answers(&self) -> bool {
        self.verdict(self.base) & NEW != 0
    }

    /// The columns of one side that some kind uses which the new policy answers: those that it answers alone.
    pub(crate) fn used(&self, list: Purposes) -> BTreeSet<String> {
        let side = self.side(list);
        let alone = side.alone().filter(|(set, _)| self.verdict(set.word & self.base) & NEW != 0);
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

    fn verdict(&self, word: u64) -> u64 {
        u64::from(tried(word, &self.apart))
    }

    /// Tries every kind and adds up what is wanted.
    pub(crate) fn scan(&self, wanted: &mut [Wanted]) {
        let groups_inside = self.group.count() <= self.filter.count();
        let (inside, outside) =
            if groups_inside { (&self.group, &self.filter) } else { (&self.filter, &self.group) };
        let mut sets = Vec::new();
        inside.each(&mut |set| sets.push(*set));
        let mut inner = Inner::new(sets);
        outside.each(&mut |outer| {
            inner.try_each(outer.word & self.base, &self.apart);
            let outer_word = outer.word & self.base;
            for want in wanted.iter_mut().filter(|w| w.could_be_in(outer_word)) {
                let found = count(inner.verdicts(), want.mask, want.value);
                want.count += found;
                let known = want.smallest.map_or(usize::MAX, |k| k.len());
                if found > 0 && outer.len <= known {
                    want.offer(&inner, outer, groups_inside);
                }
            }
        });
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

    /// All that [`Field::scan`] looks at: equal fields are tried alike.
    #[cfg(test)]
    pub(crate) fn looked_at(&self) -> (Vec<u64>, Vec<Apart>) {
        let mut all = vec![self.base];
        for side in [&self.group, &self.filter] {
            all.extend(side.looked_at());
        }
        (all, self.apart.clone())
    }

    /// One kind and its verdict, likewise.
    #[cfg(test)]
    pub(crate) fn kind(&self, group: &Set, filter: &Set) -> (Kind, u64) {
        let word = group.word & filter.word & self.base;
        (Kind { group: *group, filter: *filter }, self.verdict(word))
    }
}

impl Wanted {
    /// The smallest kind with this outer set, if it is smaller than what is known. The inner sets are in order, so the first
    /// that fits is the smallest.
    fn offer(&mut self, inner: &Inner, outer: &Set, groups_inside: bool) {
        let fits = |verdict: &u8| verdict & self.mask == self.value;
        let Some(first) = inner.verdicts().iter().position(fits).and_then(|at| inner.sets.get(at)) else {
            return;
        };
        let (group, filter) = if groups_inside { (*first, *outer) } else { (*outer, *first) };
        let kind = Kind { group, filter };
        if self.smallest.is_none_or(|known| kind.before(&known)) {
            self.smallest = Some(kind);
        }
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
        Some(Apart { mask, clears: u8::try_from(bit).unwrap_or(0) })
    };
    party.ready.share.never_together.iter().filter_map(|list| apart(&list.value)).collect()
}
