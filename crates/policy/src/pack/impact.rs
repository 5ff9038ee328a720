//! What protection does to groups of people: counted by the partner on its own data, and shown here.

use cairn_question::{Day, Name};

use crate::explain::page::{Block, Section, Table};
use crate::explain::wording::{day, list, whole};

/// What one snapshot's tables lose to protection, by share and protected characteristic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Impact {
    /// The snapshot's day.
    pub as_of: Day,
    /// One row a share and characteristic.
    pub rows: Vec<ImpactRow>,
    /// Shares that it was not worked out for.
    pub left_out: Vec<Name>,
}

/// Cells of one share's tables by one protected characteristic (Equality Act 2010, section 4, or what the board asks about).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImpactRow {
    share: Name,
    characteristic: String,
    cells: u64,
    withheld: u64,
}

/// More cells withheld than there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{withheld} of {cells} cells cannot be withheld")]
pub struct ImpactError {
    /// Cells counted.
    pub cells: u64,
    /// Cells withheld.
    pub withheld: u64,
}

impl ImpactRow {
    /// A row; `characteristic` in words, such as `disability`.
    ///
    /// # Errors
    /// [`ImpactError`].
    pub fn new(
        share: Name,
        characteristic: impl Into<String>,
        cells: u64,
        withheld: u64,
    ) -> Result<Self, ImpactError> {
        if withheld > cells {
            return Err(ImpactError { cells, withheld });
        }
        Ok(Self { share, characteristic: characteristic.into(), cells, withheld })
    }

    /// In tenths of a per cent, half up; 0 of no cell at all.
    fn per_mille(&self) -> u64 {
        let (cells, withheld) = (u128::from(self.cells), u128::from(self.withheld));
        let rounded = (withheld * 2_000 + cells).checked_div(cells * 2).unwrap_or(0);
        u64::try_from(rounded).unwrap_or(1_000)
    }
}

pub(super) fn section(impact: Option<&Impact>) -> Section {
    let heading = "Impact, on groups of people";
    let Some(impact) = impact else {
        let says = "It was not worked out how many cells are withheld for which groups. It is counted on the partner's own data, which \
                    never leave.";
        return Section::new("impact", heading, vec![Block::says(says)]);
    };
    let row = |r: &ImpactRow| {
        let percent = format!("{}.{} %", r.per_mille() / 10, r.per_mille() % 10);
        [r.share.to_string(), r.characteristic.clone(), whole(r.cells), whole(r.withheld), percent]
    };
    let caption =
        format!("Cells that protection withholds, on this partner's own data of {}", day(impact.as_of));
    let table =
        Table::new(caption, ["share", "by", "cells", "withheld", "per cent"], impact.rows.iter().map(row));
    let says = "A group whose cells are withheld more than another's is seen less in the figures. Noise withholds nothing.";
    let left_out: Vec<&str> = impact.left_out.iter().map(Name::as_str).collect();
    let left_out = (!left_out.is_empty()).then(|| {
        Block::says(format!(
            "It was not worked out for {}: no table of theirs can be tried so.",
            list(&left_out)
        ))
    });
    let blocks = [Block::Table(table), Block::says(says)].into_iter().chain(left_out);
    Section::new("impact", heading, blocks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_cells_is_rounded_half_up_and_never_over_the_whole() {
        let check = |cells, withheld, expected| {
            let row = ImpactRow::new(Name::new("s").unwrap(), "sex", cells, withheld).unwrap();
            assert_eq!(row.per_mille(), expected, "{withheld} of {cells}");
        };
        check(0, 0, 0);
        check(3, 1, 333);
        check(8, 1, 125);
        check(2_000, 1, 1);
        check(u64::MAX, u64::MAX, 1_000);
        assert!(ImpactRow::new(Name::new("s").unwrap(), "sex", 1, 2).is_err());
    }
}
