//! What is to be audited: tables over the same people, their cells as sets of the finest parts, and what was already released.

use std::collections::{BTreeMap, BTreeSet};

use cairn_question::limits;

/// Most cells of one audit, the register's among them. Beyond it the searches take minutes; such a table is rounded instead.
pub const CELLS_MAX: usize = 2_000;

/// Most atoms: no table has more cells than this before totals are added.
pub const ATOMS_MAX: usize = limits::CELLS_MAX;

/// Largest count of one atom, some million million. Sums over [`ATOMS_MAX`] atoms then fit an `i64` with room to spare.
pub const COUNT_MAX: u64 = 1 << 40;

const _: () = assert!(ATOMS_MAX.ilog2() + COUNT_MAX.ilog2() < 60, "no sum of counts overflows");

/// What is fixed about a cell before the audit begins.
///
/// Complete: a cell is either free, or left earlier in one of two ways, or is of no table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// A cell of this table. The more `want`, the earlier it is published. It must not depend on the records.
    Free {
        /// 0 is least wanted.
        want: u32,
    },
    /// Shown in an earlier release, of this or another table.
    Published,
    /// Withheld in an earlier release.
    Withheld,
    /// No table has it: the people between two cells, who must not be worked out from them. Nothing is ever said of it.
    Watched,
}

/// One cell: the atoms whose people it counts, and its fate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CellSpec {
    /// Indices of atoms; order and repetition do not matter.
    pub members: Vec<usize>,
    /// Free, or fixed by an earlier release.
    pub fate: Fate,
}

/// How a shown count is written.
///
/// Complete: the two treatments that withhold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Showing {
    /// `suppress-audit`: the count itself.
    Exact,
    /// `suppress-round`: the nearest multiple of the base, halves up. 0 and 1 round nothing.
    Rounded {
        /// The base.
        base: u32,
    },
}

/// Whether the rule may ever withhold a cell without people. A property of the rule, never of the records.
///
/// Complete: it may or it may not.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nobody {
    /// A zero is always shown, so that everybody knows a withheld cell to have at least one person.
    AlwaysShown,
    /// A zero may be marked (a group where everyone is in one category), so that a withheld cell may be a zero.
    MayBeWithheld,
}

/// The public terms of a release: an attacker is taken to know them all.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Cells of 1 to t−1 people are withheld.
    pub threshold: u64,
    /// Whether zeros are always shown.
    pub nobody: Nobody,
    /// How counts are written.
    pub showing: Showing,
}

impl Terms {
    /// The fewest people that a withheld cell can have, to the attacker.
    pub(super) const fn floor(&self) -> i64 {
        match self.nobody {
            Nobody::AlwaysShown => 1,
            Nobody::MayBeWithheld => 0,
        }
    }
}

/// Why a table cannot be put to the audit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// More than [`CELLS_MAX`] cells.
    #[error("an audit of {cells} cells is more than {CELLS_MAX}; round this table instead")]
    TooManyCells {
        /// How many there are, totals and register included.
        cells: usize,
    },
    /// More than [`ATOMS_MAX`] atoms.
    #[error("an audit of {atoms} atoms is more than {ATOMS_MAX}")]
    TooManyAtoms {
        /// How many there are.
        atoms: usize,
    },
    /// A cell names an atom that is not there, or a mark names no cell.
    #[error("a cell or a mark is outside the table")]
    Outside,
    /// Not one count for each atom.
    #[error("there is not one count for each atom")]
    Uneven,
    /// A count above [`COUNT_MAX`].
    #[error("a count is above {COUNT_MAX}")]
    CountTooLarge,
    /// A zero is marked or was withheld, though the terms say that zeros are always shown.
    #[error("a cell without people is withheld though the terms always show it")]
    ZeroWithheld,
    /// The base is so large beside the threshold that people would be shown as 0.
    #[error("rounding would show people as 0")]
    RoundsToZero,
    /// The axis that should hold bands is not one of the table's.
    #[error("the table has no such axis")]
    NoSuchAxis,
}

/// The cells of linked tables over common parts: all that is public before any count is.
///
/// Atoms that lie in the same cells cannot be told apart by any release, so they are one *part*; a part is what a witness counts.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(super) terms: Terms,
    /// For each atom its part; none where no cell counts it.
    part_of: Vec<Option<usize>>,
    parts: usize,
    pub(super) cells: Vec<Vec<usize>>,
    pub(super) fates: Vec<Fate>,
    /// How many of the cells, the last ones, are [`Fate::Watched`].
    pub(super) watched: usize,
}

