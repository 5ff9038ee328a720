//! The table as tidy CSV: one row a cell, with its marker and its range.

use cairn_question::Cell;

use super::{Shown, label, marker};

/// Columns: one pair (code, label) an axis, then value, marker, parts_withheld, least, most, partners_answered,
/// partners_asked and question.
pub(crate) fn csv(shown: &Shown) -> String {
    let mut lines = vec![head(shown)];
    for (codes, cell) in shown.cells() {
        let mut line: Vec<String> = Vec::new();
        for (code, d) in codes.iter().zip(shown.grid.dimensions()) {
            line.push((*code).to_owned());
            line.push(label(&shown.question, &d.column, code));
        }
        line.push(if let Cell::Value(v) = cell.cell { v.to_string() } else { String::new() });
        line.push(marker(&cell).to_owned());
        line.push(cell.parts_withheld.to_string());
        let answered = cell.cell != Cell::NotAnswered;
        line.push(if answered { cell.least.to_string() } else { String::new() });
        line.push(cell.most.map(|most| most.to_string()).unwrap_or_default());
        line.push(shown.answered().to_string());
        line.push(shown.asked().to_string());
        line.push(shown.id.to_string());
        lines.push(row(&line));
    }
    lines.concat()
}

fn head(shown: &Shown) -> String {
    let axes = shown.grid.dimensions().iter().flat_map(|d| {
        let name = d.column.replace('.', "_");
        [name.clone(), format!("{name}_label")]
    });
    let rest = [
        "value",
        "marker",
        "parts_withheld",
        "least",
        "most",
        "partners_answered",
        "partners_asked",
        "question",
    ];
    row(&axes.chain(rest.map(str::to_owned)).collect::<Vec<_>>())
}

fn row(fields: &[String]) -> String {
    let quoted = |f: &String| {
        if f.contains([',', '"', '\n']) { format!("\"{}\"", f.replace('"', "\"\"")) } else { f.clone() }
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}
