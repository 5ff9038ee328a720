//! Over real sockets on loopback. What is decided is tested in `session`; here: who gets in, and that bytes, deadlines and
//! reconnections work.

mod doors;
mod flights;
mod hostile;

use cairn_question::{Moment, Name, PartnerId, QuestionId};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};

use super::{
    AnalystClient, Asking, Event, Flights, Handler, Listener, NodeHandle, NodeState, Responder, run_node,
};
use crate::error::{AskFailure, LinkError};
use crate::frame::{Accepted, Progress};
use crate::{Address, AnalystIdentity, Authority, Clock, CoordinatorIdentity, NodeIdentity};

/// 2026-01-05 noon.
const NOON: Moment = Moment::from_unix_s(1_767_614_400);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn clock() -> Clock {
    Clock::new(|| NOON)
}

/// A federation's folders in a temporary folder.
struct Federation {
    dir: TempDir,
    authority: Authority,
}

impl Federation {
    fn new(federation: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let mut authority = Authority::create(&dir.path().join("authority"), name(federation), NOON).unwrap();
        let addresses = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        authority.make_coordinator(&name("hub"), &addresses, &dir.path().join("hub"), NOON).unwrap();
        authority.enrol_analyst(&name("ann"), &dir.path().join("ann"), NOON).unwrap();
        let mut federation = Self { dir, authority };
        federation.enrol("fife");
        federation
    }

    fn enrol(&mut self, partner: &str) {
        let out = self.path(partner);
        self.authority
            .enrol_node(&PartnerId::new(partner).unwrap(), "A council", "council", &out, NOON)
            .unwrap();
    }

    fn path(&self, party: &str) -> PathBuf {
        self.dir.path().join(party)
    }

