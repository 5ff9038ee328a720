//! Reads documents into a [`Schema`], reporting every fault in one run.

use std::collections::{BTreeMap, BTreeSet};

use super::documents::{CodesDoc, ColumnDoc, Documents, ListDoc, MapDoc, TableDoc, TemplatesDoc};
use super::{
    Class, Code, CodeList, Column, Derived, Grain, Group, Key, Kind, Order, Parent, Schema, Table, Template,
    TemplateMap, Use,
};

/// A fault in a schema document.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[error("{code} {file}: {what}")]
pub struct SchemaFault {
    /// `CS001` not readable, `CS002` unknown word, `CS003` a reference to nothing, `CS004` codes or bands that overlap or
    /// are missing, `CS005` a required document is missing.
    pub code: &'static str,
    /// The document.
    pub file: String,
    /// What is wrong, with the line where the reader knows it.
    pub what: String,
}

struct Faults(Vec<SchemaFault>);

impl Faults {
    fn add(&mut self, code: &'static str, file: &str, what: impl Into<String>) {
        self.0.push(SchemaFault { code, file: file.to_owned(), what: what.into() });
    }
}

pub(super) fn parse(documents: &Documents) -> Result<Schema, Vec<SchemaFault>> {
    let mut faults = Faults(Vec::new());
    let lists = read::<CodesDoc>(documents, "codes.toml", |d| d.cairn_schema, &mut faults)
        .map(|doc| code_lists(doc, &mut faults))
        .unwrap_or_default();
    let tables = tables(documents, &lists, &mut faults);
    let templates = read::<TemplatesDoc>(documents, "templates.toml", |d| d.cairn_schema, &mut faults)
        .map(|doc| templates(doc, &tables, &lists, &mut faults))
        .unwrap_or_default();
    check_parents(&tables, &mut faults);
    if faults.0.is_empty() {
        Ok(Schema { tables, lists, templates })
    } else {
        faults.0.sort();
        Err(faults.0)
    }
}

fn read<T: serde::de::DeserializeOwned>(
    documents: &Documents,
    file: &str,
    format: impl Fn(&T) -> u8,
    faults: &mut Faults,
) -> Option<T> {
    let Some(text) = documents.0.get(file) else {
        faults.add("CS005", file, "this document is missing");
        return None;
    };
    match toml::from_str::<T>(text) {
        Ok(doc) if format(&doc) == 1 => Some(doc),
        Ok(_) => {
            faults.add("CS001", file, "unknown format number; this program reads `cairn_schema = 1`");
            None
        }
        Err(error) => {
            faults.add("CS001", file, error.to_string());
            None
        }
    }
}

fn code_lists(doc: CodesDoc, faults: &mut Faults) -> BTreeMap<String, CodeList> {
    let mut lists = BTreeMap::new();
    for list in doc.list {
        check_list(&list, faults);
        let list = CodeList {
            codes: list.codes.into_iter().map(|[code, label]| Code { code, label }).collect(),
            grains: list
                .grain
                .into_iter()
                .map(|g| Grain {
                    name: g.name,
                    parts: g.parts.into_iter().map(|p| Group { code: p.code, of: p.of }).collect(),
                })
                .collect(),
            groups: list.group.into_iter().map(|g| Group { code: g.name, of: g.of }).collect(),
            id: list.id,
            version: list.version,
            aliases: list.aliases,
            open: list.open,
            order: if list.ordered { Order::Rising } else { Order::None },
            note: list.note,
        };
        if let Some(twice) = lists.insert(list.id.clone(), list) {
            faults.add("CS004", "codes.toml", format!("list `{}` is defined twice", twice.id));
        }
    }
    lists
}

fn check_list(list: &ListDoc, faults: &mut Faults) {
    let mut add = |what: String| faults.add("CS004", "codes.toml", format!("list `{}`: {what}", list.id));
    let codes: BTreeSet<&str> = list.codes.iter().map(|[code, _]| code.as_str()).collect();
    if codes.len() != list.codes.len() {
        add("a code stands twice".into());
    }
    if codes.is_empty() && list.open.is_none() {
        add("has no codes and does not say where they are kept".into());
    }
    if list.codes.len() > 120 {
        add("more than 120 codes do not fit a snapshot's Int8 keys".into());
    }
    for (old, new) in &list.aliases {
        if codes.contains(old.as_str()) || !codes.contains(new.as_str()) {
            add(format!("alias `{old}` must be an old code of a present one"));
        }
    }
    for grain in &list.grain {
        let members: Vec<&str> = grain.parts.iter().flat_map(|p| p.of.iter().map(String::as_str)).collect();
        let set: BTreeSet<&str> = members.iter().copied().collect();
        if set.len() != members.len() {
            add(format!("grain `{}`: bands overlap", grain.name));
        }
        let rest: Vec<_> = codes.difference(&set).filter(|c| **c != super::UNKNOWN).collect();
        if !rest.is_empty() || !set.is_subset(&codes) {
            add(format!("grain `{}` does not cover exactly the list's codes", grain.name));
        } else if list.ordered && !in_order(list, members) {
            add(format!("grain `{}` is not in the list's order", grain.name));
        }
    }
    for group in &list.group {
        if group.of.is_empty() || !group.of.iter().all(|c| codes.contains(c.as_str())) {
            add(format!("group `{}` names codes the list has not", group.name));
        }
        if codes.contains(group.name.as_str()) {
            add(format!("group `{}` has the name of a code", group.name));
        }
    }
}

