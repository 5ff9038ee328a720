//! What a dataset says of itself: its table, whom it leaves out, what is too old, its code lists and its measures.

use cairn_question::schema::{CODE_GRAIN, Class, Column, Kind, Table, UNKNOWN, Use};

use crate::document::{ColumnRule, Dataset, OptOutDoc, Usage};
use crate::lint::Ground;
use crate::read::{At, shown};

pub(super) fn check(dataset: &Dataset, table: &Table, ground: &Ground<'_>) {
    named(dataset, table, ground);
    too_old(dataset, table, ground);
    snapshot(dataset, table, ground);
    match &dataset.opt_out {
        Some(OptOutDoc::Via(above)) => via(above, table, ground),
        Some(OptOutDoc::Column { column, share_only_if }) => own(column, share_only_if, table, ground),
        None => {}
    }
    below_a_rule(dataset, table, ground);
    for (name, rule) in &dataset.columns {
        let Some(column) = table.column(name) else { continue };
        let path = format!("dataset.{}.columns.{name}", table.name);
        codes(rule, column, &path, ground);
        measure(dataset, rule, column, &path, ground);
    }
}

fn named(dataset: &Dataset, table: &Table, ground: &Ground<'_>) {
    if let Some(other) = dataset.table.as_ref().filter(|t| t.value != table.name) {
        let says = format!("the section is called {}, and its table {}", table.name, shown(&other.value));
        let rule = format!("dataset.{}.table", table.name);
        ground.faults.error("CP210", &other.span, rule, says, format!("write \"{}\"", table.name));
    }
}

fn too_old(dataset: &Dataset, table: &Table, ground: &Ground<'_>) {
    if let (Some(years), None) = (&dataset.keep_years, &table.closed_by) {
        let says = format!("the data dictionary has no date on which a row of {} is closed", table.name);
        let rule = format!("dataset.{}.keep_years", table.name);
        ground.faults.error("CP216", &years.span, rule, says, "delete the line: it could leave out nothing");
    }
}

/// Tables that are read together are frozen together.
fn snapshot(dataset: &Dataset, table: &Table, ground: &Ground<'_>) {
    let above = table.parent.as_ref().and_then(|p| ground.policy.datasets.get(&p.table));
    let other = above.and_then(|a| Some((&a.name.value, a.snapshot.as_ref()?)));
    if let (Some(own), Some((name, other))) = (&dataset.snapshot, other)
        && own.value != other.value
    {
        let says = format!(
            "{} is frozen every {}, {name} every {}",
            table.name,
            own.value.as_str(),
            other.value.as_str()
        );
        let fix = format!(
            "write \"{}\" in both: a question that joins them has one snapshot",
            other.value.as_str()
        );
        ground.faults.error("CP218", &own.span, format!("dataset.{}.snapshot", table.name), says, fix);
    }
}

/// The rule of the table above, which must have one.
fn via(above: &At<String>, table: &Table, ground: &Ground<'_>) {
    let rule = format!("dataset.{}.opt_out.via", table.name);
    let known = || ground.schema.ancestry(&table.name).into_iter().skip(1).map(|t| t.name.clone());
    if !known().any(|name| name == above.value) {
        ground.faults.unknown("CP214", "table above", &above.value, &above.span, rule, known());
        return;
    }
    let there = ground.policy.datasets.get(&above.value).and_then(|d| d.opt_out.as_ref());
    if !matches!(there, Some(OptOutDoc::Column { .. })) {
        let says = format!("{} has no opt-out rule of its own", above.value);
        let fix = format!("add opt_out = {{ column = …, share_only_if = […] }} to [dataset.{}]", above.value);
        ground.faults.error("CP214", &above.span, rule, says, fix);
    }
}

/// Whoever a table above leaves out is left out here too, and a question has one rule: the one of the table above, by name.
fn below_a_rule(dataset: &Dataset, table: &Table, ground: &Ground<'_>) {
    let own = |name: &str| {
        let declared = ground.policy.datasets.get(name)?.opt_out.as_ref()?;
        matches!(declared, OptOutDoc::Column { .. }).then(|| name.to_owned())
    };
    let above = ground.schema.ancestry(&table.name).into_iter().skip(1).find_map(|t| own(&t.name));
    let (Some(above), None | Some(OptOutDoc::Column { .. })) = (above, &dataset.opt_out) else { return };
    let (span, says) = match &dataset.opt_out {
        Some(OptOutDoc::Column { column, .. }) => (
            &column.span,
            format!("a question of {} would keep this rule and not that of {above}", table.name),
        ),
        _ => {
            (&dataset.name.span, format!("people whom {above} leaves out would be counted in {}", table.name))
        }
    };
    let fix = format!("write opt_out = {{ via = \"{above}\" }}");
    ground.faults.error("CP222", span, format!("dataset.{}.opt_out", table.name), says, fix);
}

