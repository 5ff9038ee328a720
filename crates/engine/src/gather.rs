//! Follows the declared links upwards: adds to each row the places of the rows above it, found by number.
//!
//! Persons and engagements are numbered densely, and part k of every table covers the same persons. So the rows above are
//! an array over the numbers of one part, and a link is one look-up: nothing is hashed, and no row can be multiplied by a
//! join, because a number that stands twice is a fault.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::{SchemaRef, UInt32Type};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};

use crate::fault::EngineFault;

/// One link upwards.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// The rows above: their number, rising, and their place.
    pub(crate) above: Arc<dyn ExecutionPlan>,
    /// Which column of the rows holds the number.
    pub(crate) key: usize,
    /// The place of a row above that is not there: every column unknown.
    pub(crate) absent: u32,
}

/// Rows of persons with their places, to which the places of the rows above are added.
///
/// In: the rows' first columns are `person_no` and what is carried along, their last is `place`. Out: those, row for row, in the
/// same order and partition.
pub(crate) struct GatherExec {
    rows: Arc<dyn ExecutionPlan>,
    kept: usize,
    links: Vec<Link>,
    properties: Arc<PlanProperties>,
}

impl GatherExec {
    /// `kept`: how many of the rows' first columns go on, `person_no` among them.
    pub(crate) fn new(
        rows: Arc<dyn ExecutionPlan>,
        kept: usize,
        links: Vec<Link>,
    ) -> Result<Self, EngineFault> {
        let last = rows.schema().fields().len().checked_sub(1).ok_or(EngineFault::Plan)?;
        let columns: Vec<usize> = (0..kept).chain(std::iter::once(last)).collect();
        let schema = Arc::new(rows.schema().project(&columns).map_err(|_| EngineFault::Plan)?);
        let partitions = rows.output_partitioning().partition_count();
        let aligned = links.iter().all(|l| l.above.output_partitioning().partition_count() == partitions);
        if !aligned {
            return Err(EngineFault::PlanShape);
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            rows.output_partitioning().clone(),
            rows.pipeline_behavior(),
            rows.boundedness(),
        );
        Ok(Self { rows, kept, links, properties: Arc::new(properties) })
    }
}

impl ExecutionPlan for GatherExec {
    fn name(&self) -> &'static str {
        "GatherExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        std::iter::once(&self.rows).chain(self.links.iter().map(|l| &l.above)).collect()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true; 1 + self.links.len()]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; 1 + self.links.len()]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut children = children.into_iter();
        let rows = children.next().ok_or(EngineFault::Plan)?;
        let links = self.links.iter().zip(children).map(|(link, above)| Link { above, ..link.clone() });
        Ok(Arc::new(Self::new(rows, self.kept, links.collect())?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.rows.execute(partition, Arc::clone(&context))?;
        let schema = self.schema();
        let links = self.links.iter().map(|link| {
            let numbered = link.above.execute(partition, Arc::clone(&context))?;
            let reservation = MemoryConsumer::new("rows above").register(context.memory_pool());
            Ok((link.key, Above { first: 0, places: Vec::new(), absent: link.absent, reservation }, numbered))
        });
        let links = links.collect::<Result<Vec<_>>>()?;
        let (out, kept) = (Arc::clone(&schema), self.kept);
        let stream = async move {
            let mut filled = Vec::with_capacity(links.len());
            for (key, mut above, mut numbered) in links {
                while let Some(batch) = numbered.next().await {
                    above.take(&batch?)?;
                }
                filled.push((key, above));
            }
            Ok::<_, DataFusionError>(rows.map(move |batch| Ok(add_above(&batch?, kept, &filled, &out)?)))
        };
        let stream = futures::stream::once(stream).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }
}

/// The rows above of one part, by number.
struct Above {
    first: u32,
    /// From number `first` on; [`NO_ROW`] where no row has the number.
    places: Vec<u32>,
    absent: u32,
    reservation: MemoryReservation,
}

impl Above {
    fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let (numbers, places) = (column(batch, 0)?, column(batch, 1)?);
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return Ok(()) };
        if self.places.is_empty() {
            self.first = *first;
        }
        let distance = last.checked_sub(self.first).ok_or(EngineFault::PersonOrder)?;
        let length = usize::try_from(distance).map_err(|_| EngineFault::Internal)? + 1;
        self.grow(length)?;
        for (number, place) in numbers.iter().zip(places) {
            let slot = self.places.get_mut(offset(*number, self.first)).filter(|slot| **slot == NO_ROW);
            // Taken already, or out of order: one row below would find two rows above.
            *slot.ok_or(EngineFault::PersonOrder)? = *place;
        }
        Ok(())
    }

    /// The pool is asked before memory is taken, so that a damaged number cannot claim 16 GB.
    fn grow(&mut self, length: usize) -> Result<()> {
        if length > self.places.capacity() {
            let capacity = length.max(self.places.capacity().saturating_mul(2));
            self.reservation.try_resize(capacity.saturating_mul(size_of::<u32>()))?;
            self.places.reserve_exact(capacity - self.places.len());
        }
        self.places.resize(length.max(self.places.len()), NO_ROW);
        Ok(())
    }

    fn add_to(&self, numbers: &[u32], places: &mut [u32]) {
        for (place, number) in places.iter_mut().zip(numbers) {
            let above = self.places.get(offset(*number, self.first)).copied().unwrap_or(NO_ROW);
            *place = place.wrapping_add(if above == NO_ROW { self.absent } else { above });
        }
    }
}

fn add_above(
    rows: &RecordBatch,
    kept: usize,
    above: &[(usize, Above)],
    out: &SchemaRef,
) -> Result<RecordBatch, EngineFault> {
    let mut places = column(rows, rows.num_columns().saturating_sub(1))?.to_vec();
    for (key, above) in above {
        above.add_to(column(rows, *key)?, &mut places);
    }
    let places: ArrayRef = Arc::new(UInt32Array::from(places));
    let kept = rows.columns().iter().take(kept).map(Arc::clone);
    let columns = kept.chain(std::iter::once(places)).collect();
    RecordBatch::try_new(Arc::clone(out), columns).map_err(|_| EngineFault::ColumnForm)
}

fn column(batch: &RecordBatch, at: usize) -> Result<&[u32], EngineFault> {
    use arrow::array::Array;
    let column = batch.columns().get(at).and_then(|c| c.as_primitive_opt::<UInt32Type>());
    let column = column.ok_or(EngineFault::ColumnForm)?;
    if column.null_count() > 0 { Err(EngineFault::PersonOrder) } else { Ok(column.values()) }
}

/// A number before `first` wraps to one far past the end, where there is no row either.
fn offset(number: u32, first: u32) -> usize {
    usize::try_from(number.wrapping_sub(first)).unwrap_or(usize::MAX)
}

/// No place reaches this: `ALWAYS_MAX` leaves the top value out.
const NO_ROW: u32 = u32::MAX;

impl DisplayAs for GatherExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatherExec: {} links", self.links.len())
    }
}

impl fmt::Debug for GatherExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatherExec({} links)", self.links.len())
    }
}
