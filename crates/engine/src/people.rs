//! Who passes a plan, by number: what counting people once over all partners starts from.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::ExecutionPlan;

use crate::fault::EngineFault;
use crate::scan::each_batch;

/// The people of the rows that stand in some cell of `cells`, each once, rising; one part of the snapshot after the other.
///
/// # Errors
/// [`EngineFault::PersonOrder`] where a person's rows do not stand together, or what reading says. Neither depends on the question.
pub(crate) async fn read(
    rows: Arc<dyn ExecutionPlan>,
    cells: u32,
    persons: u32,
    context: Arc<TaskContext>,
) -> Result<(Vec<u32>, MemoryReservation), EngineFault> {
    let most = usize::try_from(persons).map_err(|_| EngineFault::Internal)?;
    let reservation = MemoryConsumer::new("people").register(context.memory_pool());
    reservation.try_resize(most.saturating_mul(size_of::<u32>())).map_err(|e| EngineFault::of(&e))?;
    let mut people = Passing { people: Vec::with_capacity(most), last: None };
    each_batch(&rows, &context, |batch| people.take(batch, cells)).await?;
    Ok((people.people, reservation))
}

struct Passing {
    people: Vec<u32>,
    /// The last person who had a row, in a cell or not.
    last: Option<u32>,
}

impl Passing {
    fn take(&mut self, batch: &RecordBatch, cells: u32) -> Result<(), EngineFault> {
        let [persons, places] = batch.columns() else { return Err(EngineFault::Internal) };
        let number = |column: &arrow::array::ArrayRef| {
            column.as_primitive_opt::<UInt32Type>().filter(|c| c.nulls().is_none()).cloned()
        };
        let (persons, places) = (number(persons), number(places));
        let (persons, places) = persons.zip(places).ok_or(EngineFault::ColumnForm)?;
        for (person, place) in persons.values().iter().zip(places.values()) {
            if self.last > Some(*person) {
                return Err(EngineFault::PersonOrder);
            }
            self.last = Some(*person);
            // A place is a cell just when every axis has a code and no filter fails.
            if *place < cells && self.people.last() != Some(person) {
                self.people.push(*person);
            }
        }
        Ok(())
    }
}
