use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::approval::Board;
use crate::finding::{Faults, File};
use crate::read::asked;
use crate::tests::shipped;

mod validate;
use validate::validate;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A file of the worked example.
fn fixture(name: &str) -> File {
    let full = format!("{}/tests/fixtures/strathcarron/{name}", env!("CARGO_MANIFEST_DIR"));
    File::new(name, std::fs::read_to_string(&full).unwrap_or_else(|e| panic!("{full}: {e}")))
}

fn policies() -> Vec<File> {
    let folders = ["examples", "templates"].map(|folder| {
        let full = format!("{}/../../policies/{folder}", env!("CARGO_MANIFEST_DIR"));
        let names = std::fs::read_dir(full).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let names = names.filter(|n| !n.contains('.'));
        names.map(|n| shipped(&format!("{folder}/{n}/policy.toml"))).collect::<Vec<_>>()
    });
    let of_example =
        ["policy.toml", "policy-v8-proposed.toml", "policy-v8-round10.toml", "policy-v8-tighter.toml"];
    let once = crate::tests::counting_once().policy;
    folders.into_iter().flatten().chain(of_example.map(fixture)).chain([once]).collect()
}

fn frameworks() -> [File; 2] {
    [shipped("framework/framework.toml"), fixture("framework.toml")]
}

/// The path of a section with the document's own names left open: `dataset.participants.columns.sex` is `dataset.*.columns.*`.
fn open(path: &str, root: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut words = path.split('.').filter(|w| !w.is_empty());
    while let Some(word) = words.next() {
        let (word, indexed) = word.split_once('[').map_or((word, false), |(w, _)| (w, true));
        let array = matches!((root, word), (_, "share" | "link" | "member"));
        let top = parts.is_empty();
        if top && array {
            parts.push(format!("{word}[]"));
            // Once its id is known, a share goes by it.
            if !indexed {
                words.next();
            }
        } else {
            parts.push(word.to_owned());
            let named =
                matches!(word, "dataset" | "release" | "role" | "purpose" | "profile" | "open" | "indicator");
            if (top && named || word == "columns") && words.next().is_some() {
                parts.push("*".to_owned());
            }
        }
    }
    parts.join(".")
}

/// Every (section, key) of a schema.
fn keys(schema: &Value, path: &str, into: &mut BTreeSet<(String, String)>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    for (key, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        into.insert((path.to_owned(), key.clone()));
        keys(inner, &below(key), into);
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        schema.get(word).and_then(Value::as_array).into_iter().flatten().for_each(|s| keys(s, path, into));
    }
    if let Some(inner) = schema.get("additionalProperties").filter(|a| a.is_object()) {
        keys(inner, &below("*"), into);
    }
    if let Some(inner) = schema.get("items") {
        keys(inner, &format!("{path}[]"), into);
    }
}

fn in_step(schema: &str, root: &str) {
    let asked: BTreeSet<(String, String)> =
        asked::take().into_iter().map(|(path, key)| (open(&path, root), key)).collect();
    let mut known = BTreeSet::new();
    keys(&json(schema), "", &mut known);
    let only = |a: &BTreeSet<(String, String)>, b| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(only(&asked, &known), [], "the reader asks for keys that the schema of {root} has not");
    assert_eq!(only(&known, &asked), [], "the schema of {root} has keys that the reader never asks for");
}

#[test]
fn the_schema_has_every_key_that_the_reader_asks_for_and_no_other() {
    asked::take();
    for file in policies() {
        crate::document::read_policy(&Faults::new(&file));
    }
    in_step(POLICY, "policy");
    for file in frameworks() {
        crate::document::read_framework(&Faults::new(&file));
    }
    in_step(FRAMEWORK, "framework");
    let _ = Board::check(&fixture("board.toml"));
    in_step(BOARD, "board");
}

/// Whether a file fits a schema; why not, where it does not.
fn fits(schema: &str, file: &File) -> Result<(), String> {
    let table: toml::Table = toml::from_str(&file.text).unwrap();
    let schema = json(schema);
    validate(&schema, &schema, &plain(toml::Value::Table(table)), &file.name)
}

/// A file as editors see it: a day is a text.
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(day) => Value::String(day.to_string()),
        toml::Value::Array(items) => items.into_iter().map(plain).collect(),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(k, v)| (k, plain(v))).collect()),
        other => serde_json::to_value(other).unwrap(),
    }
}

