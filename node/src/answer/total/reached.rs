//! How far this node has come with its part of a total: a line of its log at level `debug`, and where the suite kills it.

use cairn_question::{Hash, QuestionId, sabotage};
use cairn_seal::wire::Flight;

/// A step of a node's part. Complete: whenever the node dies, it is after one of them, or before the first.
#[derive(Clone, Copy)]
pub(super) enum Reached {
    /// The cost is held and the table counted; nothing was said yet.
    Counted,
    /// This flight, a body of this hash, is about to leave for the first time since the node started.
    Flight(Flight, Hash),
    /// The record of the opening is about to be put on disk.
    Opening,
    /// It is on disk, with the charge. Nothing of it has left.
    Kept,
    /// The coordinator's receipt is here; the reply has not left.
    Receipted,
}

/// Says so, before anything leaves: who reads the log of a node that died knows what it cannot have sent.
pub(super) fn reached(step: Reached, question: QuestionId) {
    let (word, frame) = (step.word(), step.frame().map(tracing::field::display));
    tracing::debug!(%question, step = word, frame, "a part of a total");
    sabotage!((), StopsToBeKilled => crate::sabotage::stop_at(word));
}

impl Reached {
    const fn word(&self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Flight(Flight::Ready, _) => "ready",
            Self::Flight(Flight::Keys, _) => "keys",
            Self::Flight(Flight::Sealed, _) => "sealed",
            Self::Flight(Flight::Open, _) => "open",
            Self::Opening => "opening",
            Self::Kept => "kept",
            Self::Receipted => "receipted",
        }
    }

    const fn frame(&self) -> Option<&Hash> {
        match self {
            Self::Flight(_, hash) => Some(hash),
            Self::Counted | Self::Opening | Self::Kept | Self::Receipted => None,
        }
    }
}
