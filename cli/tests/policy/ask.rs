use super::*;

const COUNCIL: &str = "policies/examples/council/policy.toml";

fn ask(question: &str, also: &[&str]) -> Ran {
    let begin = ["ask", COUNCIL, question, "--role", "own-tables-analyst", "--purpose", "smf-reporting"];
    policy(&[&begin, also].concat())
}

#[test]
fn a_question_is_answered_or_refused_with_the_rule_and_the_way_it_leaves() {
    let told = [
        ask("people by council, age band", &["--on", "2026-05-01"]).exits(0),
        ask("people by ethnic group, council", &["--on", "2026-05-01"]).exits(3),
        ask("people by council", &["--on", "2036-05-01"]).exits(3),
    ];
    insta::assert_snapshot!("ask", told.map(|t| t.told()).join("\n"));
}

#[test]
fn what_is_no_question_and_what_is_no_policy_say_so() {
    ask("people by shoe size", &[]).exits(1).says("CC204");
    ask("people by council", &["--dictionary", "schemas/smf"]).exits(0);
    ask("people by council", &["--dictionary", "schemas"]).exits(1).says("CC102");
    policy(&["ask", "policies/README.md", "people", "--role", "a", "--purpose", "b"]).exits(5).says("CC401");
}

#[test]
fn every_fault_of_a_dictionary_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tables")).unwrap();
    std::fs::write(folder.path().join("codes.toml"), "cairn_codes = 9\n").unwrap();
    std::fs::write(folder.path().join("tables/people.toml"), "nonsense = 1\n").unwrap();
    let ran = ask("people", &["--dictionary", folder.path().to_str().unwrap()]).exits(5).says("CC405");
    assert!(ran.err.matches("error [CS").count() > 1, "{}", ran.err);
}
