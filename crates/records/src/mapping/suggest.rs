//! A first draft of a mapping file, from the header of an export.

use std::fmt::Write as _;

use cairn_question::Schema;
use cairn_question::form::nearest;
use cairn_question::schema::{Class, Column, Kind, Table};

/// A commented draft of a mapping for an export with this header: each column of the dictionary that looks like one of the
/// header's, each that every row needs, and the columns of the header that nothing was found for.
///
/// A draft, not a mapping: it does not pass [`crate::Mapping::parse`] until the marked lines are filled in.
#[must_use]
pub fn suggest(header: &[&str]) -> String {
    let mut draft = HEAD.to_owned();
    let mut used = Vec::new();
    for name in ["participants", "engagements", "activities", "outcomes"] {
        if let Some(table) = Schema::smf().table(name) {
            suggest_table(table, header, &mut used, &mut draft);
        }
    }
    let left: Vec<&&str> = header.iter().filter(|h| !used.iter().any(|u| u == **h)).collect();
    if !left.is_empty() {
        draft.push_str("\n# Columns of the export that nothing was suggested for:\n");
        for column in left {
            let _ = writeln!(draft, "#   {}", quoted(column));
        }
    }
    draft
}

fn suggest_table(table: &Table, header: &[&str], used: &mut Vec<String>, draft: &mut String) {
    let _ = writeln!(draft, "\n[table.{}]  # one row for each {}", table.name, table.one_row_is);
    let _ = writeln!(draft, "source = \"export\"");
    let _ =
        writeln!(draft, "# when = {{ column = \"…\", is = [\"…\"] }}  # only rows with one of these values");
    let _ = writeln!(draft, "\n[table.{}.columns]", table.name);
    let mut flags_of = Vec::new();
    for column in table.columns.iter().filter(|c| fillable(c)) {
        let name = column.flag_of.as_ref().unwrap_or(&column.name);
        if column.flag_of.is_some() && std::mem::replace(&mut flags_of, vec![name]) == [name] {
            continue;
        }
        match like(table, column, name, header) {
            Some(from) => {
                let _ = writeln!(draft, "{name} = {}", cell(column, &from));
                used.push(from);
            }
            None if !column.nullable => {
                let _ = writeln!(draft, "{name} = {{ from = \"…\" }}  # every row needs it");
            }
            None => {}
        }
    }
}

/// The header's own spelling of a column, or the nearest that is not another column's name. A special-category column is
/// never guessed: `parent_status` is near to `trans_status`, and nobody may be read as something because of spelling.
fn like(table: &Table, column: &Column, name: &str, header: &[&str]) -> Option<String> {
    if header.contains(&name) {
        return Some(name.to_owned());
    }
    if column.class == Class::SpecialCategory {
        return None;
    }
    let free = header.iter().filter(|h| table.column(h).is_none());
    nearest(name, free.map(|h| (*h).to_owned()))
}

fn cell(column: &Column, from: &str) -> String {
    let from = quoted(from);
    let list = column.codes.as_deref().and_then(|id| Schema::smf().code_list(id));
    match column.kind {
        Kind::Date => format!("{{ from = {from}, date = \"%Y-%m-%d\" }}  # check the form"),
        _ if column.flag_of.is_some() => format!("{{ from = {from}, split = \";\" }}"),
        Kind::Code | Kind::NumberCode | Kind::YesNo => {
            let words = list.map(|l| l.codes.iter().map(|c| c.code.as_str()).take(8).collect::<Vec<_>>());
            let words = words.unwrap_or_else(|| vec!["yes", "no"]).join(", ");
            format!("{{ from = {from} }}  # or with codes = {{ \"…\" = \"…\" }}: {words}")
        }
        _ => format!("{{ from = {from} }}"),
    }
}

/// Whether a mapping may fill the column.
fn fillable(column: &Column) -> bool {
    use cairn_question::schema::Derived;
    let by_node = matches!(
        column.derived,
        Some(Derived::DisabledEqa | Derived::LinkQuality | Derived::JobDue12m | Derived::Within12m)
    );
    let own = matches!(column.codes.as_deref(), Some("partner" | "template" | "datazone"));
    let text = column.kind == Kind::Text && column.key.is_none();
    !(by_node || own || text || column.kind == Kind::Sealed || column.name == "as_of")
}

fn quoted(word: &str) -> String {
    toml::Value::String(word.chars().take(120).collect()).to_string()
}

const HEAD: &str = "\
# A draft from the export's header. Fill in what is marked with …, check every line, and delete what does not apply.
# docs/reference/mapping.md explains each key.
cairn_mapping = 1
partner = \"…\"             # the partner's id in the register
as_of = \"…\"               # the day of the export, such as 2025-06-30
template = \"smf-2022\"     # or nolb-2020, year1

# People who object to statistics: map `statistics_objection` below, or say who confirmed that they are left out.
# objections = \"held-elsewhere\"
# confirmed_by = \"…\"

[source.export]
file = \"export.csv\"
";
