//! Who is counted, against a look at each person.

use cairn_question::Measure;
use proptest::prelude::*;

use super::model::model;
use super::world::{Asked, Field, Made, World, asked, block_on, engine, world};
use crate::EngineFault;

fn unbounded(mut asked: Asked) -> Asked {
    asked.measure = Measure::People;
    (asked.rows_per_person, asked.groups_per_person) = (None, None);
    asked
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// One table or along the links, several parts, several threads.
    #[test]
    fn the_people_of_each_cell_are_those_whom_it_counts(
        world in world(), asked in asked(), per_part in 1_u32..6, threads in 1_usize..4,
    ) {
        let asked = unbounded(asked);
        let cells_of = |(number, person): (u32, &super::world::Person)| {
            let alone = World { persons: vec![person.clone()] };
            let counted = model(&alone, &asked).people.into_iter();
            (0_u32..).zip(counted).filter(|(_, n)| *n > 0).map(|(cell, _)| (number, cell)).collect::<Vec<_>>()
        };
        let made = Made::of(world, per_part);
        let expected: Vec<(u32, u32)> = (0..).zip(&made.world.persons).flat_map(cells_of).collect();
        let people = block_on(engine(threads).people(&made.snapshot, &asked.plan())).unwrap();
        prop_assert_eq!(people.in_cells(), expected);
        prop_assert_eq!(format!("{people:?}"), "RawPeople(withheld)");
    }
}

#[test]
fn a_plan_that_bounds_or_adds_up_names_nobody() {
    let made = Made::of(World { persons: Vec::new() }, 3);
    let plain = Asked::people("engagements", &[Field::Lep]);
    let check = |change: fn(&mut Asked), dataset| {
        let mut asked = Asked { dataset, ..plain.clone() };
        change(&mut asked);
        let people = block_on(engine(1).people(&made.snapshot, &asked.plan()));
        assert_eq!(people.err(), Some(EngineFault::Plan));
    };
    check(|asked| asked.measure = Measure::Rows, "engagements");
    check(|asked| asked.rows_per_person = Some(1), "engagements");
    check(|asked| asked.groups_per_person = Some(1), "engagements");
}
