//! Flights between a question and its reply, over real sockets.

use super::*;
use crate::close::Close;
use crate::frame::{Frame, Hello, Kind};
use crate::identity::Role;
use crate::quic::dial::{Dialled, dial};
use crate::quic::{FLIGHT_BYTES_UNREAD_MAX, FLIGHTS_UNREAD_MAX};
use crate::session::{FLIGHT_BYTES_SUM_MAX, FLIGHTS_MAX};
use quinn::{RecvStream, SendStream};
use tokio::sync::{Notify, mpsc};

/// What a node's program does with flights: as its question says.
struct Flyer {
    /// What became of questions whose flights ended before the reply.
    ended: mpsc::UnboundedSender<String>,
    /// Let go when the program may take flights.
    wake: Arc<Notify>,
}

impl Handler for Flyer {
    async fn answer(&self, ask: Vec<u8>, _deadline: Moment, mut flights: Flights) -> Vec<u8> {
        match ask.as_slice() {
            b"echo" => echo(&mut flights).await,
            b"until it ends" => {
                flights.send(b"here".to_vec());
                while flights.next().await.is_some() {}
                let _ = self.ended.send("ran on to its end".to_owned());
                Vec::new()
            }
            b"asleep" => {
                self.wake.notified().await;
                let mut taken = 0;
                while flights.next().await.is_some() {
                    taken += 1;
                }
                let _ = self.ended.send(format!("took {taken}"));
                Vec::new()
            }
            b"acknowledge" => {
                while flights.next().await.is_some() {
                    flights.send(Vec::new());
                }
                Vec::new()
            }
            b"flood" => {
                (0..=FLIGHTS_MAX).for_each(|_| flights.send(Vec::new()));
                while flights.next().await.is_some() {}
                Vec::new()
            }
            b"leave" => {
                (0..=FLIGHTS_UNREAD_MAX).for_each(|_| flights.send(Vec::new()));
                while flights.next().await.is_some() {}
                let _ = self.ended.send("broken off".to_owned());
                Vec::new()
            }
            b"ordinary" => format!("{:?}", flights.next().await).into_bytes(),
            _ => panic!("unknown"),
        }
    }
}

/// Sends each flight back with its number, and replies when the third is back.
async fn echo(flights: &mut Flights) -> Vec<u8> {
    for n in 0..3 {
        let mut body = flights.next().await.unwrap();
        body.push(n);
        flights.send(body);
    }
    b"three".to_vec()
}

struct World {
    federation: Federation,
    listener: Listener,
    node: NodeHandle,
    ended: mpsc::UnboundedReceiver<String>,
    wake: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
}

impl World {
    async fn new() -> Self {
        let federation = Federation::new("demo");
        let mut listener = federation.listen();
        let ((to, ended), wake) = (mpsc::unbounded_channel(), Arc::new(Notify::new()));
        let (stop, stopped) = oneshot::channel::<()>();
        let (handler, state) =
            (Flyer { ended: to, wake: wake.clone() }, watch::channel(NodeState::Dialling).0);
        let identity = federation.node("fife");
        let at = listener.local_address().into();
        let shutdown = async move { _ = stopped.await };
        tokio::spawn(run_node(identity, at, Arc::new(handler), clock(), state, shutdown));
        let node = soon(node_up(&mut listener)).await;
        Self { federation, listener, node, ended, wake, stop: Some(stop) }
    }

    async fn ask(&self, ask: &str) -> Asking {
        soon(self.node.ask_with_flights(ask.into(), NOON.plus_s(600))).await.unwrap()
    }

    async fn ended(&mut self) -> String {
        soon(self.ended.recv()).await.unwrap()
    }

    /// The connection carries another question, with flights and without.
    async fn still_works(&self) {
        let mut asking = self.ask("echo").await;
        for n in 0..3 {
            asking.send(b"again".to_vec());
            assert_eq!(soon(asking.next()).await.unwrap(), [b"again".as_slice(), &[n]].concat());
        }
        assert_eq!(soon(asking.reply()).await, Ok(b"three".to_vec()));
        let ordinary = self.node.ask(b"ordinary".to_vec(), NOON.plus_s(600));
        assert_eq!(soon(ordinary).await, Ok(b"None".to_vec()));
    }
}

fn broken_off() -> Result<Vec<u8>, AskFailure> {
    Err(AskFailure::Broken(Close::TooManyFlights))
}

