//! SQLite files that keep what was committed: write-ahead log, every commit synced, one writer.
//!
//! WAL with `synchronous=NORMAL` does not sync at commit and forgets charges after a power cut, so each setting is read
//! back and anything else is refused. See <https://www.sqlite.org/pragma.html#pragma_synchronous>.

use rusqlite::Connection;
use std::error::Error;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fault::LedgerFault;

/// Longest wait for another connection's lock: an auditor's `sqlite3` holds one for a moment only.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// What must be read back, and the text in which SQLite gives it. `synchronous` 2 is FULL.
const REQUIRED: [(&str, &str); 3] = [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")];

/// Opens a store for writing, made with mode 0600 if it is not there, and asserts that its commits are durable.
///
/// Does not keep a second writer out: take a [`Lock`] first.
///
/// # Errors
/// [`LedgerFault::Open`], [`LedgerFault::NotDurable`].
pub fn open(path: &Path) -> Result<Connection, LedgerFault> {
    make(path).map_err(|cause| cannot_open(path, cause))?;
    let connection = Connection::open(path).map_err(|cause| cannot_open(path, cause))?;
    set(&connection).map_err(|cause| cannot_open(path, cause))?;
    assert_durable(&connection)?;
    Ok(connection)
}

/// Reads the settings back.
///
/// # Errors
/// [`LedgerFault::NotDurable`] for the first that differs, [`LedgerFault::Read`].
pub fn assert_durable(connection: &Connection) -> Result<(), LedgerFault> {
    for (pragma, wanted) in REQUIRED {
        let found = read_back(connection, pragma).map_err(LedgerFault::read)?;
        if found != wanted {
            return Err(LedgerFault::NotDurable { pragma, found, wanted });
        }
    }
    Ok(())
}

/// The right to write to a store, held until dropped, or until the process ends however it ends.
///
/// A file beside the store (`<store>.lock`), locked by the operating system: SQLite's own exclusive mode would also keep
/// auditors from reading.
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of the store at `path`.
    ///
    /// # Errors
    /// [`LedgerFault::InUse`] when somebody has it, [`LedgerFault::Open`] when the lock file cannot be made.
    pub fn take(path: &Path) -> Result<Self, LedgerFault> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let file = options().open(&lock_path).map_err(|cause| cannot_open(&lock_path, cause))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path: lock_path }),
            Err(TryLockError::WouldBlock) => Err(LedgerFault::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(cause)) => Err(cannot_open(&lock_path, cause)),
        }
    }
}

impl Drop for Lock {
    /// Unlocks, and does not leave it to closing: a process that is being started holds a copy of the open file for a moment,
    /// and closing ours would leave the lock with that copy.
    fn drop(&mut self) {
        // Nothing can be done where it fails; the lock then ends with the process.
        let _ = self.file.unlock();
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lock({})", self.path.display())
    }
}

/// Makes the file, empty and with mode 0600, and syncs its name into the folder.
fn make(path: &Path) -> Result<(), std::io::Error> {
    if path.exists() {
        return Ok(());
    }
    options().open(path)?.sync_all()?;
    sync_folder(path)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), std::io::Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> Result<(), std::io::Error> {
    Ok(())
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// `secure_delete`: what is wiped is written over with zeros, and not only given free.
fn set(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_MAX)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA fullfsync = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA secure_delete = ON;",
    )
}

fn read_back(connection: &Connection, pragma: &str) -> Result<String, rusqlite::Error> {
    use rusqlite::types::Value;
    connection.pragma_query_value(None, pragma, |row| {
        Ok(match row.get::<_, Value>(0)? {
            Value::Text(text) => text,
            Value::Integer(number) => number.to_string(),
            _ => String::from("unreadable"),
        })
    })
}

fn cannot_open(path: &Path, cause: impl Into<Box<dyn Error + Send + Sync>>) -> LedgerFault {
    LedgerFault::Open { path: path.to_owned(), cause: cause.into() }
}

#[cfg(test)]
mod tests;
