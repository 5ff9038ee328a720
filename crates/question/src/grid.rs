//! The full grid of cells that a question declares. Every cell is always emitted: the presence of a row would say
//! that somebody is in it.

use std::collections::BTreeMap;

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
    totals: usize,
}

/// One place of a table with totals: for each axis the index of a code, or `None` for the total over it.
pub type Place = Vec<Option<usize>>;

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
            Some(cells @ 1..=CELLS_MAX) => {
                let places = dimensions.iter().map(|d| d.codes.len().saturating_add(1));
                let totals = places.fold(1_usize, usize::saturating_mul) - cells;
                Ok(Self { dimensions, cells, totals })
            }
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

    /// How many totals there are over one axis or more.
    #[must_use]
    pub const fn totals(&self) -> usize {
        self.totals
    }

    /// Every cell, in the grid's order, and then every total: over one axis, over two and so on, each in the same order with the total
    /// after an axis's codes. An audited table's cells and totals lie so.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let with = |place: &Place, code: Option<usize>| place.iter().copied().chain([code]).collect();
        let mut places: Vec<Place> = vec![Vec::new()];
        for dimension in &self.dimensions {
            let codes = || (0..dimension.codes.len()).map(Some).chain([None]);
            places = places.iter().flat_map(|place| codes().map(|code| with(place, code))).collect();
        }
        places.sort_by_key(|place: &Place| place.iter().filter(|code| code.is_none()).count());
        places
    }

    /// For each place of this grid, where it stands among the places of `other`: the same axes, perhaps in another order. `None` where
    /// the axes are not the same.
    #[must_use]
    pub fn places_in(&self, other: &Self) -> Option<Vec<usize>> {
        let same = |a: &Dimension, b: &Dimension| a.column == b.column && a.codes == b.codes;
        let axis = |d: &Dimension| self.dimensions.iter().position(|own| same(own, d));
        let axes = other.dimensions.iter().map(axis).collect::<Option<Vec<usize>>>()?;
        let whole = axes.len() == self.dimensions.len() && self.cells == other.cells;
        let at: BTreeMap<Place, usize> =
            other.places().into_iter().enumerate().map(|(at, p)| (p, at)).collect();
        let turned =
            |place: &Place| -> Option<Place> { axes.iter().map(|axis| place.get(*axis).copied()).collect() };
        let places = self.places();
        let found = places.iter().map(|place| at.get(&turned(place)?).copied());
        found.collect::<Option<Vec<usize>>>().filter(|_| whole)
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
    fn totals_follow_the_cells_and_turn_with_their_axes() {
        let (a, b) = (axis("a", &["x", "y"]), axis("b", &["1", "2", "3"]));
        let grid = Grid::new(vec![a.clone(), b.clone()]).unwrap();
        let places = grid.places();
        assert_eq!((grid.cells(), grid.totals(), places.len()), (6, 6, 12));
        assert!(places.iter().take(6).enumerate().all(|(at, place)| {
            let codes: Vec<&str> = place
                .iter()
                .zip(grid.dimensions())
                .filter_map(|(code, d)| Some(d.codes.get((*code)?)?.as_str()))
                .collect();
            grid.cell_of(&codes) == Some(at)
        }));
        assert_eq!(places[6..9], [vec![Some(0), None], vec![Some(1), None], vec![None, Some(0)]]);
        assert_eq!(places[11], [None, None]);
        let turned = Grid::new(vec![b, a.clone()]).unwrap();
        let there = grid.places_in(&turned).unwrap();
        let back = turned.places_in(&grid).unwrap();
        assert!(there.iter().enumerate().all(|(at, place)| back[*place] == at));
        assert_eq!(turned.places()[there[6]], [None, Some(0)]);
        assert_eq!(grid.places_in(&Grid::new(vec![a]).unwrap()), None);
        assert_eq!(Grid::new(vec![]).unwrap().totals(), 0);
    }

    #[test]
    fn a_grid_has_a_largest_size() {
        let wide: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
        assert_eq!(Grid::new(vec![axis("a", &wide), axis("b", &wide)]), Err(GridTooLarge));
        assert_eq!(Grid::new(vec![axis("a", &[])]), Err(GridTooLarge));
    }
}
