//! What came back for one question of a report: partners' own tables, or one secure total of several.

use std::collections::BTreeSet;

use cairn_question::answer::SnapshotStatement;
use cairn_question::combine::CoverageV1;
use cairn_question::{AnswerV1, PartnerId, SealedV1, TableV1, TotalV1};

/// What came back for one question: the coverage statement, and the released tables that were verified.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Who stands how; absent where the question could not be asked at all.
    pub coverage: Option<CoverageV1>,
    /// The verified tables. A partner that none is of is in no figure, whatever the statement says.
    pub released: Vec<Released>,
}

/// A released table, and whom it is of.
#[derive(Clone, Debug)]
pub struct Released {
    /// One partner where it is its own table, and all of a secure total.
    pub of: BTreeSet<PartnerId>,
    /// The table and how it is protected.
    pub answer: AnswerV1,
    /// The snapshots that were counted: one for each partner.
    pub snapshots: Vec<SnapshotStatement>,
}

impl Outcome {
    /// Partners' own tables.
    #[must_use]
    pub fn own_tables(coverage: CoverageV1, answers: Vec<(PartnerId, AnswerV1)>) -> Self {
        let released = answers.into_iter().map(|(partner, answer)| Released::own(partner, answer));
        Self { coverage: Some(coverage), released: released.collect() }
    }

    /// One secure total, whose partners signed these words of it; nothing released where none did, or where the statement has no total.
    #[must_use]
    pub fn total(coverage: CoverageV1, words: &[(PartnerId, SealedV1)]) -> Self {
        let table = coverage.total.as_ref().and(coverage.combined.as_ref()).map(TableV1::of_sum);
        let released = table.and_then(|table| Released::total(table, words));
        Self { coverage: Some(coverage), released: released.into_iter().collect() }
    }
}

impl Released {
    fn own(partner: PartnerId, answer: AnswerV1) -> Self {
        Self { of: BTreeSet::from([partner]), snapshots: vec![answer.snapshot.clone()], answer }
    }

    fn total(table: TableV1, words: &[(PartnerId, SealedV1)]) -> Option<Self> {
        let (_, first) = words.first()?;
        let of = first.partners.iter().cloned().collect();
        let snapshots = words.iter().map(|(_, word)| word.snapshot.clone()).collect();
        Some(Self { of, answer: TotalV1::as_answer(table, first), snapshots })
    }
}
