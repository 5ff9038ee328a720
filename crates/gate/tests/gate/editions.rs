//! A second edition of one day: late rows, and what they may not show.

use cairn_gate::Step;
use cairn_question::answer::AnswerV1;
use cairn_question::{Cell, TableV1};
use cairn_release::RawTable;

use crate::world::{DISABLED, PlusOne, World};

/// Six cells.
const PEOPLE: &str = "people by simd";

/// The answer to `text` where the cells hold these people.
fn answer(world: &mut World, id: u8, text: &str, people: &[u64]) -> AnswerV1 {
    let draft = world.draft(id, text);
    let Step::On(counting) = world.count(&world.sign(&draft)) else { panic!("not counted: {text}") };
    let mut counts = people.to_vec();
    counts.resize(counting.plan().grid.cells(), 0);
    let raw = RawTable::new(counting.plan().question_id, counts, None, vec![]);
    let releasable = world.gate.release(counting, raw, &mut PlusOne).unwrap();
    let reply = world.gate.reply(releasable, &mut world.ledger, world.now);
    world.table(&reply, &draft)
}

fn first(table: &TableV1) -> Vec<Cell> {
    table.cells.iter().take(4).copied().collect()
}

#[test]
fn late_rows_of_a_few_people_change_no_table_and_those_of_many_do() {
    use Cell::{Value, Withheld};
    let mut world = World::new();
    let one = answer(&mut world, 1, PEOPLE, &[20, 0, 3, 12]);
    assert_eq!(first(&one.table), [Value(20), Value(0), Withheld, Value(10)]);
    assert_eq!(one.snapshot.notes, Vec::<String>::new());
    world.facts.edition = 2;
    // 25 would show that five came, and a cell that is not 0 any more that somebody did.
    let two = answer(&mut world, 2, PEOPLE, &[25, 4, 9, 20]);
    assert_eq!(first(&two.table), [Value(20), Value(0), Withheld, Value(20)]);
    let says = "revised: edition 2 of 2026-03-31, after edition 1; a figure that changed by fewer than 8 people stands as it was";
    assert_eq!(two.snapshot.notes, [says]);
    assert_eq!(two.snapshot.edition, 2);
    world.facts.edition = 3;
    let three = answer(&mut world, 3, PEOPLE, &[28, 8, 11, 14]);
    assert_eq!(first(&three.table), [Value(30), Value(10), Value(10), Value(20)]);
    // And again: the table of that edition, with its marker.
    let draft = world.draft(4, PEOPLE);
    let Step::Reply(reply) = world.count(&world.sign(&draft)) else { panic!("counted again") };
    let again = world.table(&reply, &draft);
    assert_eq!((again.table, again.snapshot.notes), (three.table, three.snapshot.notes));
}

#[test]
fn another_day_is_another_table() {
    let mut world = World::new();
    answer(&mut world, 1, PEOPLE, &[20, 20]);
    world.facts.as_of = "2026-06-30".parse().unwrap();
    world.facts.edition = 2;
    let next = answer(&mut world, 2, PEOPLE, &[25, 16]);
    assert_eq!(first(&next.table)[..2], [Cell::Value(25), Cell::Value(15)]);
    assert_eq!(next.snapshot.notes, Vec::<String>::new());
}

#[test]
fn a_noisy_table_of_a_new_edition_is_charged_anew_and_says_so() {
    let mut world = World::new();
    let one = answer(&mut world, 1, DISABLED, &[20]);
    world.facts.edition = 2;
    let two = answer(&mut world, 2, DISABLED, &[23]);
    assert_eq!((one.table.cells[0], two.table.cells[0]), (Cell::Value(21), Cell::Value(24)));
    assert_eq!(world.account().0, 2 * one.privacy.charged.nano());
    assert_eq!(
        two.snapshot.notes,
        ["revised: edition 2 of 2026-03-31, after edition 1, with noise of its own"]
    );
}

#[test]
fn the_same_table_of_two_editions_is_never_counted_at_once() {
    let mut world = World::new();
    let (one, two) = (world.draft(1, PEOPLE), world.draft(2, PEOPLE));
    let Step::On(_counting) = world.count(&world.sign(&one)) else { panic!("not counted") };
    world.facts.edition = 2;
    let Step::Reply(reply) = world.count(&world.sign(&two)) else { panic!("counted") };
    assert_eq!(world.outcome(&reply, &two), "ledger.in-progress CA208");
}

#[test]
fn no_count_that_is_kept_leaves_with_the_audit() {
    let mut world = World::new();
    answer(&mut world, 1, PEOPLE, &[77_777, 0, 0, 0]);
    let mut export = Vec::new();
    world.ledger.export(&mut export, &world.node).unwrap();
    assert!(!String::from_utf8(export).unwrap().contains("77777"));
}
