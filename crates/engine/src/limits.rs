//! What counting may use of the machine.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What counting may use of the machine. Set by the node's configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Most bytes that all counts under way may hold together, apart from the batches being decoded (about 1 MB a thread
    /// and column). A join holds 4 bytes for each row of a table above, of the parts being counted.
    pub memory_bytes: usize,
    /// Longest that one count may take.
    pub time_limit: Duration,
    /// How many parts are counted at the same time, each on a thread of its own. The threads are the engine's: counting
    /// never holds up the node's connections.
    pub threads: NonZeroUsize,
}

impl Default for Limits {
    /// 512 MB, one minute, two threads: a small office machine, 100 times what ten million rows need.
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            time_limit: Duration::from_secs(60),
            threads: NonZeroUsize::MIN.saturating_add(1),
        }
    }
}
