//! R6, *same partners or new noise*: which partners' exact totals were opened on which records.

use std::collections::BTreeMap;

use cairn_question::{Day, Name};

use crate::manifest::Repeat;
use crate::members::NodeId;
use crate::refused::Refused;

/// The records that a total is of: a dataset, and the frozen snapshot that this node counted.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Series {
    /// The dataset.
    pub dataset: Name,
    /// The day that the records stand for.
    pub as_of: Day,
    /// The snapshot's number at this partner.
    pub edition: u32,
}

/// The partners of one opening, by their node ids, sorted. By id and not by place: places move when the roster does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Partners(Vec<NodeId>);

/// What this node opened without fresh noise, ever. The ledger keeps it; this is its meaning.
#[derive(Clone, Debug, Default)]
pub struct Openings(BTreeMap<Series, Partners>);

impl Partners {
    /// Sorts, and takes each once.
    #[must_use]
    pub fn new(ids: impl IntoIterator<Item = NodeId>) -> Self {
        let mut ids: Vec<NodeId> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }

    /// The ids, rising.
    #[must_use]
    pub fn ids(&self) -> &[NodeId] {
        &self.0
    }
}

impl Openings {
    /// Whether a total of these partners may be opened on these records. Asked before the table is sealed, and by [`Openings::record`] again.
    ///
    /// # Errors
    /// [`Refused::OtherPartners`]: asked again without one partner, the difference would be its exact count.
    pub fn allow(&self, series: &Series, partners: &Partners, repeat: Repeat) -> Result<(), Refused> {
        match (repeat, self.0.get(series)) {
            (Repeat::SamePartners, Some(before)) if before != partners => Err(Refused::OtherPartners),
            _ => Ok(()),
        }
    }

    /// Keeps an opening. In the same transaction as the OPEN record, since another question may have opened meanwhile.
    ///
    /// # Errors
    /// As [`Openings::allow`].
    pub fn record(&mut self, series: Series, partners: Partners, repeat: Repeat) -> Result<(), Refused> {
        self.allow(&series, &partners, repeat)?;
        if repeat == Repeat::SamePartners {
            self.0.entry(series).or_insert(partners);
        }
        Ok(())
    }
}
