//! Runs the parts of a plan, at most so many at the same time, and passes on the one row that each gives.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, common,
};
use futures::{StreamExt, TryStreamExt};

use crate::fault::EngineFault;

/// Many partitions in, one out.
///
/// DataFusion's own `CoalescePartitionsExec` starts every partition at once, so that the rows above of every part would be
/// in memory together; here only those of the parts being counted are.
pub(crate) struct InTurnExec {
    parts: Arc<dyn ExecutionPlan>,
    at_once: usize,
    properties: Arc<PlanProperties>,
}

impl InTurnExec {
    pub(crate) fn new(parts: Arc<dyn ExecutionPlan>, at_once: usize) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(parts.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            parts.boundedness(),
        );
        Self { parts, at_once, properties: Arc::new(properties) }
    }
}

impl ExecutionPlan for InTurnExec {
    fn name(&self) -> &'static str {
        "InTurnExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.parts]
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
        let parts = children.into_iter().next().ok_or(EngineFault::Plan)?;
        Ok(Arc::new(Self::new(parts, self.at_once)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(EngineFault::PlanShape.into());
        }
        let parts = Arc::clone(&self.parts);
        let count = parts.output_partitioning().partition_count();
        // A task ends with the stream that waits for it, so that dropping a count stops it.
        let one = move |part: usize| {
            let (parts, context) = (Arc::clone(&parts), Arc::clone(&context));
            let task =
                SpawnedTask::spawn(async move { common::collect(parts.execute(part, context)?).await });
            async move { task.await.map_err(|_| EngineFault::Internal)? }
        };
        let batches = futures::stream::iter(0..count).map(one).buffer_unordered(self.at_once);
        let batches = batches.map_ok(|b| futures::stream::iter(b.into_iter().map(Ok))).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

impl DisplayAs for InTurnExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InTurnExec: {} at once", self.at_once)
    }
}

impl fmt::Debug for InTurnExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InTurnExec({} at once)", self.at_once)
    }
}
