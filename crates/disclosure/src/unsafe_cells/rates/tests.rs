use super::*;
use crate::unsafe_cells::margins::tests::grid;

fn of(people: &[u64]) -> Margins {
    Margins::summed(&grid(&[people.len()]), people).unwrap()
}

fn check(part: u64, whole: u64, low: &str) {
    let (part, whole) = (of(&[part]), of(&[whole]));
    let marks = low_rates(&part, &whole, 5).unwrap();
    assert_eq!(if marks.is_primary(&[Some(0)]) { "low" } else { "" }, low);
}

#[test]
fn l4_a_rate_is_low_by_its_numerator_its_denominator_or_their_difference() {
    check(10, 20, "");
    check(4, 20, "low");
    check(16, 20, "low");
    check(0, 4, "low");
    check(0, 20, "");
    check(20, 20, "");
    check(0, 0, "");
    check(5, 10, "");
}

#[test]
fn a_numerator_that_is_no_part_of_its_denominator_is_refused() {
    assert_eq!(low_rates(&of(&[21]), &of(&[20]), 5), Err(NotAPart));
    assert_eq!(low_rates(&of(&[1]), &of(&[20, 20]), 5), Err(NotAPart));
}