/// Whether a grain's members stand as the list's codes do, wherever either has the missing category.
fn in_order(list: &ListDoc, members: Vec<&str>) -> bool {
    let known = |code: &&str| *code != super::UNKNOWN;
    let codes = list.codes.iter().map(|[code, _]| code.as_str());
    members.into_iter().filter(known).eq(codes.filter(known))
}

fn tables(
    documents: &Documents,
    lists: &BTreeMap<String, CodeList>,
    faults: &mut Faults,
) -> BTreeMap<String, Table> {
    let files: Vec<&String> = documents.0.keys().filter(|f| f.starts_with("tables/")).collect();
    let mut tables = BTreeMap::new();
    for file in files {
        let Some(doc) = read::<TableDoc>(documents, file, |d| d.cairn_schema, faults) else { continue };
        if *file != format!("tables/{}.toml", doc.table.name) {
            faults.add("CS004", file, format!("table `{}` belongs in tables/{0}.toml", doc.table.name));
        }
        let columns: Vec<Column> =
            doc.column.into_iter().flat_map(|c| columns(file, c, lists, faults)).collect();
        let names: BTreeSet<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        if names.len() != columns.len() {
            faults.add("CS004", file, "a column is defined twice");
        }
        if let Some(key) = doc.table.person_key.as_deref().filter(|k| !names.contains(k)) {
            faults.add("CS003", file, format!("person_key `{key}` is not a column"));
        }
        let closes = |name: &str| columns.iter().any(|c| c.name == name && c.kind == Kind::Date);
        if let Some(name) = doc.table.closed_by.as_deref().filter(|name| !closes(name)) {
            faults.add("CS003", file, format!("closed_by `{name}` is not a date column"));
        }
        let parent = doc.table.parent.map(|p| Parent { table: p.table, on: p.on });
        tables.insert(
            doc.table.name.clone(),
            Table {
                name: doc.table.name,
                version: doc.table.version,
                one_row_is: doc.table.one_row_is,
                person_key: doc.table.person_key,
                parent,
                rows_per_person_max: doc.table.rows_per_person_max,
                closed_by: doc.table.closed_by,
                columns,
            },
        );
    }
    tables
}

/// The column, or for a multi-valued one a yes/no/unknown flag for each code (flattened at intake).
fn columns(
    file: &str,
    doc: ColumnDoc,
    lists: &BTreeMap<String, CodeList>,
    faults: &mut Faults,
) -> Vec<Column> {
    if let Some(id) = doc.codes.as_deref().filter(|id| !lists.contains_key(*id)) {
        faults.add("CS003", file, format!("column `{}`: no code list `{id}`", doc.name));
        return Vec::new();
    }
    if doc.kind != "flags" {
        return column(file, &doc, faults).into_iter().collect();
    }
    let codes =
        doc.codes.as_deref().and_then(|id| lists.get(id)).map(|l| l.codes.clone()).unwrap_or_default();
    let flag = |code: Code| ColumnDoc {
        name: format!("{}_{}", doc.name, code.code),
        kind: "code".into(),
        codes: Some("yes_no_unknown".into()),
        may: vec!["filter".into(), "group".into()],
        ..doc.clone()
    };
    let split = codes.into_iter().filter_map(|code| column(file, &flag(code), faults));
    split.map(|c| Column { flag_of: Some(doc.name.clone()), ..c }).collect()
}

fn column(file: &str, doc: &ColumnDoc, faults: &mut Faults) -> Option<Column> {
    let mut unknown = |what: &str, word: &str| {
        faults.add("CS002", file, format!("column `{}`: unknown {what} `{word}`", doc.name));
    };
    let kind = kind(doc);
    let class = class(&doc.class);
    let key = doc.key.as_deref().map(key);
    let derived = doc.derived.as_deref().map(derived);
    let may: Option<Vec<Use>> = doc.may.iter().map(|w| usage(w)).collect();
    for (missing, what, word) in [
        (kind.is_none(), "type", doc.kind.as_str()),
        (class.is_none(), "class", doc.class.as_str()),
        (key == Some(None), "key", doc.key.as_deref().unwrap_or_default()),
        (derived == Some(None), "derived rule", doc.derived.as_deref().unwrap_or_default()),
        (may.is_none(), "use in", &doc.may.join(", ")),
    ] {
        if missing {
            unknown(what, word);
        }
    }
    Some(Column {
        name: doc.name.clone(),
        kind: kind?,
        nullable: doc.nullable,
        key: key.flatten(),
        codes: doc.codes.clone(),
        class: class?,
        may: may?,
        use_in_words: doc.use_in_words.clone(),
        derived: derived.flatten(),
        flag_of: None,
        note: doc.note.clone(),
    })
}

