//! L8: no least and no greatest value; quantiles by declared bands.

use cairn_question::Cell;

/// What a question may want of a number column.
///
/// Complete: the statistics that anybody has asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Statistic {
    /// How many.
    Count,
    /// The sum of winsorised amounts.
    Sum,
    /// The sum over the count, of released values.
    Mean,
    /// The least value.
    Least,
    /// The greatest value.
    Greatest,
    /// A median, a quartile and the like.
    Quantile(QuantileFrom),
}

/// Where a quantile comes from.
///
/// Complete: from the values, or from counts of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QuantileFrom {
    /// The values: it would be the value of one or two persons.
    Values,
    /// Released counts of declared bands.
    Bands,
}

/// The statistic is the value of one or two persons. A refusal, decided before any record is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a least value, a greatest value or an exact quantile is the value of one person; ask for counts by band"
)]
pub struct OneValue;

/// Whether a statistic may be planned at all.
///
/// # Errors
/// [`OneValue`].
pub const fn plan(statistic: Statistic) -> Result<(), OneValue> {
    match statistic {
        Statistic::Count | Statistic::Sum | Statistic::Mean | Statistic::Quantile(QuantileFrom::Bands) => {
            Ok(())
        }
        Statistic::Least | Statistic::Greatest | Statistic::Quantile(QuantileFrom::Values) => Err(OneValue),
    }
}

/// The band in which a quantile lies, from the released counts of the bands in order: the first by which `percent` of the people
/// are reached. `None` where a band is withheld or not answered, or where nobody was counted; and for a `percent` above 100.
///
/// With noise a count may be negative; it counts as 0.
#[must_use]
pub fn quantile_band(bands: &[Cell], percent: u32) -> Option<usize> {
    let value = |cell: &Cell| match cell {
        Cell::Value(count) => Some(u128::from(count.max(&0).unsigned_abs())),
        Cell::Withheld | Cell::NotAnswered => None,
    };
    let counts: Vec<u128> = bands.iter().map(value).collect::<Option<_>>()?;
    let total: u128 = counts.iter().sum();
    if total == 0 || percent > 100 {
        return None;
    }
    let mut below = 0;
    counts.into_iter().position(|count| {
        below += count;
        // A band without people is never where somebody lies.
        count > 0 && below * 100 >= total * u128::from(percent)
    })
}

#[cfg(test)]
mod tests;
