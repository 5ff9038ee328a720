//! L3 by brute force: what a rounded table says of the few who are missing from a total, by itself and beside totals.
//!
//! A table is tried against every other table of the same form, so that nothing is reasoned about and nothing left out: what a
//! reader can tell is the set of complements of all tables that look the same.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// Complements by what a reader sees: the shown cells and, where there is one, the shown total; and the cell whose complement it is.
type Possible = BTreeMap<(Vec<String>, usize), BTreeSet<u64>>;

/// What a reader has beside the table.
#[derive(Clone, Copy)]
enum Beside {
    /// Nothing.
    Nothing,
    /// The same people without the axis: the answer to the smaller question, under the same rule.
    RoundedTotal,
    /// The exact total, from elsewhere.
    ExactTotal,
}

/// Every table of `codes` cells with up to `most` people each.
fn tables(codes: u32, most: u64) -> impl Iterator<Item = Vec<u64>> {
    let sizes = most + 1;
    (0..sizes.pow(codes)).map(move |n| (0..codes).map(|at| n / sizes.pow(at) % sizes).collect())
}

fn seen(people: &[u64], beside: Beside) -> Vec<String> {
    let total: u64 = people.iter().sum();
    let mut seen: Vec<String> = shown(people, &RULE).iter().map(|cell| format!("{cell:?}")).collect();
    match beside {
        Beside::Nothing => {}
        Beside::RoundedTotal => seen.push(format!("{:?}", shown(&[total], &RULE))),
        Beside::ExactTotal => seen.push(total.to_string()),
    }
    seen
}

fn possible(codes: u32, most: u64, beside: Beside) -> Possible {
    let mut possible = Possible::new();
    for people in tables(codes, most) {
        let (seen, total) = (seen(&people, beside), people.iter().sum::<u64>());
        for (at, own) in people.iter().enumerate() {
            possible.entry((seen.clone(), at)).or_default().insert(total - own);
        }
    }
    possible
}

/// Every table with a small complement (1 to k−1 missing from the total to a cell with people), with what a reader takes it for.
fn small_complements(
    codes: u32,
    most: u64,
    beside: Beside,
) -> impl Iterator<Item = (Vec<u64>, usize, BTreeSet<u64>)> {
    let possible = possible(codes, most, beside);
    tables(codes, most).flat_map(move |people| {
        let total: u64 = people.iter().sum();
        let few = |at: &usize| people[*at] > 0 && small(total - people[*at], RULE.min_people);
        let places: Vec<usize> = (0..people.len()).filter(few).collect();
        let key = seen(&people, beside);
        let found: Vec<_> =
            places.into_iter().map(|at| (people.clone(), at, possible[&(key.clone(), at)].clone())).collect();
        found
    })
}

/// A table by itself: those missing from the total to a cell are the others, and those of them who are there at all are each withheld
/// as "1 to 7". So a small complement can be any number from one person for each withheld cell to seven for each, and never fewer
/// than seven numbers.
#[test]
fn l3_a_rounded_table_leaves_every_small_complement_open() {
    for (codes, most) in [(2, 30), (3, 18), (4, 9)] {
        let mut tried = 0;
        for (people, at, found) in small_complements(codes, most, Beside::Nothing) {
            let others =
                people.iter().enumerate().filter(|(n, count)| *n != at && **count > 0).count() as u64;
            assert_eq!(found, (others..=7 * others).collect(), "{people:?}");
            tried += 1;
        }
        assert!(tried > 100, "{tried}");
    }
}

/// Whether L3 is met is not for the cell to say that is nearly everybody: whatever it is, it looks like a neighbour of its own.
#[test]
fn l3_a_shown_cell_has_a_neighbour_that_looks_the_same() {
    for people in tables(2, 40) {
        let same = |other: u64| shown(&[other, people[1]], &RULE) == shown(&people, &RULE);
        let near = [people[0].saturating_sub(1), people[0] + 1];
        assert!(people[0] == 0 || near.into_iter().any(|n| n != people[0] && n > 0 && same(n)), "{people:?}");
    }
}

/// Beside the rounded total, which the smaller question gives: of two codes a small complement is never one number only.
#[test]
fn l3_two_codes_beside_their_rounded_total_leave_two_numbers_at_least() {
    let narrowest = small_complements(2, 60, Beside::RoundedTotal).min_by_key(|(_, _, found)| found.len());
    let (people, _, found) = narrowest.unwrap();
    assert_eq!(found, BTreeSet::from([6, 7]), "{people:?}");
}

/// What is *not* promised, so that nobody says it is: rounding alone does not keep a small count beside totals. Of three codes the rounded total can
/// give it away, of two the exact one can (docs/reference/treatments.md).
#[test]
fn l3_totals_beside_a_rounded_table_can_give_a_small_count_away() {
    let only = |codes, most, beside, people: &[u64]| {
        let all: Vec<_> = small_complements(codes, most, beside).collect();
        let given: Vec<_> = all.iter().filter(|(_, _, found)| found.len() == 1).collect();
        let small = small_counts(codes, most, beside);
        (all.len(), given.len(), small.iter().any(|(table, count)| table == people && count.len() == 1))
    };
    // 8, 8 and 1 are shown as 10, 10 and [c]; 17 is shown as 15, and 15 stands for 17 at most.
    assert!(only(3, 18, Beside::RoundedTotal, &[8, 8, 1]).2);
    // 17 and 7 are shown as 15 and [c]. Of exactly 24 at most 17 are in the first.
    let (all, given, pinned) = only(2, 30, Beside::ExactTotal, &[17, 7]);
    assert!(pinned && given > 0 && given < all, "{given} of {all}");
}

/// For each table with a withheld cell last, the counts that it may have by all that is seen.
fn small_counts(codes: u32, most: u64, beside: Beside) -> Vec<(Vec<u64>, BTreeSet<u64>)> {
    let mut possible: BTreeMap<Vec<String>, BTreeSet<u64>> = BTreeMap::new();
    let last = |people: &[u64]| *people.last().unwrap();
    for people in tables(codes, most) {
        possible.entry(seen(&people, beside)).or_default().insert(last(&people));
    }
    let withheld = tables(codes, most).filter(|people| small(last(people), RULE.min_people));
    withheld.map(|people| (people.clone(), possible[&seen(&people, beside)].clone())).collect()
}
