//! How good the links are, and what can be said with them: bounds for records without a key, a correction for missed links, the overlap.
//!
//! Works on released figures only: the count, and totals that left under their own protection.

use std::fmt;

use crate::occupancy::NotCounted;
use crate::occupancy::estimate::Count;

/// A released total with the half-width of its 95 % interval.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Figure {
    /// As released; noise may make it negative.
    pub value: i64,
    /// 0 where it is exact.
    pub plus_minus_95: u32,
}

/// f: of the links between two records of one person, the share that the key misses, from a local audit. In thousandths, below 500.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct MissedShare(u16);

/// From least to most, whole people, both rounded outward.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Range {
    /// Never below 0.
    pub least: u64,
    /// At least `least`.
    pub most: u64,
}

/// What can be said of people known to two or more partners.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Overlap {
    /// The appearances beyond the first, R − N̂; and so between how many people they are: each has one to n − 1 of them.
    Said {
        /// Rows beyond each person's first.
        appearances: Range,
        /// People known to two or more partners.
        people: Range,
    },
    /// Not sure to be at least the threshold.
    Withheld,
}

/// The fewest people known to several partners that are spoken of: the threshold of the strictest profile that ships.
pub const OVERLAP_MIN: u32 = 10;

/// All that is said of a count's links.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkageQuality {
    count: Count,
    with_key: Figure,
    without_key: Figure,
    partners: u16,
}

impl MissedShare {
    /// Takes thousandths.
    ///
    /// # Errors
    /// [`NotCounted::MissedShare`] from 500: a key that misses half of the links links nothing.
    pub const fn from_thousandths(thousandths: u16) -> Result<Self, NotCounted> {
        if thousandths < 500 { Ok(Self(thousandths)) } else { Err(NotCounted::MissedShare) }
    }

    /// The share, in thousandths.
    #[must_use]
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// f/(1 − f).
    fn odds(self) -> f64 {
        let f = f64::from(self.0) / 1_000.0;
        f / (1.0 - f)
    }
}

impl LinkageQuality {
    /// `with_key` is R, the sum over partners of the people that have a key; `without_key` of the rows that have none. Both released on their own and charged on their own.
    #[must_use]
    pub const fn new(count: Count, with_key: Figure, without_key: Figure, partners: u16) -> Self {
        Self { count, with_key, without_key, partners }
    }

    /// R: people that have a key, at all partners together.
    #[must_use]
    pub const fn with_key(&self) -> Figure {
        self.with_key
    }

    /// Rows without a key, at all partners together.
    #[must_use]
    pub const fn without_key(&self) -> Figure {
        self.without_key
    }

    /// People with a key, counted once: the 95 % interval.
    #[must_use]
    pub fn linked(&self) -> Range {
        range(
            self.count.people() - self.count.plus_minus_95(),
            self.count.people() + self.count.plus_minus_95(),
        )
    }

    /// All people: at least the linked ones, as if every record without a key were of one of them; at most these and every such record.
    #[must_use]
    pub fn all(&self) -> Range {
        let without = whole(self.without_key.value.max(0)) + f64::from(self.without_key.plus_minus_95);
        let linked = self.linked();
        range(as_float(linked.least), as_float(linked.most) + without)
    }

    /// The share of records without a key, 0 to 1.
    #[must_use]
    pub fn without_key_share(&self) -> f64 {
        let (with, without) = (whole(self.with_key.value.max(0)), whole(self.without_key.value.max(0)));
        if with + without > 0.0 { without / (with + without) } else { 0.0 }
    }

    /// N̂ − f/(1−f)·(R − N̂): of the true links, 1 − f were found, R − N̂ of them.
    ///
    /// The interval is the count's and R's own errors carried through, which are independent: N̂ comes in with 1/(1−f), R with f/(1−f).
    #[must_use]
    pub fn corrected(&self, missed: MissedShare) -> Range {
        let odds = missed.odds();
        let people = self.count.people();
        let middle = people - odds * (whole(self.with_key.value) - people);
        let of_count = (1.0 + odds) * self.count.plus_minus_95();
        let of_rows = odds * f64::from(self.with_key.plus_minus_95);
        let wide = of_count.hypot(of_rows);
        range(middle - wide, middle + wide)
    }

    /// Appearances beyond the first, and people known to two or more partners, where at least `threshold` of the latter are sure (95 %).
    ///
    /// Made of two protected figures, so it costs nothing more. The threshold is for reading: what is near nothing is noise.
    #[must_use]
    pub fn overlap(&self, threshold: u32) -> Overlap {
        let middle = whole(self.with_key.value) - self.count.people();
        let wide = self.count.plus_minus_95().hypot(f64::from(self.with_key.plus_minus_95));
        let appearances = range(middle - wide, middle + wide);
        let each = f64::from(self.partners.saturating_sub(1).max(1));
        let people = range((as_float(appearances.least) / each).floor(), as_float(appearances.most));
        if people.least >= u64::from(threshold.max(1)) {
            Overlap::Said { appearances, people }
        } else {
            Overlap::Withheld
        }
    }
}

impl fmt::Display for LinkageQuality {
    /// Lines for the foot of a table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (linked, all) = (self.linked(), self.all());
        writeln!(f, "people with a linkage key, counted once: {linked} (95 %)")?;
        writeln!(
            f,
            "records without a key: {} (±{})",
            self.without_key.value, self.without_key.plus_minus_95
        )?;
        writeln!(f, "share without a key: {:.1} %", 100.0 * self.without_key_share())?;
        writeln!(
            f,
            "all people: {all}, by whether those records are of people counted already or of others"
        )?;
        let (five, ten) = (self.corrected(MissedShare(50)), self.corrected(MissedShare(100)));
        write!(f, "if the key missed 5 % of links: {five}; 10 %: {ten}")
    }
}

impl fmt::Display for MissedShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{} %", self.0 / 10),
            tenths => write!(f, "{}.{tenths} %", self.0 / 10),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.least, self.most)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 and 2^53 and rounded to whole people first"
)]
fn range(least: f64, most: f64) -> Range {
    let within = |x: f64| x.clamp(0.0, 9_007_199_254_740_992.0);
    let least = within(least.floor()) as u64;
    Range { least, most: (within(most.ceil()) as u64).max(least) }
}

#[expect(clippy::cast_precision_loss, reason = "counts of people are far below 2^53")]
fn whole(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of people are far below 2^53")]
fn as_float(value: u64) -> f64 {
    value as f64
}
