//! A table with all its totals, exact (`suppress-audit`) or rounded (`suppress-round` with `secondary = true`), audited beside every table that
//! was audited before on its snapshot.
//!
//! All of them are made of the same *atoms*: the cells of the grid over every column that any of them groups or filters by, each at its
//! finest grain. A table's cells and totals are sets of atoms, so that what follows from several tables together is one audit's
//! matter ([`cairn_disclosure::audit::Joined`]). Nothing here depends on the order in which a question names its axes.

mod atoms;
mod check;
mod kept;
mod shape;

pub use check::{Checked, Unsound, check};
pub use kept::{AuditedTable, Kept};
pub use shape::{AuditRule, Joint, TooMany};

pub(crate) use kept::{Protected, Salting, protect};
pub(crate) use shape::shows_zeros;

#[cfg(test)]
mod tests;
