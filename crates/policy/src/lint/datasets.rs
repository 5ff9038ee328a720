use cairn_question::form::nearest;
use cairn_question::schema::{Class, Column, Table, Use};

use crate::document::{ColumnRule, Dataset, Usage};
use crate::layers::chain;
use crate::lint::Ground;
use crate::public::names;

pub(super) fn check(ground: &Ground<'_>) {
    for dataset in ground.policy.datasets.values() {
        let Some(table) = ground.schema.table(&dataset.name.value) else {
            let known = ground.schema.tables().map(|t| t.name.clone());
            let rule = format!("dataset.{}", dataset.name.value);
            ground.faults.unknown("CP201", "table", &dataset.name.value, &dataset.name.span, rule, known);
            continue;
        };
        rows(dataset, table, ground);
        unit(dataset, table, ground);
        for (name, rule) in &dataset.columns {
            match table.column(name) {
                Some(column) => allowed(dataset, column, rule, ground),
                None if is_split(table, name) => split(dataset, name, rule, ground),
                None => unknown(name, rule, table, ground),
            }
        }
        unlisted(dataset, table, ground);
        super::held::check(dataset, table, ground);
    }
}

/// Whether the name is that of a multi-valued column, which the schema holds as one flag for each code.
fn is_split(table: &Table, name: &str) -> bool {
    table.columns.iter().any(|c| c.flag_of.as_deref() == Some(name))
}

/// The name of a multi-valued column stands for all its flags, and only to hide them.
fn split(dataset: &Dataset, name: &str, rule: &ColumnRule, ground: &Ground<'_>) {
    if let Some(usage) = rule.usage.as_ref().filter(|u| u.value != Usage::Hidden) {
        let says = format!("`{name}` is held as one flag for each code, which overlap");
        let path = format!("dataset.{}.columns.{name}", dataset.name.value);
        ground.faults.error(
            "CP203",
            &usage.span,
            path,
            says,
            "write use = \"hidden\", or list the flags one by one",
        );
    }
}

fn unknown(name: &str, rule: &ColumnRule, table: &Table, ground: &Ground<'_>) {
    let known = table.columns.iter().map(|c| c.name.clone());
    let path = format!("dataset.{}.columns.{}", table.name, crate::read::shown(name));
    // A name that differs by a letter which only looks the same is said apart: it is rarely a slip.
    let foreign = name.chars().find(|c| !c.is_ascii());
    match foreign {
        Some(c) => {
            let says =
                format!("the column name has a letter that is not a plain one (U+{:04X})", u32::from(c));
            let near = nearest(name, known)
                .map_or_else(|| "type it again".to_owned(), |n| format!("did you mean `{n}`?"));
            ground.faults.error("CP007", &rule.key, path, says, near);
        }
        None => ground.faults.unknown("CP202", "column", name, &rule.key, path, known),
    }
}

fn rows(dataset: &Dataset, table: &Table, ground: &Ground<'_>) {
    if let Some(words) = dataset.one_row_is.as_ref().filter(|w| w.value != table.one_row_is) {
        let says = format!("one row of {} is one {}", table.name, table.one_row_is);
        let rule = format!("dataset.{}.one_row_is", table.name);
        ground.faults.error("CP205", &words.span, rule, says, format!("write \"{}\"", table.one_row_is));
    }
    let rule = format!("dataset.{}.max_rows_per_person", table.name);
    match (&dataset.rows_per_person, table.rows_per_person_max) {
        (Some(rows), Some(most)) if rows.value > most => {
            let says = format!("{} rows of one person, the dictionary allows {most}", rows.value);
            ground.faults.error("CP206", &rows.span, rule, says, format!("write {most} or less"));
        }
        (Some(rows), None) => {
            let says = format!("one row of {} is one person already", table.name);
            ground.faults.error("CP206", &rows.span, rule, says, "delete the line");
        }
        _ => {}
    }
}

