//! Takes in a partner's export and keeps it as checksummed snapshots.
//!
//! [`snapshot`] is how records are held; its layout is documented in `docs/reference/snapshot.md`.

pub mod snapshot;

pub use snapshot::{Manifest, Snapshot, Store, StoreFault, Writer};
