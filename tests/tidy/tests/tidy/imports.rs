//! The import table of docs/ARCHITECTURE.md, held against `cargo metadata`.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::tree::{report, root};

/// crate · may import (ours) · must never import, directly or through another crate.
const TABLE: &[(&str, &str, &str)] = &[
    ("cairn-question", "", "tokio arrow datafusion quinn rusqlite opendp"),
    ("cairn-policy", "question", "tokio arrow datafusion quinn opendp rusqlite"),
    ("cairn-ledger", "question policy", "tokio arrow datafusion quinn opendp"),
    ("cairn-disclosure", "question policy", "tokio arrow datafusion opendp quinn rusqlite"),
    ("cairn-release", "question policy ledger disclosure", "tokio arrow datafusion quinn"),
    ("cairn-gate", "question policy ledger release", "tokio arrow datafusion quinn"),
    ("cairn-seal", "question", "tokio arrow datafusion quinn opendp rusqlite"),
    ("cairn-records", "question", "datafusion quinn rustls"),
    ("cairn-engine", "question records release", "quinn rustls"),
    ("cairn-link", "question", "arrow datafusion opendp rusqlite"),
    ("cairn-report", "question", "arrow datafusion quinn opendp rusqlite tokio"),
    ("cairn-generate", "question records", "datafusion quinn opendp rusqlite"),
    ("cairn-node", "question policy ledger disclosure release gate seal records engine link", "sqlparser"),
    ("cairn-coordinator", "question policy ledger disclosure seal link", "arrow datafusion sqlparser opendp"),
    (
        "cairn",
        "node coordinator report generate question policy ledger records engine link release gate seal",
        "sqlparser",
    ),
    ("cairn-tidy", "question policy", "datafusion"),
    ("cairn-suite", "question policy ledger link records", ""),
    ("cairn-bench", "engine records question release policy", ""),
];

/// What `cargo metadata` says, as far as these rules read it.
struct Metadata {
    packages: Vec<Package>,
    /// For each package id, the ids it depends on at run time.
    reaches: BTreeMap<String, Vec<String>>,
}

