//! Words that a partner wrote, made fit for a screen: a hostile or broken partner must not move the cursor, hide a line or write one of
//! its own into somebody else's coverage statement.

use cairn_question::answer::SnapshotStatement;
use cairn_question::{AnswerV1, OutcomeV1, Refusal, ReplyV1, TreatmentV1};

/// Replaces every control and direction-changing character of the reply's free text. Its table has none: its axes are the question's.
pub(crate) fn plain_reply(mut reply: ReplyV1) -> ReplyV1 {
    plain(&mut reply.policy.id);
    match &mut reply.outcome {
        OutcomeV1::Answer(answer) => plain_answer(answer),
        OutcomeV1::Sealed(sealed) => {
            plain_treatment(&mut sealed.treatment);
            plain_snapshot(&mut sealed.snapshot);
            plain(&mut sealed.privacy.unit);
        }
        OutcomeV1::Refusal(refusal) => plain_refusal(refusal),
        OutcomeV1::Fault { code } => plain(code),
    }
    reply
}

fn plain_answer(answer: &mut AnswerV1) {
    plain_treatment(&mut answer.treatment);
    plain_snapshot(&mut answer.snapshot);
    plain(&mut answer.privacy.unit);
}

fn plain_snapshot(snapshot: &mut SnapshotStatement) {
    snapshot.templates.iter_mut().chain(&mut snapshot.notes).for_each(plain);
}

fn plain_treatment(treatment: &mut TreatmentV1) {
    match treatment {
        TreatmentV1::SuppressRound { profile, .. } | TreatmentV1::SuppressAudit { profile, .. } => {
            plain(profile)
        }
        TreatmentV1::CellKey { profile, table, .. } => [profile, table].into_iter().for_each(plain),
        TreatmentV1::Dp { mechanism, added, .. } => {
            plain(mechanism);
            added.iter_mut().for_each(|added| plain(&mut added.unit));
        }
        TreatmentV1::CountOnce { .. } => {}
    }
}

fn plain_refusal(refusal: &mut Refusal) {
    for rule in &mut refusal.rules {
        [&mut rule.rule, &mut rule.code, &mut rule.says].into_iter().for_each(plain);
    }
    refusal.nearest.iter_mut().for_each(plain);
}

fn plain(text: &mut String) {
    let unfit = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(unfit) {
        *text = text.replace(unfit, "\u{fffd}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_question::answer::{AddedV1, PolicyStatement, PrivacyStatement};
    use cairn_question::{Hash, Moment, Name, PartnerId, QuestionId, RuleBroken, TableV1};

    const HOSTILE: &str = "x\u{1b}[2J\n  answered  everyone\u{202e}";

    /// A reply whose every free text is hostile.
    fn plain_json(outcome: OutcomeV1) -> String {
        let reply = ReplyV1 {
            cairn_reply: 1,
            question_id: QuestionId::from_bytes([1; 32]),
            question_hash: Hash::of(b""),
            federation: Name::new("nolb").unwrap(),
            partner: PartnerId::new("fife").unwrap(),
            at: Moment::from_unix_s(0),
            policy: PolicyStatement { id: HOSTILE.into(), version: 1, hash: Hash::of(b"") },
            outcome,
        };
        serde_json::to_string(&plain_reply(reply)).unwrap()
    }

    fn check(outcome: OutcomeV1, texts: usize) {
        let json = plain_json(outcome);
        assert_eq!(json.matches("x\u{fffd}[2J\u{fffd}  answered  everyone\u{fffd}").count(), texts, "{json}");
        assert_eq!(json.matches("answered  everyone").count(), texts, "{json}");
    }

    #[test]
    fn no_word_of_a_partner_moves_the_cursor() {
        let hostile = || HOSTILE.to_owned();
        check(OutcomeV1::Fault { code: hostile() }, 2);
        let rule = RuleBroken { rule: hostile(), code: hostile(), says: hostile() };
        check(OutcomeV1::Refusal(Refusal { rules: vec![rule], nearest: Some(hostile()) }), 5);
        let answer = AnswerV1 {
            table: TableV1 { dimensions: vec![], cells: vec![], totals: vec![] },
            treatment: TreatmentV1::Dp {
                mechanism: hostile(),
                epsilon: cairn_question::privacy::Epsilon::MAX,
                sensitivity: 1,
                plus_minus_95: 1,
                added: Some(AddedV1 { unit: hostile(), least: 0, most: 1, rows_per_person: 1, rows: None }),
                concentrated: None,
            },
            snapshot: SnapshotStatement {
                as_of: "2026-03-31".parse().unwrap(),
                edition: 1,
                templates: vec![hostile()],
                notes: vec![hostile()],
                provisional: false,
            },
            privacy: PrivacyStatement {
                unit: hostile(),
                charged: Default::default(),
                year_so_far: Default::default(),
                year_cap: Default::default(),
            },
        };
        check(OutcomeV1::Answer(Box::new(answer)), 6);
    }
}
