//! Asks every partner and adds up what comes back.

pub mod accept;
pub mod config;
pub mod round;
pub mod service;
pub mod store;
pub mod total;

pub use config::{Config, ConfigFault};
pub use service::{Coordinator, StartFault, Status};

#[cfg(test)]
mod fixture;
