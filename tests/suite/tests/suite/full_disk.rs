//! A disk that takes no more: a load, a ledger and an audit export fail with their codes, and what was good stays.
//!
//! The disk is filled by a limit on the size of any file (`ulimit -f`), which needs no privilege and holds for the child alone.

use std::process::Command;

use crate::harness::analyst::{Analyst, block_on};
use crate::harness::federation::{EQUALITIES, EVERYDAY, Federation, Partner};
use crate::harness::people::{FIFE, people, write_export};
use crate::harness::program::{Done, Running, run, wait_for};
use cairn_question::OutcomeV1;

/// The command in a shell that lets no file grow over so many blocks (of 512 bytes or of 1,024, as the shell has it).
fn limited(command: &Command, blocks: u32) -> Command {
    // Without the trap the system would end the child at the limit; with it, a write fails as on a full disk.
    let script = format!(r#"trap "" XFSZ; ulimit -f {blocks}; exec "$0" "$@""#);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(command.get_program()).args(command.get_args());
    shell
        .current_dir(command.get_current_dir().unwrap())
        .stdin(std::process::Stdio::null())
        .env("NO_COLOR", "1");
    shell
}

#[test]
fn a_full_disk_loses_nothing_that_was_good_and_lets_nothing_out() {
    let mut federation = Federation::start(&[Partner::new("fife", people("F", 30, FIFE, "F"))]);
    federation.ask("people by council", EVERYDAY).exits(0);
    a_load_leaves_the_last_good_snapshot(&federation);
    an_audit_export_says_that_it_is_not_whole(&federation);
    a_ledger_refuses_rather_than_skips(&mut federation);
}

fn a_load_leaves_the_last_good_snapshot(federation: &Federation) {
    let current = federation.read("fife/data/CURRENT");
    write_export(&federation.path("export/fife"), &people("G", 4_000, FIFE, "M"));
    let words = [
        "node",
        "load",
        "--node",
        "fife",
        "--mapping",
        "export/fife.toml",
        "--source",
        "export/fife",
        "--commit",
    ];
    let done = run(limited(&federation.command(&words), 4));
    assert!(done.code == 1 || done.code == 5, "{done:?}");
    assert!(done.out.contains("CL50") || done.err.contains("CL50"), "{done:?}");
    assert_eq!(federation.read("fife/data/CURRENT"), current);
    let (code, answer) = federation.ask_json("people by sex", EVERYDAY);
    assert_eq!(code, 0);
    assert_eq!(answer["answers"]["fife"]["snapshot"]["edition"], 1);
    // The next load, with room, goes through.
    federation.load("fife").exits(0);
}

fn an_audit_export_says_that_it_is_not_whole(federation: &Federation) {
    let words =
        ["audit", "export", "fife/ledger.sqlite", "--identity", "identity/fife", "--out", "cut.jsonl"];
    let done: Done = run(limited(&federation.command(&words), 1));
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("error ["), "{done:?}");
    federation.verify_audit("fife", "cut.jsonl").exits(6).says("CA105");
}

fn a_ledger_refuses_rather_than_skips(federation: &mut Federation) {
    federation.take_node("fife").stop();
    let log = federation.path("fife.log");
    federation.expect("fife");
    let node = Running::start(limited(&federation.command(&["node", "run", "--node", "fife"]), 600), &log);
    federation.wait_connected(&["fife"]);
    let analyst = Analyst::load(federation, "analyst");
    let mut answered = Vec::new();
    let councils = (5..=50).map(|n| format!("S120000{n:02}"));
    let mut questions =
        councils.flat_map(|c| ["age", "sex"].map(|a| format!("people by {a} where council = {c}")));
    let code = wait_for("the ledger to be full", || {
        let text = questions.next().expect("the ledger takes only so much");
        let schema = cairn_question::Schema::smf();
        let (role, purpose) = ("own-tables-analyst", "smf-reporting");
        let names = (crate::harness::analyst::name(role), crate::harness::analyst::name(purpose));
        cairn_question::form::parse(&text, &names.0, &names.1, schema).ok()?;
        let signed = analyst.sign(&analyst.question(&text, role, purpose, &["fife"]));
        let result = block_on(analyst.put(&signed.bytes)).unwrap();
        match analyst.outcome(&signed, "fife", &result.replies[0].1) {
            OutcomeV1::Answer(_) => answered.push(signed.ask.id.to_string()),
            OutcomeV1::Fault { code } => return Some(code),
            other => panic!("{other:?}"),
        }
        None
    });
    assert!(code.starts_with("CA"), "{code}");
    assert!(!answered.is_empty(), "some were answered while there was room");
    federation.ask("people by disabled", EQUALITIES).exits(1).says("failed    fife");
    node.kill_9();
    // With room again, the node answers; every answer that left has its entry, and the chain holds.
    federation.start_node("fife");
    federation.wait_connected(&["fife"]);
    federation.ask("people by disabled", EQUALITIES).exits(0);
    let entries = federation.audit("fife");
    for id in &answered {
        let entry =
            |e: &&serde_json::Value| e["question_id"] == id.as_str() && e["kind"] == "question-answered";
        assert_eq!(entries.iter().filter(entry).count(), 1, "{id}");
    }
}
