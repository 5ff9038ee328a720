//! The thin shell of sockets. Everything that is decided is decided in [`crate::session`]; here bytes, streams and timers move.

mod analyst;
mod asking;
mod dial;
mod drive;
mod endpoint;
mod flights;
mod listener;
mod node;
mod responder;
mod wire;

pub use analyst::{AnalystClient, RoundResult};
pub use asking::{Asking, NodeHandle};
pub use flights::{FLIGHT_BYTES_UNREAD_MAX, FLIGHTS_UNREAD_MAX, FlightSender, Flights};
pub use listener::{Event, Listener};
pub use node::{Handler, NodeState, run_node};
pub use responder::{RegisterResponder, Responder};

#[cfg(test)]
mod tests;
