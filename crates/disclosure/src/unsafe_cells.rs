//! Which cells of a table are unsafe by themselves: the primary cells, by the nine rules of docs/reference/unsafe-cells.md.
//!
//! | rule | of | where |
//! |---|---|---|
//! | L1 small counts, L2 groups where everyone is alike, L3 small complements, L5 small bases | counts | [`primary`] |
//! | L4 low parts of a rate | two tables of counts | [`low_rates`] |
//! | L6 few or dominant people, L7 few or dominant partners | sums | [`SumLimits`] |
//! | L8 values of one person | the question | [`plan`] |
//! | L9 linked tables | two maps of codes | [`relation`] |
//!
//! Everything is checked on persons, and the missing category is a category like any other. Cells in which nobody can be
//! (structural zeros) are never primary. Only counts and summaries come in here, never a record; and why a cell is marked is for
//! the partner's own log: readers see one mark.

mod linked;
mod margins;
mod marks;
mod places;
mod plan;
mod rates;
mod rules;
mod sums;

pub use linked::{Relation, relation};
pub use margins::{Margins, NotEmpty, Unfit};
pub use marks::{Marks, Reason};
pub use places::{PLACES_MAX, Place};
pub use plan::{OneValue, QuantileFrom, Statistic, plan};
pub use rates::{NotAPart, low_rates};
pub use rules::{Limits, primary, sensitive_axes};
pub use sums::{Contributions, NotContributions, Parts, SumLimits};
