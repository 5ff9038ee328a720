use super::*;
use cairn_question::schema::Documents;

mod once;
mod strathcarron;

/// The text of a file under `policies/`.
pub(crate) fn shipped(path: &str) -> File {
    let full = format!("{}/../../policies/{path}", env!("CARGO_MANIFEST_DIR"));
    File::new(path, std::fs::read_to_string(&full).unwrap_or_else(|e| panic!("{full}: {e}")))
}

/// A shipped example with the shipped framework and its own brake.
pub(crate) fn example(name: &str) -> Sources {
    Sources {
        framework: shipped("framework/framework.toml"),
        policy: shipped(&format!("examples/{name}/policy.toml")),
        brake: Some(shipped(&format!("examples/{name}/local-brake.toml"))),
    }
}

/// A small policy that counts people once across partners, under the shipped framework.
pub(crate) fn counting_once() -> Sources {
    let full = format!("{}/tests/fixtures/once/policy.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&full).unwrap_or_else(|e| panic!("{full}: {e}"));
    Sources {
        framework: shipped("framework/framework.toml"),
        policy: File::new("policy.toml", text),
        brake: None,
    }
}

/// The same with four counts a year, broken down by sex too, of whose cells a person is reckoned to be in two.
pub(crate) fn counting_by_sex() -> Sources {
    let mut sources = counting_once();
    let edits = [
        ("group_by  = {}", "group_by  = { sex = \"code\" }"),
        ("max_group_columns  = 0", "max_group_columns  = 1"),
        ("counts_per_year = 2", "counts_per_year = 4"),
        ("keys_per_person_max = 2", "cells_per_person_max = 2\nkeys_per_person_max = 2"),
    ];
    for (from, to) in edits {
        let mut files = [&mut sources.policy, &mut sources.framework].into_iter();
        let file = files.find(|f| f.text.contains(from)).unwrap_or_else(|| panic!("nothing to edit: {from}"));
        file.text = file.text.replacen(from, to, 1);
    }
    sources
}

/// A shipped example, loaded.
pub(crate) fn loaded(name: &str) -> Layers {
    let sources = example(name);
    Layers::load(&sources).unwrap_or_else(|f| panic!("{}", render_all(&f, &sources)))
}

/// A file of the design's worked example, as adapted (crates/policy/tests/fixtures/strathcarron/README.md).
pub(crate) fn fixture(path: &str) -> File {
    let full = format!("{}/tests/fixtures/strathcarron/{path}", env!("CARGO_MANIFEST_DIR"));
    File::new(path, std::fs::read_to_string(&full).unwrap_or_else(|e| panic!("{full}: {e}")))
}

/// The worked example's own data dictionary.
pub(crate) fn strathcarron_schema() -> &'static Schema {
    static SCHEMA: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(|| {
        let names = ["codes.toml", "templates.toml", "tables/participants.toml", "tables/outcomes.toml"];
        let text = |name: &str| (name.to_owned(), fixture(&format!("dictionary/{name}")).text);
        Schema::parse(&Documents(names.map(text).into())).unwrap_or_else(|faults| panic!("{faults:#?}"))
    });
    &SCHEMA
}

/// The worked example's dictionary, and one of its policies (`policy`, `policy-bad`, `policy-v8-proposed`, …) under its
/// framework and its brake.
pub(crate) fn strathcarron(name: &str) -> (&'static Schema, Sources) {
    let sources = Sources {
        framework: fixture("framework.toml"),
        policy: fixture(&format!("{name}.toml")),
        brake: Some(fixture("local-brake.toml")),
    };
    (strathcarron_schema(), sources)
}

pub(crate) const EXAMPLES: [&str; 3] = ["council", "small-charity", "health-board"];

/// The templates, each with the warnings that its README names.
pub(crate) const TEMPLATES: [(&str, &[&str]); 7] = [
    ("council", &["CP108", "CP420", "CP901"]),
    ("charity", &["CP108", "CP420", "CP901"]),
    ("college", &["CP108"]),
    ("health-board", &["CP108", "CP420", "CP901"]),
    ("national-body", &["CP108", "CP420", "CP901"]),
    ("peer-assessment", &["CP108"]),
    ("workforce", &["CP108", "CP420", "CP901"]),
];

/// A shipped template with the shipped framework and its own brake.
pub(crate) fn template(name: &str) -> Sources {
    Sources {
        framework: shipped("framework/framework.toml"),
        policy: shipped(&format!("templates/{name}/policy.toml")),
        brake: Some(shipped(&format!("templates/{name}/local-brake.toml"))),
    }
}

#[test]
fn every_template_has_no_error_and_only_the_warnings_its_readme_names() {
    for (name, expected) in TEMPLATES {
        let sources = template(name);
        let found = check(&sources);
        let codes: std::collections::BTreeSet<&str> = found.iter().map(|f| f.code).collect();
        let codes: Vec<&str> = codes.into_iter().collect();
        assert_eq!(codes, expected, "{name}:\n{}", render_all(&found, &sources));
        let readme = shipped(&format!("templates/{name}/README.md")).text;
        for code in expected.iter().filter(|c| **c != "CP901") {
            assert!(readme.contains(code), "{name}: the README does not name {code}");
        }
    }
}

