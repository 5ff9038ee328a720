//! What this program can carry out of what a policy may say: the policy crate holds the list.

use cairn_policy::{Method, Treatment, Unable, unable};
use cairn_question::{Question, RuleBroken, Schema};
use cairn_release::{Joint, Kept, TooMany};

/// Every rule that this program cannot keep; none where it can answer.
pub(crate) fn able(treatment: &Treatment, question: &Question) -> Vec<RuleBroken> {
    let broken = |missing: Unable| RuleBroken {
        rule: missing.rule,
        code: "CN010".to_owned(),
        says: format!("the program of this node cannot {} yet", missing.what),
    };
    let unable: Vec<RuleBroken> = unable(treatment, question).into_iter().map(broken).collect();
    if unable.is_empty() { too_many(treatment, question, &[]).into_iter().collect() } else { unable }
}

/// Whether a table's cells, with those of the tables audited before it, are more than an audit can take in. What was asked decides it, and
/// nothing of the records.
pub(crate) fn too_many(treatment: &Treatment, question: &Question, earlier: &[Kept]) -> Option<RuleBroken> {
    let Method::SuppressAudit(cells) = &treatment.method else { return None };
    let fault = Joint::new(question, earlier, cells.min_people, Schema::smf()).err()?;
    let code = match fault {
        TooMany::Together => "CN016",
        _ => "CN015",
    };
    let rule = format!("release.{}.method", treatment.release);
    let says = format!("{fault}; ask a smaller question");
    Some(RuleBroken { rule, code: code.to_owned(), says })
}
