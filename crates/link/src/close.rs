//! Why a stream or a connection is closed.

use std::fmt;

/// Why one end closes a stream or a connection. Travels as its code in a CLOSE frame, and as a number in QUIC.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Close {
    /// The two ends speak no common version of the protocol.
    NoSharedVersion,
    /// The first frame, or the rest of one, did not come in time.
    TooSlow,
    /// A frame of a kind that does not belong there.
    Unexpected,
    /// Bytes that are no frame, or a frame's body that does not read.
    Malformed,
    /// A frame longer than its kind may be.
    TooLong,
    /// More open questions or streams than agreed.
    TooMany,
    /// The deadline passed.
    Late,
    /// Another connection of the same party has taken this one's place.
    Replaced,
    /// This end is shutting down.
    GoingAway,
    /// The two clocks differ by more than the protocol bears.
    Clock,
    /// Whoever had to answer stopped before it did.
    Unanswered,
    /// The party was put on the deny list.
    Denied,
    /// The certificate is for another role than the one spoken in.
    OtherRole,
    /// Whoever asked does not wait for the reply any more.
    GivenUp,
    /// More flights on one question's stream than agreed, or more than are read.
    TooManyFlights,
}

impl Close {
    /// Every reason, for the documentation's test and for reading a code back.
    pub const ALL: [Self; 15] = [
        Self::NoSharedVersion,
        Self::TooSlow,
        Self::Unexpected,
        Self::Malformed,
        Self::TooLong,
        Self::TooMany,
        Self::Late,
        Self::Replaced,
        Self::GoingAway,
        Self::Clock,
        Self::Unanswered,
        Self::Denied,
        Self::OtherRole,
        Self::GivenUp,
        Self::TooManyFlights,
    ];

    /// Its stable code, with an entry in docs/reference/codes/ci.md.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSharedVersion => "CI301",
            Self::TooSlow => "CI302",
            Self::Unexpected => "CI303",
            Self::Malformed => "CI304",
            Self::TooLong => "CI305",
            Self::TooMany => "CI306",
            Self::Late => "CI307",
            Self::Replaced => "CI308",
            Self::GoingAway => "CI309",
            Self::Clock => "CI310",
            Self::Unanswered => "CI311",
            Self::Denied => "CI312",
            Self::OtherRole => "CI313",
            Self::GivenUp => "CI314",
            Self::TooManyFlights => "CI315",
        }
    }

    /// The number that stands for it in QUIC's RESET_STREAM, STOP_SENDING and CONNECTION_CLOSE.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::NoSharedVersion => 301,
            Self::TooSlow => 302,
            Self::Unexpected => 303,
            Self::Malformed => 304,
            Self::TooLong => 305,
            Self::TooMany => 306,
            Self::Late => 307,
            Self::Replaced => 308,
            Self::GoingAway => 309,
            Self::Clock => 310,
            Self::Unanswered => 311,
            Self::Denied => 312,
            Self::OtherRole => 313,
            Self::GivenUp => 314,
            Self::TooManyFlights => 315,
        }
    }

    /// The reason that a QUIC number stands for, if it is one of ours.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|c| u64::from(c.number()) == number)
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSharedVersion => "the two ends speak no common version; one of them needs an update",
            Self::TooSlow => "the other end did not speak in time",
            Self::Unexpected => "a frame of a kind that does not belong there",
            Self::Malformed => "bytes that are no frame",
            Self::TooLong => "a frame longer than its kind may be",
            Self::TooMany => "more open questions than one connection may have",
            Self::Late => "the deadline passed",
            Self::Replaced => "another connection with the same identity took this one's place",
            Self::GoingAway => "the other end is shutting down",
            Self::Clock => "the two clocks differ too much",
            Self::Unanswered => "the other end stopped before it had answered",
            Self::Denied => "this identity is on the coordinator's deny list",
            Self::OtherRole => "the certificate is for another role than the one spoken in",
            Self::GivenUp => "whoever asked waits no longer",
            Self::TooManyFlights => "more flights on one question's stream than it may have",
        })
    }
}
