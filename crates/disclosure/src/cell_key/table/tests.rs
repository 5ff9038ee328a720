use super::*;
use crate::cell_key::Shape;

fn of_rows(rows: usize) -> PerturbationTable {
    PerturbationTable::from_checked(vec![0; rows * KEYS])
}

/// With 750 rows as in the ONS package: n up to 750, then ((n − 1) mod 250) + 501.
#[test]
fn counts_above_the_table_take_its_last_rows_in_turn() {
    let ons = of_rows(750);
    for people in 0..5_000 {
        let row = if people <= 750 { people } else { (people - 1) % 250 + 501 };
        assert_eq!(ons.row_of(people), row, "{people}");
    }
    let check = |rows: usize, people: u64, row: u64| {
        assert_eq!(of_rows(rows).row_of(people), row, "{people} of {rows}");
    };
    check(6, 6, 6);
    check(6, 7, 6);
    check(6, 1_000_000, 6);
    check(500, 501, 500);
    check(501, 502, 501);
    check(502, 503, 501);
    check(502, 504, 502);
    check(2_000, u64::MAX, 501 + (u64::MAX - 501) % 1_500);
}

#[test]
fn nobody_stays_nobody_and_a_table_has_no_other_keys() {
    let d3 = PerturbationTable::named("framework:d3").unwrap();
    for key in 0..=255 {
        assert_eq!(d3.perturbed(0, key), 0);
    }
    assert_eq!(d3.change(1, 256), None);
    assert_eq!(d3.change(7, 0), None);
    assert_eq!(d3.sums(0), None);
    assert_eq!(d3.sums(7), None);
}

/// The shipped file is what the generator makes: nobody edited it by hand, and it can be made again.
#[test]
fn the_shipped_table_is_the_generators_to_the_byte() {
    let made = Shape::new(3, 2_000, 2).unwrap().table().unwrap();
    assert_eq!(made.to_csv(made.rows()), include_str!("../../../tables/d3.csv"));
    assert_eq!(PerturbationTable::named("framework:d3"), Some(&made));
    assert_eq!(PerturbationTable::named("d3"), None);
}

/// A board that gives the shipped table to the ONS package, with 750 rows, gets the same changes there and here.
#[test]
fn the_long_form_of_a_table_says_the_same() {
    let short = PerturbationTable::named("framework:d3").unwrap();
    let long = PerturbationTable::read(&short.to_csv(750)).unwrap().table;
    assert_eq!(long.rows(), 750);
    for people in (0..40).chain(740..1_100) {
        for key in 0..=255 {
            assert_eq!(short.perturbed(people, key), long.perturbed(people, key), "{people} {key}");
        }
    }
}
