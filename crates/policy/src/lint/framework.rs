use std::ops::Range;

use cairn_question::Schema;
use cairn_question::schema::{CODE_GRAIN, Class, Column, Table};

use crate::document::{FrameworkDoc, Open};
use crate::finding::Faults;
use crate::floor;
use crate::read::At;

pub(super) fn check(doc: &FrameworkDoc, schema: &Schema, faults: &Faults<'_>) {
    if let Some(floor) = &doc.floor {
        let rule = "floor.delta_max";
        if floor.delta_max.value > floor::DELTA_MAX {
            let says = "δ above 1e-5: the built-in floor";
            faults.error("CP302", &floor.delta_max.span, rule, says, "write 1e-5 or less");
        }
        if floor.epsilon_max_per_table.value > cairn_question::privacy::Epsilon::MAX.millionths() {
            let says = "one table may cost at most ε = 10: the built-in floor";
            faults.error(
                "CP305",
                &floor.epsilon_max_per_table.span,
                "floor.epsilon_max_per_table",
                says,
                "write 10 or less",
            );
        }
    }
    for (path, (span, grains)) in &doc.grains {
        let rule = format!("grains.{}", crate::read::shown(path));
        if let Some(column) = column(path, span, &rule, schema, faults) {
            chain(&rule, column, grains, schema, faults);
        }
    }
    finest(doc, schema, faults);
    super::secure::check(doc, faults);
    for (table, open) in &doc.open {
        opened(table, open, schema, faults);
    }
    for (name, profile) in &doc.profiles {
        super::releases::threshold_and_base(
            &profile.min_people,
            &profile.round_to,
            &format!("profile.{name}"),
            super::releases::Of::Profile,
            faults,
        );
        let base = doc.floor.as_ref().map_or(1, |f| f.round_to.value).max(1);
        if profile.method == "suppress-round" && !profile.round_to.value.is_multiple_of(base) {
            let says =
                format!("rounding to {} is not a multiple of the floor's {base}", profile.round_to.value);
            let (rule, fix) = (format!("profile.{name}.round_to"), format!("write {base}"));
            faults.error("CP307", &profile.round_to.span, rule, says, fix);
        }
    }
}

/// A column with its table, or bare where one table only has it.
fn column<'a>(
    path: &str,
    span: &Range<usize>,
    rule: &str,
    schema: &'a Schema,
    faults: &Faults<'_>,
) -> Option<&'a Column> {
    if let Some((table, name)) = path.split_once('.') {
        let found = schema.table(table).and_then(|t| t.column(name));
        if found.is_none() {
            faults.unknown("CP202", "column", path, span, rule, every_column(schema));
        }
        return found;
    }
    let tables: Vec<&Table> = schema.tables().filter(|t| t.column(path).is_some()).collect();
    match tables.as_slice() {
        [table] => table.column(path),
        [] => {
            let bare = schema.tables().flat_map(|t| t.columns.iter().map(|c| c.name.clone()));
            faults.unknown("CP202", "column", path, span, rule, bare);
            None
        }
        several => {
            let full: Vec<String> = several.iter().map(|t| format!("\"{}.{path}\"", t.name)).collect();
            let says = format!("`{path}` is a column of several tables");
            faults.error("CP211", span, rule, says, format!("write {}", full.join(" or ")));
            None
        }
    }
}

/// The finest grain that may be shared is one of the column's chain.
fn finest(doc: &FrameworkDoc, schema: &Schema, faults: &Faults<'_>) {
    for (name, grain) in doc.floor.iter().flat_map(|f| &f.finest) {
        let rule = format!("floor.finest.{}", crate::read::shown(&name.value));
        let Some(found) = column(&name.value, &name.span, &rule, schema, faults) else { continue };
        let bare = name.value.rsplit('.').next().unwrap_or_default();
        let holds = |path: &str| path == name.value || path.rsplit('.').next() == Some(bare);
        let listed = doc.grains.iter().find(|(path, _)| holds(path));
        let chain: Vec<String> = match listed {
            Some((_, (_, grains))) => grains.iter().map(|g| g.value.clone()).collect(),
            None => vec![CODE_GRAIN.to_owned()],
        };
        if !chain.contains(&grain.value) {
            let word = schema.grains(found).contains(&grain.value.as_str());
            let what = if word { "grain of the column's chain in [grains]" } else { "grain" };
            faults.unknown("CP204", what, &grain.value, &grain.span, rule, chain.into_iter());
        }
    }
}

fn every_column(schema: &Schema) -> impl Iterator<Item = String> {
    schema.tables().flat_map(|t| t.columns.iter().map(|c| format!("{}.{}", t.name, c.name)))
}

/// Bands must never overlap: only a chain in which each grain follows from the next may be shared.
fn chain(rule: &str, column: &Column, grains: &[At<String>], schema: &Schema, faults: &Faults<'_>) {
    for grain in grains {
        if !schema.grains(column).contains(&grain.value.as_str()) {
            let known = schema.grains(column).into_iter().map(str::to_owned);
            faults.unknown("CP204", "grain", &grain.value, &grain.span, rule, known);
        }
    }
    for (coarse, fine) in grains.iter().zip(grains.iter().skip(1)) {
        let known = |g: &At<String>| schema.grains(column).contains(&g.value.as_str());
        if known(coarse) && known(fine) && !schema.nests(column, &fine.value, &coarse.value) {
            let says =
                format!("`{}` does not follow from `{}`: bands could overlap", coarse.value, fine.value);
            faults.error("CP204", &coarse.span, rule, says, "list the grains coarse to fine, nested");
        }
    }
}

fn opened(table: &str, open: &Open, schema: &Schema, faults: &Faults<'_>) {
    let Some(found) = schema.table(table) else {
        let known = schema.tables().map(|t| t.name.clone());
        faults.unknown("CP201", "table", table, &open.span, format!("open.{table}"), known);
        return;
    };
    for name in open.group.iter().chain(&open.filter) {
        let rule = format!("open.{table}");
        match found.column(&name.value) {
            None => {
                let known = found.columns.iter().map(|c| c.name.clone());
                faults.unknown("CP202", "column", &name.value, &name.span, rule, known);
            }
            Some(column) if matches!(column.class, Class::Identifier | Class::Linkage) => {
                let says = format!("`{}` names a person or a record: no file can open it", name.value);
                faults.error("CP203", &name.span, rule, says, "delete it");
            }
            Some(_) => {}
        }
    }
}
