//! How the coordinator's program asks a node.

use cairn_question::{Moment, PartnerId};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

use super::flights::{FlightSender, Flights, Flooded, Post, open};
use super::listener::Command;
use crate::clock::Clock;
use crate::error::AskFailure;
use crate::frame::{Handed, LedgerEnd};
use crate::session::Stream;

/// Asks one connected node. Cheap to clone; of no use once the connection is lost.
#[derive(Clone)]
pub struct NodeHandle {
    partner: PartnerId,
    commands: mpsc::UnboundedSender<Command>,
    clock: Clock,
}

impl NodeHandle {
    pub(super) const fn new(
        partner: PartnerId,
        commands: mpsc::UnboundedSender<Command>,
        clock: Clock,
    ) -> Self {
        Self { partner, commands, clock }
    }

    /// Tells the node which end of its ledger is held here; `None` for none. The node takes up no question before it is told. Told again where another
    /// end turns up.
    pub fn held(&self, checkpoint: Option<Vec<u8>>) {
        // Nobody listens where the connection is gone.
        let _ = self.commands.send(Command::Held(checkpoint));
    }

    /// Gives the node the end of another partner's ledger to keep.
    pub fn keep(&self, end: LedgerEnd) {
        let _ = self.commands.send(Command::Keep(end));
    }

    /// Gives the node the federation's signed register.
    pub fn register(&self, register: Vec<u8>) {
        let _ = self.commands.send(Command::GiveRegister(register));
    }

    /// Gives the node a flight of the linkage secret's hand-over: what another partner asked with, or what the keeper sealed for this one.
    pub fn linkage(&self, handed: Handed) {
        let _ = self.commands.send(Command::Linkage(handed));
    }

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
        let (to, reply) = oneshot::channel();
        let command = Command::Ask { ask, within: self.until(deadline), to };
        self.commands.send(command).map_err(|_| AskFailure::Offline)?;
        reply.await.unwrap_or(Err(AskFailure::Offline))
    }

    /// Sends a signed question on which flights pass either way until the node's signed reply, at the latest until `deadline`.
    ///
    /// # Errors
    /// [`AskFailure::TooOld`] at once to a node whose version of the protocol has no flights; [`AskFailure::Late`], [`AskFailure::Busy`],
    /// [`AskFailure::TooLong`] and [`AskFailure::Offline`] where the question was not sent. What fails later is told by [`Asking::reply`].
    pub async fn ask_with_flights(&self, ask: Vec<u8>, deadline: Moment) -> Result<Asking, AskFailure> {
        let (begun, asking) = oneshot::channel();
        let command = Command::AskWithFlights { ask, within: self.until(deadline), begun };
        self.commands.send(command).map_err(|_| AskFailure::Offline)?;
        asking.await.unwrap_or(Err(AskFailure::Offline))
    }

    fn until(&self, deadline: Moment) -> Duration {
        Duration::from_secs(deadline.unix_s().saturating_sub(self.clock.now().unix_s()))
    }
}

/// A question that was asked with flights and has no reply yet. Dropped, it breaks the question off, and the node's program hears that nobody
/// waits.
pub struct Asking {
    flights: Flights,
    reply: oneshot::Receiver<Result<Vec<u8>, AskFailure>>,
    stream: Stream,
    commands: mpsc::UnboundedSender<Command>,
}

impl Asking {
    /// The node's next flight. `None` once no more can come: then [`Asking::reply`] is ready. Cancel-safe. Whoever leaves more than
    /// [`FLIGHTS_UNREAD_MAX`](super::FLIGHTS_UNREAD_MAX) or [`FLIGHT_BYTES_UNREAD_MAX`](super::FLIGHT_BYTES_UNREAD_MAX) untaken has the question broken off.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.flights.next().await
    }

    /// Queues a flight for the node: [`Flights::send`].
    pub fn send(&self, body: Vec<u8>) {
        self.flights.send(body);
    }

    /// A way to send that can be kept elsewhere. It does not keep the question open.
    #[must_use]
    pub fn sender(&self) -> FlightSender {
        self.flights.sender()
    }

    /// The node's signed reply, at the latest by the deadline. Flights that come meanwhile are thrown away.
    ///
    /// # Errors
    /// As [`NodeHandle::ask`]; a question with too many flights, or whose flights were not taken, is
    /// [`AskFailure::Broken`] with [`Close::TooManyFlights`](crate::close::Close::TooManyFlights).
    pub async fn reply(mut self) -> Result<Vec<u8>, AskFailure> {
        while self.flights.next().await.is_some() {}
        (&mut self.reply).await.unwrap_or(Err(AskFailure::Offline))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // After a reply the stream has ended already, and this does nothing.
        let _ = self.commands.send(Command::GiveUp(self.stream));
    }
}

/// Who waits for the reply to an open question.
pub(super) struct Waiting {
    reply: oneshot::Sender<Result<Vec<u8>, AskFailure>>,
    /// Where its flights go; absent where it was asked without.
    post: Option<Post>,
}

impl Waiting {
    /// Of a question without flights.
    pub(super) const fn for_reply(reply: oneshot::Sender<Result<Vec<u8>, AskFailure>>) -> Self {
        Self { reply, post: None }
    }

    /// Of a question with flights, with what the program holds of it.
    pub(super) fn with_flights(stream: Stream, commands: &mpsc::UnboundedSender<Command>) -> (Self, Asking) {
        let (to, reply) = oneshot::channel();
        let line = commands.clone();
        let (post, flights) = open(move |body| drop(line.send(Command::Flight(stream, body))));
        let asking = Asking { flights, reply, stream, commands: commands.clone() };
        (Self { reply: to, post: Some(post) }, asking)
    }

    pub(super) fn flight(&self, body: Vec<u8>) -> Result<(), Flooded> {
        self.post.as_ref().map_or(Ok(()), |post| post.put(body))
    }

    pub(super) fn end(self, reply: Result<Vec<u8>, AskFailure>) {
        // Nobody may wait any more.
        let _ = self.reply.send(reply);
    }
}