#[test]
fn every_shipped_file_fits_its_schema() {
    for file in policies().iter().chain([&fixture("policy-bad.toml")]) {
        assert_eq!(fits(POLICY, file), Ok(()));
    }
    for file in &frameworks() {
        assert_eq!(fits(FRAMEWORK, file), Ok(()));
    }
    assert_eq!(fits(BOARD, &fixture("board.toml")), Ok(()));
}

#[test]
fn what_the_reader_refuses_for_its_form_the_schema_refuses_too() {
    let cases = [
        ("CP003", "[unit]\n", "[unit]\ncolour = \"red\"\n"),
        ("CP003", "one_row_is = \"person\"", "one_row_is = \"person\"\nrows_are = 1"),
        ("CP003", "max_people = 12", "max_people = 12\nmin_people = 1"),
        ("CP004", "max_people = 12\n", ""),
        ("CP004", "delta_lifetime   = 1e-6\n", ""),
        ("CP005", "kind  = \"one-to-many\"", "kind  = \"many-to-many\""),
        ("CP005", "snapshot   = \"month\"", "snapshot   = \"week\""),
        ("CP005", "max_people = 12", "max_people = \"12\""),
        ("CP005", "method       = \"cell-key\"", "method       = \"trust\""),
        ("CP005", "version        = 7", "version        = 0"),
        ("CP005", "\"sha256:5f", "\"sha1:5f"),
        ("CP006", "cairn_policy = 1", "cairn_policy = 2"),
        ("CP007", "id             = \"strathcarron-sharing\"", "id             = \"Strathcarron Sharing\""),
        ("CP009", "expires        = 2027-11-30", "expires        = \"next year\""),
        ("CP009", "year_starts      = \"04-01\"", "year_starts      = \"April\""),
        ("CP010", "epsilon      = 0.10", "epsilon      = 0.0"),
        ("CP410", "answers  = [\"people\"]", "answers  = [\"names\"]"),
    ];
    let whole = fixture("policy.toml");
    for (code, from, to) in cases {
        let from = if whole.text.contains(from) { from.to_owned() } else { loosely(&whole.text, from) };
        let text = whole.text.replacen(&from, to, 1);
        assert_ne!(text, whole.text, "{from}");
        let file = File::new(to, text);
        let faults = Faults::new(&file);
        crate::document::read_policy(&faults);
        let codes: Vec<&str> = faults.into_found().iter().map(|f| f.code).collect();
        assert!(codes.contains(&code), "{to}: {codes:?}");
        assert!(fits(POLICY, &file).is_err(), "{to}");
    }
}

/// The text's own spacing of what is looked for.
fn loosely(text: &str, wanted: &str) -> String {
    let squeezed = |t: &str| t.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = text.lines().find(|l| squeezed(l).starts_with(&squeezed(wanted)));
    let line = line.unwrap_or_else(|| panic!("{wanted} is not in the example"));
    let all = line.split_once('#').map_or(line, |(before, _)| before).trim_end();
    if wanted.ends_with('\n') { format!("{line}\n") } else { all.to_owned() }
}

#[test]
fn ours_is_draft_7_where_the_designs_own_was_draft_4() {
    let of = |text: &str| json(text)["$schema"].as_str().unwrap_or_default().to_owned();
    assert_eq!(of(&fixture("cairn-policy-1.schema.json").text), "http://json-schema.org/draft-04/schema#");
    for ours in [POLICY, FRAMEWORK, BOARD] {
        assert_eq!(of(ours), "http://json-schema.org/draft-07/schema#");
    }
}

#[test]
fn every_key_is_described() {
    fn described(schema: &Value, path: &str) {
        for (key, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            assert!(inner["description"].as_str().is_some_and(|d| !d.is_empty()), "{path}.{key}");
        }
        match schema {
            Value::Object(map) => map.iter().for_each(|(k, v)| described(v, &format!("{path}/{k}"))),
            Value::Array(items) => items.iter().for_each(|v| described(v, path)),
            _ => {}
        }
    }
    [POLICY, FRAMEWORK, BOARD].into_iter().for_each(|text| described(&json(text), ""));
}
