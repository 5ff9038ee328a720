//! The first command of the README, with few people.

use std::time::Instant;

use crate::harness::program::{cairn, run};

#[test]
fn the_demo_ends_in_its_report_and_leaves_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = cairn();
    command.args(["demo", "--people", "1500", "--folder", "here"]).current_dir(dir.path());
    let begun = Instant::now();
    let done = run(command).exits(0);
    eprintln!("the demo took {} s", begun.elapsed().as_secs());
    let done = done
        .says("All ten are connected")
        .says("nobody sees the figures of any of the 10 partners")
        .says("Coverage: 9 of 10 partners answered")
        .says("entries, unbroken");
    let done = done.says("The first indicator report").says("Adding partners overstates people");
    let done = done.says("one total of 10 partners, of which nobody saw a part");
    let done = done.says("Side by side, one cell").says("Different people who have a linkage key:");
    let done = done.says("different numbers, which is what was counted");
    assert!(!done.out.contains("error ["), "{}", done.out);
    for left in [
        "report.csv",
        "exports/truth.json",
        "partners/fife/policy/policy.toml",
        "partners/fife/ledger.sqlite",
        "logs/coordinator.log",
    ] {
        assert!(dir.path().join("here").join(left).is_file(), "{left}");
    }
    let report = std::fs::read_to_string(dir.path().join("here/report.csv")).unwrap();
    assert!(report.lines().count() > 20, "{report}");
    // A folder that is there is never written over.
    let mut again = cairn();
    again.args(["demo", "--people", "600", "--folder", "here"]).current_dir(dir.path());
    run(again).exits(1).says("CC107");
}
