//! How much work one audit may be: counted, never timed, so that equal tables come to equal ends on every machine.

use std::cell::Cell;

/// Units of one audit. A unit is about one number looked at: on the machine of docs/reference/suppress-audit.md some 60 million are a second.
pub(super) const UNITS: u64 = 300_000_000;

/// What is left of an audit's work. Whoever uses it up stops looking: that costs a withheld cell, or the whole table, and never
/// protection.
#[derive(Debug)]
pub(super) struct Effort {
    left: Cell<u64>,
}

impl Effort {
    pub(super) const fn new(units: u64) -> Self {
        Self { left: Cell::new(units) }
    }

    /// Uses some up.
    pub(super) fn spend(&self, units: usize) {
        let units = u64::try_from(units).unwrap_or(u64::MAX);
        self.left.set(self.left.get().saturating_sub(units));
    }

    /// Whether nothing is left.
    pub(super) const fn is_spent(&self) -> bool {
        self.left.get() == 0
    }
}
