//! Counts changed by the keys of their people: answered from one release of the policy, for people and nothing else.

use cairn_question::Cell;
use cairn_question::answer::TreatmentV1;

use crate::world::{World, layers};

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
