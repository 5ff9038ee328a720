//! Documents and code keep in step.

use std::collections::BTreeSet;
use std::path::Path;

use cairn_question::Schema;
use cairn_question::schema::Documents;

use crate::tree::{files, read, report};

#[test]
fn the_program_embeds_exactly_the_schema_documents_of_the_tree() {
    let folder = Path::new("schemas/smf");
    let tables = |f: &Path| f.parent() == Some(folder) || f.parent() == Some(&folder.join("tables"));
    let in_tree: BTreeSet<String> = files(".toml")
        .into_iter()
        .filter(|f| tables(f))
        .map(|f| f.strip_prefix(folder).expect("under the folder").to_string_lossy().into_owned())
        .collect();
    let embedded: BTreeSet<String> = Documents::embedded().0.into_keys().collect();
    assert_eq!(in_tree, embedded);
    for (name, text) in Documents::embedded().0 {
        assert_eq!(text, read(&folder.join(&name)), "{name} is the text that was built in");
    }
}

#[test]
fn every_derived_column_has_its_rule_in_records() {
    let rules = files(".rs").into_iter().filter(|f| f.starts_with("crates/records/src"));
    let source: String = rules.map(|f| read(&f)).collect();
    let columns = Schema::smf().tables().flat_map(|t| &t.columns);
    let faults: Vec<String> = columns
        .filter_map(|c| c.derived.map(|rule| (c, rule)))
        .filter(|(_, rule)| !source.contains(&format!("Derived::{rule:?}")))
        .map(|(c, rule)| format!("{} ({rule:?})", c.name))
        .collect();
    report("derived columns that records does not make", &faults);
}

#[test]
fn every_code_list_is_used_by_a_column_or_said_to_be_outside() {
    let used: BTreeSet<&str> =
        Schema::smf().tables().flat_map(|t| &t.columns).filter_map(|c| c.codes.as_deref()).collect();
    // Lists that describe partners, and the lists behind columns that are split into one flag a code.
    let outside = ["partner_type", "condition", "priority_family", "barrier", "sfl_need"];
    let faults: Vec<String> = Schema::smf()
        .code_lists()
        .filter(|l| !used.contains(l.id.as_str()) && !outside.contains(&l.id.as_str()))
        .map(|l| l.id.clone())
        .collect();
    report("code lists that no column uses", &faults);
}

#[test]
fn every_toml_document_parses() {
    let faults: Vec<String> = files(".toml")
        .into_iter()
        .filter(|f| !f.to_string_lossy().contains("/fixtures/"))
        .filter_map(|f| {
            toml::from_str::<toml::Table>(&read(&f)).err().map(|e| format!("{}: {e}", f.display()))
        })
        .collect();
    report("documents that are not TOML", &faults);
}

#[test]
fn the_toplevel_is_what_the_readme_says() {
    for path in [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        ".ci/run",
    ] {
        assert!(crate::tree::root().join(path).is_file(), "{path}");
    }
    for path in ["node", "coordinator", "policies", "schemas", "tests", "docs", "crates", "cli"] {
        assert!(crate::tree::root().join(path).is_dir(), "{path}");
    }
}
