//! What the coordinator's program answers analysts with.

use cairn_question::PartnerId;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::listener::Command;
use crate::close::Close;
use crate::frame::{Accepted, Closing, Progress};
use crate::session::Stream;

/// Carries a round to the analyst who waits for it. Dropped without a result, it tells the analyst that none will come on this
/// stream.
pub struct Responder(Line);

/// Carries the register to an analyst.
pub struct RegisterResponder(Line);

/// The way to one request's stream.
pub(super) struct Line {
    pub(super) stream: Stream,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    /// Held as long as the request is open, so that all analysts together have a limit. The stream's writer holds it too, until
    /// the answer has been taken off its hands.
    pub(super) _permit: Arc<OwnedSemaphorePermit>,
}

impl Responder {
    pub(super) const fn new(line: Line) -> Self {
        Self(line)
    }

    /// The question is on disk and will be asked.
    pub fn accepted(&self, accepted: Accepted) {
        self.0.send(Command::Accepted(self.0.stream, accepted));
    }

    /// How the round stands.
    pub fn progress(&self, progress: Progress) {
        self.0.send(Command::Progress(self.0.stream, progress));
    }

    /// The round's result: the partners' signed replies and the signed coverage statement.
    pub fn result(self, replies: Vec<(PartnerId, Vec<u8>)>, coverage: Vec<u8>) {
        self.0.send(Command::Result(self.0.stream, replies, coverage));
    }

    /// Declines, with one of the coordinator's own codes and one line in words.
    pub fn decline(self, code: &str, says: &str) {
        self.0.decline(code, says);
    }
}

impl RegisterResponder {
    pub(super) const fn new(line: Line) -> Self {
        Self(line)
    }

    /// Sends the signed register.
    pub fn send(self, register: Vec<u8>) {
        self.0.send(Command::Register(self.0.stream, register));
    }

    /// Declines, with one of the coordinator's own codes and one line in words.
    pub fn decline(self, code: &str, says: &str) {
        self.0.decline(code, says);
    }
}

impl Line {
    fn send(&self, command: Command) {
        // Nobody listens where the connection is gone, and then nobody waits either.
        let _ = self.commands.send(command);
    }

    fn decline(&self, code: &str, says: &str) {
        self.send(Command::Decline(self.stream, Closing { code: code.to_owned(), says: says.to_owned() }));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // After an answer the stream is finished already, and this does nothing.
        self.send(Command::Decline(self.stream, Close::Unanswered.into()));
    }
}
