//! Counts and shares with their ranges, in exact integers.
//!
//! A count adds released parts up. A withheld part stands at the middle of what it can be, so that a sum over many
//! partners is not low by all of them; how many parts that concerns is always beside the figure. A share is the ratio of
//! two such counts, its range the ratio of their ends. docs/reference/report.md has the formulas.

use std::fmt;

use cairn_question::Cell;
use cairn_question::combine::CombinedCell;

pub use crate::catalogue::Unit;

/// A sum of released parts: those with a certain range and those with noise apart, because their ranges add differently.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Count {
    answered: Answered,
    released: i64,
    least: i64,
    most: Most,
    parts_withheld: u32,
    /// Twice what the withheld parts stand at.
    withheld_doubled: i64,
    noisy: i64,
    /// Sum of the squares of the parts' 95 % half-widths.
    noise_squared: u128,
}

/// Whether any part at all was answered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Answered {
    #[default]
    Nobody,
    Certain,
    Noisy,
    Both,
}

/// The upper end of a certain range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Most(Option<i64>);

impl Default for Most {
    fn default() -> Self {
        Self(Some(0))
    }
}

/// A figure as a reader sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Figure {
    /// The value; absent where a marker says why.
    pub value: Option<Quantity>,
    /// The lower end of its range.
    pub least: Option<Quantity>,
    /// The upper end; absent where some part sets no bound.
    pub most: Option<Quantity>,
    /// What the range means.
    pub range: RangeKind,
    /// Markers, each once.
    pub markers: Vec<Marker>,
    /// How many partners' parts are withheld in it.
    pub parts_withheld: u32,
    /// A remark about this figure alone.
    pub note: Option<&'static str>,
}

/// A count or a share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Quantity {
    /// People or starts; negative only under noise.
    Count(i64),
    /// A share.
    Share(Tenths),
}

/// Tenths of a per cent, 0 to 1,000.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Tenths(u16);

/// What a range promises.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RangeKind {
    /// There is none.
    None,
    /// The true count lies in it for certain.
    Certain,
    /// Made of parts with noise, each of which lies in its own range 95 times in 100.
    NinetyFive,
}

/// The Government Analysis Function's markers, as Cairn uses them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Marker {
    /// `[c]`: withheld.
    Withheld,
    /// `[x]`: not answered.
    NotAnswered,
    /// `[z]`: not applicable: there is nobody in the base.
    NotApplicable,
    /// `[e]`: estimated: some parts are withheld and stand at the middle of what they can be.
    Estimated,
    /// `[u]`: low reliability: the range is wide, or too little of the base is known.
    LowReliability,
    /// `[p]`: provisional: later rows are expected.
    Provisional,
}

impl Count {
    /// The sum of one cell's certain part and its noisy part. `withheld_doubled` is twice what the withheld parts stand at;
    /// `noise_squared` is the sum of the squares of the noisy parts' 95 % half-widths.
    #[must_use]
    pub fn new(
        certain: Option<CombinedCell>,
        withheld_doubled: i64,
        noisy: Option<CombinedCell>,
        noise_squared: u128,
    ) -> Self {
        let mut count = Self::default();
        if let Some(cell) = certain.filter(|c| c.cell != Cell::NotAnswered) {
            count.withheld_doubled = withheld_doubled;
            count.answered = Answered::Certain;
            (count.least, count.most, count.parts_withheld) =
                (cell.least, Most(cell.most), cell.parts_withheld.into());
            if let Cell::Value(v) = cell.cell {
                count.released = v;
            }
        }
        if let Some(cell) = noisy
            && let Cell::Value(v) = cell.cell
        {
            count =
                count.plus(&Self { answered: Answered::Noisy, noisy: v, noise_squared, ..Self::default() });
        }
        count
    }

