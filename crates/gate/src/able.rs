//! What this program can carry out of what a policy may say: the policy crate holds the list.

use cairn_policy::{Treatment, Unable, unable};
use cairn_question::{Question, RuleBroken};

/// Every rule that this program cannot keep; none where it can answer.
pub(crate) fn able(treatment: &Treatment, question: &Question) -> Vec<RuleBroken> {
    let broken = |missing: Unable| RuleBroken {
        rule: missing.rule,
        code: "CN010".to_owned(),
        says: format!("the program of this node cannot {} yet", missing.what),
    };
    unable(treatment, question).into_iter().map(broken).collect()
}
