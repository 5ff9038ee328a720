//! A snapshot's manifest: what it holds, of which day, made of which files.

use std::collections::BTreeMap;
use std::fmt;

use cairn_question::{Day, Hash, Moment, PartnerId};
use serde::{Deserialize, Serialize};

/// The manifest's format number where there is no linkage file, as every older program writes it.
pub(crate) const FORMAT: u32 = 1;

/// The same with a linkage file: an older program would not carry it over, and is told so by the number.
pub(crate) const FORMAT_WITH_LINKAGE: u32 = 2;

/// Most bytes of a manifest: 7 tables of 1,000 parts at 200 bytes, with room.
pub(crate) const MANIFEST_BYTES_MAX: u64 = 4 << 20;

/// What a snapshot holds. Its `Debug` shows no count.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format of the snapshot: 1, or 2 with a linkage file.
    pub format: u32,
    /// Rises by one with every commit of this store; the first is 1.
    pub edition: u32,
    /// Whose records.
    pub partner: PartnerId,
    /// The day on which the records stood so.
    pub as_of: Day,
    /// The template vintages of its rows.
    pub templates: Vec<String>,
    /// What was lost in reading an older vintage; printed with every result that uses the column.
    pub notes: Vec<Note>,
    /// When it was loaded.
    pub loaded_at: Moment,
    /// The files that it was made of.
    pub sources: Vec<SourceFile>,
    /// How people who object were left out.
    pub objections: Objections,
    /// How many persons are numbered: `0..persons`.
    pub persons: u32,
    /// Persons in each part but the last.
    pub persons_per_part: u32,
    /// The tables that the partner's export fed. A table that is absent is not held, which is not the same as empty.
    pub tables: BTreeMap<String, TableEntry>,
    /// The sealed linkage file, where the mapping named what people are linked by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linkage: Option<LinkageEntry>,
}

/// What is known of a snapshot before its rows are written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    /// Whose records.
    pub partner: PartnerId,
    /// The day on which the records stood so.
    pub as_of: Day,
    /// The template vintages of its rows.
    pub templates: Vec<String>,
    /// What was lost in reading an older vintage; printed with every result that uses the column.
    pub notes: Vec<Note>,
    /// When it was loaded.
    pub loaded_at: Moment,
    /// The files that it was made of.
    pub sources: Vec<SourceFile>,
    /// How people who object were left out.
    pub objections: Objections,
}

/// A remark on one column.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// `table.column`.
    pub column: String,
    /// The remark, in words.
    pub says: String,
}

/// A file that a snapshot was made of.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Its name, without the folder.
    pub file: String,
    /// Its digest.
    pub sha256: Hash,
    /// Its size in bytes.
    pub bytes: u64,
}

/// How people who object are left out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Objections {
    /// A column of the export says who objects; they were left out at load.
    Column,
    /// The partner leaves them out before it exports, and this person confirmed it.
    HeldElsewhere {
        /// Who confirmed it: a name or an office.
        confirmed_by: String,
    },
}

/// One table of a snapshot.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEntry {
    /// Its rows in all parts.
    pub rows: u64,
    /// The parts, in the order of persons.
    pub parts: Vec<Part>,
}

/// The sealed linkage file. Its size tells the number of persons, which stands beside it.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkageEntry {
    /// Its name within the snapshot.
    pub file: String,
    /// Its digest.
    pub sha256: Hash,
    /// Its size in bytes.
    pub bytes: u64,
}

/// One Parquet file.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name within the snapshot.
    pub file: String,
    /// Its digest.
    pub sha256: Hash,
    /// Its size in bytes.
    pub bytes: u64,
    /// The first person it can hold; 0 for tables without persons.
    pub first_person: u32,
    /// Its rows.
    pub rows: u64,
}

impl Manifest {
    pub(crate) fn new(edition: u32, head: Head, persons_per_part: u32) -> Self {
        let Head { partner, as_of, templates, notes, loaded_at, sources, objections } = head;
        Self {
            format: FORMAT,
            edition,
            partner,
            as_of,
            templates,
            notes,
            loaded_at,
            sources,
            objections,
            persons: 0,
            persons_per_part,
            tables: BTreeMap::new(),
            linkage: None,
        }
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest(edition {}, as of {})", self.edition, self.as_of)
    }
}

impl fmt::Debug for TableEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableEntry({} parts)", self.parts.len())
    }
}

impl fmt::Debug for LinkageEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkageEntry({})", self.file)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({})", self.file)
    }
}
