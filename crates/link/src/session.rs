//! What each end does with a frame, as pure state machines: frames and time in, frames, deadlines and events out.
//!
//! A session covers one connection. It opens no socket, reads no clock and never waits: whoever drives it (the shell in
//! [`crate::quic`], or the simulation in this module's tests) calls `hear` with what came, `tick` when
//! [`Session::next_deadline`] has passed, `lost` when the connection is gone, and after each drains [`Session::poll`].

mod analyst;
mod coordinator;
mod flights;
mod node;

use cairn_question::Moment;
use std::time::Duration;

use crate::close::Close;
use crate::frame::{Frame, FrameError, Kind};

pub use analyst::{AnalystEvent, AnalystSession};
pub use coordinator::{CoordinatorEvent, CoordinatorSession};
pub use flights::{Body, FLIGHT_BYTES_SUM_MAX, FLIGHTS_MAX};
pub use node::{NodeEvent, NodeSession};

/// One stream of a connection, by a number that only this end uses.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Stream(u64);

impl Stream {
    /// The stream of HELLO and WELCOME: the first that the dialling end opens. It stays open as long as the connection.
    pub const CONTROL: Self = Self(0);

    /// The stream that this end opened as number `n`.
    #[must_use]
    pub const fn ours(n: u64) -> Self {
        Self(n.wrapping_mul(2).wrapping_add(1))
    }

    /// The stream that the other end opened as number `n`, the control stream not counted.
    #[must_use]
    pub const fn theirs(n: u64) -> Self {
        Self(n.wrapping_mul(2).wrapping_add(2))
    }
}

/// The time, as whoever drives a session tells it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Since the session began; never goes back. Deadlines are in this.
    pub since_start: Duration,
    /// The time of day, for telling a wrong clock.
    pub at: Moment,
}

/// What came from the other end.
#[derive(Debug)]
pub enum Heard {
    /// It opened a stream.
    Opened(Stream),
    /// It sent a whole frame.
    Frame(Stream, Frame),
    /// It sent bytes that are not a frame; nothing more can be read from that stream.
    Broken(Stream, FrameError),
    /// It ended its side of a stream, in good order or with a reason: nothing more will come.
    Ended(Stream, Option<Close>),
}

/// What the driver must do.
#[derive(Debug)]
pub enum Output<E> {
    /// Open a stream with this first frame, and send no more on it where told so.
    Open(Stream, Frame, After),
    /// Send a frame.
    Send(Stream, Frame, After),
    /// Forget a stream in good order, once what was sent on it is through.
    Done(Stream),
    /// Break a stream off, both ways.
    Abort(Stream, Close),
    /// End the connection. Nothing follows.
    End(Close),
    /// Something that the program must know.
    Event(E),
}

/// Whether more frames follow on this end's side of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum After {
    /// More may follow.
    More,
    /// This was the last.
    Finish,
}

/// One end of a connection.
pub trait Session {
    /// What it tells the program.
    type Event;

    /// Takes what came from the other end.
    fn hear(&mut self, heard: Heard, now: Now);

    /// Acts on every deadline that has passed.
    fn tick(&mut self, now: Now);

    /// Takes note that the connection is gone, with the reason where there is one.
    fn lost(&mut self, why: Option<Close>);

    /// The next thing to do; `None` until something happens.
    fn poll(&mut self) -> Option<Output<Self::Event>>;

    /// When to call [`Self::tick`] at the latest, since the session began.
    fn next_deadline(&self) -> Option<Duration>;

    /// The kinds of frames that this end takes on a stream.
    fn takes(stream: StreamSide) -> &'static [Kind];
}

/// Which streams, for [`Session::takes`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StreamSide {
    /// The control stream.
    Control,
    /// A stream that this end opened.
    Ours,
    /// A stream that the other end opened.
    Theirs,
}

/// Most questions open at one node over one connection. A round asks each node once; 64 analysts at a time.
pub const OPEN_QUESTIONS_MAX: usize = 64;

/// Most requests open on one analyst's connection. A report asks several questions at a time.
pub const OPEN_REQUESTS_MAX: usize = 16;

/// Most flights of the linkage secret's hand-over that a node is given in a minute: each partner asks the keeper, and once more.
pub const LINKAGE_PER_MINUTE_MAX: u32 = 2 * 1_024;

const _: () = assert!(cairn_question::limits::PARTNERS_MAX == 1_024, "each partner asks, and once more");

/// Most bytes of one result: 256 partners with the longest reply, or 1,024 with ordinary ones.
pub const RESULT_BYTES_MAX: usize = 256 << 20;

/// How long the other end has for its first words.
pub const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// How long the other end has to send a request whole, once it has opened its stream.
pub const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// How long the coordinator has to accept or decline a request, and to send the register.
pub const ACCEPT_WITHIN: Duration = Duration::from_secs(30);

/// How long after a round's deadline its result may still be on its way.
pub const RESULT_GRACE: Duration = Duration::from_secs(60);

/// The difference between two clocks that is told as a wrong clock, in seconds: as much as a question bears.
pub const CLOCK_SKEW_S: u64 = cairn_question::limits::CLOCK_SKEW_S;

/// How patient the coordinator is with whoever dialled in.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the first words: [`HELLO_WITHIN`].
    pub hello: Duration,
    /// For a request, whole, once its stream is open: [`REQUEST_WITHIN`].
    pub request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { hello: HELLO_WITHIN, request: REQUEST_WITHIN }
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

/// Counts one more of something in its minute; says whether it is still within `most`.
const fn counted(so_far: &mut (u64, u32), now: Now, most: u32) -> bool {
    let minute = now.since_start.as_secs() / 60;
    let before = if so_far.0 == minute { so_far.1 } else { 0 };
    *so_far = (minute, before.saturating_add(1));
    before < most
}

#[cfg(test)]
mod tests;
