//! A report as plain text, fitted to a width.

use crate::compute::{Line, Report, Reported};
use crate::coverage::OVERSTATES;
use crate::figure::{Figure, Marker, Quantity, RangeKind};

/// How wide the text may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Screen {
    /// Columns of the screen: at least 40; 100 where it is not known.
    pub width: usize,
}

impl Default for Screen {
    fn default() -> Self {
        Self { width: 100 }
    }
}

/// Writes the report as plain text: no colour and no box, so that it reads the same in a log, an email and a screen reader.
/// A table that is too wide for the screen is written as one line a figure.
#[must_use]
pub fn render_terminal(report: &Report, screen: Screen) -> String {
    let width = screen.width.max(WIDTH_LEAST);
    let mut out = Text { width, text: String::new() };
    out.line(&format!("Indicator report, {}", report.period));
    out.line("SMF-aligned indicators in our own words, made from released values only.");
    out.line(OVERSTATES);
    for reported in &report.indicators {
        out.blank();
        indicator(&mut out, reported, report);
    }
    out.blank();
    legend(&mut out);
    out.text
}

fn indicator(out: &mut Text, reported: &Reported, report: &Report) {
    let document = &reported.indicator;
    let provisional = if reported.provisional { " [p]" } else { "" };
    let title = format!("{}  {}  {}{provisional}", document.id, document.question, report.period);
    out.line(&title);
    out.line(&"─".repeat(title.chars().count().min(out.width)));
    out.line(&document.means);
    for line in reported.coverage.says() {
        out.line(&line);
    }
    for treatment in &reported.treatments {
        out.line(&format!("Protected: {treatment}."));
    }
    if let Some((from, to)) = reported.as_of {
        let days = if from == to { from.to_string() } else { format!("{from} to {to}") };
        out.line(&format!("Records as of {days}. Definition {}@{}.", document.id, document.version));
    }
    out.blank();
    table(out, reported);
    out.blank();
    for note in document.notes.iter().chain(&reported.notes) {
        out.line(&format!("Note: {note}"));
    }
    for published in &document.comparators {
        out.line(&format!("Published beside it: {}", published.says));
        out.line(&format!("  {}", published.source));
    }
}

/// One line of a table: an area, a row within it, and its figures.
struct Row<'a> {
    area: &'a str,
    row: Option<&'a str>,
    figures: Vec<(&'a str, &'a Figure)>,
}

fn table(out: &mut Text, reported: &Reported) {
    let (rows, folded) = rows(&reported.lines);
    let columns: Vec<&str> =
        rows.first().map(|r| r.figures.iter().map(|f| f.0).collect()).unwrap_or_default();
    let uniform = rows.iter().all(|r| r.figures.len() <= columns.len());
    let areas = if reported.indicator.breakdowns.is_empty() { Areas::None } else { Areas::Column };
    let fits = |lines: &Vec<String>| uniform && lines.iter().all(|l| l.chars().count() <= out.width);
    let whole = wide_table(&rows, &columns, areas, Ranges::Shown);
    let short = wide_table(&rows, &columns, areas, Ranges::LeftOut);
    if fits(&whole) {
        whole.iter().for_each(|l| out.raw(l));
    } else if fits(&short) {
        short.iter().for_each(|l| out.raw(l));
        out.line("The ranges are left out to fit this screen; a wider one and the CSV have them.");
    } else {
        stacked(out, &rows);
    }
    if folded > 0 {
        let says = if reported.lines.iter().any(|l| l.figure.range == RangeKind::NinetyFive) {
            "too few to tell from the noise, or nobody"
        } else {
            "0 throughout"
        };
        out.line(&format!("{folded} other areas: {says}."));
    }
}

/// Whether a table has a column of areas.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Areas {
    Column,
    None,
}

/// Whether a table's cells have their ranges.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Ranges {
    Shown,
    LeftOut,
}