#[tokio::test]
async fn flights_of_nine_hundred_kib_pass_both_ways_before_the_reply() {
    let world = World::new().await;
    let mut asking = world.ask("echo").await;
    let body = |n: u8| (0..900_u32 << 10).map(|i| u8::try_from(i % 251).unwrap() ^ n).collect::<Vec<u8>>();
    let sender = asking.sender();
    // All at once: no end waits for its turn.
    (0..3).for_each(|n| sender.send(body(n)));
    for n in 0..3 {
        let back = soon(asking.next()).await.unwrap();
        assert!(back == [body(n), vec![n]].concat(), "flight {n}");
    }
    assert_eq!(soon(asking.next()).await, None);
    assert_eq!(soon(asking.reply()).await, Ok(b"three".to_vec()));
    sender.send(b"of no question".to_vec());
    world.still_works().await;
}

#[tokio::test]
async fn questions_with_flights_are_open_beside_each_other() {
    let world = World::new().await;
    let mut first = world.ask("echo").await;
    let second = world.ask("until it ends").await;
    first.send(b"1".to_vec());
    assert_eq!(soon(first.next()).await.unwrap(), b"1\0");
    world.still_works().await;
    drop(second);
    (0..2).for_each(|_| first.send(b"2".to_vec()));
    // The reply may be waited for without a look at the flights before it.
    assert_eq!(soon(first.reply()).await, Ok(b"three".to_vec()));
}

#[tokio::test]
async fn a_connection_lost_between_two_flights_ends_both_ends() {
    let mut world = World::new().await;
    let mut asking = world.ask("until it ends").await;
    assert_eq!(soon(asking.next()).await.unwrap(), b"here");
    // Another connection of the same partner takes this one's place.
    let newer = Running::start(world.federation.node("fife"), world.listener.local_address(), "newer");
    assert_eq!(soon(asking.next()).await, None);
    assert_eq!(soon(asking.reply()).await, Err(AskFailure::Offline));
    assert_eq!(world.ended().await, "ran on to its end");
    let gone = soon(world.node.ask_with_flights(b"echo".to_vec(), NOON.plus_s(9))).await;
    assert_eq!(gone.err(), Some(AskFailure::Offline));
    drop(world.stop.take());
    newer.stop().await;
}

#[tokio::test]
async fn a_question_that_is_given_up_ends_the_nodes_flights() {
    let mut world = World::new().await;
    let mut asking = world.ask("until it ends").await;
    assert_eq!(soon(asking.next()).await.unwrap(), b"here");
    drop(asking);
    assert_eq!(world.ended().await, "ran on to its end");
    // Given up before the question was on its way.
    tokio::select! {
        biased;
        _ = world.node.ask_with_flights(b"ordinary".to_vec(), NOON.plus_s(600)) => panic!("too soon"),
        () = std::future::ready(()) => {}
    }
    // Given up while its reply is waited for.
    let mut asking = world.ask("until it ends").await;
    assert_eq!(soon(asking.next()).await.unwrap(), b"here");
    let reply = tokio::spawn(asking.reply());
    tokio::task::yield_now().await;
    reply.abort();
    assert_eq!(world.ended().await, "ran on to its end");
    world.still_works().await;
}

#[tokio::test]
async fn a_deadline_ends_flights_at_both_ends() {
    let mut world = World::new().await;
    let asking = soon(world.node.ask_with_flights(b"until it ends".to_vec(), NOON.plus_s(1))).await;
    let mut asking = asking.unwrap();
    assert_eq!(soon(asking.next()).await.unwrap(), b"here");
    assert_eq!(soon(asking.next()).await, None);
    assert_eq!(soon(asking.reply()).await, Err(AskFailure::Late));
    assert_eq!(world.ended().await, "ran on to its end");
    let passed = soon(world.node.ask_with_flights(b"echo".to_vec(), NOON)).await;
    assert_eq!(passed.err(), Some(AskFailure::Late));
    let too_long = soon(world.node.ask_with_flights(vec![0; 70_000], NOON.plus_s(9))).await;
    assert_eq!(too_long.err(), Some(AskFailure::TooLong));
}

#[tokio::test]
async fn more_flights_than_a_stream_may_have_break_their_question_off() {
    let mut world = World::new().await;
    assert_eq!(soon(world.ask("flood").await.reply()).await, broken_off());
    let mut asking = world.ask("acknowledge").await;
    for _ in 0..FLIGHTS_MAX {
        asking.send(vec![0]);
        assert_eq!(soon(asking.next()).await, Some(Vec::new()));
    }
    asking.send(Vec::new());
    assert_eq!(soon(asking.reply()).await, broken_off());
    let asking = world.ask("asleep").await;
    (0..17).for_each(|_| asking.send(vec![0; FLIGHT_BYTES_SUM_MAX / 16]));
    assert_eq!(soon(asking.reply()).await, broken_off());
    world.wake.notify_one();
    world.ended().await;
    let asking = world.ask("until it ends").await;
    asking.send(vec![0; Kind::Flight.bytes_max() + 1]);
    assert_eq!(soon(asking.reply()).await, Err(AskFailure::Broken(Close::TooLong)));
    world.still_works().await;
}

