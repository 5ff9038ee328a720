//! Holds the tree to its house rules.
//!
//! Everything is in `tests/tidy`: what may import what, what the lock file may hold, that documents and code keep in
//! step, that links lead somewhere and that every code a person can see has a page. Builds without DataFusion.
