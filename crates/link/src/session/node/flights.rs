//! The node's flights.

use super::super::{After, Output, Stream};
use super::{NodeEvent, NodeSession, Question, State};
use crate::frame::Frame;

impl NodeSession {
    /// Sends a flight of a question that the program is at work on. Says nothing where flights do not pass: to an older coordinator, and on a
    /// stream on which the coordinator's side has ended. One flight too many, or too long, breaks the question off.
    pub fn flight(&mut self, stream: Stream, body: Vec<u8>) {
        let State::Answering(answering) = &mut self.state else { return };
        let Some(Question::AtWork { passed: Some(passed), .. }) = answering.streams.get_mut(&stream) else {
            return;
        };
        match passed.say(&body) {
            Ok(()) => self.out.push_back(Output::Send(stream, Frame::Flight(body), After::More)),
            Err(why) => self.break_off(stream, why),
        }
    }

    /// Breaks a question off whose flights come faster than the program takes them.
    pub fn flood(&mut self, stream: Stream) {
        self.break_off(stream, crate::close::Close::TooManyFlights);
    }

    /// The coordinator's side of a question's stream is over: no flight follows, and none is wanted.
    pub(super) fn end_flights(&mut self, stream: Stream) {
        let State::Answering(answering) = &mut self.state else { return };
        if let Some(Question::AtWork { passed, .. }) = answering.streams.get_mut(&stream) {
            *passed = None;
            self.out.push_back(Output::Event(NodeEvent::FlightsEnded(stream)));
        }
    }
}
