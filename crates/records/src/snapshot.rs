//! Snapshots: immutable, checksummed Parquet files of one partner's records, replaced whole or not at all.
//!
//! `docs/reference/snapshot.md` is the layout that the engine relies on.

mod disk;
mod erase;
mod fault;
mod layout;
mod left_out;
mod linkage;
mod manifest;
mod parts;
mod store;
mod writer;

pub use erase::Erased;
pub use fault::StoreFault;
pub(crate) use layout::has_engagement_no;
pub use layout::{ENGAGEMENT_NO, PERSON_NO, arrow_schema, code_array, code_values, is_stored, order_column};
pub use left_out::LeftOut;
pub use linkage::Linkage;
pub use manifest::{Head, LinkageEntry, Manifest, Note, Objections, Part, SourceFile, TableEntry};
pub use store::{Snapshot, Store};
pub use writer::{PERSONS_PER_PART, Sealed, Writer};

#[cfg(test)]
mod tests;
