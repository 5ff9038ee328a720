use super::*;

#[test]
fn the_boards_cases_are_run_from_beside_the_policy_or_from_where_they_are() {
    let council = "policies/examples/council/policy.toml";
    policy(&["test", council]).exits(0).says("cases as expected, 0 not");
    let other = "policies/examples/small-charity/tests.toml";
    policy(&["test", council, other]).exits(5).says("CC403");
}
