//! An analyst's end of its connection.

use cairn_question::limits::PARTNERS_MAX;
use cairn_question::{PartnerId, QuestionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::node::{ExpectWelcome, Greeted, greet};
use super::{
    ACCEPT_WITHIN, After, HELLO_WITHIN, Heard, Now, OPEN_REQUESTS_MAX, Output, RESULT_BYTES_MAX,
    RESULT_GRACE, Session, Stream, StreamSide, millis,
};
use crate::close::Close;
use crate::frame::{Accepted, Closing, Frame, Hello, Kind, Progress};
use crate::identity::Role;

/// An analyst's end: it has dialled, waits to be welcomed, and then makes requests, each on its own stream.
pub struct AnalystSession {
    state: State,
    out: VecDeque<Output<AnalystEvent>>,
}

/// What an analyst's session tells the program. Every request ends in exactly one of `Result`, `Register`, `Declined`, `Failed`.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnalystEvent {
    /// The coordinator has welcomed this analyst.
    Welcomed,
    /// The question is on the coordinator's disk.
    Accepted(Stream, Accepted),
    /// How the round stands.
    Progress(Stream, Progress),
    /// A result: signed replies, each partner once, and the signed coverage statement. Nothing is verified.
    Result(Stream, Vec<(PartnerId, Vec<u8>)>, Vec<u8>),
    /// The signed register. Not verified.
    Register(Stream, Vec<u8>),
    /// The coordinator declines.
    Declined(Stream, Closing),
    /// The request came to nothing: `None` where the connection was lost.
    Failed(Stream, Option<Close>),
    /// The clocks are too far apart: by so many minutes. The connection ends.
    WrongClock {
        /// How far, in whole minutes.
        apart_min: u64,
    },
}

enum State {
    ExpectWelcome(ExpectWelcome),
    Asking(Asking),
    Over,
}

#[derive(Default)]
struct Asking {
    requests: BTreeMap<Stream, Request>,
    opened: u64,
}

enum Request {
    Sent { until: Duration },
    Accepted { until: Duration, pieces: Pieces },
    RegisterWanted { until: Duration },
}

/// A result so far.
#[derive(Default)]
struct Pieces {
    replies: Vec<(PartnerId, Vec<u8>)>,
    partners: BTreeSet<PartnerId>,
    bytes: usize,
}

impl AnalystSession {
    /// Begins with a HELLO.
    #[must_use]
    pub fn dial(now: Now) -> Self {
        let hello = Frame::Hello(Hello::ours(Role::Analyst));
        let out = [Output::Open(Stream::CONTROL, hello, After::More)].into();
        Self { state: State::ExpectWelcome(ExpectWelcome { until: now.since_start + HELLO_WITHIN }), out }
    }

    /// Sends a signed question.
    ///
    /// # Errors
    /// [`Close`] where it was not sent: it is too long, or too many requests are open, or there is no connection.
    pub fn ask(&mut self, ask: Vec<u8>, now: Now) -> Result<Stream, Close> {
        if ask.len() > Kind::Ask.bytes_max() {
            return Err(Close::TooLong);
        }
        let until = now.since_start + ACCEPT_WITHIN;
        self.request(Frame::Ask(ask), Request::Sent { until })
    }

