//! The thin shell of sockets. Everything that is decided is decided in [`crate::session`]; here bytes, streams and timers move.

mod analyst;
mod listener;
mod node;

pub use analyst::{AnalystClient, RoundResult};
pub use listener::{Event, Listener, NodeHandle, RegisterResponder, Responder};
pub use node::{Handler, NodeState, run_node};
