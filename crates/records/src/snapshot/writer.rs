//! Writing a snapshot: staged first, then in force at once or not at all.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use cairn_question::{Hash, Schema};

use super::disk::Disk;
use super::fault::StoreFault;
use super::linkage::Linkage;
use super::manifest::{FORMAT_WITH_LINKAGE, Head, Manifest, TableEntry};
use super::parts::TableWriter;
use super::store::{CURRENT, MANIFEST, Pointer, SNAPSHOTS, Snapshot, Store};

/// Persons of one part: 262,144.
///
/// A part is what one core reads at a time. A council's few thousand people are one part, which a core reads in
/// milliseconds; from 262,145 people on there is work for a second core. Smaller parts lose more to opening files (a
/// footer of some 40 columns each) than more cores gain: 10 million starts are 28 parts of this size.
pub const PERSONS_PER_PART: NonZeroU32 = NonZeroU32::new(262_144).unwrap();

/// The next snapshot of a store, being written into `staged/`. Dropped without [`Writer::commit`], it leaves no trace.
///
/// Rows of a table are appended in the order of persons, and of one person in the order of days; the tables may be
/// written in any order, or by turns.
pub struct Writer {
    dir: PathBuf,
    staged: PathBuf,
    target: PathBuf,
    disk: Arc<dyn Disk>,
    manifest: Manifest,
    writers: BTreeMap<String, TableWriter>,
    linkage: Option<Linkage>,
    /// Held until the end: two loads never share `staged/`.
    _lock: File,
}

/// A snapshot whose files are all on disk, and which is not in force yet.
#[must_use = "a snapshot counts only once it is committed"]
pub struct Sealed {
    writer: Writer,
    manifest_hash: Hash,
}

impl Writer {
    pub(super) fn begin(store: &Store, head: Head) -> Result<Self, StoreFault> {
        let lock = store.lock()?;
        let edition = store.pointer()?.map_or(0, |p| p.edition).saturating_add(1);
        let staged = store.staged_dir();
        // Left by a load that ended between the two renames of a commit: never in force.
        let _ = std::fs::remove_dir_all(store.snapshot_dir(edition));
        let _ = std::fs::remove_dir_all(&staged);
        let disk = Arc::clone(&store.disk);
        disk.create_dir(&staged).map_err(StoreFault::disk("make the staging folder"))?;
        Ok(Self {
            dir: store.dir.clone(),
            target: store.snapshot_dir(edition),
            staged,
            disk,
            manifest: Manifest::new(edition, head, PERSONS_PER_PART.get()),
            writers: BTreeMap::new(),
            linkage: None,
            _lock: lock,
        })
    }

    /// Sets the persons of one part, before any row is written. Default [`PERSONS_PER_PART`]; less is for tests.
    #[must_use]
    pub fn persons_per_part(mut self, persons: NonZeroU32) -> Self {
        self.manifest.persons_per_part = persons.get();
        self
    }

    /// Adds a table that the export feeds, even if no row of it follows.
    ///
    /// # Errors
    /// [`StoreFault::Layout`] for a table that the dictionary has not.
    pub fn table(&mut self, table: &str) -> Result<(), StoreFault> {
        self.table_writer(table).map(|_| ())
    }

    /// Adds rows to a table, after those that are there.
    ///
    /// # Errors
    /// [`StoreFault::Layout`] for other columns than [`super::arrow_schema`] or another order than that of persons, or
    /// what the disk says.
    pub fn append(&mut self, table: &str, batch: &RecordBatch) -> Result<(), StoreFault> {
        self.table_writer(table)?.append(batch)
    }

    /// Adds the people's linkage keys, by the numbers that their rows have. They are written when the snapshot is sealed, and wiped here.
    pub fn link(&mut self, linkage: Linkage) {
        self.linkage = Some(linkage);
    }

