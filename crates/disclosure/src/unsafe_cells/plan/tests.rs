use super::*;
use Cell::{NotAnswered, Value, Withheld};

#[test]
fn l8_no_statistic_is_the_value_of_one_person() {
    let check =
        |statistic, planned: Result<(), OneValue>| assert_eq!(plan(statistic), planned, "{statistic:?}");
    check(Statistic::Count, Ok(()));
    check(Statistic::Sum, Ok(()));
    check(Statistic::Mean, Ok(()));
    check(Statistic::Quantile(QuantileFrom::Bands), Ok(()));
    check(Statistic::Quantile(QuantileFrom::Values), Err(OneValue));
    check(Statistic::Least, Err(OneValue));
    check(Statistic::Greatest, Err(OneValue));
}

/// The language of questions has no other word, so that L8 cannot be forgotten.
#[test]
fn l8_the_language_has_no_word_for_them() {
    for word in ["people", "rows", "sum:hours", "mean:hours"] {
        assert!(word.parse::<cairn_question::Measure>().is_ok(), "{word}");
    }
    for word in ["min:hours", "max:hours", "least:hours", "median:hours", "quantile:hours", "first:hours"] {
        assert!(word.parse::<cairn_question::Measure>().is_err(), "{word}");
    }
}

#[test]
fn l8_a_quantile_is_a_band_of_released_counts() {
    let check = |bands: &[Cell], percent, band| {
        assert_eq!(quantile_band(bands, percent), band, "{bands:?} {percent}")
    };
    check(&[Value(10), Value(20), Value(10)], 50, Some(1));
    check(&[Value(20), Value(20)], 50, Some(0));
    check(&[Value(20), Value(20)], 51, Some(1));
    check(&[Value(0), Value(20), Value(20)], 0, Some(1));
    check(&[Value(10), Value(10), Value(0)], 100, Some(1));
    check(&[Value(-3), Value(10)], 50, Some(1));
    check(&[Value(10), Withheld, Value(90)], 50, None);
    check(&[Value(10), NotAnswered], 50, None);
    check(&[Value(0), Value(0)], 50, None);
    check(&[], 50, None);
    check(&[Value(10)], 101, None);
    check(&[Value(i64::MAX), Value(i64::MAX), Value(i64::MIN)], 50, Some(0));
}