/// Its cases, and its own statements against every kind of question.
#[test]
fn every_template_passes_its_own_tests_and_every_share_is_tried() {
    let mut failed = Vec::new();
    for (name, _) in TEMPLATES {
        let report = run_shipped(&template(name), &format!("templates/{name}/tests.toml"));
        nothing_forbidden_is_answered(name, &report, 3);
        failed.extend(report.failed.into_iter().map(|f| format!("{name}: {}: {}", f.name, f.says)));
        assert_eq!(report.unexercised, [], "{name}");
        assert!(report.passed.len() >= 10, "{name}: {} cases", report.passed.len());
    }
    assert_eq!(failed, Vec::<String>::new());
}

/// Every shipped policy with the framework's statements, and the examples with their own, each tried against every kind of question.
#[test]
fn what_can_never_happen_never_does_under_any_shipped_policy() {
    let templates = TEMPLATES.iter().map(|(name, _)| (*name, template(name)));
    for (name, sources) in templates.chain(EXAMPLES.map(|name| (name, example(name)))) {
        nothing_forbidden_is_answered(name, &run_shipped(&sources, "framework/tests.toml"), 4);
    }
    for name in EXAMPLES {
        let report = run_shipped(&example(name), &format!("examples/{name}/tests.toml"));
        nothing_forbidden_is_answered(name, &report, 3);
    }
}

fn run_shipped(sources: &Sources, tests: &str) -> CaseReport {
    let layers = Layers::load(sources).unwrap_or_else(|f| panic!("{}", render_all(&f, sources)));
    let file = shipped(tests);
    run_cases(&layers, &file).unwrap_or_else(|f| panic!("{tests}: {}", render_file(&f, &file)))
}

fn nothing_forbidden_is_answered(name: &str, report: &CaseReport, least: usize) {
    let violated: Vec<&NeverResult> = report.never.iter().filter(|n| !n.holds()).collect();
    assert!(violated.is_empty(), "{name}: {violated:#?}");
    assert!(report.never.len() >= least, "{name}: {} statements", report.never.len());
    assert!(report.never.iter().all(|n| n.tried > 0), "{name}: a statement that tries nothing");
}

/// What a template makes up is marked on its own line, so that nobody signs a made-up agreement by mistake.
#[test]
fn every_made_up_value_of_a_template_is_marked_on_its_line() {
    const MADE_UP: [&str; 14] = [
        "id ",
        "partner ",
        "effective_from",
        "review_by",
        "expires",
        "controller",
        "legal_basis",
        "agreement",
        "dpia",
        "contact",
        "notice_url",
        "issuer",
        "basis",
        "named_analysts",
    ];
    for (name, _) in TEMPLATES {
        let text = template(name).policy.text;
        for line in text.lines().take_while(|l| !l.starts_with("[[link]]") && !l.starts_with("[[share]]")) {
            let made_up = MADE_UP.iter().any(|key| line.starts_with(key));
            assert!(!made_up || line.contains("# MADE UP"), "{name}: {line}");
        }
        for line in text.lines().filter(|l| l.starts_with("issuer") || l.starts_with("basis")) {
            assert!(line.contains("# MADE UP"), "{name}: {line}");
        }
        assert!(text.contains("All nine lines are MADE UP"), "{name}");
    }
}

/// A board member reads a template without another page open: every line that is no heading says what it does.
#[test]
fn every_line_of_a_template_outside_shares_and_tables_of_texts_says_what_it_does() {
    for (name, _) in TEMPLATES {
        let text = template(name).policy.text;
        let columns = text.lines().filter(|l| l.contains("{ use = "));
        for line in columns {
            assert!(line.contains("  # "), "{name}: {line}");
        }
    }
}

#[test]
fn the_shipped_policies_have_no_error_and_only_the_warnings_they_name() {
    for name in EXAMPLES {
        let sources = example(name);
        let found = check(&sources);
        let codes: std::collections::BTreeSet<&str> = found.iter().map(|f| f.code).collect();
        assert_eq!(
            codes.into_iter().collect::<Vec<_>>(),
            ["CP108", "CP420", "CP901", "CP903"],
            "{name}:\n{}",
            render_all(&found, &sources)
        );
    }
}

/// A sample key that loads would be a key whose other half anybody may have.
#[test]
fn the_board_template_does_not_load_until_every_member_gave_a_key() {
    let file = shipped("templates/board.toml");
    let found = approval::Board::check(&file);
    let codes: Vec<&str> = found.iter().map(|f| f.code).collect();
    assert_eq!(codes, ["CP708"; 4], "{}", render_file(&found, &file));
    assert!(found.iter().all(|f| f.fix.as_ref().is_some_and(|fix| fix.contains("ssh-keygen"))));
    let real = shipped("../crates/policy/tests/fixtures/strathcarron/allowed_signers").text;
    let mut keys: Vec<String> =
        real.lines().filter_map(|l| Some(l.get(l.find("ssh-ed25519 ")?..)?.to_owned())).collect();
    keys.push(keys[0].replace("AAAAIP7C", "AAAAIP7D"));
    let filled = keys.iter().take(4).fold(file.text, |text, key| {
        let line = text.lines().find(|l| l.contains("PASTE")).unwrap().to_owned();
        text.replacen(&line, &format!("key = \"{key}\""), 1)
    });
    let file = File::new("board.toml", filled);
    let found = approval::Board::check(&file);
    assert_eq!(found, [], "{}", render_file(&found, &file));
}