    /// The sum of two counts of different people.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            answered: self.answered.and(other.answered),
            released: self.released.saturating_add(other.released),
            least: self.least.saturating_add(other.least),
            most: Most(self.most.0.zip(other.most.0).map(|(a, b)| a.saturating_add(b))),
            parts_withheld: self.parts_withheld.saturating_add(other.parts_withheld),
            withheld_doubled: self.withheld_doubled.saturating_add(other.withheld_doubled),
            noisy: self.noisy.saturating_add(other.noisy),
            noise_squared: self.noise_squared.saturating_add(other.noise_squared),
        }
    }

    /// The range: certain parts add end to end; noisy parts' half-widths add as the root of the sum of their squares.
    ///
    /// The root is never too narrow for sums of discrete Laplace noise: one part lies within 3.00 scales 95 times in 100,
    /// two lie within 4.24 scales 95.5 times in 100, many within 2.12 standard deviations 96.6 times in 100.
    #[must_use]
    pub fn range(&self) -> (i64, Option<i64>) {
        let within = i64::try_from(root_up(self.noise_squared)).unwrap_or(i64::MAX);
        let least = self.least.saturating_add(self.noisy).saturating_sub(within).max(0);
        let most = self.most.0.map(|m| m.saturating_add(self.noisy).saturating_add(within).max(0));
        (least, most)
    }

    /// The value: what was released, and for each withheld part the middle of how many people it can be of. Where rows are
    /// counted that is one row for each of them: few people have more.
    #[must_use]
    pub fn value(&self) -> i64 {
        let certain = match (self.parts_withheld, self.most.0) {
            (0, _) => self.released,
            (_, Some(most)) => {
                let middle = self.withheld_doubled.saturating_add(1).div_euclid(2);
                self.released.saturating_add(middle).max(self.least).min(most)
            }
            (_, None) => self.released.max(self.least),
        };
        certain.saturating_add(self.noisy)
    }

    /// What the ranges of several counts are added up from: the ends by what is certain, with the noisy parts' own sum in both, and the
    /// sum of the squares of the noisy parts' half-widths. Not cut off at 0. The upper end is absent where some part sets no bound.
    pub(crate) fn ends(&self) -> (i64, Option<i64>, u128) {
        let most = self.most.0.map(|most| most.saturating_add(self.noisy));
        (self.least.saturating_add(self.noisy), most, self.noise_squared)
    }

    pub(crate) fn unanswered(&self) -> bool {
        self.answered == Answered::Nobody
    }

    pub(crate) const fn parts_withheld(&self) -> u32 {
        self.parts_withheld
    }

    pub(crate) fn withheld(&self) -> bool {
        self.answered == Answered::Certain && self.released == 0 && self.parts_withheld > 0
    }

    fn noisy(&self) -> bool {
        matches!(self.answered, Answered::Noisy | Answered::Both)
    }

    pub(crate) fn kind(&self) -> RangeKind {
        if self.noisy() { RangeKind::NinetyFive } else { RangeKind::Certain }
    }

    /// The count as a figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        if self.answered == Answered::Nobody {
            return Figure::only(Marker::NotAnswered);
        }
        if self.withheld() {
            return Figure { parts_withheld: self.parts_withheld, ..Figure::only(Marker::Withheld) };
        }
        let (least, most) = self.range();
        let mut markers = Vec::new();
        if self.parts_withheld > 0 {
            markers.push(Marker::Estimated);
        }
        if wide_count(self.value(), least, most) {
            markers.push(Marker::LowReliability);
        }
        Figure {
            value: Some(Quantity::Count(self.value())),
            least: Some(Quantity::Count(least)),
            most: most.map(Quantity::Count),
            range: self.kind(),
            markers,
            parts_withheld: self.parts_withheld,
            note: None,
        }
    }
}

impl Answered {
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nobody, x) | (x, Self::Nobody) => x,
            (Self::Certain, Self::Certain) => Self::Certain,
            (Self::Noisy, Self::Noisy) => Self::Noisy,
            _ => Self::Both,
        }
    }
}

/// The parts of one share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    /// Who is counted.
    pub(crate) numerator: Count,
    /// Of whom; the numerator is among them.
    pub(crate) denominator: Count,
    /// The others of the denominator, where they were released by themselves: the range is tighter then.
    pub(crate) rest: Option<Count>,
    /// Fewer people than this are never shown (the largest k of the partners' thresholds); also for the complement.
    pub(crate) min_people: i64,
}

impl Ratio {
    /// The share with its range, or the marker that says why there is none. Never a share of, or leaving over, a withheld
    /// count (release.md section 2, L3 and L4).
    pub(crate) fn figure(&self) -> Figure {
        let (numerator, denominator) = (&self.numerator, &self.denominator);
        let parts_withheld = numerator.parts_withheld.saturating_add(denominator.parts_withheld);
        let only = |marker| Figure { parts_withheld, ..Figure::only(marker) };
        if [numerator, denominator].iter().any(|c| c.answered == Answered::Nobody) {
            return only(Marker::NotAnswered);
        }
        if !denominator.noisy() && denominator.range() == (0, Some(0)) {
            return only(Marker::NotApplicable);
        }
        if self.hides_someone() {
            return only(Marker::Withheld);
        }
        let Some(value) = Tenths::half_up(numerator.value(), denominator.value()) else {
            return only(Marker::LowReliability);
        };
        let (least, most) = self.ends();
        let mut markers = Vec::new();
        if parts_withheld > 0 {
            markers.push(Marker::Estimated);
        }
        if most.0.saturating_sub(least.0) > SHARE_WIDTH_MAX {
            markers.push(Marker::LowReliability);
        }
        Figure {
            value: Some(Quantity::Share(value.max(least).min(most))),
            least: Some(Quantity::Share(least)),
            most: Some(Quantity::Share(most)),
            range: if numerator.noisy() || denominator.noisy() {
                RangeKind::NinetyFive
            } else {
                RangeKind::Certain
            },
            markers,
            parts_withheld,
            note: None,
        }
    }

