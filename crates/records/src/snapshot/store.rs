//! A folder of snapshots, one of them in force.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use cairn_question::{Hash, Schema};

use super::disk::{Disk, RealDisk};
use super::fault::StoreFault;
use super::layout;
use super::manifest::{FORMAT, FORMAT_WITH_LINKAGE, Head, MANIFEST_BYTES_MAX, Manifest};
use super::writer::Writer;

/// A folder of snapshots: `snapshots/<edition>/`, the pointer `CURRENT`, and `staged/` while a load is under way.
#[derive(Clone)]
pub struct Store {
    pub(super) dir: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
}

/// The snapshot in force when it was opened. Its files never change; they stay at least until the next but one commit.
#[derive(Clone)]
pub struct Snapshot {
    pub(super) dir: PathBuf,
    /// The store's folder, which has the key of the linkage file.
    pub(super) store: PathBuf,
    manifest: Arc<Manifest>,
}

/// `CURRENT`: the edition in force and the digest of its manifest.
pub(super) struct Pointer {
    pub(super) edition: u32,
    pub(super) manifest: Hash,
}

impl Store {
    /// Opens a store, made where it is not there, and removes what an interrupted load left behind.
    ///
    /// # Errors
    /// [`StoreFault::Disk`] when the folder cannot be made or read; [`StoreFault::Unreadable`] for a damaged `CURRENT`.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, StoreFault> {
        Self::open_on(dir.into(), Arc::new(RealDisk))
    }

    pub(super) fn open_on(dir: PathBuf, disk: Arc<dyn Disk>) -> Result<Self, StoreFault> {
        let make = StoreFault::disk("make the folder of snapshots");
        disk.create_dir(&dir.join(SNAPSHOTS)).map_err(make)?;
        let store = Self { dir, disk };
        // Whoever holds the lock is loading, and what lies in `staged/` is theirs.
        if let Ok(_lock) = store.lock() {
            store.clean()?;
        }
        Ok(store)
    }

    /// The snapshot in force, once every file of it was found to have the size and the digest that were written.
    /// `None` before the first load.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`], [`StoreFault::Unreadable`] or [`StoreFault::Format`].
    pub fn current(&self) -> Result<Option<Snapshot>, StoreFault> {
        let Some(pointer) = self.pointer()? else { return Ok(None) };
        let dir = self.snapshot_dir(pointer.edition);
        let manifest = read_manifest(&dir, &pointer)?;
        for part in manifest.tables.values().flat_map(|t| &t.parts) {
            check_file(&dir, &part.file, part.sha256, part.bytes)?;
        }
        if let Some(linkage) = &manifest.linkage {
            check_file(&dir, &linkage.file, linkage.sha256, linkage.bytes)?;
        }
        Ok(Some(Snapshot::of(dir, self.dir.clone(), manifest)))
    }

    /// Begins the next snapshot. Nothing of it counts before [`Writer::commit`].
    ///
    /// # Errors
    /// [`StoreFault::Busy`] while another load is under way, or what the disk says.
    pub fn writer(&self, head: Head) -> Result<Writer, StoreFault> {
        Writer::begin(self, head)
    }

    pub(super) fn lock(&self) -> Result<File, StoreFault> {
        let doing = "lock the folder of snapshots";
        let mut options = fs::OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(self.dir.join("LOCK"));
        let file = file.map_err(StoreFault::disk(doing))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreFault::Busy),
            Err(TryLockError::Error(cause)) => Err(StoreFault::disk(doing)(cause)),
        }
    }

    pub(super) fn pointer(&self) -> Result<Option<Pointer>, StoreFault> {
        match read_text(&self.dir.join(CURRENT), POINTER_BYTES_MAX) {
            Ok(text) => text.parse().map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(StoreFault::disk("read `CURRENT`")(e)),
        }
    }

    pub(super) fn snapshot_dir(&self, edition: u32) -> PathBuf {
        self.dir.join(SNAPSHOTS).join(format!("{edition:06}"))
    }

    pub(super) fn staged_dir(&self) -> PathBuf {
        self.dir.join("staged")
    }

    /// Whoever calls holds the lock: what is staged is somebody's load while it is held.
    pub(super) fn remove_staged(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.staged_dir()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Keeps the edition in force and the one before it, which a running question may still read.
    fn clean(&self) -> Result<(), StoreFault> {
        let doing = StoreFault::disk("remove what an earlier load left behind");
        self.remove_staged().map_err(&doing)?;
        let current = self.pointer()?.map_or(0, |p| p.edition);
        for entry in fs::read_dir(self.dir.join(SNAPSHOTS)).map_err(&doing)? {
            let entry = entry.map_err(&doing)?;
            let edition = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok());
            if edition.is_some_and(|e| e > current || e.saturating_add(1) < current) {
                fs::remove_dir_all(entry.path()).map_err(&doing)?;
            }
        }
        Ok(())
    }
}

