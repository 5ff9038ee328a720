//! A simulation: nodes, analysts and their coordinator's ends, joined by links that delay, interleave, repeat and break. One
//! list of operations, owned time, no socket.
//!
//! What must hold whatever happens: nothing panics; every question and every request ends exactly once; a reply that is
//! delivered is the one to the question that was asked, and so is each flight; the limits hold; and after long enough nothing is left open.

mod flights;
mod linkage;

use super::{
    After, AnalystEvent, AnalystSession, CoordinatorEvent, CoordinatorSession, Heard, NodeEvent, NodeSession,
    Now, OPEN_QUESTIONS_MAX, OPEN_REQUESTS_MAX, Output, Patience, Session, Stream,
};
use crate::close::Close;
use crate::error::AskFailure;
use crate::frame::{Accepted, Closing, Frame, Hello, LedgerEnd, Progress, Welcome};
use crate::identity::Role;
use cairn_question::{Moment, PartnerId, QuestionId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

const NOON: u64 = 1_767_614_400;

impl Stream {
    /// The same stream, as the other end numbers it.
    fn mirrored(self) -> Self {
        match self.0 {
            0 => Self::CONTROL,
            n if n % 2 == 1 => Self(n + 1),
            n => Self(n - 1),
        }
    }
}

/// One end of a link, with the bytes on their way to it.
struct Side<S: Session> {
    session: S,
    inbox: BTreeMap<Stream, VecDeque<Heard>>,
    /// Frames that were delivered before, to be delivered again.
    before: Vec<(Stream, Frame)>,
    events: Vec<S::Event>,
}

impl<S: Session> Side<S> {
    fn new(session: S) -> Self {
        Self { session, inbox: BTreeMap::new(), before: Vec::new(), events: Vec::new() }
    }

    /// Takes out what the session wants sent; `None` once it ends the connection.
    fn drain(&mut self) -> Option<Vec<Heard>> {
        let mut sent = Vec::new();
        let mut ended = false;
        while let Some(output) = self.session.poll() {
            assert!(!ended || matches!(output, Output::Event(_)), "nothing but events after the end");
            match output {
                Output::Open(stream, frame, after) => {
                    if stream != Stream::CONTROL {
                        sent.push(Heard::Opened(stream.mirrored()));
                    }
                    push(&mut sent, stream.mirrored(), frame, after);
                }
                Output::Send(stream, frame, after) => push(&mut sent, stream.mirrored(), frame, after),
                Output::Abort(stream, close) => sent.push(Heard::Ended(stream.mirrored(), Some(close))),
                Output::Done(_) => {}
                Output::End(_) => ended = true,
                Output::Event(event) => self.events.push(event),
            }
        }
        (!ended).then_some(sent)
    }

    fn take_in(&mut self, sent: Vec<Heard>) {
        for heard in sent {
            let (Heard::Opened(s) | Heard::Frame(s, _) | Heard::Broken(s, _) | Heard::Ended(s, _)) = &heard;
            self.inbox.entry(*s).or_default().push_back(heard);
        }
    }

    /// Delivers the next thing of the `nth` stream that has any.
    fn deliver(&mut self, nth: usize, now: Now) -> bool {
        let waiting: Vec<Stream> =
            self.inbox.iter().filter(|(_, q)| !q.is_empty()).map(|(s, _)| *s).collect();
        if waiting.is_empty() {
            return false;
        }
        let stream = waiting[nth % waiting.len()];
        let heard = self.inbox.get_mut(&stream).unwrap().pop_front().unwrap();
        if let Heard::Frame(stream, frame) = &heard {
            self.before.push((*stream, frame.clone()));
        }
        self.session.hear(heard, now);
        true
    }
}

fn push(sent: &mut Vec<Heard>, stream: Stream, frame: Frame, after: After) {
    sent.push(Heard::Frame(stream, frame));
    if after == After::Finish {
        sent.push(Heard::Ended(stream, None));
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// The coordinator asks the node.
    Ask { within_ms: u32 },
    /// The coordinator asks the node with flights.
    AskWithFlights { within_ms: u32 },
    /// The program at one end sends a flight of one of its open questions.
    Fly { side: u8, nth: usize },
    /// The node's program replies to one of the questions it is at work on.
    Reply { nth: usize },
    /// The analyst makes a request.
    Request { kind: u8 },
    /// The coordinator's program deals with one request.
    Serve { nth: usize, how: u8 },
    /// Something on its way arrives.
    Deliver { link: u8, side: u8, nth: usize },
    /// A frame that arrived before arrives again.
    Again { link: u8, side: u8, nth: usize },
    /// A frame that nobody sent arrives.
    Hostile { link: u8, side: u8, stream: u64, kind: usize },
    /// A link breaks, and the dialling end dials again.
    Break { link: u8 },
    /// Time passes.
    Pass { ms: u64 },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0_u32..90_000).prop_map(|within_ms| Op::Ask { within_ms }),
        3 => (0_u32..90_000).prop_map(|within_ms| Op::AskWithFlights { within_ms }),
        4 => (0_u8..2, any::<usize>()).prop_map(|(side, nth)| Op::Fly { side, nth }),
        3 => any::<usize>().prop_map(|nth| Op::Reply { nth }),
        3 => any::<u8>().prop_map(|kind| Op::Request { kind }),
        3 => (any::<usize>(), any::<u8>()).prop_map(|(nth, how)| Op::Serve { nth, how }),
        20 => (0_u8..2, 0_u8..2, any::<usize>()).prop_map(|(link, side, nth)| Op::Deliver { link, side, nth }),
        1 => (0_u8..2, 0_u8..2, any::<usize>()).prop_map(|(link, side, nth)| Op::Again { link, side, nth }),
        1 => (0_u8..2).prop_map(|link| Op::Break { link }),
        1 => (0_u64..20_000).prop_map(|ms| Op::Pass { ms }),
    ];
    prop::collection::vec(op, 0..300)
}

