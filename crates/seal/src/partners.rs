//! What a node opened, ever: R2, one opening of a question, and R6, *same partners or new noise*.

use std::collections::{BTreeMap, BTreeSet};

use cairn_question::{Day, Name, QuestionId};

use crate::manifest::Repeat;
use crate::members::NodeId;
use crate::record::OpenRecord;
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

/// What this node opened, ever. The ledger keeps it; this is its meaning.
#[derive(Clone, Debug, Default)]
pub struct Openings {
    questions: BTreeSet<QuestionId>,
    /// Those without fresh noise.
    bound: BTreeMap<Series, Partners>,
}

impl Partners {
    /// Sorts, and takes each once.
    #[must_use]
    pub fn new(ids: impl IntoIterator<Item = NodeId>) -> Self {
        let mut ids: Vec<NodeId> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }

    /// From the ids' bytes, as a ledger keeps them.
    #[must_use]
    pub fn of_bytes(ids: &[[u8; 16]]) -> Self {
        Self::new(ids.iter().map(|id| NodeId::from_bytes(*id)))
    }

    /// The ids, rising.
    #[must_use]
    pub fn ids(&self) -> &[NodeId] {
        &self.0
    }
}

impl Openings {
    /// No opening of the question, and what a ledger says of the records: the partners that a total without fresh noise is bound to (R6).
    #[must_use]
    pub fn bound_to(bound: Option<(Series, Partners)>) -> Self {
        Self { questions: BTreeSet::new(), bound: bound.into_iter().collect() }
    }

    /// Whether a total of these partners may be opened for this question on these records. Asked before the table is sealed, and by [`Openings::record`] again.
    ///
    /// # Errors
    /// [`Refused::AlreadyOpened`] for a question that was opened, under whichever manifest (R2). [`Refused::OtherPartners`]: asked again without one
    /// partner, the difference would be its exact count (R6).
    pub fn allow(
        &self,
        question: QuestionId,
        (series, partners): (&Series, &Partners),
        repeat: Repeat,
    ) -> Result<(), Refused> {
        if self.questions.contains(&question) {
            return Err(Refused::AlreadyOpened);
        }
        match (repeat, self.bound.get(series)) {
            (Repeat::SamePartners, Some(before)) if before != partners => Err(Refused::OtherPartners),
            _ => Ok(()),
        }
    }

    /// Keeps an opening: in the same transaction as the record itself, since another round of this question, or another question, may have opened meanwhile.
    ///
    /// # Errors
    /// As [`Openings::allow`]; then nothing is kept, and the node gives the round up.
    pub fn record(&mut self, record: &OpenRecord) -> Result<(), Refused> {
        self.allow(record.question, (&record.series, &record.partners), record.repeat)?;
        self.questions.insert(record.question);
        if record.repeat == Repeat::SamePartners {
            self.bound.entry(record.series.clone()).or_insert_with(|| record.partners.clone());
        }
        Ok(())
    }
}
