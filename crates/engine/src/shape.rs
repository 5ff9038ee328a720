//! From a plan of what to count to a physical plan that counts it. Built by hand, node by node: no optimiser runs, so
//! nothing can put a repartition, a sort or a merge between the records and the tally.
//!
//! ```text
//! Aggregate (final)      adds the parts' numbers, refuses overlapping persons
//!   InTurn               at most `threads` parts at once
//!     Aggregate (partial)  tally(person_no, place), one part
//!       Gather               place += places of the rows above, by number
//!         Projection           person_no, keys, place(columns …)
//!           DataSource           the named columns, a partition for each part
//!         Projection …         number, place(columns …) of each table above
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use cairn_question::{Measure, Schema};
use cairn_records::Snapshot;
use cairn_records::snapshot::{ENGAGEMENT_NO, PERSON_NO};
use cairn_release::{ColumnPath, CountPlan, Predicate};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::projection::ProjectionExec;

use crate::fault::EngineFault;
use crate::gather::{GatherExec, Link};
use crate::in_turn::InTurnExec;
use crate::order;
use crate::place::{self, ALWAYS_MAX, NEVER_COUNTS};
use crate::place_udf::PlaceOf;
use crate::scan::scan;
use crate::tally::TallyOf;
use crate::tally_udaf::TallyFunction;
use crate::weights::{Share, Weights};

/// The physical plan. `keys`: the record key of each person, by number, where the plan adds keys up.
///
/// # Errors
/// [`EngineFault`].
pub(crate) fn physical_plan(
    snapshot: &Snapshot,
    plan: &CountPlan,
    keys: Option<Arc<[u8]>>,
    at_once: usize,
) -> Result<Arc<dyn ExecutionPlan>, EngineFault> {
    let uses = Uses::of(plan)?;
    let dataset = Part::of(snapshot, &plan.dataset, &uses)?;
    let rows = match dataset.held.field_with_name(PERSON_NO) {
        Ok(_) => owned_rows(snapshot, plan, &dataset, &uses)?,
        Err(_) if uses.tables().any(|t| t != plan.dataset) => return Err(EngineFault::Plan),
        // Rows of nobody: nothing bounds what one person adds to a sum, and nobody has a key.
        Err(_) if plan.measure.column().is_some() || plan.record_keys.is_some() => {
            return Err(EngineFault::Plan);
        }
        Err(_) => dataset.placed(&[])?,
    };
    let tallied = aggregate(rows, TallyOf::new(plan, keys), at_once)?;
    order::keeps_persons_together(&tallied)?;
    Ok(tallied)
}

/// The rows of people alone: `person_no` and `place`, for a plan that adds nothing up and bounds nothing.
///
/// # Errors
/// [`EngineFault::Plan`] for any other plan, and for a table without persons.
pub(crate) fn people_plan(
    snapshot: &Snapshot,
    plan: &CountPlan,
) -> Result<Arc<dyn ExecutionPlan>, EngineFault> {
    let bounded = plan.bounds.rows_per_person.is_some() || plan.bounds.groups_per_person.is_some();
    if plan.measure != Measure::People || bounded || plan.record_keys.is_some() {
        return Err(EngineFault::Plan);
    }
    let uses = Uses::of(plan)?;
    let dataset = Part::of(snapshot, &plan.dataset, &uses)?;
    dataset.held.field_with_name(PERSON_NO).map_err(|_| EngineFault::Plan)?;
    let rows = owned_rows(snapshot, plan, &dataset, &uses)?;
    order::keeps_rows_together(&rows)?;
    Ok(rows)
}

