//! The aggregate function around a [`Tally`], and the proof that no person was counted in two places.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt32Type, UInt64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::fault::EngineFault;
use crate::tally::{Tally, TallyOf};

/// `tally(person_no, place) -> List<UInt64>`, `tally(person_no, value, place)` where a column is added up, or `tally(place)`
/// for a table without persons.
///
/// Its state is the first and the last person of a partition and the partition's numbers. Numbers of partitions add up
/// exactly just when no person is in two of them, so the merge refuses ranges of persons that overlap.
#[derive(Clone)]
pub(crate) struct TallyFunction {
    of: TallyOf,
    signature: Signature,
}

impl TallyFunction {
    pub(crate) fn new(of: TallyOf) -> Self {
        Self { of, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for TallyFunction {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(numbers_type())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Tallying {
            tally: Tally::new(self.of.clone()),
            merged: vec![0; self.of.numbers()],
            ranges: Vec::new(),
        }))
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = |name: &str| Arc::new(Field::new(name, numbers_type(), true));
        Ok(vec![list("tally_persons"), list("tally_numbers")])
    }
}

struct Tallying {
    /// The rows of one partition.
    tally: Tally,
    /// The numbers of finished partitions.
    merged: Vec<u64>,
    /// The first and last person of each.
    ranges: Vec<(u64, u64)>,
}

impl Tallying {
    fn merge(&mut self, range: &[u64], numbers: &[u64]) -> Result<(), EngineFault> {
        if let [first, last] = range {
            self.ranges.push((*first, *last));
        }
        if numbers.len() != self.merged.len() {
            return Err(EngineFault::Internal);
        }
        for (sum, number) in self.merged.iter_mut().zip(numbers) {
            *sum = sum.checked_add(*number).ok_or(EngineFault::Internal)?;
        }
        Ok(())
    }

    fn no_person_is_in_two(&mut self) -> Result<(), EngineFault> {
        self.ranges.sort_unstable();
        let apart = self.ranges.iter().zip(self.ranges.iter().skip(1)).all(|(a, b)| a.1 < b.0);
        if apart { Ok(()) } else { Err(EngineFault::PersonOrder) }
    }
}

impl Accumulator for Tallying {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values {
            [persons, places] => Ok(self.tally.add(whole_numbers(persons)?, whole_numbers(places)?, None)?),
            [persons, values, places] => {
                let values = values.as_primitive_opt::<Int64Type>().ok_or(EngineFault::ColumnForm)?;
                Ok(self.tally.add(whole_numbers(persons)?, whole_numbers(places)?, Some(values))?)
            }
            [places] => {
                self.tally.add_unowned(whole_numbers(places)?);
                Ok(())
            }
            _ => Err(EngineFault::Plan.into()),
        }
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (numbers, range) = self.tally.finish();
        let range = range.map(|(first, last)| vec![u64::from(first), u64::from(last)]);
        Ok(vec![list(range.unwrap_or_default()), list(numbers)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [ranges, numbers] = states else { return Err(EngineFault::Internal.into()) };
        let (ranges, numbers) = (lists(ranges)?, lists(numbers)?);
        for (range, numbers) in ranges.iter().zip(&numbers) {
            self.merge(range, numbers)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.no_person_is_in_two()?;
        Ok(list(std::mem::take(&mut self.merged)))
    }

    fn size(&self) -> usize {
        self.tally.bytes() + self.merged.capacity() * size_of::<u64>()
    }
}

/// Reads the numbers back from the one row of a finished plan.
pub(crate) fn numbers_of(column: &ArrayRef) -> Result<Vec<u64>, EngineFault> {
    let mut lists = lists(column).map_err(|e| EngineFault::of(&e))?;
    lists.pop().ok_or(EngineFault::Internal)
}

fn whole_numbers(column: &ArrayRef) -> Result<&[u32], EngineFault> {
    let numbers = column.as_primitive_opt::<UInt32Type>().ok_or(EngineFault::ColumnForm)?;
    if numbers.null_count() > 0 { Err(EngineFault::PersonOrder) } else { Ok(numbers.values()) }
}

fn lists(column: &ArrayRef) -> Result<Vec<Vec<u64>>> {
    let column = column.as_list_opt::<i32>().ok_or(EngineFault::Internal)?;
    let list = |list: Option<ArrayRef>| {
        let list = list.ok_or(EngineFault::Internal)?;
        let numbers = list.as_primitive_opt::<UInt64Type>().ok_or(EngineFault::Internal)?;
        Ok(numbers.values().to_vec())
    };
    column.iter().map(list).collect()
}

fn list(numbers: Vec<u64>) -> ScalarValue {
    SingleRowListArrayBuilder::new(Arc::new(UInt64Array::from(numbers))).build_list_scalar()
}

fn numbers_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::UInt64, true)))
}

impl fmt::Debug for TallyFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TallyFunction({} cells)", self.of.cells())
    }
}

impl fmt::Debug for Tallying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tallying({} numbers withheld)", self.merged.len())
    }
}

// One plan makes one function; two functions are never compared for anything but being the same.
impl PartialEq for TallyFunction {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for TallyFunction {}

impl std::hash::Hash for TallyFunction {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.of.numbers().hash(state);
    }
}

#[cfg(test)]
mod tests;
