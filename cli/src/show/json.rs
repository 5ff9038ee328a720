//! The answer as JSON, for programs: everything that was shown, nothing more.

use serde_json::Value;

use super::statement::statement;
use super::{Shown, quantiles};

/// The question, the sum, the coverage statement, every partner's answer or its word on its part of a total, what the table costs and does not cover, in words, and the quantiles
/// and what is said of links, where they were asked for.
pub(crate) fn json(shown: &Shown) -> String {
    format!("{:#}\n", value(shown))
}

fn value(shown: &Shown) -> Value {
    let answers: serde_json::Map<String, Value> =
        shown.answers.iter().map(|(p, a)| (p.to_string(), serde_json::json!(a))).collect();
    let sealed: serde_json::Map<String, Value> =
        shown.sealed.iter().map(|(p, s)| (p.to_string(), serde_json::json!(s))).collect();
    let mut value = serde_json::json!({
        "cairn_result": 1,
        "id": shown.id,
        "asked": cairn_question::form::print(&shown.question),
        "question": shown.question,
        "combined": shown.combined,
        "coverage": shown.coverage,
        "answers": answers,
        "statement": statement(shown),
    });
    if let (false, Some(result)) = (sealed.is_empty(), value.as_object_mut()) {
        result.insert("sealed".to_owned(), sealed.into());
    }
    if let (Some(quantiles), Some(result)) = (quantiles::for_programs(shown), value.as_object_mut()) {
        result.insert("quantiles".to_owned(), quantiles);
    }
    if let (Some(links), Some(result)) = (&shown.links, value.as_object_mut()) {
        result.insert("links".to_owned(), links.for_programs(self::value(&links.keys)));
    }
    value
}
