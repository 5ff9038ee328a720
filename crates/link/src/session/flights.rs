//! Flights: frames that pass either way on a question's stream between QUESTION and REPLY. What is in them is not this crate's.

use std::fmt;

use crate::close::Close;
use crate::frame::Kind;

/// A flight's body, as it came. Whoever takes it out knows what it is.
#[derive(Clone, Eq, PartialEq)]
pub struct Body(pub Vec<u8>);

impl fmt::Debug for Body {
    /// Its length only: it may hold a secret of the protocol that it belongs to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// What has passed on one question's stream.
#[derive(Debug, Default)]
pub(super) struct Passed {
    heard: OneWay,
    said: OneWay,
}

#[derive(Debug, Default)]
struct OneWay {
    flights: usize,
    bytes: usize,
}

impl Passed {
    /// Counts a flight that came.
    pub(super) fn hear(&mut self, body: &[u8]) -> Result<(), Close> {
        self.heard.count(body.len())
    }

    /// Counts a flight that is to be sent.
    pub(super) fn say(&mut self, body: &[u8]) -> Result<(), Close> {
        if body.len() > Kind::Flight.bytes_max() {
            return Err(Close::TooLong);
        }
        self.said.count(body.len())
    }
}

impl OneWay {
    fn count(&mut self, bytes: usize) -> Result<(), Close> {
        self.flights = self.flights.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        let within = self.flights <= FLIGHTS_MAX && self.bytes <= FLIGHT_BYTES_SUM_MAX;
        if within { Ok(()) } else { Err(Close::TooManyFlights) }
    }
}

/// Most flights each way on one question's stream: a few attempts at a protocol with a few flights each, and their repetitions.
pub const FLIGHTS_MAX: usize = 256;

/// Most bytes of all flights each way on one question's stream, 16 MiB: five attempts with the longest flight each, three times over.
pub const FLIGHT_BYTES_SUM_MAX: usize = 16 << 20;

const _: () =
    assert!(15 * Kind::Flight.bytes_max() <= FLIGHT_BYTES_SUM_MAX, "five attempts fit three times over");
