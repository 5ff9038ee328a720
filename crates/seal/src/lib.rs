//! Secure sums, both ends, as pure state machines: the coordinator learns the sum over the partners of a round and nothing else.
//!
//! Every partner adds masks to its table. Those that two partners agreed on cancel in the sum; the one of its own it opens only after every other
//! partner has sealed. Bytes and time go in, frames and deadlines come out: no socket, file or clock is touched here, and randomness comes
//! in as an argument. What it does not protect against stands first in `docs/reference/seal.md`.

mod agree;
mod attempt;
pub mod coordinator;
pub mod layout;
pub mod linkage_secret;
pub mod manifest;
mod mask;
mod members;
pub mod node;
mod noise;
pub mod occupancy;
mod partners;
mod prg;
pub mod receipt;
mod record;
mod refused;
pub mod roster;
mod terms;
pub mod transcript;
pub mod wire;

pub use agree::{Randomness, SystemRandomness};
pub use attempt::{ATTEMPTS_MAX, Attempt};
pub use coordinator::{CoordinatorEvent, CoordinatorRound, CoordinatorSetup, RollCall, Standing, Summed};
pub use layout::{Layout, Masked, Plain, Ring, SymbolBits};
pub use linkage_secret::{LinkageMark, LinkageSecret};
pub use manifest::{Manifest, ManifestV1, Repeat, Treatment};
pub use mask::{Aggregator, Blind, MaskKey, Pair, PairwiseMasks, Side};
pub use members::{Members, NodeId};
pub use node::{Draw, Keep, NodeEvent, NodeRound, NodeSetup, Subject};
pub use partners::{Openings, Partners, Series};
pub use receipt::{OpenedRound, Receipt, ReceiptV1};
pub use record::OpenRecord;
pub use refused::Refused;
pub use roster::{Roster, RosterEntryV1, RosterV1};
pub use terms::{CLAMP_MAX, Terms};
pub use transcript::{Recomputed, Transcript, recompute};

#[cfg(test)]
mod tests;
