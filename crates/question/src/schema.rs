//! The data dictionary: tables, columns, code lists, grains and template vintages, read from the reviewed documents in
//! `schemas/smf/` and embedded in the program.

mod check;
mod documents;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::day::PeriodGrain;

pub use check::SchemaFault;
pub use documents::Documents;

/// Every table, code list and template of one edition of the data dictionary.
#[derive(Clone, Debug)]
pub struct Schema {
    tables: BTreeMap<String, Table>,
    lists: BTreeMap<String, CodeList>,
    templates: Vec<Template>,
}

/// One table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Rises by one when a definition changes.
    pub version: u16,
    /// What one row is, in words.
    pub one_row_is: String,
    /// The column that names the person, where rows belong to persons.
    pub person_key: Option<String>,
    /// The table whose rows this one's belong to.
    pub parent: Option<Parent>,
    /// Most rows of one person that can ever count; a policy may set less. `None`: one row a person.
    pub rows_per_person_max: Option<u32>,
    /// The date column on which a row is closed; blank while it is open. `None`: rows of this table are never closed.
    pub closed_by: Option<String>,
    /// The columns in document order, multi-valued ones already split into one flag a code.
    pub columns: Vec<Column>,
}

/// A link from a table to the one above it: many rows here belong to one there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parent {
    /// The table above.
    pub table: String,
    /// The key column, of the same name on both sides.
    pub on: String,
}

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How its cells are held.
    pub kind: Kind,
    /// Whether a source may leave it blank. Blank is the category `unknown`, never "no".
    pub nullable: bool,
    /// Part of the table's key, or a reference to another's.
    pub key: Option<Key>,
    /// The id of its code list.
    pub codes: Option<String>,
    /// How sensitive it is.
    pub class: Class,
    /// What a policy can ever allow.
    pub may: Vec<Use>,
    /// The same in words.
    pub use_in_words: String,
    /// The rule that makes it inside the node; a feed's own value is never trusted.
    pub derived: Option<Derived>,
    /// Where the document splits a multi-valued column, the column this flag came from.
    pub flag_of: Option<String>,
    /// A remark for readers.
    pub note: String,
}

/// How a column's cells are held in a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One code of a list: Arrow `Dictionary<Int8, Utf8>`.
    Code,
    /// One code of a list of whole numbers: Arrow `Int8`.
    NumberCode,
    /// Text that no question can read: Arrow `Utf8`.
    Text,
    /// A day: Arrow `Date32`.
    Date,
    /// Yes or no: Arrow `Boolean`; its codes are `yes`, `no` and, where nullable, `unknown`.
    YesNo,
    /// A whole number within bounds: Arrow `Int64`.
    Whole {
        /// Least value kept.
        least: i64,
        /// Most value kept.
        most: i64,
    },
    /// Linkage material: never a column of a snapshot.
    Sealed,
}

/// Part of a key, or a reference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    /// Names the row.
    Primary,
    /// Names a row of another table.
    Foreign,
}

/// How sensitive a column is (domain/data_dictionary).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// N.
    Neutral,
    /// Q.
    QuasiIdentifier,
    /// S: UK GDPR Article 9 or 10 data, or treated so.
    SpecialCategory,
    /// K.
    Linkage,
    /// I.
    Identifier,
}

/// What a policy can ever allow a column for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Use {
    /// Group a table by it.
    Group,
    /// Narrow a table to one of its codes or named groups.
    Filter,
    /// Group or narrow by the period it falls in.
    Period,
    /// Add it up.
    Sum,
    /// Count by its values, in bands.
    Histogram,
    /// Count the persons it names.
    CountPeople,
    /// Count the rows it names.
    CountRows,
    /// Make another column from it, inside the node.
    Derive,
    /// Applied to every question, whoever asks (the objection).
    AlwaysApplied,
}

