//! The node's own secret: the key by which a bound chooses which cells of a person count. Made once, constant for life.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::disk;

/// The file's name, beside the ledger.
pub const CAP_KEY_FILE: &str = "cap.key";

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFault {
    /// The file cannot be read or made.
    #[error("cannot read or make `{path}`")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
    /// Others than its owner can read it.
    #[error("`{path}` can be read by others; it must be its owner's alone")]
    Readable {
        /// The file.
        path: PathBuf,
    },
    /// Not 32 bytes.
    #[error("`{path}` is not a key of 32 bytes")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// There is a ledger, but not the key that belongs to it.
    #[error("there is a ledger, but its key `{path}` is gone; put it back from the backup")]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// There is a key, but not the ledger that belongs to it.
    #[error("there is a key `{path}`, but its ledger is gone; put it back from the backup")]
    LedgerGone {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    NoRandomness,
}

impl SecretFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Disk { .. } => "CN503",
            Self::Readable { .. } => "CN504",
            Self::Malformed { .. } => "CN505",
            Self::Gone { .. } => "CN506",
            Self::NoRandomness => "CN507",
            Self::LedgerGone { .. } => "CN508",
        }
    }
}

/// Reads the key beside the ledger, or makes it at first start from 32 bytes that `draw` gives. Where there is a ledger already, a
/// missing key is not made anew: another key would choose other cells, and two choices show more of a person than the bound says.
/// Where there is a key already, a missing ledger is not made anew either: every person's account would stand at nothing again.
///
/// # Errors
/// [`SecretFault`].
pub(crate) fn cap_key(
    ledger: &Path,
    draw: impl FnOnce() -> Option<[u8; 32]>,
) -> Result<[u8; 32], SecretFault> {
    let path = ledger.with_file_name(CAP_KEY_FILE);
    match File::open(&path) {
        Ok(file) => match read(file, &path) {
            Ok(_) if !ledger.exists() => Err(SecretFault::LedgerGone { path }),
            key => key,
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound && ledger.exists() => Err(SecretFault::Gone { path }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let key = draw().ok_or(SecretFault::NoRandomness)?;
            // Whole or not at all: later starts must not take half a key for the whole.
            disk::replace(&path, &key).map_err(|cause| SecretFault::Disk { path, cause })?;
            Ok(key)
        }
        Err(cause) => Err(SecretFault::Disk { path, cause }),
    }
}

fn read(file: File, path: &Path) -> Result<[u8; 32], SecretFault> {
    let disk = |cause| SecretFault::Disk { path: path.to_owned(), cause };
    if others_can_read(&file).map_err(disk)? {
        return Err(SecretFault::Readable { path: path.to_owned() });
    }
    let mut bytes = Vec::with_capacity(33);
    file.take(33).read_to_end(&mut bytes).map_err(disk)?;
    bytes.try_into().map_err(|_| SecretFault::Malformed { path: path.to_owned() })
}

#[cfg(unix)]
pub(crate) fn others_can_read(file: &File) -> Result<bool, io::Error> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

// Windows has no such bits: the folder's access list is what protects the key there.
#[cfg(not(unix))]
pub(crate) fn others_can_read(_file: &File) -> Result<bool, io::Error> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_belongs_to_its_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.sqlite");
        assert_eq!(cap_key(&ledger, || None).unwrap_err().code(), "CN507");
        assert_eq!(cap_key(&ledger, || Some([7; 32])).unwrap(), [7; 32]);
        std::fs::write(&ledger, b"").unwrap();
        assert_eq!(cap_key(&ledger, || Some([8; 32])).unwrap(), [7; 32], "not drawn again");
        std::fs::remove_file(&ledger).unwrap();
        assert_eq!(cap_key(&ledger, || Some([8; 32])).unwrap_err().code(), "CN508", "no reset");
        std::fs::write(&ledger, b"").unwrap();
        std::fs::remove_file(folder.path().join(CAP_KEY_FILE)).unwrap();
        assert_eq!(cap_key(&ledger, || Some([8; 32])).unwrap_err().code(), "CN506");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (ledger, key) = (folder.path().join("ledger.sqlite"), folder.path().join(CAP_KEY_FILE));
        cap_key(&ledger, || Some([7; 32])).unwrap();
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(cap_key(&ledger, || None).unwrap_err().code(), "CN504");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&key, [1; 31]).unwrap();
        assert_eq!(cap_key(&ledger, || None).unwrap_err().code(), "CN505");
        std::fs::write(&key, [1; 40]).unwrap();
        assert_eq!(cap_key(&ledger, || None).unwrap_err().code(), "CN505");
    }
}
