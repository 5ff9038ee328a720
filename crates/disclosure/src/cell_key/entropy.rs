//! Making a table of perturbations: for each count the distribution of changes with the most entropy among those with mean 0 and
//! the wanted variance.
//!
//! Giessing, "Computational issues in the design of transition probabilities and disclosure risk estimation for additive noise",
//! Privacy in Statistical Databases 2016, section 3; Marley and Leaver, "A method for confidentialising user-defined tables", 2011.
//! Such a distribution has p(v) in proportion to e^(av + bv²). The two numbers are found by Newton's method in arithmetic of 128
//! binary digits that is the same on every machine, so that the same shape always makes the same table.

use dashu::float::{FBig, round::mode::HalfEven};
use std::collections::BTreeMap;

use crate::cell_key::{KEYS, PerturbationTable};

/// Largest change that is ever made here. A census changes counts by 2 to 5; the work grows with its cube.
const CHANGE_MAX: u8 = 8;

/// Binary digits of the arithmetic. 256 keys need 8; Newton's method loses half of them near its end.
const DIGITS: usize = 128;

/// Steps of Newton's method before a shape counts as unreachable. The shapes that there are need 5 to 40.
const STEPS_MAX: u32 = 400;

/// The keys that a row gives to its changes: all of them.
const KEYS_GIVEN: i64 = 256;
const _: () = assert!(KEYS == 256, "each key has its change");

type Real = FBig<HalfEven, 2>;

/// What a table of perturbations is to be like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    change_max: u8,
    variance_thousandths: u32,
    never_up_to: u8,
}

/// No table can be like that.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The largest change is 0 or more than 8.
    #[error("the largest change must be 1 to {CHANGE_MAX}")]
    ChangeMax,
    /// A count just above those that may not appear could only go up.
    #[error("the counts that never appear must be fewer than the largest change")]
    NeverUpTo,
    /// The variance is 0, or above what changes of that size can have.
    #[error("the variance must be above 0 and at most the square of the largest change")]
    Variance,
    /// The changes cannot be given to 256 keys with mean 0.
    #[error("no table of 256 keys has this shape")]
    Unreachable,
}

impl Shape {
    /// The shape of a table.
    ///
    /// * `change_max`: D, the largest change up or down, 1 to 8.
    /// * `variance_thousandths`: V, the variance of the changes in thousandths, the same for every count. For small counts, where
    ///   no distribution with mean 0 has it, the nearest that one has.
    /// * `never_up_to`: js, less than D. Counts of 1 to js never come out: they become 0 or more than js. 0: no such rule.
    ///
    /// # Errors
    /// [`ShapeError`].
    pub const fn new(change_max: u8, variance_thousandths: u32, never_up_to: u8) -> Result<Self, ShapeError> {
        let square = change_max as u32 * change_max as u32 * 1_000;
        match () {
            () if change_max == 0 || change_max > CHANGE_MAX => Err(ShapeError::ChangeMax),
            () if never_up_to >= change_max => Err(ShapeError::NeverUpTo),
            () if variance_thousandths == 0 || variance_thousandths > square => Err(ShapeError::Variance),
            () => Ok(Self { change_max, variance_thousandths, never_up_to }),
        }
    }

    /// The table of this shape: one row for each count up to the first from which all are alike, the last row being for all above.
    ///
    /// In every row the 256 changes add up to exactly 0. Their variance is the wanted one to within what 256 keys can express.
    ///
    /// # Errors
    /// [`ShapeError::Unreachable`].
    pub fn table(&self) -> Result<PerturbationTable, ShapeError> {
        // From D + js + 1 on, every change from −D to D keeps the count above js.
        let rows = i64::from(self.change_max) + i64::from(self.never_up_to) + 1;
        let mut changes = Vec::new();
        for count in 1..=rows {
            let allowed = self.allowed(count);
            let shares = self.shares(&allowed)?;
            let keys = KEYS_ASIDE
                .into_iter()
                .find_map(|aside| keys_of(&allowed, &shares, aside))
                .ok_or(ShapeError::Unreachable)?;
            for (change, keys) in allowed.iter().zip(keys) {
                let change = i16::try_from(*change).unwrap_or_default();
                changes.extend(std::iter::repeat_n(change, keys));
            }
        }
        Ok(PerturbationTable::from_checked(changes))
    }

