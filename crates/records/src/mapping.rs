//! The mapping file: how a partner's export feeds the tables of the data dictionary (docs/reference/mapping.md).

mod check;
mod dates;
mod document;
mod suggest;

use std::collections::{BTreeMap, HashMap};

use cairn_question::schema::Table;
use cairn_question::{Day, PartnerId};
use encoding_rs::Encoding;

use crate::linkage::Prefixes;
use crate::report::Report;
use crate::snapshot::{Note, Objections};

pub(crate) use dates::{DateForm, DayFault};
pub use suggest::suggest;

/// A mapping file that fits the data dictionary.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Whose records.
    pub partner: PartnerId,
    /// The day on which the export stood so.
    pub as_of: Day,
    /// The template vintage of its rows.
    pub template: String,
    /// Most rejected rows of a table, in percent, before the whole load is refused. Default 5: more is a mapping gone wrong.
    pub max_rejected_percent: u8,
    /// How people who object are left out.
    pub objections: Objections,
    /// What the vintage loses, for the columns that are mapped.
    pub notes: Vec<Note>,
    pub(crate) sources: Vec<Source>,
    pub(crate) tables: Vec<TablePlan>,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) objection: Option<ObjectionPlan>,
}

/// Files of one form.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) files: Vec<String>,
    pub(crate) encoding: &'static Encoding,
    pub(crate) delimiter: u8,
}

/// A two-column CSV file that turns one value into another.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    pub(crate) file: String,
    pub(crate) key: String,
    pub(crate) value: String,
}

/// How one table is fed.
#[derive(Clone, Debug)]
pub(crate) struct TablePlan {
    pub(crate) table: &'static Table,
    /// Index into the sources.
    pub(crate) source: usize,
    pub(crate) when: Option<When>,
    /// The person's id, for tables with persons.
    pub(crate) person: Option<TextCell>,
    /// The key of the row above, where that is not the person: an engagement's.
    pub(crate) parent: Option<TextCell>,
    /// The row's own key, where that is text and not the person's id.
    pub(crate) own: Option<TextCell>,
    pub(crate) linkage: Option<Linkage>,
    /// One for each stored column of the table but the person's id, in document order.
    pub(crate) fills: Vec<Fill>,
    pub(crate) splits: Vec<Split>,
}

/// Only rows in which the column has one of these values feed the table.
#[derive(Clone, Debug)]
pub(crate) struct When {
    pub(crate) column: String,
    pub(crate) is: Vec<String>,
}

/// Text made of a cell.
#[derive(Clone, Debug)]
pub(crate) struct TextCell {
    pub(crate) column: &'static str,
    pub(crate) from: String,
    pub(crate) prefix: String,
    pub(crate) suffix: String,
}

/// The columns that tell which linkage key could be formed. Of their values only the key is kept, in the snapshot's sealed file.
#[derive(Clone, Debug)]
pub(crate) struct Linkage {
    pub(crate) nino: Option<String>,
    pub(crate) composite: Vec<String>,
    /// By what the people of this export are linked; `None` where no whole key is named.
    pub(crate) by: Option<LinkedBy>,
}

/// One method for the whole export.
#[derive(Clone, Debug)]
pub(crate) enum LinkedBy {
    /// A column of National Insurance numbers.
    Number { from: String, prefixes: Prefixes },
    /// Names and the date of birth.
    Name { family: String, first: String, born: String, form: DateForm },
}

/// Who objects.
#[derive(Clone, Debug)]
pub(crate) struct ObjectionPlan {
    pub(crate) source: usize,
    pub(crate) person: TextCell,
    pub(crate) when: Option<When>,
    pub(crate) from: String,
    /// The export's value to "objects".
    pub(crate) codes: HashMap<String, bool>,
}

/// A stored value as it is held while loading: a code's position, a number, 1 or 0, days after 1970. [`NULL`] is missing.
pub(crate) type Value = i64;

