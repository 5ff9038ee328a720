//! Reads a board's sharing policy and decides whether a question may be answered, and how.

pub mod treatment;

pub use treatment::{Caps, Method, Quota, Treatment, Window};
