//! Writing the few files that commands make: never over something that is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::failure::Failure;

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|_| cannot(path))
}

/// Writes a new file; refuses where there is one.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    fill(OpenOptions::new(), path, text)
}

fn fill(mut options: OpenOptions, path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = options.write(true).create_new(true).open(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::new("CC107", format!("{} exists; nothing is overwritten", path.display()))
        }
        _ => cannot(path),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|_| cannot(path))
}

/// [`write_new`] for what nobody else on this machine may read.
pub(crate) fn write_new_private(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    fill(options, path, text)
}

/// Writes a file whole: whoever reads it sees the old text or the new one, never half of one.
#[cfg(feature = "coordinator")]
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = std::path::PathBuf::from(fresh);
    let written =
        File::create(&fresh).and_then(|mut f| f.write_all(text.as_bytes()).and_then(|()| f.sync_all()));
    written.and_then(|()| std::fs::rename(&fresh, path)).map_err(|_| cannot(path))
}

/// Reads a text file of a size that a person could have written.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let says = |why: &str| Failure::new("CC105", format!("{} cannot be read: {why}", path.display()));
    let bytes = read_bytes(path, TEXT_BYTES_MAX).map_err(|why| says(&why))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > TEXT_BYTES_MAX {
        return Err(says("it is over 4 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| says("it is not UTF-8 text"))
}

/// Reads a file, and one byte over `most` where it is longer. Only a file is opened: a pipe could keep the program waiting, and a
/// device never ends.
///
/// # Errors
/// Why it cannot be read, in words.
pub(crate) fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let kind = std::fs::metadata(path).map_err(|e| unread(&e))?;
    if kind.is_dir() {
        return Err("it is a folder".to_owned());
    }
    if !kind.is_file() {
        return Err("it is a device or a pipe, not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|f| f.take(most.saturating_add(1)).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|e| unread(&e))
}

fn unread(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not open it".to_owned(),
        kind => kind.to_string(),
    }
}

/// Whether nothing at all lies there. What is there and cannot be read is not absent: it is for whoever reads it to say so.
pub(crate) fn is_absent(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
}

/// Most bytes of a text file that a command reads whole: a policy has some 10 kB, a mapping less.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// The same place, from wherever it is named.
#[cfg(any(feature = "coordinator", feature = "node"))]
pub(crate) fn absolute(path: &Path) -> Result<std::path::PathBuf, Failure> {
    std::path::absolute(path).map_err(|_| cannot(path))
}

/// A path as a TOML string.
#[cfg(any(feature = "coordinator", feature = "node"))]
pub(crate) fn quoted(path: &Path) -> String {
    toml::Value::String(path.to_string_lossy().into_owned()).to_string()
}

fn cannot(path: &Path) -> Failure {
    Failure::new("CC104", format!("{} cannot be written", path.display()))
}
