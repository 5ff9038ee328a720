//! Runs plans within limits.

use std::fmt;
use std::sync::Arc;

use cairn_records::Snapshot;
use cairn_release::{CountPlan, Layout, RawPeople, RawTable, RecordKeys};
use datafusion::execution::TaskContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionConfig;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::fault::EngineFault;
use crate::limits::Limits;
use crate::people;
use crate::record_keys;
use crate::scan::BATCH_ROWS;
use crate::shape::{people_plan, physical_plan};
use crate::tally_udaf::numbers_of;

/// Counts snapshots. One for a node; counts may run side by side and then share its threads and its memory.
pub struct Engine {
    limits: Limits,
    environment: Arc<RuntimeEnv>,
    /// The engine's own threads. `None` only while dropping.
    threads: Option<Runtime>,
}

impl Engine {
    /// Starts the engine's threads.
    ///
    /// # Errors
    /// [`EngineFault::Internal`] when the operating system gives no threads.
    pub fn new(limits: Limits) -> Result<Self, EngineFault> {
        let pool = Arc::new(GreedyMemoryPool::new(limits.memory_bytes));
        // Records are never spilled: a temporary file would outlive their erasure.
        let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(pool)
            .with_disk_manager_builder(no_disk)
            .build_arc()
            .map_err(|e| EngineFault::of(&e))?;
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(limits.threads.get())
            // Reading files blocks; two readers a thread keep each thread busy.
            .max_blocking_threads(limits.threads.get().saturating_mul(2))
            .thread_name("cairn-engine")
            .enable_time()
            .build()
            .map_err(|_| EngineFault::Internal)?;
        Ok(Self { limits, environment, threads: Some(threads) })
    }

    /// Counts what `plan` says in `snapshot`: every cell of its grid.
    ///
    /// Dropping the future stops the count; that is how a brake works.
    ///
    /// # Errors
    /// [`EngineFault`]. It never quotes a record, whatever Arrow or DataFusion said.
    pub async fn count(&self, snapshot: &Snapshot, plan: &CountPlan) -> Result<RawTable, EngineFault> {
        let numbers = self.numbers(snapshot, plan).await?;
        let counted = Layout::of(plan).split(&numbers).ok_or(EngineFault::Internal)?;
        Ok(RawTable::of(plan.question_id, counted))
    }

    /// Who is counted in some cell of the plan, by number: for a plan of people that adds nothing else up and bounds nothing.
    ///
    /// Dropping the future stops it, as for [`Engine::count`].
    ///
    /// # Errors
    /// [`EngineFault`], [`EngineFault::Plan`] for any other plan.
    pub async fn people(&self, snapshot: &Snapshot, plan: &CountPlan) -> Result<RawPeople, EngineFault> {
        let rows = people_plan(snapshot, plan)?;
        let cells = u32::try_from(plan.grid.cells()).map_err(|_| EngineFault::Plan)?;
        let read = people::read(rows, cells, snapshot.manifest().persons, self.context());
        let (people, _reserved) = self.in_time(read).await?;
        Ok(RawPeople::of(plan.question_id, people))
    }

    /// The numbers of the plan's [`Layout`].
    pub(crate) async fn numbers(
        &self,
        snapshot: &Snapshot,
        plan: &CountPlan,
    ) -> Result<Vec<u64>, EngineFault> {
        let keyed = match &plan.record_keys {
            Some(of) => Some(self.record_keys(snapshot, of.clone()).await?),
            None => None,
        };
        // The keys' memory is given back once they are no longer read.
        let (keys, _reserved) = keyed.unzip();
        let physical = physical_plan(snapshot, plan, keys, self.limits.threads.get())?;
        self.in_time(run(physical, self.context())).await
    }

    /// The record key of each person, by number, and the memory that they take.
    async fn record_keys(
        &self,
        snapshot: &Snapshot,
        of: RecordKeys,
    ) -> Result<(Arc<[u8]>, MemoryReservation), EngineFault> {
        let scans = record_keys::scans(snapshot)?;
        let persons = snapshot.manifest().persons;
        self.in_time(record_keys::read(scans, of, persons, self.context())).await
    }

    /// Runs on the engine's own threads, no longer than its limit.
    async fn in_time<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, EngineFault>> + Send + 'static,
    ) -> Result<T, EngineFault> {
        let handle = self.threads.as_ref().ok_or(EngineFault::Internal)?.handle();
        let limit = self.limits.time_limit;
        // A set of one: its task is stopped when the set is dropped, and the set when this future is.
        let mut task = JoinSet::new();
        task.spawn_on(async move { tokio::time::timeout(limit, work).await }, handle);
        let ended = task.join_next().await.ok_or(EngineFault::Internal)?;
        ended.map_err(|_| EngineFault::Internal)?.map_err(|_| EngineFault::TimeLimit)?
    }

    /// How many tasks are alive on the engine's threads: none once every count has ended or was dropped.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.threads.as_ref().map_or(0, |t| t.metrics().num_alive_tasks())
    }

    fn context(&self) -> Arc<TaskContext> {
        let mut config = SessionConfig::new().with_batch_size(BATCH_ROWS);
        config.options_mut().execution.enable_file_stream_work_stealing = false;
        let context = TaskContext::default().with_session_config(config);
        Arc::new(context.with_runtime(Arc::clone(&self.environment)))
    }
}

async fn run(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Result<Vec<u64>, EngineFault> {
    let batches = collect(plan, context).await.map_err(|e| EngineFault::of(&e))?;
    let column = batches.first().and_then(|b| b.columns().first()).ok_or(EngineFault::Internal)?;
    numbers_of(column)
}

impl Drop for Engine {
    /// Waiting for threads is not allowed in a future, and nothing that runs here has anything to save.
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({:?})", self.limits)
    }
}