fn hostile_ops() -> impl Strategy<Value = Vec<Op>> {
    let hostile = (0_u8..2, 0_u8..2, 0_u64..8, any::<usize>())
        .prop_map(|(link, side, stream, kind)| Op::Hostile { link, side, stream, kind });
    (ops(), prop::collection::vec((any::<prop::sample::Index>(), hostile), 0..20)).prop_map(
        |(mut ops, hostile)| {
            for (at, op) in hostile {
                ops.insert(at.index(ops.len() + 1), op);
            }
            ops
        },
    )
}

/// One node and one analyst, each on a link of its own to the coordinator.
struct World {
    passed: Duration,
    /// Frames arrive that nobody sent.
    hostile: bool,
    /// How many connections have ended.
    broken: u64,
    node: Side<NodeSession>,
    to_node: Side<CoordinatorSession>,
    analyst: Side<AnalystSession>,
    to_analyst: Side<CoordinatorSession>,
    node_began: Duration,
    analyst_began: Duration,
    /// Questions that were sent over this connection and have not ended, with their bytes.
    asked: BTreeMap<Stream, Vec<u8>>,
    asks: u64,
    ended: u64,
    replied: u64,
    at_work: Vec<(Stream, Vec<u8>)>,
    requested: BTreeSet<Stream>,
    requests: u64,
    requests_ended: u64,
    serving: Vec<Stream>,
}

impl World {
    fn new() -> Self {
        let now = Now { since_start: Duration::ZERO, at: Moment::from_unix_s(NOON) };
        Self {
            passed: Duration::ZERO,
            hostile: false,
            broken: 0,
            node: Side::new(NodeSession::dial(now)),
            to_node: Side::new(CoordinatorSession::accept(Role::Node, Patience::default(), now)),
            analyst: Side::new(AnalystSession::dial(now)),
            to_analyst: Side::new(CoordinatorSession::accept(Role::Analyst, Patience::default(), now)),
            node_began: Duration::ZERO,
            analyst_began: Duration::ZERO,
            asked: BTreeMap::new(),
            asks: 0,
            ended: 0,
            replied: 0,
            at_work: Vec::new(),
            requested: BTreeSet::new(),
            requests: 0,
            requests_ended: 0,
            serving: Vec::new(),
        }
    }

    fn now(&self, began: Duration) -> Now {
        let at = Moment::from_unix_s(NOON + self.passed.as_secs());
        Now { since_start: self.passed.checked_sub(began).unwrap(), at }
    }

