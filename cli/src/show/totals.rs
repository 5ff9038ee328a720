//! The totals of audited tables, partner by partner: they leave with the table, and are checked with it.

use std::fmt::Write as _;

use cairn_question::{AnswerV1, Cell, Place};

use super::terminal::thousands;
use super::{Shown, heading, label};

/// Most totals of one partner that are written out on a screen; the rest are in the JSON.
const TOTALS_MAX: usize = 24;

/// A line for each total, the one over everything first. Empty where no partner gave any.
pub(super) fn in_words(shown: &Shown) -> String {
    let mut text = String::new();
    for (partner, answer) in shown.answers.iter().filter(|(_, a)| !a.table.totals.is_empty()) {
        let _ = writeln!(text, "Totals at {partner}");
        let totals = totals(shown, answer);
        for (place, cell) in totals.iter().rev().take(TOTALS_MAX) {
            let _ = writeln!(text, "  {}: {}", place_in_words(shown, place), cell_in_words(*cell));
        }
        let more = totals.len().saturating_sub(TOTALS_MAX);
        if more > 0 {
            let _ = writeln!(text, "  {more} more (--format json)");
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

pub(super) fn any_withheld(shown: &Shown) -> bool {
    shown.answers.iter().any(|(_, answer)| answer.table.totals.contains(&Cell::Withheld))
}

fn totals(shown: &Shown, answer: &AnswerV1) -> Vec<(Place, Cell)> {
    let places = shown.grid.places().into_iter().skip(shown.grid.cells());
    places.zip(answer.table.totals.iter().copied()).collect()
}

fn place_in_words(shown: &Shown, place: &Place) -> String {
    let codes = place.iter().zip(shown.grid.dimensions()).filter_map(|(code, dimension)| {
        let code = dimension.codes.get((*code)?)?;
        let axis = heading(&dimension.column, &dimension.grain);
        // Two axes may have the same code, such as `unknown`.
        Some(format!("{axis} {}", label(&shown.question, &dimension.column, code)))
    });
    let codes: Vec<String> = codes.collect();
    if codes.is_empty() { "everybody".to_owned() } else { codes.join(", ") }
}

fn cell_in_words(cell: Cell) -> String {
    match cell {
        Cell::Value(value) => thousands(value),
        Cell::Withheld => "[c]".to_owned(),
        Cell::NotAnswered => "[x]".to_owned(),
    }
}
