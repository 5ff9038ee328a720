//! Counts on made-up snapshots, beside a model that looks at each person in memory.

mod canary;
mod limits;
pub(crate) mod model;
mod people;
mod record_keys;
pub(crate) mod world;

use proptest::prelude::*;

use std::collections::BTreeMap;

use cairn_release::{Channel, Layout, Vector};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::tests::model::{Expected, model};
use crate::tests::world::{Asked, Made, World, asked, block_on, count, engine, world};

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

    /// One person more or less changes the counts by their own, and nobody else's share at all, although every later person's
    /// number changes: what is kept of a person does not depend on other people.
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
        let change: Vec<u64> = with.iter().zip(&without).map(|(a, b)| a.checked_sub(*b).unwrap()).collect();
        prop_assert_eq!(&change, &alone);
        prop_assert!(alone.iter().filter(|n| **n > 0).count() <= usize::try_from(cells).unwrap());
    }
}

fn counts(world: World, asked: &Asked) -> Vec<u64> {
    let made = Made::of(world, 3);
    let Expected { people, rows, sums, .. } = count(&made.snapshot, &asked.plan(), 2).unwrap();
    sums.or(rows).unwrap_or(people)
}

/// Random triples of data, question and person: what noise is added to never moves further than the noise is scaled to, and for
/// each measure it does move as far. A property test by hand, since what all cases reached together is a part of it.
#[test]
fn the_exact_numbers_move_by_at_most_the_declared_sensitivity_and_reach_it() {
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let mut reached: BTreeMap<(String, Channel), u32> = BTreeMap::new();
    let (mut triples, mut draw) = (0, 0_usize);
    let engine = engine(1);
    while triples < 1_000 {
        let world = world().new_tree(&mut runner).unwrap().current();
        let questions: Vec<Asked> =
            (0..10).map(|_| asked().new_tree(&mut runner).unwrap().current()).collect();
        if world.persons.is_empty() {
            continue;
        }
        let leavers: Vec<usize> = (0..2).map(|n| (draw + n) % world.persons.len()).collect();
        draw += 2;
        let made = Made::of(world.clone(), 6);
        let without = leavers.iter().map(|leaver| {
            let mut without = world.clone();
            without.persons.remove(*leaver);
            Made::of(without, 5)
        });
        let without: Vec<Made> = without.collect();
        for (at, mut asked) in questions.into_iter().enumerate() {
            // Small bounds, so that persons reach them.
            asked.groups_per_person = Some(1 + u32::try_from(at % 2).unwrap());
            asked.rows_per_person = Some(asked.rows_per_person.unwrap_or(1));
            asked.filters.clear();
            let plan = asked.plan();
            let vectors = Vector::all_of(&plan).unwrap();
            let exact = |made: &Made| {
                let numbers = block_on(engine.numbers(&made.snapshot, &plan)).unwrap();
                let counted = Layout::of(&plan).split(&numbers).unwrap();
                vectors.iter().map(|v| v.exact(&counted)).collect::<Vec<_>>()
            };
            let with = exact(&made);
            for without in &without {
                triples += 1;
                for ((vector, a), b) in vectors.iter().zip(&with).zip(exact(without)) {
                    let apart: u64 = a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).sum();
                    let most = u64::from(vector.sensitivity.get());
                    assert!(apart <= most, "{apart} > {most}: {asked:?}");
                    let measure = asked.measure.to_string().split(':').next().unwrap().to_owned();
                    *reached.entry((measure, vector.channel)).or_default() += u32::from(apart == most);
                }
            }
        }
    }
    assert_eq!(reached.len(), 5, "people, rows, sums, and the sums and rows of means: {reached:?}");
    assert!(reached.values().all(|times| *times > 0), "{reached:?}");
}
