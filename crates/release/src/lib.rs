//! Turns raw counts into a table that may leave the building.
//!
//! The one crate that names opendp. Nothing in it uses a float: scales are exact ratios, losses whole numbers, widths come from
//! integer bounds. What a table's readers are told about its protection is made here too, from the very figures that
//! protected it ([`Terms::statement`]).

pub mod audited;
pub mod edition;
pub mod gaussian;
pub mod impact;
pub mod laplace;
pub mod layout;
pub mod noise;
pub mod people;
pub mod plan;
pub mod record_keys;
pub mod released;
#[cfg(feature = "sabotage")]
mod sabotage;
pub mod self_test;
pub mod share;
pub mod terms;
pub mod total;
pub mod vector;

pub use audited::{AuditRule, AuditedTable, Joint, Kept, TooMany};
pub use gaussian::Deviation;
pub use impact::{CellShares, cell_shares};
pub use laplace::DiscreteLaplace;
pub use layout::{Channel, Counted, Layout};
pub use noise::{Noise, NoiseFault, Scale};
pub use people::RawPeople;
pub use plan::{Axis, AxisCodes, Bounds, Clamped, Cohort, ColumnPath, CountPlan, Keep, Predicate, RawTable};
pub use record_keys::RecordKeys;
pub use released::{Released, Unreleased, release};
pub use self_test::self_test;
pub use share::{
    GaussianShare, HonestPartners, LaplaceShare, Share, ShareFault, ShareNoise, Shares, self_test_shares,
    with_share,
};
pub use terms::{ReleaseFault, Terms, cost};
pub use total::Part;
pub use vector::Vector;
