//! What a question counts or adds up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::grid::Dimension;

/// What is counted. Complete, not open: whoever counts must know every measure.
///
/// In JSON: `people`, `rows`, `sum:hours`, `mean:hours`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Measure {
    /// Persons, each once however many rows.
    People,
    /// Rows (starts, outcomes), at most so many of a person as the policy says.
    Rows,
    /// A number column of the dataset itself, added up.
    Sum(String),
    /// The same, divided by how many there are.
    Mean(String),
}

impl Measure {
    /// The column that is added up; `None` where people or rows are counted.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::People | Self::Rows => None,
            Self::Sum(column) | Self::Mean(column) => Some(column),
        }
    }
}

impl Measure {
    /// The axis that the table of a mean has besides, as its last: the sum, and the rows that have a value. Both parts are released, so
    /// that partners' tables can be added up before the one is divided by the other.
    #[must_use]
    pub fn parts(&self) -> Option<Dimension> {
        let Self::Mean(column) = self else { return None };
        let codes = ["sum", "rows"].map(str::to_owned).to_vec();
        Some(Dimension { column: column.clone(), grain: "mean".to_owned(), codes })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::People => f.write_str("people"),
            Self::Rows => f.write_str("rows"),
            Self::Sum(column) => write!(f, "sum:{column}"),
            Self::Mean(column) => write!(f, "mean:{column}"),
        }
    }
}

/// Why a text is no measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what is counted is `people`, `rows`, `sum:COLUMN` or `mean:COLUMN`")]
pub struct MeasureError;

impl std::str::FromStr for Measure {
    type Err = MeasureError;
    fn from_str(text: &str) -> Result<Self, MeasureError> {
        match text.split_once(':') {
            None if text == "people" => Ok(Self::People),
            None if text == "rows" => Ok(Self::Rows),
            Some(("sum", column)) if is_column(column) => Ok(Self::Sum(column.to_owned())),
            Some(("mean", column)) if is_column(column) => Ok(Self::Mean(column.to_owned())),
            _ => Err(MeasureError),
        }
    }
}

/// A column's name as the data dictionary writes it: 1 to 64 of `a-z`, `0-9` and `_`.
fn is_column(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

impl TryFrom<String> for Measure {
    type Error = MeasureError;
    fn try_from(text: String) -> Result<Self, MeasureError> {
        text.parse()
    }
}

impl From<Measure> for String {
    fn from(measure: Measure) -> Self {
        measure.to_string()
    }
}

#[cfg(test)]
mod tests;
