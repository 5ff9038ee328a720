//! Counts of a grid with the totals over its axes.

use cairn_question::Grid;
use std::collections::BTreeSet;
use std::fmt;

/// Most places of a table, cells and totals: the largest grid with six axes of two codes and more has fewer.
pub const PLACES_MAX: usize = 1 << 20;

/// People for every place of a table: each cell of the full grid, and each total over one or more axes.
#[derive(Clone)]
pub struct Margins {
    /// Codes of each axis.
    sizes: Vec<usize>,
    /// How many places lie between two neighbouring codes of each axis.
    strides: Vec<usize>,
    /// The last axis varies fastest; after an axis's codes comes the total over it.
    people: Vec<u64>,
    /// Places in which nobody can be.
    impossible: BTreeSet<usize>,
}

/// One place: for each axis the index of a code, or `None` for the total over it.
pub type Place = Vec<Option<usize>>;

/// Why counts are not those of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Not one count for each cell, or for each place.
    #[error("not one count for each cell of the table")]
    Uneven,
    /// The table has more than [`PLACES_MAX`] places.
    #[error("the table has more than {PLACES_MAX} cells and totals")]
    TooLarge,
    /// A total is smaller than one of its parts, or larger than all of them together.
    #[error("a total of people does not fit its parts")]
    Total,
}

/// Somebody is in a cell in which nobody can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("people in a cell that the schema says is empty")]
pub struct NotEmpty;

impl Margins {
    /// Adds up the totals. Right where each person is in one cell only: every axis describes the person.
    ///
    /// # Errors
    /// [`Unfit::Uneven`], [`Unfit::TooLarge`].
    pub fn summed(grid: &Grid, people: &[u64]) -> Result<Self, Unfit> {
        let mut margins = Self::empty(grid)?;
        if people.len() != grid.cells() {
            return Err(Unfit::Uneven);
        }
        let cells: Vec<usize> = margins.places().filter(|&p| margins.is_cell(p)).collect();
        for (place, people) in cells.into_iter().zip(people) {
            margins.set(place, *people);
        }
        for axis in 0..margins.sizes.len() {
            let totals: Vec<usize> = margins.places().filter(|&p| margins.is_total(p, axis)).collect();
            for place in totals {
                let sum = margins.parts(place, axis).map(|part| margins.at(part));
                let sum = sum.fold(0_u64, u64::saturating_add);
                margins.set(place, sum);
            }
        }
        Ok(margins)
    }

