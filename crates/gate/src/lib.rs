//! Takes a signed question through every step, in order, before an answer may leave.
//!
//! ```text
//! bytes ─verify─▶ Verified ─permit─▶ Permitted ─reserve─▶ Counting ─(engine)─▶ RawTable ─release─▶ Releasable ─reply─▶ bytes
//! ```
//!
//! Each step takes the step before by value and by type, and only its own module can build it, so none can be left out, done twice or
//! done in another order; `tests/compile_fail` holds that against the compiler. Nothing here waits, reads a clock or opens a
//! file: the ledger, the noise, the policy and the time are arguments. Between [`Gate::reserve`] and [`Gate::release`] the caller
//! has the engine count [`Counting::plan`].
//!
//! A refusal leaves at verify, permit or reserve, before any record is read; it is signed, in the audit and remembered by the question's number
//! and hash. A fault leaves as a stable code alone.

mod able;
mod context;
mod gate;
mod permit;
mod price;
mod release;
mod reply;
mod reserve;
mod settings;
mod stored;
mod tally;
mod total;
mod unready;
mod verify;

pub use gate::{Gate, Keys, Step};
pub use permit::Permitted;
pub use price::{Buyer, price};
pub use release::{Failed, Releasable};
pub use reserve::{ColumnNote, Counting, Provisional, SnapshotFacts};
pub use stored::stored_table;
pub use total::{Kept, Opened, Sealable};
pub use unready::Without;
pub use verify::Verified;
