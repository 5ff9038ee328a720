//! Named sets of thresholds, as data: a policy names one and may only be stricter.
//!
//! A framework that a board signs spells out the profiles it allows, and that page decides. A test holds the shipped framework and
//! this list to the same figures, so that there is one truth; the list adds what the framework's language has no word for yet.

use cairn_policy::{Dominance, Secondary};
use cairn_question::answer::Zeros;

use crate::suppress::{RoundsToZero, Rule};
use crate::unsafe_cells::{Limits, SumLimits};

/// A named rule with its source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// The name that a policy and an answer carry.
    pub name: &'static str,
    /// The treatment that it is of.
    pub treats: Treats,
    /// Where the figures come from.
    pub source: &'static str,
}

/// A profile's treatment, with its figures.
///
/// Complete: the treatments that there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Treats {
    /// Small counts withheld, the rest rounded.
    SuppressRound(Figures),
    /// Exact counts; small ones withheld, and those from which they would follow.
    SuppressAudit(Figures),
    /// Counts perturbed by the table of this name, then small ones withheld.
    CellKey(&'static str, Figures),
    /// Noise on every cell: no threshold and no rounding. How much is the policy's ε.
    Dp,
}

/// The figures of a profile without noise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Figures {
    /// Fewer people than this are withheld.
    pub min_people: u32,
    /// Other counts are rounded half up to a multiple of this; 1 rounds nothing.
    pub round_to: u32,
    /// Whether 0 is shown.
    pub zeros: Zeros,
    /// Whether cells that would give a withheld one away are withheld too.
    pub secondary: Secondary,
    /// For sums: the rules on dominant people. `None`: the profile is not for sums.
    pub sums: Option<SumRules>,
}

/// When a sum is withheld because of a few people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SumRules {
    /// The p of the p % rule.
    pub p_percent: u32,
    /// The NK rule.
    pub dominance: Dominance,
}

/// Every profile.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "sub-national-8-5",
        treats: Treats::SuppressRound(figures(8, 5)),
        source: "NHS England, Hospital Episode Statistics disclosure control; OpenSAFELY, permitted outputs: \
                 1 to 7 withheld, the rest to the nearest 5",
    },
    Profile {
        name: "scottish-5-audit",
        treats: Treats::SuppressAudit(Figures { secondary: Secondary::Yes, ..figures(5, 1) }),
        source: "release design of this project: 1 to 4 withheld. Public Health Scotland's Statistical Disclosure Protocol, version 2.1, \
                 leaves the figure to a risk assessment; the audit follows Hundepool et al., Statistical Disclosure Control (2012)",
    },
    Profile {
        name: "research-10-5",
        treats: Treats::SuppressRound(Figures {
            sums: Some(SumRules { p_percent: 15, dominance: Dominance { largest: 2, max_percent: 80 } }),
            ..figures(10, 5)
        }),
        source: "Office for National Statistics, the 10-5 rule of cell-key-perturbation and of its research service: below 10 withheld, \
                 the rest to the nearest 5; p % and NK rules after Hundepool et al. (2012), with this project's p = 15, N = 2, k = 80",
    },
    Profile {
        name: "census-cell-key",
        treats: Treats::CellKey("framework:d3", figures(5, 1)),
        source: "Fraser and Wooton 2005, Australian Bureau of Statistics; Office for National Statistics, cell-key-perturbation 3.1.0: \
                 the threshold is held after the perturbation",
    },
    Profile {
        name: "dp-total",
        treats: Treats::Dp,
        source: "Dwork and Roth 2014; noise on every declared cell, never a threshold on the true count",
    },
];

/// A threshold and a base, with zeros shown, and no more.
const fn figures(min_people: u32, round_to: u32) -> Figures {
    Figures { min_people, round_to, zeros: Zeros::Show, secondary: Secondary::No, sums: None }
}

impl Profile {
    /// The profile of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|p| p.name == name)
    }

    /// Its figures; `None` for noise, which has none.
    #[must_use]
    pub const fn figures(&self) -> Option<&Figures> {
        match &self.treats {
            Treats::SuppressRound(figures) | Treats::SuppressAudit(figures) | Treats::CellKey(_, figures) => {
                Some(figures)
            }
            Treats::Dp => None,
        }
    }
}

impl Figures {
    /// The threshold, the base and the zeros as a rule, without cohorts.
    ///
    /// # Errors
    /// [`RoundsToZero`]; never for a profile of [`PROFILES`].
    pub const fn rule(&self) -> Result<Rule, RoundsToZero> {
        Rule::new(self.min_people, self.round_to, self.zeros)
    }

    /// The figures of the rules on unsafe counts, with B = 2t: of fewer than 2t people no two codes of a sensitive axis can both have
    /// t, so that a cross-classification says that they are alike, or shows a small cell.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits { min_people: self.min_people, min_base: self.min_people.saturating_mul(2) }
    }

    /// The figures of the rules on sums over persons; `None` where the profile is not for sums.
    #[must_use]
    pub fn sum_limits(&self) -> Option<SumLimits> {
        let SumRules { p_percent, dominance } = self.sums?;
        Some(SumLimits {
            min_contributors: self.min_people,
            p_percent: Some(p_percent),
            dominance: Some(dominance),
        })
    }
}

#[cfg(test)]
mod tests;