    /// Asks for the result of an earlier question.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn fetch(&mut self, question: QuestionId, now: Now) -> Result<Stream, Close> {
        let until = now.since_start + ACCEPT_WITHIN;
        self.request(Frame::Fetch(question), Request::Sent { until })
    }

    /// Asks for the register.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn register(&mut self, now: Now) -> Result<Stream, Close> {
        let until = now.since_start + ACCEPT_WITHIN;
        self.request(Frame::RegisterRequest, Request::RegisterWanted { until })
    }

    /// Gives a request up: nobody waits for it.
    pub fn give_up(&mut self, stream: Stream) {
        if let State::Asking(asking) = &mut self.state
            && asking.requests.remove(&stream).is_some()
        {
            self.out.push_back(Output::Abort(stream, Close::GoingAway));
        }
    }

    /// Ends the connection.
    pub fn end(&mut self, close: Close) {
        if !matches!(self.state, State::Over) {
            self.drop_all(Some(close));
            self.out.push_back(Output::End(close));
        }
    }

    fn request(&mut self, frame: Frame, request: Request) -> Result<Stream, Close> {
        let State::Asking(asking) = &mut self.state else { return Err(Close::GoingAway) };
        if asking.requests.len() >= OPEN_REQUESTS_MAX {
            return Err(Close::TooMany);
        }
        let stream = Stream::ours(asking.opened);
        asking.opened = asking.opened.saturating_add(1);
        asking.requests.insert(stream, request);
        self.out.push_back(Output::Open(stream, frame, After::Finish));
        Ok(stream)
    }

    fn drop_all(&mut self, why: Option<Close>) {
        if let State::Asking(asking) = std::mem::replace(&mut self.state, State::Over) {
            let failed = asking.requests.into_keys().map(|s| Output::Event(AnalystEvent::Failed(s, why)));
            self.out.extend(failed);
        }
    }

    fn hear_control(&mut self, frame: Frame, now: Now) {
        match (&self.state, frame) {
            (State::Over, _) => {}
            (_, Frame::Close(closing)) => self.end(closing.reason().unwrap_or(Close::GoingAway)),
            (State::ExpectWelcome(_), frame) => match greet(frame, now) {
                Greeted::Welcome { .. } => {
                    self.state = State::Asking(Asking::default());
                    self.out.push_back(Output::Event(AnalystEvent::Welcomed));
                }
                Greeted::WrongClock { apart_min } => {
                    self.out.push_back(Output::Event(AnalystEvent::WrongClock { apart_min }));
                    self.end(Close::Clock);
                }
                Greeted::Close(close) => self.end(close),
            },
            (State::Asking(_), _) => self.end(Close::Unexpected),
        }
    }

    fn hear_frame(&mut self, stream: Stream, frame: Frame, now: Now) {
        let State::Asking(asking) = &mut self.state else { return };
        let Some(request) = asking.requests.remove(&stream) else { return };
        match step(stream, request, frame, now) {
            Step::Wait(request, event) => {
                asking.requests.insert(stream, request);
                self.out.extend(event.map(Output::Event));
            }
            Step::Done(event) => {
                self.out.push_back(Output::Done(stream));
                self.out.push_back(Output::Event(event));
            }
            Step::Abort(close) => self.fail(stream, close),
        }
    }

    fn fail(&mut self, stream: Stream, close: Close) {
        self.out.push_back(Output::Abort(stream, close));
        self.out.push_back(Output::Event(AnalystEvent::Failed(stream, Some(close))));
    }

    fn break_off(&mut self, stream: Stream, close: Close) {
        if let State::Asking(asking) = &mut self.state
            && asking.requests.remove(&stream).is_some()
        {
            self.fail(stream, close);
        }
    }
}

enum Step {
    Wait(Request, Option<AnalystEvent>),
    Done(AnalystEvent),
    Abort(Close),
}

