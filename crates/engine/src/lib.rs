//! Counts people in a snapshot over the full grid of declared cells.
//!
//! [`Engine::count`] turns a [`cairn_release::CountPlan`] and a [`cairn_records::Snapshot`] into a
//! [`cairn_release::RawTable`], by a DataFusion plan that is built node by node: there is no SQL text and no parser.
//! [`Engine::people`] names who they are instead, for counting them once across partners. `docs/reference/engine.md` says how, and why the counts
//! are exact.

mod engine;
mod fault;
mod gather;
mod in_turn;
mod limits;
mod order;
mod people;
mod place;
mod place_udf;
mod record_keys;
mod scan;
mod shape;
mod tally;
mod tally_udaf;
mod weights;

pub use engine::Engine;
pub use fault::EngineFault;
pub use limits::Limits;

/// Targets of log lines that must stay at `warn` or above it in any node: below that, DataFusion and the Parquet reader
/// write plans and what they decode. The engine's tests find no value of a record in them at any level today; this is
/// for the next version of those libraries.
pub const CAPPED_LOG_TARGETS: [&str; 4] = ["arrow", "datafusion", "object_store", "parquet"];

#[cfg(test)]
mod tests;
