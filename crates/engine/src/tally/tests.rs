use cairn_release::Cohort;
use proptest::prelude::*;

use super::*;
use crate::place::{NEVER_COUNTS, NO_CODE, fails};

const CELLS: usize = 5;

fn of(measure: Measure, rows: Option<u32>, cells: Option<u32>, cohort: Cohort) -> TallyOf {
    let bounds = Bounds { rows_per_person: rows, groups_per_person: cells, cap_key: [9; 32] };
    let channels: &[Channel] = match measure {
        Measure::People => &[Channel::People],
        Measure::Rows => &[Channel::People, Channel::Rows],
        Measure::Sum(_) | Measure::Mean(_) => &[Channel::People, Channel::Rows, Channel::Sums],
    };
    let filters = if cohort == Cohort::Counted { 2 } else { 0 };
    let clamp = measure.column().map(|_| (2, 10));
    TallyOf::bounded(Layout::new(CELLS, channels, filters), clamp, bounds, None)
}

/// Persons with their rows' places; the numbers that come out.
fn numbers(of: &TallyOf, persons: &[Vec<u32>]) -> Vec<u64> {
    let mut tally = Tally::new(of.clone());
    for (person, rows) in (0..).zip(persons) {
        tally.add(&vec![person; rows.len()], rows, None).unwrap();
    }
    tally.finish().0
}

fn check(of: &TallyOf, persons: &[&[u32]], people: [u64; CELLS], rest: &[u64]) {
    let persons: Vec<Vec<u32>> = persons.iter().map(|p| p.to_vec()).collect();
    assert_eq!(numbers(of, &persons), [&people[..], rest].concat());
}

#[test]
fn each_cell_counts_a_person_once() {
    let plain = of(Measure::People, None, None, Cohort::NotCounted);
    check(&plain, &[&[0, 1, 0, 0], &[0], &[], &[4, NO_CODE, fails(0), NEVER_COUNTS]], [2, 1, 0, 0, 1], &[]);
}

#[test]
fn rows_count_rows_beside_people_and_keep_the_oldest() {
    let rows = of(Measure::Rows, None, None, Cohort::NotCounted);
    check(&rows, &[&[0, 1, 0], &[0]], [2, 1, 0, 0, 0], &[3, 1, 0, 0, 0]);
    let two = of(Measure::Rows, Some(2), None, Cohort::NotCounted);
    check(&two, &[&[0, 1, 0, 3], &[0]], [2, 1, 0, 0, 0], &[2, 1, 0, 0, 0]);
}

/// Persons with each row's place and value; the sums that come out after the people and the rows.
fn check_sums(
    rows: Option<u32>,
    cells: Option<u32>,
    persons: &[&[(u32, Option<i64>)]],
    counts: [[u64; CELLS]; 3],
) {
    let of = of(Measure::Sum("hours".into()), rows, cells, Cohort::NotCounted);
    let mut tally = Tally::new(of);
    for (person, rows) in (0..).zip(persons) {
        let (places, values): (Vec<u32>, Vec<Option<i64>>) = rows.iter().copied().unzip();
        tally.add(&vec![person; rows.len()], &places, Some(&Int64Array::from(values))).unwrap();
    }
    assert_eq!(tally.finish().0, counts.concat());
}

#[test]
fn each_row_is_clamped_before_it_is_added() {
    // Below, within and above the bounds of 2 and 10: clamped one by one, and not their sum.
    let rows: [(u32, Option<i64>); 5] =
        [(0, Some(-7)), (0, Some(5)), (0, Some(11)), (1, Some(i64::MAX)), (2, Some(i64::MIN))];
    check_sums(None, None, &[&rows], [[1, 1, 1, 0, 0], [3, 1, 1, 0, 0], [17, 10, 2, 0, 0]]);
    check_sums(None, None, &[&rows, &rows], [[2, 2, 2, 0, 0], [6, 2, 2, 0, 0], [34, 20, 4, 0, 0]]);
}

#[test]
fn a_row_without_a_value_adds_nothing_is_not_counted_and_uses_up_the_bound() {
    let rows = [(0, None), (0, Some(5)), (1, Some(6)), (1, Some(7))];
    check_sums(None, None, &[&rows], [[1, 1, 0, 0, 0], [1, 2, 0, 0, 0], [5, 13, 0, 0, 0]]);
    check_sums(Some(3), None, &[&rows], [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [5, 6, 0, 0, 0]]);
    check_sums(Some(3), Some(5), &[&rows], [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [5, 6, 0, 0, 0]]);
}

#[test]
fn a_sum_without_values_and_values_without_a_sum_are_refused() {
    let sum = of(Measure::Sum("hours".into()), None, None, Cohort::NotCounted);
    let plain = of(Measure::People, None, None, Cohort::NotCounted);
    let values = Int64Array::from(vec![1]);
    for (of, values) in [(&sum, None), (&plain, Some(&values))] {
        assert_eq!(Tally::new(of.clone()).add(&[0], &[0], values), Err(EngineFault::Plan));
    }
    assert_eq!(Tally::new(sum).add(&[0, 1], &[0, 0], Some(&values)), Err(EngineFault::Plan));
}

#[test]
fn a_row_outside_the_grid_uses_up_the_bound_and_a_filtered_one_does_not() {
    let one = of(Measure::People, Some(1), None, Cohort::NotCounted);
    check(&one, &[&[NO_CODE, 1], &[fails(1), 2], &[NEVER_COUNTS, 3]], [0, 0, 1, 1, 0], &[]);
}