/// The rules by which a node makes columns itself. `cairn-records` implements each; a tidy test holds the two together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Derived {
    /// Age in bands at the person's first start, from the month of birth.
    AgeBand,
    /// Disabled by the Equality Act proxy: a long-term condition that limits a lot or a little.
    DisabledEqa,
    /// SIMD fifth, from the data zone by a lookup file.
    SimdQuintile,
    /// Which linkage key could be formed: `nino`, `composite` or `none`.
    LinkQuality,
    /// Whether 12 months have passed since the start, at the snapshot date.
    JobDue12m,
    /// Whether the outcome came within 12 months of the start.
    Within12m,
    /// A follow-up status; `not_due` where the week lies after the snapshot date, whatever the feed says.
    FollowUp,
}

/// A code list with its coarser grains and its named groups.
#[derive(Clone, Debug)]
pub struct CodeList {
    /// Its id.
    pub id: String,
    /// Rises by one when a code changes.
    pub version: u16,
    /// The codes in order, each with its label.
    pub codes: Vec<Code>,
    /// Replaced codes that intake still accepts: old to new.
    pub aliases: BTreeMap<String, String>,
    /// Coarser grains; each is a partition of the codes, so that bands never overlap.
    pub grains: Vec<Grain>,
    /// Named groups that a filter may use instead of one code.
    pub groups: Vec<Group>,
    /// For a list kept elsewhere (partners, data zones): where.
    pub open: Option<String>,
    /// Whether the codes rise, such as bands of age.
    pub order: Order,
    /// A remark for readers.
    pub note: String,
}

/// Whether the codes of a list have an order beside the one in which they are written.
///
/// Complete: they have one, or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// Each code, the missing category aside, stands for more than the one before it: a median lies in one of them.
    Rising,
    /// The codes are names.
    None,
}

/// A code and its label.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Code {
    /// What is stored and asked.
    pub code: String,
    /// What people read.
    pub label: String,
}

/// A partition of a list's codes into coarser ones.
#[derive(Clone, Debug)]
pub struct Grain {
    /// Its name.
    pub name: String,
    /// The coarser codes, in order.
    pub parts: Vec<Group>,
}

/// Some codes under one name.
#[derive(Clone, Debug)]
pub struct Group {
    /// The name.
    pub code: String,
    /// Its members.
    pub of: Vec<String>,
}

/// One vintage of the data-collection template.
#[derive(Clone, Debug)]
pub struct Template {
    /// `year1`, `nolb-2020` or `smf-2022`.
    pub id: String,
    /// In words.
    pub label: String,
    /// Columns that this vintage does not collect: they are `unknown`, and answers over them carry the note.
    pub lacks: Vec<String>,
    /// Codes of this vintage in terms of today's.
    pub maps: Vec<TemplateMap>,
}

/// How one column's codes of an older vintage become today's.
#[derive(Clone, Debug)]
pub struct TemplateMap {
    /// `table.column`.
    pub column: String,
    /// The vintage's code to today's.
    pub codes: BTreeMap<String, String>,
    /// What is lost, where the mapping loses something; printed with every result that uses the column.
    pub lossy: Option<String>,
}

/// A column found from a dataset: in the table itself, or in a table above it.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The table that holds it.
    pub table: &'a Table,
    /// The column.
    pub column: &'a Column,
}

/// The grain at which a column's own codes stand.
pub const CODE_GRAIN: &str = "code";

/// The missing category. NULL is never "no", and never left out of a table.
pub const UNKNOWN: &str = "unknown";

static SMF: LazyLock<Schema> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the documents are embedded, and a test reads them before they ship"
    )]
    Schema::parse(&Documents::embedded()).expect("the embedded schema documents are valid")
});

