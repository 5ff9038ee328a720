//! Who passes a plan, by number: what counting people once over all partners starts from.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::ExecutionPlan;

use crate::fault::EngineFault;
use crate::scan::each_batch;

/// The people of the rows that stand in some cell of `cells`, each once in each of theirs, rising; one part of the snapshot after the other.
///
/// # Errors
/// [`EngineFault::PersonOrder`] where a person's rows do not stand together, or what reading says. Neither depends on the question. [`EngineFault`] of memory where
/// people are in more cells than there is room for.
pub(crate) async fn read(
    rows: Arc<dyn ExecutionPlan>,
    cells: u32,
    persons: u32,
    context: Arc<TaskContext>,
) -> Result<(Vec<(u32, u32)>, MemoryReservation), EngineFault> {
    let most = usize::try_from(persons).map_err(|_| EngineFault::Internal)?.max(1);
    let reservation = MemoryConsumer::new("people").register(context.memory_pool());
    let mut passing = Passing { people: Vec::new(), last: None, step: most, reservation };
    each_batch(&rows, &context, |batch| passing.take(batch, cells)).await?;
    // Persons rise already; the cells of each do from here on.
    passing.people.sort_unstable();
    Ok((passing.people, passing.reservation))
}

struct Passing {
    /// Each with a cell.
    people: Vec<(u32, u32)>,
    /// The last person who had a row, in a cell or not.
    last: Option<u32>,
    /// For how many more there is made room at once.
    step: usize,
    reservation: MemoryReservation,
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
            if *place < cells && !self.has(*person, *place) {
                self.push((*person, *place))?;
            }
        }
        Ok(())
    }

    /// Whether the last person is known to be in this cell.
    fn has(&self, person: u32, cell: u32) -> bool {
        self.people.iter().rev().take_while(|(last, _)| *last == person).any(|(_, known)| *known == cell)
    }

    fn push(&mut self, person: (u32, u32)) -> Result<(), EngineFault> {
        if self.people.len() == self.people.capacity() {
            let more = self.step.saturating_mul(size_of::<(u32, u32)>());
            self.reservation.try_grow(more).map_err(|e| EngineFault::of(&e))?;
            self.people.reserve_exact(self.step);
        }
        self.people.push(person);
        Ok(())
    }
}
