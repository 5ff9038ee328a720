//! What noise is added to, and the most that one person changes it by.

use std::num::{NonZeroU32, NonZeroU64};

use cairn_question::Measure;

use crate::layout::{Channel, Counted};
use crate::plan::CountPlan;

/// One whole number for each cell, to which noise is added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vector {
    /// Whose numbers.
    pub channel: Channel,
    /// What is taken off a sum for each of its rows; 0 elsewhere.
    pub middle: u32,
    /// The most that adding or removing one person changes it by, in all cells together (L1).
    pub sensitivity: NonZeroU32,
}

impl Vector {
    /// The vectors of a plan that noise protects, each with its sensitivity under the plan's own bounds, which the engine keeps. `None`: nothing
    /// bounds what one person adds. No bound, no answer.
    ///
    /// Let R be `rows_per_person`, G `groups_per_person`, and let each row's value be clamped to the whole numbers from a to b, 0 ≤ a < b,
    /// before it is added. What is kept of a person depends on that person's rows alone, so removing them takes their own
    /// numbers away and touches no other's. Those are, in all cells together:
    ///
    /// * people: one in each of at most G cells, so G.
    /// * rows: at most R, each in one cell, so R.
    /// * a sum: at most R rows of at most b, each in one cell, so R·b. G does not make it smaller, since all R rows may lie in one cell. A clamp
    ///   on what a person adds to a group would give G times that clamp; policies bound a row, and R rows of b are the tightest
    ///   that follows: a person with R rows of b or more in one cell reaches it.
    /// * a mean: two vectors. Its sums take each row's value less the middle m = a + ⌊(b−a)/2⌋, so that a row adds from −⌊(b−a)/2⌋ to
    ///   ⌈(b−a)/2⌉ and a person at most R·⌈(b−a)/2⌉; its rows R. Each is protected by its own part of ε, and the losses add up (Dwork and
    ///   Roth 2014, Theorem 3.16).
    ///
    /// A row without a value is in none of them and only makes these numbers smaller.
    #[must_use]
    pub fn all_of(plan: &CountPlan) -> Option<Vec<Self>> {
        let vector = |channel, middle, sensitivity: u32| {
            Some(Self { channel, middle, sensitivity: NonZeroU32::new(sensitivity)? })
        };
        let rows = plan.bounds.rows_per_person;
        match (&plan.measure, &plan.summed) {
            (Measure::People, _) => Some(vec![vector(Channel::People, 0, plan.bounds.groups_per_person?)?]),
            (Measure::Rows, _) => Some(vec![vector(Channel::Rows, 0, rows?)?]),
            (Measure::Sum(_), Some(s)) => Some(vec![vector(Channel::Sums, 0, rows?.checked_mul(s.most)?)?]),
            (Measure::Mean(_), Some(s)) => {
                let apart = s.most.checked_sub(s.least)?;
                let sums = vector(Channel::Sums, s.least + apart / 2, rows?.checked_mul(apart.div_ceil(2))?)?;
                Some(vec![sums, vector(Channel::Rows, 0, rows?)?])
            }
            (Measure::Sum(_) | Measure::Mean(_), None) => None,
        }
    }

    /// Δ₂²: the square of the most that one person moves it by, as a distance (L2).
    ///
    /// People: one in each of at most G cells, so √G. Rows and sums: all that a person adds may lie in one cell, so the same as in L1;
    /// R rows spread over cells move it less.
    #[must_use]
    pub fn l2_squared(&self) -> NonZeroU64 {
        let most = NonZeroU64::from(self.sensitivity);
        // A square of 32 bits fits in 64.
        if self.channel == Channel::People { most } else { most.saturating_mul(most) }
    }

    /// The exact numbers, cell by cell. Past the ends of `i64` they stay there, which moves no two tables further apart.
    #[must_use]
    pub fn exact(&self, counted: &Counted) -> Vec<i64> {
        let numbers = counted.of(self.channel).iter();
        if self.middle == 0 {
            return numbers.map(|n| i64::try_from(*n).unwrap_or(i64::MAX)).collect();
        }
        let less =
            |(n, rows): (&u64, &u64)| within(i128::from(*n) - i128::from(*rows) * i128::from(self.middle));
        numbers.zip(counted.of(Channel::Rows)).map(less).collect()
    }
}

/// The nearest `i64`.
pub(crate) fn within(n: i128) -> i64 {
    i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX })
}
