//! The proof that a plan keeps each person's rows together and in order: a closed list of what may lie where.

use std::sync::Arc;

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::projection::ProjectionExec;

use crate::fault::EngineFault;
use crate::gather::GatherExec;
use crate::in_turn::InTurnExec;

/// Refuses every plan but: final over in-turn over partial over rows; rows being projections, gathers and scans of whole
/// parts only. Anything else (a repartition, a merge, a sort, a filter that batches anew) could tear a person apart.
///
/// # Errors
/// [`EngineFault::PlanShape`].
pub(crate) fn keeps_persons_together(plan: &Arc<dyn ExecutionPlan>) -> Result<(), EngineFault> {
    let turns = below_aggregate(plan, AggregateMode::Final)?;
    let [parts] = turns.downcast_ref::<InTurnExec>().ok_or(EngineFault::PlanShape)?.children()[..] else {
        return Err(EngineFault::PlanShape);
    };
    rows(below_aggregate(parts, AggregateMode::Partial)?)
}

/// The same of rows that nothing adds up.
///
/// # Errors
/// [`EngineFault::PlanShape`].
pub(crate) fn keeps_rows_together(plan: &Arc<dyn ExecutionPlan>) -> Result<(), EngineFault> {
    rows(plan)
}

fn below_aggregate(
    plan: &Arc<dyn ExecutionPlan>,
    mode: AggregateMode,
) -> Result<&Arc<dyn ExecutionPlan>, EngineFault> {
    let aggregate = plan.downcast_ref::<AggregateExec>().filter(|a| *a.mode() == mode);
    aggregate.map(AggregateExec::input).ok_or(EngineFault::PlanShape)
}

fn rows(plan: &Arc<dyn ExecutionPlan>) -> Result<(), EngineFault> {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        return whole_parts(scan);
    }
    let known = plan.is::<ProjectionExec>() || plan.is::<GatherExec>();
    if !known {
        return Err(EngineFault::PlanShape);
    }
    plan.children().into_iter().try_for_each(rows)
}

fn whole_parts(scan: &DataSourceExec) -> Result<(), EngineFault> {
    let config = scan.data_source().downcast_ref::<FileScanConfig>().ok_or(EngineFault::PlanShape)?;
    let one_whole_file = config.file_groups.iter().all(|group| match group.files() {
        [file] => file.range.is_none(),
        _ => false,
    });
    // `preserve_order` is what keeps readers from taking each other's parts.
    if one_whole_file && config.preserve_order && config.limit.is_none() {
        Ok(())
    } else {
        Err(EngineFault::PlanShape)
    }
}

#[cfg(test)]
mod tests;
