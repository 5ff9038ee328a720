//! Days, moments and periods. Nothing here reads a clock.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A calendar day, written `2025-06-30`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(NaiveDate);

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(u64);

/// A quarter or a financial year.
///
/// `2025-Q2` is April to June 2025, a calendar quarter. `2025-26` is the financial year from April 2025 to March
/// 2026, which is how the published series are cut, so that four quarters make one year. Years 1900 to 2200.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Period {
    /// Three months of a calendar year.
    Quarter {
        /// The calendar year.
        year: u16,
        /// 1 to 4.
        quarter: u8,
    },
    /// April of `from` to March of the year after.
    Year {
        /// The calendar year in which it begins.
        from: u16,
    },
}

/// How long a period is: `year` is coarser than `quarter`, and four quarters make one year.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PeriodGrain {
    /// Financial years.
    Year,
    /// Calendar quarters.
    Quarter,
}

/// Why a text is not a day or a period.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DayError {
    /// Not a day of the calendar.
    #[error("expected a day such as 2025-06-30")]
    Day,
    /// Not a period.
    #[error("expected a quarter such as 2025-Q2 or a financial year such as 2025-26")]
    Period,
}

impl Day {
    /// Before any day that a record can have.
    pub const EARLIEST: Self = Self(NaiveDate::MIN);

    /// The day `year-month-day`, if the calendar has it.
    #[must_use]
    pub const fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        match NaiveDate::from_ymd_opt(year, month, day) {
            Some(date) => Some(Self(date)),
            None => None,
        }
    }

    /// The day that is `days` after 1970-01-01 (Arrow's Date32), if the calendar has it.
    #[must_use]
    pub fn from_epoch_days(days: i32) -> Option<Self> {
        NaiveDate::from_num_days_from_ce_opt(days.checked_add(EPOCH_DAYS_FROM_CE)?).map(Self)
    }

    /// Days after 1970-01-01, negative before.
    #[must_use]
    pub fn epoch_days(self) -> i32 {
        self.0.num_days_from_ce().saturating_sub(EPOCH_DAYS_FROM_CE)
    }

    /// `days` later, or earlier where negative; stays at the calendar's ends.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self::from_epoch_days(self.epoch_days().saturating_add(days)).unwrap_or(self)
    }

    /// The same day of the month `months` later, or the month's last day where it has no such day.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        Self(self.0.checked_add_months(chrono::Months::new(months)).unwrap_or(self.0))
    }

    /// The calendar date.
    #[must_use]
    pub const fn date(self) -> NaiveDate {
        self.0
    }

    /// Whole years from `self` (a birth) to `event`; `None` when the event comes first.
    #[must_use]
    pub fn years_until(self, event: Self) -> Option<u32> {
        event.0.years_since(self.0)
    }

    /// The period of this grain that the day falls in.
    #[must_use]
    pub fn period(self, grain: PeriodGrain) -> Period {
        let year = u16::try_from(self.0.year()).unwrap_or(0);
        let month = self.0.month();
        match grain {
            PeriodGrain::Quarter => {
                Period::Quarter { year, quarter: u8::try_from((month - 1) / 3 + 1).unwrap_or(1) }
            }
            PeriodGrain::Year => {
                Period::Year { from: if month >= 4 { year } else { year.saturating_sub(1) } }
            }
        }
    }
}

const EPOCH_DAYS_FROM_CE: i32 = 719_163;

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        Self(date)
    }
}

impl Moment {
    /// Takes seconds since 1970.
    #[must_use]
    pub const fn from_unix_s(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn unix_s(self) -> u64 {
        self.0
    }

    /// `seconds` later.
    #[must_use]
    pub const fn plus_s(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The day in UTC.
    #[must_use]
    pub fn day_utc(self) -> Day {
        let days = i32::try_from(self.0 / 86_400).unwrap_or(i32::MAX);
        Day::from_epoch_days(days).unwrap_or(Day(NaiveDate::MAX))
    }
}

impl fmt::Display for Moment {
    /// `2025-06-30T14:05:09Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0 % 86_400;
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.day_utc(), s / 3_600, s / 60 % 60, s % 60)
    }
}

impl Period {
    /// Its grain.
    #[must_use]
    pub const fn grain(self) -> PeriodGrain {
        match self {
            Self::Quarter { .. } => PeriodGrain::Quarter,
            Self::Year { .. } => PeriodGrain::Year,
        }
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> Day {
        let (year, month) = match self {
            Self::Quarter { year, quarter } => (year, u32::from(quarter.saturating_sub(1)) * 3 + 1),
            Self::Year { from } => (from, 4),
        };
        Day::new(i32::from(year), month, 1).unwrap_or(Day(NaiveDate::MIN))
    }

    /// Its last day.
    #[must_use]
    pub fn last_day(self) -> Day {
        self.next().first_day().plus_days(-1)
    }

    /// The period after it, of the same grain.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Quarter { year, quarter: 4.. } => {
                Self::Quarter { year: year.saturating_add(1), quarter: 1 }
            }
            Self::Quarter { year, quarter } => Self::Quarter { year, quarter: quarter + 1 },
            Self::Year { from } => Self::Year { from: from.saturating_add(1) },
        }
    }

    /// Every period from `self` to `last`, both counted; empty when `last` is earlier or of another grain, and never
    /// longer than `most`.
    #[must_use]
    pub fn through(self, last: Self, most: usize) -> Vec<Self> {
        if self.grain() != last.grain() {
            return Vec::new();
        }
        std::iter::successors(Some(self), |p| Some(p.next())).take_while(|p| *p <= last).take(most).collect()
    }
}

impl PeriodGrain {
    /// `quarter` or `year`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

impl std::str::FromStr for PeriodGrain {
    type Err = DayError;
    fn from_str(text: &str) -> Result<Self, DayError> {
        match text {
            "quarter" => Ok(Self::Quarter),
            "year" => Ok(Self::Year),
            _ => Err(DayError::Period),
        }
    }
}

impl std::str::FromStr for Period {
    type Err = DayError;
    fn from_str(text: &str) -> Result<Self, DayError> {
        let (year, rest) = text.split_once('-').ok_or(DayError::Period)?;
        if year.len() != 4 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'Q') {
            return Err(DayError::Period);
        }
        let from: u16 = year.parse().map_err(|_| DayError::Period)?;
        if !(1900..=2200).contains(&from) {
            return Err(DayError::Period);
        }
        match rest.strip_prefix('Q') {
            Some(q @ ("1" | "2" | "3" | "4")) => {
                Ok(Self::Quarter { year: from, quarter: q.parse().map_err(|_| DayError::Period)? })
            }
            None if rest == format!("{:02}", (from + 1) % 100) => Ok(Self::Year { from }),
            _ => Err(DayError::Period),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quarter { year, quarter } => write!(f, "{year}-Q{quarter}"),
            Self::Year { from } => write!(f, "{from}-{:02}", (from + 1) % 100),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = DayError;
    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}
impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl std::str::FromStr for Day {
    type Err = DayError;
    fn from_str(text: &str) -> Result<Self, DayError> {
        if text.len() != 10 {
            return Err(DayError::Day);
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Self).map_err(|_| DayError::Day)
    }
}
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}
impl TryFrom<String> for Day {
    type Error = DayError;
    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}
impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

#[cfg(test)]
mod tests;
