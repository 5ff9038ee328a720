//! What can go wrong with a store of snapshots.

use std::io;

/// A fault of the store. It names files and doings, never a value of a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFault {
    /// The disk refused.
    #[error("failed to {doing}")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// No room on the disk. The last good snapshot stays in force.
    #[error("the disk is full: failed to {doing}; the last good snapshot stays in force")]
    DiskFull {
        /// What was being done.
        doing: &'static str,
    },
    /// A manifest or the `CURRENT` pointer is missing or is not one.
    #[error("`{file}` is missing or cannot be read as what it should be")]
    Unreadable {
        /// The file, relative to the store.
        file: String,
    },
    /// A newer program wrote the snapshot.
    #[error("the snapshot has format {found}; this program reads format {reads}")]
    Format {
        /// The format found.
        found: u32,
        /// The format that this program reads.
        reads: u32,
    },
    /// A file is not the one that was written.
    #[error("`{file}` is not the file that was written: its {what} differs")]
    Corrupt {
        /// The file, relative to the store.
        file: String,
        /// Size or checksum.
        what: &'static str,
    },
    /// Rows were handed over in another form or order than the layout demands: a mistake in the program.
    #[error("rows of `{table}` cannot be written: {what}")]
    Layout {
        /// The table.
        table: String,
        /// The demand that they break.
        what: &'static str,
    },
    /// Another load holds the store.
    #[error("another load is under way in this store")]
    Busy,
    /// The key that this store made for its linkage files is gone, or the file is not one.
    #[error("the key of the sealed linkage file is missing or is not one")]
    LinkageKey,
    /// The linkage file is of another snapshot, under another key, or was changed.
    #[error("the sealed linkage file of edition {edition} does not open")]
    LinkageNotOpened {
        /// The edition that it should be of.
        edition: u32,
    },
    /// The Parquet encoder failed; its text may quote a record, so it is not kept.
    #[error("failed to encode rows of `{table}`")]
    Encode {
        /// The table.
        table: String,
    },
}

impl StoreFault {
    /// Its stable code (docs/reference/codes/cl.md).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Disk { .. } => "CL501",
            Self::DiskFull { .. } => "CL502",
            Self::Unreadable { .. } => "CL503",
            Self::Format { .. } => "CL504",
            Self::Corrupt { .. } => "CL505",
            Self::Layout { .. } => "CL506",
            Self::Busy => "CL507",
            Self::Encode { .. } => "CL508",
            Self::LinkageKey => "CL509",
            Self::LinkageNotOpened { .. } => "CL510",
        }
    }

    /// Turns the operating system's word into a fault; a full disk or quota has a kind of its own.
    pub(crate) fn disk(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |cause| match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::DiskFull { doing }
            }
            _ => Self::Disk { doing, cause },
        }
    }

    pub(crate) fn layout(table: &str, what: &'static str) -> Self {
        Self::Layout { table: table.to_owned(), what }
    }
}
