//! The table as people read it on a screen.

use std::fmt::Write as _;

use cairn_question::combine::{CombinedCell, mean_hundredths};
use cairn_question::{Cell, TreatmentV1};
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};

use super::{Shown, coverage, heading, label, quantiles, totals};

/// Most codes of the last axis that are laid out as columns; more of them go down the page.
const ACROSS_MAX: usize = 8;

/// The whole answer: what was asked, the table, how to read it, coverage and protection.
pub(crate) fn terminal(shown: &Shown, width: u16) -> String {
    let mut text =
        format!("{}\n(question {})\n\n", cairn_question::form::print(&shown.question), shown.id.short());
    match &shown.combined {
        Some(_) => {
            let _ = writeln!(text, "{}\n", trim(&table(shown, width)));
            text.push_str(&totals::in_words(shown));
            text.push_str(&quantiles::in_words(shown));
            if let Some(links) = &shown.links {
                let _ = writeln!(text, "{}", links.in_words());
            }
            text.push_str(&legend(shown));
        }
        None => text.push_str("No partner answered, so there is no table.\n"),
    }
    let _ = write!(text, "\n{}", coverage::in_words(shown));
    if let Some(links) = &shown.links {
        let _ = write!(text, "\n{}", terminal(&links.keys, width));
    }
    text
}

fn table(shown: &Shown, width: u16) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::ASCII_NO_BORDERS)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    table.remove_style(TableComponent::HorizontalLines).remove_style(TableComponent::MiddleIntersections);
    let dimensions = shown.grid.dimensions();
    let beside = dimensions.len() > 1 || shown.question.measure.parts().is_some();
    let across = dimensions.last().filter(|d| beside && d.codes.len() <= ACROSS_MAX);
    let down = dimensions.len() - usize::from(across.is_some());
    let mut head: Vec<String> = dimensions.iter().take(down).map(|d| heading(&d.column, &d.grain)).collect();
    match across {
        Some(d) => {
            head.extend(d.codes.iter().map(|code| label(&shown.question, &d.column, code)));
            head.extend(shown.question.measure.parts().map(|_| "Mean".to_owned()));
        }
        None => head.push(shown.question.measure.to_string()),
    }
    table.set_header(head);
    let cells: Vec<(Vec<&str>, CombinedCell)> = shown.cells().collect();
    let rows: Vec<&[(Vec<&str>, CombinedCell)]> = cells.chunks(across.map_or(1, |d| d.codes.len())).collect();
    let empty = |row: &[(Vec<&str>, CombinedCell)]| row.iter().all(|(_, c)| nobody(c));
    let folded = if rows.len() > ROWS_MAX { rows.iter().filter(|r| empty(r)).count() } else { 0 };
    for row in rows.into_iter().filter(|r| folded == 0 || !empty(r)) {
        let codes = row.first().map(|(codes, _)| codes.as_slice()).unwrap_or_default();
        let labels =
            codes.iter().zip(dimensions).take(down).map(|(code, d)| label(&shown.question, &d.column, code));
        let mut line: Vec<comfy_table::Cell> = labels.map(comfy_table::Cell::new).collect();
        line.extend(
            row.iter()
                .map(|(_, c)| comfy_table::Cell::new(within(shown, c)).set_alignment(CellAlignment::Right)),
        );
        if let ([(_, sum), (_, rows)], Some(_)) = (row, shown.question.measure.parts()) {
            line.push(comfy_table::Cell::new(mean(sum, rows)).set_alignment(CellAlignment::Right));
        }
        table.add_row(line);
    }
    match folded {
        0 => table.to_string(),
        n => format!("{table}\n {n} other rows: 0 throughout"),
    }
}

/// Every partner that answered released a 0 here, so that nobody is in the cell for certain.
fn nobody(cell: &CombinedCell) -> bool {
    cell.cell == Cell::Value(0) && cell.parts_withheld == 0 && cell.least == 0 && cell.most == Some(0)
}

/// Most rows of a table in which rows of nothing but 0 are written out, and not counted in one line.
const ROWS_MAX: usize = 12;

fn trim(table: &str) -> String {
    table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A cell; of a table of people counted once `1,490 (1,402 to 1,578)`, the estimate with the range that holds it 95 times in 100.
fn within(shown: &Shown, of: &CombinedCell) -> String {
    match (of.cell, of.most) {
        (Cell::Value(_), Some(most)) if by_groups(shown) => {
            format!("{} ({} to {})", cell(of), thousands(of.least), thousands(most))
        }
        _ => cell(of),
    }
}

/// Whether people were counted once in each cell of a table.
fn by_groups(shown: &Shown) -> bool {
    let total = shown.coverage.total.as_ref().map(|total| &total.treatment);
    matches!(total, Some(TreatmentV1::CountOnce { breakdown: Some(_), .. }))
}

/// `1,490`, `1,490 +2c`, `[c]` or `[x]`.
pub(crate) fn cell(cell: &CombinedCell) -> String {
    match (cell.cell, cell.parts_withheld) {
        (Cell::Value(v), 0) => thousands(v),
        (Cell::Value(v), parts) => format!("{} +{parts}c", thousands(v)),
        (Cell::Withheld, _) => "[c]".into(),
        (Cell::NotAnswered, _) => "[x]".into(),
    }
}

/// `6.67`; `[x]` where a part is not there.
fn mean(sum: &CombinedCell, rows: &CombinedCell) -> String {
    let Some(hundredths) = mean_hundredths(sum, rows) else { return "[x]".into() };
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, part) = (hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100);
    format!("{sign}{}.{part:02}", thousands(i64::try_from(whole).unwrap_or(i64::MAX)))
}

/// With a comma at each thousand.
pub(crate) fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let head = digits.len() % 3;
    let mut text = if value < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == head {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn legend(shown: &Shown) -> String {
    let cells: Vec<CombinedCell> = shown.cells().map(|(_, c)| c).collect();
    let mut text = String::new();
    if cells.iter().any(|c| c.parts_withheld > 0 && matches!(c.cell, Cell::Value(_))) {
        text.push_str("+2c  two partners' figures are withheld here and are not in the sum\n");
    }
    if cells.iter().any(|c| c.cell == Cell::Withheld) || totals::any_withheld(shown) {
        let whom = if shown.coverage.total.is_some() { "on the total" } else { "by the partners" };
        let why = if by_groups(shown) { ", being under about 500 people" } else { "" };
        let _ = writeln!(text, "[c]  withheld {whom}{why}: never read it as 0");
    }
    if cells.iter().any(|c| c.cell == Cell::NotAnswered) {
        text.push_str(if by_groups(shown) {
            "[x]  not estimated: more than twice as many people as the cell has buckets; expect more when you ask again\n"
        } else {
            "[x]  not answered\n"
        });
    }
    let wide = cells.iter().filter_map(|c| c.most.map(|most| most.saturating_sub(c.least))).max();
    if let Some(wide) = wide.filter(|w| *w > 0) {
        let _ = writeln!(
            text,
            "Each sum is of protected figures; the widest range that one stands for here is {} (ranges: --format csv).",
            thousands(wide)
        );
    }
    text
}
