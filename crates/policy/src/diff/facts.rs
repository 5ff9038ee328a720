//! Every scalar of a file by the path of its rule, as the file has it. Taken from the text itself, so that no value can be
//! left out of a comparison by a reader that does not know it.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A path: `share`, `smf-people`, `group_by`, `participants.sex`.
pub(crate) type Path = Vec<String>;

/// The scalars of a file.
pub(crate) type Facts = BTreeMap<Path, Fact>;

/// A value, in one way of writing it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Fact {
    One(String),
    /// A list; its entries in the order of the file, those of a list in a list joined by ` + `.
    List(Vec<String>),
}

impl Fact {
    /// As people read it.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::One(text) => text.clone(),
            Self::List(entries) => format!("[{}]", entries.join(", ")),
        }
    }
}

/// The scalars of a text. What is not TOML has none; a text that loads is TOML.
fn of(text: &str, prefix: Option<&str>) -> Facts {
    let mut facts = Facts::new();
    if let Ok(tree) = DeTable::parse(text) {
        let mut path: Path = prefix.map(str::to_owned).into_iter().collect();
        table(tree.get_ref(), &mut path, &mut facts);
    }
    facts
}

/// The scalars of a policy and of the framework it stands under, these as `framework.floor.min_people`.
pub(crate) fn of_both(policy: &str, framework: &str) -> Facts {
    let mut facts = of(policy, None);
    for (mut path, fact) in of(framework, Some("framework")) {
        // The framework's own head is `[framework]`.
        if path.get(1).is_some_and(|section| section == "framework") {
            path.remove(1);
        }
        facts.insert(path, fact);
    }
    facts
}

fn table(table: &DeTable<'_>, path: &mut Path, facts: &mut Facts) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        value_at(value, path, facts);
        path.pop();
    }
}

fn value_at(value: &Spanned<DeValue<'_>>, path: &mut Path, facts: &mut Facts) {
    match value.get_ref() {
        DeValue::Table(inner) => table(inner, path, facts),
        DeValue::Array(entries) => {
            let mut texts = Vec::new();
            for (nth, entry) in entries.iter().enumerate() {
                match entry.get_ref() {
                    DeValue::Table(inner) => {
                        path.push(named(inner, nth));
                        table(inner, path, facts);
                        path.pop();
                    }
                    other => texts.push(text(other)),
                }
            }
            let of_tables = entries.iter().any(|e| matches!(e.get_ref(), DeValue::Table(_)));
            if !of_tables {
                facts.insert(path.clone(), Fact::List(texts));
            }
        }
        other => {
            facts.insert(path.clone(), Fact::One(text(other)));
        }
    }
}

/// A table of an array is known by its id.
fn named(table: &DeTable<'_>, nth: usize) -> String {
    let id = table.get("id").and_then(|id| id.get_ref().as_str());
    id.map_or_else(|| nth.to_string(), str::to_owned)
}

fn text(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map_or(digits, |n| n.to_string())
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            digits.parse::<f64>().map_or(digits, |n| n.to_string())
        }
        DeValue::Datetime(day) => day.to_string(),
        DeValue::Array(entries) => {
            let mut inner: Vec<String> = entries.iter().map(|e| text(e.get_ref())).collect();
            inner.sort();
            inner.join(" + ")
        }
        DeValue::Table(_) => String::new(),
    }
}
