//! Work of a look that may take long, on a thread of its own: a brake must not wait for it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Work under way.
pub(super) struct AtWork<T>(mpsc::Receiver<T>);

/// The work broke.
pub(super) struct Broke;

impl<T: Send + 'static> AtWork<T> {
    pub(super) fn begin(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || {
            // Nobody waits for it where the node has stopped.
            let _ = send.send(work());
        });
        Self(receive)
    }

    /// What came of it; `None` where it goes on for longer than `patience`.
    pub(super) fn ended(&self, patience: Duration) -> Option<Result<T, Broke>> {
        match self.0.recv_timeout(patience) {
            Ok(done) => Some(Ok(done)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(Broke)),
        }
    }
}
