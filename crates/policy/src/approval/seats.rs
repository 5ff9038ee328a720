//! A quorum: how many of whom, and who besides.

use std::collections::BTreeSet;
use std::fmt;

use cairn_question::Name;

/// Most members of a board, and so most signatures that are looked at.
pub(super) const MEMBERS_MAX: usize = 16;

/// `need` of these members, and each of those besides. Printed as `2 of convener, siro and dpo`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quorum {
    pub(super) need: u32,
    pub(super) of: Vec<Name>,
    pub(super) and: Vec<Name>,
}

impl Quorum {
    /// How many of [`Quorum::of`] must sign.
    #[must_use]
    pub const fn need(&self) -> u32 {
        self.need
    }

    /// Those of whom some must sign.
    #[must_use]
    pub fn of(&self) -> &[Name] {
        &self.of
    }

    /// Those who must all sign.
    #[must_use]
    pub fn and(&self) -> &[Name] {
        &self.and
    }

    /// The fewest signatures that can be enough.
    #[must_use]
    pub fn least(&self) -> usize {
        usize::try_from(self.need).unwrap_or(usize::MAX).saturating_add(self.and.len())
    }

    /// Reads what `Display` writes; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (need, rest) = text.split_once(" of ")?;
        let (of, and) = rest.split_once(" and ").unwrap_or((rest, ""));
        let quorum = Self { need: need.parse().ok()?, of: names(of)?, and: names(and)? };
        (quorum.to_string() == text).then_some(quorum)
    }

    /// Whether these are enough.
    #[must_use]
    pub fn met_by(&self, signers: &BTreeSet<Name>) -> bool {
        self.more(signers) == 0 && self.and.iter().all(|m| signers.contains(m))
    }

    /// What is there and what is missing, in words.
    pub(super) fn missing(&self, signers: &BTreeSet<Name>) -> String {
        let has: Vec<&Name> = self.of.iter().chain(&self.and).filter(|m| signers.contains(m)).collect();
        let has = if has.is_empty() { "nobody".to_owned() } else { listed(has) };
        let more = match self.more(signers) {
            0 => String::new(),
            1 => format!("; missing one more of {}", listed(self.open(signers))),
            more => format!("; missing {more} more of {}", listed(self.open(signers))),
        };
        let and: Vec<&Name> = self.and.iter().filter(|m| !signers.contains(m)).collect();
        let and = if and.is_empty() { String::new() } else { format!("; missing {}", listed(and)) };
        format!("{self}: has {has}{more}{and}")
    }

    /// How many more of `of` must sign.
    fn more(&self, signers: &BTreeSet<Name>) -> usize {
        let there = self.of.iter().filter(|m| signers.contains(m)).count();
        usize::try_from(self.need).unwrap_or(usize::MAX).saturating_sub(there)
    }

    fn open<'a>(&'a self, signers: &'a BTreeSet<Name>) -> impl Iterator<Item = &'a Name> {
        self.of.iter().filter(|m| !signers.contains(m))
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.need, listed(&self.of))?;
        if self.and.is_empty() { Ok(()) } else { write!(f, " and {}", listed(&self.and)) }
    }
}

/// `a, b, c`.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    names.into_iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

fn names(text: &str) -> Option<Vec<Name>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let names: Option<Vec<Name>> = text.split(", ").map(|n| Name::new(n).ok()).collect();
    names.filter(|n| n.len() <= MEMBERS_MAX)
}
