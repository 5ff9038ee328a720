//! Days in Europe/London: a policy's first and last day are days of the people who sign it.

use cairn_question::{Day, Moment};
use chrono::{DateTime, NaiveDate};

/// The calendar day in London at this moment.
#[must_use]
pub fn london_day(now: Moment) -> Day {
    let seconds = i64::try_from(now.unix_s()).unwrap_or(i64::MAX);
    let date = DateTime::from_timestamp(seconds, 0)
        .map_or(NaiveDate::MAX, |utc| utc.with_timezone(&chrono_tz::Europe::London).date_naive());
    Day::from(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unix_s: u64, day: &str) {
        assert_eq!(london_day(Moment::from_unix_s(unix_s)).to_string(), day);
    }

    #[test]
    fn the_day_turns_at_midnight_in_london() {
        check(0, "1970-01-01");
        check(1_764_547_199, "2025-11-30");
        check(1_764_547_200, "2025-12-01");
        // 2026-06-30T23:30Z is half past midnight in British Summer Time.
        check(1_782_862_200, "2026-07-01");
        // Far beyond the calendar: refused by any policy's last day, never a panic.
        let _ = london_day(Moment::from_unix_s(u64::MAX));
    }
}
