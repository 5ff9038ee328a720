//! `cairn schema`: the data dictionary, checked and shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cairn_question::Schema;
use cairn_question::schema::{Class, Column, Documents, Kind};
use clap::Subcommand;

use crate::exit::Exit;
use crate::say;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check schema documents: every fault of every document in one run
    Check {
        /// Folder with codes.toml, templates.toml and tables/ (default: the documents built into this program)
        folder: Option<PathBuf>,
    },
    /// Show the tables, one table's columns, or one code list
    Show {
        /// A table (`participants`) or a code list (`council`); without it, all of their names
        name: Option<String>,
    },
}

pub(crate) fn run(command: &Command) -> Exit {
    match command {
        Command::Check { folder } => check(folder.as_deref()),
        Command::Show { name: None } => {
            say::out(&overview());
            Exit::Done
        }
        Command::Show { name: Some(name) } => match table(name).or_else(|| list(name)) {
            Some(text) => {
                say::out(&text);
                Exit::Done
            }
            None => {
                let known = Schema::smf().tables().map(|t| t.name.clone());
                let known = known.chain(Schema::smf().code_lists().map(|l| l.id.clone()));
                let hint =
                    cairn_question::form::nearest(name, known).map(|n| format!("; did you mean `{n}`?"));
                say::error(
                    "CC101",
                    &format!("there is no table or code list `{name}`{}", hint.unwrap_or_default()),
                );
                Exit::Failed
            }
        },
    }
}

fn check(folder: Option<&Path>) -> Exit {
    let documents = match folder.map(read).transpose() {
        Ok(read) => read.unwrap_or_else(Documents::embedded),
        Err(says) => {
            say::error("CC102", &says);
            return Exit::Failed;
        }
    };
    match Schema::parse(&documents) {
        Ok(schema) => {
            let columns: usize = schema.tables().map(|t| t.columns.len()).sum();
            say::out(&format!(
                "The schema documents are in order: {} tables, {columns} columns, {} code lists, {} template vintages.\n",
                schema.tables().count(),
                schema.code_lists().count(),
                schema.templates().len()
            ));
            Exit::Done
        }
        Err(faults) => {
            for fault in &faults {
                say::error(fault.code, &format!("{}: {}", fault.file, fault.what));
            }
            Exit::BadFile
        }
    }
}

/// Reads the documents of a folder by the names that the built-in ones have, and any further table.
pub(crate) fn read(folder: &Path) -> Result<Documents, String> {
    let cannot = |path: &Path| {
        format!("{} cannot be read; name the folder that holds codes.toml and tables/", path.display())
    };
    let mut documents = BTreeMap::new();
    for name in ["codes.toml", "templates.toml"] {
        if let Ok(text) = std::fs::read_to_string(folder.join(name)) {
            documents.insert(name.to_owned(), text);
        }
    }
    let tables = folder.join("tables");
    for entry in std::fs::read_dir(&tables).map_err(|_| cannot(&tables))? {
        let path = entry.map_err(|_| cannot(&tables))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".toml") {
            let text = std::fs::read_to_string(&path).map_err(|_| cannot(&path))?;
            documents.insert(format!("tables/{name}"), text);
        }
    }
    Ok(Documents(documents))
}

fn overview() -> String {
    let mut text = String::from("Tables\n");
    for table in Schema::smf().tables() {
        let _ = writeln!(
            text,
            "  {:<18} one row is one {}; version {}",
            table.name, table.one_row_is, table.version
        );
    }
    text.push_str("\nTemplate vintages\n");
    for template in Schema::smf().templates() {
        let _ = writeln!(text, "  {:<18} {}", template.id, template.label);
    }
    text.push_str("\nCode lists\n  ");
    let lists: Vec<&str> = Schema::smf().code_lists().map(|l| l.id.as_str()).collect();
    text.push_str(&lists.join(", "));
    text.push_str("\n\nNext: cairn schema show participants\n");
    text
}

fn table(name: &str) -> Option<String> {
    let table = Schema::smf().table(name)?;
    let mut text =
        format!("{} (version {}): one row is one {}\n", table.name, table.version, table.one_row_is);
    if let Some(parent) = &table.parent {
        let _ = writeln!(text, "belongs to {} by {}", parent.table, parent.on);
    }
    let _ = writeln!(text, "\n  {:<32} {:<6} {:<26} use", "column", "class", "kind");
    for column in &table.columns {
        let derived = if column.derived.is_some() { " (made in the node)" } else { "" };
        let _ = writeln!(
            text,
            "  {:<32} {:<6} {:<26} {}{derived}",
            column.name,
            class(column.class),
            kind(column),
            column.use_in_words
        );
    }
    text.push_str("\nClasses: I identifier, K linkage, Q quasi-identifier, S special category, N neutral.\n");
    Some(text)
}

fn list(name: &str) -> Option<String> {
    let list = Schema::smf().code_list(name)?;
    let mut text = format!("{} (version {})\n", list.id, list.version);
    if let Some(open) = &list.open {
        let _ = writeln!(text, "  {open}");
    }
    for code in &list.codes {
        let _ = writeln!(text, "  {:<28} {}", code.code, code.label);
    }
    for grain in &list.grains {
        let _ = writeln!(text, "\ngrain {}", grain.name);
        for part in &grain.parts {
            let _ = writeln!(text, "  {:<28} {}", part.code, part.of.join(", "));
        }
    }
    for group in &list.groups {
        let _ = writeln!(text, "\nnamed group {}: {}", group.code, group.of.join(", "));
    }
    if !list.note.is_empty() {
        let _ = writeln!(text, "\nNote: {}", list.note);
    }
    Some(text)
}

const fn class(class: Class) -> &'static str {
    match class {
        Class::Identifier => "I",
        Class::Linkage => "K",
        Class::QuasiIdentifier => "Q",
        Class::SpecialCategory => "S",
        Class::Neutral => "N",
    }
}

fn kind(column: &Column) -> String {
    let codes = column.codes.as_deref().unwrap_or_default();
    match column.kind {
        Kind::Code | Kind::NumberCode => format!("code of {codes}"),
        Kind::Text => "text".into(),
        Kind::Date => "date".into(),
        Kind::YesNo => "yes or no".into(),
        Kind::Whole { least, most } => format!("whole number {least} to {most}"),
        Kind::Sealed => "never in a snapshot".into(),
    }
}
