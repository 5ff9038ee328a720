//! The rules on counts: L1, L2, L3 and L5.

use cairn_question::schema::Class;
use cairn_question::{Grid, Schema};

use crate::unsafe_cells::margins::Margins;
use crate::unsafe_cells::marks::{Marks, Reason};
use crate::unsafe_cells::places::Places;

/// The figures of the rules on counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The threshold t: 1 to t−1 people are too few.
    pub min_people: u32,
    /// The least base B under a sensitive axis: 1 to B−1 people are too few. 0: no such rule.
    pub min_base: u32,
}

/// The axes of a grid that hold special-category data by the data dictionary. An axis that the dictionary does not know counts as
/// one.
#[must_use]
pub fn sensitive_axes(schema: &Schema, dataset: &str, grid: &Grid) -> Vec<usize> {
    let sensitive = |column: &str| {
        schema.find(dataset, column).is_none_or(|found| found.column.class >= Class::SpecialCategory)
    };
    let axes = grid.dimensions().iter().enumerate();
    axes.filter(|(_, d)| sensitive(&d.column)).map(|(axis, _)| axis).collect()
}

/// Marks every place that is unsafe by L1, L2, L3 or L5.
///
/// * L1: 1 to t−1 people.
/// * L2: for a sensitive axis, any base (the total over it): where one code has everybody of the base, or all but one, each of the
///   codes is marked, the empty ones too; zeros beside a shown base would say the same. A base with one possible code says nothing.
/// * L3: a place with people from which 1 to t−1 are missing to a total that it is part of, over one axis or several, whether or not
///   that total is displayed.
/// * L5: for a sensitive axis, a base of 1 to B−1 people: each of its codes is marked.
///
/// `sensitive`: axes by their place, such as [`sensitive_axes`] says. Structural zeros are never marked.
#[must_use]
pub fn primary(margins: &Margins, limits: Limits, sensitive: &[usize]) -> Marks {
    let mut marks = Marks::none(margins);
    for place in margins.places().all().filter(|&place| margins.possible(place)) {
        if small(margins.at(place), limits.min_people) {
            marks.set(place, Reason::Small);
        }
        if small_complement(margins, place, limits.min_people) {
            marks.set(place, Reason::Complement);
        }
        for &axis in sensitive.iter().filter(|axis| margins.places().axes().contains(axis)) {
            if margins.places().is_total(place, axis) {
                mark_base(margins, place, axis, limits, &mut marks);
            }
        }
    }
    marks
}

/// Whether there is somebody, and fewer than `least`.
pub(super) fn small(people: u64, least: u32) -> bool {
    (1..u64::from(least)).contains(&people)
}

fn small_complement(margins: &Margins, place: usize, min_people: u32) -> bool {
    let people = margins.at(place);
    let totals = |&base: &usize| small(margins.at(base).saturating_sub(people), min_people);
    people > 0 && bases(margins.places(), place).iter().any(totals)
}

/// Every total that a place is part of, over one axis or more.
fn bases(places: &Places, place: usize) -> Vec<usize> {
    let mut bases = vec![place];
    for axis in places.axes().filter(|&axis| !places.is_total(place, axis)) {
        let over: Vec<usize> = bases.iter().map(|&base| places.total_over(base, axis)).collect();
        bases.extend(over);
    }
    bases
}

fn mark_base(margins: &Margins, base: usize, axis: usize, limits: Limits, marks: &mut Marks) {
    let people = margins.at(base);
    let codes: Vec<usize> =
        margins.places().parts(base, axis).filter(|&part| margins.possible(part)).collect();
    if people == 0 || codes.len() < 2 {
        return;
    }
    // All of them, or all but one: the one then knows it of the others.
    let alike = codes.iter().any(|&code| margins.at(code) + 1 >= people);
    let few = small(people, limits.min_base);
    for code in codes {
        if alike {
            marks.set(code, Reason::Alike);
        }
        if few {
            marks.set(code, Reason::SmallBase);
        }
    }
}

#[cfg(test)]
mod tests;
