//! Counts on made-up snapshots, beside a model that looks at each person in memory.

mod canary;
mod limits;
pub(crate) mod model;
pub(crate) mod world;

use proptest::prelude::*;

use cairn_question::Measure;

use crate::tests::model::{Expected, model};
use crate::tests::world::{Asked, Made, World, asked, count, world};

fn agrees(made: &Made, asked: &Asked, threads: usize) {
    let plan = asked.plan();
    let numbers = count(&made.snapshot, &plan, threads).unwrap();
    assert_eq!(numbers, model(&made.world, asked));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// One table or along the links, several parts, several threads: the same as looking at each person.
    #[test]
    fn a_count_is_what_a_look_at_each_person_gives(
        world in world(), questions in prop::collection::vec(asked(), 6), per_part in 1_u32..6, threads in 1_usize..4,
    ) {
        let made = Made::of(world, per_part);
        for asked in &questions {
            agrees(&made, asked, threads);
        }
    }

    /// One person more or less changes the counts by no more than the bounds say, and nobody else's share at all, although
    /// every later person's number changes.
    #[test]
    fn one_person_changes_no_more_than_the_bounds_say(
        world in world(), mut asked in asked(), cells in 1_u32..3, rows in 1_u32..4, leaver in 0_usize..8,
    ) {
        prop_assume!(leaver < world.persons.len());
        asked.groups_per_person = Some(cells);
        asked.rows_per_person = Some(rows);
        asked.filters.clear();
        let mut without = world.clone();
        let person = World { persons: vec![without.persons.remove(leaver)] };
        let with = counts(world, &asked);
        let without = counts(without, &asked);
        let alone = counts(person, &asked);
        let bound = match asked.measure {
            Measure::People => u64::from(cells.min(rows)),
            Measure::Rows => u64::from(rows),
            Measure::Sum(_) | Measure::Mean(_) => u64::from(rows) * u64::from(asked.clamp.1),
        };
        let change: Vec<u64> = with.iter().zip(&without).map(|(a, b)| a.checked_sub(*b).unwrap()).collect();
        prop_assert_eq!(&change, &alone);
        prop_assert!(alone.iter().sum::<u64>() <= bound);
        prop_assert!(alone.iter().filter(|n| **n > 0).count() <= usize::try_from(cells).unwrap());
    }
}

fn counts(world: World, asked: &Asked) -> Vec<u64> {
    let made = Made::of(world, 3);
    let Expected { people, rows, sums, .. } = count(&made.snapshot, &asked.plan(), 2).unwrap();
    sums.or(rows).unwrap_or(people)
}
