use super::*;

fn diff(new: &str) -> Ran {
    example("diff", &["policy.toml", new], &[])
}

#[test]
fn the_worked_examples_versions_get_their_verdicts() {
    diff("policy-v8-proposed.toml").exits(0).says("VERDICT: LOOSENS\n");
    diff("policy-v8-round10.toml").exits(0).says("VERDICT: LOOSENS (unordered)\n");
    diff("policy-v8-tighter.toml").exits(0).says("VERDICT: TIGHTENS (every one of ");
    diff("policy.toml").exits(0).says("VERDICT: SAME\n");
}

#[test]
fn a_board_that_does_not_load_hides_no_difference() {
    diff("policy-v8-proposed.toml").exits(0).says("warning [CC412]").says("VERDICT: ");
    let board = format!("{FIXTURE}/board.toml");
    let named = example("diff", &["policy.toml", "policy-v8-tighter.toml"], &["--board", &board]);
    named.exits(5).says("CP702").says("error [CC412]").says("VERDICT: ");
}