struct Package {
    id: String,
    name: String,
    description: String,
    ours: Whose,
    /// Name, and whether it stands in this workspace.
    dependencies: Vec<(String, Whose)>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Whose {
    Ours,
    Theirs,
}

fn metadata() -> Metadata {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let value: Value = serde_json::from_slice(&cargo.stdout).expect("cargo metadata is JSON");
    let members: BTreeSet<&str> = list(&value["workspace_members"]).iter().map(text).collect();
    let packages = list(&value["packages"]).iter().map(|p| package(p, &members)).collect();
    let reaches =
        list(&value["resolve"]["nodes"]).iter().map(|n| (text(&n["id"]).to_owned(), run_time(n))).collect();
    Metadata { packages, reaches }
}

fn package(value: &Value, members: &BTreeSet<&str>) -> Package {
    let normal = |d: &&Value| d["kind"].is_null();
    let whose = |d: &Value| if d["path"].is_string() { Whose::Ours } else { Whose::Theirs };
    Package {
        id: text(&value["id"]).to_owned(),
        name: text(&value["name"]).to_owned(),
        description: value["description"].as_str().unwrap_or_default().to_owned(),
        ours: if members.contains(text(&value["id"])) { Whose::Ours } else { Whose::Theirs },
        dependencies: list(&value["dependencies"])
            .iter()
            .filter(normal)
            .map(|d| (text(&d["name"]).to_owned(), whose(d)))
            .collect(),
    }
}

fn run_time(node: &Value) -> Vec<String> {
    let normal = |d: &&Value| list(&d["dep_kinds"]).iter().any(|k| k["kind"].is_null());
    list(&node["deps"]).iter().filter(normal).map(|d| text(&d["pkg"]).to_owned()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn ours(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.packages.iter().filter(|p| p.ours == Whose::Ours)
}

fn short(name: &str) -> &str {
    name.strip_prefix("cairn-").unwrap_or(name)
}

#[test]
fn crates_import_only_what_the_table_allows() {
    let metadata = metadata();
    let mut faults = Vec::new();
    for package in ours(&metadata) {
        let Some((_, may, _)) = TABLE.iter().find(|(name, ..)| *name == package.name.as_str()) else {
            faults.push(format!("`{}` is not in the import table", package.name));
            continue;
        };
        let may: BTreeSet<&str> = may.split_whitespace().collect();
        let imports = package.dependencies.iter().filter(|(_, whose)| *whose == Whose::Ours);
        for import in imports.map(|(name, _)| short(name)).filter(|name| !may.contains(name)) {
            faults.push(format!("`{}` imports `{import}`", package.name));
        }
    }
    report("the import table of docs/ARCHITECTURE.md", &faults);
}

#[test]
fn heavy_and_dangerous_crates_stay_behind_their_walls() {
    let metadata = metadata();
    let reached = reach(&metadata);
    let mut faults = Vec::new();
    for (name, _, never) in TABLE {
        let Some(reached) = reached.get(*name) else { continue };
        faults.extend(
            never
                .split_whitespace()
                .filter(|n| reached.contains(*n))
                .map(|n| format!("`{name}` reaches `{n}`")),
        );
    }
    report("crates that must never be imported", &faults);
    assert!(reached["cairn-node"].contains("datafusion"), "the reach is really walked");
}

#[test]
fn only_one_crate_names_each_heavy_dependency() {
    let metadata = metadata();
    let mut faults = Vec::new();
    for (heavy, owners) in [
        ("datafusion", "cairn-engine"),
        ("opendp", "cairn-release"),
        ("microlp", "cairn-disclosure"),
        ("quinn", "cairn-link"),
        ("rcgen", "cairn-link"),
        ("rusqlite", "cairn-ledger cairn-coordinator"),
    ] {
        for package in ours(&metadata) {
            let names = package.dependencies.iter().any(|(name, _)| name == heavy);
            if names && !owners.split(' ').any(|o| o == package.name.as_str()) {
                faults.push(format!("`{}` names `{heavy}`, which belongs to {owners}", package.name));
            }
        }
    }
    report("one owner for each heavy dependency", &faults);
}

#[test]
fn every_crate_is_one_sentence() {
    let metadata = metadata();
    let one = |d: &str| d.ends_with('.') && d.matches(". ").count() == 0 && (20..=120).contains(&d.len());
    let faults: Vec<String> = ours(&metadata)
        .filter(|p| !one(&p.description))
        .map(|p| format!("`{}`: {:?}", p.name, p.description))
        .collect();
    report("a crate's description is one sentence of 20 to 120 characters", &faults);
}

/// For each of our crates, the names of all it reaches at run time.
fn reach(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeMap<&str, &str> =
        metadata.packages.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect();
    let walk = |start: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start.to_owned()]);
        while let Some(id) = open.pop() {
            for dependency in &metadata.reaches[&id] {
                if seen.insert(dependency.clone()) {
                    open.push(dependency.clone());
                }
            }
        }
        seen.iter().map(|id| names[id.as_str()].to_owned()).collect()
    };
    ours(metadata).map(|p| (p.name.clone(), walk(&p.id))).collect()
}

/// The demo builds `-p cairn` and the tests build the workspace: the same features of every dependency, or DataFusion is
/// compiled twice.
#[test]
fn the_demo_and_the_tests_build_the_same_dependencies() {
    let features = |words: &[&str]| -> BTreeSet<String> {
        let cargo = Command::new(env!("CARGO"))
            .args([
                "tree",
                "--locked",
                "--prefix",
                "none",
                "--edges",
                "normal,build",
                "--format",
                "{p} [{f}]",
            ])
            .args(words)
            .current_dir(root())
            .output()
            .expect("cargo tree");
        let listed = String::from_utf8(cargo.stdout).expect("UTF-8");
        listed
            .lines()
            .map(|l| l.trim_end_matches(" (*)").to_owned())
            .filter(|l| !l.contains("cairn"))
            .collect()
    };
    let (demo, tests) = (features(&["-p", "cairn"]), features(&["--workspace", "--edges", "all"]));
    assert!(demo.len() > 100, "the tree is really listed");
    report(
        "dependencies that the demo builds otherwise than the tests",
        &demo.difference(&tests).cloned().collect::<Vec<_>>(),
    );
}
