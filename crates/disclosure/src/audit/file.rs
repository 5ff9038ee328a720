//! Witnesses as a file that stays at the node, its commitment for the audit log, and the check of an auditor.

use std::collections::BTreeSet;
use std::fmt;

use cairn_question::Cell;
use ring::digest::{SHA256, digest};
use ring::hmac::{Context, HMAC_SHA256, Key};

use super::check::{Audited, Witness};
use super::table::{ATOMS_MAX, CELLS_MAX, Layout, Terms, people};
use super::view::{Range, allows, read};
use super::{Promise, WIDTH, WIDTH_INSIDE};

/// The form of the file; a reader refuses any other.
pub const FORM: u32 = 1;

/// Most tables in a file. A table of [`CELLS_MAX`] cells has needed some hundreds.
const TABLES_MAX: usize = 20_000;

/// Everything that shows a release to be safe. It holds true counts of the partner and never leaves the node; what is logged is its
/// [`WitnessFile::commitment`].
#[derive(Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessFile {
    /// [`FORM`].
    pub form: u32,
    /// Whom the release is said to withstand.
    pub promise: Promise,
    /// Random bytes, so that small tables cannot be tried against the commitment.
    pub salt: [u8; 32],
    /// The terms of the release.
    pub terms: Terms,
    /// How many counts a table has.
    pub parts: usize,
    /// For each cell the parts that it counts.
    pub cells: Vec<Vec<usize>>,
    /// How many of the cells, the last ones, are of no table: the few between two cells, of whom nothing is said.
    #[serde(default, skip_serializing_if = "is_none")]
    pub watched: usize,
    /// For each cell what the release says of it.
    pub ranges: Vec<Range>,
    /// The cells that must not be worked out.
    pub primaries: Vec<usize>,
    /// Those of them with one person, who knows it.
    pub singles: Vec<usize>,
    /// The tables that witnesses point to.
    pub tables: Vec<Vec<i64>>,
    /// The witnesses.
    pub witnesses: Vec<Witness>,
}

/// Most bytes of a file. A table of 2,000 cells has needed some hundred thousand.
pub const BYTES_MAX: usize = 16 << 20;

/// The salt of a question's file, from a key that never leaves the node: no two questions have the same, and nobody without the key can
/// try tables against the commitment.
#[must_use]
pub fn salt(key: &[u8; 32], question: &[u8]) -> [u8; 32] {
    let key = Key::new(HMAC_SHA256, key);
    let mut context = Context::with_key(&key);
    context.update(b"cairn witnesses 1");
    context.update(question);
    let mut salt = [0; 32];
    salt.iter_mut().zip(context.sign().as_ref()).for_each(|(byte, made)| *byte = *made);
    salt
}

/// What a check of witnesses found to be in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rechecked {
    /// Primary cells, each with its witnesses.
    pub primaries: usize,
    /// Witness tables that agree with every cell of the release.
    pub tables: usize,
    /// Witnesses.
    pub witnesses: usize,
    /// What the witnesses bear out. That each table makes the algorithm give the same pattern is not part of this check.
    pub promise: Promise,
}

/// Why witnesses do not show a release to be safe.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// Another form, or larger than any that this program writes.
    #[error("the witnesses are in a form that this program does not read")]
    Form,
    /// The hash of the file is not the one that was logged.
    #[error("the witnesses are not those that were committed to")]
    Commitment,
    /// The file is about another release.
    #[error("the witnesses are about another release: cell {cell} reads otherwise")]
    OtherRelease {
        /// The first cell that differs.
        cell: usize,
    },
    /// A table does not agree with what was published.
    #[error("witness table {table} does not agree with the release")]
    Table {
        /// Which table.
        table: usize,
    },
    /// A primary cell is shown, or has no witness for some reader.
    #[error("cell {cell} has no witness")]
    NoWitness {
        /// Which cell.
        cell: usize,
    },
}

impl Audited {
    /// The witnesses as a file. `salt` must be random and used once.
    #[must_use]
    pub fn file(&self, salt: [u8; 32]) -> WitnessFile {
        WitnessFile {
            form: FORM,
            promise: self.promise(),
            salt,
            terms: self.terms,
            parts: self.parts,
            cells: self.members.clone(),
            watched: self.watched,
            ranges: self.ranges.clone(),
            primaries: self.primaries.clone(),
            singles: self.singles.clone(),
            tables: self.tables.clone(),
            witnesses: self.witnesses.clone(),
        }
    }
}

impl WitnessFile {
    /// Reads the bytes of a file. Not yet checked against anything: [`WitnessFile::recheck`].
    ///
    /// # Errors
    /// [`Unproven::Form`].
    pub fn read(bytes: &[u8]) -> Result<Self, Unproven> {
        if bytes.len() > BYTES_MAX {
            return Err(Unproven::Form);
        }
        serde_json::from_slice(bytes).map_err(|_| Unproven::Form)
    }

