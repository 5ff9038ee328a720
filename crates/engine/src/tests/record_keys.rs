//! Keys added up beside the people, against a look at each person.

use cairn_question::Measure;
use cairn_release::{Channel, CountPlan, Layout, RecordKeys};
use proptest::prelude::*;

use super::model::model;
use super::world::{Asked, Made, World, asked, block_on, engine, person_id, world};
use crate::EngineFault;

fn keyed(asked: &Asked) -> (CountPlan, RecordKeys) {
    let keys = RecordKeys::new(&[5; 32]);
    (CountPlan { record_keys: Some(keys.clone()), ..asked.plan() }, keys)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// One table or along the links, several parts, several threads: each person's key once in each of their cells.
    #[test]
    fn keys_are_added_up_once_for_each_person_of_a_cell(
        mut world in world(), mut asked in asked(), per_part in 1_u32..6, threads in 1_usize..4,
    ) {
        world.persons.iter_mut().for_each(|p| p.known = true);
        asked.measure = Measure::People;
        (asked.rows_per_person, asked.groups_per_person) = (None, None);
        let (plan, keys) = keyed(&asked);
        let mut sums = vec![0; plan.grid.cells()];
        let mut people = sums.clone();
        for (number, person) in (0..).zip(&world.persons) {
            let alone = model(&World { persons: vec![person.clone()] }, &asked).people;
            let key = u64::from(keys.of(&person_id(number)).unwrap());
            alone.iter().zip(&mut sums).for_each(|(n, sum)| *sum += n * key);
            alone.iter().zip(&mut people).for_each(|(n, sum)| *sum += n);
        }
        let made = Made::of(world, per_part);
        let engine = engine(threads);
        let numbers = block_on(engine.numbers(&made.snapshot, &plan)).unwrap();
        let counted = Layout::of(&plan).split(&numbers).unwrap();
        prop_assert_eq!(counted.of(Channel::Keys), sums);
        prop_assert_eq!(counted.of(Channel::People), people);
    }

    /// Whatever is asked, also of the others: the fault is the snapshot's and tells nothing of the question.
    #[test]
    fn a_snapshot_with_a_person_without_an_id_is_not_counted_by_keys(mut world in world(), mut asked in asked()) {
        // Whoever has no row at all is no person of the snapshot.
        prop_assume!(world.persons.first().is_some_and(|p| !p.starts.is_empty()));
        world.persons.iter_mut().for_each(|p| p.known = true);
        world.persons[0].known = false;
        asked.measure = Measure::People;
        let made = Made::of(world, 3);
        let fault = block_on(engine(1).numbers(&made.snapshot, &keyed(&asked).0)).unwrap_err();
        prop_assert_eq!(fault, EngineFault::NoPersonId);
    }
}
