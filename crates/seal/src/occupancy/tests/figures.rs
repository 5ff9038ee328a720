//! How accurate a count is. Noise is repeatable here, so each figure is the same in every run; the larger ones are `cargo run --release -p cairn-seal --example
//! people_counted_once`.

use super::*;
use crate::occupancy::estimate::variance;

/// The relative root mean square error that the variance formula gives.
fn predicted(millionths: u32, power: u8, people: u32) -> f64 {
    let terms = usual(millionths, power);
    let m = f64::from(terms.buckets().for_people());
    variance(f64::from(people), m, (terms.p_empty(), terms.p_occupied())).sqrt() / f64::from(people)
}

/// secure-totals.md section 3. One bucket in eight is a control, which costs a little: the design's table is without.
#[test]
fn the_formula_gives_the_figures_of_the_table() {
    for (people, power, figures) in [
        (1_000, 11, [0.108, 0.042, 0.026]),
        (10_000, 15, [0.036, 0.013, 0.0080]),
        (100_000, 18, [0.0106, 0.0044, 0.0024]),
    ] {
        for (millionths, figure) in [1_000_000, 2_000_000, 3_000_000].into_iter().zip(figures) {
            let predicted = predicted(millionths, power, people);
            assert!(predicted < 1.15 * figure, "{people} at {millionths}: {predicted} for {figure}");
            assert!(predicted > 0.85 * figure, "{people} at {millionths}: {predicted} for {figure}");
        }
    }
    // The bars.
    assert!(predicted(1_000_000, 18, 100_000) <= 0.012 && predicted(2_000_000, 18, 100_000) <= 0.005);
}

/// Runs, and how many intervals hold the truth, and the relative root mean square error.
fn tried(terms: &CountTerms, people: u32, runs: u32) -> (u32, f64) {
    let (mut covered, mut squares) = (0, 0.0);
    for run in 0..runs {
        let count = counted(terms, people, run).unwrap();
        covered += u32::from(count.covers(f64::from(people)));
        squares += (count.people() / f64::from(people) - 1.0).powi(2);
    }
    (covered, (squares / f64::from(runs)).sqrt())
}

#[test]
fn a_thousand_people_are_counted_within_the_stated_interval() {
    for (millionths, runs, bar) in [(1_000_000, 100, 0.135), (2_000_000, 50, 0.055)] {
        let (covered, error) = tried(&usual(millionths, 11), 1_000, runs);
        let enough = 100 * covered >= 92 * runs;
        assert!(enough && error <= bar, "ε {millionths}: {covered} of {runs} covered, error {error}");
    }
}

#[test]
fn ten_thousand_people_are_counted_within_the_stated_interval() {
    let (covered, error) = tried(&usual(2_000_000, 15), 10_000, 12);
    assert!(covered >= 10 && error <= 0.022, "{covered} of 12 covered, error {error}");
}

#[test]
fn people_known_to_many_partners_are_counted_once() {
    let terms = usual(3_000_000, 13);
    let mut partners = federation(&terms, 0, 0);
    for number in 0..2_000 {
        partners.iter_mut().for_each(|partner| partner.add(&person(number, 4)));
    }
    let opened = Opened::read(&terms, &xor(&terms, &vectors(&terms, &partners, 4))).unwrap();
    let count = opened.count(&terms).unwrap();
    assert!(count.covers(2_000.0), "{count:?}");
}

#[test]
fn cells_of_a_few_hundred_people_are_not_estimated() {
    let terms = usual(3_000_000, 11);
    for people in [0, 100, 300] {
        assert_eq!(counted(&terms, people, 2).map(|_| ()), Err(NotCounted::TooFew), "{people}");
    }
    assert!(counted(&terms, 900, 2).is_ok());
}
