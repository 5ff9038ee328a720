//! The clock that a program hands in.

use cairn_question::Moment;
use rustls_pki_types::UnixTime;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Tells the time of day. The programs hand in the machine's; tests hand in their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Clock {
    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.0)()
    }
}

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.now()))
    }
}

/// The same moment, as the certificate library counts it.
pub(crate) fn unix_time(at: Moment) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(at.unix_s()))
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
