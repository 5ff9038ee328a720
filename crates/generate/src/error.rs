//! What can go wrong.

use std::path::PathBuf;

/// Why no data was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// No such partner.
    #[error("no made-up partner is called `{name}`; the demo has {has}")]
    NoPartner {
        /// As asked.
        name: String,
        /// Those of the demo.
        has: String,
    },
    /// A number of people or a date out of range.
    #[error("{0}")]
    OutOfRange(&'static str),
    /// The embedded figures cannot be read: a fault of this build.
    #[error("the embedded calibration figures cannot be read")]
    Calibration(#[source] toml::de::Error),
    /// A file or folder cannot be written.
    #[error("cannot write `{}`", .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

impl GenerateError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPartner { .. } => "CG201",
            Self::OutOfRange(_) => "CG202",
            Self::Write { .. } => "CG203",
            Self::Calibration(_) => "CG204",
        }
    }
}
