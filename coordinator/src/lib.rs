//! Asks every partner and adds up what comes back.

pub mod accept;
pub mod config;
pub mod round;

pub use config::{Config, ConfigFault};

#[cfg(test)]
mod fixture;
