//! The coordinator's end of one connection, whoever dialled in.

pub(super) mod ends;
mod flights;
mod linkage;

use cairn_question::{PartnerId, QuestionId};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use self::flights::Asked;
use super::flights::Body;
use super::{
    After, Heard, Now, OPEN_QUESTIONS_MAX, OPEN_REQUESTS_MAX, Output, Patience, Session, Stream, StreamSide,
    counted,
};
use crate::close::Close;
use crate::error::AskFailure;
use crate::frame::{
    Accepted, CARDS_FROM, Closing, Frame, Handed, Kind, LedgerEnd, Progress, WITHIN_MS_MAX, Welcome,
};
use crate::identity::Role;

/// The coordinator's end: it waits for the HELLO; then it asks, if a node dialled in, or serves, if an analyst did.
pub struct CoordinatorSession {
    patience: Patience,
    state: State,
    out: VecDeque<Output<CoordinatorEvent>>,
}

/// What the coordinator's session tells the program.
#[derive(Debug)]
#[non_exhaustive]
pub enum CoordinatorEvent {
    /// HELLO and WELCOME are exchanged.
    Ready,
    /// A question that [`CoordinatorSession::ask`] sent has ended: with the signed reply's exact bytes, or without.
    Replied {
        /// Its stream.
        stream: Stream,
        /// The reply, or why there is none. Told once for each question.
        reply: Result<Vec<u8>, AskFailure>,
    },
    /// A flight of a question that [`CoordinatorSession::ask_with_flights`] sent has come.
    Flight {
        /// Its stream.
        stream: Stream,
        /// What it says.
        body: Body,
    },
    /// The node sends the signed public part of its policy.
    Card(Vec<u8>),
    /// The node sends the signed end of its ledger.
    Checkpoint(Vec<u8>),
    /// The node sends the signed end of another partner's ledger, which it keeps.
    Kept(LedgerEnd),
    /// The node sends a flight of the linkage secret's hand-over.
    Linkage(Handed),
    /// An analyst asks.
    Asked {
        /// Its stream.
        stream: Stream,
        /// The signed question's exact bytes.
        ask: Vec<u8>,
    },
    /// An analyst wants the result of an earlier question.
    Fetched {
        /// Its stream.
        stream: Stream,
        /// The question.
        question: QuestionId,
    },
    /// An analyst wants the register.
    RegisterWanted {
        /// Its stream.
        stream: Stream,
    },
    /// The analyst does not wait on this stream any more.
    Dropped(Stream),
}

enum State {
    ExpectHello(ExpectHello),
    WithNode(WithNode),
    WithAnalyst(WithAnalyst),
    Over,
}

struct ExpectHello {
    role: Role,
    until: Duration,
}

struct WithNode {
    /// Of the protocol, as welcomed.
    version: u16,
    /// The minute of the last card, and how many came in it.
    cards: (u64, u32),
    /// The same of checkpoints.
    checkpoints: (u64, u32),
    /// The same of ends that the node keeps for others.
    kept: (u64, u32),
    /// Flights of the linkage secret's hand-over that the node has sent, and was given.
    linkage: linkage::Counts,
    /// Whether the node was told which checkpoint is held.
    told: bool,
    /// Open questions.
    asked: BTreeMap<Stream, Asked>,
    opened: u64,
}

#[derive(Default)]
struct WithAnalyst {
    requests: BTreeMap<Stream, Request>,
}

enum Request {
    /// The stream is open, the request not whole yet.
    Arriving { until: Duration },
    /// The program is at work on it. Its own deadline is the program's affair.
    AtWork,
}

impl CoordinatorSession {
    /// Waits for the HELLO of a party whose certificate is for `role`.
    #[must_use]
    pub fn accept(role: Role, patience: Patience, now: Now) -> Self {
        let until = now.since_start + patience.hello;
        Self { patience, state: State::ExpectHello(ExpectHello { role, until }), out: VecDeque::new() }
    }

    /// Sends a signed question to the node; [`CoordinatorEvent::Replied`] ends it, at the latest after `within`.
    ///
    /// # Errors
    /// [`AskFailure`] where it was not sent.
    pub fn ask(&mut self, ask: Vec<u8>, within: Duration, now: Now) -> Result<Stream, AskFailure> {
        self.open_question(ask, within, now, After::Finish)
    }

