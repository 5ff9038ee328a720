use super::*;

fn check_period(text: &str, first: &str, last: &str) {
    let period: Period = text.parse().unwrap();
    assert_eq!(period.to_string(), text);
    assert_eq!(period.first_day().to_string(), first);
    assert_eq!(period.last_day().to_string(), last);
    assert_eq!(period.first_day().period(period.grain()), period);
    assert_eq!(period.last_day().period(period.grain()), period);
}

#[test]
fn periods_begin_and_end_where_the_published_series_do() {
    check_period("2025-Q1", "2025-01-01", "2025-03-31");
    check_period("2025-Q2", "2025-04-01", "2025-06-30");
    check_period("2024-Q4", "2024-10-01", "2024-12-31");
    check_period("2024-25", "2024-04-01", "2025-03-31");
    check_period("1999-00", "1999-04-01", "2000-03-31");
}

#[test]
fn four_quarters_nest_in_one_year() {
    let quarters: Vec<Period> = "2024-Q2".parse::<Period>().unwrap().through("2025-Q1".parse().unwrap(), 99);
    assert_eq!(quarters.len(), 4);
    assert!(quarters.iter().all(|q| q.first_day().period(PeriodGrain::Year).to_string() == "2024-25"));
}

#[test]
fn a_text_that_is_no_period_is_refused() {
    for bad in [
        "",
        "2025",
        "2025-Q5",
        "2025-Q",
        "2025-24",
        "2025-2026",
        "25-Q1",
        "2025-q2",
        "-",
        "99999-Q1",
        "2025-Q２",
    ] {
        assert_eq!(bad.parse::<Period>(), Err(DayError::Period), "{bad}");
    }
    for bad in ["", "2025-02-29", "2025-1-1", "01/02/2025", "+2025-01-01"] {
        assert_eq!(bad.parse::<Day>(), Err(DayError::Day), "{bad}");
    }
}

#[test]
fn a_span_is_bounded_and_of_one_grain() {
    let p = |t: &str| t.parse::<Period>().unwrap();
    assert!(p("2025-Q1").through(p("2024-Q1"), 9).is_empty());
    assert!(p("2025-Q1").through(p("2025-26"), 9).is_empty());
    assert_eq!(p("1900-Q1").through(p("2200-Q1"), 9).len(), 9);
}

#[test]
fn moments_print_as_auditors_read_them() {
    assert_eq!(Moment::from_unix_s(0).to_string(), "1970-01-01T00:00:00Z");
    assert_eq!(Moment::from_unix_s(1_751_292_309).to_string(), "2025-06-30T14:05:09Z");
    let _ = Moment::from_unix_s(u64::MAX).to_string();
}

#[test]
fn age_is_whole_years_at_the_event() {
    let day = |t: &str| t.parse::<Day>().unwrap();
    assert_eq!(day("2000-07-01").years_until(day("2025-06-30")), Some(24));
    assert_eq!(day("2000-07-01").years_until(day("2025-07-01")), Some(25));
    assert_eq!(day("2030-01-01").years_until(day("2025-07-01")), None);
}
