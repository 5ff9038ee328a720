//! Files that a board and a duty officer change while the node runs.

use std::time::{Duration, Instant};

use cairn_question::OutcomeV1;

use crate::harness::analyst::{Analyst, block_on, rules};
use crate::harness::federation::{Federation, Partner, dated, now};
use crate::harness::people::{FIFE, people};
use crate::harness::program::wait_for;

/// A brake is in force within a second; a busy machine gets as much again.
const WITHIN: Duration = Duration::from_secs(2);

#[test]
fn the_brake_and_the_policy_are_taken_up_while_the_node_runs() {
    let mut federation = Federation::start(&[Partner::new("fife", people("F", 30, FIFE, "F"))]);
    let analyst = Analyst::load(&federation, "analyst");
    assert!(is_answer(&ask(&analyst)));
    the_brake_pauses_within_a_second(&federation, &analyst);
    a_broken_policy_leaves_the_one_before(&mut federation, &analyst);
    an_expired_policy_answers_nothing(&federation, &analyst);
}

fn the_brake_pauses_within_a_second(federation: &Federation, analyst: &Analyst) {
    let brake = |text: String| {
        text.replace("pause_all        = false", "pause_all = true")
            .replace(r#"reason           = """#, r#"reason = "a data breach""#)
    };
    federation.edit("fife/policy/local-brake.toml", brake);
    let written = Instant::now();
    let refused = wait_for("the brake", || {
        let begun = written.elapsed();
        let outcome = ask(analyst);
        assert!(!is_answer(&outcome) || begun < WITHIN, "answered {begun:?} after the brake was written");
        (!is_answer(&outcome)).then_some(outcome)
    });
    assert_eq!(rules(&refused), ["brake.pause_all"]);
    let OutcomeV1::Refusal(refusal) = refused else { unreachable!() };
    assert!(refusal.rules[0].says.contains("a data breach"), "{refusal:?}");
    federation
        .edit("fife/policy/local-brake.toml", |text| text.replace("pause_all = true", "pause_all = false"));
    wait_for("the brake to be released", || is_answer(&ask(analyst)).then_some(()));
}

fn a_broken_policy_leaves_the_one_before(federation: &mut Federation, analyst: &Analyst) {
    let good = federation.read("fife/policy/policy.toml");
    federation.edit("fife/policy/policy.toml", |text| text.replace("[budget]", "[budget]\nunknown_key = 1"));
    let turned_away = |entry: &serde_json::Value| entry["kind"] == "policy" && entry["code"] == "CN512";
    wait_for("the policy to be turned away", || {
        federation.audit("fife").iter().any(turned_away).then_some(())
    });
    assert!(is_answer(&ask(analyst)), "the policy before stays in force");
    // Also over a restart, since the node has its own copy.
    federation.take_node("fife").stop();
    federation.start_node("fife");
    federation.wait_connected(&["fife"]);
    assert!(is_answer(&ask(analyst)), "the policy before is in force after a restart");
    federation.edit("fife/policy/policy.toml", |_| good);
}

fn an_expired_policy_answers_nothing(federation: &Federation, analyst: &Analyst) {
    let today = now().day_utc();
    // It only ends earlier, so that one signature is enough.
    let over = |text| dated(text, today.plus_days(-60), today.plus_days(-2));
    federation.next_policy("fife", &["dpo"], over);
    let refused = wait_for("the expired policy", || Some(ask(analyst)).filter(|o| !is_answer(o)));
    assert_eq!(rules(&refused), ["policy.expires"]);
}

fn ask(analyst: &Analyst) -> OutcomeV1 {
    let signed =
        analyst.sign(&analyst.question("people by council", "national-analyst", "smf-reporting", &["fife"]));
    let result = block_on(analyst.put(&signed.bytes)).unwrap();
    analyst.outcome(&signed, "fife", &result.replies[0].1)
}

const fn is_answer(outcome: &OutcomeV1) -> bool {
    matches!(outcome, OutcomeV1::Answer(_))
}
