//! A node's end of its connection.

mod flights;
mod linkage;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::flights::{Body, FLIGHT_BYTES_SUM_MAX, Passed};
use super::{
    After, CLOCK_SKEW_S, HELLO_WITHIN, Heard, Now, OPEN_QUESTIONS_MAX, Output, REQUEST_WITHIN, Session,
    Stream, StreamSide, counted, millis,
};
use crate::close::Close;
use crate::frame::{
    CARDS_FROM, CHECKPOINTS_FROM, FLIGHTS_FROM, Frame, HOLDERS_FROM, Handed, Hello, Kind, LedgerEnd,
    VERSIONS, Welcome,
};
use crate::identity::Role;

/// A node's end: it has dialled, waits to be welcomed, and then replies to questions, each on its own stream.
pub struct NodeSession {
    state: State,
    out: VecDeque<Output<NodeEvent>>,
}

/// What a node's session tells the program.
#[derive(Debug)]
#[non_exhaustive]
pub enum NodeEvent {
    /// The coordinator has welcomed this node, and said which end of its ledger it holds: its exact bytes, or `None` where it holds none
    /// or speaks an older version. Comes before any question.
    Welcomed {
        /// The signed checkpoint.
        held: Option<Vec<u8>>,
    },
    /// Another end of this node's ledger has turned up, after the WELCOME: the signed checkpoint's exact bytes.
    Held(Vec<u8>),
    /// The end of another partner's ledger is to be kept here.
    Keep(LedgerEnd),
    /// The federation's register, as the coordinator has it: the signed document's exact bytes.
    Register(Vec<u8>),
    /// A flight of the linkage secret's hand-over.
    Linkage(Handed),
    /// A question has come, and wants [`NodeSession::reply`].
    Question {
        /// Its stream.
        stream: Stream,
        /// The signed question's exact bytes.
        ask: Vec<u8>,
        /// How long the coordinator waits.
        within: Duration,
    },
    /// A flight of a question that is at work has come.
    Flight {
        /// Its stream.
        stream: Stream,
        /// What it says.
        body: Body,
    },
    /// No flight follows on this stream, and none that is sent is taken: the question was asked without. The reply is still wanted.
    FlightsEnded(Stream),
    /// Nobody waits for the reply on this stream any more.
    Dropped(Stream),
    /// The clocks are too far apart: by so many minutes. The connection ends.
    WrongClock {
        /// How far, in whole minutes.
        apart_min: u64,
    },
}

enum State {
    /// Streams of QUIC are not ordered among each other, so a question may be here before the WELCOME that was sent
    /// before it: what is heard on its stream is kept until then.
    ExpectWelcome(ExpectWelcome, Vec<Heard>),
    /// Welcomed by a coordinator that holds checkpoints: no question is taken up before its CHECKPOINT, so that a restored backup
    /// answers nothing.
    ExpectCheckpoint(ExpectCheckpoint, Vec<Heard>),
    Answering(Answering),
    Over,
}

/// HELLO is sent. Shared with the analyst's end, which begins in the same way.
pub(super) struct ExpectWelcome {
    pub(super) until: Duration,
}

/// HELLO is sent, and the WELCOME is here.
struct ExpectCheckpoint {
    until: Duration,
    version: u16,
}

/// What a WELCOME leads to.
pub(super) enum Greeted {
    Welcome { version: u16 },
    WrongClock { apart_min: u64 },
    Close(Close),
}

struct Answering {
    /// Of the protocol, as welcomed.
    version: u16,
    /// The minute of the last end that was heard, and how many came in it.
    ends: (u64, u32),
    /// The same of the linkage secret's hand-over.
    linkage: (u64, u32),
    streams: BTreeMap<Stream, Question>,
}

enum Question {
    /// The stream is open, the question not whole yet.
    Arriving { until: Duration },
    /// The program is at work on it.
    AtWork {
        until: Duration,
        /// Its flights; absent where none may pass.
        passed: Option<Passed>,
    },
}

impl NodeSession {
    /// Begins with a HELLO.
    #[must_use]
    pub fn dial(now: Now) -> Self {
        let hello = Frame::Hello(Hello::ours(Role::Node));
        let out = [Output::Open(Stream::CONTROL, hello, After::More)].into();
        Self {
            state: State::ExpectWelcome(ExpectWelcome { until: now.since_start + HELLO_WITHIN }, Vec::new()),
            out,
        }
    }

