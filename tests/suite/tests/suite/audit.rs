//! A real node's export, spoilt in each of the four ways.

use crate::harness::federation::{EQUALITIES, EVERYDAY, Federation, Partner};
use crate::harness::people::{FIFE, people};

#[test]
fn an_edit_a_drop_a_reorder_and_a_truncation_of_a_real_export_are_found() {
    let federation = Federation::start(&[Partner::new("fife", people("F", 30, FIFE, "F"))]);
    federation.ask("people by council", EVERYDAY).exits(0);
    federation.ask("people by sex", EVERYDAY).exits(0);
    federation.ask("people by disabled", EQUALITIES).exits(0);
    federation.ask("people by council", &["--role", "own-tables-analyst", "--purpose", "elsewhere"]).exits(3);
    federation.export_audit("fife", "audit.jsonl");
    let text = federation.read("audit.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 5, "{text}");
    federation.verify_audit("fife", "audit.jsonl").exits(0).says("unbroken");

    let check = |spoilt: Vec<String>, code: &str| {
        std::fs::write(federation.path("spoilt.jsonl"), spoilt.concat()).unwrap();
        federation.verify_audit("fife", "spoilt.jsonl").exits(6).says(code);
    };
    let whole = || lines.iter().map(|l| format!("{l}\n")).collect::<Vec<_>>();
    let asked = lines.iter().position(|l| l.contains("question-answered")).unwrap();

    let mut edited = whole();
    edited[asked] = edited[asked].replace("analyst", "anolyst");
    check(edited, "CA102");
    let mut dropped = whole();
    dropped.remove(asked);
    check(dropped, "CA103");
    let mut reordered = whole();
    reordered.swap(asked, asked + 1);
    check(reordered, "CA104");
    let mut cut_off = whole();
    cut_off.pop();
    check(cut_off, "CA105");
    let mut shortened = whole();
    shortened.remove(lines.len() - 2);
    check(shortened, "CA105");
    // A chain that was made anew, under another key.
    let other = federation.cairn(&["audit", "verify", "audit.jsonl", "--key", "authority/federation.pub"]);
    other.exits(6).says("CA107");
}
