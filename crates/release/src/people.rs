//! Who is counted, where the question is how many different people all partners have together: the seam between the gate and the engine.

use std::fmt;

use cairn_question::QuestionId;

/// The people of one question at this partner, straight from the engine, by their numbers in the snapshot and the cells that they are in. Not serialisable; its
/// `Debug` shows none.
pub struct RawPeople {
    question_id: QuestionId,
    in_cells: Vec<(u32, u32)>,
}

impl RawPeople {
    /// The engine's people for a question, each with a cell of its table and once in each, rising: a person's cells stand together.
    #[must_use]
    pub const fn of(question_id: QuestionId, in_cells: Vec<(u32, u32)>) -> Self {
        Self { question_id, in_cells }
    }

    /// The question.
    #[must_use]
    pub const fn question_id(&self) -> QuestionId {
        self.question_id
    }

    /// Their numbers in the snapshot that was counted, each with a cell of the question's grid.
    #[must_use]
    pub fn in_cells(&self) -> &[(u32, u32)] {
        &self.in_cells
    }

    /// Whether every cell is one of so many.
    pub(crate) fn are_within(&self, cells: usize) -> bool {
        self.in_cells.iter().all(|(_, cell)| usize::try_from(*cell).is_ok_and(|cell| cell < cells))
    }
}

impl fmt::Debug for RawPeople {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawPeople(withheld)")
    }
}
