//! Secure sums from outside: documents, rules, attacks, and whole rounds over a network that fails.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a helper of a test fails the test"
)]

mod documents;
mod repeats;
mod world;
