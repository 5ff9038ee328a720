//! Refusals: answers that say no, before anything was read.

use serde::{Deserialize, Serialize};

/// Why a partner does not answer. It depends on the question, the policy and the ledger, never on the records.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Every rule that fails, all at once.
    pub rules: Vec<RuleBroken>,
    /// The nearest question that this partner would answer, in the readable form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

/// One rule that fails.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleBroken {
    /// Where the rule stands: `share.smf-quarterly.group_by.area`, `policy.expires`, `verify.signature`.
    pub rule: String,
    /// A stable code with a page in docs/reference/codes.md.
    pub code: String,
    /// One line: what the rule says, and what was asked.
    pub says: String,
}

impl Refusal {
    /// A refusal for one rule.
    #[must_use]
    pub fn one(rule: impl Into<String>, code: &str, says: impl Into<String>) -> Self {
        Self {
            rules: vec![RuleBroken { rule: rule.into(), code: code.into(), says: says.into() }],
            nearest: None,
        }
    }
}
