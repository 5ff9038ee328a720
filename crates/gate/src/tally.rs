//! How many questions that are not kept are logged one by one: neither whoever cannot sign nor whoever is past the day's limit must be able to
//! fill the disk.

use cairn_question::Moment;

/// Most of them with an audit entry of their own in one minute: some 9,000 a day, or 6 MB.
pub(crate) const LOGGED_PER_MINUTE_MAX: u32 = 6;

/// Counts the questions of one kind, unverified or past the limit, in memory. Those past the limit have no entry; the next entry says how many they were.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    minute: u64,
    logged: u32,
    unlogged: u64,
}

/// What to do about one such question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Log {
    /// Write an entry, and say in it that so many before it had none.
    Write { unlogged: u64 },
    /// Write nothing.
    Skip,
}

impl Tally {
    /// Counts one at `now`.
    pub(crate) fn count(&mut self, now: Moment) -> Log {
        let minute = now.unix_s() / 60;
        if minute != self.minute {
            (self.minute, self.logged) = (minute, 0);
        }
        if self.logged >= LOGGED_PER_MINUTE_MAX {
            self.unlogged = self.unlogged.saturating_add(1);
            return Log::Skip;
        }
        self.logged += 1;
        Log::Write { unlogged: std::mem::take(&mut self.unlogged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_are_logged_in_a_minute_and_the_rest_are_counted() {
        let mut tally = Tally::default();
        let mut at = |second: u64| tally.count(Moment::from_unix_s(second));
        let first: Vec<Log> = (0..100).map(|n| at(600 + n % 60)).collect();
        let written = first.iter().filter(|l| **l == Log::Write { unlogged: 0 }).count();
        assert_eq!(written, usize::try_from(LOGGED_PER_MINUTE_MAX).unwrap());
        assert_eq!(at(660), Log::Write { unlogged: 94 });
        assert_eq!(at(661), Log::Write { unlogged: 0 });
    }
}