fn own(column: &At<String>, only_if: &At<Vec<At<String>>>, table: &Table, ground: &Ground<'_>) {
    let rule = format!("dataset.{}.opt_out", table.name);
    let Some(found) = table.column(&column.value) else {
        let known = table.columns.iter().map(|c| c.name.clone());
        ground.faults.unknown("CP214", "column", &column.value, &column.span, rule, known);
        return;
    };
    let codes = ground.schema.codes_at(found, CODE_GRAIN).unwrap_or_default();
    if codes.is_empty() {
        let says = format!("`{}` holds no codes by which a person could say yes", found.name);
        ground.faults.error("CP214", &column.span, rule, says, "name a coded column");
        return;
    }
    consent(&codes, only_if, &rule, ground);
    beside_the_objection(column, table, &rule, ground);
}

/// Only a code by which a person said yes counts: a blank is not consent.
fn consent(codes: &[String], only_if: &At<Vec<At<String>>>, rule: &str, ground: &Ground<'_>) {
    let rule = format!("{rule}.share_only_if");
    for code in &only_if.value {
        if code.value.is_empty() || code.value == UNKNOWN {
            let says = "a person who did not answer would be counted as one who agreed";
            let fix = "name only the codes by which a person said yes";
            ground.faults.error("CP215", &code.span, rule.clone(), says, fix);
        } else if !codes.contains(&code.value) {
            let known = codes.iter().filter(|c| *c != UNKNOWN).cloned();
            ground.faults.unknown("CP214", "code", &code.value, &code.span, rule.clone(), known);
        }
    }
    let leaves_out =
        codes.iter().filter(|c| *c != UNKNOWN).any(|c| !only_if.value.iter().any(|o| o.value == *c));
    if only_if.value.is_empty() || !leaves_out {
        let says = if leaves_out { "nobody could be counted" } else { "every answer counts as consent" };
        ground.faults.error("CP215", &only_if.span, rule, says, "name the codes by which a person said yes");
    }
}

/// The objection of the data dictionary is applied whatever a file says.
fn beside_the_objection(column: &At<String>, table: &Table, rule: &str, ground: &Ground<'_>) {
    let always = table.columns.iter().find(|c| c.allows(Use::AlwaysApplied));
    if let Some(always) = always.filter(|c| c.name != column.value) {
        let says = format!(
            "`{}` is a rule of this partner's own; `{}` is applied besides, whatever a file says",
            shown(&column.value),
            always.name
        );
        let fix = "keep it if people are asked twice; objections need no line";
        ground.faults.warn("CP217", &column.span, rule, says, fix);
    }
}

fn codes(rule: &ColumnRule, column: &Column, path: &str, ground: &Ground<'_>) {
    let Some(named) = rule.codes.as_ref().filter(|c| column.codes.as_ref() != Some(&c.value)) else { return };
    let path = format!("{path}.codes");
    match &column.codes {
        Some(list) => ground.faults.unknown(
            "CP212",
            "code list of the column",
            &named.value,
            &named.span,
            path,
            std::iter::once(list.clone()),
        ),
        None => {
            let says = format!("`{}` has no code list", column.name);
            ground.faults.error("CP212", &named.span, path, says, "delete `codes`");
        }
    }
}

/// A number that may be added up says how much one row can add, and in what.
fn measure(dataset: &Dataset, rule: &ColumnRule, column: &Column, path: &str, ground: &Ground<'_>) {
    let error = |span: &std::ops::Range<usize>, key: &str, says: String, fix: String| {
        ground.faults.error("CP213", span, format!("{path}.{key}"), says, fix);
    };
    let measured = rule.usage.as_ref().is_some_and(|u| u.value == Usage::Measure);
    if !measured {
        if let Some(span) = rule.bounds.as_ref().map(|b| &b.span).or(rule.unit.as_ref().map(|u| &u.span)) {
            let says = format!("`{}` is not a measure, and has bounds or a unit", column.name);
            error(span, "use", says, "write use = \"measure\", or delete them".to_owned());
        }
        return;
    }
    if rule.unit.is_none() {
        let says = format!("the measure `{}` does not say its unit", column.name);
        error(&rule.key, "unit", says, "add unit = \"…\"".to_owned());
    }
    let (Kind::Whole { least, most }, true) = (column.kind, column.class != Class::Identifier) else {
        return;
    };
    let Some(bounds) = &rule.bounds else {
        let says = format!("nothing bounds what one row adds to a sum of `{}`", column.name);
        error(&rule.key, "bounds", says, format!("add bounds = [{least}, {most}], or closer"));
        return;
    };
    let (own_least, own_most) = (i64::from(bounds.value.0), i64::from(bounds.value.1));
    if own_least < least || own_most > most {
        let says = format!("[{own_least}, {own_most}] is wider than the dictionary's [{least}, {most}]");
        error(&bounds.span, "bounds", says, format!("write [{least}, {most}], or closer"));
    }
    let rows = dataset.rows_per_person.as_ref().map_or(1, |r| r.value);
    if u128::from(bounds.value.1) * u128::from(rows) * PERSONS_MAX >= SUM_MAX {
        let says = format!(
            "{own_most} a row, {rows} rows a person and {PERSONS_MAX} people add up to more than can be held"
        );
        error(&bounds.span, "bounds", says, "lower the bound or max_rows_per_person".to_owned());
    }
}

/// People in one partner's records at most: three times Scotland.
const PERSONS_MAX: u128 = 1 << 24;
/// Sums are 64-bit integers with room for noise: persons × rows × largest value stays below 2⁶² (release design, section 5).
const SUM_MAX: u128 = 1 << 62;