    fn listen(&self) -> Listener {
        self.listen_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    fn listen_at(&self, at: SocketAddr) -> Listener {
        Listener::bind(&self.coordinator(), at, &clock()).unwrap()
    }

    /// Listens where another listener did, as soon as the socket is free.
    async fn listen_again(&self, at: SocketAddr) -> Listener {
        loop {
            match Listener::bind(&self.coordinator(), at, &clock()) {
                Ok(listener) => return listener,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    fn coordinator(&self) -> CoordinatorIdentity {
        CoordinatorIdentity::load(&self.path("hub"), NOON).unwrap()
    }

    fn node(&self, partner: &str) -> Arc<NodeIdentity> {
        node_at(&self.path(partner))
    }

    async fn analyst(&self, at: SocketAddr) -> Result<AnalystClient, LinkError> {
        let identity = AnalystIdentity::load(&self.path("ann"), NOON).unwrap();
        AnalystClient::connect(&identity, &Address::from(at), &clock()).await
    }
}

fn node_at(dir: &Path) -> Arc<NodeIdentity> {
    Arc::new(NodeIdentity::load(dir, NOON).unwrap())
}

/// Replies with the question's bytes and its partner; to `wait`, never.
struct Echo(&'static str, Option<watch::Receiver<Option<Vec<u8>>>>);

impl Handler for Echo {
    async fn answer(&self, ask: Vec<u8>, _deadline: Moment, _flights: Flights) -> Vec<u8> {
        match ask.as_slice() {
            b"wait" => std::future::pending().await,
            b"break" => panic!("a handler that breaks"),
            _ => [self.0.as_bytes(), b":", &ask].concat(),
        }
    }

    fn card(&self) -> watch::Receiver<Option<Vec<u8>>> {
        self.1.clone().unwrap_or_else(|| watch::channel(None).1)
    }
}

/// A node at work; it stops when this is dropped.
struct Running {
    state: watch::Receiver<NodeState>,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(identity: Arc<NodeIdentity>, at: SocketAddr, answers: &'static str) -> Self {
        Self::start_with(identity, at, answers, clock())
    }

    fn start_with(identity: Arc<NodeIdentity>, at: SocketAddr, answers: &'static str, clock: Clock) -> Self {
        Self::start_handler(identity, at, Echo(answers, None), clock)
    }

    fn start_handler(identity: Arc<NodeIdentity>, at: SocketAddr, echo: Echo, clock: Clock) -> Self {
        let (to, state) = watch::channel(NodeState::Dialling);
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(run_node(identity, at.into(), Arc::new(echo), clock, to, shutdown));
        Self { state, stop: Some(stop), task }
    }

    async fn lost(&mut self) -> LinkError {
        let lost = self.state.wait_for(|s| matches!(s, NodeState::Lost { .. })).await.unwrap();
        let NodeState::Lost { why, .. } = &*lost else { panic!("not lost") };
        why.clone()
    }

    async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.task.await.unwrap();
    }
}

async fn node_up(listener: &mut Listener) -> NodeHandle {
    match listener.next().await.unwrap() {
        Event::NodeUp { node, .. } => {
            node.held(None);
            node
        }
        _ => panic!("expected a node"),
    }
}

async fn node_down(listener: &mut Listener) -> PartnerId {
    match listener.next().await.unwrap() {
        Event::NodeDown { partner } => partner,
        _ => panic!("expected a node to go"),
    }
}

async fn asked(listener: &mut Listener) -> (Vec<u8>, Responder) {
    match listener.next().await.unwrap() {
        Event::Asked { analyst, ask, responder } => {
            assert_eq!(analyst, name("ann"));
            (ask, responder)
        }
        _ => panic!("expected a question"),
    }
}

#[tokio::test]
async fn a_nodes_card_comes_after_its_hello_and_whenever_it_changes() {
    let federation = Federation::new("nolb");
    let mut listener = federation.listen();
    let (cards, seen) = watch::channel(Some(b"first".to_vec()));
    let echo = Echo("fife", Some(seen));
    let node = Running::start_handler(federation.node("fife"), listener.local_address(), echo, clock());
    let handle = node_up(&mut listener).await;
    async fn card(listener: &mut Listener) -> (String, Vec<u8>) {
        match listener.next().await.unwrap() {
            Event::PolicyCard { partner, card } => (partner.to_string(), card),
            _ => panic!("expected a card"),
        }
    }
    assert_eq!(card(&mut listener).await, ("fife".to_owned(), b"first".to_vec()));
    cards.send_replace(Some(b"second".to_vec()));
    assert_eq!(card(&mut listener).await, ("fife".to_owned(), b"second".to_vec()));
    assert_eq!(handle.ask(b"ask".to_vec(), NOON.plus_s(30)).await.unwrap(), b"fife:ask");
    drop(cards);
    assert_eq!(handle.ask(b"ask".to_vec(), NOON.plus_s(30)).await.unwrap(), b"fife:ask", "none to come");
    node.stop().await;
}

#[tokio::test]
async fn a_question_goes_round() {
    let mut federation = Federation::new("demo");
    federation.enrol("dundee");
    let mut listener = federation.listen();
    let at = listener.local_address();
    let fife = Running::start(federation.node("fife"), at, "fife");
    let dundee = Running::start(federation.node("dundee"), at, "dundee");
    let nodes = [node_up(&mut listener).await, node_up(&mut listener).await];
    let client = federation.analyst(at).await.unwrap();

    let mut heard = Vec::new();
    let waits = client.ask(b"who".to_vec(), |progress| heard.push(progress));
    let round = async {
        let (ask, responder) = asked(&mut listener).await;
        responder.accepted(Accepted {
            question: QuestionId::from_bytes([7; 32]),
            within_ms: 5_000,
            asked: 2,
        });
        let mut replies = Vec::new();
        for node in &nodes {
            replies.push((node.partner().clone(), node.ask(ask.clone(), NOON.plus_s(5)).await.unwrap()));
            let replied = u16::try_from(replies.len()).unwrap();
            responder.progress(Progress { asked: 2, replied, offline: 0 });
        }
        responder.result(replies, b"coverage".to_vec());
    };
    let (result, ()) = tokio::join!(waits, round);
    let mut result = result.unwrap();
    result.replies.sort();
    let expect = |partner: &str| (PartnerId::new(partner).unwrap(), format!("{partner}:who").into_bytes());
    assert_eq!(result.replies, [expect("dundee"), expect("fife")]);
    assert_eq!(result.coverage, b"coverage");
    assert_eq!(heard.iter().map(|p| p.replied).collect::<Vec<_>>(), [1, 2]);
    client.close().await;
    fife.stop().await;
    assert_eq!(node_down(&mut listener).await.as_str(), "fife");
    dundee.stop().await;
    listener.close().await;
}

#[tokio::test]
async fn an_analyst_reads_the_register_fetches_and_is_declined() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let client = federation.analyst(listener.local_address()).await.unwrap();
    let register = std::fs::read(federation.authority.register_file()).unwrap();

    let serve = async {
        match listener.next().await.unwrap() {
            Event::RegisterWanted { responder, .. } => responder.send(register.clone()),
            _ => panic!("expected the register to be wanted"),
        }
        match listener.next().await.unwrap() {
            Event::Fetched { question, responder, .. } => {
                assert_eq!(question, QuestionId::from_bytes([9; 32]));
                responder.result(Vec::new(), b"kept".to_vec());
            }
            _ => panic!("expected a fetch"),
        }
        asked(&mut listener).await.1.decline("CO101", "not today");
        // Dropped without a word.
        drop(asked(&mut listener).await);
    };
    let ask = async {
        assert_eq!(client.register().await.unwrap(), register);
        let kept = client.fetch(QuestionId::from_bytes([9; 32]), |_| {}).await.unwrap();
        assert_eq!((kept.replies.len(), kept.coverage.as_slice()), (0, b"kept".as_slice()));
        let declined = client.ask(b"a".to_vec(), |_| {}).await.unwrap_err();
        assert_eq!(declined.to_string(), "the coordinator declines (CO101): not today");
        let unanswered = client.ask(b"b".to_vec(), |_| {}).await.unwrap_err();
        assert!(unanswered.to_string().contains("CI311"), "{unanswered}");
        let too_long = client.ask(vec![b'x'; 70_000], |_| {}).await.unwrap_err();
        assert_eq!(too_long.code(), "CI305");
    };
    tokio::join!(serve, ask);
}

#[tokio::test]
async fn a_node_that_never_replies_is_late_and_one_that_breaks_is_said_to() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let _node = Running::start(federation.node("fife"), listener.local_address(), "fife");
    let node = node_up(&mut listener).await;
    let late = node.ask(b"wait".to_vec(), NOON.plus_s(1));
    let broken = node.ask(b"break".to_vec(), NOON.plus_s(60));
    let too_long = node.ask(vec![0; 70_000], NOON.plus_s(60));
    let passed = node.ask(b"who".to_vec(), NOON);
    let (late, broken, too_long, passed) = tokio::join!(late, broken, too_long, passed);
    assert_eq!(late, Err(AskFailure::Late));
    assert_eq!(broken, Err(AskFailure::Broken(crate::close::Close::Unanswered)));
    assert_eq!(too_long, Err(AskFailure::TooLong));
    assert_eq!(passed, Err(AskFailure::Late));
    assert_eq!(node.ask(b"who".to_vec(), NOON.plus_s(60)).await, Ok(b"fife:who".to_vec()));
}

#[tokio::test]
async fn a_node_comes_back_when_its_coordinator_does() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let at = listener.local_address();
    let mut running = Running::start(federation.node("fife"), at, "fife");
    let before = node_up(&mut listener).await;
    listener.close().await;
    // On a slow machine the node has dialled in vain since, and only its latest state is to be seen.
    let why = running.lost().await;
    assert!(["CI309", "CI404"].contains(&why.code()), "{why}");
    assert_eq!(before.ask(b"who".to_vec(), NOON.plus_s(9)).await, Err(AskFailure::Offline));

    let mut listener = soon(federation.listen_again(at)).await;
    let after = node_up(&mut listener).await;
    assert_eq!(after.ask(b"who".to_vec(), NOON.plus_s(9)).await, Ok(b"fife:who".to_vec()));
    assert!(matches!(*running.state.borrow(), NodeState::Connected));
}

#[tokio::test]
async fn the_newer_connection_of_a_partner_takes_the_older_ones_place() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let at = listener.local_address();
    let mut older = Running::start(federation.node("fife"), at, "older");
    let first = node_up(&mut listener).await;
    let _newer = Running::start(federation.node("fife"), at, "newer");
    let second = node_up(&mut listener).await;
    assert_eq!(older.lost().await.code(), "CI308");
    drop(older.stop.take());
    assert_eq!(first.ask(b"who".to_vec(), NOON.plus_s(9)).await, Err(AskFailure::Offline));
    assert_eq!(second.ask(b"who".to_vec(), NOON.plus_s(9)).await, Ok(b"newer:who".to_vec()));
}