    fn open_question(
        &mut self,
        ask: Vec<u8>,
        within: Duration,
        now: Now,
        after: After,
    ) -> Result<Stream, AskFailure> {
        let State::WithNode(node) = &mut self.state else { return Err(AskFailure::Offline) };
        let within_ms = u32::try_from(within.as_millis()).unwrap_or(WITHIN_MS_MAX).min(WITHIN_MS_MAX);
        match () {
            () if within_ms == 0 => Err(AskFailure::Late),
            () if node.asked.len() >= OPEN_QUESTIONS_MAX => Err(AskFailure::Busy),
            () if ask.len() > Kind::Ask.bytes_max() => Err(AskFailure::TooLong),
            () => {
                let stream = Stream::ours(node.opened);
                node.opened = node.opened.saturating_add(1);
                node.asked.insert(stream, Asked::new(now.since_start + super::millis(within_ms), after));
                let question = Frame::Question { within_ms, ask };
                self.out.push_back(Output::Open(stream, question, after));
                Ok(stream)
            }
        }
    }

    /// Tells the analyst that the question is on disk and will be asked.
    pub fn accepted(&mut self, stream: Stream, accepted: Accepted) {
        let within_ms = accepted.within_ms.min(WITHIN_MS_MAX);
        self.send(stream, Frame::Accepted(Accepted { within_ms, ..accepted }));
    }

    /// Tells the analyst how the round stands.
    pub fn progress(&mut self, stream: Stream, progress: Progress) {
        self.send(stream, Frame::Progress(progress));
    }

    /// Sends a result, and is done with the stream.
    pub fn result(&mut self, stream: Stream, replies: Vec<(PartnerId, Vec<u8>)>, coverage: Vec<u8>) {
        if !self.finish(stream) {
            return;
        }
        let too_long = replies.iter().any(|(_, r)| r.len() > Kind::Reply.bytes_max())
            || coverage.len() > Kind::ResultCoverage.bytes_max();
        if too_long {
            return self.out.push_back(Output::Abort(stream, Close::TooLong));
        }
        for (partner, reply) in replies {
            self.out.push_back(Output::Send(stream, Frame::ResultReply { partner, reply }, After::More));
        }
        self.out.push_back(Output::Send(stream, Frame::ResultCoverage(coverage), After::Finish));
        self.out.push_back(Output::Done(stream));
    }

    /// Sends the register, and is done with the stream.
    pub fn register(&mut self, stream: Stream, register: Vec<u8>) {
        if self.finish(stream) {
            if register.len() > Kind::Register.bytes_max() {
                return self.out.push_back(Output::Abort(stream, Close::TooLong));
            }
            self.out.push_back(Output::Send(stream, Frame::Register(register), After::Finish));
            self.out.push_back(Output::Done(stream));
        }
    }

    /// Declines a request, and is done with the stream. The words are cut to what a frame holds.
    pub fn decline(&mut self, stream: Stream, closing: &Closing) {
        if self.finish(stream) {
            let cut = |text: &str, most| text.chars().take(most).collect::<String>();
            // A letter is at most 6 bytes in JSON (`\u001f`), or 4 in UTF-8.
            let closing = Closing { code: cut(&closing.code, 16), says: cut(&closing.says, 600) };
            self.out.push_back(Output::Send(stream, Frame::Close(closing), After::Finish));
            self.out.push_back(Output::Done(stream));
        }
    }

    /// Ends the connection.
    pub fn end(&mut self, close: Close) {
        if !matches!(self.state, State::Over) {
            self.drop_all(AskFailure::Offline);
            self.out.push_back(Output::End(close));
        }
    }

    /// How many questions or requests are open.
    #[must_use]
    pub fn open(&self) -> usize {
        match &self.state {
            State::WithNode(node) => node.asked.len(),
            State::WithAnalyst(analyst) => analyst.requests.len(),
            State::ExpectHello(_) | State::Over => 0,
        }
    }

    fn send(&mut self, stream: Stream, frame: Frame) {
        if self.at_work(stream) {
            self.out.push_back(Output::Send(stream, frame, After::More));
        }
    }

    fn at_work(&self, stream: Stream) -> bool {
        match &self.state {
            State::WithAnalyst(analyst) => matches!(analyst.requests.get(&stream), Some(Request::AtWork)),
            _ => false,
        }
    }

    fn finish(&mut self, stream: Stream) -> bool {
        match &mut self.state {
            State::WithAnalyst(analyst) if matches!(analyst.requests.get(&stream), Some(Request::AtWork)) => {
                analyst.requests.remove(&stream).is_some()
            }
            _ => false,
        }
    }