    /// Sends the reply to a question, unless nobody waits for it any more.
    pub fn reply(&mut self, stream: Stream, reply: Vec<u8>) {
        let State::Answering(answering) = &mut self.state else { return };
        if !matches!(answering.streams.get(&stream), Some(Question::AtWork { .. })) {
            return;
        }
        answering.streams.remove(&stream);
        if reply.len() > Kind::Reply.bytes_max() {
            return self.out.push_back(Output::Abort(stream, Close::TooLong));
        }
        self.out.push_back(Output::Send(stream, Frame::Reply(reply), After::Finish));
        self.out.push_back(Output::Done(stream));
    }

    /// Sends the signed public part of the policy, where the coordinator takes it. Says nothing before the WELCOME.
    pub fn card(&mut self, card: Vec<u8>) {
        let State::Answering(answering) = &self.state else { return };
        if answering.version >= CARDS_FROM && card.len() <= Kind::PolicyCard.bytes_max() {
            self.out.push_back(Output::Send(Stream::CONTROL, Frame::PolicyCard(card), After::More));
        }
    }

    /// Breaks a question off, since the program will not reply.
    pub fn abandon(&mut self, stream: Stream, why: Close) {
        let State::Answering(answering) = &mut self.state else { return };
        if answering.streams.remove(&stream).is_some() {
            self.out.push_back(Output::Abort(stream, why));
        }
    }

    /// How many questions are open.
    #[must_use]
    pub fn open_questions(&self) -> usize {
        match &self.state {
            State::Answering(answering) => answering.streams.len(),
            _ => 0,
        }
    }

    /// Sends the end of the ledger, where the coordinator holds it. Says nothing before the WELCOME.
    pub fn checkpoint(&mut self, checkpoint: Vec<u8>) {
        let State::Answering(answering) = &self.state else { return };
        if answering.version >= CHECKPOINTS_FROM && checkpoint.len() <= Kind::Checkpoint.bytes_max() {
            self.out.push_back(Output::Send(Stream::CONTROL, Frame::Checkpoint(checkpoint), After::More));
        }
    }

    /// Sends the end of another partner's ledger that is kept here. Says nothing before the WELCOME, or to an older coordinator.
    pub fn kept(&mut self, end: LedgerEnd) {
        let State::Answering(answering) = &self.state else { return };
        if answering.version >= HOLDERS_FROM && end.checkpoint.len() <= Kind::Checkpoint.bytes_max() {
            self.out.push_back(Output::Send(Stream::CONTROL, Frame::Kept(end), After::More));
        }
    }

    fn welcome(&mut self, frame: Frame, now: Now) {
        match greet(frame, now) {
            Greeted::Welcome { version } if version < CHECKPOINTS_FROM => self.answer(version, None, now),
            Greeted::Welcome { version } => {
                let before = std::mem::replace(&mut self.state, State::Over);
                if let State::ExpectWelcome(ExpectWelcome { until }, early) = before {
                    self.state = State::ExpectCheckpoint(ExpectCheckpoint { until, version }, early);
                }
            }
            Greeted::WrongClock { apart_min } => {
                self.out.push_back(Output::Event(NodeEvent::WrongClock { apart_min }));
                self.end(Close::Clock);
            }
            Greeted::Close(close) => self.end(close),
        }
    }

    fn hear_checkpoint(&mut self, version: u16, frame: Frame, now: Now) {
        match frame {
            Frame::Checkpoint(held) => {
                self.answer(version, Some(held).filter(|held| !held.is_empty()), now);
            }
            _ => self.end(Close::Unexpected),
        }
    }

    /// From now on questions are taken up, those that came early first.
    fn answer(&mut self, version: u16, held: Option<Vec<u8>>, now: Now) {
        let answering =
            State::Answering(Answering { version, ends: (0, 0), linkage: (0, 0), streams: BTreeMap::new() });
        let before = std::mem::replace(&mut self.state, answering);
        self.out.push_back(Output::Event(NodeEvent::Welcomed { held }));
        if let State::ExpectWelcome(_, early) | State::ExpectCheckpoint(_, early) = before {
            early.into_iter().for_each(|heard| self.hear(heard, now));
        }
    }

    fn end(&mut self, close: Close) {
        self.drop_all();
        self.out.push_back(Output::End(close));
    }

    fn drop_all(&mut self) {
        if let State::Answering(answering) = std::mem::replace(&mut self.state, State::Over) {
            for (stream, question) in answering.streams {
                self.forget(stream, &question);
            }
        }
    }

    fn forget(&mut self, stream: Stream, question: &Question) {
        if matches!(question, Question::AtWork { .. }) {
            self.out.push_back(Output::Event(NodeEvent::Dropped(stream)));
        }
    }

