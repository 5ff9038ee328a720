//! People who object are left out from the next load on, and who is erased is in no file: with the program, at a running federation.

use std::io::Write as _;
use std::process::Stdio;

use cairn_question::OutcomeV1;
use cairn_question::answer::Cell;

use crate::harness::analyst::{Analyst, block_on};
use crate::harness::federation::{Federation, Partner};
use crate::harness::people::{FIFE, people};
use crate::harness::program::wait_for;

#[test]
fn who_objects_is_left_out_of_the_next_load_and_who_is_erased_of_every_file() {
    let mut federation = Federation::start(&[Partner::new("fife", people("F", 30, FIFE, "F"))]);
    let analyst = Analyst::load(&federation, "analyst");
    assert_eq!(counted(&analyst), Some(30));

    assert_eq!(tell(&federation, "object", &[], 0..10), (0, "10 more of 10 named are left out".to_owned()));
    assert_eq!(counted(&analyst), Some(30), "the snapshot is frozen");
    federation.load("fife").exits(0);
    wait_for("the next edition", || (counted(&analyst) == Some(20)).then_some(()));

    assert_eq!(tell(&federation, "erase", &[], 10..20).0, 1, "a node runs");
    assert_eq!(federation.take_node("fife").stop(), 0);
    let erased = tell(&federation, "erase", &[], 5..20);
    assert_eq!(
        erased,
        (0, "Erased 10 of 15 named: edition 3 is in force".to_owned()),
        "five are in no record"
    );
    let editions = std::fs::read_dir(federation.path("fife/data/snapshots")).unwrap();
    assert_eq!(editions.count(), 1, "no file of another edition is left");
    federation.start_node("fife");
    federation.wait_connected(&["fife"]);
    assert_eq!(counted(&analyst), Some(10));
    let erasures: Vec<_> = federation.audit("fife").into_iter().filter(|e| e["kind"] == "erase").collect();
    assert_eq!(erasures.len(), 1, "the audit says so");

    // An old export brings nobody back; who withdraws an objection comes back.
    assert_eq!(tell(&federation, "object", &["--withdraw"], 0..5).0, 0);
    federation.load("fife").exits(0);
    let manifest = federation.read("fife/data/snapshots/000004/manifest.json");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["persons"], 15);
    let said = federation.said().concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!said.contains("F00012") && !erasures[0].to_string().contains("F00012"), "no id is said");
}

/// Names people to a command, by number; its exit code, and how its note begins.
fn tell(federation: &Federation, command: &str, more: &[&str], who: std::ops::Range<u32>) -> (i32, String) {
    let words = [&["node", command, "--node", "fife"], more].concat();
    let mut child = federation.command(&words);
    let mut child =
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ids: String = who.map(|n| format!("F{n:05}\n")).collect();
    // A command that refuses before it reads has closed its end.
    let _ = child.stdin.take().unwrap().write_all(ids.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!said.contains("F000"), "no id is said again: {said}");
    let begin = said.split([',', '.']).next().unwrap_or_default();
    (output.status.code().unwrap(), begin.trim_end_matches(" from the next load on").to_owned())
}

/// The people that an answer shows for the one council.
fn counted(analyst: &Analyst) -> Option<i64> {
    let signed = analyst.sign(&analyst.question(
        "people by council",
        "own-tables-analyst",
        "smf-reporting",
        &["fife"],
    ));
    let result = block_on(analyst.put(&signed.bytes)).unwrap();
    let OutcomeV1::Answer(answer) = analyst.outcome(&signed, "fife", &result.replies[0].1) else {
        return None;
    };
    answer.table.cells.iter().find_map(|cell| match cell {
        Cell::Value(value) if *value > 0 => Some(*value),
        _ => None,
    })
}
