//! Declared date forms.

use cairn_question::Day;
use chrono::{Datelike, NaiveDate, NaiveDateTime};

/// A declared date form, such as `%d/%m/%Y`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DateForm {
    form: String,
    has_day: bool,
    has_time: bool,
    /// Whether day and month are both numbers and the year does not come first: the two can be mistaken.
    pub(crate) can_be_mistaken: bool,
    /// Whether only the month is kept (`birth_month`).
    pub(crate) month_only: bool,
}

/// Why a cell is not a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DayFault {
    /// A spreadsheet's day number.
    DayNumber,
    /// Anything else.
    NotADate,
}

impl DateForm {
    /// Takes a form of the fields that [`FIELDS`] lists: a four-digit year, a month, and a day unless the month is enough.
    pub(crate) fn new(form: &str, month_only: bool) -> Option<Self> {
        let mut fields = Vec::new();
        let mut letters = form.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => fields.push(letters.next().filter(|f| FIELDS.contains(*f))?),
                '-' | '/' | '.' | ' ' | ':' | ',' | 'T' | 'Z' => {}
                _ => return None,
            }
        }
        let has = |f: char| fields.contains(&f);
        let once = fields.iter().all(|f| fields.iter().filter(|g| *g == f).count() == 1);
        let month = [has('m'), has('b'), has('B')].into_iter().filter(|m| *m).count() == 1;
        let has_time = has('H') || has('M') || has('S');
        let time_whole = !has_time || (has('H') && has('M'));
        if !once || !month || !time_whole || !has('Y') || !(has('d') || month_only) || form.len() > 40 {
            return None;
        }
        let can_be_mistaken = has('m') && has('d') && fields.first() != Some(&'Y');
        Some(Self { form: form.to_owned(), has_day: has('d'), has_time, can_be_mistaken, month_only })
    }

    /// The day, and the day of the month as written.
    pub(crate) fn read(&self, cell: &str) -> Result<(Day, u32), DayFault> {
        let date = self.parse(cell).filter(|d| YEARS.contains(&d.year()));
        let date = date.ok_or_else(|| Self::fault(cell))?;
        let written = date.day();
        let kept = if self.month_only { date.with_day(1).unwrap_or(date) } else { date };
        Ok((Day::from(kept), written))
    }

    fn parse(&self, cell: &str) -> Option<NaiveDate> {
        if self.has_time {
            return NaiveDateTime::parse_from_str(cell, &self.form).ok().map(|t| t.date());
        }
        if self.has_day {
            return NaiveDate::parse_from_str(cell, &self.form).ok();
        }
        NaiveDate::parse_from_str(&format!("1 {cell}"), &format!("%d {}", self.form)).ok()
    }

    /// 1 January 1955 is day 20,090 and 1 January 2064 is day 59,902 of the 1900 calendar.
    fn fault(cell: &str) -> DayFault {
        let whole = cell.split('.').next().unwrap_or_default();
        match whole.parse::<u32>() {
            Ok(15_000..=60_000) if whole.len() == 5 => DayFault::DayNumber,
            _ => DayFault::NotADate,
        }
    }
}

/// Year, month (number, short name, name), day, hour, minute, second. Two-digit years are not among them: they would guess a century.
const FIELDS: &str = "YmbBdHMS";

/// Years that a date of a record can lie in.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;
