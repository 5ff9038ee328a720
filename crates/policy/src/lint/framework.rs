use cairn_question::Schema;
use cairn_question::schema::{Class, Column};

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
        let column = path.split_once('.').and_then(|(t, c)| schema.table(t)?.column(c));
        match column {
            Some(column) => chain(path, column, grains, schema, faults),
            None => {
                faults.unknown("CP202", "column", path, span, format!("grains.{path}"), every_column(schema))
            }
        }
    }
    for (table, open) in &doc.open {
        opened(table, open, schema, faults);
    }
    for (name, profile) in &doc.profiles {
        super::releases::threshold_and_base(
            &profile.min_people,
            &profile.round_to,
            &format!("profile.{name}"),
            faults,
        );
    }
}

fn every_column(schema: &Schema) -> impl Iterator<Item = String> {
    schema.tables().flat_map(|t| t.columns.iter().map(|c| format!("{}.{}", t.name, c.name)))
}

/// Bands must never overlap: only a chain in which each grain follows from the next may be shared.
fn chain(path: &str, column: &Column, grains: &[At<String>], schema: &Schema, faults: &Faults<'_>) {
    let rule = format!("grains.{path}");
    for grain in grains {
        if !schema.grains(column).contains(&grain.value.as_str()) {
            let known = schema.grains(column).into_iter().map(str::to_owned);
            faults.unknown("CP204", "grain", &grain.value, &grain.span, rule.clone(), known);
        }
    }
    for (coarse, fine) in grains.iter().zip(grains.iter().skip(1)) {
        let known = |g: &At<String>| schema.grains(column).contains(&g.value.as_str());
        if known(coarse) && known(fine) && !schema.nests(column, &fine.value, &coarse.value) {
            let says =
                format!("`{}` does not follow from `{}`: bands could overlap", coarse.value, fine.value);
            faults.error("CP204", &coarse.span, rule.clone(), says, "list the grains coarse to fine, nested");
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
