//! What breaks on the way: a code leaves, the hold is given up, and no table goes anywhere.

use cairn_gate::Step;
use cairn_ledger::rusqlite::Connection;
use cairn_question::{Moment, QuestionId};
use cairn_release::{DiscreteLaplace, RawTable};

use crate::world::{DISABLED, NOW, PEOPLE, World, layers};

#[test]
fn a_failed_count_gives_the_hold_up_and_may_be_asked_again() {
    let mut world = World::new();
    let draft = world.draft(1, DISABLED);
    let bytes = world.sign(&draft);
    let Step::On(counting) = world.count(&bytes) else { panic!("not held") };
    assert_eq!(counting.deadline(), draft.ask.expires_at);
    let reply = world.gate.fail(counting.failed("CE001"), &mut world.ledger, NOW);
    assert_eq!(world.outcome(&reply, &draft), "fault CE001");
    assert_eq!(world.audit(), "question-failed");
    assert_eq!(world.entries()[0].code.as_deref(), Some("CE001"));
    assert_eq!(world.account(), (0, 0));
    let reply = world.answer(&bytes);
    assert_eq!(world.outcome(&reply, &draft), "answer");
}

#[test]
fn a_brake_stops_a_question_that_is_being_counted() {
    let mut world = World::new();
    let draft = world.draft(1, DISABLED);
    let bytes = world.sign(&draft);
    let Step::On(counting) = world.count(&bytes) else { panic!("not held") };
    assert_eq!(world.gate.still_permitted(&counting, &world.layers, world.now), Ok(()));
    let braked = layers(&[], Some("paused_shares = [\"equalities-people\"]"));
    let refusal = world.gate.still_permitted(&counting, &braked, world.now).unwrap_err();
    let reply = world.gate.fail(counting.stopped(refusal), &mut world.ledger, NOW);
    assert_eq!(world.outcome(&reply, &draft), "brake.paused_shares CR004");
    assert_eq!((world.audit().as_str(), world.account()), ("question-refused", (0, 0)));
    assert_eq!(world.answer(&bytes), reply);
}

#[test]
fn a_policy_that_protects_more_reaches_a_count_under_way() {
    let mut world = World::new();
    let draft = world.draft(1, DISABLED);
    let bytes = world.sign(&draft);
    let Step::On(counting) = world.count(&bytes) else { panic!("not held") };
    let other_words =
        layers(&[("controller     =", "# another text, the same treatment\ncontroller     =")], None);
    assert_ne!(other_words.statement().hash, world.layers.statement().hash);
    assert_eq!(world.gate.still_permitted(&counting, &other_words, world.now), Ok(()));
    let tighter = layers(&[("epsilon   = 0.1", "epsilon   = 0.05")], None);
    let refusal = world.gate.still_permitted(&counting, &tighter, world.now).unwrap_err();
    let reply = world.gate.fail(counting.stopped(refusal), &mut world.ledger, NOW);
    assert_eq!(world.outcome(&reply, &draft), "policy.changed CN007");
    assert_eq!((world.audit().as_str(), world.account()), ("question-refused", (0, 0)));
}

#[test]
fn a_policy_that_expires_stops_a_count_under_way() {
    let mut world = World::new();
    let draft = world.draft(1, DISABLED);
    let Step::On(counting) = world.count(&world.sign(&draft)) else { panic!("not held") };
    // The last second of the last day in London, which is an hour ahead in March's last days, and the next.
    let (_, last) = world.layers.in_force();
    let ends = u64::try_from(last.plus_days(1).epoch_days()).unwrap() * 86_400 - 3_600;
    let at = |second| world.gate.still_permitted(&counting, &world.layers, Moment::from_unix_s(second));
    assert_eq!(at(ends - 1), Ok(()));
    let refusal = at(ends).unwrap_err();
    assert_eq!(refusal.rules.iter().map(|r| r.rule.as_str()).collect::<Vec<_>>(), ["policy.expires"]);
    let reply = world.gate.fail(counting.stopped(refusal), &mut world.ledger, NOW);
    assert_eq!(world.outcome(&reply, &draft), "policy.expires CR002");
}

#[test]
fn counts_of_another_question_leave_nothing() {
    let mut world = World::new();
    let draft = world.draft(1, DISABLED);
    let Step::On(counting) = world.count(&world.sign(&draft)) else { panic!("not held") };
    let cells = counting.plan().grid.cells();
    let raw = RawTable::new(QuestionId::from_bytes([9; 32]), vec![50; cells], None, vec![]);
    let failed = world.gate.release(counting, raw, &mut DiscreteLaplace).unwrap_err();
    let reply = world.gate.fail(failed, &mut world.ledger, NOW);
    assert_eq!(world.outcome(&reply, &draft), "fault CT001");
    assert_eq!((world.audit().as_str(), world.account()), ("question-failed", (0, 0)));
}

#[test]
fn an_answer_that_is_ready_after_its_deadline_does_not_leave() {
    let mut world = World::new();
    let draft = world.draft(1, DISABLED);
    let Step::On(counting) = world.count(&world.sign(&draft)) else { panic!("not held") };
    world.now = draft.ask.expires_at.plus_s(1);
    let reply = world.finish(counting);
    assert_eq!(world.outcome(&reply, &draft), "fault CA010");
    assert_eq!(world.account(), (0, 0));
}

/// Makes every further write of an audit entry fail, as a full disk would.
fn break_writes(world: &World) {
    let connection = Connection::open(world.folder.path().join("ledger")).unwrap();
    let fail = "CREATE TRIGGER broken BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    connection.execute_batch(fail).unwrap();
}

#[test]
fn a_ledger_that_cannot_write_lets_neither_answer_nor_refusal_out() {
    let mut world = World::new();
    let (draft, refused) = (world.draft(1, PEOPLE), world.draft(2, "people by sex as of 2025-12-31"));
    let Step::On(counting) = world.count(&world.sign(&draft)) else { panic!("not held") };
    break_writes(&world);
    let reply = world.finish(counting);
    assert_eq!(world.outcome(&reply, &draft), "fault CA006");
    let reply = world.answer(&world.sign(&refused));
    assert_eq!(world.outcome(&reply, &refused), "fault CA006");
    assert_eq!(world.audit(), "");
}

#[test]
fn a_stored_table_that_cannot_be_read_back_is_a_fault_and_not_a_guess() {
    let mut world = World::new();
    world.answer(&world.sign(&world.draft(1, PEOPLE)));
    let connection = Connection::open(world.folder.path().join("ledger")).unwrap();
    connection.execute("UPDATE answer SET table_json = x'7b7d'", []).unwrap();
    let draft = world.draft(2, PEOPLE);
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.outcome(&reply, &draft), "fault CN004");
    assert_eq!(world.audit(), "question-answered question-failed");
}
