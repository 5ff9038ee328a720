use std::sync::Arc;

use arrow::array::{Array, Date32Array, DictionaryArray, Int8Array, StringArray};
use cairn_question::Day;

use super::*;
use crate::place::{NO_CODE, fails};

fn axis_of(codes: &[(&str, usize)]) -> AxisCodes {
    AxisCodes::Codes(codes.iter().map(|(code, at)| ((*code).to_owned(), *at)).collect())
}

fn kept(codes: &[&str]) -> Keep {
    Keep::Codes(codes.iter().map(|c| (*c).to_owned()).collect())
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// What each value of `column` adds, as `cell`, `-` for no code, and `!n` for failing filter n.
fn check(shares: &[Share<'_>], column: impl Array + 'static, expected: &str) {
    let column: ArrayRef = Arc::new(column);
    let mut places = vec![0; column.len()];
    let weights = Weights::new(shares).unwrap();
    assert!(weights.reads(column.data_type()));
    weights.add(&column, &mut places).unwrap();
    let seen: Vec<String> = places.iter().map(|p| word(*p)).collect();
    assert_eq!(seen.join(" "), expected);
}

fn word(place: u32) -> String {
    let cell = crate::place::cell(place).map_or("-".to_owned(), |c| c.to_string());
    let failed = crate::place::failed(place).unwrap();
    let failed: String = (0..8).filter(|f| failed & (1 << f) != 0).map(|f| format!("!{f}")).collect();
    cell + &failed
}

fn dictionary(codes: &[Option<&str>]) -> DictionaryArray<Int8Type> {
    codes.iter().copied().collect()
}

#[test]
fn codes_move_along_their_axis_and_fail_their_filter() {
    let codes = axis_of(&[("a", 0), ("b", 1), ("c", 1), ("unknown", 2)]);
    let axis = Share::Axis { codes: &codes, size: 3, stride: 10 };
    let column = || dictionary(&[Some("a"), Some("c"), None, Some("unknown"), Some("else"), Some("b")]);
    check(&[axis], column(), "0 10 20 20 - 10");
    let keep = kept(&["b", "unknown"]);
    let filter = Share::Keep { keep: &keep, cost: fails(3) };
    check(&[filter], column(), "0!3 0!3 0 0 0!3 0");
    check(&[axis, filter], column(), "0!3 10!3 20 20 -!3 10");
    let no_unknown = axis_of(&[("a", 0)]);
    check(&[Share::Axis { codes: &no_unknown, size: 1, stride: 1 }], column(), "0 - - - - -");
}

#[test]
fn a_dictionary_may_hold_null_as_a_value() {
    let values = StringArray::from(vec![Some("a"), None]);
    let keys = Int8Array::from(vec![Some(1), Some(0), None]);
    let codes = axis_of(&[("a", 0), ("unknown", 1)]);
    let axis = Share::Axis { codes: &codes, size: 2, stride: 1 };
    check(&[axis], DictionaryArray::new(keys, Arc::new(values)), "1 0 1");
}

#[test]
fn numbers_and_yes_no_are_read_by_their_codes() {
    let codes = axis_of(&[("-2", 0), ("5", 1), ("unknown", 2)]);
    let axis = Share::Axis { codes: &codes, size: 3, stride: 1 };
    check(&[axis], Int8Array::from(vec![Some(5), Some(-2), None, Some(127)]), "1 0 2 -");
    let codes = axis_of(&[("yes", 0), ("no", 1)]);
    let axis = Share::Axis { codes: &codes, size: 2, stride: 1 };
    check(&[axis], BooleanArray::from(vec![Some(true), None, Some(false)]), "0 - 1");
}

#[test]
fn days_fall_in_their_span_and_null_in_none() {
    let spans = AxisCodes::Days(vec![
        (day("2025-01-01"), day("2025-03-31")),
        (day("2025-04-01"), day("2025-06-30")),
        (day("2025-10-01"), day("2025-12-31")),
    ]);
    let axis = Share::Axis { codes: &spans, size: 3, stride: 4 };
    let days =
        ["2024-12-31", "2025-01-01", "2025-03-31", "2025-04-01", "2025-07-01", "2025-12-31", "2026-01-01"];
    let mut column: Vec<Option<i32>> = days.iter().map(|d| Some(day(d).epoch_days())).collect();
    column.extend([None, Some(i32::MIN), Some(i32::MAX)]);
    let column = || Date32Array::from(column.clone());
    check(&[axis], column(), "- 0 0 4 - 8 - - - -");
    let window = Keep::Days(Day::EARLIEST, day("2025-03-31"));
    let filter = Share::Keep { keep: &window, cost: fails(0) };
    check(&[filter], column(), "0 0 0 0!0 0!0 0!0 0!0 0!0 0!0 0!0");
    check(&[axis, filter], column(), "- 0 0 4!0 -!0 8!0 -!0 -!0 -!0 -!0");
}

#[test]
fn what_is_open_or_was_closed_since_is_kept() {
    let since = Keep::OpenOrSince(day("2021-03-01"));
    let never = Share::Keep { keep: &since, cost: fails(0) };
    let days = ["1899-12-31", "2021-02-28", "2021-03-01", "2026-01-01"];
    let mut column: Vec<Option<i32>> = days.iter().map(|d| Some(day(d).epoch_days())).collect();
    column.extend([None, Some(i32::MIN), Some(i32::MAX)]);
    check(&[never], Date32Array::from(column.clone()), "0!0 0!0 0 0 0 0!0 0");
    let everything = Keep::OpenOrSince(Day::EARLIEST);
    check(
        &[Share::Keep { keep: &everything, cost: fails(0) }],
        Date32Array::from(vec![Some(0), None]),
        "0 0",
    );
    // Together with an axis on the same column: an open row is kept, and has no period.
    let spans = AxisCodes::Days(vec![(day("2021-01-01"), day("2021-03-31"))]);
    let axis = Share::Axis { codes: &spans, size: 1, stride: 1 };
    check(&[axis, never], Date32Array::from(column), "-!0 0!0 0 - - -!0 -");
    assert_eq!(Weights::new(&[never]).unwrap().null(), 0);
}

#[test]
fn a_window_open_to_the_past_is_searched_and_not_tabulated() {
    let window = Keep::Days(Day::EARLIEST, day("2025-03-31"));
    let filter = Share::Keep { keep: &window, cost: fails(0) };
    let Weights::Days(days) = Weights::new(&[filter]).unwrap() else { panic!("days") };
    assert_eq!(days.table.len(), 1);
    assert_eq!((days.of(-1_000_000), days.of(day("2025-04-01").epoch_days())), (0, fails(0)));
}

#[test]
fn a_row_that_is_not_there_is_unknown_throughout() {
    let codes = axis_of(&[("a", 0), ("unknown", 1)]);
    let keep = kept(&["a"]);
    let shares =
        [Share::Axis { codes: &codes, size: 2, stride: 7 }, Share::Keep { keep: &keep, cost: fails(1) }];
    assert_eq!(Weights::new(&shares).unwrap().null(), 7 + fails(1));
    let span = AxisCodes::Days(vec![(day("2025-01-01"), day("2025-03-31"))]);
    assert_eq!(Weights::new(&[Share::Axis { codes: &span, size: 1, stride: 7 }]).unwrap().null(), NO_CODE);
}

#[test]
fn contradictions_are_faults() {
    let (codes, span) = (axis_of(&[("a", 2)]), AxisCodes::Days(vec![]));
    let mixed =
        [Share::Axis { codes: &codes, size: 3, stride: 1 }, Share::Axis { codes: &span, size: 1, stride: 1 }];
    assert_eq!(Weights::new(&mixed), Err(EngineFault::Plan));
    assert_eq!(Weights::new(&[Share::Axis { codes: &codes, size: 2, stride: 1 }]), Err(EngineFault::Plan));
    let weights = Weights::new(&[Share::Axis { codes: &codes, size: 3, stride: 1 }]).unwrap();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    assert!(!weights.reads(text.data_type()));
    assert_eq!(weights.add(&text, &mut [0]), Err(EngineFault::ColumnForm));
    let days: ArrayRef = Arc::new(Date32Array::from(vec![1]));
    assert_eq!(weights.add(&days, &mut [0]), Err(EngineFault::ColumnForm));
}