/// The privacy unit is the same person everywhere: one key, named once.
fn unit(dataset: &Dataset, table: &Table, ground: &Ground<'_>) {
    let Some(key) = &table.person_key else { return };
    let rule = || format!("dataset.{}.columns.{key}", table.name);
    let listed = dataset.columns.get(key).and_then(|c| c.usage.as_ref());
    if listed.is_none_or(|u| u.value != Usage::Unit) {
        let span = listed.map_or(&dataset.name.span, |u| &u.span);
        let says = format!("`{key}` names the person and must be `use = \"unit\"`");
        ground.faults.error("CP207", span, rule(), says, format!("write {key} = {{ use = \"unit\" }}"));
    }
    if let Some(unit) = ground.policy.unit.as_ref().filter(|u| u.value != *key) {
        let says = format!("the person's key in {} is `{key}`", table.name);
        ground.faults.error("CP207", &unit.span, "unit.key", says, format!("write key = \"{key}\""));
    }
}

/// A use that the data dictionary never allows, or grains that the column has not.
fn allowed(dataset: &Dataset, column: &Column, rule: &ColumnRule, ground: &Ground<'_>) {
    let Some(usage) = &rule.usage else { return };
    let table = &dataset.name.value;
    let path = format!("dataset.{table}.columns.{}", column.name);
    let may = match usage.value {
        Usage::Hidden => true,
        Usage::Unit => column.allows(Use::CountPeople),
        Usage::Link => column.class == Class::Linkage,
        Usage::Dimension => column.allows(Use::Group),
        Usage::Filter => column.allows(Use::Filter),
        Usage::Time => column.allows(Use::Period),
        Usage::Measure => column.allows(Use::Sum) || column.allows(Use::Histogram),
    };
    let names_a_record = matches!(column.class, Class::Identifier | Class::Linkage);
    let kept = matches!(usage.value, Usage::Hidden | Usage::Unit | Usage::Link);
    if !may || (names_a_record && !kept) {
        let says = format!(
            "`{}` can never be used as `{}`; the dictionary says: {}",
            column.name,
            usage.value.as_str(),
            column.use_in_words
        );
        ground.faults.error("CP203", &usage.span, path.clone(), says, "write use = \"hidden\"");
    }
    if column.class == Class::SpecialCategory && !kept && !rule.special {
        let says = format!("`{}` is special-category data and must say so", column.name);
        ground.faults.error("CP208", &rule.key, path.clone(), says, "add `special = true`");
    }
    let chain = chain(ground.framework, table, &column.name);
    for grain in &rule.grains {
        if !ground.schema.grains(column).contains(&grain.value.as_str()) {
            let known = ground.schema.grains(column).into_iter().map(str::to_owned);
            ground.faults.unknown("CP204", "grain", &grain.value, &grain.span, path.clone(), known);
        } else if !chain.contains(&grain.value) {
            let says = format!("the framework does not share `{}` by `{}`", column.name, grain.value);
            let fix = format!("it shares it by {}", chain.join(" or "));
            ground.faults.error("CP408", &grain.span, path.clone(), says, fix);
        }
    }
    let grained = usage.value.groups() || usage.value.filters();
    if grained && rule.grains.is_empty() {
        let says = format!("`{}` names no grain", column.name);
        ground.faults.error(
            "CP204",
            &rule.key,
            path,
            says,
            format!("add grains = [\"{}\"]", chain.join("\", \"")),
        );
    }
}

/// A column that the policy does not list is hidden. Said once a table: a new column in an export must be noticed.
fn unlisted(dataset: &Dataset, table: &Table, ground: &Ground<'_>) {
    let names = table.columns.iter().filter(|c| !names(dataset, c)).map(|c| &c.name);
    let names: Vec<&str> = names.map(String::as_str).collect();
    if !names.is_empty() {
        let says =
            format!("{} of its columns are not listed and so are hidden: {}", names.len(), names.join(", "));
        let rule = format!("dataset.{}.columns", table.name);
        ground.faults.warn("CP802", &dataset.name.span, rule, says, "list each, if only as hidden");
    }
}