impl Schema {
    /// The Shared Measurement Framework's dictionary, as embedded in this program.
    #[must_use]
    pub fn smf() -> &'static Self {
        &SMF
    }

    /// Reads a set of documents.
    ///
    /// # Errors
    /// Every fault of every document, each with a code and its file.
    pub fn parse(documents: &Documents) -> Result<Self, Vec<SchemaFault>> {
        check::parse(documents)
    }

    /// The tables by name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// One table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The code lists by id.
    pub fn code_lists(&self) -> impl Iterator<Item = &CodeList> {
        self.lists.values()
    }

    /// One code list.
    #[must_use]
    pub fn code_list(&self, id: &str) -> Option<&CodeList> {
        self.lists.get(id)
    }

    /// The template vintages, oldest first.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// `dataset` and every table above it, nearest first: `outcomes`, `engagements`, `participants`.
    #[must_use]
    pub fn ancestry(&self, dataset: &str) -> Vec<&Table> {
        let above = |t: &&Table| t.parent.as_ref().and_then(|p| self.table(&p.table));
        // A loop of parents is refused at load; the bound holds even so.
        std::iter::successors(self.table(dataset), above).take(self.tables.len()).collect()
    }

    /// Finds `column` (of the dataset itself) or `table.column` (of a table above it). A dataset's own column has one
    /// spelling only: without its table.
    #[must_use]
    pub fn find(&self, dataset: &str, column: &str) -> Option<Found<'_>> {
        let (table, name) = match column.split_once('.') {
            Some((table, _)) if table == dataset => return None,
            Some((table, name)) => (self.ancestry(dataset).into_iter().find(|t| t.name == table)?, name),
            None => (self.table(dataset)?, column),
        };
        Some(Found { table, column: table.column(name)? })
    }

    /// A coded column of the dataset itself, not of a table above it.
    #[must_use]
    pub fn own_coded(&self, dataset: &str, column: &str) -> Option<&Column> {
        let found = self.find(dataset, column).filter(|found| found.table.name == dataset)?;
        self.codes_at(found.column, CODE_GRAIN).map(|_| found.column)
    }

    /// Every code of a column at a grain, in order, the missing category last. `None` for a grain or a list it has not,
    /// for dates (their periods come from the question) and for lists kept elsewhere.
    #[must_use]
    pub fn codes_at(&self, column: &Column, grain: &str) -> Option<Vec<String>> {
        let mut codes: Vec<String> = match column.kind {
            Kind::YesNo if grain == CODE_GRAIN => vec!["yes".into(), "no".into()],
            Kind::Code | Kind::NumberCode => self.code_list(column.codes.as_deref()?)?.codes_at(grain)?,
            _ => return None,
        };
        if codes.is_empty() {
            return None;
        }
        if column.nullable && !codes.iter().any(|c| c == UNKNOWN) {
            codes.push(UNKNOWN.into());
        }
        Some(codes)
    }

    /// Whether a column's codes rise, at any grain: bands of age, periods of a date. The missing category is in no order, and stands last or is not
    /// among them.
    #[must_use]
    pub fn is_ordered(&self, column: &Column) -> bool {
        match column.kind {
            Kind::Date => true,
            Kind::Code | Kind::NumberCode => {
                let list = column.codes.as_deref().and_then(|id| self.code_list(id));
                list.is_some_and(|list| list.order == Order::Rising)
            }
            Kind::Text | Kind::YesNo | Kind::Whole { .. } | Kind::Sealed => false,
        }
    }

    /// For each stored code of a column, the code it has at a grain. The missing category maps to itself. `None` as for
    /// [`Schema::codes_at`].
    #[must_use]
    pub fn coarsen(&self, column: &Column, grain: &str) -> Option<BTreeMap<String, String>> {
        let finest = self.codes_at(column, CODE_GRAIN)?;
        let same = |c: &String| (c.clone(), c.clone());
        if grain == CODE_GRAIN {
            return Some(finest.iter().map(same).collect());
        }
        let list = self.code_list(column.codes.as_deref()?)?;
        let parts = &list.grains.iter().find(|g| g.name == grain)?.parts;
        let part_of = |c: &str| parts.iter().find(|p| p.of.iter().any(|m| m == c)).map(|p| p.code.clone());
        Some(finest.into_iter().map(|c| (c.clone(), part_of(&c).unwrap_or_else(|| UNKNOWN.into()))).collect())
    }

    /// The stored codes that a filter value stands for: one code at the grain, or (at grain `code`) a named group. `None` where it is neither.
    #[must_use]
    pub fn codes_meant(&self, column: &Column, grain: &str, value: &str) -> Option<Vec<String>> {
        let coarse = self.coarsen(column, grain)?;
        let stored: Vec<String> =
            coarse.iter().filter(|(_, part)| *part == value).map(|(code, _)| code.clone()).collect();
        if !stored.is_empty() {
            return Some(stored);
        }
        let list = self.code_list(column.codes.as_deref()?)?;
        let group = list.groups.iter().find(|g| g.code == value && grain == CODE_GRAIN)?;
        Some(group.of.clone())
    }

    /// The grains of a column, finest first.
    #[must_use]
    pub fn grains(&self, column: &Column) -> Vec<&str> {
        match column.kind {
            Kind::Date => vec![PeriodGrain::Quarter.as_str(), PeriodGrain::Year.as_str()],
            Kind::Code | Kind::NumberCode | Kind::YesNo => {
                let list = column.codes.as_deref().and_then(|id| self.code_list(id));
                let coarser = list.into_iter().flat_map(|l| l.grains.iter().map(|g| g.name.as_str()));
                std::iter::once(CODE_GRAIN).chain(coarser).collect()
            }
            Kind::Text | Kind::Whole { .. } | Kind::Sealed => Vec::new(),
        }
    }

    /// Whether `coarse` is the same grain as `fine` or follows from it: a year from its quarters, a council from its wards.
    #[must_use]
    pub fn nests(&self, column: &Column, fine: &str, coarse: &str) -> bool {
        let grains = self.grains(column);
        let known = grains.contains(&coarse) && grains.contains(&fine);
        let follows = || {
            let list = column.codes.as_deref().and_then(|id| self.code_list(id));
            list.is_some_and(|l| l.follows(fine, coarse))
        };
        known && (fine == coarse || grains.first() == Some(&fine) || follows())
    }
}

