//! Checks a mapping file against the data dictionary and makes the plan that a load follows.

mod cells;
mod linkage;

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path};

use cairn_question::Schema;
use cairn_question::form::nearest;
use cairn_question::schema::{Column, Kind, Table, Template};
use encoding_rs::Encoding;
use toml::Spanned;

use super::document::{CellDoc, LookupDoc, MappingDoc, SourceDoc, TableDoc};
use super::{Lookup, Mapping, ObjectionPlan, Source, TablePlan, TextCell, When};
use crate::report::{Problem, Report};
use crate::snapshot::{Note, Objections};

pub(super) fn parse(file: &str, text: &str) -> Result<Mapping, Report> {
    let mut check = Check { file, text, schema: Schema::smf(), template: None, report: Report::default() };
    let mapping = check.mapping();
    match mapping {
        Some(mapping) if check.report.problems.is_empty() => Ok(mapping),
        _ => {
            check.report.problems.sort_by(|a, b| a.rows.cmp(&b.rows).then_with(|| a.cmp(b)));
            Err(check.report)
        }
    }
}

/// One mapping file under check.
pub(super) struct Check<'a> {
    file: &'a str,
    text: &'a str,
    schema: &'static Schema,
    template: Option<&'static Template>,
    report: Report,
}

impl Check<'_> {
    /// Notes a problem at a place in the file.
    fn add(&mut self, code: &'static str, at: usize, says: impl Into<String>, help: impl Into<String>) {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line = 1 + u64::try_from(before.iter().filter(|b| **b == b'\n').count()).unwrap_or(0);
        self.report.refuse(Problem::refusal(code, self.file, says, help).at_line(Some(line)));
    }

    fn mapping(&mut self) -> Option<Mapping> {
        let doc = self.document()?;
        let template = self.template(&doc.template);
        self.template = template;
        let sources = self.sources(&doc.source);
        let lookups = self.lookups(&doc.lookup);
        let names = Names { sources: doc.source.keys().collect(), lookups: doc.lookup.keys().collect() };
        let mut tables = Vec::new();
        let mut objection = None;
        for (name, table) in &doc.table {
            let (plan, objects) = self.table(name, table, &names);
            tables.extend(plan);
            objection = objection.or(objects);
        }
        self.check_parents(&doc);
        let objections = self.objections(&doc, objection.is_some());
        if doc.max_rejected_percent > 100 {
            self.add(
                "CL102",
                0,
                "`max_rejected_percent` is more than 100",
                "write 0 to 100; the default is 5",
            );
        }
        // Parents first, so that a row's parent is known when the row is read.
        tables.sort_by_key(|t: &TablePlan| self.schema.ancestry(&t.table.name).len());
        let notes = self.notes(&tables);
        Some(Mapping {
            partner: doc.partner,
            as_of: doc.as_of,
            template: template?.id.clone(),
            max_rejected_percent: doc.max_rejected_percent,
            objections: objections?,
            notes,
            sources,
            tables,
            lookups,
            objection,
        })
    }

    fn document(&mut self) -> Option<MappingDoc> {
        if self.text.len() > MAPPING_BYTES_MAX {
            self.add("CL101", 0, "longer than a mapping can be", "a mapping has at most 1 MiB");
            return None;
        }
        match toml::from_str::<MappingDoc>(self.text) {
            Ok(doc) if doc.cairn_mapping == 1 => Some(doc),
            Ok(_) => {
                self.add("CL102", 0, "unknown format number", "this program reads `cairn_mapping = 1`");
                None
            }
            Err(error) => {
                let at = error.span().map_or(0, |s| s.start);
                self.add("CL101", at, one_line(error.message()), "docs/reference/mapping.md lists every key");
                None
            }
        }
    }

    fn template(&mut self, id: &Spanned<String>) -> Option<&'static Template> {
        let found = self.schema.templates().iter().find(|t| t.id == *id.as_ref());
        if found.is_none() {
            let has: Vec<&str> = self.schema.templates().iter().map(|t| t.id.as_str()).collect();
            self.add(
                "CL103",
                id.span().start,
                format!("there is no template `{}`", short(id.as_ref())),
                format!("the templates are {}", has.join(", ")),
            );
        }
        found
    }

    fn sources(&mut self, docs: &BTreeMap<String, Spanned<SourceDoc>>) -> Vec<Source> {
        let mut sources = Vec::new();
        for (name, doc) in docs {
            let (at, doc) = (doc.span().start, doc.get_ref());
            let files: Vec<String> = doc.file.iter().chain(&doc.files).cloned().collect();
            if files.is_empty() || files.len() > FILES_MAX {
                let says = format!("source `{name}` names no file, or more than {FILES_MAX}");
                self.add("CL116", at, says, "write `file = \"people.csv\"`");
            }
            for file in files.iter().filter(|f| !is_plain_path(f)) {
                let says = format!("`{}` leads out of the export's folder", short(file));
                self.add("CL116", at, says, "name files relative to the folder given at load");
            }
            let encoding = Encoding::for_label(doc.encoding.as_bytes());
            if encoding.is_none() {
                let says = format!("unknown encoding `{}`", short(&doc.encoding));
                self.add("CL116", at, says, "such as utf-8, windows-1252 or utf-16le");
            }
            let delimiter = u8::try_from(doc.delimiter).ok().filter(|d| b",;\t|".contains(d));
            if delimiter.is_none() {
                let says = format!("source `{name}` has a delimiter that no CSV file uses");
                self.add("CL116", at, says, "one of `,` `;` `|` or a tab (`\"\\t\"`)");
            }
            sources.push(Source {
                files,
                encoding: encoding.unwrap_or(encoding_rs::UTF_8),
                delimiter: delimiter.unwrap_or(b','),
            });
        }
        sources
    }

    fn lookups(&mut self, docs: &BTreeMap<String, Spanned<LookupDoc>>) -> Vec<Lookup> {
        for doc in docs.values().filter(|d| !is_plain_path(&d.get_ref().file)) {
            let says = format!("`{}` leads out of the export's folder", short(&doc.get_ref().file));
            self.add("CL116", doc.span().start, says, "name files relative to the folder given at load");
        }
        let lookup = |d: &Spanned<LookupDoc>| {
            let LookupDoc { file, key, value } = d.get_ref();
            Lookup { file: file.clone(), key: key.clone(), value: value.clone() }
        };
        docs.values().map(lookup).collect()
    }

    fn table(
        &mut self,
        name: &str,
        doc: &Spanned<TableDoc>,
        names: &Names,
    ) -> (Option<TablePlan>, Option<ObjectionPlan>) {
        let (at, doc) = (doc.span().start, doc.get_ref());
        let Some(table) = self.schema.table(name) else {
            let near = nearest(name, self.schema.tables().map(|t| t.name.clone()));
            self.add("CL105", at, format!("there is no table `{}`", short(name)), did_you_mean(near));
            return (None, None);
        };
        let source = names.sources.iter().position(|s| **s == doc.source);
        if source.is_none() {
            let says = format!("there is no source `{}`", short(&doc.source));
            let near = nearest(&doc.source, names.sources.iter().map(|s| (*s).clone()));
            self.add("CL107", at, says, did_you_mean(near));
        }
        let mut cells = self.cell_docs(table, doc);
        let when = doc.when.clone().map(|w| When { column: w.column, is: w.is });
        let person = table.person_key.as_deref().and_then(|key| self.text_cell(table, key, &mut cells, at));
        let parent =
            table.parent.as_ref().map(|p| p.on.as_str()).filter(|on| table.person_key.as_deref() != Some(on));
        let parent = parent.and_then(|on| self.text_cell(table, on, &mut cells, at));
        let own = own_key(table).and_then(|key| self.text_cell(table, key, &mut cells, at));
        let objects = cells.remove("statistics_objection");
        let linkage = self.linkage(table, doc, at);
        let (fills, splits) = self.fills(table, cells, names, at, linkage.is_some());
        let source = source.unwrap_or(0);
        let objection = objects.zip(person.clone());
        let objection = objection
            .and_then(|((at, cell), person)| self.objection(at, &cell, source, person, when.clone()));
        (Some(TablePlan { table, source, when, person, parent, own, linkage, fills, splits }), objection)
    }

    fn cell_docs(&mut self, table: &'static Table, doc: &TableDoc) -> BTreeMap<String, (usize, CellDoc)> {
        let mut cells = BTreeMap::new();
        for (name, value) in &doc.columns {
            let at = value.span().start;
            let known = table.columns.iter().any(|c| c.name == *name || c.flag_of.as_deref() == Some(name));
            if !known {
                let near = nearest(name, table.columns.iter().map(|c| c.name.clone()));
                let says = format!("`{}` has no column `{}`", table.name, short(name));
                self.add("CL106", at, says, did_you_mean(near));
                continue;
            }
            match value.get_ref().clone().try_into::<CellDoc>() {
                Ok(cell) => {
                    cells.insert(name.clone(), (at, cell));
                }
                Err(error) => self.add(
                    "CL108",
                    at,
                    format!("column `{name}`: {}", one_line(error.message())),
                    "docs/reference/mapping.md lists every key",
                ),
            }
        }
        cells
    }

    fn text_cell(
        &mut self,
        table: &'static Table,
        column: &'static str,
        cells: &mut BTreeMap<String, (usize, CellDoc)>,
        at: usize,
    ) -> Option<TextCell> {
        let Some((at, cell)) = cells.remove(column) else {
            self.required(table, column, at);
            return None;
        };
        match cell {
            CellDoc {
                from: Some(from),
                value: None,
                codes: None,
                blank: None,
                date: None,
                prefix,
                suffix,
                lookup: None,
                split: None,
            } => Some(TextCell {
                column,
                from,
                prefix: prefix.unwrap_or_default(),
                suffix: suffix.unwrap_or_default(),
            }),
            _ => {
                let says = format!("`{column}` is a key: it takes `from`, `prefix` and `suffix` only");
                self.add("CL108", at, says, "such as { from = \"case_no\", suffix = \"-1\" }");
                None
            }
        }
    }

    fn required(&mut self, table: &Table, column: &str, at: usize) {
        let says = format!("`{}` needs the column `{column}`", table.name);
        self.add("CL110", at, says, "map it from a column, or give it one `value` for all rows");
    }

    fn objection(
        &mut self,
        at: usize,
        cell: &CellDoc,
        source: usize,
        person: TextCell,
        when: Option<When>,
    ) -> Option<ObjectionPlan> {
        let as_declared = cell.value.is_none() && cell.date.is_none() && cell.blank.is_none();
        let (Some(from), true) = (&cell.from, as_declared) else {
            let says =
                "`statistics_objection` takes `from` and `codes`; a blank cell always leaves the person out";
            self.add("CL108", at, says, "or write objections = \"held-elsewhere\" and confirmed_by");
            return None;
        };
        let own = || ["yes", "no"].map(|c| (c.to_owned(), c.to_owned())).into_iter().collect();
        let mut codes = HashMap::new();
        for (word, code) in cell.codes.clone().unwrap_or_else(own) {
            match code.as_str() {
                "yes" => codes.insert(word, true),
                "no" => codes.insert(word, false),
                _ => {
                    self.add(
                        "CL109",
                        at,
                        format!("`{}` is neither yes nor no", short(&code)),
                        "yes: objects",
                    );
                    None
                }
            };
        }
        Some(ObjectionPlan { source, person, when, from: from.clone(), codes })
    }

    fn objections(&mut self, doc: &MappingDoc, has_column: bool) -> Option<Objections> {
        let held = doc.objections.as_ref().map(|o| (o.span().start, o.get_ref().as_str()));
        let confirmed = doc.confirmed_by.as_deref().map(str::trim).filter(|c| !c.is_empty());
        match (held, confirmed, has_column) {
            (None, None, true) => Some(Objections::Column),
            (Some((_, "held-elsewhere")), Some(who), false) => {
                Some(Objections::HeldElsewhere { confirmed_by: who.to_owned() })
            }
            (held, _, _) => {
                self.add(
                    "CL104",
                    held.map_or(0, |(at, _)| at),
                    "the mapping must say how people who object are left out, in one way",
                    "map `statistics_objection` under participants, or write objections = \"held-elsewhere\" and \
                     confirmed_by = \"…\": who confirmed that they are left out before the export",
                );
                None
            }
        }
    }

    fn check_parents(&mut self, doc: &MappingDoc) {
        for (name, table) in &doc.table {
            let parent = self.schema.table(name).and_then(|t| t.parent.as_ref());
            if let Some(parent) = parent.filter(|p| !doc.table.contains_key(&p.table)) {
                let says = format!("`{name}` is mapped without `{}`", parent.table);
                self.add("CL115", table.span().start, says, "map the table that its rows belong to as well");
            }
        }
    }

    /// The vintage's losses, for the columns that the export feeds.
    fn notes(&self, tables: &[TablePlan]) -> Vec<Note> {
        let fed = |path: &str| {
            let fills = tables.iter().flat_map(|t| t.fills.iter().map(move |f| (t, f)));
            fills
                .filter(|(_, f)| matches!(f.by, super::By::Cell { .. }))
                .any(|(t, f)| path.split_once('.') == Some((t.table.name.as_str(), f.column)))
        };
        let maps = self.template.iter().flat_map(|t| &t.maps).filter(|m| fed(&m.column));
        maps.filter_map(|m| Some(Note { column: m.column.clone(), says: m.lossy.clone()? })).collect()
    }
}

