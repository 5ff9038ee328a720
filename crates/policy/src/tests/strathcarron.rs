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
