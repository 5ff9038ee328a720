//! The service a partner runs: it holds records and answers what its policy allows.

mod answer;
pub mod config;
mod disk;
pub mod impact;
pub mod in_force;
mod linkage_secret;
mod others;
pub mod price;
pub mod recheck;
#[cfg(feature = "sabotage")]
mod sabotage;
mod seats;
pub mod secret;
pub mod service;
mod start_fault;
pub mod status;
mod witness;

#[cfg(test)]
mod fixture;

/// Whom a price is for.
pub use cairn_gate::Buyer;
pub use config::{Config, ConfigFault};
pub use linkage_secret::LINKAGE_SECRET_FILE;
pub use seats::REGISTER_FILE;
pub use service::Node;
pub use start_fault::StartFault;
pub use status::Status;
pub use witness::{NotRestored, acknowledge_restore};