    /// Takes the count of every place, totals among them: for people who can be in several cells, whose totals are no sums. The last
    /// axis varies fastest; after an axis's codes comes the total over it.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn given(grid: &Grid, people: &[u64]) -> Result<Self, Unfit> {
        let mut margins = Self::empty(grid)?;
        if people.len() != margins.people.len() {
            return Err(Unfit::Uneven);
        }
        margins.people = people.to_vec();
        let fits = |place: usize, axis: usize| {
            let parts = || margins.parts(place, axis).map(|part| margins.at(part));
            let sum = parts().fold(0_u64, u64::saturating_add);
            (parts().max().unwrap_or_default()..=sum).contains(&margins.at(place))
        };
        let axes = 0..margins.sizes.len();
        let all = margins.places().all(|p| axes.clone().all(|a| !margins.is_total(p, a) || fits(p, a)));
        if all { Ok(margins) } else { Err(Unfit::Total) }
    }

    /// The same table, where nobody can be in these cells of the grid. A total is impossible where all its cells are.
    ///
    /// # Errors
    /// [`NotEmpty`]: somebody is in one.
    pub fn with_structural_zeros(mut self, cells: &BTreeSet<usize>) -> Result<Self, NotEmpty> {
        let order = self.places().filter(|&p| self.is_cell(p)).enumerate();
        self.impossible = order.filter(|(cell, _)| cells.contains(cell)).map(|(_, place)| place).collect();
        if self.impossible.iter().any(|&place| self.at(place) > 0) {
            return Err(NotEmpty);
        }
        for axis in 0..self.sizes.len() {
            let none = |place: &usize| {
                self.is_total(*place, axis) && self.parts(*place, axis).all(|p| self.impossible.contains(&p))
            };
            let totals: Vec<usize> = self.places().filter(none).collect();
            self.impossible.extend(totals);
        }
        Ok(self)
    }

    fn empty(grid: &Grid) -> Result<Self, Unfit> {
        let sizes: Vec<usize> = grid.dimensions().iter().map(|d| d.codes.len()).collect();
        let places = sizes.iter().try_fold(1_usize, |n, size| n.checked_mul(size.checked_add(1)?));
        let places = places.filter(|n| *n <= PLACES_MAX).ok_or(Unfit::TooLarge)?;
        let stride = |axis: usize| sizes.iter().skip(axis + 1).map(|size| size + 1).product();
        let strides = (0..sizes.len()).map(stride).collect();
        Ok(Self { sizes, strides, people: vec![0; places], impossible: BTreeSet::new() })
    }

    /// How many axes.
    #[must_use]
    pub const fn axes(&self) -> usize {
        self.sizes.len()
    }

    /// Every place as its codes, in order.
    pub fn listed(&self) -> impl Iterator<Item = Place> {
        self.places().map(|place| self.codes(place))
    }

    pub(super) fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    pub(super) fn places(&self) -> std::ops::Range<usize> {
        0..self.people.len()
    }

    pub(super) fn at(&self, place: usize) -> u64 {
        self.people.get(place).copied().unwrap_or_default()
    }

    pub(super) fn possible(&self, place: usize) -> bool {
        !self.impossible.contains(&place)
    }

    /// Whether the place is a total over this axis.
    pub(super) fn is_total(&self, place: usize, axis: usize) -> bool {
        self.code(place, axis) == self.size(axis)
    }

    /// The total over `axis` that a place is part of.
    pub(super) fn total_over(&self, place: usize, axis: usize) -> usize {
        place + (self.size(axis) - self.code(place, axis)) * self.stride(axis)
    }

    /// The places that make up a total over `axis`, one for each code.
    pub(super) fn parts(&self, total: usize, axis: usize) -> impl Iterator<Item = usize> + use<> {
        let (size, stride) = (self.size(axis), self.stride(axis));
        (0..size).map(move |code| total - (size - code) * stride)
    }

    /// The index of a place that is given by its codes; `None` where the table has no such place.
    pub(super) fn index(&self, codes: &[Option<usize>]) -> Option<usize> {
        if codes.len() != self.sizes.len() {
            return None;
        }
        self.sizes.iter().zip(codes).try_fold(0_usize, |index, (&size, code)| {
            let code = code.unwrap_or(size);
            (code <= size).then(|| index * (size + 1) + code)
        })
    }

    fn is_cell(&self, place: usize) -> bool {
        (0..self.sizes.len()).all(|axis| !self.is_total(place, axis))
    }

    fn codes(&self, place: usize) -> Place {
        let code = |axis: usize| (!self.is_total(place, axis)).then(|| self.code(place, axis));
        (0..self.sizes.len()).map(code).collect()
    }

    fn code(&self, place: usize, axis: usize) -> usize {
        place / self.stride(axis) % (self.size(axis) + 1)
    }

    fn size(&self, axis: usize) -> usize {
        self.sizes.get(axis).copied().unwrap_or_default()
    }

    fn stride(&self, axis: usize) -> usize {
        self.strides.get(axis).copied().unwrap_or(1)
    }

    fn set(&mut self, place: usize, people: u64) {
        if let Some(at) = self.people.get_mut(place) {
            *at = people;
        }
    }
}

impl fmt::Debug for Margins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Margins({} counts withheld)", self.people.len())
    }
}

#[cfg(test)]
pub(super) mod tests;