fn kind(doc: &ColumnDoc) -> Option<Kind> {
    Some(match doc.kind.as_str() {
        "code" if doc.codes.is_some() => Kind::Code,
        "number-code" if doc.codes.is_some() => Kind::NumberCode,
        "text" => Kind::Text,
        "date" => Kind::Date,
        "yes-no" => Kind::YesNo,
        "whole" => {
            let [least, most] = doc.bounds?;
            Kind::Whole { least, most }
        }
        "sealed" => Kind::Sealed,
        _ => return None,
    })
}

fn class(word: &str) -> Option<Class> {
    Some(match word {
        "N" => Class::Neutral,
        "Q" => Class::QuasiIdentifier,
        "S" => Class::SpecialCategory,
        "K" => Class::Linkage,
        "I" => Class::Identifier,
        _ => return None,
    })
}

fn key(word: &str) -> Option<Key> {
    match word {
        "PK" => Some(Key::Primary),
        "FK" => Some(Key::Foreign),
        _ => None,
    }
}

fn derived(word: &str) -> Option<Derived> {
    Some(match word {
        "age_band" => Derived::AgeBand,
        "disabled_eqa" => Derived::DisabledEqa,
        "simd_quintile" => Derived::SimdQuintile,
        "link_quality" => Derived::LinkQuality,
        "job_due_12m" => Derived::JobDue12m,
        "within_12m" => Derived::Within12m,
        "follow_up" => Derived::FollowUp,
        _ => return None,
    })
}

fn usage(word: &str) -> Option<Use> {
    Some(match word {
        "group" => Use::Group,
        "filter" => Use::Filter,
        "period" => Use::Period,
        "sum" => Use::Sum,
        "histogram" => Use::Histogram,
        "count-people" => Use::CountPeople,
        "count-rows" => Use::CountRows,
        "derive" => Use::Derive,
        "always-applied" => Use::AlwaysApplied,
        _ => return None,
    })
}

fn check_parents(tables: &BTreeMap<String, Table>, faults: &mut Faults) {
    for table in tables.values() {
        let Some(parent) = &table.parent else { continue };
        let file = format!("tables/{}.toml", table.name);
        let joined = tables.get(&parent.table).and_then(|p| p.column(&parent.on));
        if joined.is_none() || table.column(&parent.on).is_none() {
            faults.add(
                "CS003",
                &file,
                format!("parent `{}` cannot be joined on `{}`", parent.table, parent.on),
            );
        }
        let mut above = Some(parent.table.as_str());
        let mut steps = 0;
        while let Some(name) = above {
            above = tables.get(name).and_then(|t| t.parent.as_ref()).map(|p| p.table.as_str());
            steps += 1;
            if steps > tables.len() {
                faults.add("CS003", &file, "parents form a loop");
                break;
            }
        }
    }
}

fn templates(
    doc: TemplatesDoc,
    tables: &BTreeMap<String, Table>,
    lists: &BTreeMap<String, CodeList>,
    faults: &mut Faults,
) -> Vec<Template> {
    let column_of = |path: &str| {
        let (table, column) = path.split_once('.')?;
        tables.get(table)?.column(column)
    };
    let known = lists.get("template");
    let mut templates = Vec::new();
    for t in doc.template {
        if !known.is_some_and(|l| l.codes.iter().any(|c| c.code == t.id)) {
            faults.add(
                "CS003",
                "templates.toml",
                format!("template `{}` is not in the list `template`", t.id),
            );
        }
        for path in t.lacks.iter().filter(|p| column_of(p).is_none()) {
            faults.add("CS003", "templates.toml", format!("template `{}`: no column `{path}`", t.id));
        }
        for map in &t.map {
            check_map(&t.id, map, column_of(&map.column), lists, faults);
        }
        let maps = t
            .map
            .into_iter()
            .map(|m| TemplateMap { column: m.column, codes: m.codes, lossy: m.lossy })
            .collect();
        templates.push(Template { id: t.id, label: t.label, lacks: t.lacks, maps });
    }
    templates
}

fn check_map(
    id: &str,
    map: &MapDoc,
    column: Option<&Column>,
    lists: &BTreeMap<String, CodeList>,
    faults: &mut Faults,
) {
    let list = column.and_then(|c| c.codes.as_deref()).and_then(|id| lists.get(id));
    let Some(list) = list else {
        faults.add("CS003", "templates.toml", format!("template `{id}`: no coded column `{}`", map.column));
        return;
    };
    for to in map.codes.values().filter(|to| !list.codes.iter().any(|c| c.code == **to)) {
        faults.add(
            "CS003",
            "templates.toml",
            format!("template `{id}`: `{}` has no code `{to}`", map.column),
        );
    }
}
