//! L6 and L7: sums that few make up, of persons and of partners.

use cairn_policy::Dominance;
use std::fmt;

use crate::unsafe_cells::marks::Reason;

/// What is known of the parts of one sum: of persons (each person's amounts added up and winsorised first) or of partners.
#[derive(Clone, Copy, Default)]
pub struct Parts {
    /// How many gave a part. Of persons everybody in the cell, also with 0; of partners those with more than 0.
    pub contributors: u64,
    /// The sum X.
    pub sum: u64,
    /// The largest part x₁.
    pub largest: u64,
    /// The second largest part x₂; 0 where there is none.
    pub second: u64,
    /// How many parts `top` adds up, from 1 on: the N of the NK rule.
    pub top_of: u32,
    /// The sum of the `top_of` largest parts.
    pub top: u64,
}

/// The parts of one sum, checked: they can be those of non-negative amounts, none above the cap.
#[derive(Clone, Copy)]
pub struct Contributions {
    parts: Parts,
    cap: u64,
}

/// No such parts: an amount above the cap to which it was to be winsorised, or figures that do not fit each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not the parts of a sum of winsorised, non-negative amounts")]
pub struct NotContributions;

/// The figures of the rules on sums.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SumLimits {
    /// Least number behind a sum: t people, or 3 partners.
    pub min_contributors: u32,
    /// The p of the p % rule; `None`: no such rule.
    pub p_percent: Option<u32>,
    /// The NK rule: N largest, k per cent; `None`: no such rule.
    pub dominance: Option<Dominance>,
}

impl Contributions {
    /// Takes the parts of persons. `cap`: the declared greatest amount of one person; amounts above it were lowered to it.
    ///
    /// # Errors
    /// [`NotContributions`].
    pub fn of_people(parts: Parts, cap: u64) -> Result<Self, NotContributions> {
        if parts.fit() && parts.largest <= cap { Ok(Self { parts, cap }) } else { Err(NotContributions) }
    }

    /// Takes the parts of partners: counts or sums that each added to one cell.
    ///
    /// # Errors
    /// [`NotContributions`].
    pub fn of_partners(parts: Parts) -> Result<Self, NotContributions> {
        if parts.sum < parts.contributors {
            return Err(NotContributions);
        }
        // Nobody caps what a partner adds.
        Self::of_people(parts, u64::MAX)
    }
}

impl Parts {
    /// Whether amounts can be found that have these figures, as far as a few comparisons tell.
    fn fit(&self) -> bool {
        let Self { contributors, sum, largest, second, top_of, top } = *self;
        // In u128: no product of two u64 overflows.
        let [n, x, x1, x2, top] = [contributors, sum, largest, second, top].map(u128::from);
        let top_of = u128::from(top_of);
        let most = |parts: u128| x1 + x2 * parts.saturating_sub(1);
        let two = if n < 2 { x1 } else { x1 + x2 };
        let nobody = n > 0 || x == 0 && x1 == 0;
        let alone = n > 1 || x2 == 0;
        let ordered = x2 <= x1 && two <= x && x <= most(n).max(x1);
        let all_named = n > 2 || two == x;
        let top_fits = match top_of {
            0 => false,
            1 => top == x1,
            _ if top_of >= n => top == x,
            _ => (two..=most(top_of)).contains(&top) && top <= x,
        };
        nobody && alone && ordered && all_named && top_fits
    }
}

impl SumLimits {
    /// L6: whether a sum over persons is unsafe. Nobody's sum is not.
    ///
    /// * Fewer than t people are behind it.
    /// * Everybody gave 0, or everybody the cap: the sum then says so of each.
    /// * p % rule: X − x₁ − x₂ < p/100 · x₁. The second largest could tell the largest to within p per cent.
    /// * NK rule: the N largest make up more than k per cent.
    #[must_use]
    pub fn of_people(&self, cell: &Contributions) -> Option<Reason> {
        let Parts { contributors, sum, .. } = cell.parts;
        let everybody = u128::from(contributors) * u128::from(cell.cap);
        let alike = contributors > 0 && (sum == 0 || u128::from(sum) == everybody);
        (alike || self.few_or_dominant(&cell.parts)).then_some(Reason::Sum)
    }

    /// L7: whether a cell over several partners is unsafe, where it does not go by partner: fewer than `min_contributors` added to it,
    /// or the p % or the NK rule marks it with partners for people.
    #[must_use]
    pub fn of_partners(&self, cell: &Contributions) -> Option<Reason> {
        self.few_or_dominant(&cell.parts).then_some(Reason::Partners)
    }

    fn few_or_dominant(&self, parts: &Parts) -> bool {
        if parts.contributors == 0 {
            return false;
        }
        let few = parts.contributors < u64::from(self.min_contributors);
        few || self.p_percent.is_some_and(|p| parts.guessed_within(p))
            || self.dominance.is_some_and(|d| parts.dominated(d))
    }
}

impl Parts {
    fn guessed_within(&self, p_percent: u32) -> bool {
        let rest = u128::from(self.sum) - u128::from(self.largest) - u128::from(self.second);
        100 * rest < u128::from(p_percent) * u128::from(self.largest)
    }

    fn dominated(&self, rule: Dominance) -> bool {
        // The sum of another number of parts says nothing about this rule: unsafe.
        let same = self.top_of == rule.largest;
        !same || 100 * u128::from(self.top) > u128::from(rule.max_percent) * u128::from(self.sum)
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts(..)")
    }
}

impl fmt::Debug for Contributions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contributions(..)")
    }
}

#[cfg(test)]
mod tests;
