//! Questions that are answered.

use cairn_gate::{ColumnNote, Step};
use cairn_ledger::EntryKind;
use cairn_question::answer::TreatmentV1;
use cairn_question::{Cell, Grid};

use crate::world::{DISABLED, PEOPLE, World};

#[test]
fn a_question_walks_the_whole_ladder() {
    let mut world = World::new();
    let draft = world.draft(1, PEOPLE);
    let reply = world.answer(&world.sign(&draft));
    let answer = world.table(&reply, &draft);
    // 10, 20, 30 … people are multiples of five already.
    let expected: Vec<Cell> = (1..).map(|n| Cell::Value(n * 10)).take(answer.table.cells.len()).collect();
    assert_eq!(answer.table.cells, expected);
    assert!(matches!(answer.treatment, TreatmentV1::SuppressRound { min_people: 8, round_to: 5, .. }));
    assert_eq!(answer.privacy.charged.nano(), 0);
    let entries = world.entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].kind, EntryKind::QuestionAnswered);
    assert_eq!(entries[0].analyst.as_ref().unwrap().as_str(), "a-analyst");
    assert_eq!(entries[0].question.as_deref(), Some("people in participants by participants.sex"));
    assert_eq!(entries[0].policy.as_ref().unwrap(), world.layers.statement());
    // The counts are in the answer and nowhere in the audit.
    assert_eq!(entries[0].cells, u32::try_from(expected.len()).ok());
}

#[test]
fn noise_is_added_charged_and_stated() {
    let mut world = World::new();
    let draft = world.draft(1, DISABLED);
    let reply = world.answer(&world.sign(&draft));
    let answer = world.table(&reply, &draft);
    let expected: Vec<Cell> = (1..).map(|n| Cell::Value(n * 10 + 1)).take(answer.table.cells.len()).collect();
    assert_eq!(answer.table.cells, expected);
    let TreatmentV1::Dp { epsilon, sensitivity, plus_minus_95, .. } = answer.treatment else {
        panic!("{:?}", answer.treatment)
    };
    assert_eq!((epsilon.to_string().as_str(), sensitivity, plus_minus_95), ("0.1", 1, 30));
    // 0.1·tanh(0.05), rounded up.
    assert_eq!(answer.privacy.charged.nano(), 4_995_838);
    assert_eq!(answer.privacy.year_so_far.nano(), 4_995_838);
    assert_eq!(answer.privacy.year_cap, world.layers.caps().per_year);
    assert_eq!(world.account(), (4_995_838, 0));
    let entry = &world.entries()[0];
    assert_eq!(
        (entry.cost, entry.year_so_far),
        (Some(answer.privacy.charged), Some(answer.privacy.year_so_far))
    );
}

#[test]
fn the_same_bytes_get_the_same_reply_byte_for_byte() {
    let mut world = World::new();
    for (id, text) in [(1, PEOPLE), (2, DISABLED)] {
        let bytes = world.sign(&world.draft(id, text));
        let first = world.answer(&bytes);
        let (audit, account) = (world.audit(), world.account());
        world.now = world.now.plus_s(5);
        assert_eq!(world.answer(&bytes), first);
        world.restart();
        assert_eq!(world.answer(&bytes), first);
        assert_eq!((world.audit(), world.account()), (audit, account));
    }
}

#[test]
fn an_equal_question_gets_the_stored_table_and_is_not_charged() {
    let mut world = World::new();
    let first = world.draft(1, DISABLED);
    let reply = world.answer(&world.sign(&first));
    let first = world.table(&reply, &first);
    // The axes in another order, the snapshot's day by name, another number.
    let again = world.draft(2, "people by sex, disabled as of 2026-03-31");
    let bytes = world.sign(&again);
    let Step::Reply(reply) = world.count(&bytes) else { panic!("counted again") };
    let second = world.table(&reply, &again);
    assert_eq!(second.treatment, first.treatment);
    let (a, b) = (
        Grid::new(first.table.dimensions.clone()).unwrap(),
        Grid::new(second.table.dimensions.clone()).unwrap(),
    );
    for cell in 0..a.cells() {
        let codes = a.codes_of(cell);
        let turned = b.cell_of(&[codes[1], codes[0]]).unwrap();
        assert_eq!(first.table.cells[cell], second.table.cells[turned], "{codes:?}");
    }
    assert_ne!(first.table.cells, second.table.cells, "the axes are turned");
    assert_eq!((second.privacy.charged.nano(), second.privacy.year_so_far), (0, first.privacy.year_so_far));
    assert_eq!(world.audit(), "question-answered question-repeated");
    assert_eq!(world.account(), (4_995_838, 0));
    // And that reply, too, is remembered.
    assert_eq!(world.answer(&bytes), reply);
}

#[test]
fn a_new_snapshot_is_counted_anew() {
    let mut world = World::new();
    world.answer(&world.sign(&world.draft(1, DISABLED)));
    world.facts.edition = 2;
    let draft = world.draft(2, DISABLED);
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.table(&reply, &draft).snapshot.edition, 2);
    assert_eq!(world.account(), (2 * 4_995_838, 0));
}

#[test]
fn a_crash_between_hold_and_answer_costs_nothing_twice() {
    let mut world = World::new();
    let draft = world.draft(1, DISABLED);
    let bytes = world.sign(&draft);
    let Step::On(counting) = world.count(&bytes) else { panic!("not held") };
    drop(counting);
    world.restart();
    assert_eq!(world.account(), (4_995_838, 4_995_838));
    assert_eq!(world.audit(), "");
    // Asked again, it is held once and counted.
    let reply = world.answer(&bytes);
    assert_eq!(world.outcome(&reply, &draft), "answer");
    assert_eq!(world.account(), (4_995_838, 0));
    assert_eq!(world.audit(), "question-answered");
}

#[test]
fn a_question_that_comes_twice_at_once_gets_one_reply() {
    let mut world = World::new();
    let bytes = world.sign(&world.draft(1, DISABLED));
    let (Step::On(one), Step::On(other)) = (world.count(&bytes), world.count(&bytes)) else {
        panic!("not held")
    };
    let first = world.finish(one);
    assert_eq!(world.finish(other), first);
    assert_eq!(world.account(), (4_995_838, 0));
}

#[test]
fn an_answer_says_what_its_columns_lost() {
    let mut world = World::new();
    let note = |column: &str, note: &str| ColumnNote {
        table: "participants".into(),
        column: column.into(),
        note: note.into(),
    };
    world.facts.notes =
        vec![note("sex", "sex was not asked in year 1"), note("council_code", "not used here")];
    let draft = world.draft(1, PEOPLE);
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.table(&reply, &draft).snapshot.notes, ["sex was not asked in year 1"]);
}
