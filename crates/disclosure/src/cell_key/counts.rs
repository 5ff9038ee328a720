//! Counts with the summed keys of their people, and what becomes of them.

use cairn_question::{Cell, Grid};
use std::fmt;

use crate::cell_key::{KEYS, PerturbationTable, RecordKey};
use crate::suppress::{Counts, Rule, Uneven, suppress_round};

/// For every cell of a grid the people in it and the sum of their record keys modulo 256.
///
/// Every category has its cell, the missing one too: a person whose value is unknown is in the cell `unknown` with his or her key.
#[derive(Clone)]
pub struct Keyed {
    cells: Vec<KeyedCell>,
}

#[derive(Clone, Copy, Default)]
struct KeyedCell {
    people: u64,
    key: u8,
}

/// The cell is not of the grid.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a cell that is not of the table's grid")]
pub struct OutsideGrid;

/// Counts and sums of keys that no people can have: not one for each other, or keys where nobody is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("counts and sums of record keys that do not belong together")]
pub struct Malformed;

impl Keyed {
    /// The grid with nobody in it yet.
    #[must_use]
    pub fn over(grid: &Grid) -> Self {
        Self { cells: vec![KeyedCell::default(); grid.cells()] }
    }

    /// Adds one person to a cell. Each person is added once to a cell, however many rows he or she has there.
    ///
    /// # Errors
    /// [`OutsideGrid`].
    pub fn add(&mut self, cell: usize, key: RecordKey) -> Result<(), OutsideGrid> {
        let cell = self.cells.get_mut(cell).ok_or(OutsideGrid)?;
        cell.people = cell.people.saturating_add(1);
        cell.key = cell.key.wrapping_add(key.to_store());
        Ok(())
    }

    /// Takes what an engine has added up already: the people of each cell, and the sum of their keys.
    ///
    /// # Errors
    /// [`Malformed`]: not one sum for each count, or a sum that so many keys of 0 to 255 cannot have.
    pub fn from_sums(people: &[u64], key_sums: &[u64]) -> Result<Self, Malformed> {
        let fits = |(&people, &sum): (&u64, &u64)| sum <= people.saturating_mul(255);
        if people.len() != key_sums.len() || !people.iter().zip(key_sums).all(fits) {
            return Err(Malformed);
        }
        let key = |sum: u64| u8::try_from(sum % KEYS as u64).unwrap_or_default();
        let cells = people.iter().zip(key_sums).map(|(&people, &sum)| KeyedCell { people, key: key(sum) });
        Ok(Self { cells: cells.collect() })
    }

    /// Perturbs every cell by the table.
    #[must_use]
    pub fn perturb(&self, table: &PerturbationTable) -> Perturbed {
        Perturbed { counts: self.cells.iter().map(|c| table.perturbed(c.people, c.key)).collect() }
    }
}

/// Perturbed counts, one for each cell of the grid. Nothing leads back from here to a count, a key or a change.
#[derive(Clone, Eq, PartialEq)]
pub struct Perturbed {
    counts: Vec<u64>,
}

impl Perturbed {
    /// The sum over two partners, cell by cell: each has perturbed its own.
    ///
    /// # Errors
    /// [`Uneven`] where the two are not of the same grid.
    pub fn plus(&self, other: &Self) -> Result<Self, Uneven> {
        if self.counts.len() != other.counts.len() {
            return Err(Uneven);
        }
        let sums = self.counts.iter().zip(&other.counts).map(|(&a, &b)| a.saturating_add(b));
        Ok(Self { counts: sums.collect() })
    }

    /// What this partner adds to a masked total: the perturbed counts, which leave under a mask only.
    #[must_use]
    pub fn addends(&self) -> &[u64] {
        &self.counts
    }

    /// The table as it leaves: the threshold and the rounding are held on the perturbed counts, as the ONS package holds them.
    ///
    /// `left_out`: for each filter the people whom it alone leaves out, as for [`Counts::new`].
    #[must_use]
    pub fn release(&self, rule: &Rule, left_out: &[u64]) -> Vec<Cell> {
        // Never uneven: there are no rows.
        Counts::new(&self.counts, None, left_out).map_or_else(
            |Uneven| vec![Cell::Withheld; self.counts.len()],
            |counts| suppress_round(&counts, rule),
        )
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyed({} cells withheld)", self.cells.len())
    }
}

impl fmt::Debug for Perturbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Perturbed({} cells withheld)", self.counts.len())
    }
}

#[cfg(test)]
mod tests;
