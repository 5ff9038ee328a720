//! The design's worked example, with its header adapted.

use super::*;

/// SHA-256 of the design's own files.
const DESIGN: [(&str, &str); 10] = [
    ("policy.toml", "dddcf1a9a3e98a141c02bd701b6e4f229ce199ed3105fea139e765a87e2a0d4d"),
    ("policy-bad.toml", "bc4de7bf758d80bde6f93a33a7e63059c124a47ce2384377098c07c9673dacd4"),
    ("policy-v8-proposed.toml", "106c61fb0d64e9e0cd89a25f8aba42406cff6fc9b748080609e180939706da85"),
    ("policy-v8-round10.toml", "67722d642a59bc4338d9a6aeaa3a81b7f3e66dcfcdb1452319380b4e36f027b8"),
    ("policy-v8-tighter.toml", "3e38595fa0ea44bde5eed3437a0b0bc7c6be2efcc3bcd8622afd30ca55de4248"),
    ("framework.toml", "aa9a7af02fad429e17e7146f2ea9a518017d3bef347f9d2e24c9348cd646090c"),
    ("tests.toml", "b88bac88f07bb8dbe58e7da84545c9e5aae993e69c3cc62874da4b36e07a444e"),
    ("local-brake.toml", "0988c4bf6cc9a8fe84d6f79b142ffb255d51c1b21270738cd388cc8c3cc4e038"),
    ("audit-sample.jsonl", "2c7875883750f9157f83f233b51e07a970e5c799b6772280aea1e7cdd813dcda"),
    ("cairn-policy-1.schema.json", "05f2963dd77c37eea3fbb974fda091cb2610270395f058e7daa6270094795a2b"),
];

/// The first and the last of the thirteen lines inserted into each policy, and the first appended to the framework.
const INSERTED: (&str, &str) = ("legal_basis    = ", "monitoring = ");
const APPENDED: &str = "# Appended for the language as it is built";

/// A file of the fixture as the design has it: without what was inserted or appended.
pub(crate) fn design(name: &str) -> String {
    let text = fixture(name).text;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = |start: &str| lines.iter().position(|l| l.starts_with(start));
    match (at(INSERTED.0), at(INSERTED.1), at(APPENDED)) {
        (Some(first), Some(last), _) => {
            assert!(lines[first - 1].starts_with("contact "), "inserted after `contact`");
            [&lines[..first], &lines[last + 1..]].concat().concat()
        }
        (_, _, Some(first)) => lines[..first].concat(),
        _ => text,
    }
}

#[test]
fn the_fixture_is_the_designs_but_for_the_lines_inserted() {
    for (name, sha256) in DESIGN {
        let original = design(name);
        assert_eq!(
            cairn_question::Hash::of(original.as_bytes()).to_string(),
            format!("sha256:{sha256}"),
            "{name}"
        );
    }
    let inserted = |name: &str| {
        let text = fixture(name).text;
        let from = text.find(INSERTED.0).unwrap();
        let to = text.find("\n\n# ------").unwrap();
        text[from..to].to_owned()
    };
    let first = inserted("policy.toml");
    assert_eq!(first.lines().count(), 13);
    for (name, _) in DESIGN.iter().filter(|(name, _)| name.starts_with("policy")) {
        assert_eq!(inserted(name), first, "{name}");
    }
}

#[test]
fn every_version_of_the_worked_example_loads_but_the_bad_one() {
    for name in ["policy", "policy-v8-proposed", "policy-v8-round10", "policy-v8-tighter"] {
        let (schema, sources) = strathcarron(name);
        let found = check_with(schema, &sources);
        let loaded = Layers::load_with(schema, &sources);
        assert!(loaded.is_ok(), "{name}:\n{}", render_all(&found, &sources));
    }
    let (schema, sources) = strathcarron("policy-bad");
    assert!(Layers::load_with(schema, &sources).is_err());
}

/// Every finding of one of the fixture's policies, as `line:column code rule`.
fn places(name: &str, severity: Severity) -> Vec<String> {
    let (schema, sources) = strathcarron(name);
    let found = check_with(schema, &sources).into_iter().filter(|f| f.severity == severity);
    found.map(|f| format!("{}:{} {} {}", f.line, f.column, f.code, f.rule)).collect()
}

/// Each planted fault with what was planted; and what follows from it at the same place.
const PLANTED: [(&str, &str); 10] = [
    ("in force for four years", "15:18 CP102 policy.expires"),
    ("a threshold of 3", "116:16 CP302 release.management-table.min_people"),
    ("one partner's own table to the centre", "136:16 CP304 share.pay-bands.release"),
    ("rows without max_rows_per_person", "182:23 CP416 share.smf-outcomes.answers"),
    ("a mean without max_rows_per_person", "214:13 CP416 share.pay-bands.answers"),
    ("a hidden column grouped by", "215:33 CP407 share.pay-bands.group_by.employer_name"),
    ("which the framework does not open", "215:33 CP408 share.pay-bands.group_by.employer_name"),
    ("and which has no grain", "215:49 CP406 share.pay-bands.group_by.employer_name"),
    ("a misspelt role", "228:12 CP401 share.lep-planning.role"),
    ("a special category in a plain table", "231:29 CP418 share.lep-planning.group_by.ethnicity"),
];

#[test]
fn every_planted_fault_is_found_in_one_run() {
    let expected: Vec<&str> = PLANTED.iter().map(|(_, at)| *at).collect();
    assert_eq!(places("policy-bad", Severity::Error), expected);
    let weak = "116:16 CP303 release.management-table.min_people";
    assert!(places("policy-bad", Severity::Warning).iter().any(|w| w == weak), "3 with base 5");
    let (schema, sources) = strathcarron("policy-bad");
    insta::assert_snapshot!("check_policy_bad", render_all(&check_with(schema, &sources), &sources));
}

#[test]
fn the_known_differences_of_the_worked_example_are_named() {
    assert_eq!(places("policy", Severity::Error), [""; 0]);
    let warnings = places("policy", Severity::Warning);
    let named = |at: &str| assert!(warnings.iter().any(|w| w == at), "{at} in {warnings:#?}");
    // `sharing_choice` stands where `statistics_objection` belongs, and the latter is not listed.
    named("50:25 CP217 dataset.participants.opt_out");
    named("46:10 CP802 dataset.participants.columns");
    // `conviction` is declared sensitive and unused.
    named("69:1 CP801 dataset.participants.columns.conviction");
    // Twelve analysts with ε 1 each share an account of ε 3.
    named("207:56 CP425 share.equalities-noisy.per_analyst.epsilon_per_year");
    let notes = places("policy", Severity::Note);
    for release in ["published-table", "management-table", "pay"] {
        assert!(notes.iter().any(|n| n.ends_with(&format!("CP902 release.{release}.zeros"))), "{notes:#?}");
    }
    let (schema, sources) = strathcarron("policy");
    insta::assert_snapshot!("check_policy", render_all(&check_with(schema, &sources), &sources));
}

#[test]
fn the_designs_own_header_lacks_the_nine_parts() {
    let (schema, mut sources) = strathcarron("policy");
    sources.policy.text = design("policy.toml");
    let found = check_with(schema, &sources);
    let errors = found.iter().filter(|f| f.severity == Severity::Error);
    let errors: Vec<String> = errors.map(|f| format!("{} {}", f.code, f.rule)).collect();
    assert_eq!(errors, ["CP004 policy.legal_basis", "CP004 policy.notice_url", "CP103 policy.plan"]);
}
