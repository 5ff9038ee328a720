use super::*;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn disability_follows_the_equality_act_proxy() {
    let check = |condition, limits, expected| assert_eq!(disabled_eqa(condition, limits), expected);
    check("yes", "a_lot", "yes");
    check("yes", "a_little", "yes");
    check("yes", "not_at_all", "no");
    check("yes", "unknown", "unknown");
    check("yes", "not_applicable", "unknown");
    check("no", "unknown", "no");
    check("no", "not_applicable", "no");
    check("unknown", "a_lot", "unknown");
    check("unknown", "not_at_all", "no");
    check("prefer_not_to_say", "unknown", "unknown");
}

#[test]
fn age_is_taken_at_the_first_start() {
    let check = |birth: &str, start: &str, expected| {
        let parse = |text: &str| text.parse().ok();
        assert_eq!(age_band_at(parse(birth), parse(start)), expected, "{birth} {start}");
    };
    check("2000-01-01", "2020-01-01", "20_24");
    check("2000-01-01", "2019-12-31", "16_19");
    check("2010-01-01", "2025-12-31", "unknown");
    check("2030-01-01", "2025-12-31", "unknown");
    check("", "2025-12-31", "unknown");
    check("2000-01-01", "", "unknown");
}

#[test]
fn twelve_months_are_counted_by_the_calendar() {
    let due = |start, as_of| job_due_12m(day(start), day(as_of));
    assert_eq!(due("2025-01-01", "2026-01-01"), "due");
    assert_eq!(due("2025-01-02", "2026-01-01"), "not_due");
    assert_eq!(due("2024-02-29", "2025-02-28"), "due");
    let within = |start, outcome| within_12m(day(start), day(outcome));
    assert_eq!(within("2025-01-01", "2026-01-01"), "yes");
    assert_eq!(within("2025-01-01", "2026-01-02"), "no");
    assert_eq!(within("2025-01-01", "2024-12-31"), "unknown");
}

#[test]
fn the_dates_decide_which_follow_up_is_due() {
    let check = |feed, outcome, weeks, expected| {
        assert_eq!(follow_up(feed, day(outcome), weeks, day("2026-01-01")), expected);
    };
    check("in_employment", "2025-12-04", 4, ("in_employment", Overruled::No));
    check("in_employment", "2025-12-05", 4, ("not_due", Overruled::Yes));
    check("blank", "2025-12-05", 4, ("not_due", Overruled::No));
    check("not_due", "2025-12-04", 4, ("unknown", Overruled::Yes));
    check("blank", "2024-12-05", 52, ("blank", Overruled::No));
    assert_eq!(weeks("week13"), Some(13));
    assert_eq!(weeks("weekly"), None);
}
