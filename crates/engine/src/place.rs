//! Where a row stands: its cell, and which filters it fails, packed into one number.
//!
//! Each column adds its own share, so that the place of a row is a plain sum, over the columns of its table and over the
//! tables above it alike. Bits 0–15: the cell. Bits 16–19: how many axes have no code for the row. Bits 20–27: the
//! filters that it fails, one bit each. Bit 28: outside what the policy lets count at all. No two columns share a filter's
//! bit, so that a sum never carries from one field into the next.

use cairn_question::limits::{CELLS_MAX, FILTERS_MAX, GROUP_COLUMNS_MAX};

/// What an axis adds that has no code for the row.
pub(crate) const NO_CODE: u32 = 1 << 16;

/// What a predicate of `always` adds that does not hold. Predicates of `always` may be several: see [`ALWAYS_MAX`].
pub(crate) const NEVER_COUNTS: u32 = 1 << 28;

/// Most predicates of `always`: their sum must fit above bit 28.
pub(crate) const ALWAYS_MAX: usize = 7;

const FILTERS_SHIFT: u32 = 20;
const CELL_MASK: u32 = NO_CODE - 1;
const FILTERS_MASK: u32 = (1 << FILTERS_MAX) - 1;

const _: () = assert!(CELLS_MAX <= 1 << 16, "a cell fits below the count of axes without a code");
const _: () = assert!(GROUP_COLUMNS_MAX < 16, "the count of axes without a code fits in 4 bits");
const _: () = assert!(FILTERS_MAX <= 8, "the filters fit in 8 bits");

/// What filter number `filter` adds that does not hold.
pub(crate) const fn fails(filter: usize) -> u32 {
    1 << (FILTERS_SHIFT as usize + filter)
}

/// The cell of a place, if every axis has a code for the row; whatever the filters say.
pub(crate) const fn cell(place: u32) -> Option<u32> {
    if place & (15 * NO_CODE) == 0 { Some(place & CELL_MASK) } else { None }
}

/// The filters that a place fails, one bit each; `None` where the policy lets the row never count.
pub(crate) const fn failed(place: u32) -> Option<u32> {
    if place < NEVER_COUNTS { Some((place >> FILTERS_SHIFT) & FILTERS_MASK) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_without_carrying() {
        let place = 16_383 + 6 * NO_CODE + (0..8).map(fails).sum::<u32>();
        assert_eq!((cell(place), failed(place)), (None, Some(255)));
        assert_eq!((cell(7 + fails(2)), failed(7 + fails(2))), (Some(7), Some(4)));
        let most = u32::try_from(ALWAYS_MAX).unwrap() * NEVER_COUNTS;
        assert_eq!(failed(place.checked_add(most).unwrap()), None);
        assert_eq!((cell(16_383), failed(16_383)), (Some(16_383), Some(0)));
    }
}
