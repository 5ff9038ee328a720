//! The record key of each person of a snapshot, by number, from the ids that its tables of persons hold.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use cairn_question::Schema;
use cairn_records::Snapshot;
use cairn_records::snapshot::{PERSON_NO, is_stored};
use cairn_release::RecordKeys;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::ExecutionPlan;

use crate::fault::EngineFault;
use crate::scan::{each_batch, scan};

/// Scans of the tables that hold persons' ids: number and id.
///
/// # Errors
/// [`EngineFault`].
pub(crate) fn scans(snapshot: &Snapshot) -> Result<Vec<Arc<dyn ExecutionPlan>>, EngineFault> {
    let id_of = |table: &'static cairn_question::schema::Table| {
        let id = table.person_key.as_deref().and_then(|id| table.column(id))?;
        let held = snapshot.arrow_schema(&table.name).filter(|_| is_stored(table, id))?;
        Some((table.name.as_str(), id.name.as_str(), held))
    };
    let held = Schema::smf().tables().filter_map(id_of);
    let scan = |(table, id, held): (&str, &str, arrow::datatypes::SchemaRef)| {
        let field = |name: &str| held.field_with_name(name).cloned().map(Arc::new);
        let fields = [PERSON_NO, id].map(field).into_iter().collect::<Result<_, _>>();
        scan(&snapshot.parts(table), fields.map_err(|_| EngineFault::Absent)?)
    };
    held.map(scan).collect()
}

/// Reads the ids and gives each person of `0..persons` their key.
///
/// # Errors
/// [`EngineFault::NoPersonId`] where one has no id, [`EngineFault::PersonOrder`] where one has two, or what reading says. None depends on the question.
pub(crate) async fn read(
    scans: Vec<Arc<dyn ExecutionPlan>>,
    of: RecordKeys,
    persons: u32,
    context: Arc<TaskContext>,
) -> Result<(Arc<[u8]>, MemoryReservation), EngineFault> {
    let persons = usize::try_from(persons).map_err(|_| EngineFault::Internal)?;
    let reservation = MemoryConsumer::new("record keys").register(context.memory_pool());
    // The keys as they are read, and as they are kept.
    reservation.try_resize(persons.saturating_mul(3)).map_err(|e| EngineFault::of(&e))?;
    let mut keys = vec![None; persons];
    for scan in scans {
        each_batch(&scan, &context, |batch| take(batch, &of, &mut keys)).await?;
    }
    let keys: Option<Vec<u8>> = keys.into_iter().collect();
    Ok((keys.ok_or(EngineFault::NoPersonId)?.into(), reservation))
}

fn take(batch: &RecordBatch, of: &RecordKeys, keys: &mut [Option<u8>]) -> Result<(), EngineFault> {
    let [numbers, ids] = batch.columns() else { return Err(EngineFault::Internal) };
    let numbers = numbers.as_primitive_opt::<UInt32Type>().ok_or(EngineFault::ColumnForm)?;
    let ids = ids.as_string_opt::<i32>().ok_or(EngineFault::ColumnForm)?;
    if numbers.null_count() > 0 {
        return Err(EngineFault::PersonOrder);
    }
    for (number, id) in numbers.values().iter().zip(ids) {
        let slot = usize::try_from(*number).ok().and_then(|at| keys.get_mut(at));
        let slot = slot.ok_or(EngineFault::PersonOrder)?;
        let key = of.of(id.unwrap_or_default()).ok_or(EngineFault::NoPersonId)?;
        // One person may stand in two tables of persons, under the one id.
        if slot.replace(key).is_some_and(|before| before != key) {
            return Err(EngineFault::PersonOrder);
        }
    }
    Ok(())
}
