//! `cell-key`: every count changed a little by the keys of the people in it, so that the same people always give the same
//! answer.
//!
//! Fraser and Wooton, "A proposed method for confidentialising tabular output to protect against differencing", Australian
//! Bureau of Statistics 2005; as the Office for National Statistics does it in its package `cell-key-perturbation`, but for its
//! treatment of missing values (docs/reference/cell-key.md).
//!
//! Each person has a key for life ([`RecordKey`]). The keys of a cell's people add up, modulo 256, to the cell's key, over every
//! category, the missing one among them. A table of perturbations ([`PerturbationTable`]) then says, for the count and the key, by
//! how much the count changes. What comes out is [`Perturbed`]; the count before, the cell's key and the change never leave this
//! module. The method gives no formal guarantee: enough different questions with the same answer average it away.

mod counts;
mod entropy;
mod keys;
mod read;
mod table;

pub use counts::{Keyed, Malformed, OutsideGrid, Perturbed};
pub use entropy::{Shape, ShapeError};
pub use keys::{KEYS, NoPersonId, NodeSecret, RecordKey};
pub use read::{BYTES_MAX, Field, Finding, Reading, Weight};
pub use table::{COUNT_MAX, CYCLE_FROM, NotForTotals, PerturbationTable};
