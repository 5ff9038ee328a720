use super::*;

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
