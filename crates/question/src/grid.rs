//! The full grid of cells that a question declares. Every cell is always emitted: the presence of a row would say
//! that somebody is in it.

use crate::limits::CELLS_MAX;

/// One axis of a table: a column at a grain, and its codes in the schema's order, the missing category among them.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// The column as the question named it: `council_code`, `participants.sex`.
    pub column: String,
    /// The grain: `code`, `quarter`, or a coarser grain of the column's list.
    pub grain: String,
    /// Every code of the axis, in order, each once.
    pub codes: Vec<String>,
}

/// The cells of a table: the product of its dimensions, the last one varying fastest. No dimension: one cell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grid {
    dimensions: Vec<Dimension>,
    cells: usize,
}

/// The grid would have more than [`CELLS_MAX`] cells, or a dimension without codes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the table would have no cell or more than {CELLS_MAX}")]
pub struct GridTooLarge;

impl Grid {
    /// The grid over these dimensions.
    ///
    /// # Errors
    /// [`GridTooLarge`].
    pub fn new(dimensions: Vec<Dimension>) -> Result<Self, GridTooLarge> {
        let product = dimensions.iter().try_fold(1_usize, |cells, d| cells.checked_mul(d.codes.len()));
        match product {
            Some(cells @ 1..=CELLS_MAX) => Ok(Self { dimensions, cells }),
            _ => Err(GridTooLarge),
        }
    }

    /// The axes.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// How many cells: 1 to [`CELLS_MAX`].
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.cells
    }

    /// The codes of one cell, one for each dimension; empty for a cell outside the grid.
    #[must_use]
    pub fn codes_of(&self, cell: usize) -> Vec<&str> {
        if cell >= self.cells {
            return Vec::new();
        }
        let mut rest = cell;
        let mut codes: Vec<&str> = Vec::with_capacity(self.dimensions.len());
        for dimension in self.dimensions.iter().rev() {
            let size = dimension.codes.len().max(1);
            codes.extend(dimension.codes.get(rest % size).map(String::as_str));
            rest /= size;
        }
        codes.reverse();
        codes
    }

    /// The cell in which one code of each dimension meets; `None` where a code is not of its axis.
    #[must_use]
    pub fn cell_of(&self, codes: &[&str]) -> Option<usize> {
        if codes.len() != self.dimensions.len() {
            return None;
        }
        self.dimensions.iter().zip(codes).try_fold(0_usize, |cell, (dimension, code)| {
            let at = dimension.codes.iter().position(|c| c == code)?;
            Some(cell * dimension.codes.len() + at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(column: &str, codes: &[&str]) -> Dimension {
        Dimension {
            column: column.into(),
            grain: "code".into(),
            codes: codes.iter().map(|&c| c.to_owned()).collect(),
        }
    }

    #[test]
    fn cells_and_codes_are_inverse() {
        let grid = Grid::new(vec![axis("a", &["x", "y"]), axis("b", &["1", "2", "3"])]).unwrap();
        assert_eq!(grid.cells(), 6);
        assert_eq!(grid.codes_of(5), ["y", "3"]);
        for cell in 0..6 {
            assert_eq!(grid.cell_of(&grid.codes_of(cell)), Some(cell));
        }
        assert_eq!(grid.codes_of(6), Vec::<&str>::new());
        assert_eq!(grid.cell_of(&["x", "4"]), None);
        assert_eq!(Grid::new(vec![]).unwrap().cells(), 1);
    }

    #[test]
    fn a_grid_has_a_largest_size() {
        let wide: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
        assert_eq!(Grid::new(vec![axis("a", &wide), axis("b", &wide)]), Err(GridTooLarge));
        assert_eq!(Grid::new(vec![axis("a", &[])]), Err(GridTooLarge));
    }
}
