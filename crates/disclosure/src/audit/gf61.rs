//! Which sums follow from which, over the field of 2⁶¹−1 elements.
//!
//! Exact where rationals would need numbers of any size. A 0/1 matrix could lose rank in this field only where a minor is a
//! multiple of 2⁶¹−1; that would at most withhold a cell too many or hand a bad pattern to the audit, which does not rely on it.

/// 2⁶¹−1, a Mersenne prime.
const PRIME: u64 = (1 << 61) - 1;

/// A sum of parts: one coefficient for each part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Sum(Vec<u64>);

impl Sum {
    /// The plain sum of `members` among `parts` parts.
    pub(super) fn of(parts: usize, members: impl Iterator<Item = usize>) -> Self {
        let mut coefficients = vec![0; parts];
        for member in members {
            if let Some(c) = coefficients.get_mut(member) {
                *c = 1;
            }
        }
        Self(coefficients)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|&c| c == 0)
    }

    fn coefficient(&self, part: usize) -> u64 {
        self.0.get(part).copied().unwrap_or(0)
    }

    /// The same sum with its first coefficient 1; `None` for the zero sum. Equal for two sums iff one is a multiple of the other.
    pub(super) fn direction(&self) -> Option<Row> {
        let pivot = self.0.iter().position(|&c| c != 0)?;
        let scale = inverse(self.coefficient(pivot));
        Some(Row {
            pivot,
            sum: Self(self.0.iter().map(|&c| if c == 0 { 0 } else { times(c, scale) }).collect()),
        })
    }

    /// Whether it counts the row's pivot.
    pub(super) fn has(&self, row: &Row) -> bool {
        self.coefficient(row.pivot) != 0
    }

    /// Takes out the multiple of `row` that leaves nothing at its pivot.
    pub(super) fn clear(&mut self, row: &Row) {
        let factor = self.coefficient(row.pivot);
        if factor == 0 {
            return;
        }
        for (c, &r) in self.0.iter_mut().zip(&row.sum.0).filter(|(_, r)| **r != 0) {
            *c = minus(*c, times(factor, r));
        }
    }
}

/// A sum whose coefficient at the pivot, its first, is 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pivot: usize,
    sum: Sum,
}

/// What is known: the space that the published sums span.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    // INVARIANT: a row is zero at the pivots of the rows before it.
    rows: Vec<Row>,
}

impl Known {
    /// What is left of `sum` once all that is known is taken out; zero iff it can be worked out.
    pub(super) fn rest(&self, mut sum: Sum) -> Sum {
        for row in &self.rows {
            sum.clear(row);
        }
        sum
    }

    /// Adds a row that [`Known::rest`] left.
    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }
}

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let low = u64::try_from(product & u128::from(PRIME)).unwrap_or(0);
    let high = u64::try_from(product >> 61).unwrap_or(0);
    plus(low, high)
}

const fn plus(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

const fn minus(a: u64, b: u64) -> u64 {
    if a >= b { a - b } else { a + PRIME - b }
}

/// a^(p−2), by Fermat.
fn inverse(a: u64) -> u64 {
    let (mut power, mut square, mut exponent) = (1, a, PRIME - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = times(power, square);
        }
        square = times(square, square);
        exponent >>= 1;
    }
    power
}

#[cfg(test)]
mod tests;
