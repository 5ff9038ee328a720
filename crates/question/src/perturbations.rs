//! The tables of perturbations that secure totals are made with, by name, and how far off they leave a total.

use serde::{Deserialize, Serialize};

/// A table of perturbations by which every partner of a total changes its own counts: the same one at all.
///
/// Complete: every node has them, so that another is another version of the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Perturbations {
    /// Changes of at most 3, of mean 0 in every row, that hide no small count: nobody sees one partner's counts in a total.
    #[serde(rename = "framework:d3-total")]
    D3Total,
}

/// How far off a total is in which every partner has changed its own counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedTotalV1 {
    /// Whose changes are in it.
    pub partners: u16,
    /// The standard error of a cell in thousandths of a person, rounded up: the root of the partners' variances, each the largest that the
    /// table has for any count. It depends on no count.
    pub standard_error_thousandths: u32,
    /// 95 in 100 cells are within this many of the count, before rounding.
    pub plus_minus_95: u32,
}

impl Perturbations {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::D3Total];

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.as_str() == name)
    }

    /// Its name in policies and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::D3Total => "framework:d3-total",
        }
    }

    /// The most that it changes one partner's count by.
    #[must_use]
    pub const fn change_max(self) -> u16 {
        match self {
            Self::D3Total => 3,
        }
    }

    /// The largest sum of squares of a row's 256 changes, of which the mean is 0: 256 times the largest variance of a change.
    #[must_use]
    pub const fn squares_max(self) -> u32 {
        match self {
            Self::D3Total => 514,
        }
    }

    /// How far off the total of so many partners is. Their changes are independent, since each node's keys are its own.
    #[must_use]
    pub fn off_by(self, partners: u16) -> ChangedTotalV1 {
        let squares = u64::from(partners) * u64::from(self.squares_max());
        ChangedTotalV1 {
            partners,
            standard_error_thousandths: root_up(squares * 1_000_000, KEYS),
            // 1.96² = 3.8416.
            plus_minus_95: root_up(squares * 38_416, KEYS * 10_000),
        }
    }
}

/// √(over ÷ under), rounded up.
fn root_up(over: u64, under: u64) -> u32 {
    let mut root = (over / under).isqrt();
    while root * root * under < over {
        root += 1;
    }
    // A sum of 2¹⁶ partners' squares is below 2²⁶, and the root of a million times that below 2²³.
    u32::try_from(root).unwrap_or(u32::MAX)
}

/// How far the changes of a cell reach: one partner's for certain, those of a total 95 times in 100.
pub(crate) fn changed(max_change: u32, total: Option<ChangedTotalV1>) -> i64 {
    total.map_or(max_change, |total| total.plus_minus_95).into()
}

/// Keys of a row.
const KEYS: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    /// √(n·514/256), and 1.96 times that.
    #[test]
    fn a_total_of_more_partners_is_further_off_by_the_root_of_their_number() {
        let check = |partners: u16, thousandths: u32, within: u32| {
            let expected =
                ChangedTotalV1 { partners, standard_error_thousandths: thousandths, plus_minus_95: within };
            assert_eq!(Perturbations::D3Total.off_by(partners), expected);
        };
        check(0, 0, 0);
        check(1, 1_417, 3);
        check(4, 2_834, 6);
        check(6, 3_471, 7);
        check(32, 8_016, 16);
        check(u16::MAX, 362_743, 711);
    }

    #[test]
    fn a_table_is_named_as_policies_name_it() {
        assert_eq!(Perturbations::named("framework:d3-total"), Some(Perturbations::D3Total));
        for other in ["framework:d3", "d3-total", ""] {
            assert_eq!(Perturbations::named(other), None, "{other}");
        }
        for table in Perturbations::ALL {
            assert_eq!(serde_json::to_string(&table).unwrap(), format!("\"{}\"", table.as_str()));
        }
    }
}
