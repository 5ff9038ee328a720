//! Carries frames between named parties over mutually authenticated QUIC.
//!
//! * [`identity`]: the federation's root, each party's folder, and every check of a certificate.
//! * [`frame`]: the one codec, with a limit on every length.
//! * [`session`]: what each end does with a frame, as pure state machines: frames and time in, frames and events out.
//! * [`quic`]: the thin shell of sockets around them. A node only ever dials out.
//!
//! X.509 is for transport only: who asks and who answers is proved by signatures inside the frames, which this crate carries
//! as bytes and never opens. docs/reference/wire.md is the protocol.

pub mod address;
pub mod backoff;
pub mod clock;
pub mod close;
#[cfg(test)]
mod documented;
pub mod error;
pub mod frame;
pub mod identity;
pub mod log;
pub mod quic;
pub mod session;
mod tls;

pub use address::Address;
pub use clock::Clock;
pub use error::{AskFailure, LinkError};
pub use identity::{AnalystIdentity, Authority, CoordinatorIdentity, IdentityError, Issuer, NodeIdentity};
pub use quic::{
    AnalystClient, Asking, Event, FlightSender, Flights, Handler, Listener, NodeHandle, NodeState, Responder,
    RoundResult, run_node,
};
