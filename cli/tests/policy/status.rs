use super::*;

#[test]
fn the_last_days_of_everything_stand_in_order_and_the_near_ones_are_warned_of() {
    let ran = example("status", &["policy.toml"], &["--on", "2027-05-20"]).exits(0);
    insta::assert_snapshot!("status_example", ran.told());
    example("status", &["policy.toml"], &["--on", "2028-01-01"])
        .exits(0)
        .says("EXPIRED")
        .says("passed: the policy");
    example("status", &["policy.toml"], &["--on", "2026-12-01"]).exits(0).says("in force;");
    example("status", &["policy.toml"], &["--on", "2026-11-30"]).exits(0).says("not in force yet");
}

#[test]
fn a_share_and_a_key_that_end_sooner_are_named() {
    let peer = "policies/templates/peer-assessment/policy.toml";
    policy(&["status", peer, "--on", "2026-10-25"])
        .exits(0)
        .says("within 7 days: the share peer-workforce (2026-10-31)");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.toml");
    let text = std::fs::read_to_string(root().join(FIXTURE).join("board.toml")).unwrap();
    std::fs::write(&path, text).unwrap();
    example("status", &["policy.toml"], &["--board", path.to_str().unwrap()]).exits(5).says("CC412");
    policy(&["status"]).exits(2);
}
