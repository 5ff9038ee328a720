//! What can go wrong between two parties.

use crate::close::Close;
use crate::frame::FrameError;
use crate::identity::{IdentityError, PeerError};

/// Why a connection could not be made, or did not carry what it should.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Not `host:port`.
    #[error("`{address}` is not an address such as cairn.example.org:4433")]
    Address {
        /// As it was given, shortened.
        address: String,
    },
    /// Nothing answers there.
    #[error("nothing answers at {address}: {why}")]
    Unreachable {
        /// The address that was dialled.
        address: String,
        /// What the network said.
        why: String,
    },
    /// The other end's certificate is not acceptable.
    #[error("the other end at {address} is not who it should be: {why}")]
    Peer {
        /// The address that was dialled.
        address: String,
        /// Which check failed.
        why: PeerError,
    },
    /// The other end does not accept our certificate.
    #[error("the other end does not accept this certificate: {says}")]
    NotAccepted {
        /// What it says about it; shown, never acted on.
        says: String,
    },
    /// The connection was lost.
    #[error("the connection was lost: {why}")]
    Lost {
        /// What the network said.
        why: String,
    },
    /// One end closed for a reason of the protocol.
    #[error("{0}")]
    Closed(Close),
    /// The coordinator declines the request.
    #[error("the coordinator declines ({code}): {says}")]
    Declined {
        /// Its own stable code.
        code: String,
        /// Its words.
        says: String,
    },
    /// The two clocks differ by more than the protocol bears.
    #[error("clock wrong by {apart_min} min: this machine's or the coordinator's")]
    Clock {
        /// How far apart, in whole minutes.
        apart_min: u64,
    },
    /// A frame that could not be built.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// This machine would not open a socket.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The local address.
        address: String,
        /// What the operating system said.
        why: String,
    },
    /// This party's own folder is not in order.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl LinkError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "CI401",
            Self::Unreachable { .. } => "CI402",
            Self::Peer { why, .. } => why.code(),
            Self::NotAccepted { .. } => "CI403",
            Self::Lost { .. } => "CI404",
            Self::Closed(close) => close.code(),
            Self::Declined { .. } => "CI405",
            Self::Clock { .. } => Close::Clock.code(),
            Self::Frame(frame) => frame.close().code(),
            Self::Listen { .. } => "CI406",
            Self::Identity(identity) => identity.code(),
        }
    }
}

/// Why a node gave no reply to one question. Complete, not open: a coverage statement must have a word for each.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AskFailure {
    /// It was not connected, or the connection was lost before it replied.
    #[error("the node is not connected")]
    Offline,
    /// It was connected and had not replied by the deadline.
    #[error("the node had not replied by the deadline")]
    Late,
    /// As many questions as one connection may have are open at it already.
    #[error("too many questions are open at the node")]
    Busy,
    /// The question is longer than any node takes.
    #[error("the question is too long")]
    TooLong,
    /// It closed the question's stream without a reply, or sent what is not one.
    #[error("the node gave no reply: {0}")]
    Broken(Close),
    /// It speaks an older version of the protocol, which has no flights. Only of a question that is asked with flights.
    #[error("the node's program is too old for this question")]
    TooOld,
}