    /// The changes that a count may have, from the lowest up: the result is 0 or above js, and never negative.
    fn allowed(&self, count: i64) -> Vec<i64> {
        let most = i64::from(self.change_max);
        let never = 1..=i64::from(self.never_up_to);
        (-most..=most).filter(|change| count + change >= 0 && !never.contains(&(count + change))).collect()
    }

    /// How much of 256 keys each change should have, in 2⁻³² of a key.
    fn shares(&self, allowed: &[i64]) -> Result<Vec<i128>, ShapeError> {
        let wanted = i64::from(self.variance_thousandths);
        let (Some(lowest), Some(highest)) = (allowed.first(), allowed.last()) else {
            return Err(ShapeError::Unreachable);
        };
        // v² is convex, so that of all distributions with mean 0 the two allowed changes nearest to 0 make the one of least
        // variance, and the two furthest from it the one of most.
        let below = allowed.iter().rev().find(|v| **v <= 0).ok_or(ShapeError::Unreachable)?;
        let above = allowed.iter().find(|v| **v >= 0).ok_or(ShapeError::Unreachable)?;
        let (least, most) = (-below * above * 1_000, -lowest * highest * 1_000);
        match () {
            () if wanted <= least => Ok(two_changes(allowed, *below, *above)),
            () if wanted >= most => Ok(two_changes(allowed, *lowest, *highest)),
            () => most_entropy(allowed, wanted),
        }
    }
}

/// 256 keys over two changes with mean 0.
fn two_changes(allowed: &[i64], below: i64, above: i64) -> Vec<i128> {
    let whole = i128::from(above - below);
    let share = |weight: i64| (i128::from(weight * KEYS_GIVEN) << 32) / whole.max(1);
    let of = |change: &i64| match *change {
        c if c == below => share(above),
        c if c == above => share(-below),
        _ => 0,
    };
    allowed.iter().map(of).collect()
}

/// The distribution e^(av + bv²) with mean 0 and the variance: where Σ e^(av + b(v² − V)), which is convex in a and b, is least.
fn most_entropy(allowed: &[i64], variance_thousandths: i64) -> Result<Vec<i128>, ShapeError> {
    let mut at = Point::new(allowed, &(real(variance_thousandths) / real(1_000)), real(0), real(0));
    for _ in 0..STEPS_MAX {
        let step = at.newton().ok_or(ShapeError::Unreachable)?;
        if step.settled {
            return at.keys().ok_or(ShapeError::Unreachable);
        }
        at = at.lower(&step).unwrap_or(at);
    }
    Err(ShapeError::Unreachable)
}

/// A point of the search: the two numbers, and what the distribution is there.
struct Point<'a> {
    allowed: &'a [i64],
    variance: Real,
    a: Real,
    b: Real,
    weights: Vec<Real>,
    sum: Real,
}

/// Newton's step from a point.
struct Step {
    a: Real,
    b: Real,
    settled: bool,
}

impl<'a> Point<'a> {
    fn new(allowed: &'a [i64], variance: &Real, a: Real, b: Real) -> Self {
        let weight = |v: &i64| (&a * real(*v) + &b * (real(v * v) - variance)).exp();
        let weights: Vec<Real> = allowed.iter().map(weight).collect();
        let sum = weights.iter().fold(real(0), |sum, w| sum + w);
        Self { allowed, variance: variance.clone(), a, b, weights, sum }
    }

    /// The mean of a function of the changes.
    fn mean(&self, of: impl Fn(i64) -> Real) -> Real {
        let parts = self.allowed.iter().zip(&self.weights).map(|(v, w)| w * of(*v));
        parts.fold(real(0), |sum, part| sum + part) / &self.sum
    }

