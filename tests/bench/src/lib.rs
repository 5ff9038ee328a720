//! Measures side by side with named peers.
