//! The kinds of frames: their numbers, their names and how long each may be.

use cairn_question::card::CARD_BYTES_MAX;
use cairn_question::checkpoint::CHECKPOINT_BYTES_MAX;
use cairn_question::limits::{COVERAGE_BYTES_MAX, FRAME_BYTES_MAX, NAME_CHARS_MAX, QUESTION_BYTES_MAX};
use cairn_question::register::REGISTER_BYTES_MAX;
use std::fmt;

use super::{HANDED_BYTES_MAX, SMALL_BYTES_MAX};

/// What a frame is. Its number on the wire never changes its meaning.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// The dialling end's first frame.
    Hello,
    /// The coordinator's answer to it.
    Welcome,
    /// Coordinator to node: a signed question.
    Question,
    /// Node to coordinator: a signed reply.
    Reply,
    /// Analyst to coordinator: a signed question.
    Ask,
    /// Coordinator to analyst: the question is on disk and will be asked.
    Accepted,
    /// Coordinator to analyst: how the round stands.
    Progress,
    /// Coordinator to analyst: one partner's signed reply.
    ResultReply,
    /// Coordinator to analyst: the signed coverage statement, the last frame of a result.
    ResultCoverage,
    /// Analyst to coordinator: send the register.
    RegisterRequest,
    /// Coordinator to analyst, and from [`FLIGHTS_FROM`](super::FLIGHTS_FROM) on to a node on the control stream: the signed register.
    Register,
    /// Analyst to coordinator: send the result of an earlier question.
    Fetch,
    /// Either way: the stream, or on the control stream the connection, ends; with a code.
    Close,
    /// Node to coordinator, on the control stream: the signed public part of its policy.
    PolicyCard,
    /// Either way, on the control stream: the end of the node's ledger as the node signed it. The coordinator's comes after the WELCOME,
    /// and is empty where it holds none; from [`HOLDERS_FROM`](super::HOLDERS_FROM) on it may come again, when another end turns up.
    Checkpoint,
    /// Coordinator to node, on the control stream: the end of another partner's ledger, to be kept as a second copy.
    Keep,
    /// Node to coordinator, on the control stream: the end of another partner's ledger that is kept there.
    Kept,
    /// Either way, on a question's stream between QUESTION and REPLY: one message of a protocol that this crate does not know.
    Flight,
    /// Either way, on the control stream: a flight of the linkage secret's hand-over, under the id of the partner that asked for it. The
    /// asker sends what it signed, the keeper what it sealed; both pass through the coordinator, which can open neither.
    Linkage,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 19] = [
        Self::Hello,
        Self::Welcome,
        Self::Question,
        Self::Reply,
        Self::Ask,
        Self::Accepted,
        Self::Progress,
        Self::ResultReply,
        Self::ResultCoverage,
        Self::RegisterRequest,
        Self::Register,
        Self::Fetch,
        Self::Close,
        Self::PolicyCard,
        Self::Checkpoint,
        Self::Keep,
        Self::Kept,
        Self::Flight,
        Self::Linkage,
    ];

    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Hello => 1,
            Self::Welcome => 2,
            Self::Question => 3,
            Self::Reply => 4,
            Self::Ask => 5,
            Self::Accepted => 6,
            Self::Progress => 7,
            Self::ResultReply => 8,
            Self::ResultCoverage => 9,
            Self::RegisterRequest => 10,
            Self::Register => 11,
            Self::Fetch => 12,
            Self::Close => 13,
            Self::PolicyCard => 14,
            Self::Checkpoint => 15,
            Self::Keep => 16,
            Self::Kept => 17,
            Self::Flight => 18,
            Self::Linkage => 19,
        }
    }

    /// The kind that a number stands for.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.number() == number)
    }

    /// Most bytes of its body.
    #[must_use]
    pub const fn bytes_max(self) -> usize {
        match self {
            Self::Hello | Self::Welcome | Self::Accepted | Self::Progress | Self::Close => SMALL_BYTES_MAX,
            Self::Question => 4 + QUESTION_BYTES_MAX,
            Self::Ask => QUESTION_BYTES_MAX,
            Self::Reply | Self::Flight => FRAME_BYTES_MAX,
            Self::ResultCoverage => COVERAGE_BYTES_MAX,
            Self::ResultReply => 1 + NAME_CHARS_MAX + FRAME_BYTES_MAX,
            Self::RegisterRequest => 0,
            Self::Register => REGISTER_BYTES_MAX,
            Self::PolicyCard => CARD_BYTES_MAX,
            Self::Checkpoint => CHECKPOINT_BYTES_MAX,
            Self::Keep | Self::Kept => 1 + NAME_CHARS_MAX + CHECKPOINT_BYTES_MAX,
            Self::Fetch => 32,
            Self::Linkage => 1 + NAME_CHARS_MAX + HANDED_BYTES_MAX,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hello => "HELLO",
            Self::Welcome => "WELCOME",
            Self::Question => "QUESTION",
            Self::Reply => "REPLY",
            Self::Ask => "ASK",
            Self::Accepted => "ACCEPTED",
            Self::Progress => "PROGRESS",
            Self::ResultReply => "RESULT_REPLY",
            Self::ResultCoverage => "RESULT_COVERAGE",
            Self::RegisterRequest => "REGISTER_REQUEST",
            Self::Register => "REGISTER",
            Self::Fetch => "FETCH",
            Self::Close => "CLOSE",
            Self::PolicyCard => "POLICY_CARD",
            Self::Checkpoint => "CHECKPOINT",
            Self::Keep => "KEEP",
            Self::Kept => "KEPT",
            Self::Flight => "FLIGHT",
            Self::Linkage => "LINKAGE",
        })
    }
}