    fn run(&mut self, op: &Op) {
        let (node_now, analyst_now) = (self.now(self.node_began), self.now(self.analyst_began));
        match *op {
            Op::Ask { within_ms } => self.ask(within_ms, After::Finish, node_now),
            Op::AskWithFlights { within_ms } => self.ask(within_ms, After::More, node_now),
            Op::Fly { side: 0, nth } if !self.at_work.is_empty() => {
                let (stream, ask) = &self.at_work[nth % self.at_work.len()];
                self.node.session.flight(*stream, [b"of: ", ask.as_slice()].concat());
            }
            Op::Fly { side: 1, nth } if !self.asked.is_empty() => {
                let (stream, ask) = self.asked.iter().nth(nth % self.asked.len()).unwrap();
                self.to_node.session.flight(*stream, [b"of: ", ask.as_slice()].concat());
            }
            Op::Reply { nth } if !self.at_work.is_empty() => {
                let (stream, ask) = self.at_work.remove(nth % self.at_work.len());
                self.node.session.reply(stream, [b"re: ", ask.as_slice()].concat());
            }
            Op::Request { kind } => self.request(kind, analyst_now),
            Op::Serve { nth, how } if !self.serving.is_empty() => self.serve(nth, how),
            Op::Deliver { link: 0, side: 0, nth } => _ = self.node.deliver(nth, node_now),
            Op::Deliver { link: 0, nth, .. } => _ = self.to_node.deliver(nth, node_now),
            Op::Deliver { side: 0, nth, .. } => _ = self.analyst.deliver(nth, analyst_now),
            Op::Deliver { nth, .. } => _ = self.to_analyst.deliver(nth, analyst_now),
            Op::Again { link: 0, side: 0, nth } => again(&mut self.node, nth, node_now),
            Op::Again { link: 0, nth, .. } => again(&mut self.to_node, nth, node_now),
            Op::Again { side: 0, nth, .. } => again(&mut self.analyst, nth, analyst_now),
            Op::Again { nth, .. } => again(&mut self.to_analyst, nth, analyst_now),
            Op::Hostile { link, side, stream, kind } => self.hostile(link, side, Stream(stream), kind),
            Op::Break { link: 0 } => self.break_node(),
            Op::Break { .. } => self.break_analyst(),
            Op::Pass { ms } => self.pass(Duration::from_millis(ms)),
            Op::Fly { .. } | Op::Reply { .. } | Op::Serve { .. } => {}
        }
        self.settle();
    }

    fn ask(&mut self, within_ms: u32, after: After, now: Now) {
        let ask = format!("question {}", self.asks).into_bytes();
        let within = Duration::from_millis(u64::from(within_ms));
        let sent = match after {
            After::Finish => self.to_node.session.ask(ask.clone(), within, now),
            After::More => self.to_node.session.ask_with_flights(ask.clone(), within, now),
        };
        match sent {
            Ok(stream) => {
                self.asks += 1;
                assert!(self.asked.insert(stream, ask).is_none());
            }
            Err(AskFailure::Busy) => assert_eq!(self.asked.len(), OPEN_QUESTIONS_MAX),
            Err(AskFailure::Late) => assert_eq!(within_ms, 0),
            Err(AskFailure::Offline) => assert_eq!(self.to_node.session.open(), 0),
            Err(other) => panic!("{other}"),
        }
    }

