//! What to make.

use cairn_question::Day;

use crate::error::GenerateError;

/// What to make: the same spec gives the same bytes.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The seed. The default is 1.
    pub seed: u64,
    /// How many people there are in all, 10 to 1,000,000. The demo has 8,000; published totals come to about 92,000.
    pub people: u32,
    /// Names of partners; empty: those of the demo ([`crate::DEMO_PARTNERS`]).
    pub partners: Vec<String>,
    /// The day on which the exports stand so. Rows that were written down later are not in them, so that two exports of one
    /// seed differ as two editions do: about one row in ten is written down a quarter late.
    pub as_of: Day,
}

impl Spec {
    /// The demo: ten partners, 8,000 people, as of 30 September 2025.
    #[must_use]
    pub const fn demo() -> Self {
        Self { seed: 1, people: 8_000, partners: Vec::new(), as_of: DEMO_DAY }
    }

    /// All of Scotland by published totals: 92,000 people, 32 councils and nine other partners.
    #[must_use]
    pub fn full_scale() -> Self {
        Self { people: 92_000, partners: crate::partners_of_full_scale(), ..Self::demo() }
    }

    pub(crate) fn check(&self) -> Result<(), GenerateError> {
        if !(10..=1_000_000).contains(&self.people) {
            return Err(GenerateError::OutOfRange("the number of people is 10 to 1,000,000"));
        }
        let days = Day::new(2019, 7, 1).zip(Day::new(2035, 12, 31));
        if !days.is_some_and(|(first, last)| (first..=last).contains(&self.as_of)) {
            return Err(GenerateError::OutOfRange("the exports' day is from 2019-07-01 to 2035-12-31"));
        }
        Ok(())
    }
}

impl Default for Spec {
    fn default() -> Self {
        Self::demo()
    }
}

const DEMO_DAY: Day = match Day::new(2025, 9, 30) {
    Some(day) => day,
    None => Day::EARLIEST,
};