#[tokio::test]
async fn a_question_open_when_the_node_goes_ends_as_offline() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let mut running = Running::start(federation.node("fife"), listener.local_address(), "fife");
    let node = node_up(&mut listener).await;
    let waits = tokio::spawn(async move { node.ask(b"wait".to_vec(), NOON.plus_s(600)).await });
    tokio::task::yield_now().await;
    drop(running.stop.take());
    assert_eq!(waits.await.unwrap(), Err(AskFailure::Offline));
    assert_eq!(node_down(&mut listener).await.as_str(), "fife");
}

/// Carries datagrams between whoever sent to `route` last and the door of the moment.
async fn carry(route: tokio::net::UdpSocket, door: watch::Receiver<SocketAddr>) {
    let out = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (mut up, mut down, mut from) = ([0; 2_000], [0; 2_000], None);
    loop {
        tokio::select! {
            Ok((n, sender)) = route.recv_from(&mut up) => {
                from = Some(sender);
                let door = *door.borrow();
                out.send_to(&up[..n], door).await.unwrap();
            }
            Ok((n, sender)) = out.recv_from(&mut down) => {
                // A door that is no longer the one is dead, and sends nothing.
                if sender == *door.borrow() {
                    route.send_to(&down[..n], from.unwrap()).await.unwrap();
                }
            }
        }
    }
}