/// Rows of a table of persons: `person_no`, the value that is added up, and `place`, the tables above added in.
fn owned_rows(
    snapshot: &Snapshot,
    plan: &CountPlan,
    dataset: &Part<'_>,
    uses: &Uses<'_>,
) -> Result<Arc<dyn ExecutionPlan>, EngineFault> {
    let above: Vec<&str> = uses.tables().filter(|t| *t != plan.dataset).collect();
    let mut keys = vec![PERSON_NO];
    keys.extend(value(plan, dataset)?);
    if above.is_empty() {
        return dataset.placed(&keys);
    }
    let kept = keys.len();
    let mut links = Vec::new();
    for table in above {
        let number = number_of(&plan.dataset, table)?;
        let key = keys.iter().position(|k| *k == number).unwrap_or_else(|| {
            keys.push(number);
            keys.len() - 1
        });
        let part = Part::of(snapshot, table, uses)?;
        links.push(Link { above: part.placed(&[number])?, key, absent: part.place.of_absent_row() });
    }
    Ok(Arc::new(GatherExec::new(dataset.placed(&keys)?, kept, links)?))
}

/// The column of the dataset that is added up, if one is. No bound, no sum.
fn value<'a>(plan: &'a CountPlan, dataset: &Part<'_>) -> Result<Option<&'a str>, EngineFault> {
    let Some(summed) = &plan.summed else {
        return if plan.measure.column().is_some() { Err(EngineFault::Plan) } else { Ok(None) };
    };
    let bounded = summed.least <= summed.most && summed.column.table == plan.dataset;
    if !bounded || plan.measure.column() != Some(&summed.column.column) {
        return Err(EngineFault::Plan);
    }
    let held = dataset.held.field_with_name(&summed.column.column).map_err(|_| EngineFault::Absent)?;
    let whole = *held.data_type() == DataType::Int64;
    if whole { Ok(Some(&summed.column.column)) } else { Err(EngineFault::ColumnForm) }
}

/// The number by which rows of `dataset` know their row of `table`, a table above.
fn number_of(dataset: &str, table: &str) -> Result<&'static str, EngineFault> {
    let ancestry = Schema::smf().ancestry(dataset);
    let above = ancestry.iter().skip(1).find(|t| t.name == table).ok_or(EngineFault::Plan)?;
    let one_row_a_person = above.parent.is_none() && above.person_key.is_some();
    Ok(if one_row_a_person { PERSON_NO } else { ENGAGEMENT_NO })
}

/// One table's part in a plan.
struct Part<'a> {
    files: Vec<std::path::PathBuf>,
    held: SchemaRef,
    columns: Vec<&'a str>,
    place: PlaceOf,
}

impl<'a> Part<'a> {
    fn of(snapshot: &Snapshot, table: &str, uses: &Uses<'a>) -> Result<Self, EngineFault> {
        let held = snapshot.arrow_schema(table).ok_or(EngineFault::Absent)?;
        let files = snapshot.parts(table);
        let (columns, weights): (Vec<_>, Vec<_>) = uses.weights(table)?.into_iter().unzip();
        for (column, weights) in columns.iter().zip(&weights) {
            let field = held.field_with_name(column).map_err(|_| EngineFault::Absent)?;
            if !weights.reads(field.data_type()) {
                return Err(EngineFault::ColumnForm);
            }
        }
        Ok(Self { files, held, columns, place: PlaceOf::new(weights) })
    }

    /// `numbers …, place`, of the columns that the plan names and no other.
    fn placed(&self, numbers: &[&str]) -> Result<Arc<dyn ExecutionPlan>, EngineFault> {
        let names: Vec<&str> = numbers.iter().chain(&self.columns).copied().collect();
        let field = |name: &&str| self.held.field_with_name(name).cloned().map(Arc::new);
        let fields: Vec<FieldRef> =
            names.iter().map(field).collect::<Result<_, _>>().map_err(|_| EngineFault::Absent)?;
        let column =
            |(at, name): (usize, &&str)| -> Arc<dyn PhysicalExpr> { Arc::new(Column::new(name, at)) };
        let read: Vec<_> = names.iter().enumerate().map(column).collect();
        let place = ScalarFunctionExpr::new(
            PLACE,
            Arc::new(ScalarUDF::new_from_impl(self.place.clone())),
            read.iter().skip(numbers.len()).cloned().collect(),
            Arc::new(Field::new(PLACE, DataType::UInt32, false)),
            Arc::new(ConfigOptions::default()),
        );
        let kept = numbers.iter().map(|n| (*n).to_owned()).zip(read).map(|(name, expr)| (expr, name));
        let place: (Arc<dyn PhysicalExpr>, String) = (Arc::new(place), PLACE.to_owned());
        let columns: Vec<_> = kept.chain(std::iter::once(place)).collect();
        let projection = ProjectionExec::try_new(columns, scan(&self.files, fields)?);
        Ok(Arc::new(projection.map_err(|e| EngineFault::of(&e))?))
    }
}

