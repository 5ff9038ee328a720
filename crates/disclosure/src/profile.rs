//! Named sets of thresholds, as data: a policy names one and may only be stricter.

use cairn_question::answer::Zeros;

use crate::suppress::{RoundsToZero, Rule};

/// A named rule with its source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// The name that a policy and an answer carry.
    pub name: &'static str,
    /// Fewer people than this are withheld.
    pub min_people: u32,
    /// Other counts are rounded half up to a multiple of this.
    pub round_to: u32,
    /// Whether 0 is shown.
    pub zeros: Zeros,
    /// Where the figures come from.
    pub source: &'static str,
}

/// Every profile that `suppress-round` has.
pub const PROFILES: &[Profile] = &[Profile {
    name: "sub-national-8-5",
    min_people: 8,
    round_to: 5,
    zeros: Zeros::Show,
    source: "NHS England, Hospital Episode Statistics disclosure control; OpenSAFELY, permitted outputs: \
             1 to 7 withheld, the rest to the nearest 5",
}];

impl Profile {
    /// The profile of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|p| p.name == name)
    }

    /// The profile as a rule, without cohorts.
    ///
    /// # Errors
    /// [`RoundsToZero`]; never for a profile of [`PROFILES`].
    pub const fn rule(&self) -> Result<Rule, RoundsToZero> {
        Rule::new(self.min_people, self.round_to, self.zeros)
    }
}

#[cfg(test)]
mod tests;
