use std::collections::BTreeSet;

use cairn_question::schema::{Column, Kind, Table};
use cairn_question::{Day, Filter, GroupBy, Period, Question};

use super::sets::Side;
use super::{Block, Pair, Party};
use crate::decide::{admits, of_person};
use crate::layers::{Purposes, open_columns};
use crate::settings::Grains;
use crate::treatment::Method;

/// The old policy lets it in.
pub(crate) const OLD: u64 = 1;
/// The new policy lets it in.
pub(crate) const NEW: u64 = 2;
/// Every axis describes the person and not one of their rows.
pub(crate) const PERSON: u64 = 4;
/// The first bit of a [`Term`]: set while no part has it.
const FIRST_TERM: u32 = 8;
/// Most terms of one field.
pub(super) const TERMS_MAX: u32 = u64::BITS - FIRST_TERM;

/// A column, at any grain or at one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    /// `None`: any table that has such a column.
    pub(crate) table: Option<String>,
    pub(crate) column: String,
    pub(crate) grain: Option<String>,
}

/// Something that a kind has as soon as one of its parts does: any of these places.
pub(crate) type Term = Vec<Place>;

/// The bit of the n-th term.
pub(super) fn term_bit(n: usize) -> u64 {
    u32::try_from(n).ok().and_then(|n| 1_u64.checked_shl(FIRST_TERM + n)).unwrap_or(0)
}

/// A column at a grain on one side, and what is known of it.
pub(crate) struct Item {
    pub(crate) part: Part,
    /// What remains of a kind's word when this is a part of it.
    pub(crate) word: u64,
    /// Cells along this axis; 1 of a filter.
    pub(crate) cells: usize,
}

pub(crate) enum Part {
    Axis(GroupBy),
    Filter(Filter),
}

impl Part {
    /// The column, as seen from the dataset.
    pub(crate) fn column(&self) -> &str {
        match self {
            Self::Axis(axis) => &axis.column,
            Self::Filter(filter) => &filter.column,
        }
    }
}

impl Place {
    fn names(&self, table: &Table, column: &Column, grain: &str) -> bool {
        self.column == column.name
            && self.table.as_ref().is_none_or(|t| *t == table.name)
            && self.grain.as_ref().is_none_or(|g| g == grain)
    }
}

/// One side's columns in a block. Each column that a framework opens or a policy declares for use stands by itself; all
/// others are refused alike by both policies, so that the first stands for them.
pub(super) fn side(pair: Pair<'_>, block: &Block<'_>, list: Purposes, terms: &[Term]) -> Side {
    let mut side = Side::empty();
    let apart = by_itself(pair, block.dataset, list);
    let mut closed = None;
    let schema = pair.schema();
    let mut columns: Vec<(String, &Table, &Column)> = Vec::new();
    for table in schema.ancestry(block.dataset) {
        columns.extend(table.columns.iter().map(|c| (seen(block.dataset, table, c), table, c)));
    }
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, table, column) in columns {
        let made = |grain: &&str| item(pair, block, list, (&name, table, column, grain), terms);
        let mut items: Vec<Item> = schema.grains(column).iter().map(made).collect();
        let refused = items.iter().all(|i| i.word & (OLD | NEW) == 0);
        if !refused || apart.contains(&name) {
            side.add(items);
        } else if closed.is_none() && !items.is_empty() {
            items.truncate(1);
            closed = Some(items);
        }
    }
    closed.into_iter().for_each(|items| side.add(items));
    side
}

fn seen(dataset: &str, table: &Table, column: &Column) -> String {
    if table.name == dataset { column.name.clone() } else { format!("{}.{}", table.name, column.name) }
}

/// The columns that stand by themselves, as seen from the dataset.
fn by_itself(pair: Pair<'_>, dataset: &str, list: Purposes) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for layers in pair.each() {
        names.extend(open_columns(layers.schema, &layers.framework, dataset, list).into_keys());
        for table in layers.schema.ancestry(dataset) {
            let Some(declared) = layers.policy.datasets.get(&table.name) else { continue };
            for column in &table.columns {
                let usage = declared.columns.get(&column.name).and_then(|c| c.usage.as_ref());
                if usage.is_some_and(|u| u.value.groups() || u.value.filters()) {
                    names.insert(seen(dataset, table, column));
                }
            }
        }
    }
    names
}

