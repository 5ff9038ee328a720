//! The built-in floor: what no file can lower. It is part of the program's release.
//!
//! The language itself holds the rest of it: there is no word for a least or greatest value, for a row, or for free
//! text, so no file can allow one.

use cairn_question::limits::{FILTERS_MAX, GROUP_COLUMNS_MAX};

/// Least threshold: a count of one or two people is never shown by a plain table.
pub(crate) const MIN_PEOPLE: u32 = 3;

/// Least number of partners behind a total of several: of two, each could subtract its own.
pub(crate) const MIN_PARTNERS: u32 = 3;

/// Most columns that a share may allow together.
#[expect(clippy::cast_possible_truncation, reason = "a limit of 6")]
pub(crate) const GROUP_COLUMNS: u32 = GROUP_COLUMNS_MAX as u32;

/// Most filters that a share may allow together.
#[expect(clippy::cast_possible_truncation, reason = "a limit of 8")]
pub(crate) const FILTER_COLUMNS: u32 = FILTERS_MAX as u32;

/// Longest time in force: three years without a board's vote is too long.
pub(crate) const VALID_MONTHS: u32 = 36;

/// Largest δ: one in a hundred thousand.
pub(crate) const DELTA_MAX: f64 = 1e-5;

/// The tables of perturbations that every partner has, by the names that policies call them (`framework:d3`): those of the
/// framework's release, since one partner with a table of its own would give the others' cells away.
pub(crate) const PERTURBATION_TABLES: [&str; 2] = ["d3", "d3-total"];

/// The method by which special-category columns may leave.
pub(crate) const SPECIAL_METHOD: &str = "dp";

/// Least and most ε₀ of a count of people once, in millionths: below it the noise hides everything but the largest counts, above it little.
pub(crate) const COUNT_EPSILON: (u32, u32) = (500_000, 4_000_000);

/// Most counts of people once that a policy may allow in a policy year, and ever.
pub(crate) const COUNTS_PER_YEAR: u32 = 100;
pub(crate) const COUNTS_LIFETIME: u32 = 1_000;
