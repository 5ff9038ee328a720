//! Exit codes, so that a script can tell a no from a failure.

use std::process::ExitCode;

/// How a command ended. The numbers are part of the interface (docs/guides/analyst.md, 'Exit codes').
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Done; a question was answered by every partner that was asked.
    Done,
    /// Something failed on this side or on the way.
    Failed,
    /// Refused: nobody answered, and somebody said no. (2 is clap's: the words of the command were off.)
    Refused,
    /// Answered, but not by every partner that was asked.
    InPart,
    /// A file has problems; all of them were listed.
    BadFile,
    /// A signature, a sum or a log does not hold.
    NotVerified,
}

impl Exit {
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Refused => 3,
            Self::InPart => 4,
            Self::BadFile => 5,
            Self::NotVerified => 6,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}
