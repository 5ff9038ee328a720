//! The one codec: every byte between two parties is a frame, `u32 length ‖ u8 kind ‖ body`, and every length has a limit
//! that is checked before anything is allocated for it.

mod decoder;
mod kind;

use cairn_question::{Moment, PartnerId, QuestionId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

pub use self::decoder::Decoder;
pub use self::kind::Kind;
use crate::close::Close;
use crate::identity::Role;

/// The versions of the protocol that this program speaks. Version N also speaks N − 1; there is none before 1. Version 2 adds
/// POLICY_CARD, version 3 CHECKPOINT, version 4 KEEP and KEPT, version 5 FLIGHT, version 6 LINKAGE.
pub const VERSIONS: [u16; 6] = [1, 2, 3, 4, 5, 6];

/// The first version in which a node sends its policy's public part.
pub const CARDS_FROM: u16 = 2;

/// The first version in which the coordinator holds a node's checkpoint.
pub const CHECKPOINTS_FROM: u16 = 3;

/// The first version in which nodes keep the ends of other partners' ledgers as well.
pub const HOLDERS_FROM: u16 = 4;

/// The first version in which flights pass between a question and its reply.
pub const FLIGHTS_FROM: u16 = 5;

/// The first version in which the linkage secret is handed over.
pub const LINKAGE_FROM: u16 = 6;

/// Bytes before a frame's body: its length, big-endian, and its kind.
pub const HEADER_BYTES: usize = 5;

/// One frame, read and checked.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum Frame {
    /// See [`Kind::Hello`].
    Hello(Hello),
    /// See [`Kind::Welcome`].
    Welcome(Welcome),
    /// See [`Kind::Question`].
    Question {
        /// Milliseconds, from arrival, in which the coordinator wants the reply.
        within_ms: u32,
        /// The signed question's exact bytes.
        ask: Vec<u8>,
    },
    /// See [`Kind::Reply`].
    Reply(Vec<u8>),
    /// See [`Kind::Ask`].
    Ask(Vec<u8>),
    /// See [`Kind::Accepted`].
    Accepted(Accepted),
    /// See [`Kind::Progress`].
    Progress(Progress),
    /// See [`Kind::ResultReply`].
    ResultReply {
        /// Whose it is, as the coordinator says; the reply's own signature proves it.
        partner: PartnerId,
        /// The signed reply's exact bytes.
        reply: Vec<u8>,
    },
    /// See [`Kind::ResultCoverage`].
    ResultCoverage(Vec<u8>),
    /// See [`Kind::RegisterRequest`].
    RegisterRequest,
    /// See [`Kind::Register`].
    Register(Vec<u8>),
    /// See [`Kind::Fetch`].
    Fetch(QuestionId),
    /// See [`Kind::Close`].
    Close(Closing),
    /// See [`Kind::PolicyCard`].
    PolicyCard(Vec<u8>),
    /// See [`Kind::Checkpoint`].
    Checkpoint(Vec<u8>),
    /// See [`Kind::Keep`].
    Keep(LedgerEnd),
    /// See [`Kind::Kept`].
    Kept(LedgerEnd),
    /// See [`Kind::Flight`].
    Flight(Vec<u8>),
    /// See [`Kind::Linkage`].
    Linkage(Handed),
}

/// One flight of the linkage secret's hand-over: who asked for the secret, and a signed document by the asker or by the keeper.
#[derive(Clone, Eq, PartialEq)]
pub struct Handed {
    /// Who asked, whoever sends this.
    pub asker: PartnerId,
    /// The signed document's exact bytes.
    pub document: Vec<u8>,
}

/// The end of a partner's ledger on its way to or from another partner that keeps it.
#[derive(Clone, Eq, PartialEq)]
pub struct LedgerEnd {
    /// Whose ledger, as the sender says; the signature inside proves it to whoever has that partner's key.
    pub partner: PartnerId,
    /// The signed checkpoint's exact bytes.
    pub checkpoint: Vec<u8>,
}

/// The dialling end's first words.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// What it means to be. Its certificate must say the same.
    pub role: Role,
    /// The versions it speaks, at most [`VERSIONS_MAX`].
    pub speaks: Vec<u16>,
    /// The program and its version, for the other end's log.
    pub program: String,
}

/// The coordinator's first words.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// The version that both will speak: the highest that both speak.
    pub version: u16,
    /// The coordinator's clock, so that a wrong one is found before a question fails.
    pub at: Moment,
}

/// A question was accepted: it is on the coordinator's disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The question.
    pub question: QuestionId,
    /// Milliseconds, from now, until the round is closed at the latest. At most one day.
    pub within_ms: u32,
    /// How many partners are asked.
    pub asked: u16,
}

/// How a round stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// How many partners are asked.
    pub asked: u16,
    /// How many have answered, refused or failed.
    pub replied: u16,
    /// How many are not connected.
    pub offline: u16,
}

