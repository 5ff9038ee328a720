//! What a load found: every problem in one run, by file, row and column, never by value.

mod rule;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use rule::Rule;

/// All that was found, grouped by rule. Its size is bounded whatever the export holds: at most [`PROBLEMS_MAX`] groups of
/// [`ROWS_SHOWN`] row numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// The problems, those that refuse first.
    pub problems: Vec<Problem>,
    /// What became of the rows, table by table.
    pub tables: Vec<Tally>,
}

/// One rule broken in one place: a column of a table of a file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Problem {
    /// What it led to.
    pub effect: Effect,
    /// Its stable code (docs/reference/codes/cl.md).
    pub code: &'static str,
    /// The file: a mapping, or a file of the export.
    pub file: String,
    /// The table that was to be fed, where the problem is of one table.
    pub table: Option<String>,
    /// The column: of the export where the problem is in a cell, else of the table.
    pub column: Option<String>,
    /// The rule, in words.
    pub says: String,
    /// What to do next.
    pub help: String,
    /// How many rows; 0 where the problem is not of rows.
    pub count: u64,
    /// The first of them, as a spreadsheet numbers them: the header is row 1. In a mapping file, the line.
    pub rows: Vec<u64>,
}

/// What a problem led to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Effect {
    /// Nothing is staged.
    Refused,
    /// The row was left out.
    RowRejected,
    /// The cell was read as `unknown`.
    CellUnknown,
    /// The row was kept as it is.
    Kept,
    /// The person was left out, as one who objects.
    PersonLeftOut,
}

/// What became of one table's rows. Rows of people who object are in none of these numbers. Its `Debug` shows no count.
#[derive(Clone, Eq, PartialEq)]
pub struct Tally {
    /// The table.
    pub table: String,
    /// Rows of the export meant for it.
    pub read: u64,
    /// Rows in the snapshot.
    pub kept: u64,
}

/// Most groups of a report.
pub const PROBLEMS_MAX: usize = 500;

/// Row numbers shown for each problem: enough to find the pattern in a spreadsheet.
pub const ROWS_SHOWN: usize = 10;

impl Tally {
    /// Rows that were left out.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.read.saturating_sub(self.kept)
    }
}

impl Report {
    /// Whether anything in it refuses the load.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.problems.iter().any(|p| p.effect == Effect::Refused)
    }

    pub(crate) fn refuse(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

impl Problem {
    /// A problem that refuses the load, not of any row.
    pub(crate) fn refusal(
        code: &'static str,
        file: &str,
        says: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            effect: Effect::Refused,
            code,
            file: file.to_owned(),
            table: None,
            column: None,
            says: says.into(),
            help: help.into(),
            count: 0,
            rows: Vec::new(),
        }
    }

    pub(crate) fn at_line(mut self, line: Option<u64>) -> Self {
        self.rows = line.into_iter().collect();
        self
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::RowRejected => "row left out",
            Self::CellUnknown => "read as unknown",
            Self::Kept => "kept",
            Self::PersonLeftOut => "person left out",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.file)?;
        if let (0, [line]) = (self.count, self.rows.as_slice()) {
            write!(f, ":{line}")?;
        }
        match (&self.table, &self.column) {
            (Some(table), Some(column)) => write!(f, ", column `{column}` (for {table})")?,
            (Some(table), None) => write!(f, " (for {table})")?,
            (None, Some(column)) => write!(f, ", column `{column}`")?,
            (None, None) => {}
        }
        write!(f, ": {}", self.says)?;
        if self.count > 0 {
            let rows: Vec<String> = self.rows.iter().map(ToString::to_string).collect();
            let more = if self.count > self.rows.len() as u64 { " …" } else { "" };
            let noun = if self.count == 1 { "row" } else { "rows" };
            write!(f, " — {} {noun}: {}{more}", self.count, rows.join(", "))?;
        }
        write!(f, "\n    {}; {}", self.effect, self.help)
    }
}

impl fmt::Display for Report {
    /// The whole report, for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        for tally in &self.tables {
            let Tally { table, read, kept } = tally;
            writeln!(f, "{table}: {read} rows read, {kept} kept, {} left out", tally.rejected())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tally({})", self.table)
    }
}

/// Counts problems of rows as they are found; a million of one kind cost one entry.
#[derive(Default)]
pub(crate) struct RowProblems(BTreeMap<Place, Found>);

/// Where a rule was broken. Indices, so that a million bad rows allocate nothing.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub(crate) rule: Rule,
    pub(crate) effect: Effect,
    pub(crate) file: usize,
    /// `None`: of the whole row, for every table that it feeds.
    pub(crate) table: Option<usize>,
    pub(crate) column: Option<&'static str>,
}

#[derive(Default)]
struct Found {
    count: u64,
    rows: Vec<u64>,
    from: Option<Box<str>>,
}

impl RowProblems {
    /// One more row, seen in the export's column `from`.
    pub(crate) fn add(&mut self, place: Place, from: Option<&str>, row: u64) {
        if self.0.len() >= PROBLEMS_MAX && !self.0.contains_key(&place) {
            return;
        }
        let found = self.0.entry(place).or_default();
        found.count = found.count.saturating_add(1);
        if found.rows.len() < ROWS_SHOWN {
            found.rows.push(row);
        }
        if found.from.is_none() {
            found.from = from.map(Into::into);
        }
    }

    pub(crate) fn into_problems(self, files: &[String], tables: &[&str]) -> Vec<Problem> {
        let problem = |(place, found): (Place, Found)| {
            let (code, says, help) = (place.rule.code(), place.rule.says(), place.rule.help());
            Problem {
                effect: place.effect,
                code,
                file: files.get(place.file).cloned().unwrap_or_default(),
                table: place.table.and_then(|t| tables.get(t)).map(|t| (*t).to_owned()),
                column: found.from.map(Into::into).or_else(|| place.column.map(str::to_owned)),
                says: says.to_owned(),
                help: help.to_owned(),
                count: found.count,
                rows: found.rows,
            }
        };
        let mut problems: Vec<Problem> = self.0.into_iter().map(problem).collect();
        problems.sort();
        problems
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests;