    fn break_off(&mut self, stream: Stream, why: Close) {
        let State::Answering(answering) = &mut self.state else { return };
        if let Some(question) = answering.streams.remove(&stream) {
            self.out.push_back(Output::Abort(stream, why));
            self.forget(stream, &question);
        }
    }

    fn hear_control(&mut self, frame: Frame, now: Now) {
        match (&self.state, frame) {
            (State::Over, _) => {}
            (_, Frame::Close(closing)) => self.end(closing.reason().unwrap_or(Close::GoingAway)),
            (State::ExpectWelcome(..), frame) => self.welcome(frame, now),
            (State::ExpectCheckpoint(expect, _), frame) => {
                let version = expect.version;
                self.hear_checkpoint(version, frame, now);
            }
            (State::Answering(_), Frame::Linkage(handed)) => self.hear_linkage(handed, now),
            (State::Answering(_), frame) => self.hear_end(frame, now),
        }
    }

    /// What the coordinator hands a node: an end of a ledger, its own or another partner's, or the register.
    fn hear_end(&mut self, frame: Frame, now: Now) {
        let State::Answering(answering) = &mut self.state else { return };
        let event = match frame {
            Frame::Checkpoint(end) if answering.version >= HOLDERS_FROM => NodeEvent::Held(end),
            Frame::Keep(end) if answering.version >= HOLDERS_FROM => NodeEvent::Keep(end),
            Frame::Register(register) if answering.version >= FLIGHTS_FROM => NodeEvent::Register(register),
            _ => return self.end(Close::Unexpected),
        };
        if !counted(&mut answering.ends, now, ENDS_PER_MINUTE_MAX) {
            return self.end(Close::TooMany);
        }
        self.out.push_back(Output::Event(event));
    }

    fn hear_opened(&mut self, stream: Stream, now: Now) {
        match &mut self.state {
            State::Over => {}
            State::ExpectWelcome(..) | State::ExpectCheckpoint(..) => {}
            State::Answering(answering) if answering.streams.len() < OPEN_QUESTIONS_MAX => {
                let until = now.since_start + REQUEST_WITHIN;
                answering.streams.entry(stream).or_insert(Question::Arriving { until });
            }
            State::Answering(_) => self.out.push_back(Output::Abort(stream, Close::TooMany)),
        }
    }

    fn hear_frame(&mut self, stream: Stream, frame: Frame, now: Now) {
        let State::Answering(answering) = &mut self.state else { return };
        // A frame on a stream that is not known is late: it was aborted here while the frame was on its way.
        let Some(question) = answering.streams.get_mut(&stream) else { return };
        match (question, frame) {
            (question @ Question::Arriving { .. }, Frame::Question { within_ms, ask }) => {
                let within = millis(within_ms);
                let passed = (answering.version >= FLIGHTS_FROM).then(Passed::default);
                *question = Question::AtWork { until: now.since_start + within, passed };
                self.out.push_back(Output::Event(NodeEvent::Question { stream, ask, within }));
            }
            (_, Frame::Close(closing)) => {
                self.break_off(stream, closing.reason().unwrap_or(Close::Unanswered))
            }
            (Question::AtWork { passed: Some(passed), .. }, Frame::Flight(body)) => {
                match passed.hear(&body) {
                    Ok(()) => {
                        self.out.push_back(Output::Event(NodeEvent::Flight { stream, body: Body(body) }));
                    }
                    Err(why) => self.break_off(stream, why),
                }
            }
            _ => self.break_off(stream, Close::Unexpected),
        }
    }

    fn hear_ended(&mut self, stream: Stream, why: Option<Close>) {
        if let Some(why) = why {
            return self.break_off(stream, why);
        }
        let State::Answering(answering) = &mut self.state else { return };
        // After the question the coordinator need say no more, so its end of the stream is good order then.
        match answering.streams.get(&stream) {
            Some(Question::Arriving { .. }) => self.break_off(stream, Close::Malformed),
            Some(Question::AtWork { .. }) => self.end_flights(stream),
            None => {}
        }
    }
}

/// Reads a WELCOME.
pub(super) fn greet(frame: Frame, now: Now) -> Greeted {
    let Frame::Welcome(Welcome { version, at }) = frame else { return Greeted::Close(Close::Unexpected) };
    let apart_s = now.at.unix_s().abs_diff(at.unix_s());
    match () {
        () if !VERSIONS.contains(&version) => Greeted::Close(Close::NoSharedVersion),
        () if apart_s > CLOCK_SKEW_S => Greeted::WrongClock { apart_min: apart_s / 60 },
        () => Greeted::Welcome { version },
    }
}