type At<'a> = (&'a str, &'a Table, &'a Column, &'a str);

fn item(pair: Pair<'_>, block: &Block<'_>, list: Purposes, at: At<'_>, terms: &[Term]) -> Item {
    let (name, table, column, grain) = at;
    let part = part(pair, block, list, at);
    let mut word = u64::MAX;
    for (n, _) in terms.iter().enumerate().filter(|(_, t)| t.iter().any(|p| p.names(table, column, grain))) {
        word &= !term_bit(n);
    }
    for (bit, party) in [(OLD, block.old), (NEW, block.new)] {
        if !party.is_some_and(|p| lets_in(p, block, list, &part, (name, grain))) {
            word &= !bit;
        }
    }
    let group = list == Purposes::Group;
    if group && (!of_person(pair.schema(), block.dataset, name) || counts_once(block)) {
        word &= !PERSON;
    }
    let counted = group && column.kind != Kind::Date && word & (OLD | NEW) != 0;
    let codes = counted.then(|| pair.schema().codes_at(column, grain)).flatten();
    Item { part, word, cells: codes.map_or(1, |c| c.len()) }
}

/// Whether a policy counts people once here, over partners of whom each writes down every column for itself.
fn counts_once(block: &Block<'_>) -> bool {
    let once = |party: Party<'_>| matches!(party.ready.method, Method::CountOnce(_));
    block.old.is_some_and(once) || block.new.is_some_and(once)
}

/// Whether one policy's share lets the part in. A part that is not on its list needs no further look.
fn lets_in(party: Party<'_>, block: &Block<'_>, list: Purposes, part: &Part, at: (&str, &str)) -> bool {
    let settings = &party.ready.settings;
    let allowed = if list == Purposes::Group { &settings.group_by } else { &settings.filter_by };
    let on_list = |allowed: &Grains| allowed.get(at.0).is_some_and(|grains| grains.contains(at.1));
    allowed.as_ref().is_some_and(on_list) && {
        let mut question = block.bare();
        match part {
            Part::Axis(axis) => question.group_by.push(axis.clone()),
            Part::Filter(filter) => question.filter_by.push(filter.clone()),
        }
        admits(party.layers, party.ready, &question)
    }
}

/// One concrete part of this column and grain: the first code, or the first period inside both windows.
fn part(pair: Pair<'_>, block: &Block<'_>, list: Purposes, at: At<'_>) -> Part {
    let (name, _, column, grain) = at;
    let dated = (column.kind == Kind::Date).then(|| first_period(block, pair, name, grain)).flatten();
    let (name, grain) = (name.to_owned(), grain.to_owned());
    if list == Purposes::Group {
        return Part::Axis(GroupBy { column: name, grain, span: dated.map(|p| (p, p)) });
    }
    let code = || pair.schema().codes_at(column, &grain)?.into_iter().next();
    let value = dated.map(|p| p.to_string()).or_else(code).unwrap_or_default();
    Part::Filter(Filter { column: name, grain, value })
}

/// The first period of a grain that begins in both windows, and on or after the new policy's first day.
fn first_period(block: &Block<'_>, pair: Pair<'_>, column: &str, grain: &str) -> Option<Period> {
    let from = |p: Party<'_>| -> Option<Day> {
        p.ready.share.window.as_ref().filter(|w| w.column.value == column).and(p.ready.settings.window_from)
    };
    let windows = [block.old, block.new].into_iter().flatten().filter_map(from);
    let day = windows.max().unwrap_or(pair.new.in_force().0);
    let first = day.period(grain.parse().ok()?);
    Some(if first.first_day() >= day { first } else { first.next() })
}

impl Block<'_> {
    /// The question of this block that has no column.
    pub(crate) fn bare(&self) -> Question {
        Question {
            role: self.role.clone(),
            purpose: self.purpose.clone(),
            dataset: self.dataset.to_owned(),
            measure: self.measure.clone(),
            group_by: Vec::new(),
            filter_by: Vec::new(),
            as_of: None,
        }
    }
}
