//! Who is counted, where the question is how many different people all partners have together: the seam between the gate and the engine.

use std::fmt;

use cairn_question::QuestionId;

/// The people of one question at this partner, straight from the engine, by their numbers in the snapshot. Not serialisable; its `Debug` shows none.
pub struct RawPeople {
    question_id: QuestionId,
    persons: Vec<u32>,
}

impl RawPeople {
    /// The engine's people for a question, each once, rising.
    #[must_use]
    pub const fn of(question_id: QuestionId, persons: Vec<u32>) -> Self {
        Self { question_id, persons }
    }

    /// The question.
    #[must_use]
    pub const fn question_id(&self) -> QuestionId {
        self.question_id
    }

    /// Their numbers in the snapshot that was counted.
    #[must_use]
    pub fn persons(&self) -> &[u32] {
        &self.persons
    }
}

impl fmt::Debug for RawPeople {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawPeople(withheld)")
    }
}
