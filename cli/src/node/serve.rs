//! `cairn node run` and `cairn node status`.
