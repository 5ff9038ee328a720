//! L4: rates whose parts are low.

use crate::unsafe_cells::margins::Margins;
use crate::unsafe_cells::marks::{Marks, Reason};
use crate::unsafe_cells::rules::small;

/// The numerators are not of the denominators' table, or not a part of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the numerators of a rate are not a part of its denominators")]
pub struct NotAPart;

/// Marks every place whose rate is unsafe: the numerator, the denominator or their difference is 1 to t−1 people.
///
/// A rate beside any one of the three gives the other two, so that all three are checked, displayed or not.
///
/// # Errors
/// [`NotAPart`].
pub fn low_rates(numerators: &Margins, denominators: &Margins, min_people: u32) -> Result<Marks, NotAPart> {
    if numerators.places() != denominators.places() {
        return Err(NotAPart);
    }
    let mut marks = Marks::none(denominators);
    for place in denominators.places().all() {
        let (part, whole) = (numerators.at(place), denominators.at(place));
        let rest = whole.checked_sub(part).ok_or(NotAPart)?;
        if [part, whole, rest].into_iter().any(|people| small(people, min_people)) {
            marks.set(place, Reason::Rate);
        }
    }
    Ok(marks)
}

#[cfg(test)]
mod tests;
