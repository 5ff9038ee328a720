//! What both ends' programs hold of one question's flights.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// The flights of one question: messages that pass either way between the question and its reply, as bytes that this crate does not open.
pub struct Flights {
    inbox: mpsc::Receiver<Unread>,
    sender: FlightSender,
}

/// Sends flights of one question. Of no use once the question has ended.
#[derive(Clone)]
pub struct FlightSender(Arc<dyn Fn(Vec<u8>) + Send + Sync>);

/// A flight that came and was not taken yet.
struct Unread {
    body: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl Flights {
    /// The other end's next flight; those that came before the end are given first. `None` once no flight can come any more: the question was
    /// asked without flights, has its reply, or nobody waits for it (its deadline passed, its stream broke off, the connection is lost).
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.inbox.recv().await.map(|unread| unread.body)
    }

    /// Queues a flight and never waits, so that two ends that both send first cannot hold each other up. What is queued has the most that
    /// one stream may have each way ([`FLIGHTS_MAX`](crate::session::FLIGHTS_MAX),
    /// [`FLIGHT_BYTES_SUM_MAX`](crate::session::FLIGHT_BYTES_SUM_MAX)); a flight beyond it, or longer than its frame may be, breaks the question off.
    /// Lost where the question has ended, or was asked without flights.
    pub fn send(&self, body: Vec<u8>) {
        self.sender.send(body);
    }

    /// A way to send that can be kept elsewhere.
    #[must_use]
    pub fn sender(&self) -> FlightSender {
        self.sender.clone()
    }

    /// Of a question that has none: nothing comes, and what is sent is lost.
    #[must_use]
    pub fn none() -> Self {
        open(|_| {}).1
    }

    /// Two ends joined in memory, for a program's own tests: what one sends comes out of the other, and is lost where it leaves more untaken than
    /// a connection would bear. An end that is dropped is a question that has ended.
    #[must_use]
    pub fn joined() -> (Self, Self) {
        let (post, mut left) = open(|_| {});
        let (back, mut right) = open(|_| {});
        left.sender = FlightSender::new(move |body| drop(back.put(body)));
        right.sender = FlightSender::new(move |body| drop(post.put(body)));
        (left, right)
    }
}

impl FlightSender {
    fn new(send: impl Fn(Vec<u8>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(send))
    }

    /// As [`Flights::send`].
    pub fn send(&self, body: Vec<u8>) {
        (self.0)(body);
    }
}

/// Where the connection puts the flights that come. Dropping it ends them.
pub(super) struct Post {
    inbox: mpsc::Sender<Unread>,
    room: Arc<Semaphore>,
}

/// The program takes flights more slowly than they come.
#[derive(Debug)]
pub(super) struct Flooded;

impl Post {
    /// Puts a flight where the program takes it. Does not wait: a reader that paused would leave its bytes in the connection's own window, and
    /// with it hold up every other question of the connection.
    pub(super) fn put(&self, body: Vec<u8>) -> Result<(), Flooded> {
        let bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(bytes).map_err(|_| Flooded)?;
        match self.inbox.try_send(Unread { body, _room: room }) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Flooded),
            // A program that does not listen to flights may still reply.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }
}

/// The two sides of one question's flights at this end; `send` queues one for the session.
pub(super) fn open(send: impl Fn(Vec<u8>) + Send + Sync + 'static) -> (Post, Flights) {
    let (to, inbox) = mpsc::channel(FLIGHTS_UNREAD_MAX);
    let room = Arc::new(Semaphore::new(FLIGHT_BYTES_UNREAD_MAX));
    (Post { inbox: to, room }, Flights { inbox, sender: FlightSender::new(send) })
}

/// Most flights that wait for the program. Protocols take turns, so few do.
pub const FLIGHTS_UNREAD_MAX: usize = 32;

/// Most bytes that wait for the program, 4 MiB: four of the longest flights, of each of 64 questions.
pub const FLIGHT_BYTES_UNREAD_MAX: usize = 4 << 20;
