//! House rules, held by tests.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod codes;
mod documents;
mod imports;
mod links;
mod lock;
mod sabotage;
mod sources;
mod tree;
