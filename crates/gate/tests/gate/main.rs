//! The gate from outside: whole questions through the whole ladder, over a real ledger and the shipped policies.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails the test"
)]

mod audits;
mod cannot_compile;
mod cell_key;
mod editions;
mod faults;
mod gaussian;
mod ladder;
mod once;
mod prices;
mod refusals;
mod rewritings;
mod sums;
mod totals;
mod world;
