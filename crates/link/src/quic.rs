//! The thin shell of sockets. Everything that is decided is decided in [`crate::session`]; here bytes, streams and timers move.

mod analyst;
mod dial;
mod drive;
mod endpoint;
mod listener;
mod node;
mod responder;
mod wire;

pub use analyst::{AnalystClient, RoundResult};
pub use listener::{Event, Listener, NodeHandle};
pub use node::{Handler, NodeState, run_node};
pub use responder::{RegisterResponder, Responder};

#[cfg(test)]
mod tests;
