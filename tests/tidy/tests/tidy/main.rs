//! House rules, held by tests.

mod codes;
mod documents;
mod imports;
mod links;
mod lock;
mod sources;
mod tree;
