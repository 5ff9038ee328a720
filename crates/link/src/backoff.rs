//! How long a node waits before it dials again.

use std::time::Duration;

/// The wait before attempt number `attempt` (0 is the first): exponential with full jitter, so that four hundred nodes do not
/// come back in the same second after the coordinator restarts.
///
/// `jitter` is any number, drawn evenly by the caller. The wait lies between [`WAIT_MIN`] and the smaller of
/// [`WAIT_MAX`] and `WAIT_MIN · 2^attempt`. ("Full jitter": M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
/// Blog, 2015; here with a floor, so that a refused node never spins.)
#[must_use]
pub fn wait(attempt: u32, jitter: u64) -> Duration {
    let factor = 1_u64.checked_shl(attempt.min(WAIT_DOUBLINGS_MAX)).unwrap_or(u64::MAX);
    let ceiling_ms = WAIT_MIN_MS.saturating_mul(factor).min(WAIT_MAX_MS);
    let spread_ms = ceiling_ms.saturating_sub(WAIT_MIN_MS).saturating_add(1);
    Duration::from_millis(WAIT_MIN_MS + jitter % spread_ms)
}

/// The shortest wait: a quarter of a second.
pub const WAIT_MIN: Duration = Duration::from_millis(WAIT_MIN_MS);

/// The longest wait: one minute. A partner's node is back within a minute of the coordinator.
pub const WAIT_MAX: Duration = Duration::from_millis(WAIT_MAX_MS);

/// A connection that lasted this long counts as good: the next loss starts over at the shortest wait.
pub const GOOD_AFTER: Duration = Duration::from_secs(60);

const WAIT_MIN_MS: u64 = 250;
const WAIT_MAX_MS: u64 = 60_000;

/// 250 ms doubled 8 times is past a minute.
const WAIT_DOUBLINGS_MAX: u32 = 16;

#[cfg(test)]
mod tests {
    use super::{WAIT_MAX, WAIT_MIN, wait};
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn the_ceiling_doubles_until_a_minute() {
        let most = |attempt| (0..120_000).step_by(7).map(|j| wait(attempt, j)).max().unwrap();
        assert_eq!(most(0), WAIT_MIN);
        assert!(most(1) > Duration::from_millis(490) && most(1) <= Duration::from_millis(500));
        assert!(most(20) > Duration::from_secs(59) && most(20) <= WAIT_MAX);
    }

    proptest! {
        #[test]
        fn every_wait_is_within_the_limits(attempt in any::<u32>(), jitter in any::<u64>()) {
            prop_assert!((WAIT_MIN..=WAIT_MAX).contains(&wait(attempt, jitter)));
        }
    }
}