/// The rows to print, and how many areas hold nothing but certain zeros, or nothing that stands out from the noise: those
/// are folded into one line.
fn rows(lines: &[Line]) -> (Vec<Row<'_>>, usize) {
    let mut rows: Vec<(&str, Row<'_>)> = Vec::new();
    for line in lines {
        let figure = (line.column.as_str(), &line.figure);
        match rows.iter_mut().find(|(code, r)| *code == line.area_code && r.row == line.row.as_deref()) {
            Some((_, row)) => row.figures.push(figure),
            None => rows.push((
                &line.area_code,
                Row { area: &line.area_label, row: line.row.as_deref(), figures: vec![figure] },
            )),
        }
    }
    // Areas in the order of their list, each with its rows together; the sum over areas stays last.
    let mut areas: Vec<&str> = Vec::new();
    for (code, _) in &rows {
        if !areas.contains(code) {
            areas.push(code);
        }
    }
    let empty = |code: &str| {
        code != "all"
            && rows.iter().filter(|(c, _)| *c == code).all(|(_, r)| r.figures.iter().all(|f| nothing(f.1)))
    };
    let (folded, kept): (Vec<&str>, Vec<&str>) = areas.into_iter().partition(|code| empty(code));
    rows.retain(|(code, _)| kept.contains(code));
    rows.sort_by_key(|(code, _)| kept.iter().position(|k| k == code));
    (rows.into_iter().map(|(_, row)| row).collect(), folded.len())
}

fn nothing(figure: &Figure) -> bool {
    let zero = Some(Quantity::Count(0));
    let certain_zero = figure.value == zero && figure.most == zero && figure.range == RangeKind::Certain;
    let noise_alone = figure.range == RangeKind::NinetyFive
        && figure.markers.contains(&Marker::LowReliability)
        && matches!(figure.least, Some(Quantity::Count(0) | Quantity::Share(_)));
    let no_share =
        figure.value.is_none() && figure.markers == [Marker::LowReliability] && figure.note.is_none();
    certain_zero || noise_alone || no_share || figure.markers == [Marker::NotApplicable]
}

fn wide_table(rows: &[Row<'_>], columns: &[&str], areas: Areas, ranges: Ranges) -> Vec<String> {
    let with_rows = rows.iter().any(|r| r.row.is_some());
    let mut head: Vec<String> = Vec::new();
    if areas == Areas::Column {
        head.push("Area".into());
    }
    if with_rows {
        head.push(String::new());
    }
    let labels = head.len();
    head.extend(columns.iter().map(|c| (*c).to_owned()));
    let mut cells = vec![head];
    let mut last_area = "";
    for row in rows {
        let mut line: Vec<String> = Vec::new();
        if areas == Areas::Column {
            line.push(if row.area == last_area { String::new() } else { row.area.to_owned() });
        }
        last_area = row.area;
        if with_rows {
            line.push(row.row.unwrap_or_default().to_owned());
        }
        let shown = |column: &&str| row.figures.iter().find(|f| f.0 == *column).map(|f| show(f.1, ranges));
        line.extend(columns.iter().map(|c| shown(c).unwrap_or_default()));
        cells.push(line);
    }
    aligned(&cells, labels)
}

/// Labels to the left, figures to the right, two spaces between.
fn aligned(cells: &[Vec<String>], labels: usize) -> Vec<String> {
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let wide =
        |at: usize| cells.iter().filter_map(|l| l.get(at)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    let line = |line: &Vec<String>| {
        let cell = |(at, (cell, width)): (usize, (&String, &usize))| {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            if at < labels { format!("{cell}{gap}") } else { format!("{gap}{cell}") }
        };
        let joined: Vec<String> = line.iter().zip(&widths).enumerate().map(cell).collect();
        joined.join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

fn stacked(out: &mut Text, rows: &[Row<'_>]) {
    for row in rows {
        let place = [Some(row.area), row.row].into_iter().flatten().collect::<Vec<_>>().join(", ");
        out.line(&place);
        for (column, figure) in &row.figures {
            out.line(&format!("  {column}: {}", show(figure, Ranges::Shown)));
        }
    }
}

/// `1,240 (1,238–1,242) [e]`, or the marker alone. `[p]` stands in the heading.
fn show(figure: &Figure, ranges: Ranges) -> String {
    let marks: String =
        figure.markers.iter().filter(|m| **m != Marker::Provisional).map(ToString::to_string).collect();
    let Some(value) = figure.value else { return marks };
    let value = quantity(value);
    let range = match (figure.least, figure.most) {
        _ if ranges == Ranges::LeftOut => String::new(),
        (Some(least), Some(most)) if least == most => String::new(),
        (Some(least), Some(most)) => format!(" ({}–{})", plain(least), plain(most)),
        (Some(least), None) => format!(" ({} or more)", plain(least)),
        _ => String::new(),
    };
    let space = if marks.is_empty() { "" } else { " " };
    format!("{value}{range}{space}{marks}")
}

fn quantity(quantity: Quantity) -> String {
    match quantity {
        Quantity::Count(_) => plain(quantity),
        Quantity::Share(share) => format!("{share} %"),
    }
}

fn plain(quantity: Quantity) -> String {
    match quantity {
        Quantity::Count(n) => thousands(n),
        Quantity::Share(share) => share.to_string(),
    }
}

fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let grouped: Vec<String> = digits
        .bytes()
        .enumerate()
        .map(|(at, digit)| {
            let comma = at > 0 && (digits.len() - at).is_multiple_of(3);
            format!("{}{}", if comma { "," } else { "" }, char::from(digit))
        })
        .collect();
    format!("{}{}", if n < 0 { "−" } else { "" }, grouped.concat())
}

fn legend(out: &mut Text) {
    out.line("Ranges in brackets: what the true counts can be, given how the tables were protected; with noise, made of parts that each hold 95 times in 100.");
    out.line("[c] withheld  [x] not answered  [z] nobody in the base  [e] some parts withheld, estimated at the middle of what they can be  [u] wide range, low reliability  [p] provisional");
}

/// Text that is broken between words.
struct Text {
    width: usize,
    text: String,
}

impl Text {
    fn raw(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn blank(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn line(&mut self, line: &str) {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let mut current = String::new();
        for word in line.split_whitespace() {
            let long = indent.len() + current.chars().count() + 1 + word.chars().count() > self.width;
            if long && !current.is_empty() {
                self.raw(&format!("{indent}{current}"));
                current.clear();
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        self.raw(&format!("{indent}{current}"));
    }
}

/// The narrowest text that is still laid out: half of an 80-column screen.
const WIDTH_LEAST: usize = 40;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::sample;
