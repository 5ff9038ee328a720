//! The finest cells that any table of a snapshot is made of.

use cairn_question::schema::CODE_GRAIN;
use cairn_question::{Dimension, Grid, Schema};
use std::collections::{BTreeMap, BTreeSet};

use crate::audited::shape::{Axis, Narrowed, Shape, TooMany, column};

/// Most atoms that one audit is made over. Beyond it the lists of members would be large for what they are worth.
const ATOMS_MAX: usize = 4_096;

/// The grid over every column that is used, each with all its codes. Every person of the dataset is in one atom.
#[derive(Clone, Debug)]
pub(super) struct Atoms(Grid);

impl Atoms {
    /// # Errors
    /// [`TooMany`].
    pub(super) fn of<'s>(shapes: impl Iterator<Item = &'s Shape>, schema: &Schema) -> Result<Self, TooMany> {
        let mut columns: BTreeSet<(&str, &str)> = BTreeSet::new();
        for shape in shapes {
            columns.extend(shape.columns().map(|column| (shape.dataset.as_str(), column)));
        }
        let dimension = |(dataset, name): &(&str, &str)| {
            let codes = schema.codes_at(column(schema, dataset, name)?, CODE_GRAIN);
            let codes = codes.ok_or(TooMany::Columns)?;
            Ok(Dimension { column: (*name).to_owned(), grain: CODE_GRAIN.to_owned(), codes })
        };
        let dimensions = columns.iter().map(dimension).collect::<Result<Vec<_>, TooMany>>()?;
        let grid = Grid::new(dimensions).map_err(|_| TooMany::Together)?;
        if grid.cells() > ATOMS_MAX {
            return Err(TooMany::Together);
        }
        Ok(Self(grid))
    }

    pub(super) const fn count(&self) -> usize {
        self.0.cells()
    }

    pub(super) const fn grid(&self) -> &Grid {
        &self.0
    }

    /// For each atom the place of its code on an axis; `None` where the axis has no code for it.
    pub(super) fn codes_on(
        &self,
        axis: &Axis,
        dataset: &str,
        codes: &[String],
        schema: &Schema,
    ) -> Result<Vec<Option<usize>>, TooMany> {
        let coarse = schema.coarsen(column(schema, dataset, &axis.column)?, &axis.grain);
        let coarse = coarse.ok_or(TooMany::Columns)?;
        let at: BTreeMap<&str, usize> = codes.iter().enumerate().map(|(at, c)| (c.as_str(), at)).collect();
        self.each(&axis.column, |code| coarse.get(code).and_then(|part| at.get(part.as_str()).copied()))
    }

    /// For each atom whether all filters keep it.
    pub(super) fn passing(
        &self,
        filters: &[Narrowed],
        dataset: &str,
        schema: &Schema,
    ) -> Result<Vec<bool>, TooMany> {
        let mut passing = vec![true; self.count()];
        for filter in filters {
            let meant =
                schema.codes_meant(column(schema, dataset, &filter.column)?, &filter.grain, &filter.value);
            let meant: BTreeSet<String> = meant.ok_or(TooMany::Columns)?.into_iter().collect();
            let kept = self.each(&filter.column, |code| meant.contains(code))?;
            passing.iter_mut().zip(kept).for_each(|(passes, kept)| *passes &= kept);
        }
        Ok(passing)
    }

    /// What each atom's code on a column comes to.
    fn each<T: Clone>(&self, column: &str, of: impl Fn(&str) -> T) -> Result<Vec<T>, TooMany> {
        let dimensions = self.0.dimensions();
        let axis = dimensions.iter().position(|d| d.column == column).ok_or(TooMany::Columns)?;
        let codes: Vec<T> =
            dimensions.get(axis).into_iter().flat_map(|d| &d.codes).map(|code| of(code)).collect();
        let stride: usize = dimensions.iter().skip(axis + 1).map(|d| d.codes.len()).product();
        let at = |atom: usize| codes.get(atom / stride.max(1) % codes.len().max(1)).cloned();
        (0..self.count()).map(|atom| at(atom).ok_or(TooMany::Columns)).collect()
    }
}