#[tokio::test]
async fn flights_that_nobody_takes_break_their_question_off() {
    let mut world = World::new().await;
    let mut check = async |flights: usize, bytes: usize, one_more: &[u8]| {
        let asking = world.ask("asleep").await;
        (0..flights).for_each(|_| asking.send(vec![0; bytes]));
        asking.send(one_more.to_vec());
        assert_eq!(soon(asking.reply()).await, broken_off(), "{flights} flights of {bytes} bytes");
        world.wake.notify_one();
        // As many as may wait are there when the program wakes.
        assert_eq!(world.ended().await, format!("took {flights}"));
        world.still_works().await;
    };
    check(FLIGHTS_UNREAD_MAX, 1, b"").await;
    check(FLIGHTS_UNREAD_MAX, 0, b"").await;
    check(4, FLIGHT_BYTES_UNREAD_MAX / 4, b"1").await;
    // The other way: a program at the coordinator that leaves the node's flights.
    let mut asking = world.ask("leave").await;
    assert_eq!(world.ended().await, "broken off");
    let mut waited = 0;
    while soon(asking.next()).await.is_some() {
        waited += 1;
    }
    assert_eq!((waited, soon(asking.reply()).await), (FLIGHTS_UNREAD_MAX, broken_off()));
}

/// A node whose certificate is good and whose program says what it is told.
struct RawNode {
    _federation: Federation,
    _listener: Listener,
    node: NodeHandle,
    dialled: Dialled,
    _control: (SendStream, RecvStream),
}

impl RawNode {
    async fn speaking(speaks: &[u16]) -> Self {
        let federation = Federation::new("demo");
        let mut listener = federation.listen();
        let identity = federation.node("fife");
        let at = listener.local_address().into();
        let dialled = soon(dial(identity.transport(), &at, &clock())).await.unwrap();
        let mut control = dialled.connection.open_bi().await.unwrap();
        let hello = Hello { role: Role::Node, speaks: speaks.to_vec(), program: String::new() };
        control.0.write_all(&Frame::Hello(hello).encode().unwrap()).await.unwrap();
        let node = soon(node_up(&mut listener)).await;
        Self { _federation: federation, _listener: listener, node, dialled, _control: control }
    }

    /// Answers one question without flights with these frames.
    async fn answer_ordinary(&self, frames: &[Frame]) -> Result<Vec<u8>, AskFailure> {
        let answers = async {
            let (mut send, mut receive) = self.dialled.connection.accept_bi().await.unwrap();
            // The side of an ordinary question ends after the QUESTION, as it always did.
            let question = receive.read_to_end(100_000).await.unwrap();
            assert_eq!(question[4], Kind::Question.number());
            for frame in frames {
                send.write_all(&frame.encode().unwrap()).await.unwrap();
            }
            let _ = send.finish();
        };
        let asks = self.node.ask(b"who".to_vec(), NOON.plus_s(600));
        soon(async { tokio::join!(asks, answers) }).await.0
    }
}

#[tokio::test]
async fn a_flight_on_an_ordinary_question_breaks_it_off() {
    let raw = RawNode::speaking(&[4, 5]).await;
    let (flight, reply) = (Frame::Flight(b"unasked".to_vec()), Frame::Reply(b"re".to_vec()));
    let broken = raw.answer_ordinary(&[flight, reply.clone()]).await;
    assert_eq!(broken, Err(AskFailure::Broken(Close::Unexpected)));
    assert_eq!(raw.answer_ordinary(&[reply]).await, Ok(b"re".to_vec()));
}

#[tokio::test]
async fn a_node_of_an_older_version_is_too_old_for_flights_and_still_asked_without() {
    let raw = RawNode::speaking(&[3, 4]).await;
    let asked = soon(raw.node.ask_with_flights(b"echo".to_vec(), NOON.plus_s(600))).await;
    assert_eq!(asked.err(), Some(AskFailure::TooOld));
    assert_eq!(raw.answer_ordinary(&[Frame::Reply(b"re".to_vec())]).await, Ok(b"re".to_vec()));
}

#[tokio::test]
async fn two_ends_in_memory_are_joined_until_one_is_dropped() {
    let (mut left, mut right) = Flights::joined();
    left.send(b"one".to_vec());
    right.send(b"two".to_vec());
    assert_eq!(right.next().await, Some(b"one".to_vec()));
    left.send(b"three".to_vec());
    assert_eq!(left.next().await, Some(b"two".to_vec()));
    drop(left);
    assert_eq!((right.next().await, right.next().await), (Some(b"three".to_vec()), None));
    assert_eq!(Flights::none().next().await, None);
}
