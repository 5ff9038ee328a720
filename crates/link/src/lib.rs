//! Carries frames between named parties over mutually authenticated QUIC.
