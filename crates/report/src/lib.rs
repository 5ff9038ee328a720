//! Makes indicators, rates and their bases from released values only.
