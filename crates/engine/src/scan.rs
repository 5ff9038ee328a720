//! Reads the named columns of one table, each part whole and by one reader.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;

use crate::fault::EngineFault;

/// A scan of `columns` (and of no other) with one partition for each part.
///
/// # Errors
/// [`EngineFault::Unreadable`] where a part is not there.
pub(crate) fn scan(
    parts: &[PathBuf],
    columns: Vec<arrow::datatypes::FieldRef>,
) -> Result<Arc<dyn ExecutionPlan>, EngineFault> {
    let schema = Arc::new(Schema::new(columns));
    let source = ParquetSource::new(schema).with_table_parquet_options(parquet_options());
    let groups = parts.iter().map(|part| Ok(FileGroup::new(vec![part_file(part)?])));
    let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
        .with_file_groups(groups.collect::<Result<_, EngineFault>>()?)
        // Without this, a reader that has finished takes a part from its neighbour, and the parts of two tables that
        // belong together come apart.
        .with_preserve_order(true)
        .with_batch_size(Some(BATCH_ROWS))
        .with_expr_adapter(Some(Arc::new(SameForms)))
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// Gives `take` every batch, one part after the other.
///
/// # Errors
/// What `take` says, or what reading says.
pub(crate) async fn each_batch(
    rows: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    mut take: impl FnMut(&RecordBatch) -> Result<(), EngineFault>,
) -> Result<(), EngineFault> {
    for part in 0..rows.output_partitioning().partition_count() {
        let mut batches = rows.execute(part, Arc::clone(context)).map_err(|e| EngineFault::of(&e))?;
        while let Some(batch) = batches.next().await {
            take(&batch.map_err(|e| EngineFault::of(&e))?)?;
        }
    }
    Ok(())
}

fn part_file(part: &PathBuf) -> Result<PartitionedFile, EngineFault> {
    let meta = std::fs::metadata(part).map_err(|_| EngineFault::Unreadable)?;
    // An absolute path is taken letter by letter; a relative one would have its `%` and spaces rewritten.
    let path = std::path::absolute(part).map_err(|_| EngineFault::Unreadable)?;
    Ok(PartitionedFile::new_from_meta(ObjectMeta {
        location: ObjectPath::from_absolute_path(path).map_err(|_| EngineFault::Unreadable)?,
        last_modified: Default::default(),
        size: meta.len(),
        e_tag: None,
        version: None,
    }))
}

fn parquet_options() -> TableParquetOptions {
    let mut options = TableParquetOptions::default();
    // Nothing is pruned: every row is looked at, since its person must be seen. A snapshot has no page index.
    options.global.enable_page_index = false;
    options.global.pruning = false;
    options.global.bloom_filter_on_read = false;
    // Text stays out; nothing is turned into another form than the snapshot's.
    options.global.schema_force_view_types = false;
    options.global.skip_metadata = false;
    options
}

/// Refuses a part whose columns are not held in the form that the schema gives them, where DataFusion would cast, or fill a
/// missing column with NULL, which counts as `unknown`.
#[derive(Debug)]
struct SameForms;

impl PhysicalExprAdapterFactory for SameForms {
    fn create(&self, wanted: SchemaRef, held: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        for field in wanted.fields() {
            let form = held.field_with_name(field.name()).map_err(|_| EngineFault::Absent)?.data_type();
            if form != field.data_type() {
                return Err(EngineFault::ColumnForm.into());
            }
        }
        DefaultPhysicalExprAdapterFactory.create(wanted, held)
    }
}

/// Rows of one batch: at 4 bytes a column the batch stays in a core's own cache.
pub(crate) const BATCH_ROWS: usize = 16_384;