    fn drop_all(&mut self, failure: AskFailure) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::WithNode(node) => {
                for stream in node.asked.into_keys() {
                    self.replied(stream, Err(failure.clone()));
                }
            }
            State::WithAnalyst(analyst) => {
                let at_work = analyst.requests.into_iter().filter(|(_, r)| matches!(r, Request::AtWork));
                self.out.extend(at_work.map(|(s, _)| Output::Event(CoordinatorEvent::Dropped(s))));
            }
            State::ExpectHello(_) | State::Over => {}
        }
    }

    fn replied(&mut self, stream: Stream, reply: Result<Vec<u8>, AskFailure>) {
        self.out.push_back(Output::Event(CoordinatorEvent::Replied { stream, reply }));
    }

    fn hear_control(&mut self, frame: Frame, now: Now) {
        match (&self.state, frame) {
            (State::Over, _) => {}
            (_, Frame::Close(_)) => self.end(Close::GoingAway),
            (State::ExpectHello(expect), Frame::Hello(hello)) => match hello.highest_shared() {
                None => self.end(Close::NoSharedVersion),
                Some(_) if hello.role != expect.role => self.end(Close::OtherRole),
                Some(version) => self.welcome(expect.role, version, now),
            },
            (State::WithNode(_), Frame::PolicyCard(card)) => self.hear_card(card, now),
            (State::WithNode(_), Frame::Checkpoint(checkpoint)) => self.hear_checkpoint(checkpoint, now),
            (State::WithNode(_), Frame::Kept(end)) => self.hear_kept(end, now),
            (State::WithNode(_), Frame::Linkage(handed)) => self.hear_linkage(handed, now),
            _ => self.end(Close::Unexpected),
        }
    }

    fn hear_card(&mut self, card: Vec<u8>, now: Now) {
        let State::WithNode(node) = &mut self.state else { return };
        match () {
            () if node.version < CARDS_FROM => self.end(Close::Unexpected),
            () if !counted(&mut node.cards, now, CARDS_PER_MINUTE_MAX) => self.end(Close::TooMany),
            () => self.out.push_back(Output::Event(CoordinatorEvent::Card(card))),
        }
    }

    fn welcome(&mut self, role: Role, version: u16, now: Now) {
        self.state = match role {
            Role::Node => State::WithNode(WithNode::welcomed(version)),
            Role::Analyst => State::WithAnalyst(WithAnalyst::default()),
            Role::Coordinator => return self.end(Close::OtherRole),
        };
        let welcome = Frame::Welcome(Welcome { version, at: now.at });
        self.out.push_back(Output::Send(Stream::CONTROL, welcome, After::More));
        self.out.push_back(Output::Event(CoordinatorEvent::Ready));
    }

    fn hear_opened(&mut self, stream: Stream, now: Now) {
        match &mut self.state {
            State::Over => {}
            State::WithAnalyst(analyst) if analyst.requests.len() < OPEN_REQUESTS_MAX => {
                let until = now.since_start + self.patience.request;
                analyst.requests.entry(stream).or_insert(Request::Arriving { until });
            }
            State::WithAnalyst(_) => self.out.push_back(Output::Abort(stream, Close::TooMany)),
            // Before HELLO, and from a node at any time, there is nothing to open a stream for.
            State::ExpectHello(_) | State::WithNode(_) => self.end(Close::Unexpected),
        }
    }

    fn hear_node(&mut self, stream: Stream, frame: Frame) {
        match frame {
            Frame::Flight(body) => self.hear_flight(stream, body),
            last => self.hear_last(stream, last),
        }
    }

    fn hear_last(&mut self, stream: Stream, frame: Frame) {
        let State::WithNode(node) = &mut self.state else { return };
        // A frame on a stream that is not known is late: its question has ended.
        if node.asked.remove(&stream).is_none() {
            return;
        }
        match frame {
            Frame::Reply(reply) => {
                self.out.push_back(Output::Done(stream));
                self.replied(stream, Ok(reply));
            }
            Frame::Close(closing) => {
                self.out.push_back(Output::Done(stream));
                self.replied(stream, Err(AskFailure::Broken(closing.reason().unwrap_or(Close::Unanswered))));
            }
            _ => self.abort_ask(stream, Close::Unexpected),
        }
    }

    fn abort_ask(&mut self, stream: Stream, close: Close) {
        self.out.push_back(Output::Abort(stream, close));
        let failure = match close {
            Close::Late => AskFailure::Late,
            Close::TooMany => AskFailure::Busy,
            close => AskFailure::Broken(close),
        };
        self.replied(stream, Err(failure));
    }

    fn hear_analyst(&mut self, stream: Stream, frame: Frame) {
        let State::WithAnalyst(analyst) = &mut self.state else { return };
        let Some(request) = analyst.requests.get_mut(&stream) else { return };
        let event = match (&request, frame) {
            (Request::Arriving { .. }, Frame::Ask(ask)) => CoordinatorEvent::Asked { stream, ask },
            (Request::Arriving { .. }, Frame::Fetch(question)) => {
                CoordinatorEvent::Fetched { stream, question }
            }
            (Request::Arriving { .. }, Frame::RegisterRequest) => CoordinatorEvent::RegisterWanted { stream },
            _ => return self.break_off(stream, Close::Unexpected),
        };
        *request = Request::AtWork;
        self.out.push_back(Output::Event(event));
    }

    /// Breaks one stream off, whichever side it belongs to.
    fn break_off(&mut self, stream: Stream, close: Close) {
        match &mut self.state {
            State::WithNode(node) => {
                if node.asked.remove(&stream).is_some() {
                    self.abort_ask(stream, close);
                }
            }
            State::WithAnalyst(analyst) => {
                if let Some(request) = analyst.requests.remove(&stream) {
                    self.out.push_back(Output::Abort(stream, close));
                    if matches!(request, Request::AtWork) {
                        self.out.push_back(Output::Event(CoordinatorEvent::Dropped(stream)));
                    }
                }
            }
            State::ExpectHello(_) | State::Over => {}
        }
    }

    fn hear_ended(&mut self, stream: Stream, why: Option<Close>) {
        match (&self.state, why) {
            (_, Some(why)) => self.break_off(stream, why),
            // The node's side is over and there was no reply on it.
            (State::WithNode(_), None) => self.break_off(stream, Close::Unanswered),
            // After its request the analyst has no more to say, so its end of the stream is good order then.
            (State::WithAnalyst(analyst), None) => {
                if let Some(Request::Arriving { .. }) = analyst.requests.get(&stream) {
                    self.break_off(stream, Close::Malformed);
                }
            }
            (State::ExpectHello(_) | State::Over, None) => {}
        }
    }
}