    /// Slope and curvature of the logarithm of the sum, solved for the step. `None` where the curvature vanishes.
    fn newton(&self) -> Option<Step> {
        let first = |v: i64| real(v);
        let second = |v: i64| real(v * v) - &self.variance;
        let (slope_a, slope_b) = (self.mean(first), self.mean(second));
        let aa = self.mean(|v| first(v) * first(v)) - &slope_a * &slope_a;
        let ab = self.mean(|v| first(v) * second(v)) - &slope_a * &slope_b;
        let bb = self.mean(|v| second(v) * second(v)) - &slope_b * &slope_b;
        let determinant = &aa * &bb - &ab * &ab;
        let tiny = real(1) / real(1 << 50);
        if determinant <= &tiny * &tiny {
            return None;
        }
        let settled = near_zero(&slope_a, &tiny) && near_zero(&slope_b, &tiny);
        let a = (&ab * &slope_b - &bb * &slope_a) / &determinant;
        let b = (&ab * &slope_a - &aa * &slope_b) / &determinant;
        Some(Step { a, b, settled })
    }

    /// The first of the step, its half, its quarter and so on that lowers the sum.
    fn lower(&self, step: &Step) -> Option<Self> {
        let tries = (0..40).map(|halvings: u32| {
            let part = real(1) / real(1_i64 << halvings);
            let (a, b) = (&self.a + &step.a * &part, &self.b + &step.b * &part);
            Point::new(self.allowed, &self.variance, a, b)
        });
        tries.into_iter().find(|point| point.sum < self.sum)
    }

    /// The shares of 256 keys, in 2⁻³² of a key.
    fn keys(&self) -> Option<Vec<i128>> {
        let scale = real(KEYS_GIVEN) * real(1 << 32);
        let share = |w: &Real| i128::try_from((w * &scale / &self.sum).to_int().value()).ok();
        self.weights.iter().map(share).collect()
    }
}

/// A whole number in our arithmetic.
fn real(whole: i64) -> Real {
    Real::from(whole).with_precision(DIGITS).value()
}

fn near_zero(value: &Real, tiny: &Real) -> bool {
    *value < *tiny && *value > -tiny.clone()
}

/// Whole keys for each change: 256 in all, with mean exactly 0, and of all such the nearest to the shares (least sum of squares;
/// of equals the first).
fn keys_of(allowed: &[i64], shares: &[i128], aside: i64) -> Option<Vec<usize>> {
    // For each number of keys given out and each sum of changes so far, the best way there.
    let mut ways: BTreeMap<(i64, i64), (i128, Vec<usize>)> = BTreeMap::from([((0, 0), (0, Vec::new()))]);
    for (change, share) in allowed.iter().zip(shares) {
        let mut next: BTreeMap<(i64, i64), (i128, Vec<usize>)> = BTreeMap::new();
        let floor = i64::try_from(share >> 32).ok()?;
        for ((given, sum), (cost, keys)) in ways {
            for own in (floor - aside).max(0)..=floor + 1 + aside {
                let off = (i128::from(own) << 32) - share;
                // In 2⁻¹⁶ of a key, so that the squares of many stay small numbers.
                let (cost, at) = (cost + (off >> 16) * (off >> 16), (given + own, sum + own * change));
                if next.get(&at).is_none_or(|(best, _)| cost < *best) {
                    let keys = keys.iter().copied().chain(usize::try_from(own).ok()).collect();
                    next.insert(at, (cost, keys));
                }
            }
        }
        ways = next;
    }
    ways.remove(&(KEYS_GIVEN, 0)).map(|(_, keys)| keys)
}

/// How many whole keys a change may be given more or less than its share, tried in turn: rounding alone moves it by one, a mean of
/// exactly 0 by another, and where only changes far from each other are allowed by some more.
const KEYS_ASIDE: [i64; 3] = [2, 4, 8];

#[cfg(test)]
mod tests;
