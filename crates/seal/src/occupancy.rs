//! People counted once across partners, without an identifier or a pseudonym leaving any of them.
//!
//! Each partner says, bucket by bucket and inside the XOR mask, either a random symbol or nothing; only the XOR of all opens. A bucket that anybody's linkage key falls in is
//! uniform, however many partners know them; an empty one is a little less than uniform. How many are not says how many people there are. What this
//! does not protect against stands first in `docs/reference/people-counted-once.md`.

mod estimate;
mod exact;
mod quality;
mod reader;
mod terms;
mod vector;

pub use estimate::{CellCount, Count, Opened, OpenedCells};
pub use quality::{Figure, LinkageQuality, MissedShare, OVERLAP_MIN, Overlap, Range};
pub use reader::ReaderLoss;
pub use terms::{Buckets, CountTerms, PersonLoss};
pub use vector::{FreshNoise, Occupied};

/// Why people were not counted once. The first two depend on the terms; the others on what opened, which is already protected by noise.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCounted {
    /// ε, the number of partners, the symbols or the buckets are out of range.
    #[error("the terms of a count of people are out of range")]
    Terms,
    /// The vector is not of these terms.
    #[error("the vector is of other terms")]
    OtherTerms,
    /// The control buckets, which nobody can be in, are not as the noise of all partners would leave them.
    #[error("the control buckets are not as the partners' noise leaves them")]
    Controls,
    /// Next to no bucket is empty: a partner filled them, or far more people came than the buckets were made for.
    #[error("the buckets are full")]
    Saturated,
    /// Fewer than [`estimate::PEOPLE_MIN`] people, as far as the noise lets one say.
    #[error("too few people to be counted once")]
    TooFew,
    /// A share of missed links is not below one half.
    #[error("the share of missed links is out of range")]
    MissedShare,
    /// A pattern for each cell is more than one vector carries.
    #[error("so many cells with so many buckets are more than one vector carries")]
    TooManyCells,
}

impl NotCounted {
    /// The stable code, with an entry in `docs/reference/codes/cu.md`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Terms => "CU001",
            Self::OtherTerms => "CU002",
            Self::Controls => "CU003",
            Self::Saturated => "CU004",
            Self::TooFew => "CU005",
            Self::MissedShare => "CU006",
            Self::TooManyCells => "CU007",
        }
    }
}

#[cfg(test)]
mod tests;
