//! Writing the few files that commands make: never over something that is there.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

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
        std::io::ErrorKind::AlreadyExists => {
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
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let written =
        File::create(&fresh).and_then(|mut f| f.write_all(text.as_bytes()).and_then(|()| f.sync_all()));
    written.and_then(|()| std::fs::rename(&fresh, path)).map_err(|_| cannot(path))
}

/// Reads a text file of a size that a person could have written.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let says = |why: &str| Failure::new("CC105", format!("{} cannot be read: {why}", path.display()));
    let size = std::fs::metadata(path).map_err(|_| says("there is no such file"))?.len();
    if size > TEXT_BYTES_MAX {
        return Err(says("it is over 4 MiB"));
    }
    std::fs::read_to_string(path).map_err(|_| says("it is not UTF-8 text"))
}

/// Most bytes of a text file that a command reads whole: a policy has some 10 kB, a mapping less.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// The same place, from wherever it is named.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|_| cannot(path))
}

/// A path as a TOML string.
pub(crate) fn quoted(path: &Path) -> String {
    toml::Value::String(path.to_string_lossy().into_owned()).to_string()
}

fn cannot(path: &Path) -> Failure {
    Failure::new("CC104", format!("{} cannot be written", path.display()))
}
