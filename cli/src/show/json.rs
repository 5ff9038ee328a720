//! The answer as JSON, for programs: everything that was shown, nothing more.

use super::Shown;

/// The question, the sum, the coverage statement and every partner's answer.
pub(crate) fn json(shown: &Shown) -> String {
    let answers: serde_json::Map<String, serde_json::Value> =
        shown.answers.iter().map(|(p, a)| (p.to_string(), serde_json::json!(a))).collect();
    let value = serde_json::json!({
        "cairn_result": 1,
        "id": shown.id,
        "asked": cairn_question::form::print(&shown.question),
        "question": shown.question,
        "combined": shown.combined,
        "coverage": shown.coverage,
        "answers": answers,
    });
    format!("{value:#}\n")
}
