//! Drives one session over one connection.

use quinn::{Connection, ConnectionError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::endpoint::reason;
use super::wire::Wire;
use crate::clock::Clock;
use crate::session::{Heard, Now, Output, Session, Stream};

/// What a program does around a session: it passes commands on, and acts on events.
pub(super) trait Around: Send {
    /// The session.
    type Session: Session<Event: Send> + Send;
    /// What the program wants of it.
    type Command: Send;

    /// Passes a command on.
    fn obey(&mut self, session: &mut Self::Session, wire: &Wire, command: Self::Command, now: Now);

    /// Acts on an event.
    fn notice(&mut self, session: &mut Self::Session, wire: &Wire, event: <Self::Session as Session>::Event);
}

/// Who opens the control stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// This end dialled, and opens it.
    Dialled,
    /// The other end dialled, and opens it first of all.
    Listened,
}

/// Runs a session until its connection is gone, and gives what became of it.
pub(super) async fn drive<A: Around>(
    connection: Connection,
    end: End,
    clock: &Clock,
    begin: impl FnOnce(Now) -> A::Session + Send,
    around: &mut A,
    commands: &mut mpsc::UnboundedReceiver<A::Command>,
) -> ConnectionError {
    let start = Instant::now();
    let now = || Now { since_start: start.elapsed(), at: clock.now() };
    let (mut wire, mut heard) = Wire::new(connection.clone(), A::Session::takes);
    let mut session = begin(now());
    let mut accepted = Accepted { end, streams: 0 };
    loop {
        perform(&mut session, &mut wire, around);
        let deadline = session.next_deadline();
        tokio::select! {
            biased;
            Some(heard) = heard.recv() => session.hear(heard, now()),
            streams = connection.accept_bi() => match streams {
                Ok((send, receive)) => {
                    let stream = accepted.next();
                    wire.accept(stream, send, receive);
                    if stream != Stream::CONTROL {
                        session.hear(Heard::Opened(stream), now());
                    }
                }
                Err(why) => {
                    hear_the_rest(&mut session, &mut heard, now());
                    session.lost(reason(&why));
                    perform(&mut session, &mut wire, around);
                    return why;
                }
            },
            Some(command) = commands.recv() => around.obey(&mut session, &wire, command, now()),
            () = sleep_until(start, deadline) => session.tick(now()),
        }
    }
}

/// Frames that came whole before the connection went still count.
fn hear_the_rest<S: Session>(session: &mut S, heard: &mut mpsc::Receiver<Heard>, now: Now) {
    while let Ok(heard) = heard.try_recv() {
        session.hear(heard, now);
    }
}

fn perform<A: Around>(session: &mut A::Session, wire: &mut Wire, around: &mut A) {
    while let Some(output) = session.poll() {
        match output {
            Output::Open(stream, frame, after) => wire.open(stream, frame, after),
            Output::Send(stream, frame, after) => wire.send(stream, frame, after),
            Output::Done(stream) => wire.done(stream),
            Output::Abort(stream, close) => wire.abort(stream, close),
            Output::End(close) => wire.end(close),
            Output::Event(event) => around.notice(session, wire, event),
        }
    }
}

async fn sleep_until(start: Instant, deadline: Option<Duration>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(start + deadline).await,
        None => std::future::pending().await,
    }
}

/// Numbers the streams that the other end opens.
struct Accepted {
    end: End,
    streams: u64,
}

impl Accepted {
    fn next(&mut self) -> Stream {
        let n = self.streams;
        self.streams = n.saturating_add(1);
        match (self.end, n) {
            (End::Listened, 0) => Stream::CONTROL,
            (End::Listened, n) => Stream::theirs(n - 1),
            (End::Dialled, n) => Stream::theirs(n),
        }
    }
}
