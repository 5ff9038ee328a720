//! The disk, behind a seam, so that a test can fill it or stop the machine at any step.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Every change that a store makes to the disk. Reading needs no seam: a file that cannot be read is a fault at once.
pub(crate) trait Disk: Send + Sync {
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a rename or a new name in `path` durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// A file that can be made durable.
pub(crate) trait DurableFile: Write + Send {
    fn sync(&mut self) -> io::Result<()>;
}

/// The machine's own disk.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        // Records are for the node's own account only.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(unix)]
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    // A directory cannot be opened for syncing there; NTFS journals its names.
    #[cfg(not(unix))]
    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl DurableFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}
