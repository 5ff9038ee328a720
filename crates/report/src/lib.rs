//! Makes indicators, rates and their bases from released values only.
//!
//! A [`Catalogue`] holds the indicators as documents that a board reads. [`plan`] turns an [`Order`] into one [`Batch`] of
//! questions, put as secure totals or of partners' own tables. Whoever asks them hands the verified answers back, and [`Report::compute`] makes the figures:
//! no raw count ever comes here. [`render_terminal`] and [`write_tidy_csv`] are two ways to read the same figures.

mod added;
mod catalogue;
mod compute;
mod coverage;
mod figure;
mod outcome;
mod plan;
mod quantile;
mod terminal;
mod tidy;

pub use catalogue::{
    Catalogue, CatalogueFault, Comparator, Indicator, Kind, Measure, NamedQuestion, NeedsKnown, Part,
};
pub use compute::{ComputeError, Line, Report, Reported};
pub use coverage::{Coverage, OVERSTATES, Refused};
pub use figure::{Count, Figure, Marker, RangeKind, Tenths, Unit};
pub use outcome::{Outcome, Released};
pub use plan::{Ask, Batch, Order, PlanError, ReleasePath, plan};
pub use quantile::{
    GroupQuantile, PerMille, Quantile, QuantileAsk, QuantileBand, QuantileError, thousandths,
};
pub use terminal::{Screen, render_terminal};
pub use tidy::write_tidy_csv;

#[cfg(test)]
mod fixture;
