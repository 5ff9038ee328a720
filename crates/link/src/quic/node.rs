//! A node's end: it dials out, keeps the connection alive, and dials again when it is lost.

use cairn_question::Moment;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

use super::dial::dial;
use super::drive::{Around, End, drive};
use super::endpoint::lost;
use super::flights::{Flights, Post, open};
use super::wire::Wire;
use crate::address::Address;
use crate::backoff;
use crate::clock::Clock;
use crate::close::Close;
use crate::error::LinkError;
use crate::frame::{Handed, LedgerEnd};
use crate::identity::NodeIdentity;
use crate::session::{NodeEvent, NodeSession, Now, OPEN_QUESTIONS_MAX, Stream};

/// What a node does with a question. One call per question, several at a time.
pub trait Handler: Send + Sync + 'static {
    /// The signed reply, refusal or fault to a signed question, wanted by `deadline`. It must not fail: what goes wrong is
    /// a signed fault.
    ///
    /// It runs to its end even when the deadline passes or the connection is lost, so that a charge in the ledger always meets
    /// its answer; the coordinator may ask the same question again, and the handler must then give the same reply. What does end then
    /// are its `flights`: [`Flights::next`] gives `None`. A handler must send none to a question that the coordinator asks without, or the question is
    /// broken off there; and one that leaves more than
    /// [`FLIGHTS_UNREAD_MAX`](super::FLIGHTS_UNREAD_MAX) or [`FLIGHT_BYTES_UNREAD_MAX`](super::FLIGHT_BYTES_UNREAD_MAX) untaken has its question broken off here.
    fn answer(
        &self,
        ask: Vec<u8>,
        deadline: Moment,
        flights: Flights,
    ) -> impl Future<Output = Vec<u8>> + Send;

    /// The signed public part of the policy in force, for the coordinator: sent after the WELCOME, and whenever it changes.
    /// Default: none, and none to come.
    fn card(&self) -> watch::Receiver<Option<Vec<u8>>> {
        watch::channel(None).1
    }

    /// Hears which end of the ledger the coordinator holds, as this node signed it; `None` where it holds none. Called before any question of
    /// a connection, and again where another end turns up at another partner; must not wait. Default: nothing is done with it.
    fn held(&self, _checkpoint: Option<Vec<u8>>) {}

    /// Hears the end of another partner's ledger, to be kept as a second copy; must not wait. Default: it is not kept.
    fn keep(&self, _end: LedgerEnd) {}

    /// Hears the federation's register as the coordinator has it: signed, and not verified yet; must not wait. Default: nothing is done with it.
    fn register(&self, _register: Vec<u8>) {}

    /// Takes a flight of the linkage secret's hand-over: under this node's own id what the keeper sealed for it, under another's what that one asked with.
    /// Gives what goes back, if anything does. Default: nothing is done with it.
    fn linkage(&self, _handed: Handed) -> impl Future<Output = Option<Handed>> + Send {
        std::future::ready(None)
    }

    /// What this node asks for the linkage secret with, while it has none: sent after the WELCOME, and whenever it changes. Default: none, and none to come.
    fn linkage_asking(&self) -> watch::Receiver<Option<Vec<u8>>> {
        watch::channel(None).1
    }

    /// The ends of other partners' ledgers that are kept here; the coordinator is told of them when it has welcomed this node. Default: none.
    fn kept(&self) -> Vec<LedgerEnd> {
        Vec::new()
    }

    /// The signed end of the ledger, for the coordinator to hold: sent whenever it changes. Default: none, and none to come.
    fn checkpoint(&self) -> watch::Receiver<Option<Vec<u8>>> {
        watch::channel(None).1
    }
}

/// How a node's connection stands, for its log and its `status` command.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NodeState {
    /// It is dialling.
    Dialling,
    /// The coordinator has welcomed it.
    Connected,
    /// It is not connected, and dials again after the wait.
    Lost {
        /// Why.
        why: LinkError,
        /// The wait.
        again_in: Duration,
    },
}

/// Keeps a node connected to its coordinator and hands every question to `handler`, until `shutdown` completes; then it gives
/// questions at work a few seconds to end.
///
/// Every loss, refusal or failure is told through `state` and tried again, with waits as [`crate::backoff::wait`] has them: a node
/// that gave up would be a visit to a small charity's office. Nothing listens.
pub async fn run_node<H: Handler>(
    identity: Arc<NodeIdentity>,
    coordinator: Address,
    handler: Arc<H>,
    clock: Clock,
    state: watch::Sender<NodeState>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let at_work = Arc::new(Semaphore::new(OPEN_QUESTIONS_MAX));
    let last = Mutex::new(None);
    let node = Node { identity, coordinator, handler, clock, state, at_work: at_work.clone(), last };
    let mut shutdown = pin!(shutdown);
    tokio::select! {
        () = &mut shutdown => {}
        () = node.stay_connected() => {}
    }
    let all = u32::try_from(OPEN_QUESTIONS_MAX).unwrap_or(u32::MAX);
    // Ends when every question at work has given its permit back.
    let _ = tokio::time::timeout(SHUTDOWN_WITHIN, at_work.acquire_many(all)).await;
    let last = node.last.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(endpoint) = last {
        // The coordinator hears that this node has gone before the program ends.
        let _ = tokio::time::timeout(SHUTDOWN_WITHIN, endpoint.wait_idle()).await;
    }
}

