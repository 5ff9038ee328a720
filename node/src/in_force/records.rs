//! The records in force: the snapshot that the folder's pointer names.

use std::sync::Arc;

use cairn_gate::{ColumnNote, Provisional, SnapshotFacts};
use cairn_records::{Manifest, Snapshot};

use super::at_work::{AtWork, Broke};
use super::offer::{digest_of, read};
use super::{Change, Held, LATE_ROWS_DAYS, Watcher};
use crate::answer::BROKEN;

impl Watcher {
    pub(super) fn look_at_snapshot(&mut self) -> Option<Change> {
        if self.checking.is_none() {
            let pointer = read(&self.places.data_dir.join(CURRENT));
            let digest = digest_of(std::slice::from_ref(&pointer), &[]);
            if self.seen.pointer.replace(digest) == Some(digest) {
                return None;
            }
        }
        match self.checked()? {
            Ok(None) => None,
            Ok(Some(snapshot)) if snapshot.manifest().partner != self.partner => {
                Some(Change::SnapshotTurnedAway { code: "CN514" })
            }
            Ok(Some(snapshot)) => {
                let facts = facts(snapshot.manifest());
                self.in_force.held = Some(Arc::new(Held { snapshot, facts }));
                Some(Change::Snapshot)
            }
            Err(code) => Some(Change::SnapshotTurnedAway { code }),
        }
    }

    /// The snapshot that the pointer names, once it was read whole on a thread of its own: a brake must not wait for it.
    fn checked(&mut self) -> Option<Result<Option<Snapshot>, &'static str>> {
        let checking = self.checking.take().unwrap_or_else(|| {
            let store = self.store.clone();
            AtWork::begin(move || store.current())
        });
        let checked = checking.ended(self.patience);
        if checked.is_none() {
            self.checking = Some(checking);
        }
        checked.map(|checked| checked.map_err(|Broke| BROKEN)?.map_err(|fault| fault.code()))
    }
}

/// The pointer to the snapshot in force (docs/reference/snapshot.md).
pub(super) const CURRENT: &str = "CURRENT";

/// What a reservation must know of the snapshot.
pub(crate) fn facts(manifest: &Manifest) -> SnapshotFacts {
    let late_until = manifest.as_of.plus_days(LATE_ROWS_DAYS);
    let notes = manifest.notes.iter().filter_map(|note| {
        let (table, column) = note.column.split_once('.')?;
        Some(ColumnNote { table: table.to_owned(), column: column.to_owned(), note: note.says.clone() })
    });
    SnapshotFacts {
        as_of: manifest.as_of,
        edition: manifest.edition,
        templates: manifest.templates.clone(),
        notes: notes.collect(),
        provisional: if manifest.loaded_at.day_utc() < late_until {
            Provisional::Yes
        } else {
            Provisional::No
        },
    }
}
