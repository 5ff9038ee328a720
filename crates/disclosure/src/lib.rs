//! Applies thresholds and rounding to counts of people, the same way at node and coordinator.
//!
//! Every check is on persons, whatever is counted. The full grid goes in and the full grid comes out, in the same order:
//! a row that is missing would say that nobody is in it. Margins are not made by [`suppress`]: a margin beside rounded cells can give
//! the withheld ones away (8,1,1,1,1 published as 10,c,c,c,c with a total of 10 does), so it needs [`audit`], which shows a
//! second table for every primary cell.

pub mod audit;
pub mod cell_key;
pub mod profile;
pub mod released;
pub mod suppress;
pub mod unsafe_cells;

pub use profile::Profile;
pub use suppress::{Counts, RoundsToZero, Rule, Uneven, round_half_up, suppress_round};
