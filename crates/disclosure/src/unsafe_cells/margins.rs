//! Counts of a grid with the totals over its axes.

use cairn_question::Grid;
use std::collections::BTreeSet;
use std::fmt;

use crate::unsafe_cells::places::{PLACES_MAX, Place, Places};

/// People for every place of a table: each cell of the full grid, and each total over one or more axes.
#[derive(Clone)]
pub struct Margins {
    places: Places,
    /// One count for each place.
    people: Vec<u64>,
    /// Places in which nobody can be.
    impossible: BTreeSet<usize>,
}

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
        let places = margins.places.clone();
        for (place, people) in places.all().filter(|&p| places.is_cell(p)).zip(people) {
            margins.set(place, *people);
        }
        for axis in places.axes() {
            for place in places.all().filter(|&p| places.is_total(p, axis)) {
                let parts = places.parts(place, axis).map(|part| margins.at(part));
                let sum = parts.fold(0_u64, u64::saturating_add);
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
            let parts = || margins.places.parts(place, axis).map(|part| margins.at(part));
            let sum = parts().fold(0_u64, u64::saturating_add);
            (parts().max().unwrap_or_default()..=sum).contains(&margins.at(place))
        };
        let places = &margins.places;
        let all = |axis: usize| places.all().all(|p| !places.is_total(p, axis) || fits(p, axis));
        if places.axes().all(all) { Ok(margins) } else { Err(Unfit::Total) }
    }

    /// The same table, where nobody can be in these cells of the grid. A total is impossible where all its cells are.
    ///
    /// # Errors
    /// [`NotEmpty`]: somebody is in one.
    pub fn with_structural_zeros(mut self, cells: &BTreeSet<usize>) -> Result<Self, NotEmpty> {
        let places = &self.places;
        let of_grid = places.all().filter(|&p| places.is_cell(p)).enumerate();
        let mut impossible: BTreeSet<usize> =
            of_grid.filter(|(cell, _)| cells.contains(cell)).map(|(_, place)| place).collect();
        for axis in places.axes() {
            let none = |total: &usize| {
                places.is_total(*total, axis) && places.parts(*total, axis).all(|p| impossible.contains(&p))
            };
            let totals: Vec<usize> = places.all().filter(none).collect();
            impossible.extend(totals);
        }
        if impossible.iter().any(|&place| self.at(place) > 0) {
            return Err(NotEmpty);
        }
        self.impossible = impossible;
        Ok(self)
    }

    fn empty(grid: &Grid) -> Result<Self, Unfit> {
        let places = Places::of(grid).ok_or(Unfit::TooLarge)?;
        let people = vec![0; places.count()];
        Ok(Self { places, people, impossible: BTreeSet::new() })
    }

    /// Every place as its codes, in order.
    pub fn listed(&self) -> impl Iterator<Item = Place> {
        self.places.listed()
    }

    pub(super) const fn places(&self) -> &Places {
        &self.places
    }

    pub(super) fn at(&self, place: usize) -> u64 {
        self.people.get(place).copied().unwrap_or_default()
    }

    pub(super) fn possible(&self, place: usize) -> bool {
        !self.impossible.contains(&place)
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