/// Which columns a plan uses, and for what.
struct Uses<'a> {
    shares: BTreeMap<(&'a str, &'a str), Vec<Share<'a>>>,
    /// Read even if no column of it is used.
    dataset: &'a str,
}

impl<'a> Uses<'a> {
    fn of(plan: &'a CountPlan) -> Result<Self, EngineFault> {
        let sizes: Vec<usize> = plan.grid.dimensions().iter().map(|d| d.codes.len()).collect();
        let fits = plan.axes.len() == sizes.len()
            && sizes.len() <= cairn_question::limits::GROUP_COLUMNS_MAX
            && plan.filters.len() <= cairn_question::limits::FILTERS_MAX
            && plan.always.len() <= ALWAYS_MAX;
        if !fits {
            return Err(EngineFault::Plan);
        }
        let mut uses = Self { shares: BTreeMap::new(), dataset: &plan.dataset };
        let mut stride = plan.grid.cells();
        for (axis, size) in plan.axes.iter().zip(sizes) {
            stride /= size.max(1);
            let stride = u32::try_from(stride).map_err(|_| EngineFault::Plan)?;
            uses.add(&axis.column, Share::Axis { codes: &axis.codes, size, stride });
        }
        for (filter, predicate) in plan.filters.iter().enumerate() {
            uses.keep(predicate, place::fails(filter));
        }
        for predicate in &plan.always {
            uses.keep(predicate, NEVER_COUNTS);
        }
        Ok(uses)
    }

    fn keep(&mut self, predicate: &'a Predicate, cost: u32) {
        self.add(&predicate.column, Share::Keep { keep: &predicate.keep, cost });
    }

    fn add(&mut self, column: &'a ColumnPath, share: Share<'a>) {
        self.shares.entry((&column.table, &column.column)).or_default().push(share);
    }

    /// The tables of the plan, each once.
    fn tables(&self) -> impl Iterator<Item = &'a str> {
        let mut tables: Vec<&str> = self.shares.keys().map(|(table, _)| *table).collect();
        tables.push(self.dataset);
        tables.sort_unstable();
        tables.dedup();
        tables.into_iter()
    }

    fn weights(&self, table: &str) -> Result<Vec<(&'a str, Weights)>, EngineFault> {
        let columns = self.shares.iter().filter(|((t, _), _)| *t == table);
        columns.map(|((_, column), shares)| Ok((*column, Weights::new(shares)?))).collect()
    }
}

fn aggregate(
    rows: Arc<dyn ExecutionPlan>,
    of: TallyOf,
    at_once: usize,
) -> Result<Arc<dyn ExecutionPlan>, EngineFault> {
    let schema = rows.schema();
    let function = Arc::new(AggregateUDF::new_from_impl(TallyFunction::new(of)));
    let column = |(at, field): (usize, &FieldRef)| -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(field.name(), at))
    };
    let arguments = schema.fields().iter().enumerate().map(column).collect();
    let tally = AggregateExprBuilder::new(function, arguments).schema(Arc::clone(&schema)).alias(TALLY);
    let tally = vec![Arc::new(tally.build().map_err(|e| EngineFault::of(&e))?)];
    let none = PhysicalGroupBy::new_single(Vec::new());
    let step = |mode, input| {
        let step =
            AggregateExec::try_new(mode, none.clone(), tally.clone(), vec![None], input, Arc::clone(&schema));
        step.map_err(|e| EngineFault::of(&e))
    };
    let parts = step(AggregateMode::Partial, rows)?;
    let turns = Arc::new(InTurnExec::new(Arc::new(parts), at_once));
    Ok(Arc::new(step(AggregateMode::Final, turns)?))
}

const PLACE: &str = "place";
const TALLY: &str = "tally";
