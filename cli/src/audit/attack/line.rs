//! What one attack found.

use std::fmt;

use serde::Serialize;

/// One attack's line.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Line {
    /// The attack's name, which docs/reference/attacks.md explains.
    pub(super) attack: &'static str,
    /// What the answers promise against it.
    pub(super) claim: String,
    /// What was seen.
    pub(super) seen: String,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Withstood,
    /// The promise does not hold, or nothing could be seen where an answer was due.
    Alarm,
}

impl Line {
    /// Withstood just when `holds`.
    pub(super) fn of(attack: &'static str, claim: &str, seen: String, holds: Holds) -> Self {
        let outcome = match holds {
            Holds::Yes => Outcome::Withstood,
            Holds::No => Outcome::Alarm,
        };
        Self { attack, claim: claim.to_owned(), seen, outcome }
    }

    pub(super) fn json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// Whether a promise held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Holds {
    Yes,
    No,
}

impl Holds {
    pub(super) const fn when(it: bool) -> Self {
        if it { Self::Yes } else { Self::No }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.outcome {
            Outcome::Withstood => "withstood",
            Outcome::Alarm => "ALARM",
        };
        write!(f, "{mark:<10} {:<18} {}; seen: {}", self.attack, self.claim, self.seen)
    }
}
