//! The board's paper about a policy: what it says, what it changes, what it does to groups of people, what was checked, and the
//! note to be signed. It begins with the five questions that a board must be able to answer.
//!
//! Pure: what was counted on the partner's own data, the comparison and the findings are given. docs/reference/explain.md.

mod checks;
mod impact;
mod safes;

use crate::approval::Note;
use crate::cases::CaseReport;
use crate::diff::{Diff, Direction, Verdict};
use crate::explain::board;
use crate::explain::model::{COUNCILS, Model};
use crate::explain::page::{Block, Manner, Page, Section};
use crate::explain::wording::whole;
use crate::explain::{html, text};
use crate::finding::Finding;
use crate::layers::Layers;

pub use impact::{Impact, ImpactError, ImpactRow};

/// What a paper is made of.
#[derive(Clone, Copy, Debug)]
pub struct PackInputs<'a> {
    /// The policy that the board is asked to approve.
    pub new: &'a Layers,
    /// It, compared with what is in force (or with nothing). `None`: it was not compared, and the paper says so.
    pub diff: Option<&'a Diff>,
    /// What `cairn policy check` finds in its files.
    pub findings: &'a [Finding],
    /// How the board's own cases came out; `None`: there are none.
    pub cases: Option<&'a CaseReport>,
    /// What protection does to groups of people, on the partner's own data; `None`: it was not worked out.
    pub impact: Option<&'a Impact>,
    /// The note as it would be signed; `None`: there is no draft.
    pub note: Option<&'a Note>,
}

/// A board's paper.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Paper {
    page: Page,
}

impl Paper {
    /// The paper as text, 100 columns wide.
    #[must_use]
    pub fn text(&self) -> String {
        text::render(&self.page)
    }

    /// The paper as an HTML page that stands alone.
    #[must_use]
    pub fn html(&self) -> String {
        html::render(&self.page)
    }
}

/// Writes the paper.
#[must_use]
pub fn paper(inputs: &PackInputs<'_>) -> Paper {
    let model = Model::of(inputs.new, COUNCILS);
    let mut sections = vec![
        asked("1. Who may ask?", board::askers(&model)),
        asked("2. What never leaves?", board::never(&model)),
        changes(inputs.diff),
        asked("4. What does it cost in privacy?", board::cost(&model)),
        asked("5. How is it stopped?", board::stopping()),
        board::shares(&model),
        board::unable(&model),
        board::rows(&model),
        board::sight(&model),
        board::limits(&model),
        board::afterwards(&model),
        impact::section(inputs.impact),
        safes::section(&model),
        checks::findings(inputs.findings),
        checks::cases(inputs.cases),
        checks::checklist(&model, inputs),
        note(inputs.note),
        board::plan(&model),
    ];
    sections.retain(Section::says_something);
    let lead = vec![
        Block::says(board::head(&model)),
        Block::says(
            "The program wrote this paper from the policy file itself. It begins with five questions that the board should be able to \
             answer before it votes.",
        ),
    ];
    let title = format!("Paper for the board: {} version {}", model.id, model.version);
    Paper { page: Page { title, of: board::of(&model), manner: Manner::Close, lead, sections } }
}

/// A part of the explanation under the board's question.
fn asked(question: &str, section: Section) -> Section {
    Section { heading: question.to_owned(), ..section }
}

fn changes(diff: Option<&Diff>) -> Section {
    let heading = "3. What changes?";
    let Some(diff) = diff else {
        let says = "This version was not compared with the one in force. Compare them before voting: `cairn policy diff`.";
        return Section::new("what-changes", heading, vec![Block::says(says)]);
    };
    let blocks = vec![
        Block::says(verdict(diff)),
        Block::items(counts(diff)),
        Block::Lines("The comparison in full:".to_owned(), diff.render()),
    ];
    Section::new("what-changes", heading, blocks)
}

fn verdict(diff: &Diff) -> String {
    let words = diff.verdict_words();
    match (&diff.old, diff.verdict) {
        (None, _) => format!("Verdict: {words}. No policy is in force, so all that this one permits is new."),
        (_, Verdict::Same) => format!("Verdict: {words}. Nothing is answered otherwise than before."),
        (_, Verdict::Tightens) => {
            format!("Verdict: {words}. Nothing new is answered, and nothing is protected less.")
        }
        (_, Verdict::Loosens) => {
            format!(
                "Verdict: {words}. It permits more, protects less, or changes a setting that has no order."
            )
        }
    }
}

/// Kinds of question, and values in the file.
fn counts(diff: &Diff) -> Vec<String> {
    let kinds = [
        ("newly answered", &diff.newly),
        ("protected less", &diff.weaker),
        ("no longer answered", &diff.no_longer),
        ("protected more", &diff.stronger),
        ("protected otherwise, neither more nor less", &diff.otherwise),
    ];
    let kinds =
        kinds.iter().map(|(what, affected)| format!("{} kinds of question {what}", whole(affected.count)));
    let unordered = diff.going(Direction::Unordered).count();
    let tried = format!("{} kinds of question tried, none left out", whole(diff.kinds.tried));
    let values =
        format!("{} changed values that have no order", whole(u64::try_from(unordered).unwrap_or(u64::MAX)));
    std::iter::once(tried).chain(kinds).chain([values]).collect()
}

fn note(note: Option<&Note>) -> Section {
    let block = match note {
        Some(note) => Block::Lines(
            "This is what the members sign, each with their own key. It is a draft until the meeting is minuted:".to_owned(),
            note.print(),
        ),
        None => Block::says("There is no draft yet: `cairn policy approve` writes it."),
    };
    Section::new("approval-note", "The approval note, to be signed", vec![block])
}

#[cfg(test)]
pub(crate) mod tests;
