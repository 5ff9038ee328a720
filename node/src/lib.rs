//! The service a partner runs: it holds records and answers what its policy allows.

mod answer;
pub mod config;
mod disk;
pub mod impact;
pub mod in_force;
pub mod secret;
pub mod service;
pub mod status;

#[cfg(test)]
mod fixture;

pub use config::{Config, ConfigFault};
pub use service::{Node, StartFault};
pub use status::Status;
