//! The coordinator's end: the only one that listens.

use cairn_question::{Name, PartnerId, QuestionId};
use quinn::{Connection, Endpoint, Incoming, ServerConfig, TokioRuntime, VarInt};
use rustls_pki_types::CertificateDer;
use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::asking::{Asking, NodeHandle, Waiting};
use super::drive::{Around, End, drive};
use super::endpoint::{HANDSHAKE_WITHIN, listening};
use super::responder::{Line, RegisterResponder, Responder};
use super::wire::Wire;
use crate::clock::{Clock, unix_time};
use crate::close::Close;
use crate::error::{AskFailure, LinkError};
use crate::frame::{Accepted, Closing, Handed, LedgerEnd, Progress};
use crate::identity::{CoordinatorIdentity, DenyList, Party, PeerError};
use crate::session::{CoordinatorEvent, CoordinatorSession, Now, Patience, Stream};
use crate::tls::{self, DialInVerifier};

/// The coordinator's door. Dropping it closes every connection.
pub struct Listener {
    endpoint: Endpoint,
    local: SocketAddr,
    door: Arc<Door>,
    events: mpsc::UnboundedReceiver<Event>,
    accepting: tokio::task::JoinHandle<()>,
}

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
    /// A partner's node sends the signed public part of its policy. Whose it is, is the transport's word; the signature inside is
    /// what counts.
    PolicyCard {
        /// The partner, by certificate.
        partner: PartnerId,
        /// The signed card's exact bytes.
        card: Vec<u8>,
    },
    /// A partner's node sends the signed end of its ledger, to be held. As for its card.
    Checkpoint {
        /// The partner, by certificate.
        partner: PartnerId,
        /// The signed checkpoint's exact bytes.
        checkpoint: Vec<u8>,
    },
    /// A partner's node sends the end of another partner's ledger, which it keeps.
    Kept(LedgerEnd),
    /// A partner's node sends a flight of the linkage secret's hand-over.
    Linkage {
        /// The partner, by certificate.
        from: PartnerId,
        /// The flight, as it says itself.
        handed: Handed,
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

/// What the program wants of one connection's session.
pub(super) enum Command {
    Ask { ask: Vec<u8>, within: Duration, to: oneshot::Sender<Result<Vec<u8>, AskFailure>> },
    AskWithFlights { ask: Vec<u8>, within: Duration, begun: oneshot::Sender<Result<Asking, AskFailure>> },
    Flight(Stream, Vec<u8>),
    GiveUp(Stream),
    Held(Option<Vec<u8>>),
    Keep(LedgerEnd),
    GiveRegister(Vec<u8>),
    Linkage(Handed),
    Accepted(Stream, Accepted),
    Progress(Stream, Progress),
    Result(Stream, Vec<(PartnerId, Vec<u8>)>, Vec<u8>),
    Register(Stream, Vec<u8>),
    Decline(Stream, Closing),
}

impl Listener {
    /// Opens the door on a local address; port 0 lets the system choose. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`LinkError::Listen`] and [`LinkError::Identity`].
    pub fn bind(
        identity: &CoordinatorIdentity,
        address: SocketAddr,
        clock: &Clock,
    ) -> Result<Self, LinkError> {
        Self::bind_with(identity, address, clock, Patience::default())
    }

    pub(super) fn bind_with(
        identity: &CoordinatorIdentity,
        address: SocketAddr,
        clock: &Clock,
        patience: Patience,
    ) -> Result<Self, LinkError> {
        let denied = Arc::new(RwLock::new(identity.denied().clone()));
        let crypto = tls::quic_server(tls::server(identity.transport(), denied.clone(), clock)?)?;
        let mut config = ServerConfig::with_crypto(Arc::new(crypto));
        config.transport_config(listening()).max_incoming(HANDSHAKES_MAX);
        let cannot =
            |e: std::io::Error| LinkError::Listen { address: address.to_string(), why: e.to_string() };
        let socket = UdpSocket::bind(address).map_err(cannot)?;
        let quic = super::endpoint::listener(identity.transport());
        let endpoint = Endpoint::new(quic, Some(config), socket, Arc::new(TokioRuntime)).map_err(cannot)?;
        let local = endpoint.local_addr().map_err(cannot)?;
        let (events_to, events) = mpsc::unbounded_channel();
        let door = Arc::new(Door {
            verifier: DialInVerifier::new(identity.transport(), denied.clone()),
            denied,
            clock: clock.clone(),
            patience,
            events: events_to,
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
            results: Arc::new(Semaphore::new(usize::try_from(RESULTS_KIB_MAX).unwrap_or(1))),
            open: Mutex::new(Open::default()),
        });
        let accepting = tokio::spawn(accept_all(endpoint.clone(), door.clone()));
        Ok(Self { endpoint, local, door, events, accepting })
    }

    /// The address it listens on.
    #[must_use]
    pub const fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The next event. Cancel-safe. `None` once every connection is gone after [`Self::close`].
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// How many more requests all analysts together may have open.
    #[cfg(test)]
    pub(super) fn requests_left(&self) -> usize {
        self.door.requests.available_permits()
    }

    /// Leaves this much room for results, in KiB.
    #[cfg(test)]
    pub(super) fn leave_room(&self, kib: usize) {
        let results = &self.door.results;
        results.forget_permits(results.available_permits() - kib);
    }

    /// Puts a new deny list in force: at once for new connections, and for open ones by closing them.
    pub fn deny(&self, list: DenyList) {
        *self.door.denied.write().unwrap_or_else(PoisonError::into_inner) = list;
        let open = self.door.open.lock().unwrap_or_else(PoisonError::into_inner);
        let now = unix_time(self.door.clock.now());
        for connection in open.connections.values() {
            if let Err(PeerError::Denied { .. }) = self.door.party(connection, now) {
                close(connection, Close::Denied);
            }
        }
    }

    /// Tells every party that this end is going away, and waits until the packets are sent.
    pub async fn close(self) {
        let going = Close::GoingAway;
        self.endpoint.close(VarInt::from_u32(going.number()), going.to_string().as_bytes());
        self.endpoint.wait_idle().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let going = Close::GoingAway;
        self.endpoint.close(VarInt::from_u32(going.number()), going.to_string().as_bytes());
        self.accepting.abort();
    }
}

/// What all connections share.
struct Door {
    verifier: DialInVerifier,
    denied: Arc<RwLock<DenyList>>,
    clock: Clock,
    patience: Patience,
    events: mpsc::UnboundedSender<Event>,
    requests: Arc<Semaphore>,
    /// Room for results that are being written, in KiB.
    results: Arc<Semaphore>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Every connection, by a number of its own.
    connections: HashMap<u64, Connection>,
    /// Each connected partner's connection.
    nodes: HashMap<PartnerId, u64>,
    begun: u64,
}

async fn accept_all(endpoint: Endpoint, door: Arc<Door>) {
    while let Some(incoming) = endpoint.accept().await {
        let open = endpoint.open_connections();
        if open >= CONNECTIONS_MAX {
            incoming.refuse();
        } else if open >= VALIDATED_FROM && !incoming.remote_address_validated() {
            // Under load, whoever dials must first show that its address is real (RFC 9000, 8.1.2).
            let _ = incoming.retry();
        } else {
            tokio::spawn(serve(door.clone(), incoming));
        }
    }
}

async fn serve(door: Arc<Door>, incoming: Incoming) {
    let Ok(connecting) = incoming.accept() else { return };
    // What failed was logged by the verifier, or was no business of ours.
    let Ok(Ok(connection)) = tokio::time::timeout(HANDSHAKE_WITHIN, connecting).await else { return };
    match door.party(&connection, unix_time(door.clock.now())) {
        Ok(party) => door.serve_party(connection, &party).await,
        Err(error) => {
            tracing::warn!(code = error.code(), "refused whoever dialled in: {error}");
            close(&connection, Close::OtherRole);
        }
    }
}

impl Door {
    /// Who is at the other end, by the certificate that the handshake proved.
    fn party(&self, connection: &Connection, now: rustls_pki_types::UnixTime) -> Result<Party, PeerError> {
        let shown =
            connection.peer_identity().and_then(|i| i.downcast::<Vec<CertificateDer<'static>>>().ok());
        let shown = shown.ok_or(PeerError::Malformed)?;
        let (leaf, intermediates) = shown.split_first().ok_or(PeerError::Malformed)?;
        self.verifier.party(leaf, intermediates, now)
    }

    async fn serve_party(self: Arc<Self>, connection: Connection, party: &Party) {
        let number = self.enter(&connection);
        let (to_self, mut commands) = mpsc::unbounded_channel();
        let mut around = AroundConnection {
            door: self.clone(),
            party: party.clone(),
            number,
            commands: to_self,
            asked: HashMap::new(),
        };
        let (role, patience) = (party.role(), self.patience);
        let begin = move |now| CoordinatorSession::accept(role, patience, now);
        let why = drive(connection, End::Listened, &self.clock, begin, &mut around, &mut commands).await;
        tracing::info!(%party, "connection ended: {why}");
        self.leave(number, party);
    }

    fn enter(&self, connection: &Connection) -> u64 {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.begun = open.begun.saturating_add(1);
        let number = open.begun;
        open.connections.insert(number, connection.clone());
        number
    }

    /// A node has said HELLO: from now on it is the partner's one connection.
    fn node_up(&self, number: u64, partner: &PartnerId, commands: mpsc::UnboundedSender<Command>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let older = open.nodes.insert(partner.clone(), number);
        if let Some(older) = older.and_then(|n| open.connections.get(&n)) {
            tracing::warn!(%partner, "a second connection of the same partner takes the first one's place");
            close(older, Close::Replaced);
        }
        let node = NodeHandle::new(partner.clone(), commands, self.clock.clone());
        // Sent under the lock, so that ups and downs of one partner come in their order.
        let _ = self.events.send(Event::NodeUp { partner: partner.clone(), node });
    }

    fn leave(&self, number: u64, party: &Party) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.connections.remove(&number);
        let Some(partner) = party.partner() else { return };
        if open.nodes.get(&partner) == Some(&number) {
            open.nodes.remove(&partner);
            let _ = self.events.send(Event::NodeDown { partner });
        }
    }
}

fn close(connection: &Connection, close: Close) {
    connection.close(VarInt::from_u32(close.number()), close.to_string().as_bytes());
}

struct AroundConnection {
    door: Arc<Door>,
    party: Party,
    number: u64,
    /// The way to this very connection, for handles and responders.
    commands: mpsc::UnboundedSender<Command>,
    asked: HashMap<Stream, Waiting>,
}

impl Around for AroundConnection {
    type Session = CoordinatorSession;
    type Command = Command;

    fn obey(&mut self, session: &mut CoordinatorSession, wire: &Wire, command: Command, now: Now) {
        match command {
            Command::Ask { ask, within, to } => match session.ask(ask, within, now) {
                Ok(stream) => {
                    self.asked.insert(stream, Waiting::for_reply(to));
                }
                Err(failure) => {
                    let _ = to.send(Err(failure));
                }
            },
            Command::AskWithFlights { ask, within, begun } => {
                // Where the program has stopped waiting meanwhile, the asking is dropped here, and that breaks the question off.
                let _ = begun.send(session.ask_with_flights(ask, within, now).map(|s| self.asking(s)));
            }
            Command::Flight(stream, body) => session.flight(stream, body),
            Command::GiveUp(stream) => session.give_up(stream),
            Command::Held(held) => session.held(held),
            Command::Keep(end) => session.keep(end),
            Command::GiveRegister(register) => session.give_register(register),
            Command::Linkage(handed) => session.linkage(handed, now),
            Command::Accepted(stream, accepted) => session.accepted(stream, accepted),
            Command::Progress(stream, progress) => session.progress(stream, progress),
            Command::Result(stream, replies, coverage) => {
                // The least that is held of the smallest result is one, so that none is free.
                let bytes =
                    replies.iter().map(|(_, r)| r.len()).sum::<usize>().saturating_add(coverage.len());
                let kib = u32::try_from(bytes / 1_024).unwrap_or(RESULTS_KIB_MAX).clamp(1, RESULTS_KIB_MAX);
                let Ok(room) = self.door.results.clone().try_acquire_many_owned(kib) else {
                    return session.decline(stream, &Close::TooMany.into());
                };
                wire.hold(stream, Arc::new(room));
                session.result(stream, replies, coverage);
            }
            Command::Register(stream, register) => session.register(stream, register),
            Command::Decline(stream, closing) => session.decline(stream, &closing),
        }
    }

    fn notice(&mut self, session: &mut CoordinatorSession, wire: &Wire, event: CoordinatorEvent) {
        let analyst = self.party.id().clone();
        match event {
            CoordinatorEvent::Ready => self.ready(),
            CoordinatorEvent::Replied { stream, reply } => {
                if let Some(waiting) = self.asked.remove(&stream) {
                    waiting.end(reply);
                }
            }
            CoordinatorEvent::Flight { stream, body } => {
                if self.asked.get(&stream).is_some_and(|waiting| waiting.flight(body.0).is_err()) {
                    session.flood(stream);
                }
            }
            CoordinatorEvent::Card(card) => {
                if let Some(partner) = self.party.partner() {
                    let _ = self.door.events.send(Event::PolicyCard { partner, card });
                }
            }
            CoordinatorEvent::Checkpoint(checkpoint) => {
                if let Some(partner) = self.party.partner() {
                    let _ = self.door.events.send(Event::Checkpoint { partner, checkpoint });
                }
            }
            CoordinatorEvent::Kept(end) => {
                let _ = self.door.events.send(Event::Kept(end));
            }
            CoordinatorEvent::Linkage(handed) => {
                if let Some(from) = self.party.partner() {
                    let _ = self.door.events.send(Event::Linkage { from, handed });
                }
            }
            CoordinatorEvent::Asked { stream, ask } => self.pass_on(session, wire, stream, |line| {
                Event::Asked { analyst, ask, responder: Responder::new(line) }
            }),
            CoordinatorEvent::Fetched { stream, question } => {
                self.pass_on(session, wire, stream, |line| Event::Fetched {
                    analyst,
                    question,
                    responder: Responder::new(line),
                });
            }
            CoordinatorEvent::RegisterWanted { stream } => {
                self.pass_on(session, wire, stream, |line| Event::RegisterWanted {
                    analyst,
                    responder: RegisterResponder::new(line),
                });
            }
            // The round goes on: the analyst may fetch its result on another connection.
            CoordinatorEvent::Dropped(_) => {}
        }
    }
}

impl AroundConnection {
    fn asking(&mut self, stream: Stream) -> Asking {
        let (waiting, asking) = Waiting::with_flights(stream, &self.commands);
        self.asked.insert(stream, waiting);
        asking
    }

    fn ready(&self) {
        tracing::info!(party = %self.party, "connected");
        if let Some(partner) = self.party.partner() {
            self.door.node_up(self.number, &partner, self.commands.clone());
        }
    }

    fn pass_on(
        &self,
        session: &mut CoordinatorSession,
        wire: &Wire,
        stream: Stream,
        event: impl FnOnce(Line) -> Event,
    ) {
        let Ok(permit) = self.door.requests.clone().try_acquire_owned() else {
            return session.decline(stream, &Close::TooMany.into());
        };
        let permit = Arc::new(permit);
        wire.hold(stream, permit.clone());
        let commands = self.commands.clone();
        let _ = self.door.events.send(event(Line { stream, commands, _permit: permit }));
    }
}

/// Most requests of all analysts together that wait for the program, or whose answers are not yet written.
pub(super) const REQUESTS_MAX: usize = 256;

/// Most KiB of all results together that are being written: 1 GiB, so that analysts who fetch and do not read cannot fill the
/// coordinator's memory. A result larger than this is sent when no other is.
const RESULTS_KIB_MAX: u32 = 1 << 20;

/// Most connections: every partner twice, while a newer takes an older's place, and some analysts.
const CONNECTIONS_MAX: usize = 2 * cairn_question::limits::PARTNERS_MAX + 512;

/// From this many connections on, an address must be shown to be real before a handshake is paid for.
const VALIDATED_FROM: usize = 1_536;

/// Most handshakes that wait to be begun.
const HANDSHAKES_MAX: usize = 1_024;
