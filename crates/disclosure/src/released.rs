//! Rates, percentages and means, from released cells only.
//!
//! A rate that is worked out from true counts and shown beside rounded ones gives the true counts away. So nothing here takes a
//! count: only [`Cell`]s, as readers have them too.

use cairn_question::Cell;

/// What becomes of a rate.
///
/// Complete: it has a value, or one of the reasons why it has none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rate {
    /// The value, in the steps that were asked for.
    Value(i64),
    /// A part is withheld.
    Withheld,
    /// A part was not answered.
    NotAnswered,
    /// The denominator is 0, or less by its noise.
    NoBase,
}

/// A numerator over a denominator in steps of 1/`per`, rounded half up: 100 for whole per cent, 1,000 for tenths, 1 for a mean.
///
/// A withheld part gives a withheld rate, whatever the other is. Values are taken as they were released: with noise a rate may be
/// negative, and with rounding above 1.
#[must_use]
pub fn rate(numerator: Cell, denominator: Cell, per: u32) -> Rate {
    match (numerator, denominator) {
        (Cell::Withheld, _) | (_, Cell::Withheld) => Rate::Withheld,
        (Cell::NotAnswered, _) | (_, Cell::NotAnswered) => Rate::NotAnswered,
        (Cell::Value(_), Cell::Value(whole)) if whole <= 0 => Rate::NoBase,
        (Cell::Value(part), Cell::Value(whole)) => Rate::Value(half_up(part, whole, per)),
    }
}

/// The nearest whole number to part · per / whole, with whole above 0; halves go up.
fn half_up(part: i64, whole: i64, per: u32) -> i64 {
    let (part, whole) = (i128::from(part) * i128::from(per), i128::from(whole));
    let nearest = (2 * part + whole).div_euclid(2 * whole);
    i64::try_from(nearest).unwrap_or(if nearest < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