    /// Closes all files and makes them durable; nothing is in force yet.
    ///
    /// # Errors
    /// What the disk says.
    pub fn seal(mut self) -> Result<Sealed, StoreFault> {
        let persons = self.writers.values().map(|w| w.persons).max().unwrap_or(0);
        self.manifest.persons = persons;
        for (name, writer) in std::mem::take(&mut self.writers) {
            let entry: TableEntry = writer.finish(persons)?;
            self.manifest.tables.insert(name, entry);
        }
        if let Some(linkage) = self.linkage.take() {
            self.write_linkage(linkage)?;
        }
        let text = serde_json::to_vec_pretty(&self.manifest)
            .map_err(|_| StoreFault::layout(MANIFEST, "the manifest has no form"))?;
        self.write_durably(&self.staged.join(MANIFEST), &text)?;
        self.sync_dir(&self.staged)?;
        Ok(Sealed { manifest_hash: Hash::of(&text), writer: self })
    }

    /// Seals the snapshot and puts it in force. A failure at any point leaves the last good snapshot in force.
    ///
    /// # Errors
    /// What the disk says.
    pub fn commit(self) -> Result<Snapshot, StoreFault> {
        self.seal()?.commit()
    }

    fn table_writer(&mut self, table: &str) -> Result<&mut TableWriter, StoreFault> {
        let known = Schema::smf().table(table);
        let known = known.ok_or_else(|| StoreFault::layout(table, "there is no such table"))?;
        let (staged, disk, per_part) = (&self.staged, &self.disk, self.manifest.persons_per_part);
        let new = || TableWriter::new(known, per_part, staged, Arc::clone(disk));
        Ok(self.writers.entry(table.to_owned()).or_insert_with(new))
    }

    fn write_linkage(&mut self, linkage: Linkage) -> Result<(), StoreFault> {
        if linkage.persons() != self.manifest.persons {
            return Err(StoreFault::layout("participants", "the linkage keys are of other persons"));
        }
        let entry = linkage.write(&*self.disk, (&self.dir, &self.staged), self.manifest.edition)?;
        self.manifest.linkage = Some(entry);
        self.manifest.format = FORMAT_WITH_LINKAGE;
        Ok(())
    }

    fn write_durably(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreFault> {
        let doing = "write the manifest or `CURRENT`";
        let mut file = self.disk.create(path).map_err(StoreFault::disk(doing))?;
        file.write_all(bytes).and_then(|()| file.sync()).map_err(StoreFault::disk(doing))
    }

    fn sync_dir(&self, path: &Path) -> Result<(), StoreFault> {
        self.disk.sync_dir(path).map_err(StoreFault::disk("make a folder's names durable"))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreFault> {
        self.disk.rename(from, to).map_err(StoreFault::disk("put the new snapshot in its place"))
    }
}

impl Sealed {
    /// Puts the snapshot in force: one rename of the folder, one of the pointer, each made durable before the next.
    ///
    /// # Errors
    /// What the disk says; the last good snapshot then stays in force. (Only when the very last step fails, making the new
    /// pointer's name durable, may the new snapshot be found in force; it is whole by then.)
    pub fn commit(self) -> Result<Snapshot, StoreFault> {
        let Self { writer, manifest_hash } = self;
        writer.rename(&writer.staged, &writer.target)?;
        writer.sync_dir(&writer.dir.join(SNAPSHOTS))?;
        let pointer = Pointer { edition: writer.manifest.edition, manifest: manifest_hash };
        let next = writer.dir.join("CURRENT.next");
        let _ = std::fs::remove_file(&next);
        writer.write_durably(&next, pointer.to_string().as_bytes())?;
        writer.rename(&next, &writer.dir.join(CURRENT))?;
        writer.sync_dir(&writer.dir)?;
        Ok(Snapshot::of(writer.target.clone(), writer.dir.clone(), writer.manifest.clone()))
    }

    /// What the snapshot holds.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.writer.manifest
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // After a commit the folder has its new name, and there is nothing here to remove.
        self.writers.clear();
        let _ = std::fs::remove_dir_all(&self.staged);
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer(edition {})", self.manifest.edition)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(edition {})", self.writer.manifest.edition)
    }
}
