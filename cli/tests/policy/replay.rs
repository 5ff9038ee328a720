use super::*;

const COUNCIL: &str = "policies/examples/council/policy.toml";

/// A folder with the council's policy, changed, and this log.
fn folder(changed: (&str, &str), log: &str) -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join(COUNCIL)).unwrap();
    assert!(text.contains(changed.0));
    let (policy, audit) = (folder.path().join("policy.toml"), folder.path().join("audit.jsonl"));
    std::fs::write(&policy, text.replacen(changed.0, changed.1, 1)).unwrap();
    std::fs::write(&audit, log).unwrap();
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    let (policy, audit) = (name(&policy), name(&audit));
    (folder, policy, audit)
}

const NARROWER: (&str, &str) =
    ("filter_by = { council_code = \"code\", age_band = \"code\"", "filter_by = { council_code = \"code\"");

const QUESTION: &str = r#"{"at":"2026-12-14T10:02Z","analyst":"ann","decision":"answer","request":{"role":"own-tables-analyst","purpose":"smf-reporting","dataset":"participants","answer":"people","group_by":{"sex":"code"},"filter_by":{"age_band":"code"}}}"#;

#[test]
fn a_log_shows_what_a_new_version_would_have_refused() {
    let (_keep, new, audit) = folder(NARROWER, QUESTION);
    policy(&["replay", COUNCIL, &new, &audit])
        .exits(0)
        .says("1 would have another answer")
        .says("share.smf-people.filter_by.age_band: age_band may not be filtered by");
    policy(&["replay", COUNCIL, COUNCIL, &audit]).exits(0).says("1 as before, 0 would have");
}

#[test]
fn every_line_that_cannot_be_read_is_named_and_the_rest_is_replayed() {
    let long = "x".repeat(600_000);
    let log = format!("Jane Example,1990-01-01\n{QUESTION}\n{long}\n{QUESTION}");
    let (_keep, new, audit) = folder(NARROWER, &log);
    let ran = policy(&["replay", COUNCIL, &new, &audit]).exits(5);
    let ran = ran.says("error [CC406]: line 1: ").says("error [CC406]: line 3: longer than");
    assert!(!ran.err.contains("Jane"), "{}", ran.err);
    ran.says("2 questions replayed").says("2 would have another answer").says("2 lines could not be read");
    policy(&["replay", COUNCIL, &new, "no-such-file"]).exits(1).says("CC105");
}

#[test]
fn the_worked_examples_log_shows_what_version_8_changes() {
    let ran =
        example("replay", &["policy.toml", "policy-v8-proposed.toml", "audit-sample.jsonl"], &[]).exits(0);
    insta::assert_snapshot!("replay_v8_proposed", ran.out);
    let same = example("replay", &["policy.toml", "policy.toml", "audit-sample.jsonl"], &[]).exits(0);
    same.says("5 as before, 0 would have another answer");
}
