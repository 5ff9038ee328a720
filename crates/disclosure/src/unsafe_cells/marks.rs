//! The marks on the places of a table.

use std::fmt;

use crate::unsafe_cells::margins::Margins;
use crate::unsafe_cells::places::{Place, Places};

/// Why a place is primary. For the partner's own log; readers see one mark.
///
/// Complete: the rules that mark cells. L8 refuses a question, and L9 says which tables are checked together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// L1: fewer people than the threshold.
    Small,
    /// L2: everybody of a base, or all but one, has one code of a sensitive axis.
    Alike,
    /// L3: all but a few of a base are in the cell.
    Complement,
    /// L4: a rate's numerator, denominator or their difference is small.
    Rate,
    /// L5: a sensitive axis is crossed with a base of few people.
    SmallBase,
    /// L6: few people are behind a sum, one or two make up most of it, or all gave the same.
    Sum,
    /// L7: few partners are behind a cell, or one or two make up most of it.
    Partners,
}

/// The marks on every place of a table: for each the reasons why it is primary, if any.
#[derive(Clone, Eq, PartialEq)]
pub struct Marks {
    places: Places,
    /// One bit for each [`Reason`].
    at: Vec<u8>,
}

impl Reason {
    /// Every reason, in the order of the rules.
    pub const ALL: [Self; 7] =
        [Self::Small, Self::Alike, Self::Complement, Self::Rate, Self::SmallBase, Self::Sum, Self::Partners];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Marks {
    /// No marks.
    #[must_use]
    pub fn none(margins: &Margins) -> Self {
        Self { places: margins.places().clone(), at: vec![0; margins.places().count()] }
    }

    /// Marks a place that is given by its codes. A place that the table has not is no place, and stays so.
    pub fn mark(&mut self, place: &[Option<usize>], reason: Reason) {
        if let Some(place) = self.places.index(place) {
            self.set(place, reason);
        }
    }

    /// The marks of two checks of the same table together. `None` where they are of different tables.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Option<Self> {
        if self.places != other.places {
            return None;
        }
        self.at.iter_mut().zip(&other.at).for_each(|(own, other)| *own |= other);
        Some(self)
    }

    /// The places that are primary, with their codes, in the table's order.
    pub fn primary(&self) -> impl Iterator<Item = Place> {
        self.places.listed().zip(&self.at).filter(|(_, bits)| **bits != 0).map(|(place, _)| place)
    }

    /// Whether a place is primary. A place that the table has not is.
    #[must_use]
    pub fn is_primary(&self, place: &[Option<usize>]) -> bool {
        self.places.index(place).and_then(|at| self.at.get(at)).is_none_or(|bits| *bits != 0)
    }

    /// Why a place is primary; none where it is not.
    pub fn reasons(&self, place: &[Option<usize>]) -> impl Iterator<Item = Reason> + use<> {
        let bits = self.places.index(place).and_then(|at| self.at.get(at)).copied().unwrap_or_default();
        Reason::ALL.into_iter().filter(move |reason| bits & reason.bit() != 0)
    }

    pub(super) fn set(&mut self, place: usize, reason: Reason) {
        if let Some(bits) = self.at.get_mut(place) {
            *bits |= reason.bit();
        }
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Marks({} places withheld)", self.at.len())
    }
}