struct Node<H> {
    identity: Arc<NodeIdentity>,
    coordinator: Address,
    handler: Arc<H>,
    clock: Clock,
    state: watch::Sender<NodeState>,
    at_work: Arc<Semaphore>,
    /// The socket of the latest connection.
    last: Mutex<Option<quinn::Endpoint>>,
}

impl<H: Handler> Node<H> {
    async fn stay_connected(&self) {
        let mut attempt = 0;
        loop {
            let begun = Instant::now();
            let why = self.connect_once().await;
            attempt = if begun.elapsed() >= backoff::GOOD_AFTER { 0 } else { attempt };
            let again_in = backoff::wait(attempt, jitter());
            attempt = attempt.saturating_add(1);
            tracing::warn!(code = why.code(), again_in_ms = again_in.as_millis(), "not connected: {why}");
            self.state.send_replace(NodeState::Lost { why, again_in });
            tokio::time::sleep(again_in).await;
        }
    }

    /// One connection, from the first packet to the last; gives why it ended.
    async fn connect_once(&self) -> LinkError {
        self.state.send_replace(NodeState::Dialling);
        let dialled = match dial(self.identity.transport(), &self.coordinator, &self.clock).await {
            Ok(dialled) => dialled,
            Err(why) => return why,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(dialled.endpoint);
        // Closes the connection wherever this function is left, so that the coordinator knows at once.
        let closing = CloseOnDrop(dialled.connection.clone());
        let (commands_to, mut commands) = mpsc::unbounded_channel();
        let cards = send_later(self.handler.card(), || Command::Card, Duration::ZERO, commands_to.clone());
        let checkpoint = self.handler.checkpoint();
        let checkpoints =
            send_later(checkpoint, || Command::Checkpoint, CHECKPOINT_EVERY, commands_to.clone());
        let askings =
            send_later(self.handler.linkage_asking(), || Command::Ask, Duration::ZERO, commands_to.clone());
        let mut around = AroundNode::new(self, commands_to);
        let driven = drive(
            dialled.connection,
            End::Dialled,
            &self.clock,
            NodeSession::dial,
            &mut around,
            &mut commands,
        );
        let why = tokio::select! {
            why = driven => why,
            never = cards => match never {},
            never = checkpoints => match never {},
            never = askings => match never {},
        };
        drop(closing);
        match (around.wrong_clock_min, why) {
            (Some(apart_min), _) => LinkError::Clock { apart_min },
            (None, quinn::ConnectionError::LocallyClosed) => LinkError::Closed(Close::Unexpected),
            (None, why) => lost(&why),
        }
    }
}

struct CloseOnDrop(quinn::Connection);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        let close = Close::GoingAway;
        self.0.close(quinn::VarInt::from_u32(close.number()), close.to_string().as_bytes());
    }
}

/// Says that there is another document, at most once in `every`; the session sends the first one when it is welcomed.
async fn send_later(
    mut documents: watch::Receiver<Option<Vec<u8>>>,
    command: impl Fn() -> Command,
    every: Duration,
    commands: mpsc::UnboundedSender<Command>,
) -> Infallible {
    documents.mark_unchanged();
    while documents.changed().await.is_ok() {
        // Nobody listens where the connection is gone.
        let _ = commands.send(command());
        tokio::time::sleep(every).await;
    }
    std::future::pending().await
}

/// What the program wants of the session.
enum Command {
    /// A question has ended: with a reply, or without.
    Reply(Stream, Result<Vec<u8>, Close>),
    /// The program sends a flight.
    Flight(Stream, Vec<u8>),
    /// There is another card.
    Card,
    /// There is another checkpoint.
    Checkpoint,
    /// The linkage secret is asked for, again or with another key.
    Ask,
    /// The program has an answer to a flight of the linkage secret's hand-over.
    Linkage(Handed),
}

struct AroundNode<'a, H> {
    node: &'a Node<H>,
    commands: mpsc::UnboundedSender<Command>,
    /// Where the flights of questions at work go.
    posts: HashMap<Stream, Post>,
    wrong_clock_min: Option<u64>,
}

