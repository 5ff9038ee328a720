//! Questions that are asked with flights.

use std::time::Duration;

use super::super::flights::{Body, Passed};
use super::super::{After, Now, Output, Stream};
use super::{CoordinatorEvent, CoordinatorSession, State};
use crate::close::Close;
use crate::error::AskFailure;
use crate::frame::{FLIGHTS_FROM, Frame};

impl CoordinatorSession {
    /// As [`CoordinatorSession::ask`], but flights may pass either way until the reply. This end's side of the stream stays open.
    ///
    /// # Errors
    /// [`AskFailure`] where it was not sent; [`AskFailure::TooOld`] to a node whose version has no flights.
    pub fn ask_with_flights(
        &mut self,
        ask: Vec<u8>,
        within: Duration,
        now: Now,
    ) -> Result<Stream, AskFailure> {
        match &self.state {
            State::WithNode(node) if node.version < FLIGHTS_FROM => Err(AskFailure::TooOld),
            _ => self.open_question(ask, within, now, After::More),
        }
    }

    /// Sends a flight of a question that was asked with flights and has not ended. One flight too many, or too long, breaks it off.
    pub fn flight(&mut self, stream: Stream, body: Vec<u8>) {
        let State::WithNode(node) = &mut self.state else { return };
        let Some(passed) = node.asked.get_mut(&stream).and_then(|asked| asked.passed.as_mut()) else {
            return;
        };
        match passed.say(&body) {
            Ok(()) => self.out.push_back(Output::Send(stream, Frame::Flight(body), After::More)),
            Err(why) => self.break_off(stream, why),
        }
    }

    /// Breaks a question off, since nobody waits for its reply any more.
    pub fn give_up(&mut self, stream: Stream) {
        self.break_question_off(stream, Close::GivenUp);
    }

    /// Breaks a question off whose flights come faster than the program takes them.
    pub fn flood(&mut self, stream: Stream) {
        self.break_question_off(stream, Close::TooManyFlights);
    }

    pub(super) fn hear_flight(&mut self, stream: Stream, body: Vec<u8>) {
        let State::WithNode(node) = &mut self.state else { return };
        let Some(asked) = node.asked.get_mut(&stream) else { return };
        let heard = match &mut asked.passed {
            Some(passed) => passed.hear(&body),
            None => Err(Close::Unexpected),
        };
        match heard {
            Ok(()) => {
                self.out.push_back(Output::Event(CoordinatorEvent::Flight { stream, body: Body(body) }));
            }
            Err(why) => self.break_off(stream, why),
        }
    }

    fn break_question_off(&mut self, stream: Stream, why: Close) {
        // A stream that an analyst opened has another number, and is no question of ours.
        if matches!(self.state, State::WithNode(_)) {
            self.break_off(stream, why);
        }
    }
}

/// A question that is open at the node.
pub(super) struct Asked {
    pub(super) until: Duration,
    /// Its flights; absent where it was asked without.
    pub(super) passed: Option<Passed>,
}

impl Asked {
    pub(super) fn new(until: Duration, after: After) -> Self {
        let passed = match after {
            After::More => Some(Passed::default()),
            After::Finish => None,
        };
        Self { until, passed }
    }
}
