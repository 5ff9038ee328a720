//! A ledger that is put back from a backup under a real node: noticed, over a restart too, until the documented step is taken.

use cairn_question::OutcomeV1;

use crate::harness::analyst::{Analyst, block_on, rules};
use crate::harness::federation::{Federation, Partner};
use crate::harness::people::{FIFE, people};

const LEDGER: &str = "fife/ledger.sqlite";
const FREE: [&str; 3] = ["people by council", "own-tables-analyst", "smf-reporting"];
const NOISY: [&str; 3] = ["people by disabled", "equalities-analyst", "equalities"];

#[test]
fn a_restored_ledger_answers_nothing_until_its_operator_has_acknowledged_it() {
    let mut federation = Federation::start(&[Partner::new("fife", people("F", 30, FIFE, "F"))]);
    let analyst = Analyst::load(&federation, "analyst");
    assert!(is_answer(&ask(&analyst, FREE)));
    stopped(&mut federation, |f| {
        std::fs::copy(f.path(LEDGER), f.path("backup.sqlite")).unwrap();
        f.cairn(&["node", "restored", "--node", "fife"]).exits(1).says("CC115");
    });
    price(&federation, 0, "costs ρ");
    assert!(is_answer(&ask(&analyst, NOISY)));
    price(&federation, 0, "free");

    // What an IT officer does after a disk has failed. An orderly stop leaves the main file alone.
    stopped(&mut federation, put_back);
    refused_by(&analyst, FREE, "ledger.restored");
    assert!(federation.read("fife.log").contains("CA211"), "the operator is told");
    // Also after a start, and while the node runs nothing is acknowledged.
    stopped(&mut federation, |_| {});
    refused_by(&analyst, NOISY, "ledger.restored");
    federation.cairn(&["node", "restored", "--node", "fife"]).exits(1).says("CC115");

    stopped(&mut federation, |f| {
        f.cairn(&["node", "restored", "--node", "fife"]).exits(0).says("is charged");
    });
    assert!(is_answer(&ask(&analyst, FREE)));
    refused_by(&analyst, NOISY, "budget.epsilon_per_year");
    price(&federation, 3, "CA202");
    let restores = federation.audit("fife").into_iter().filter(|entry| entry["kind"] == "restore");
    assert_eq!(restores.count(), 1, "the audit says so");

    // The coordinator took the new end in the place of the one that was given up: the same backup is noticed again.
    stopped(&mut federation, put_back);
    refused_by(&analyst, FREE, "ledger.restored");
}

#[test]
fn a_ledger_that_is_put_back_with_the_coordinators_store_is_noticed_by_what_another_partner_kept() {
    let partners =
        [Partner::new("fife", people("F", 30, FIFE, "F")), Partner::new("angus", people("A", 30, FIFE, "F"))];
    let mut federation = Federation::start(&partners);
    let analyst = Analyst::load(&federation, "analyst");
    assert!(is_answer(&ask(&analyst, FREE)));
    let store = federation.path("coordinator/rounds.sqlite");
    all_stopped(&mut federation, |f| {
        std::fs::copy(f.path(LEDGER), f.path("backup.sqlite")).unwrap();
        std::fs::copy(&store, f.path("store.sqlite")).unwrap();
    });
    assert!(is_answer(&ask(&analyst, NOISY)));

    all_stopped(&mut federation, |f| {
        put_back(f);
        std::fs::copy(f.path("store.sqlite"), &store).unwrap();
    });
    refused_by(&analyst, FREE, "ledger.restored");
    assert!(federation.read("fife.log").contains("CA211"), "the operator is told");
    assert!(federation.read("coordinator.log").contains("CO409"), "and the coordinator's");
}

/// Stops everybody in good order, does something to their folders, and starts them again: the partner that keeps the end first.
fn all_stopped(federation: &mut Federation, work: impl FnOnce(&Federation)) {
    for partner in ["fife", "angus"] {
        assert_eq!(federation.take_node(partner).stop(), 0);
    }
    assert_eq!(federation.take_coordinator().stop(), 0);
    work(federation);
    federation.start_coordinator();
    federation.start_node("angus");
    federation.wait_connected(&["angus"]);
    federation.start_node("fife");
    federation.wait_connected(&["fife", "angus"]);
}

/// Stops the node, does something to its folder, and starts it again.
fn stopped(federation: &mut Federation, work: impl FnOnce(&Federation)) {
    assert_eq!(federation.take_node("fife").stop(), 0);
    work(federation);
    federation.start_node("fife");
    federation.wait_connected(&["fife"]);
}

fn put_back(federation: &Federation) {
    std::fs::copy(federation.path("backup.sqlite"), federation.path(LEDGER)).unwrap();
}

fn price(federation: &Federation, exits: i32, says: &str) {
    let [question, role, purpose] = NOISY;
    let words = ["policy", "price", "--node", "fife", "--role", role, "--purpose", purpose];
    federation.cairn(&[&words[..], &["--analyst", "analyst", question]].concat()).exits(exits).says(says);
}

fn refused_by(analyst: &Analyst, question: [&str; 3], rule: &str) {
    assert_eq!(rules(&ask(analyst, question)), [rule]);
}

fn ask(analyst: &Analyst, [text, role, purpose]: [&str; 3]) -> OutcomeV1 {
    let signed = analyst.sign(&analyst.question(text, role, purpose, &["fife"]));
    let result = block_on(analyst.put(&signed.bytes)).unwrap();
    analyst.outcome(&signed, "fife", &result.replies[0].1)
}

const fn is_answer(outcome: &OutcomeV1) -> bool {
    matches!(outcome, OutcomeV1::Answer(_))
}