impl Question {
    const fn until(&self) -> Duration {
        match self {
            Self::Arriving { until } | Self::AtWork { until, .. } => *until,
        }
    }

    const fn too_late(&self) -> Close {
        match self {
            Self::Arriving { .. } => Close::TooSlow,
            Self::AtWork { .. } => Close::Late,
        }
    }
}

impl Session for NodeSession {
    type Event = NodeEvent;

    fn hear(&mut self, heard: Heard, now: Now) {
        match heard {
            Heard::Frame(Stream::CONTROL, frame) => self.hear_control(frame, now),
            Heard::Broken(Stream::CONTROL, error) => self.end_once(error.close()),
            Heard::Ended(Stream::CONTROL, _) => self.end_once(Close::GoingAway),
            heard if matches!(self.state, State::ExpectWelcome(..) | State::ExpectCheckpoint(..)) => {
                self.hear_early(heard);
            }
            Heard::Opened(stream) => self.hear_opened(stream, now),
            Heard::Frame(stream, frame) => self.hear_frame(stream, frame, now),
            Heard::Broken(stream, error) => self.break_off(stream, error.close()),
            Heard::Ended(stream, why) => self.hear_ended(stream, why),
        }
    }

    fn tick(&mut self, now: Now) {
        match &self.state {
            State::ExpectWelcome(expect, _) if now.since_start >= expect.until => self.end(Close::TooSlow),
            State::ExpectCheckpoint(expect, _) if now.since_start >= expect.until => self.end(Close::TooSlow),
            State::Answering(answering) => {
                let passed = answering.streams.iter().filter(|(_, q)| now.since_start >= q.until());
                let passed: Vec<(Stream, Close)> = passed.map(|(s, q)| (*s, q.too_late())).collect();
                for (stream, close) in passed {
                    self.break_off(stream, close);
                }
            }
            _ => {}
        }
    }

    fn lost(&mut self, _why: Option<Close>) {
        self.drop_all();
    }

    fn poll(&mut self) -> Option<Output<NodeEvent>> {
        self.out.pop_front()
    }

    fn next_deadline(&self) -> Option<Duration> {
        match &self.state {
            State::ExpectWelcome(expect, _) => Some(expect.until),
            State::ExpectCheckpoint(expect, _) => Some(expect.until),
            State::Answering(answering) => answering.streams.values().map(Question::until).min(),
            State::Over => None,
        }
    }

    fn takes(stream: StreamSide) -> &'static [Kind] {
        match stream {
            StreamSide::Control => {
                &[Kind::Welcome, Kind::Checkpoint, Kind::Keep, Kind::Register, Kind::Linkage]
            }
            StreamSide::Theirs => &[Kind::Question, Kind::Flight],
            StreamSide::Ours => &[],
        }
    }
}

impl NodeSession {
    fn hear_early(&mut self, heard: Heard) {
        let (State::ExpectWelcome(_, early) | State::ExpectCheckpoint(_, early)) = &mut self.state else {
            return;
        };
        let bytes = early.iter().chain([&heard]).map(bytes_of).fold(0, usize::saturating_add);
        if early.len() < EARLY_MAX && bytes <= EARLY_BYTES_MAX {
            early.push(heard);
        } else {
            self.end(Close::TooMany);
        }
    }

    fn end_once(&mut self, close: Close) {
        if !matches!(self.state, State::Over) {
            self.end(close);
        }
    }
}

/// What is kept of something that was heard early.
fn bytes_of(heard: &Heard) -> usize {
    match heard {
        Heard::Frame(_, Frame::Question { ask: body, .. } | Frame::Flight(body)) => body.len(),
        _ => 0,
    }
}

/// Most that is kept before the WELCOME: a question on each stream that may be open, each stream opened and heard, and then ended or with its
/// first flights.
const EARLY_MAX: usize = 4 * OPEN_QUESTIONS_MAX;

/// Most bytes that are kept before the WELCOME: every question, and as many flights as one stream may have.
const EARLY_BYTES_MAX: usize = OPEN_QUESTIONS_MAX * Kind::Ask.bytes_max() + FLIGHT_BYTES_SUM_MAX;

/// Most ends of ledgers that a coordinator sends in a minute: four a second of the partner before this one, and those that turn up.
pub(super) const ENDS_PER_MINUTE_MAX: u32 = 600;

#[cfg(test)]
mod tests;
