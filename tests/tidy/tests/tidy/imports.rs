//! The import table of docs/ARCHITECTURE.md, held against `cargo metadata`.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{report, root};

/// crate · may import (ours) · must never import, directly or through another crate.
const TABLE: &[(&str, &str, &str)] = &[
    ("cairn-question", "", "tokio arrow datafusion quinn rusqlite opendp"),
    ("cairn-policy", "question", "tokio arrow datafusion quinn opendp rusqlite"),
    ("cairn-ledger", "question policy", "tokio arrow datafusion quinn opendp"),
    ("cairn-disclosure", "question policy", "tokio arrow datafusion opendp quinn rusqlite"),
    ("cairn-release", "question policy ledger disclosure", "tokio arrow datafusion quinn"),
    ("cairn-gate", "question policy ledger release", "tokio arrow datafusion quinn"),
    ("cairn-records", "question", "datafusion quinn rustls"),
    ("cairn-engine", "question records release", "quinn rustls"),
    ("cairn-link", "question", "arrow datafusion opendp rusqlite"),
    ("cairn-report", "question", "arrow datafusion quinn opendp rusqlite tokio"),
    ("cairn-generate", "question records", "datafusion quinn opendp rusqlite"),
    ("cairn-node", "question policy ledger disclosure release gate records engine link", "sqlparser"),
    ("cairn-coordinator", "question policy ledger disclosure link", "arrow datafusion sqlparser opendp"),
    (
        "cairn",
        "node coordinator report generate question policy ledger records engine link release gate",
        "sqlparser",
    ),
    ("cairn-tidy", "question policy", "datafusion"),
    ("cairn-suite", "question policy ledger link records", ""),
    ("cairn-bench", "engine records question release policy", ""),
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(vec!["--locked".into()])
        .exec()
        .expect("cargo metadata")
}

fn ours(metadata: &Metadata) -> Vec<&Package> {
    metadata.workspace_packages()
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
        let imports =
            package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal && d.path.is_some());
        for import in imports.map(|d| short(&d.name)).filter(|name| !may.contains(name)) {
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
        ("quinn", "cairn-link"),
        ("rcgen", "cairn-link"),
        ("rusqlite", "cairn-ledger cairn-coordinator"),
    ] {
        for package in ours(&metadata) {
            let names =
                package.dependencies.iter().any(|d| d.name == heavy && d.kind == DependencyKind::Normal);
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
        .into_iter()
        .filter(|p| !p.description.as_deref().is_some_and(one))
        .map(|p| format!("`{}`: {:?}", p.name, p.description))
        .collect();
    report("a crate's description is one sentence of 20 to 120 characters", &faults);
}

/// For each of our crates, the names of all it reaches by normal dependencies.
fn reach(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let resolve = metadata.resolve.as_ref().expect("resolved");
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|n| (&n.id, n)).collect();
    let name = |id| metadata[id].name.to_string();
    let normal = |d: &cargo_metadata::NodeDep| d.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal);
    let walk = |start| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(id) = open.pop() {
            for dep in nodes[id].deps.iter().filter(|d| normal(d)) {
                if seen.insert(&dep.pkg) {
                    open.push(&dep.pkg);
                }
            }
        }
        seen.into_iter().map(name).collect()
    };
    metadata.workspace_members.iter().map(|id| (name(id), walk(id))).collect()
}
