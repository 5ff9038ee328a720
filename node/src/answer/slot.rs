//! When a reply leaves: at a slot after its question came, so that what the wait shows is how many slots the work took, and not how
//! many people were counted.

use std::time::Duration;

use tokio::time::Instant;

/// The slots of one question: whole multiples of `every` after it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    came: Instant,
    every: Duration,
}

impl Slots {
    /// `every`: at least a millisecond.
    pub(crate) fn from(came: Instant, every: Duration) -> Self {
        Self { came, every: every.max(Duration::from_millis(1)) }
    }

    /// The next slot, from now on.
    pub(crate) async fn reply(self) {
        tokio::time::sleep_until(self.next(Instant::now())).await;
    }

    /// Shortly before the next slot: a table that waits is written to the ledger then, and up to then it can be stopped.
    pub(crate) async fn ledger(self) {
        let before = self.every / LEDGER_PART;
        let until = self.next(Instant::now()).checked_sub(before).unwrap_or(self.came);
        tokio::time::sleep_until(until).await;
    }

    fn next(self, now: Instant) -> Instant {
        let passed = now.saturating_duration_since(self.came).as_micros();
        let slots = passed.div_ceil(self.every.as_micros()).max(1);
        self.came + self.every.saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
    }
}

/// One part in five of a slot is for the ledger: 50 ms of the default, in which a disk syncs.
const LEDGER_PART: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_slot_is_a_whole_number_of_slots_after_the_question_and_never_at_once() {
        let came = Instant::now();
        let slots = Slots::from(came, Duration::from_millis(250));
        let check = |now_ms: u64, slot_ms: u64| {
            let next = slots.next(came + Duration::from_millis(now_ms));
            assert_eq!(next - came, Duration::from_millis(slot_ms), "{now_ms}");
        };
        check(0, 250);
        check(1, 250);
        check(250, 250);
        check(251, 500);
        check(30_000, 30_000);
        check(30_001, 30_250);
    }
}