    /// The bytes of the file: compact JSON, which the commitment is the hash of. `None` where it would be larger than a file may be.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok().filter(|bytes| bytes.len() <= BYTES_MAX)
    }

    /// SHA-256 of the file as compact JSON, fields in their order; as hex.
    #[must_use]
    pub fn commitment(&self) -> String {
        // A list of numbers and names always has a JSON form; an empty one would only ever fail to match.
        let json = serde_json::to_vec(self).unwrap_or_default();
        digest(&SHA256, &json).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the file is about this layout. An auditor makes the layout anew from the question, so that a file cannot say of itself
    /// what its cells count.
    #[must_use]
    pub fn is_over(&self, layout: &Layout) -> bool {
        self.terms == layout.terms && self.parts == layout.parts() && self.listed() == layout.cells
    }

    /// The cells of the tables.
    fn listed(&self) -> &[Vec<usize>] {
        let listed = self.cells.len().checked_sub(self.watched);
        listed.and_then(|listed| self.cells.get(..listed)).unwrap_or_default()
    }

    /// Checks without any search that the release `published` (its cells in the order of the layout, as it left) is borne out.
    ///
    /// # Errors
    /// [`Unproven`], at the first fault.
    pub fn recheck(&self, published: &[Cell], commitment: &str) -> Result<Rechecked, Unproven> {
        self.in_form()?;
        if self.commitment() != commitment {
            return Err(Unproven::Commitment);
        }
        self.is_about(published)?;
        let allowed = |table: &Vec<i64>| allows(&self.cells, &self.ranges, self.parts, table);
        if let Some(table) = self.tables.iter().position(|table| !allowed(table)) {
            return Err(Unproven::Table { table });
        }
        self.all_witnessed(Promise::KnowsThresholds)?;
        if self.promise == Promise::KnowsAlgorithm {
            self.all_witnessed(Promise::KnowsAlgorithm)?;
        }
        Ok(Rechecked {
            primaries: self.primaries.len(),
            tables: self.tables.len(),
            witnesses: self.witnesses.len(),
            promise: self.promise,
        })
    }

    fn in_form(&self) -> Result<(), Unproven> {
        let cells = self.cells.len();
        let fits = cells <= CELLS_MAX && self.watched <= cells;
        let whole = self.form == FORM && fits && self.ranges.len() == cells;
        let sized = self.parts <= ATOMS_MAX && self.tables.len() <= TABLES_MAX;
        if whole && sized { Ok(()) } else { Err(Unproven::Form) }
    }

    /// Each range is what the published cell says.
    fn is_about(&self, published: &[Cell]) -> Result<(), Unproven> {
        let agrees = |(range, cell): (&Range, &Cell)| match cell {
            Cell::Value(shown) => *range == read(&self.terms, *shown),
            // A tighter bound only asks more of the witnesses.
            Cell::Withheld => {
                range.low == self.terms.floor() && range.high.is_none_or(|high| high > range.low)
            }
            Cell::NotAnswered => false,
        };
        let listed = self.listed().len();
        let differs = self.ranges.iter().take(listed).zip(published).position(|pair| !agrees(pair));
        let said = self.ranges.iter().skip(listed).position(|range| *range != Range::NOTHING);
        match differs.or(said.map(|at| listed + at)) {
            Some(cell) => Err(Unproven::OtherRelease { cell }),
            None if listed != published.len() => {
                Err(Unproven::OtherRelease { cell: listed.min(published.len()) })
            }
            None => Ok(()),
        }
    }

    fn all_witnessed(&self, against: Promise) -> Result<(), Unproven> {
        let shown = self.witnesses.iter().filter(|w| w.against == against && self.differs(w));
        let shown: BTreeSet<(usize, Option<usize>)> = shown.map(|w| (w.cell, w.known)).collect();
        for &cell in &self.primaries {
            let others = self.singles.iter().filter(|single| **single != cell).map(|&single| Some(single));
            if std::iter::once(None).chain(others).any(|known| !shown.contains(&(cell, known))) {
                return Err(Unproven::NoWitness { cell });
            }
        }
        Ok(())
    }

    /// Whether the two tables differ in the cell by enough, and agree in what the reader knows.
    fn differs(&self, witness: &Witness) -> bool {
        let Some((low, high)) = self.tables.get(witness.low).zip(self.tables.get(witness.high)) else {
            return false;
        };
        let count =
            |table: &[i64], cell: usize| self.cells.get(cell).map_or(0, |members| people(table, members));
        let width = if witness.known.is_some() { WIDTH_INSIDE } else { WIDTH };
        let alone = |known: usize| count(low, known) == 1 && count(high, known) == 1;
        witness.known.is_none_or(alone) && count(high, witness.cell) - count(low, witness.cell) >= width
    }
}

const fn is_none(watched: &usize) -> bool {
    *watched == 0
}

impl fmt::Debug for WitnessFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessFile({} witnesses, counts withheld)", self.witnesses.len())
    }
}