/// Why a stream or a connection ends.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// A stable code with an entry in docs/reference/codes.
    pub code: String,
    /// One line in words.
    pub says: String,
}

/// Why bytes are not a frame, or a frame cannot be built.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A number that stands for no kind.
    #[error("a frame of unknown kind {0}")]
    UnknownKind(u8),
    /// A kind that this end does not take on this stream.
    #[error("a {0} frame does not belong here")]
    NotHere(Kind),
    /// Longer than its kind may be.
    #[error("a {kind} frame of {bytes} bytes; the most is {most}")]
    TooLong {
        /// The kind.
        kind: Kind,
        /// The length it claims.
        bytes: u64,
        /// The limit.
        most: usize,
    },
    /// A body that does not read.
    #[error("a {0} frame that does not read")]
    Body(Kind),
}

impl FrameError {
    /// The reason for which a stream is closed over it.
    #[must_use]
    pub const fn close(&self) -> Close {
        match self {
            Self::UnknownKind(_) | Self::Body(_) => Close::Malformed,
            Self::NotHere(_) => Close::Unexpected,
            Self::TooLong { .. } => Close::TooLong,
        }
    }
}

impl Frame {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Welcome(_) => Kind::Welcome,
            Self::Question { .. } => Kind::Question,
            Self::Reply(_) => Kind::Reply,
            Self::Ask(_) => Kind::Ask,
            Self::Accepted(_) => Kind::Accepted,
            Self::Progress(_) => Kind::Progress,
            Self::ResultReply { .. } => Kind::ResultReply,
            Self::ResultCoverage(_) => Kind::ResultCoverage,
            Self::RegisterRequest => Kind::RegisterRequest,
            Self::Register(_) => Kind::Register,
            Self::Fetch(_) => Kind::Fetch,
            Self::Close(_) => Kind::Close,
            Self::PolicyCard(_) => Kind::PolicyCard,
            Self::Checkpoint(_) => Kind::Checkpoint,
            Self::Keep(_) => Kind::Keep,
            Self::Kept(_) => Kind::Kept,
            Self::Flight(_) => Kind::Flight,
            Self::Linkage(_) => Kind::Linkage,
        }
    }

    /// The frame's bytes.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] when what it carries is longer than its kind may be.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let kind = self.kind();
        let mut bytes = vec![0; HEADER_BYTES];
        self.write_body(&mut bytes);
        let length = bytes.len() - HEADER_BYTES;
        let too_long = FrameError::TooLong {
            kind,
            bytes: u64::try_from(length).unwrap_or(u64::MAX),
            most: kind.bytes_max(),
        };
        let prefix = u32::try_from(length).ok().filter(|_| length <= kind.bytes_max()).ok_or(too_long)?;
        let header = prefix.to_be_bytes().into_iter().chain([kind.number()]);
        bytes.iter_mut().zip(header).for_each(|(to, from)| *to = from);
        Ok(bytes)
    }

    fn write_body(&self, to: &mut Vec<u8>) {
        match self {
            Self::Hello(body) => json(body, to),
            Self::Welcome(body) => json(body, to),
            Self::Accepted(body) => json(body, to),
            Self::Progress(body) => json(body, to),
            Self::Close(body) => json(body, to),
            Self::Question { within_ms, ask } => {
                to.extend_from_slice(&within_ms.to_be_bytes());
                to.extend_from_slice(ask);
            }
            Self::ResultReply { partner, reply } => named(partner, reply, to),
            Self::Keep(end) | Self::Kept(end) => named(&end.partner, &end.checkpoint, to),
            Self::Linkage(handed) => named(&handed.asker, &handed.document, to),
            Self::Reply(document)
            | Self::Ask(document)
            | Self::ResultCoverage(document)
            | Self::Register(document)
            | Self::PolicyCard(document)
            | Self::Checkpoint(document)
            | Self::Flight(document) => to.extend_from_slice(document),
            Self::Fetch(question) => to.extend_from_slice(question.as_bytes()),
            Self::RegisterRequest => {}
        }
    }

    /// Reads one frame's body.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] or [`FrameError::Body`].
    pub fn decode(kind: Kind, body: &[u8]) -> Result<Self, FrameError> {
        check_length(kind, body.len())?;
        let wrong = FrameError::Body(kind);
        Ok(match kind {
            Kind::Hello => Self::Hello(unjson(kind, body, Hello::fits)?),
            Kind::Welcome => Self::Welcome(unjson(kind, body, |_| true)?),
            Kind::Accepted => Self::Accepted(unjson(kind, body, Accepted::fits)?),
            Kind::Progress => Self::Progress(unjson(kind, body, |_| true)?),
            Kind::Close => Self::Close(unjson(kind, body, |_| true)?),
            Kind::Question => {
                let (within, ask) = body.split_first_chunk().ok_or(wrong)?;
                let within_ms =
                    Some(u32::from_be_bytes(*within)).filter(|ms| *ms <= WITHIN_MS_MAX).ok_or(wrong)?;
                Self::Question { within_ms, ask: ask.to_vec() }
            }
            Kind::ResultReply => {
                let (partner, reply) = unnamed(body).ok_or(wrong)?;
                Self::ResultReply { partner, reply }
            }
            Kind::Keep => Self::Keep(LedgerEnd::read(body).ok_or(wrong)?),
            Kind::Kept => Self::Kept(LedgerEnd::read(body).ok_or(wrong)?),
            Kind::Reply => Self::Reply(body.to_vec()),
            Kind::Ask => Self::Ask(body.to_vec()),
            Kind::ResultCoverage => Self::ResultCoverage(body.to_vec()),
            Kind::Register => Self::Register(body.to_vec()),
            Kind::PolicyCard => Self::PolicyCard(body.to_vec()),
            Kind::Checkpoint => Self::Checkpoint(body.to_vec()),
            Kind::Flight => Self::Flight(body.to_vec()),
            Kind::Linkage => {
                let (asker, document) = unnamed(body).ok_or(wrong)?;
                Self::Linkage(Handed { asker, document })
            }
            Kind::RegisterRequest => Self::RegisterRequest,
            Kind::Fetch => Self::Fetch(QuestionId::from_bytes(body.try_into().map_err(|_| wrong)?)),
        })
    }
}