/// The names that cells may refer to, in the order of the plan's indices.
struct Names<'a> {
    sources: Vec<&'a String>,
    lookups: Vec<&'a String>,
}

/// The row's own key, where it is text and not the person's id.
fn own_key(table: &'static Table) -> Option<&'static str> {
    let own = |c: &&Column| {
        c.key == Some(cairn_question::schema::Key::Primary)
            && c.kind == Kind::Text
            && table.person_key.as_deref() != Some(c.name.as_str())
    };
    table.columns.iter().find(own).map(|c| c.name.as_str())
}

fn is_plain_path(file: &str) -> bool {
    let mut parts = Path::new(file).components().peekable();
    parts.peek().is_some() && parts.all(|c| matches!(c, Component::Normal(_))) && file.len() <= 200
}

fn did_you_mean(near: Option<String>) -> String {
    near.map_or_else(|| "docs/reference/mapping.md".to_owned(), |n| format!("did you mean `{n}`?"))
}

/// At most 80 characters of a word of the mapping file.
fn short(word: &str) -> String {
    word.chars().take(80).collect()
}

fn one_line(text: &str) -> String {
    short(&text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect::<String>())
}

/// Most bytes of a mapping file.
const MAPPING_BYTES_MAX: usize = 1 << 20;

/// Most files of one source: ten years of monthly exports.
const FILES_MAX: usize = 120;
