//! L8: no least and no greatest value; quantiles by declared bands, which whoever reads a released table works out (`cairn-report`).

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

#[cfg(test)]
mod tests;
