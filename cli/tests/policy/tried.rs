use super::*;

#[test]
fn the_boards_cases_are_run_from_beside_the_policy_or_from_where_they_are() {
    let council = "policies/examples/council/policy.toml";
    policy(&["test", council]).exits(0).says("cases as expected, 0 not");
    let other = "policies/examples/small-charity/tests.toml";
    policy(&["test", council, other]).exits(5).says("CC403");
}

#[test]
fn a_policy_is_explained_to_its_board_and_to_the_people_as_text_and_as_a_page() {
    let council = "policies/examples/council/policy.toml";
    let said = |also: &[&str]| policy(&[&["explain", council], also].concat()).exits(0).out;
    let texts = [said(&[]), said(&["--easy-read"]), said(&["--notice"])];
    let pages = [said(&["--html"]), said(&["--easy-read", "--html"]), said(&["--notice", "--html"])];
    assert!(
        texts.iter().all(|t| !t.contains("<html"))
            && pages.iter().all(|t| t.to_ascii_lowercase().starts_with("<!doctype html>"))
    );
    let all: std::collections::BTreeSet<&String> = texts.iter().chain(&pages).collect();
    assert_eq!(all.len(), 6);
    policy(&["explain", council, "--easy-read", "--notice"]).exits(2);
}
