//! Reading one cell.

use crate::mapping::{DayFault, Read, Value};
use crate::report::Rule;

use super::lookup::Lookups;

/// A key: text that names a person or a row.
pub(super) fn key(cell: &str) -> Result<&str, Rule> {
    let cell = cell.trim();
    match cell {
        "" => Err(Rule::Blank),
        _ if is_sheet_error(cell) => Err(Rule::SheetError),
        _ if is_exponent(cell) => Err(Rule::Exponent),
        _ if cell.len() > KEY_BYTES_MAX => Err(Rule::TooLong),
        _ => Ok(cell),
    }
}

/// A cell that is not blank.
pub(super) enum Cell {
    /// Its value.
    Is(Value),
    /// A day, with the day of the month as written.
    Day(Value, u32),
    /// A value moved into its bounds.
    Clamped(Value),
    /// Not readable.
    Unread(Rule),
}

/// Reads a trimmed cell that is not blank. [`Read::LocalCode`] is the caller's.
pub(super) fn value(cell: &str, read: &Read, lookups: &Lookups) -> Cell {
    let found = match read {
        // A spreadsheet writes the code `3` as `3.0` too.
        Read::Codes(codes) => {
            let whole = || codes.get(cell.strip_suffix(".0")?);
            codes.get(cell).or_else(whole).copied().ok_or(Rule::NotInCodes)
        }
        Read::Day(form) => match form.read(cell) {
            Ok((day, written)) => return Cell::Day(day.epoch_days().into(), written),
            Err(DayFault::DayNumber) => Err(Rule::DayNumber),
            Err(DayFault::NotADate) => Err(Rule::NotADate),
        },
        Read::Whole { least, most } => match whole(cell) {
            Some(n) if (*least..=*most).contains(&n) => Ok(n),
            Some(n) => return Cell::Clamped(n.clamp(*least, *most)),
            None => Err(Rule::NotWhole),
        },
        Read::Lookup { lookup, least, most } => {
            lookups.find(*lookup, cell).filter(|n| (*least..=*most).contains(n)).ok_or(Rule::NotInLookup)
        }
        Read::LocalCode => Err(Rule::NotInCodes),
    };
    match found {
        Ok(value) => Cell::Is(value),
        Err(_) if is_sheet_error(cell) => Cell::Unread(Rule::SheetError),
        Err(rule) => Cell::Unread(rule),
    }
}

/// A whole number; a spreadsheet writes `3` as `3.0` too.
fn whole(cell: &str) -> Option<i64> {
    let digits = cell.split_once('.').map_or(cell, |(whole, rest)| {
        if !rest.is_empty() && rest.bytes().all(|b| b == b'0') { whole } else { cell }
    });
    digits.parse().ok()
}

pub(super) fn is_sheet_error(cell: &str) -> bool {
    cell.starts_with('#')
        && (SHEET_ERRORS.contains(&cell) || (cell.len() > 2 && cell.bytes().all(|b| b == b'#')))
}

/// `1.23E+05`: a long id that a spreadsheet took for a number.
fn is_exponent(cell: &str) -> bool {
    let Some((digits, exponent)) = cell.split_once("E+").or_else(|| cell.split_once("e+")) else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    number(digits) && number(exponent)
}

/// The form of a National Insurance number: two letters, six digits, A to D; spaces are allowed. The `ZZ` prefix of made-up
/// data, which is never issued, passes: the form is all that is checked, and the number is not kept.
pub(super) fn is_nino(cell: &str) -> bool {
    let mut letters = cell.bytes().filter(|b| *b != b' ').map(|b| b.to_ascii_uppercase());
    let prefix = letters.by_ref().take(2).filter(u8::is_ascii_uppercase).count() == 2;
    let digits = letters.by_ref().take(6).filter(u8::is_ascii_digit).count() == 6;
    let suffix = matches!(letters.next(), Some(b'A'..=b'D'));
    prefix && digits && suffix && letters.next().is_none()
}

const SHEET_ERRORS: [&str; 9] =
    ["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"];

/// Most bytes of a key.
const KEY_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests;
