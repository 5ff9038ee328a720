//! What ends a command before its time: a code, a line that says what to do next, and the exit it means.

use crate::exit::Exit;

/// Why a command could not go on.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: String,
    pub(crate) says: String,
}

impl Failure {
    /// A failure on this side or on the way.
    pub(crate) fn new(code: &str, says: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, code: code.to_owned(), says: says.into() }
    }

    /// A no from the coordinator.
    pub(crate) fn refused(code: &str, says: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, ..Self::new(code, says) }
    }

    /// A file with problems.
    pub(crate) fn bad_file(code: &str, says: impl Into<String>) -> Self {
        Self { exit: Exit::BadFile, ..Self::new(code, says) }
    }

    /// A signature or a sum that does not hold.
    pub(crate) fn not_verified(code: &str, says: impl Into<String>) -> Self {
        Self { exit: Exit::NotVerified, ..Self::new(code, says) }
    }
}

impl From<cairn_link::IdentityError> for Failure {
    fn from(error: cairn_link::IdentityError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<cairn_link::LinkError> for Failure {
    fn from(error: cairn_link::LinkError) -> Self {
        match &error {
            cairn_link::LinkError::Declined { code, says } => Self::refused(code, says.clone()),
            other => Self::new(other.code(), other.to_string()),
        }
    }
}

impl From<cairn_ledger::LedgerFault> for Failure {
    fn from(fault: cairn_ledger::LedgerFault) -> Self {
        Self::new(fault.code(), fault.to_string())
    }
}