/// One frame of the answer to one request.
fn step(stream: Stream, request: Request, frame: Frame, now: Now) -> Step {
    match (request, frame) {
        (_, Frame::Close(closing)) => Step::Done(AnalystEvent::Declined(stream, closing)),
        (Request::RegisterWanted { .. }, Frame::Register(register)) => {
            Step::Done(AnalystEvent::Register(stream, register))
        }
        (Request::Sent { .. }, Frame::Accepted(accepted)) => {
            let until = now.since_start + millis(accepted.within_ms) + RESULT_GRACE;
            let request = Request::Accepted { until, pieces: Pieces::default() };
            Step::Wait(request, Some(AnalystEvent::Accepted(stream, accepted)))
        }
        (request @ Request::Accepted { .. }, Frame::Progress(progress)) => {
            Step::Wait(request, Some(AnalystEvent::Progress(stream, progress)))
        }
        (Request::Accepted { until, mut pieces }, Frame::ResultReply { partner, reply }) => {
            match pieces.add(partner, reply) {
                Ok(()) => Step::Wait(Request::Accepted { until, pieces }, None),
                Err(close) => Step::Abort(close),
            }
        }
        (Request::Accepted { pieces, .. }, Frame::ResultCoverage(coverage)) => {
            Step::Done(AnalystEvent::Result(stream, pieces.replies, coverage))
        }
        // A result that was ready needs no ACCEPTED first.
        (Request::Sent { .. }, frame @ (Frame::ResultReply { .. } | Frame::ResultCoverage(_))) => {
            let until = now.since_start + RESULT_GRACE;
            step(stream, Request::Accepted { until, pieces: Pieces::default() }, frame, now)
        }
        _ => Step::Abort(Close::Unexpected),
    }
}

impl Pieces {
    fn add(&mut self, partner: PartnerId, reply: Vec<u8>) -> Result<(), Close> {
        self.bytes = self.bytes.saturating_add(reply.len());
        match () {
            () if self.replies.len() >= PARTNERS_MAX || self.bytes > RESULT_BYTES_MAX => Err(Close::TooLong),
            () if !self.partners.insert(partner.clone()) => Err(Close::Unexpected),
            () => {
                self.replies.push((partner, reply));
                Ok(())
            }
        }
    }
}

impl Request {
    const fn until(&self) -> Duration {
        match self {
            Self::Sent { until } | Self::Accepted { until, .. } | Self::RegisterWanted { until } => *until,
        }
    }
}

impl Session for AnalystSession {
    type Event = AnalystEvent;

    fn hear(&mut self, heard: Heard, now: Now) {
        match heard {
            Heard::Frame(Stream::CONTROL, frame) => self.hear_control(frame, now),
            Heard::Broken(Stream::CONTROL, error) => self.end(error.close()),
            Heard::Ended(Stream::CONTROL, _) => self.end(Close::GoingAway),
            // The coordinator opens no streams towards an analyst.
            Heard::Opened(_) => self.end(Close::Unexpected),
            Heard::Frame(stream, frame) => self.hear_frame(stream, frame, now),
            Heard::Broken(stream, error) => self.break_off(stream, error.close()),
            Heard::Ended(stream, why) => self.break_off(stream, why.unwrap_or(Close::Unanswered)),
        }
    }

    fn tick(&mut self, now: Now) {
        match &self.state {
            State::ExpectWelcome(expect) if now.since_start >= expect.until => self.end(Close::TooSlow),
            State::Asking(asking) => {
                let passed = asking.requests.iter().filter(|(_, r)| now.since_start >= r.until());
                let passed: Vec<Stream> = passed.map(|(s, _)| *s).collect();
                for stream in passed {
                    self.break_off(stream, Close::Late);
                }
            }
            _ => {}
        }
    }

    fn lost(&mut self, why: Option<Close>) {
        self.drop_all(why);
    }

    fn poll(&mut self) -> Option<Output<AnalystEvent>> {
        self.out.pop_front()
    }

    fn next_deadline(&self) -> Option<Duration> {
        match &self.state {
            State::ExpectWelcome(expect) => Some(expect.until),
            State::Asking(asking) => asking.requests.values().map(Request::until).min(),
            State::Over => None,
        }
    }

    fn takes(stream: StreamSide) -> &'static [Kind] {
        match stream {
            StreamSide::Control => &[Kind::Welcome],
            StreamSide::Ours => {
                &[Kind::Accepted, Kind::Progress, Kind::ResultReply, Kind::ResultCoverage, Kind::Register]
            }
            StreamSide::Theirs => &[],
        }
    }
}
