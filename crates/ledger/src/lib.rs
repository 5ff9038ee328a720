//! Keeps what was spent, asked and answered: durable, hash-chained, verifiable by anyone.