    fn request(&mut self, kind: u8, now: Now) {
        let sent = match kind % 3 {
            0 => self.analyst.session.ask(b"ask".to_vec(), now),
            1 => self.analyst.session.fetch(QuestionId::from_bytes([3; 32]), now),
            _ => self.analyst.session.register(now),
        };
        match sent {
            Ok(stream) => {
                self.requests += 1;
                assert!(self.requested.insert(stream));
            }
            Err(Close::TooMany) => assert_eq!(self.requested.len(), OPEN_REQUESTS_MAX),
            Err(Close::GoingAway) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn serve(&mut self, nth: usize, how: u8) {
        let at = nth % self.serving.len();
        let (stream, session) = (self.serving[at], &mut self.to_analyst.session);
        let question = QuestionId::from_bytes([3; 32]);
        match how % 5 {
            0 => return session.accepted(stream, Accepted { question, within_ms: 20_000, asked: 1 }),
            1 => return session.progress(stream, Progress { asked: 1, replied: 0, offline: 0 }),
            2 => {
                let replies = vec![(PartnerId::new("fife").unwrap(), b"reply".to_vec())];
                session.result(stream, replies, b"coverage".to_vec());
            }
            3 => session.register(stream, b"register".to_vec()),
            _ => session.decline(stream, &Closing { code: "CO101".into(), says: "no".repeat(4_000) }),
        }
        self.serving.remove(at);
    }

    fn hostile(&mut self, link: u8, side: u8, stream: Stream, kind: usize) {
        let frames = [
            Frame::Hello(Hello::ours(Role::Node)),
            Frame::Welcome(Welcome { version: 1, at: Moment::from_unix_s(0) }),
            Frame::Welcome(Welcome { version: 9, at: Moment::from_unix_s(NOON) }),
            Frame::Question { within_ms: 0, ask: Vec::new() },
            Frame::Reply(b"forged".to_vec()),
            Frame::Ask(Vec::new()),
            Frame::ResultReply { partner: PartnerId::new("fife").unwrap(), reply: Vec::new() },
            Frame::ResultCoverage(Vec::new()),
            Frame::PolicyCard(b"forged".to_vec()),
            Frame::Flight(b"forged".to_vec()),
            Frame::Close(Closing { code: "XX".into(), says: String::new() }),
            Frame::Close(Close::Late.into()),
        ];
        let heard = match kind % (frames.len() + 3) {
            0 => Heard::Opened(stream),
            1 => Heard::Ended(stream, None),
            2 => Heard::Broken(stream, crate::frame::FrameError::UnknownKind(9)),
            n => Heard::Frame(stream, frames[n - 3].clone()),
        };
        let (node_now, analyst_now) = (self.now(self.node_began), self.now(self.analyst_began));
        match (link, side) {
            (0, 0) => self.node.session.hear(heard, node_now),
            (0, _) => self.to_node.session.hear(heard, node_now),
            (_, 0) => self.analyst.session.hear(heard, analyst_now),
            _ => self.to_analyst.session.hear(heard, analyst_now),
        }
    }

    fn break_node(&mut self) {
        self.broken += 1;
        self.node.session.lost(None);
        self.to_node.session.lost(None);
        self.note();
        assert!(self.asked.is_empty(), "a lost link ends every question");
        self.at_work.clear();
        self.node_began = self.passed;
        let now = self.now(self.node_began);
        self.node = Side::new(NodeSession::dial(now));
        self.to_node = Side::new(CoordinatorSession::accept(Role::Node, Patience::default(), now));
    }

    fn break_analyst(&mut self) {
        self.broken += 1;
        self.analyst.session.lost(None);
        self.to_analyst.session.lost(None);
        self.note();
        assert!(self.requested.is_empty(), "a lost link ends every request");
        self.serving.clear();
        self.analyst_began = self.passed;
        let now = self.now(self.analyst_began);
        self.analyst = Side::new(AnalystSession::dial(now));
        self.to_analyst = Side::new(CoordinatorSession::accept(Role::Analyst, Patience::default(), now));
    }

    fn pass(&mut self, by: Duration) {
        self.passed += by;
        let (node_now, analyst_now) = (self.now(self.node_began), self.now(self.analyst_began));
        self.node.session.tick(node_now);
        self.to_node.session.tick(node_now);
        self.analyst.session.tick(analyst_now);
        self.to_analyst.session.tick(analyst_now);
        for (deadline, now) in [
            (self.node.session.next_deadline(), node_now),
            (self.to_node.session.next_deadline(), node_now),
            (self.analyst.session.next_deadline(), analyst_now),
            (self.to_analyst.session.next_deadline(), analyst_now),
        ] {
            assert!(deadline.is_none_or(|d| d > now.since_start), "a deadline that has passed was acted on");
        }
    }

    /// Puts on its way what was sent, breaks a link that one end gave up, and takes in the events.
    fn settle(&mut self) {
        match (self.node.drain(), self.to_node.drain()) {
            (Some(up), Some(down)) => {
                self.to_node.take_in(up);
                self.node.take_in(down);
            }
            _ => self.break_node(),
        }
        match (self.analyst.drain(), self.to_analyst.drain()) {
            (Some(up), Some(down)) => {
                self.to_analyst.take_in(up);
                self.analyst.take_in(down);
            }
            _ => self.break_analyst(),
        }
        self.note();
        // What the coordinator said to a node that has just been welcomed.
        if let Some(down) = self.to_node.drain() {
            self.node.take_in(down);
        }
        assert!(self.node.session.open_questions() <= OPEN_QUESTIONS_MAX);
        assert!(self.to_analyst.session.open() <= OPEN_REQUESTS_MAX);
    }

    fn note(&mut self) {
        // The last outputs of sessions that were lost are events.
        while let Some(Output::Event(event)) = self.to_node.session.poll() {
            self.to_node.events.push(event);
        }
        while let Some(Output::Event(event)) = self.analyst.session.poll() {
            self.analyst.events.push(event);
        }
        for event in std::mem::take(&mut self.node.events) {
            match event {
                NodeEvent::Question { stream, ask, .. } => self.at_work.push((stream, ask)),
                NodeEvent::Flight { stream, body } => {
                    let ask = self.at_work.iter().find(|(s, _)| *s == stream).map(|(_, ask)| ask);
                    self.check_flight(ask.expect("a flight is of an open question"), &body.0);
                }
                NodeEvent::Dropped(stream) => self.at_work.retain(|(s, _)| *s != stream),
                _ => {}
            }
        }
        for event in std::mem::take(&mut self.to_node.events) {
            if matches!(event, CoordinatorEvent::Ready) {
                self.to_node.session.held(None);
            }
            if let CoordinatorEvent::Flight { stream, body } = &event {
                let ask = self.asked.get(stream).expect("a flight is of an open question");
                self.check_flight(ask, &body.0);
            }
            if let CoordinatorEvent::Replied { stream, reply } = event {
                let ask = self.asked.remove(&stream).expect("a question ends once");
                self.ended += 1;
                if let Ok(reply) = reply {
                    self.replied += 1;
                    // The last two follow from a hostile reply and a hostile question.
                    let right = reply == [b"re: ", ask.as_slice()].concat();
                    assert!(
                        right || self.hostile && [b"forged".as_slice(), b"re: "].contains(&reply.as_slice())
                    );
                }
            }
        }
        for event in std::mem::take(&mut self.to_analyst.events) {
            match event {
                CoordinatorEvent::Asked { stream, .. }
                | CoordinatorEvent::Fetched { stream, .. }
                | CoordinatorEvent::RegisterWanted { stream } => self.serving.push(stream),
                CoordinatorEvent::Dropped(stream) => self.serving.retain(|s| *s != stream),
                _ => {}
            }
        }
        for event in std::mem::take(&mut self.analyst.events) {
            if let AnalystEvent::Result(stream, ..)
            | AnalystEvent::Register(stream, _)
            | AnalystEvent::Declined(stream, _)
            | AnalystEvent::Failed(stream, _) = event
            {
                assert!(self.requested.remove(&stream), "a request ends once");
                self.requests_ended += 1;
            }
        }
    }

    /// A flight comes out on the question that it was sent on, both ways.
    fn check_flight(&self, ask: &[u8], body: &[u8]) {
        assert!(body == [b"of: ", ask].concat() || self.hostile);
    }

    /// After the longest deadline nothing is open, whatever was lost on the way.
    fn end(&mut self) {
        self.run(&Op::Pass { ms: 200_000 });
        self.run(&Op::Pass { ms: 200_000 });
        assert!(self.asked.is_empty() && self.requested.is_empty(), "nothing is left open");
        assert_eq!((self.asks, self.requests), (self.ended, self.requests_ended));
    }

    /// Delivers everything that is on its way.
    fn deliver_all(&mut self) {
        loop {
            let (node_now, analyst_now) = (self.now(self.node_began), self.now(self.analyst_began));
            let moved = [
                self.node.deliver(0, node_now),
                self.to_node.deliver(0, node_now),
                self.analyst.deliver(0, analyst_now),
                self.to_analyst.deliver(0, analyst_now),
            ];
            self.settle();
            if !moved.contains(&true) {
                return;
            }
        }
    }
}

fn again<S: Session>(side: &mut Side<S>, nth: usize, now: Now) {
    if !side.before.is_empty() {
        let (stream, frame) = side.before[nth % side.before.len()].clone();
        side.session.hear(Heard::Frame(stream, frame), now);
    }
}

proptest! {
    #[test]
    fn on_bad_links_everything_ends_once(ops in ops()) {
        let mut world = World::new();
        world.settle();
        for op in &ops {
            world.run(op);
        }
        world.end();
    }

    #[test]
    fn whatever_anybody_sends_everything_ends_once(ops in hostile_ops()) {
        let mut world = World::new();
        world.hostile = true;
        world.settle();
        for op in &ops {
            world.run(op);
        }
        world.end();
    }

    #[test]
    fn in_whatever_order_streams_arrive_no_connection_ends(ops in ops()) {
        let mut world = World::new();
        world.settle();
        let good = |op: &&Op| !matches!(op, Op::Break { .. } | Op::Again { .. } | Op::Pass { .. });
        for op in ops.iter().filter(good) {
            world.run(op);
        }
        prop_assert_eq!(world.broken, 0);
        world.end();
    }

    #[test]
    fn on_good_links_every_question_is_replied_to(asks in 1_u64..=64) {
        let mut world = World::new();
        world.settle();
        world.deliver_all();
        for _ in 0..asks {
            world.run(&Op::Ask { within_ms: 1_000 });
        }
        world.deliver_all();
        for _ in 0..asks {
            world.run(&Op::Reply { nth: 3 });
        }
        world.deliver_all();
        prop_assert_eq!((world.asks, world.replied), (asks, asks));
        world.end();
    }
}

#[test]
fn a_question_too_many_is_busy_and_one_too_late_is_late() {
    let mut world = World::new();
    world.settle();
    world.deliver_all();
    for _ in 0..OPEN_QUESTIONS_MAX {
        world.run(&Op::Ask { within_ms: 1_000 });
    }
    let now = world.now(Duration::ZERO);
    let busy = world.to_node.session.ask(Vec::new(), Duration::from_secs(1), now);
    assert_eq!(busy, Err(AskFailure::Busy));
    world.run(&Op::Pass { ms: 999 });
    assert_eq!(world.ended, 0);
    world.run(&Op::Pass { ms: 1 });
    assert_eq!(world.ended, 64, "the deadline is the deadline");
}

fn control(frame: Frame) -> Heard {
    Heard::Frame(Stream::CONTROL, frame)
}

/// A coordinator's side, with a node that speaks these versions.
fn with_node(speaks: &[u16]) -> CoordinatorSession {
    let mut session = CoordinatorSession::accept(Role::Node, Patience::default(), now(0));
    let hello = Hello { role: Role::Node, speaks: speaks.to_vec(), program: String::new() };
    session.hear(control(Frame::Hello(hello)), now(0));
    session
}

fn now(ms: u64) -> Now {
    Now { since_start: Duration::from_millis(ms), at: Moment::from_unix_s(NOON) }
}

fn ends_with<S: Session>(session: &mut S) -> Option<Close> {
    std::iter::from_fn(|| session.poll()).find_map(|o| match o {
        Output::End(close) => Some(close),
        _ => None,
    })
}

#[test]
fn how_hello_fails() {
    let check = |role: Role, heard: Heard, expect: Option<Close>| {
        let mut session = CoordinatorSession::accept(role, Patience::default(), now(0));
        let shown = format!("{heard:?}");
        session.hear(heard, now(1));
        assert_eq!(ends_with(&mut session), expect, "{shown}");
    };
    let hello = |role, speaks: &[u16]| {
        Heard::Frame(
            Stream::CONTROL,
            Frame::Hello(Hello { role, speaks: speaks.to_vec(), program: String::new() }),
        )
    };
    check(Role::Node, hello(Role::Node, &[1]), None);
    check(Role::Node, hello(Role::Node, &[7, 1]), None);
    check(Role::Node, hello(Role::Node, &[0, 9]), Some(Close::NoSharedVersion));
    check(Role::Analyst, hello(Role::Node, &[1]), Some(Close::OtherRole));
    check(Role::Node, hello(Role::Coordinator, &[1]), Some(Close::OtherRole));
    check(Role::Node, Heard::Opened(Stream::theirs(0)), Some(Close::Unexpected));
    check(Role::Node, Heard::Frame(Stream::CONTROL, Frame::Ask(Vec::new())), Some(Close::Unexpected));
    check(Role::Node, Heard::Ended(Stream::CONTROL, None), Some(Close::GoingAway));

    let mut slow = CoordinatorSession::accept(Role::Node, Patience::default(), now(0));
    slow.tick(now(9_999));
    assert_eq!(ends_with(&mut slow), None);
    slow.tick(now(10_000));
    assert_eq!(ends_with(&mut slow), Some(Close::TooSlow));
}

#[test]
fn a_wrong_clock_is_named() {
    let mut node = NodeSession::dial(now(0));
    let welcome = Welcome { version: 1, at: Moment::from_unix_s(NOON - 47 * 60) };
    node.hear(Heard::Frame(Stream::CONTROL, Frame::Welcome(welcome)), now(5));
    let outputs: Vec<_> = std::iter::from_fn(|| node.poll()).collect();
    assert!(outputs.iter().any(|o| matches!(o, Output::Event(NodeEvent::WrongClock { apart_min: 47 }))));
    assert!(outputs.iter().any(|o| matches!(o, Output::End(Close::Clock))));
}

#[test]
fn a_card_goes_only_where_the_version_has_it_and_only_so_often() {
    let card = || Heard::Frame(Stream::CONTROL, Frame::PolicyCard(b"card".to_vec()));
    let sends = |version: u16| {
        let mut node = NodeSession::dial(now(0));
        node.card(b"before the welcome".to_vec());
        let welcome = Frame::Welcome(Welcome { version, at: Moment::from_unix_s(NOON) });
        node.hear(Heard::Frame(Stream::CONTROL, welcome), now(5));
        node.card(b"card".to_vec());
        let sent = std::iter::from_fn(|| node.poll()).filter_map(|o| match o {
            Output::Send(Stream::CONTROL, Frame::PolicyCard(card), After::More) => Some(card),
            _ => None,
        });
        sent.collect::<Vec<_>>()
    };
    assert_eq!((sends(1).len(), sends(2)), (0, vec![b"card".to_vec()]));

    let welcomed = |role: Role, speaks: &[u16]| {
        let mut session = CoordinatorSession::accept(role, Patience::default(), now(0));
        let hello = Hello { role, speaks: speaks.to_vec(), program: String::new() };
        session.hear(Heard::Frame(Stream::CONTROL, Frame::Hello(hello)), now(0));
        session
    };
    let ends = |session: &mut CoordinatorSession, at: u64| {
        session.hear(card(), now(at));
        std::iter::from_fn(|| session.poll())
            .find_map(|o| if let Output::End(c) = o { Some(c) } else { None })
    };
    assert_eq!(ends(&mut welcomed(Role::Node, &[1]), 1), Some(Close::Unexpected));
    assert_eq!(ends(&mut welcomed(Role::Analyst, &[1, 2]), 1), Some(Close::Unexpected));
    let mut node = welcomed(Role::Node, &[1, 2]);
    for minute in 0..3 {
        for _ in 0..super::coordinator::CARDS_PER_MINUTE_MAX {
            assert_eq!(ends(&mut node, minute * 60_000), None);
        }
    }
    assert_eq!(ends(&mut node, 179_999), Some(Close::TooMany));
}

#[test]
fn a_node_hears_what_is_held_before_it_takes_up_a_question_and_only_then_says_its_own() {
    let welcome = |version: u16| control(Frame::Welcome(Welcome { version, at: Moment::from_unix_s(NOON) }));
    let told = |node: &mut NodeSession| {
        let said = std::iter::from_fn(|| node.poll()).filter_map(|output| match output {
            Output::Event(NodeEvent::Welcomed { held }) => Some(format!(
                "welcomed, {}",
                held.map_or("none".into(), |held| held.escape_ascii().to_string())
            )),
            Output::Event(NodeEvent::Question { ask, .. }) => Some(ask.escape_ascii().to_string()),
            Output::Send(Stream::CONTROL, Frame::Checkpoint(end), _) => {
                Some(format!("sends {}", end.escape_ascii()))
            }
            Output::End(close) => Some(format!("{close:?}")),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let question = || Frame::Question { within_ms: 1_000, ask: b"ask".to_vec() };
    let mut node = NodeSession::dial(now(0));
    node.hear(welcome(3), now(1));
    node.checkpoint(b"too early".to_vec());
    node.hear(Heard::Opened(Stream::theirs(0)), now(2));
    node.hear(Heard::Frame(Stream::theirs(0), question()), now(2));
    assert_eq!(told(&mut node), Vec::<String>::new());
    node.hear(control(Frame::Checkpoint(b"held".to_vec())), now(3));
    node.checkpoint(b"own".to_vec());
    assert_eq!(told(&mut node), ["welcomed, held", "ask", "sends own"]);
    node.hear(control(Frame::Checkpoint(b"again".to_vec())), now(4));
    assert_eq!(told(&mut node), ["Unexpected"]);

    // None is held; an older coordinator holds none; one that never says is not waited for longer than for a WELCOME.
    let mut first = NodeSession::dial(now(0));
    first.hear(welcome(3), now(1));
    first.hear(control(Frame::Checkpoint(Vec::new())), now(1));
    assert_eq!(told(&mut first), ["welcomed, none"]);
    let mut older = NodeSession::dial(now(0));
    older.hear(welcome(2), now(1));
    older.checkpoint(b"own".to_vec());
    assert_eq!(told(&mut older), ["welcomed, none"]);
    let mut silent = NodeSession::dial(now(0));
    silent.hear(welcome(3), now(1));
    silent.tick(now(10_000));
    assert_eq!(told(&mut silent), ["TooSlow"]);
}

#[test]
fn a_coordinator_says_once_what_it_holds_and_hears_no_end_before() {
    let sends = |session: &mut CoordinatorSession| {
        let sent = std::iter::from_fn(|| session.poll()).filter_map(|output| match output {
            Output::Send(_, Frame::Checkpoint(held), _) => Some(format!("holds {}", held.escape_ascii())),
            Output::Event(CoordinatorEvent::Checkpoint(end)) => Some(format!("hears {}", end.escape_ascii())),
            Output::End(close) => Some(format!("{close:?}")),
            _ => None,
        });
        sent.collect::<Vec<_>>()
    };
    let own = || control(Frame::Checkpoint(b"own".to_vec()));
    let mut session = with_node(&[2, 3]);
    session.held(Some(b"held".to_vec()));
    session.held(Some(b"twice".to_vec()));
    session.hear(own(), now(1));
    assert_eq!(sends(&mut session), ["holds held", "hears own"]);
    let mut session = with_node(&[2]);
    session.held(None);
    assert_eq!(sends(&mut session), Vec::<String>::new());
    let mut session = with_node(&[3]);
    session.hear(own(), now(1));
    assert_eq!(sends(&mut session), ["Unexpected"], "before it was told");
    let mut session = with_node(&[3]);
    session.held(None);
    for _ in 0..=super::coordinator::ends::CHECKPOINTS_PER_MINUTE_MAX {
        session.hear(own(), now(1));
    }
    assert_eq!(sends(&mut session).last().map(String::as_str), Some("TooMany"));
}

fn end_of(partner: &str, end: &str) -> LedgerEnd {
    LedgerEnd { partner: PartnerId::new(partner).unwrap(), checkpoint: end.as_bytes().to_vec() }
}

#[test]
fn a_node_of_version_four_keeps_ends_of_others_and_hears_of_its_own_again() {
    let welcomed = |version: u16| {
        let mut node = NodeSession::dial(now(0));
        node.kept(end_of("fife", "too early"));
        let welcome = Frame::Welcome(Welcome { version, at: Moment::from_unix_s(NOON) });
        node.hear(control(welcome), now(1));
        node.hear(control(Frame::Checkpoint(Vec::new())), now(1));
        node
    };
    let told = |node: &mut NodeSession| {
        let said = std::iter::from_fn(|| node.poll()).filter_map(|output| match output {
            Output::Event(NodeEvent::Held(end)) => Some(format!("held {}", end.escape_ascii())),
            Output::Event(NodeEvent::Keep(end)) => {
                Some(format!("keep {} {}", end.partner, end.checkpoint.escape_ascii()))
            }
            Output::Send(_, Frame::Kept(end), _) => {
                Some(format!("kept {} {}", end.partner, end.checkpoint.escape_ascii()))
            }
            Output::End(close) => Some(format!("{close:?}")),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let keep = || control(Frame::Keep(end_of("angus", "new")));
    let mut node = welcomed(4);
    node.kept(end_of("angus", "old"));
    node.hear(keep(), now(2));
    node.hear(control(Frame::Checkpoint(b"other".to_vec())), now(2));
    assert_eq!(told(&mut node), ["kept angus old", "keep angus new", "held other"]);
    for _ in 2..super::node::ENDS_PER_MINUTE_MAX {
        node.hear(keep(), now(3));
    }
    assert!(told(&mut node).iter().all(|said| said == "keep angus new"));
    node.hear(keep(), now(59_000));
    assert_eq!(told(&mut node), ["TooMany"]);

    let mut older = welcomed(3);
    older.kept(end_of("angus", "old"));
    assert_eq!(told(&mut older), Vec::<String>::new());
    older.hear(keep(), now(2));
    assert_eq!(told(&mut older), ["Unexpected"]);
}

#[test]
fn a_coordinator_gives_ends_to_nodes_of_version_four_and_hears_what_they_keep() {
    let told = |session: &mut CoordinatorSession| {
        let said = std::iter::from_fn(|| session.poll()).filter_map(|output| match output {
            Output::Send(_, Frame::Checkpoint(held), _) => Some(format!("holds {}", held.escape_ascii())),
            Output::Send(_, Frame::Keep(end), _) => Some(format!("keep {}", end.partner)),
            Output::Event(CoordinatorEvent::Kept(end)) => Some(format!("kept {}", end.partner)),
            Output::End(close) => Some(format!("{close:?}")),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let kept = || control(Frame::Kept(end_of("angus", "end")));
    let mut session = with_node(&[3, 4]);
    session.keep(end_of("angus", "before it was told of its own"));
    session.held(None);
    session.keep(end_of("angus", "end"));
    session.held(None);
    session.held(Some(b"another".to_vec()));
    session.hear(kept(), now(1));
    assert_eq!(told(&mut session), ["holds ", "keep angus", "holds another", "kept angus"]);

    let mut older = with_node(&[2, 3]);
    older.held(None);
    older.keep(end_of("angus", "end"));
    assert_eq!(told(&mut older), ["holds "]);
    older.hear(kept(), now(1));
    assert_eq!(told(&mut older), ["Unexpected"]);
    let mut early = with_node(&[4]);
    early.hear(kept(), now(1));
    assert_eq!(told(&mut early), ["Unexpected"], "before it was told");
}

#[test]
fn a_stream_that_is_opened_and_left_is_broken_off_in_time() {
    let mut session = CoordinatorSession::accept(Role::Analyst, Patience::default(), now(0));
    session.hear(Heard::Frame(Stream::CONTROL, Frame::Hello(Hello::ours(Role::Analyst))), now(1));
    for n in 0..=16 {
        session.hear(Heard::Opened(Stream::theirs(n)), now(2));
    }
    let aborted = |session: &mut CoordinatorSession| -> Vec<(Stream, Close)> {
        std::iter::from_fn(|| session.poll())
            .filter_map(|o| if let Output::Abort(s, c) = o { Some((s, c)) } else { None })
            .collect()
    };
    assert_eq!(aborted(&mut session), [(Stream::theirs(16), Close::TooMany)]);
    assert_eq!(session.next_deadline(), Some(Duration::from_millis(10_002)));
    session.tick(now(10_002));
    let slow = aborted(&mut session);
    assert_eq!(slow.len(), 16);
    assert!(slow.iter().all(|(_, c)| *c == Close::TooSlow));
    assert_eq!(session.open(), 0);
}

#[test]
fn a_partner_twice_in_a_result_is_not_taken() {
    let mut session = AnalystSession::dial(now(0));
    let welcome = Frame::Welcome(Welcome { version: 1, at: Moment::from_unix_s(NOON) });
    session.hear(Heard::Frame(Stream::CONTROL, welcome), now(1));
    let stream = session.ask(Vec::new(), now(2)).unwrap();
    for _ in 0..2 {
        let twice = Frame::ResultReply { partner: PartnerId::new("fife").unwrap(), reply: Vec::new() };
        session.hear(Heard::Frame(stream, twice), now(3));
    }
    let failed = std::iter::from_fn(|| session.poll())
        .any(|o| matches!(o, Output::Event(AnalystEvent::Failed(_, Some(Close::Unexpected)))));
    assert!(failed);
}
