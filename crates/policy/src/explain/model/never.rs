use std::collections::BTreeSet;

use cairn_question::Measure;

use super::words;
use crate::layers::{Layers, Ready};

/// What is never shared.
#[derive(Clone, Debug)]
pub(crate) struct Never {
    /// Whole tables, in words.
    pub(crate) tables: Vec<String>,
    /// Columns of the other tables, by the names of the dictionary.
    pub(crate) columns: Vec<(String, Vec<String>)>,
}

/// Every table that is not held, and every column that no share uses in any way.
pub(super) fn never(layers: &Layers) -> Never {
    let used = used(layers);
    let (mut tables, mut columns) = (Vec::new(), Vec::new());
    for table in layers.schema.tables() {
        if !layers.policy.datasets.contains_key(&table.name) {
            tables.push(words(&table.name));
            continue;
        }
        let mut kept: Vec<String> = Vec::new();
        for column in table.columns.iter().filter(|c| !used.contains(&(table.name.as_str(), c.name.as_str())))
        {
            let name = column.flag_of.as_ref().unwrap_or(&column.name);
            if !kept.contains(name) {
                kept.push(name.clone());
            }
        }
        columns.push((table.name.clone(), kept));
    }
    Never { tables, columns }
}

/// Table and column of everything that some share lists, adds up, or chooses rows by.
pub(super) fn used(layers: &Layers) -> BTreeSet<(&str, &str)> {
    let mut used = BTreeSet::new();
    for Ready { share, keep, .. } in &layers.shares {
        let listed = share.group_by.iter().chain(&share.filter_by).map(|(c, _)| c.value.as_str());
        let summed = share.answers.iter().filter_map(|a| summed(&a.value));
        let rows = share.window.iter().map(|w| w.column.value.as_str());
        let closed = keep.iter().map(|k| k.column.as_str());
        for column in listed.chain(summed).chain(rows).chain(closed) {
            if let Some(found) = layers.schema.find(&share.dataset.value, column) {
                used.insert((found.table.name.as_str(), found.column.name.as_str()));
            }
        }
    }
    used
}

fn summed(measure: &Measure) -> Option<&str> {
    match measure {
        Measure::Sum(column) | Measure::Mean(column) => Some(column),
        Measure::People | Measure::Rows => None,
    }
}
