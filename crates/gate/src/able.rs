//! What this program can carry out of what a policy may say. A board may sign a policy for a treatment before every node can make
//! it; a node that cannot refuses, and never answers under a laxer one.

use cairn_policy::{Method, Secondary, Treatment};
use cairn_question::{Question, RuleBroken};

/// Every rule that this program cannot keep; none where it can answer.
pub(crate) fn able(treatment: &Treatment, question: &Question) -> Vec<RuleBroken> {
    let release = |key: &str| format!("release.{}.{key}", treatment.release);
    let mut rules = Vec::new();
    let mut cannot = |rule: String, what: &str| {
        let says = format!("the program of this node cannot {what} yet");
        rules.push(RuleBroken { rule, code: "CN010".to_owned(), says });
    };
    match &treatment.method {
        Method::SuppressRound(_) | Method::Dp { .. } => {}
        Method::SuppressAudit(_) | Method::CellKey { .. } => {
            cannot(release("method"), &format!("make {} tables", treatment.method.as_str()));
        }
    }
    if treatment.method.cells().is_some_and(|c| c.secondary == Secondary::Yes) {
        cannot(release("secondary"), "withhold cells that would give others away");
    }
    if treatment.method.cells().is_some_and(|c| c.dominance.is_some()) {
        cannot(release("dominance"), "withhold sums that a few people dominate");
    }
    if treatment.min_partners > 1 {
        cannot(release("min_partners"), "add to a total without showing its own table");
    }
    if let Some(column) = question.measure.column() {
        cannot("question.measure".to_owned(), &format!("add up {column}"));
    }
    rules
}