impl Snapshot {
    /// What it holds.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The Parquet files of a table, in the order of persons; part k of every person table covers the same persons.
    /// Empty for a table that the snapshot does not hold.
    #[must_use]
    pub fn parts(&self, table: &str) -> Vec<PathBuf> {
        let entry = self.manifest.tables.get(table);
        entry.into_iter().flat_map(|t| &t.parts).map(|p| self.dir.join(&p.file)).collect()
    }

    /// The Arrow schema of a table's parts; `None` for a table that the snapshot does not hold.
    #[must_use]
    pub fn arrow_schema(&self, table: &str) -> Option<SchemaRef> {
        self.manifest.tables.get(table)?;
        Schema::smf().table(table).map(layout::arrow_schema)
    }

    pub(super) fn of(dir: PathBuf, store: PathBuf, manifest: Manifest) -> Self {
        Self { dir, store, manifest: Arc::new(manifest) }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({:?})", self.manifest)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.edition, self.manifest)
    }
}

impl FromStr for Pointer {
    type Err = StoreFault;
    fn from_str(text: &str) -> Result<Self, StoreFault> {
        let wrong = || StoreFault::Unreadable { file: CURRENT.to_owned() };
        let (edition, hash) = text.trim_end().split_once(' ').ok_or_else(wrong)?;
        Ok(Self {
            edition: edition.parse().map_err(|_| wrong())?,
            manifest: Hash::try_from(hash.to_owned()).map_err(|_| wrong())?,
        })
    }
}

fn read_manifest(dir: &Path, pointer: &Pointer) -> Result<Manifest, StoreFault> {
    let file = || format!("{SNAPSHOTS}/{:06}/{MANIFEST}", pointer.edition);
    let unreadable = || StoreFault::Unreadable { file: file() };
    let text = read_text(&dir.join(MANIFEST), MANIFEST_BYTES_MAX).map_err(|_| unreadable())?;
    if Hash::of(text.as_bytes()) != pointer.manifest {
        return Err(StoreFault::Corrupt { file: file(), what: "checksum" });
    }
    // A newer program's manifest may have keys that this one does not know; its format number says so first.
    let any: serde_json::Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
    let found = any.get("format").and_then(serde_json::Value::as_u64).and_then(|f| u32::try_from(f).ok());
    match found {
        Some(FORMAT | FORMAT_WITH_LINKAGE) => serde_json::from_value(any).map_err(|_| unreadable()),
        Some(found) => Err(StoreFault::Format { found, reads: FORMAT_WITH_LINKAGE }),
        None => Err(unreadable()),
    }
}

fn check_file(dir: &Path, name: &str, sha256: Hash, bytes: u64) -> Result<(), StoreFault> {
    let corrupt = |what| StoreFault::Corrupt { file: name.to_owned(), what };
    let plain = Path::new(name).components().count() == 1 && !name.starts_with('.');
    if !plain {
        return Err(corrupt("name"));
    }
    let mut file = File::open(dir.join(name)).map_err(|_| corrupt("presence"))?;
    if file.metadata().map_err(|_| corrupt("presence"))?.len() != bytes {
        return Err(corrupt("size"));
    }
    let digest = digest(&mut file).map_err(StoreFault::disk("read a part of the snapshot"))?;
    if digest == sha256 { Ok(()) } else { Err(corrupt("checksum")) }
}

fn digest(file: &mut File) -> io::Result<Hash> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Hash::from_digest(&context.finish())),
            n => context.update(buffer.get(..n).unwrap_or_default()),
        }
    }
}

fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(bytes_max).read_to_string(&mut text)?;
    Ok(text)
}

pub(super) const SNAPSHOTS: &str = "snapshots";
pub(super) const CURRENT: &str = "CURRENT";
pub(super) const MANIFEST: &str = "manifest.json";

/// Most bytes of `CURRENT`: an edition and a digest.
const POINTER_BYTES_MAX: u64 = 256;
