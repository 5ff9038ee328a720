//! The coordinator's end: the only one that listens.

use cairn_question::{Moment, Name, PartnerId, QuestionId};
use std::net::SocketAddr;

use crate::clock::Clock;
use crate::error::{AskFailure, LinkError};
use crate::frame::{Accepted, Progress};
use crate::identity::{CoordinatorIdentity, DenyList};

/// The coordinator's door. Dropping it closes every connection.
pub struct Listener {}

/// What happens at the door.
#[non_exhaustive]
pub enum Event {
    /// A partner's node is connected. Where it was connected already, this handle takes the older one's place, and no
    /// [`Event::NodeDown`] comes for the older one.
    NodeUp {
        /// The partner.
        partner: PartnerId,
        /// How to ask it.
        node: NodeHandle,
    },
    /// A partner's node is no longer connected.
    NodeDown {
        /// The partner.
        partner: PartnerId,
    },
    /// An analyst asks. Who it is, is the transport's word; the signature inside is what counts.
    Asked {
        /// The analyst, by certificate.
        analyst: Name,
        /// The signed question's exact bytes.
        ask: Vec<u8>,
        /// Where the answer goes.
        responder: Responder,
    },
    /// An analyst wants the result of an earlier question.
    Fetched {
        /// The analyst, by certificate.
        analyst: Name,
        /// The question.
        question: QuestionId,
        /// Where the answer goes.
        responder: Responder,
    },
    /// An analyst wants the register.
    RegisterWanted {
        /// The analyst, by certificate.
        analyst: Name,
        /// Where it goes.
        responder: RegisterResponder,
    },
}

/// Asks one connected node. Cheap to clone; of no use once the connection is lost.
#[derive(Clone)]
pub struct NodeHandle {
    partner: PartnerId,
}

/// Carries a round to the analyst who waits for it. Dropped without a result, it tells the analyst that none will come on this
/// stream.
pub struct Responder {}

/// Carries the register to an analyst.
pub struct RegisterResponder {}

impl Listener {
    /// Opens the door on a local address; port 0 lets the system choose.
    ///
    /// # Errors
    /// [`LinkError::Listen`] and [`LinkError::Identity`].
    pub fn bind(
        identity: &CoordinatorIdentity,
        address: SocketAddr,
        clock: &Clock,
    ) -> Result<Self, LinkError> {
        let _ = (identity, clock);
        Err(LinkError::Listen { address: address.to_string(), why: "x".to_owned() })
    }

    /// The address it listens on.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    /// The next event; `None` after [`Self::close`].
    pub async fn next(&mut self) -> Option<Event> {
        None
    }

    /// Puts a new deny list in force: at once for new connections, and for open ones by closing them.
    pub fn deny(&self, list: DenyList) {
        let _ = list;
    }

    /// Tells every party that this end is going away, and waits until the packets are sent.
    pub async fn close(self) {}
}

impl NodeHandle {
    /// The partner.
    #[must_use]
    pub const fn partner(&self) -> &PartnerId {
        &self.partner
    }

    /// Sends a signed question and waits for the node's signed reply, at the latest until `deadline`.
    ///
    /// # Errors
    /// [`AskFailure`], one kind for each word of a coverage statement.
    pub async fn ask(&self, ask: Vec<u8>, deadline: Moment) -> Result<Vec<u8>, AskFailure> {
        let _ = (ask, deadline);
        Err(AskFailure::Offline)
    }
}

impl Responder {
    /// The question is on disk and will be asked.
    pub fn accepted(&self, accepted: Accepted) {
        let _ = accepted;
    }

    /// How the round stands.
    pub fn progress(&self, progress: Progress) {
        let _ = progress;
    }

    /// The round's result: the partners' signed replies and the signed coverage statement.
    pub fn result(self, replies: Vec<(PartnerId, Vec<u8>)>, coverage: Vec<u8>) {
        let _ = (replies, coverage);
    }

    /// Declines, with one of the coordinator's own codes and one line in words.
    pub fn decline(self, code: &str, says: &str) {
        let _ = (code, says);
    }
}

impl RegisterResponder {
    /// Sends the signed register.
    pub fn send(self, register: Vec<u8>) {
        let _ = register;
    }
}