impl WithNode {
    const fn welcomed(version: u16) -> Self {
        Self {
            version,
            cards: (0, 0),
            checkpoints: (0, 0),
            kept: (0, 0),
            linkage: linkage::Counts::NONE,
            told: false,
            asked: BTreeMap::new(),
            opened: 0,
        }
    }
}

impl Session for CoordinatorSession {
    type Event = CoordinatorEvent;

    fn hear(&mut self, heard: Heard, now: Now) {
        match heard {
            Heard::Frame(Stream::CONTROL, frame) => self.hear_control(frame, now),
            Heard::Broken(Stream::CONTROL, error) => self.end(error.close()),
            Heard::Ended(Stream::CONTROL, _) => self.end(Close::GoingAway),
            Heard::Opened(stream) => self.hear_opened(stream, now),
            Heard::Frame(stream, frame) => match self.state {
                State::WithNode(_) => self.hear_node(stream, frame),
                State::WithAnalyst(_) => self.hear_analyst(stream, frame),
                State::ExpectHello(_) | State::Over => {}
            },
            Heard::Broken(stream, error) => self.break_off(stream, error.close()),
            Heard::Ended(stream, why) => self.hear_ended(stream, why),
        }
    }

    fn tick(&mut self, now: Now) {
        let passed: Vec<(Stream, Close)> = match &self.state {
            State::ExpectHello(expect) if now.since_start >= expect.until => return self.end(Close::TooSlow),
            State::WithNode(node) => {
                let late = node.asked.iter().filter(|(_, asked)| now.since_start >= asked.until);
                late.map(|(s, _)| (*s, Close::Late)).collect()
            }
            State::WithAnalyst(analyst) => {
                let slow = analyst.requests.iter();
                slow.filter(|(_, r)| matches!(r, Request::Arriving { until } if now.since_start >= *until))
                    .map(|(s, _)| (*s, Close::TooSlow))
                    .collect()
            }
            _ => return,
        };
        for (stream, close) in passed {
            self.break_off(stream, close);
        }
    }

    fn lost(&mut self, _why: Option<Close>) {
        self.drop_all(AskFailure::Offline);
    }

    fn poll(&mut self) -> Option<Output<CoordinatorEvent>> {
        self.out.pop_front()
    }

    fn next_deadline(&self) -> Option<Duration> {
        match &self.state {
            State::ExpectHello(expect) => Some(expect.until),
            State::WithNode(node) => node.asked.values().map(|asked| asked.until).min(),
            State::WithAnalyst(analyst) => {
                let arriving = analyst.requests.values().filter_map(|r| match r {
                    Request::Arriving { until } => Some(*until),
                    Request::AtWork => None,
                });
                arriving.min()
            }
            State::Over => None,
        }
    }

    fn takes(stream: StreamSide) -> &'static [Kind] {
        match stream {
            StreamSide::Control => {
                &[Kind::Hello, Kind::PolicyCard, Kind::Checkpoint, Kind::Kept, Kind::Linkage]
            }
            StreamSide::Ours => &[Kind::Reply, Kind::Flight],
            StreamSide::Theirs => &[Kind::Ask, Kind::Fetch, Kind::RegisterRequest],
        }
    }
}

/// Most cards of one node in a minute: it looks at its files twice a second.
pub(super) const CARDS_PER_MINUTE_MAX: u32 = 240;
