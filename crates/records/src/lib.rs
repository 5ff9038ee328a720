//! Takes in a partner's export and keeps it as checksummed snapshots.
//!
//! A [`Mapping`] says how the export feeds the data dictionary's tables; [`load::check_and_stage`] checks every row,
//! reports every problem in one run ([`Report`]) and stages a snapshot; [`load::Staged::commit`] puts it in force.
//! [`snapshot`] is how records are held; its layout is documented in `docs/reference/snapshot.md`.

pub mod linkage;
pub mod load;
pub mod mapping;
pub mod report;
pub mod snapshot;

pub use linkage::{LinkageHash, LinkageKey, LinkageTally, QuestionKey};
pub use load::Staged;
pub use mapping::{Mapping, suggest};
pub use report::{Effect, Problem, Report, Tally};
pub use snapshot::{Linkage, Manifest, Snapshot, Store, StoreFault, Writer};
