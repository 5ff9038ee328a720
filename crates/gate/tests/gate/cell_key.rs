//! Counts changed by the keys of their people: answered from one release of the policy, for people and nothing else.

use cairn_gate::Step;
use cairn_question::answer::TreatmentV1;
use cairn_question::{AnswerV1, Cell};
use cairn_release::RawTable;

use crate::world::{PlusOne, World, layers};

const PEOPLE: &str = "people in engagements by lep_code";

fn world() -> World {
    let plain = "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"";
    let keyed = "method  = \"cell-key\"\nptable  = \"framework:d3\"\nprofile = \"census-cell-key\"";
    let mut world = World::new();
    world.layers = layers(&[(plain, keyed)], None);
    world
}

#[test]
fn a_table_changed_by_record_keys_says_so_and_costs_nothing() {
    let mut world = world();
    let draft = world.draft(1, PEOPLE);
    let reply = world.answer(&world.sign(&draft));
    let answer = world.table(&reply, &draft);
    let TreatmentV1::CellKey { profile, table, max_change, min_people, round_to, .. } = &answer.treatment
    else {
        panic!("{:?}", answer.treatment)
    };
    assert_eq!((profile.as_str(), table.as_str()), ("census-cell-key", "framework:d3"));
    assert_eq!((*max_change, *min_people, *round_to), (3, 5, 1));
    for (cell, range) in answer.table.cells.iter().zip(answer.ranges()) {
        let (Cell::Value(shown), Some(range)) = (cell, range) else { continue };
        assert!(range.least >= 0 && range.most == Some(shown + 3), "{shown} {range:?}");
    }
    assert_eq!(world.account(), (0, 0));
    // The same question again: the same bytes of the same table, from the ledger.
    let again = world.draft(2, PEOPLE);
    let reply = world.answer(&world.sign(&again));
    assert_eq!(world.table(&reply, &again).table, answer.table);
}

#[test]
fn rows_have_no_keys_of_their_own() {
    let mut world = world();
    let draft = world.draft(1, "rows in engagements by lep_code");
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.outcome(&reply, &draft), "release.plain-table.method CN010");
}

/// The answer where `of` gives each cell its people and the sum of their keys.
fn answer(world: &mut World, id: u8, of: impl Fn(u64) -> (u64, u64)) -> AnswerV1 {
    let draft = world.draft(id, PEOPLE);
    let Step::On(counting) = world.count(&world.sign(&draft)) else { panic!("not counted") };
    let (people, keys) = (0..).map(of).take(counting.plan().grid.cells()).unzip();
    let raw = RawTable::new(counting.plan().question_id, people, None, vec![]).with_keys(keys);
    let releasable = world.gate.release(counting, raw, &mut PlusOne).unwrap();
    let reply = world.gate.reply(releasable, &mut world.ledger, world.now);
    world.table(&reply, &draft)
}

/// A cell's key changes with each person, so that even one who came would show.
#[test]
fn late_rows_of_a_few_people_change_no_cell() {
    let mut world = world();
    let one = answer(&mut world, 1, |_| (100, 700));
    world.facts.edition = 2;
    let two = answer(&mut world, 2, |cell| (100 + cell % 5, 700 + 10 * cell));
    assert_eq!(two.table, one.table, "fewer than five came, or some were exchanged");
    world.facts.edition = 3;
    let three = answer(&mut world, 3, |_| (200, 700));
    assert_ne!(three.table, one.table);
}
