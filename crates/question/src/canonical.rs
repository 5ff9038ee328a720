//! When two questions are one: the same table, however it is asked for. The ledger charges it once and gives it again.

use serde::Serialize;
use std::collections::BTreeSet;

use crate::day::Day;
use crate::id::{Hash, Name};
use crate::measure::Measure;
use crate::question::{Filter, GroupBy, Question};
use crate::schema::{CODE_GRAIN, Column, Kind, Schema, UNKNOWN};

impl Question {
    /// The same question with its filters sorted. The order of the axes is kept, since it is the order of the table's columns.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let mut question = self.clone();
        question.filter_by.sort();
        question
    }

    /// A hash that equal tables share, and no others: it does not depend on the order of axes or filters, on which of its names a set of
    /// codes is narrowed to by (a code, a coarser code that stands for it alone, a named group), on a filter that leaves nothing
    /// out, on who asks, nor on the purpose. Under another purpose the same role gets the table that it was given, and settings stick to
    /// it. The role counts, since a policy may give one table to two roles under two treatments.
    ///
    /// An axis of one period and a filter on that period are two questions: a row outside the axis still uses up the rows that a
    /// person may add, and a filtered row does not.
    #[must_use]
    pub fn canonical_hash(&self, schema: &Schema) -> Hash {
        // Each field as a question of the plainest spelling has it, so that the hash of such a question never changes.
        #[derive(Serialize)]
        struct TableV1<'a> {
            role: &'a Name,
            dataset: &'a str,
            measure: &'a Measure,
            group_by: &'a [GroupBy],
            filter_by: &'a [Filter],
            as_of: Option<Day>,
        }
        let mut group_by: Vec<GroupBy> =
            self.group_by.iter().map(|axis| self.plain_axis(axis, schema)).collect();
        group_by.sort();
        let mut filter_by: Vec<Filter> =
            self.filter_by.iter().filter_map(|filter| self.plain_filter(filter, schema)).collect();
        filter_by.sort();
        let table = TableV1 {
            role: &self.role,
            dataset: &self.dataset,
            measure: &self.measure,
            group_by: &group_by,
            filter_by: &filter_by,
            as_of: self.as_of,
        };
        // Names, words and days only: serde_json cannot fail on them.
        Hash::of(&serde_json::to_vec(&table).unwrap_or_default())
    }

    /// The axis at the finest grain that has the same codes for the same rows.
    fn plain_axis(&self, axis: &GroupBy, schema: &Schema) -> GroupBy {
        let column = schema.find(&self.dataset, &axis.column).map(|found| found.column);
        let Some(column) = column.filter(|c| c.kind != Kind::Date) else { return axis.clone() };
        let cut = |grain: &str| Some((schema.codes_at(column, grain)?, schema.coarsen(column, grain)?));
        let asked = cut(&axis.grain);
        let same = |grain: &&str| asked.is_some() && cut(grain) == asked;
        let grain = schema.grains(column).into_iter().find(same).unwrap_or(&axis.grain);
        GroupBy { grain: grain.to_owned(), ..axis.clone() }
    }

    /// The filter under the first name of its codes; `None` where it leaves nothing out. Dates have one name for a period.
    fn plain_filter(&self, filter: &Filter, schema: &Schema) -> Option<Filter> {
        let column = schema.find(&self.dataset, &filter.column).map(|found| found.column);
        let Some(column) = column.filter(|c| c.kind != Kind::Date) else { return Some(filter.clone()) };
        let Some(kept) = schema.codes_meant(column, &filter.grain, &filter.value) else {
            return Some(filter.clone());
        };
        let kept: BTreeSet<String> = kept.into_iter().collect();
        if self.leaves_nothing_out(&filter.column, column, &kept, schema) {
            return None;
        }
        let same = |(grain, value): &(String, String)| {
            let meant = schema.codes_meant(column, grain, value);
            meant.is_some_and(|codes| codes.into_iter().collect::<BTreeSet<_>>() == kept)
        };
        // Any code alone is its own first name, so that a long list is not searched for it.
        let alone =
            kept.first().filter(|_| kept.len() == 1).map(|code| (CODE_GRAIN.to_owned(), code.clone()));
        let plain = alone.filter(same).or_else(|| names(column, schema).into_iter().find(same));
        let (grain, value) = plain.unwrap_or_else(|| (filter.grain.clone(), filter.value.clone()));
        Some(Filter { column: filter.column.clone(), grain, value })
    }

    /// Whether every row has one of these codes. A row whose table above has no row for it is `unknown` there, even where that
    /// table's own column is never blank.
    fn leaves_nothing_out(
        &self,
        written: &str,
        column: &Column,
        kept: &BTreeSet<String>,
        schema: &Schema,
    ) -> bool {
        let own = !written.contains('.');
        let all = schema.codes_at(column, CODE_GRAIN).unwrap_or_default();
        (own || kept.contains(UNKNOWN)) && all.iter().all(|code| kept.contains(code))
    }
}

/// Every name that a filter on the column may use, the finest grain first and the named groups last: a name that is added to the
/// dictionary later comes after the plain codes.
fn names(column: &Column, schema: &Schema) -> Vec<(String, String)> {
    let at = |grain: &str| {
        let codes = schema.codes_at(column, grain).unwrap_or_default();
        codes.into_iter().map(|code| (grain.to_owned(), code)).collect::<Vec<_>>()
    };
    let list = column.codes.as_deref().and_then(|id| schema.code_list(id));
    let groups =
        list.into_iter().flat_map(|l| l.groups.iter().map(|g| (CODE_GRAIN.to_owned(), g.code.clone())));
    schema.grains(column).into_iter().flat_map(at).chain(groups).collect()
}

#[cfg(test)]
mod tests;
