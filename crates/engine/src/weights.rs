//! What one column adds to the place of a row, value by value.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{DataType, Date32Type, Int8Type};
use cairn_question::schema::UNKNOWN;
use cairn_release::{AxisCodes, Keep};

use crate::fault::EngineFault;
use crate::place::NO_CODE;

/// One use of a column: an axis of the grid, or a predicate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Share<'a> {
    /// An axis of `size` codes; a step along it moves `stride` cells.
    Axis { codes: &'a AxisCodes, size: usize, stride: u32 },
    /// A predicate; a row that it does not keep gets `cost`.
    Keep { keep: &'a Keep, cost: u32 },
}

/// All uses of one column, as a table from stored value to what it adds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Weights {
    /// For coded, number and yes/no columns.
    Codes(CodeWeights),
    /// For dates.
    Days(DayWeights),
}

/// What each code adds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct CodeWeights {
    by_code: BTreeMap<String, u32>,
    /// For a code that nothing names.
    other: u32,
    /// For NULL, which is the code `unknown`.
    null: u32,
}

/// What each day adds: constant from one start to the next.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct DayWeights {
    starts: Vec<(i32, u32)>,
    before: u32,
    null: u32,
    /// The same day by day from `first` on, where the starts lie within [`TABLE_DAYS_MAX`]: a look-up instead of a search.
    table: Vec<u32>,
    first: i32,
}

impl Weights {
    /// The sum of all uses of one column.
    ///
    /// # Errors
    /// [`EngineFault::Plan`] where a column is used as a date and as a code, or where an axis runs past its cells.
    pub(crate) fn new(shares: &[Share<'_>]) -> Result<Self, EngineFault> {
        match shares.iter().filter(|s| s.is_of_days()).count() {
            0 => Ok(Self::Codes(CodeWeights::new(shares)?)),
            n if n == shares.len() => Ok(Self::Days(DayWeights::new(shares)?)),
            _ => Err(EngineFault::Plan),
        }
    }

    /// Whether a column of this Arrow type can be read by these weights.
    pub(crate) fn reads(&self, form: &DataType) -> bool {
        match self {
            Self::Codes(_) => match form {
                DataType::Dictionary(key, value) => **key == DataType::Int8 && **value == DataType::Utf8,
                other => matches!(other, DataType::Int8 | DataType::Boolean),
            },
            Self::Days(_) => *form == DataType::Date32,
        }
    }

    /// What a row adds that has no row in this column's table: NULL in every column.
    pub(crate) const fn null(&self) -> u32 {
        match self {
            Self::Codes(codes) => codes.null,
            Self::Days(days) => days.null,
        }
    }

    /// Adds the column's share to each row's place.
    ///
    /// # Errors
    /// [`EngineFault::ColumnForm`] for a column of another Arrow type.
    pub(crate) fn add(&self, column: &ArrayRef, places: &mut [u32]) -> Result<(), EngineFault> {
        match (self, column.data_type()) {
            (Self::Codes(codes), DataType::Dictionary(..)) => codes.add_dictionary(column, places),
            (Self::Codes(codes), DataType::Int8) => {
                let numbers = column.as_primitive_opt::<Int8Type>().ok_or(EngineFault::ColumnForm)?;
                let table = codes.table(|n| Some(n.to_string()));
                add_bytes(numbers, &table, codes.null, places);
                Ok(())
            }
            (Self::Codes(codes), DataType::Boolean) => {
                codes.add_yes_no(column.as_boolean_opt().ok_or(EngineFault::ColumnForm)?, places);
                Ok(())
            }
            (Self::Days(days), DataType::Date32) => {
                days.add(column.as_primitive_opt().ok_or(EngineFault::ColumnForm)?, places);
                Ok(())
            }
            _ => Err(EngineFault::ColumnForm),
        }
    }
}

impl Share<'_> {
    const fn is_of_days(&self) -> bool {
        match self {
            Self::Axis { codes, .. } => matches!(codes, AxisCodes::Days(_)),
            Self::Keep { keep, .. } => matches!(keep, Keep::Days(..) | Keep::OpenOrSince(_)),
        }
    }

