//! The service a partner runs: it holds records and answers what its policy allows.

pub mod config;
pub mod secret;

pub use config::{Config, ConfigFault};
