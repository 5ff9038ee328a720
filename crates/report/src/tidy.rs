//! A report as tidy CSV: one figure a row, everything that is needed to read it in the same row.

use std::io::Write;

use crate::compute::{Line, Report, Reported};
use crate::coverage::OVERSTATES;
use crate::figure::{Quantity, RangeKind};

/// Writes every figure of the report, areas without anybody included, in the order of the report.
///
/// # Errors
/// Whatever the writer says, as `csv` words it.
pub fn write_tidy_csv(report: &Report, to: impl Write) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(to);
    csv.write_record(COLUMNS)?;
    for reported in &report.indicators {
        for line in &reported.lines {
            csv.write_record(record(report, reported, line))?;
        }
    }
    csv.flush()?;
    Ok(())
}

/// The columns, in order. New ones are added at the end.
pub(crate) const COLUMNS: [&str; 27] = [
    "indicator_id",
    "indicator_version",
    "theme",
    "period",
    "breakdown",
    "area_code",
    "area_label",
    "row",
    "measure",
    "base",
    "unit",
    "value",
    "least",
    "most",
    "range",
    "marker",
    "parts_withheld",
    "partners_in_figure",
    "partners_asked",
    "partners_answered",
    "partners_refused",
    "partners_failed",
    "partners_late",
    "partners_offline",
    "treatment",
    "as_of",
    "note",
];

fn record(report: &Report, reported: &Reported, line: &Line) -> [String; 27] {
    let (document, coverage, figure) = (&reported.indicator, &reported.coverage, &line.figure);
    let text = |q: Option<Quantity>| q.map(|q| q.to_string()).unwrap_or_default();
    let unit = if line.base.is_some() { "percent" } else { document.unit.plural() };
    [
        document.id.clone(),
        document.version.to_string(),
        document.theme.clone(),
        report.period.to_string(),
        reported.breakdown.clone().unwrap_or_default(),
        line.area_code.clone(),
        line.area_label.clone(),
        line.row.clone().unwrap_or_default(),
        line.measure.clone(),
        line.base.clone().unwrap_or_default(),
        unit.to_owned(),
        text(figure.value),
        text(figure.least),
        text(figure.most),
        range(figure.range).to_owned(),
        figure.marks(),
        figure.parts_withheld.to_string(),
        line.partners.to_string(),
        coverage.asked.to_string(),
        coverage.answered.len().to_string(),
        coverage.refused.len().to_string(),
        coverage.failed.len().to_string(),
        coverage.late.len().to_string(),
        coverage.offline.len().to_string(),
        reported.treatments.join("; "),
        reported
            .as_of
            .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}/{to}") })
            .unwrap_or_default(),
        note(reported, line),
    ]
}

fn range(kind: RangeKind) -> &'static str {
    match kind {
        RangeKind::None => "",
        RangeKind::Certain => "certain",
        RangeKind::NinetyFive => "95",
    }
}

/// Who is not in the figure, by name and rule, and what to mind.
fn note(reported: &Reported, line: &Line) -> String {
    let absent = reported.coverage.says().into_iter().skip(1);
    let mut parts: Vec<String> = line.figure.note.map(str::to_owned).into_iter().chain(absent).collect();
    parts.extend(reported.notes.iter().cloned());
    parts.push(OVERSTATES.to_owned());
    parts.join(" ")
}

#[cfg(test)]
mod tests;