    /// What a code adds.
    fn of_code(&self, code: &str) -> Result<u32, EngineFault> {
        match self {
            Self::Axis { codes: AxisCodes::Codes(codes), size, stride } => {
                codes.get(code).map_or(Ok(NO_CODE), |at| step(*at, *size, *stride))
            }
            Self::Keep { keep: Keep::Codes(kept), cost } => {
                Ok(if kept.iter().any(|k| k == code) { 0 } else { *cost })
            }
            _ => Err(EngineFault::Plan),
        }
    }

    /// The codes that it names.
    fn codes(&self) -> Vec<&String> {
        match self {
            Self::Axis { codes: AxisCodes::Codes(codes), .. } => codes.keys().collect(),
            Self::Keep { keep: Keep::Codes(kept), .. } => kept.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// What a day adds; `None` is NULL.
    fn of_day(&self, day: Option<i32>) -> Result<u32, EngineFault> {
        match self {
            Self::Axis { codes: AxisCodes::Days(spans), size, stride } => {
                let at = day.and_then(|day| spans.iter().position(|s| within(day, *s)));
                at.map_or(Ok(NO_CODE), |at| step(at, *size, *stride))
            }
            Self::Keep { keep: Keep::Days(first, last), cost } => {
                Ok(if day.is_some_and(|day| within(day, (*first, *last))) { 0 } else { *cost })
            }
            Self::Keep { keep: Keep::OpenOrSince(first), cost } => {
                Ok(if day.is_none_or(|day| day >= first.epoch_days()) { 0 } else { *cost })
            }
            _ => Err(EngineFault::Plan),
        }
    }

    /// The days on which what it adds may change.
    fn starts(&self) -> Vec<i32> {
        let ends = |(first, last): (cairn_question::Day, cairn_question::Day)| {
            [first.epoch_days(), last.epoch_days().saturating_add(1)]
        };
        match self {
            Self::Axis { codes: AxisCodes::Days(spans), .. } => spans.iter().flat_map(|s| ends(*s)).collect(),
            Self::Keep { keep: Keep::Days(first, last), .. } => ends((*first, *last)).to_vec(),
            Self::Keep { keep: Keep::OpenOrSince(first), .. } => vec![first.epoch_days()],
            _ => Vec::new(),
        }
    }
}

impl CodeWeights {
    fn new(shares: &[Share<'_>]) -> Result<Self, EngineFault> {
        let sum = |code: &str| sum(shares.iter().map(|s| s.of_code(code)));
        let named: BTreeSet<&String> = shares.iter().flat_map(Share::codes).collect();
        let by_code = named.into_iter().map(|code| Ok((code.clone(), sum(code)?)));
        // No list has an empty code, so the empty text stands for every code that nothing names.
        Ok(Self { by_code: by_code.collect::<Result<_, _>>()?, other: sum("")?, null: sum(UNKNOWN)? })
    }

    fn of(&self, code: &str) -> u32 {
        self.by_code.get(code).copied().unwrap_or(self.other)
    }

    /// What each of the 256 stored bytes adds; `code` gives the code that a byte stands for.
    fn table(&self, code: impl Fn(i8) -> Option<String>) -> [u32; 256] {
        let mut table = [self.null; 256];
        for (byte, to) in (0..=u8::MAX).zip(&mut table) {
            *to = code(byte.cast_signed()).map_or(self.null, |c| self.of(&c));
        }
        table
    }

    fn add_dictionary(&self, column: &ArrayRef, places: &mut [u32]) -> Result<(), EngineFault> {
        let dictionary = column.as_dictionary_opt::<Int8Type>().ok_or(EngineFault::ColumnForm)?;
        let values = dictionary.values().as_string_opt::<i32>().ok_or(EngineFault::ColumnForm)?;
        let mut table = [self.null; 256];
        for (to, code) in table.iter_mut().zip(values) {
            *to = code.map_or(self.null, |c| self.of(c));
        }
        add_bytes(dictionary.keys(), &table, self.null, places);
        Ok(())
    }

    fn add_yes_no(&self, column: &BooleanArray, places: &mut [u32]) {
        let (yes, no) = (self.of("yes"), self.of("no"));
        for (place, value) in places.iter_mut().zip(column) {
            let adds = match value {
                Some(true) => yes,
                Some(false) => no,
                None => self.null,
            };
            *place = place.wrapping_add(adds);
        }
    }
}

impl DayWeights {
    fn new(shares: &[Share<'_>]) -> Result<Self, EngineFault> {
        let sum = |day: Option<i32>| sum(shares.iter().map(|s| s.of_day(day)));
        let starts: BTreeSet<i32> = shares.iter().flat_map(Share::starts).collect();
        let before = sum(Some(starts.first().map_or(0, |d| d.saturating_sub(1))))?;
        let starts = starts.into_iter().map(|d| Ok((d, sum(Some(d))?)));
        let starts: Vec<(i32, u32)> = starts.collect::<Result<_, EngineFault>>()?;
        let mut days = Self { starts, before, null: sum(None)?, table: Vec::new(), first: 0 };
        days.tabulate();
        Ok(days)
    }

    fn tabulate(&mut self) {
        // A window that is open at one end has a start far outside any record; the table leaves it to the search.
        let near = || self.starts.iter().map(|(d, _)| *d).filter(|d| d.unsigned_abs() < TABLE_DAYS_MAX);
        if let (Some(first), Some(last)) = (near().min(), near().max()) {
            self.table = (first..=last).map(|day| self.search(day)).collect();
            self.first = first;
        }
    }

    fn search(&self, day: i32) -> u32 {
        let after = self.starts.partition_point(|(start, _)| *start <= day);
        after.checked_sub(1).and_then(|at| self.starts.get(at)).map_or(self.before, |(_, adds)| *adds)
    }

    fn of(&self, day: i32) -> u32 {
        let at = usize::try_from(day.wrapping_sub(self.first).cast_unsigned()).unwrap_or(usize::MAX);
        self.table.get(at).copied().unwrap_or_else(|| self.search(day))
    }

    fn add(&self, column: &PrimitiveArray<Date32Type>, places: &mut [u32]) {
        let days = column.values().iter();
        match column.nulls().filter(|n| n.null_count() > 0) {
            None => {
                for (place, day) in places.iter_mut().zip(days) {
                    *place = place.wrapping_add(self.of(*day));
                }
            }
            Some(known) => {
                for ((place, day), known) in places.iter_mut().zip(days).zip(known.iter()) {
                    *place = place.wrapping_add(if known { self.of(*day) } else { self.null });
                }
            }
        }
    }
}

fn add_bytes(column: &PrimitiveArray<Int8Type>, table: &[u32; 256], null: u32, places: &mut [u32]) {
    // 256 entries for a byte: the look-up cannot miss, and the compiler knows it.
    let of = |byte: i8| table.get(usize::from(byte.cast_unsigned())).copied().unwrap_or(null);
    let bytes = column.values().iter();
    match column.nulls().filter(|n| n.null_count() > 0) {
        None => {
            for (place, byte) in places.iter_mut().zip(bytes) {
                *place = place.wrapping_add(of(*byte));
            }
        }
        Some(known) => {
            for ((place, byte), known) in places.iter_mut().zip(bytes).zip(known.iter()) {
                *place = place.wrapping_add(if known { of(*byte) } else { null });
            }
        }
    }
}

fn within(day: i32, (first, last): (cairn_question::Day, cairn_question::Day)) -> bool {
    (first.epoch_days()..=last.epoch_days()).contains(&day)
}

/// A position past the end of its axis would land in another code's cell.
fn step(at: usize, size: usize, stride: u32) -> Result<u32, EngineFault> {
    let at = u32::try_from(at).ok().filter(|_| at < size);
    at.and_then(|at| at.checked_mul(stride)).ok_or(EngineFault::Plan)
}

fn sum(shares: impl Iterator<Item = Result<u32, EngineFault>>) -> Result<u32, EngineFault> {
    shares.into_iter().try_fold(0_u32, |sum, share| sum.checked_add(share?).ok_or(EngineFault::Plan))
}

/// Starts within 150 years of 1970 go into the table: at most 400 KB, and every record lies there.
const TABLE_DAYS_MAX: u32 = 54_750;

#[cfg(test)]
mod tests;