impl Table {
    /// One column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The columns that a snapshot holds: all but linkage material.
    pub fn stored_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|c| c.kind != Kind::Sealed)
    }
}

impl CodeList {
    /// The codes at a grain of this list; without any missing category that a column adds.
    #[must_use]
    pub fn codes_at(&self, grain: &str) -> Option<Vec<String>> {
        if grain == CODE_GRAIN {
            return Some(self.codes.iter().map(|c| c.code.clone()).collect());
        }
        let grain = self.grains.iter().find(|g| g.name == grain)?;
        Some(grain.parts.iter().map(|p| p.code.clone()).collect())
    }

    /// Whether each part of `fine` lies within one part of `coarse`.
    fn follows(&self, fine: &str, coarse: &str) -> bool {
        let parts = |name: &str| self.grains.iter().find(|g| g.name == name).map(|g| &g.parts);
        let (Some(fine), Some(coarse)) = (parts(fine), parts(coarse)) else { return false };
        let within = |part: &Group| coarse.iter().any(|c| part.of.iter().all(|code| c.of.contains(code)));
        fine.iter().all(within)
    }

    /// The label of a code, or of a coarser part; the code itself where it has none.
    #[must_use]
    pub fn label<'a>(&'a self, code: &'a str) -> &'a str {
        self.codes.iter().find(|c| c.code == code).map_or(code, |c| c.label.as_str())
    }
}

impl Column {
    /// Whether a policy can ever allow this use.
    #[must_use]
    pub fn allows(&self, wanted: Use) -> bool {
        self.may.contains(&wanted)
    }
}

/// The band of an age in whole years: a code of the list `age_band`. Under 16 is `unknown`: the programme starts at 16.
#[must_use]
pub const fn age_band(years: u32) -> &'static str {
    match years {
        0..=15 => UNKNOWN,
        16..=19 => "16_19",
        20..=24 => "20_24",
        25..=34 => "25_34",
        35..=49 => "35_49",
        50..=64 => "50_64",
        65..=120 => "65_plus",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests;
