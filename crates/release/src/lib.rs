//! Turns raw counts into a table that may leave the building.

pub mod plan;

pub use plan::{Axis, AxisCodes, Bounds, Cohort, ColumnPath, CountPlan, Keep, Predicate, RawTable};