    fn hides_someone(&self) -> bool {
        let (numerator, denominator) = (&self.numerator, &self.denominator);
        if numerator.withheld() || denominator.withheld() || self.rest.is_some_and(|r| r.withheld()) {
            return true;
        }
        let certain = !numerator.noisy() && !denominator.noisy();
        let complement = denominator.value().saturating_sub(numerator.value());
        certain && numerator.value() > 0 && complement < self.min_people
    }

    /// Least and most that the share can be. With the rest known, least is n/(n+r) at the numerator's least and the rest's
    /// most; else at the denominator's most. A numerator without an upper bound is bounded by its denominator.
    fn ends(&self) -> (Tenths, Tenths) {
        let (n_least, n_most) = self.numerator.range();
        if let Some(rest) = &self.rest {
            let (r_least, r_most) = rest.range();
            let least = r_most.map_or(Tenths::NONE, |r| Tenths::down(n_least, n_least.saturating_add(r)));
            let most = n_most.map_or(Tenths::ALL, |n| Tenths::up(n, n.saturating_add(r_least)));
            return (least, most);
        }
        let (d_least, d_most) = self.denominator.range();
        let least = d_most.map_or(Tenths::NONE, |d| Tenths::down(n_least, d));
        let n_most = [n_most, d_most].into_iter().flatten().min();
        (least, n_most.map_or(Tenths::ALL, |n| Tenths::up(n, d_least)))
    }
}

impl Figure {
    /// No value, and the reason.
    pub(crate) fn only(marker: Marker) -> Self {
        Self {
            value: None,
            least: None,
            most: None,
            range: RangeKind::None,
            markers: vec![marker],
            parts_withheld: 0,
            note: None,
        }
    }

    /// The markers as they are printed: `[e][u]`.
    #[must_use]
    pub fn marks(&self) -> String {
        self.markers.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn provisional(mut self) -> Self {
        if self.value.is_some() {
            self.markers.push(Marker::Provisional);
        }
        self
    }
}

impl Tenths {
    /// 0.0 %.
    pub const NONE: Self = Self(0);
    /// 100.0 %.
    pub const ALL: Self = Self(1_000);

    /// The tenths of a per cent, 0 to 1,000.
    #[must_use]
    pub const fn tenths(self) -> u16 {
        self.0
    }

    /// `part / whole`, rounded half up, kept within 0 and 100 %. `None` where the whole is not above 0.
    pub(crate) fn half_up(part: i64, whole: i64) -> Option<Self> {
        let doubled = i128::from(whole) * 2;
        (whole > 0).then(|| Self::within((i128::from(part) * 2_000 + i128::from(whole)).div_euclid(doubled)))
    }

    /// `part / whole` rounded down: a lower end is never above the share.
    fn down(part: i64, whole: i64) -> Self {
        if whole <= 0 {
            return Self::NONE;
        }
        Self::within((i128::from(part) * 1_000).div_euclid(i128::from(whole)))
    }

    /// `part / whole` rounded up: an upper end is never below the share.
    fn up(part: i64, whole: i64) -> Self {
        if whole <= 0 {
            return Self::ALL;
        }
        let whole = i128::from(whole);
        Self::within((i128::from(part) * 1_000 + whole - 1).div_euclid(whole))
    }

    fn within(tenths: i128) -> Self {
        Self(u16::try_from(tenths.clamp(0, 1_000)).unwrap_or(1_000))
    }
}

/// The square root, rounded up.
fn root_up(n: u128) -> u128 {
    let down = n.isqrt();
    if down * down == n { down } else { down + 1 }
}

fn wide_count(value: i64, least: i64, most: Option<i64>) -> bool {
    let Some(most) = most else { return true };
    let width = most.saturating_sub(least);
    width > COUNT_WIDTH_SMALL && width.saturating_mul(100) > value.max(0).saturating_mul(COUNT_WIDTH_PERCENT)
}

/// A share whose range is wider than 20 points is of low reliability: it cannot tell one in five from two in five.
const SHARE_WIDTH_MAX: u16 = 200;
/// A count whose range is wider than 40 % of it (20 % either way) is of low reliability.
const COUNT_WIDTH_PERCENT: i64 = 40;
/// A range of at most so many people is never called wide: rounding to 5 alone makes one of 4.
const COUNT_WIDTH_SMALL: i64 = 4;

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Withheld => "[c]",
            Self::NotAnswered => "[x]",
            Self::NotApplicable => "[z]",
            Self::Estimated => "[e]",
            Self::LowReliability => "[u]",
            Self::Provisional => "[p]",
        })
    }
}

impl fmt::Display for Tenths {
    /// `31.2`, without the sign.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl fmt::Display for Quantity {
    /// `1240` or `31.2`: for machines; screens group the thousands and write the sign.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => n.fmt(f),
            Self::Share(t) => t.fmt(f),
        }
    }
}

impl Unit {
    /// `people` or `starts`.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Person => "people",
            Self::Start => "starts",
        }
    }
}

#[cfg(test)]
mod tests;