fn json(body: &impl Serialize, to: &mut Vec<u8>) {
    // Numbers, texts and lists only: serde_json cannot fail on them.
    to.extend_from_slice(&serde_json::to_vec(body).unwrap_or_default());
}

fn unjson<T: DeserializeOwned>(kind: Kind, body: &[u8], fits: fn(&T) -> bool) -> Result<T, FrameError> {
    serde_json::from_slice(body).ok().filter(fits).ok_or(FrameError::Body(kind))
}

/// A partner's id under its length, and a document of that partner.
fn named(partner: &PartnerId, document: &[u8], to: &mut Vec<u8>) {
    // A name is 1 to 64 letters, so its length fits one byte.
    to.push(u8::try_from(partner.as_str().len()).unwrap_or(0));
    to.extend_from_slice(partner.as_str().as_bytes());
    to.extend_from_slice(document);
}

fn unnamed(body: &[u8]) -> Option<(PartnerId, Vec<u8>)> {
    let (length, rest) = body.split_first()?;
    let (name, document) = rest.split_at_checked(usize::from(*length))?;
    Some((PartnerId::new(std::str::from_utf8(name).ok()?).ok()?, document.to_vec()))
}

impl fmt::Debug for LedgerEnd {
    /// Whose it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerEnd({})", self.partner)
    }
}

impl fmt::Debug for Handed {
    /// Who asked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handed({})", self.asker)
    }
}

impl LedgerEnd {
    fn read(body: &[u8]) -> Option<Self> {
        let (partner, checkpoint) = unnamed(body)?;
        Some(Self { partner, checkpoint })
    }
}

impl Hello {
    /// What this program says.
    #[must_use]
    pub fn ours(role: Role) -> Self {
        Self {
            role,
            speaks: VERSIONS.to_vec(),
            program: concat!("cairn ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// The highest version that both ends speak.
    #[must_use]
    pub fn highest_shared(&self) -> Option<u16> {
        VERSIONS.into_iter().filter(|v| self.speaks.contains(v)).max()
    }

    fn fits(&self) -> bool {
        (1..=VERSIONS_MAX).contains(&self.speaks.len())
    }
}

impl Accepted {
    fn fits(&self) -> bool {
        self.within_ms <= WITHIN_MS_MAX
    }
}

impl From<Close> for Closing {
    fn from(close: Close) -> Self {
        Self { code: close.code().to_owned(), says: close.to_string() }
    }
}

impl Closing {
    /// The protocol's own reason, if it is one.
    #[must_use]
    pub fn reason(&self) -> Option<Close> {
        Close::ALL.into_iter().find(|c| c.code() == self.code)
    }
}

impl fmt::Debug for Frame {
    /// The kind only: a frame may hold a table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({})", self.kind())
    }
}

fn check_length(kind: Kind, length: usize) -> Result<(), FrameError> {
    let most = kind.bytes_max();
    let bytes = u64::try_from(length).unwrap_or(u64::MAX);
    if length <= most { Ok(()) } else { Err(FrameError::TooLong { kind, bytes, most }) }
}

/// Most bytes of a frame that holds a few words: a HELLO, a WELCOME, how a round stands, why a stream ends.
pub const SMALL_BYTES_MAX: usize = 4_096;

/// Most bytes of one document of the linkage secret's hand-over: what the keeper seals has some 500.
pub const HANDED_BYTES_MAX: usize = 2_048;

/// Most versions in a HELLO: a program needs two, and may speak older ones.
pub const VERSIONS_MAX: usize = 16;

/// The longest that a round may last, in milliseconds: one day, as long as a question lives.
pub const WITHIN_MS_MAX: u32 = 86_400_000;

#[cfg(test)]
mod tests;
