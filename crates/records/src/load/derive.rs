//! The columns that a node makes itself, each a small rule over checked values.

use cairn_question::Day;
use cairn_question::schema::{UNKNOWN, age_band};

/// Age in bands at the first start; unknown without a month of birth, or without a start.
pub(super) fn age_band_at(birth_month: Option<Day>, first_start: Option<Day>) -> &'static str {
    match (birth_month, first_start) {
        (Some(birth), Some(start)) => birth.years_until(start).map_or(UNKNOWN, age_band),
        _ => UNKNOWN,
    }
}

/// The Equality Act proxy: a condition that limits a lot or a little is yes; no condition, or no limit at all, is no.
pub(super) fn disabled_eqa(condition: &str, limits: &str) -> &'static str {
    match (condition, limits) {
        ("yes", "a_lot" | "a_little") => "yes",
        ("no", _) | (_, "not_at_all") => "no",
        _ => UNKNOWN,
    }
}

/// Whether 12 months have passed from the start to the snapshot day.
pub(super) fn job_due_12m(start: Day, as_of: Day) -> &'static str {
    if start.plus_months(12) <= as_of { "due" } else { "not_due" }
}

/// Whether the outcome came at most 12 months after the start. Before the start, one of the two dates is wrong: unknown.
pub(super) fn within_12m(start: Day, outcome: Day) -> &'static str {
    match () {
        () if outcome < start => UNKNOWN,
        () if outcome <= start.plus_months(12) => "yes",
        () => "no",
    }
}

/// A follow-up's status, and whether the feed's word could not be true. The dates decide what is due: a week after the
/// snapshot day is `not_due` whatever the feed says, and one that has passed is not, though nobody may have asked.
pub(super) fn follow_up(feed: &str, outcome: Day, weeks: u8, as_of: Day) -> (&str, Overruled) {
    let is_due = outcome.plus_days(i32::from(weeks) * 7) <= as_of;
    match (is_due, feed) {
        (false, "not_due" | "blank" | UNKNOWN) => ("not_due", Overruled::No),
        (false, _) => ("not_due", Overruled::Yes),
        (true, "not_due") => (UNKNOWN, Overruled::Yes),
        (true, _) => (feed, Overruled::No),
    }
}

/// Whether the dates overruled the feed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Overruled {
    Yes,
    No,
}

/// The weeks in the name of a follow-up column: `week13` is 13.
pub(super) fn weeks(column: &str) -> Option<u8> {
    column.strip_prefix("week")?.parse().ok()
}

#[cfg(test)]
mod tests;
