//! What this program can carry out of what a policy may say: the policy crate holds the list.

use cairn_policy::{Treatment, Unable, unable};
use cairn_question::{Question, RuleBroken, Schema};
use cairn_release::{AuditRule, Joint, TooMany};

/// Every rule that this program cannot keep; none where it can answer.
pub(crate) fn able(treatment: &Treatment, question: &Question) -> Vec<RuleBroken> {
    let broken = |missing: Unable| RuleBroken {
        rule: missing.rule,
        code: missing.code.to_owned(),
        says: format!("the program of this node cannot {} yet", missing.what),
    };
    let unable: Vec<RuleBroken> = unable(treatment, question).into_iter().map(broken).collect();
    if unable.is_empty() { alone(treatment, question).into_iter().collect() } else { unable }
}

/// Whether a table's cells by themselves are more than an audit can take in, said before anything is read.
fn alone(treatment: &Treatment, question: &Question) -> Option<RuleBroken> {
    let rule = AuditRule::of(&treatment.method)?;
    let fault = Joint::new(question, &[], rule, Schema::smf()).err()?;
    Some(too_many(treatment, fault))
}

/// The rule that a table breaks which cannot be audited. What was asked and answered decides it, and nothing of the records.
pub(crate) fn too_many(treatment: &Treatment, fault: TooMany) -> RuleBroken {
    let code = match fault {
        TooMany::Together => "CN016",
        _ => "CN015",
    };
    let rule = format!("release.{}.method", treatment.release);
    let says = format!("{fault}; ask a smaller question");
    RuleBroken { rule, code: code.to_owned(), says }
}