/// Missing, where the list has no code for it.
pub(crate) const NULL: Value = i64::MIN;

/// Stands for the snapshot day until the rows are written.
pub(crate) const AS_OF: Value = NULL + 1;

/// How one stored column gets its values.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    /// The column's name in the dictionary.
    pub(crate) column: &'static str,
    /// The dictionary of a coded column, in order.
    pub(crate) words: Vec<String>,
    /// Where the values come from.
    pub(crate) by: By,
    /// What a missing or unreadable cell becomes; `None`: the row is rejected.
    pub(crate) missing: Option<Value>,
}

/// Where a column's values come from.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// The same in every row.
    Constant(Value),
    /// A cell of the export.
    Cell { from: String, read: Read, blank: Option<Value> },
    /// One flag of a cell with several codes ([`Split`]).
    Flag,
    /// The node, from other columns.
    Node(NodeRule),
}

/// How a cell is read.
#[derive(Clone, Debug)]
pub(crate) enum Read {
    /// By the mapping's codes, or the list's own.
    Codes(HashMap<String, Value>),
    /// As it stands, for lists that a partner keeps itself.
    LocalCode,
    /// As a day.
    Day(DateForm),
    /// As a whole number within bounds.
    Whole { least: i64, most: i64 },
    /// By a lookup file and then as one of the list's numbers: index into the lookups.
    Lookup { lookup: usize, least: i64, most: i64 },
}

/// A rule by which the node makes a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NodeRule {
    AgeBand,
    DisabledEqa,
    LinkQuality,
    JobDue12m,
    Within12m,
}

/// A cell that holds several codes, one flag each.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    pub(crate) from: String,
    pub(crate) separator: String,
    /// The document's multi-valued column.
    pub(crate) column: &'static str,
    /// The export's word to the place in `flags`; `None` is "none of them".
    pub(crate) codes: HashMap<String, Option<usize>>,
    /// Indices into the fills.
    pub(crate) flags: Vec<usize>,
    pub(crate) blank: SplitBlank,
}

/// What a blank cell of several codes says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SplitBlank {
    /// Nothing is known.
    Unknown,
    /// None of them applies.
    No,
}

impl Mapping {
    /// Reads a mapping file. `file` is its name, for the report.
    ///
    /// # Errors
    /// Every problem of the file in one report; unknown keys are problems.
    pub fn parse(file: &str, text: &str) -> Result<Self, Report> {
        check::parse(file, text)
    }

    /// The files that a load will read, by name relative to the export's folder: sources, then lookups.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let sources = self.sources.iter().flat_map(|s| &s.files);
        sources.chain(self.lookups.iter().map(|l| &l.file)).map(String::as_str)
    }

    /// The tables that it feeds.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|t| t.table.name.as_str())
    }
}

impl TablePlan {
    /// Every column of the export that the plan reads.
    pub(crate) fn columns_read(&self) -> BTreeMap<&str, &'static str> {
        let texts = [&self.person, &self.parent, &self.own].into_iter().flatten();
        let mut columns: BTreeMap<&str, &'static str> = texts.map(|t| (t.from.as_str(), t.column)).collect();
        for fill in &self.fills {
            if let By::Cell { from, .. } = &fill.by {
                columns.insert(from, fill.column);
            }
        }
        columns.extend(self.splits.iter().map(|s| (s.from.as_str(), s.column)));
        columns.extend(self.when.iter().map(|w| (w.column.as_str(), "when")));
        let linkage = self.linkage.iter().flat_map(Linkage::columns);
        columns.extend(linkage.map(|c| (c, "linkage")));
        columns
    }
}

impl Linkage {
    fn columns(&self) -> impl Iterator<Item = &str> {
        let by: Vec<&String> = match &self.by {
            Some(LinkedBy::Name { family, first, born, .. }) => vec![family, first, born],
            Some(LinkedBy::Number { from, .. }) => vec![from],
            None => Vec::new(),
        };
        self.nino.iter().chain(&self.composite).chain(by).map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