#[test]
fn a_filter_leaves_out_whoever_it_alone_keeps_from_every_cell() {
    let cohorts = of(Measure::People, None, None, Cohort::Counted);
    // Left out by 0 alone; by 1 alone; by both in different rows; by both in the same row only; counted all the same.
    let persons: [&[u32]; 5] = [
        &[fails(0), NEVER_COUNTS],
        &[2 + fails(1)],
        &[fails(0), fails(1)],
        &[fails(0) + fails(1)],
        &[fails(0), 1],
    ];
    check(&cohorts, &persons, [0, 1, 0, 0, 0], &[2, 2]);
    // Outside the grid there is nothing to leave out, and nothing that counts.
    check(&cohorts, &[&[fails(0) + NO_CODE], &[NO_CODE, fails(0)]], [0; CELLS], &[1, 0]);
}

#[test]
fn persons_must_rise_and_the_last_number_is_nobodys() {
    let plain = of(Measure::People, None, None, Cohort::NotCounted);
    let fault = |persons: &[&[u32]]| {
        let mut tally = Tally::new(plain.clone());
        persons.iter().map(|p| tally.add(p, &vec![0; p.len()], None)).find_map(Result::err)
    };
    assert_eq!(fault(&[&[1, 1, 3], &[], &[3, 4]]), None);
    for torn in [&[&[2_u32, 1][..]][..], &[&[1, 2], &[1]], &[&[1, u32::MAX]]] {
        assert_eq!(fault(torn), Some(EngineFault::PersonOrder));
    }
}

#[test]
fn rows_without_persons_stand_for_themselves() {
    let mut tally = Tally::new(of(Measure::Rows, Some(1), Some(1), Cohort::Counted));
    tally.add_unowned(&[0, 0, fails(1), 3]);
    assert_eq!(tally.finish(), (vec![2, 0, 0, 1, 0, 2, 0, 0, 1, 0, 0, 1], None));
}

#[test]
fn the_bound_on_cells_is_reached_and_depends_on_the_key() {
    let capped = |key| {
        let bounds = Bounds { rows_per_person: None, groups_per_person: Some(2), cap_key: key };
        let of = TallyOf::of_people(CELLS, bounds);
        numbers(&of, &[vec![0, 1, 2, 3, 4]])
    };
    assert_eq!(capped([0; 32]).iter().sum::<u64>(), 2);
    let kept: std::collections::BTreeSet<Vec<u64>> = (0..40).map(|k| capped([k; 32])).collect();
    assert!(kept.len() > 3, "40 keys keep more than 3 different pairs of 10");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Counting at once and taking back keeps the very cells that the general way keeps.
    #[test]
    fn counting_at_once_and_taking_back_is_the_same(
        persons in prop::collection::vec(prop::collection::vec(place(), 0..9), 0..8), cells in 1..4_u32, batch in 1..9_usize,
    ) {
        let of = of(Measure::People, None, Some(cells), Cohort::NotCounted);
        let rows = (0_u32..).zip(&persons).flat_map(|(person, rows)| rows.iter().map(move |place| (person, *place)));
        let (numbers, places): (Vec<u32>, Vec<u32>) = rows.unzip();
        let count = |at_once: bool| {
            let mut tally = Tally::new(of.clone());
            assert!(tally.capped.is_some());
            tally.capped = tally.capped.filter(|_| at_once);
            for (numbers, places) in numbers.chunks(batch).zip(places.chunks(batch)) {
                tally.add(numbers, places, None).unwrap();
            }
            tally.finish()
        };
        prop_assert_eq!(count(true), count(false));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What is kept of a person depends on that person alone, whoever else is counted and whatever their numbers are; so
    /// one person changes the numbers by their own share, and that is within the bounds.
    #[test]
    fn a_table_is_the_sum_of_its_persons(
        persons in prop::collection::vec(prop::collection::vec(place(), 0..9), 0..8),
        rows in prop::option::of(1..5_u32), cells in prop::option::of(1..4_u32), by_rows: bool, cohort: bool,
    ) {
        let measure = if by_rows { Measure::Rows } else { Measure::People };
        let cohort = if cohort { Cohort::Counted } else { Cohort::NotCounted };
        let of = of(measure, rows, cells, cohort);
        let mut sum = vec![0; of.numbers()];
        for person in &persons {
            let own = numbers(&of, std::slice::from_ref(person));
            let people: u64 = own[..CELLS].iter().sum();
            prop_assert!(people <= u64::from(cells.unwrap_or(u32::MAX)) && people <= u64::from(rows.unwrap_or(u32::MAX)));
            prop_assert!(own[..CELLS].iter().all(|n| *n <= 1));
            if by_rows {
                prop_assert!(own[CELLS..2 * CELLS].iter().sum::<u64>() <= u64::from(rows.unwrap_or(u32::MAX)));
            }
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        prop_assert_eq!(numbers(&of, &persons), sum);
    }
}

fn place() -> impl Strategy<Value = u32> {
    let cell = 0..u32::try_from(CELLS).unwrap();
    (
        cell,
        prop::sample::select(vec![0, 0, 0, NO_CODE, fails(0), fails(1), fails(0) + fails(1), NEVER_COUNTS]),
    )
        .prop_map(|(cell, mark)| cell + mark)
}
