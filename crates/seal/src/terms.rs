//! The framework's terms of secure totals, as every node has them pinned.

use crate::manifest::ManifestV1;
use crate::refused::Refused;

/// Most that one partner adds to one cell of a total: more than there are people in Scotland. The program's, and no board's to choose (decision 0013).
pub const CLAMP_MAX: u64 = 10_000_000;

/// What the framework's `[secure]` section demands of every round. A manifest may be stricter, but for t, which is the same: how much noise each partner
/// adds is worked out from it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Terms {
    colluding_max: usize,
    answering_min: usize,
    invited_min: usize,
    clamp_max: u64,
}

impl Terms {
    /// `colluding_max` (t), `answering_min` and `invited_min` are the keys of the framework's `[secure]` section; `clamp_max` is the largest amount that one partner may
    /// add to one cell.
    ///
    /// # Errors
    /// [`Refused::Terms`] where a total could show one partner's figure, as `cairn policy check` says it under CP311.
    pub fn new(
        colluding_max: usize,
        answering_min: usize,
        invited_min: usize,
        clamp_max: u64,
    ) -> Result<Self, Refused> {
        let enough = answers_hide(colluding_max, answering_min, invited_min).is_ok();
        if colluding_max == 0 || clamp_max == 0 || !enough {
            return Err(Refused::Terms);
        }
        Ok(Self { colluding_max, answering_min, invited_min, clamp_max })
    }

    /// The terms of a framework's `[secure]` section, whose clamp is [`CLAMP_MAX`].
    ///
    /// # Errors
    /// As [`Terms::new`].
    pub fn of_framework(colluding_max: u32, answering_min: u32, invited_min: u32) -> Result<Self, Refused> {
        let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        Self::new(number(colluding_max), number(answering_min), number(invited_min), CLAMP_MAX)
    }

    /// The terms that a manifest says of itself, whatever any framework has.
    ///
    /// # Errors
    /// As [`Terms::new`].
    pub fn as_said(says: &ManifestV1) -> Result<Self, Refused> {
        let (colluding, answering) = (usize::from(says.colluding_max), usize::from(says.answering_min));
        Self::new(colluding, answering, says.invited.len(), says.clamp)
    }

    /// Partners that may collude, t.
    #[must_use]
    pub const fn colluding_max(&self) -> usize {
        self.colluding_max
    }

    /// Fewest partners behind a total.
    #[must_use]
    pub const fn answering_min(&self) -> usize {
        self.answering_min
    }

    /// Fewest partners that are asked.
    #[must_use]
    pub const fn invited_min(&self) -> usize {
        self.invited_min
    }

    /// Most that one partner may add to one cell.
    #[must_use]
    pub const fn clamp_max(&self) -> u64 {
        self.clamp_max
    }
}

/// Whether so many answers hide each honest partner: no two groups can both open and differ by one honest partner alone, and those who collude never leave one
/// alone. `n_min ≥ ⌊(n_inv + t)/2⌋ + 1`, `n_min − t ≥ 2`, `n_min ≤ n_inv`.
pub(crate) fn answers_hide(colluding: usize, answering: usize, invited: usize) -> Result<(), Refused> {
    if answering > invited || answering <= usize::midpoint(invited, colluding) {
        Err(Refused::NoMajority)
    } else if answering < colluding.saturating_add(2) {
        Err(Refused::OneAlone)
    } else {
        Ok(())
    }
}