/// Replies once it is told to.
struct Told(Arc<tokio::sync::Notify>);

impl Handler for Told {
    async fn answer(&self, ask: Vec<u8>, _deadline: Moment, _flights: Flights) -> Vec<u8> {
        self.0.notified().await;
        ask
    }
}

#[tokio::test]
async fn a_coordinator_that_crashed_and_is_back_tells_its_nodes_at_their_next_packet() {
    let federation = Federation::new("demo");
    let (mut before, mut after) = (federation.listen(), federation.listen());
    let route = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = route.local_addr().unwrap();
    let (door, doors) = watch::channel(before.local_address());
    let carrying = tokio::spawn(carry(route, doors));
    let (told, (to, mut state)) = (Arc::new(tokio::sync::Notify::new()), watch::channel(NodeState::Dialling));
    let handler = Arc::new(Told(told.clone()));
    let identity = federation.node("fife");
    let running = tokio::spawn(run_node(identity, at.into(), handler, clock(), to, std::future::pending()));
    let node = soon(node_up(&mut before)).await;
    let open = tokio::spawn(async move { node.ask(b"who".to_vec(), NOON.plus_s(600)).await });
    tokio::task::yield_now().await;
    // From now on the first coordinator is as good as killed: nothing it sends arrives, and it says no farewell.
    door.send(after.local_address()).unwrap();
    told.notify_one();
    let lost = soon(state.wait_for(|s| matches!(s, NodeState::Lost { .. }))).await.unwrap().clone();
    let NodeState::Lost { why, .. } = lost else { panic!("not lost") };
    assert_eq!(why.to_string(), "the connection was lost: reset by peer");
    assert_eq!(soon(node_up(&mut after)).await.partner().as_str(), "fife");
    open.abort();
    running.abort();
    carrying.abort();
}

/// Fails a test that hangs, long before the test runner would.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("not within 30 s")
}
