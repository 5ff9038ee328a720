//! Starts whole federations and doubts them.