impl<H: Handler> Around for AroundNode<'_, H> {
    type Session = NodeSession;
    type Command = Command;

    fn obey(&mut self, session: &mut NodeSession, _wire: &Wire, command: Command, _now: Now) {
        match command {
            Command::Reply(stream, reply) => {
                self.posts.remove(&stream);
                match reply {
                    Ok(reply) => session.reply(stream, reply),
                    Err(close) => session.abandon(stream, close),
                }
            }
            Command::Flight(stream, body) => session.flight(stream, body),
            Command::Card => self.send_card(session),
            Command::Checkpoint => self.send_checkpoint(session),
            Command::Ask => self.send_asking(session),
            Command::Linkage(handed) => session.linkage(handed),
        }
    }

    fn notice(&mut self, session: &mut NodeSession, _wire: &Wire, event: NodeEvent) {
        match event {
            NodeEvent::Welcomed { held } => {
                self.node.handler.held(held);
                self.node.state.send_replace(NodeState::Connected);
                tracing::info!("connected to the coordinator");
                self.send_card(session);
                self.send_checkpoint(session);
                self.node.handler.kept().into_iter().for_each(|end| session.kept(end));
                self.send_asking(session);
            }
            NodeEvent::Held(end) => self.node.handler.held(Some(end)),
            NodeEvent::Keep(end) => self.node.handler.keep(end),
            NodeEvent::Register(register) => self.node.handler.register(register),
            NodeEvent::Linkage(handed) => self.hand_over(handed),
            NodeEvent::Question { stream, ask, within } => self.begin(session, stream, ask, within),
            NodeEvent::Flight { stream, body } => {
                if self.posts.get(&stream).is_some_and(|post| post.put(body.0).is_err()) {
                    session.flood(stream);
                }
            }
            NodeEvent::FlightsEnded(stream) => _ = self.posts.remove(&stream),
            NodeEvent::Dropped(stream) => {
                self.posts.remove(&stream);
                tracing::info!("nobody waits for the reply to a question any more");
            }
            NodeEvent::WrongClock { apart_min } => self.wrong_clock_min = Some(apart_min),
        }
    }
}

impl<'a, H: Handler> AroundNode<'a, H> {
    fn new(node: &'a Node<H>, commands: mpsc::UnboundedSender<Command>) -> Self {
        Self { node, commands, posts: HashMap::new(), wrong_clock_min: None }
    }

    fn send_card(&self, session: &mut NodeSession) {
        if let Some(card) = self.node.handler.card().borrow().clone() {
            session.card(card);
        }
    }

    fn send_checkpoint(&self, session: &mut NodeSession) {
        if let Some(checkpoint) = self.node.handler.checkpoint().borrow().clone() {
            session.checkpoint(checkpoint);
        }
    }

    fn send_asking(&self, session: &mut NodeSession) {
        if let Some(document) = self.node.handler.linkage_asking().borrow().clone() {
            let asker = self.node.identity.partner().clone();
            session.linkage(Handed { asker, document });
        }
    }

    /// What the other end may send in a minute bounds how many of these are at work.
    fn hand_over(&self, handed: Handed) {
        let (handler, commands) = (self.node.handler.clone(), self.commands.clone());
        tokio::spawn(async move {
            if let Some(back) = handler.linkage(handed).await {
                // Nobody listens where the connection is gone.
                let _ = commands.send(Command::Linkage(back));
            }
        });
    }

    fn begin(&mut self, session: &mut NodeSession, stream: Stream, ask: Vec<u8>, within: Duration) {
        // Questions of earlier connections may still be at work, so the session's own limit is not enough.
        let Ok(permit) = self.node.at_work.clone().try_acquire_owned() else {
            return session.abandon(stream, Close::TooMany);
        };
        let deadline = self.node.clock.now().plus_s(within.as_secs());
        let (handler, commands, line) =
            (self.node.handler.clone(), self.commands.clone(), self.commands.clone());
        // Nobody listens where the connection is gone.
        let (post, flights) = open(move |body| drop(line.send(Command::Flight(stream, body))));
        self.posts.insert(stream, post);
        tokio::spawn(async move {
            let ended = Ended { commands, stream, reply: Err(Close::Unanswered), permit: Some(permit) };
            ended.with(handler.answer(ask, deadline, flights).await);
        });
    }
}

/// Tells the session that a question has ended, even where the handler panicked.
struct Ended {
    commands: mpsc::UnboundedSender<Command>,
    stream: Stream,
    reply: Result<Vec<u8>, Close>,
    permit: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl Ended {
    fn with(mut self, reply: Vec<u8>) {
        self.reply = Ok(reply);
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let reply = std::mem::replace(&mut self.reply, Err(Close::Unanswered));
        // Nobody listens where the connection is gone.
        let _ = self.commands.send(Command::Reply(self.stream, reply));
        self.permit.take();
    }
}

/// Any number. Where the system has no randomness the waits are even, and nothing else is lost.
fn jitter() -> u64 {
    let mut bytes = [0; 8];
    let _ = SystemRandom::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// How long a shutdown waits for questions at work.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(5);

/// The wait between two checkpoints: the coordinator keeps each on its disk.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(250);