impl Layout {
    /// The layout of `cells` over `atoms` atoms.
    ///
    /// # Errors
    /// [`Unfit::TooManyCells`], [`Unfit::TooManyAtoms`], [`Unfit::Outside`].
    pub fn new(atoms: usize, cells: &[CellSpec], terms: Terms) -> Result<Self, Unfit> {
        match () {
            () if cells.len() > CELLS_MAX => return Err(Unfit::TooManyCells { cells: cells.len() }),
            () if atoms > ATOMS_MAX => return Err(Unfit::TooManyAtoms { atoms }),
            () if cells.iter().flat_map(|c| &c.members).any(|&m| m >= atoms) => return Err(Unfit::Outside),
            () => {}
        }
        let (part_of, parts) = parts(&cells_of(atoms, cells));
        let in_parts = |c: &CellSpec| {
            let of = c.members.iter().filter_map(|&m| part_of.get(m).copied().flatten());
            sorted(of)
        };
        Ok(Self {
            terms,
            parts,
            cells: cells.iter().map(in_parts).collect(),
            fates: cells.iter().map(|c| c.fate).collect(),
            watched: 0,
            part_of,
        })
    }

    /// The same with groups of people who are of no cell and must not be worked out either; those that some cell counts are left out.
    ///
    /// The groups are differences of cells, so that they are made of whole parts and the parts stay as they are.
    ///
    /// # Errors
    /// [`Unfit::TooManyCells`].
    pub(super) fn watching(&self, groups: impl Iterator<Item = Vec<usize>>) -> Result<Self, Unfit> {
        let mut layout = self.clone();
        let mut known: BTreeSet<Vec<usize>> = layout.cells.iter().cloned().collect();
        for group in groups {
            let parts =
                sorted(group.into_iter().filter_map(|atom| self.part_of.get(atom).copied().flatten()));
            if parts.is_empty() || !known.insert(parts.clone()) {
                continue;
            }
            layout.cells.push(parts);
            layout.fates.push(Fate::Watched);
            layout.watched += 1;
            if layout.cells() > CELLS_MAX {
                return Err(Unfit::TooManyCells { cells: layout.cells() });
            }
        }
        Ok(layout)
    }

    /// How many of the cells are of a table.
    pub(super) fn listed(&self) -> usize {
        self.cells().saturating_sub(self.watched)
    }

    /// How many cells, those between others among them: 0 to [`CELLS_MAX`].
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.cells.len()
    }

    /// How many parts: the numbers in one table of a witness.
    #[must_use]
    pub const fn parts(&self) -> usize {
        self.parts
    }

    /// The parts that a cell counts, ascending; none for a cell that is not there.
    #[must_use]
    pub fn members(&self, cell: usize) -> &[usize] {
        self.cells.get(cell).map_or(&[], Vec::as_slice)
    }

    /// The counts of atoms as counts of parts.
    pub(super) fn counts(&self, atoms: &[u64]) -> Result<Vec<i64>, Unfit> {
        if atoms.len() != self.part_of.len() {
            return Err(Unfit::Uneven);
        }
        let mut parts = vec![0_i64; self.parts];
        for (&count, part) in atoms.iter().zip(&self.part_of) {
            let count = i64::try_from(count).ok().filter(|_| count <= COUNT_MAX);
            let count = count.ok_or(Unfit::CountTooLarge)?;
            if let Some(sum) = part.and_then(|p| parts.get_mut(p)) {
                *sum += count;
            }
        }
        Ok(parts)
    }
}

/// For each atom the cells that count it, ascending.
fn cells_of(atoms: usize, cells: &[CellSpec]) -> Vec<Vec<usize>> {
    let mut of = vec![Vec::new(); atoms];
    for (cell, spec) in cells.iter().enumerate() {
        for member in sorted(spec.members.iter().copied()) {
            if let Some(list) = of.get_mut(member) {
                list.push(cell);
            }
        }
    }
    of
}

/// Gives atoms of the same cells the same part, numbered as they come.
fn parts(cells_of: &[Vec<usize>]) -> (Vec<Option<usize>>, usize) {
    let mut numbers: BTreeMap<&[usize], usize> = BTreeMap::new();
    let mut part_of = Vec::with_capacity(cells_of.len());
    for cells in cells_of {
        let next = numbers.len();
        part_of.push((!cells.is_empty()).then(|| *numbers.entry(cells).or_insert(next)));
    }
    (part_of, numbers.len())
}

/// Ascending, each once.
pub(super) fn sorted(of: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut list: Vec<usize> = of.collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// The people in a cell, by a table of parts.
pub(super) fn people(table: &[i64], members: &[usize]) -> i64 {
    members.iter().filter_map(|&m| table.get(m)).sum()
}
