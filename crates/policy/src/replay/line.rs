//! One line of a log: an entry of Cairn's audit export, or a question in kinds.

use std::collections::BTreeMap;

use cairn_question::form::parse;
use cairn_question::schema::Kind;
use cairn_question::{Day, Filter, GroupBy, Measure, Moment, Name, Period, Question, Schema};
use chrono::NaiveDateTime;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::layers::is_dated;
use crate::london::london_day;

/// Longest line: that of an audit export.
pub const LINE_BYTES_MAX: usize = 256 * 1024 + 256;

/// A question of the log.
pub(super) struct Asked {
    pub(super) question: Question,
    /// The question as it is shown, where the log does not say its values.
    pub(super) shown: Option<Question>,
    pub(super) analyst: Option<Name>,
    pub(super) on: Day,
    pub(super) logged: Logged,
}

/// What became of it.
#[derive(Clone, Copy, Deserialize)]
pub(super) enum Logged {
    #[serde(rename = "answer")]
    Answered,
    #[serde(rename = "refuse")]
    Refused,
    #[serde(skip)]
    Failed,
}

/// A question, nothing (another entry, an empty line), or why it cannot be read. What is wrong never shows the line's words:
/// the file may not be a log at all.
pub(super) fn read(bytes: &[u8], schema: &Schema) -> Result<Option<Asked>, String> {
    if bytes.len() > LINE_BYTES_MAX {
        return Err(format!("longer than {LINE_BYTES_MAX} bytes"));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let line: Line = serde_json::from_slice(bytes)
        .map_err(|_| "neither an entry of an audit export nor a question in kinds".to_owned())?;
    match line {
        Line::Entry { entry } => entry.asked(schema),
        Line::Head { .. } => Ok(None),
        Line::Kinds(kinds) => kinds.asked(schema).map(Some),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Entry {
        entry: Entry,
    },
    Head {
        #[serde(rename = "head")]
        _head: IgnoredAny,
    },
    Kinds(Kinds),
}

/// What is needed of an entry (docs/reference/audit.md); `cairn audit verify` is who checks the rest.
#[derive(Deserialize)]
struct Entry {
    at: Moment,
    kind: String,
    analyst: Option<Name>,
    role: Option<Name>,
    purpose: Option<Name>,
    question: Option<String>,
}

impl Entry {
    fn asked(self, schema: &Schema) -> Result<Option<Asked>, String> {
        let logged = match self.kind.as_str() {
            "question-answered" | "question-repeated" => Logged::Answered,
            "question-refused" => Logged::Refused,
            "question-failed" => Logged::Failed,
            _ => return Ok(None),
        };
        // What was refused before it could be read as a question (a wrong signature) has none.
        let (Some(role), Some(purpose), Some(text)) = (&self.role, &self.purpose, &self.question) else {
            return match logged {
                Logged::Answered => Err("an answer without its question, role or purpose".to_owned()),
                Logged::Refused | Logged::Failed => Ok(None),
            };
        };
        let question = parse(text, role, purpose, schema)
            .map_err(|_| "the question is none under this data dictionary".to_owned())?;
        let on = london_day(self.at);
        Ok(Some(Asked { question, shown: None, analyst: self.analyst, on, logged }))
    }
}

/// A question without its values.
#[derive(Deserialize)]
struct Kinds {
    at: String,
    analyst: Option<Name>,
    decision: Logged,
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    role: Name,
    purpose: Name,
    dataset: String,
    answer: Measure,
    #[serde(default)]
    group_by: BTreeMap<String, String>,
    #[serde(default)]
    filter_by: BTreeMap<String, String>,
}

impl Kinds {
    fn asked(self, schema: &Schema) -> Result<Asked, String> {
        let on = day(&self.at).ok_or("`at` is not a moment such as 2026-12-14T10:02Z")?;
        let question = self.request.question(schema, on);
        let any = question.filter_by.iter().map(|f| Filter { value: "any".to_owned(), ..f.clone() });
        let axes = question.group_by.iter().map(|a| GroupBy { span: None, ..a.clone() });
        let shown = Question { filter_by: any.collect(), group_by: axes.collect(), ..question.clone() };
        Ok(Asked { question, shown: Some(shown), analyst: self.analyst, on, logged: self.decision })
    }
}

impl Request {
    /// The question with values filled in. Which ones makes no difference: the last whole period before the day it was asked, or
    /// the first code of the list.
    fn question(self, schema: &Schema, on: Day) -> Question {
        let Self { role, purpose, dataset, answer, group_by, filter_by } = self;
        let axis = |(column, grain): (String, String)| {
            let dated = is_dated(schema, &dataset, &column);
            let span = dated.then(|| last_period(on, &grain)).flatten().map(|p| (p, p));
            GroupBy { column, grain, span }
        };
        let filter = |(column, grain): (String, String)| {
            let value = value(schema, &dataset, &column, &grain, on).unwrap_or_else(|| "any".to_owned());
            Filter { column, grain, value }
        };
        let group_by = group_by.into_iter().map(axis).collect();
        let filter_by = filter_by.into_iter().map(filter).collect();
        Question { role, purpose, measure: answer, group_by, filter_by, as_of: None, dataset }
    }
}

fn value(schema: &Schema, dataset: &str, column: &str, grain: &str, on: Day) -> Option<String> {
    let column = schema.find(dataset, column)?.column;
    if column.kind == Kind::Date {
        return last_period(on, grain).map(|p| p.to_string());
    }
    schema.codes_at(column, grain)?.into_iter().next()
}

fn last_period(on: Day, grain: &str) -> Option<Period> {
    let grain = grain.parse().ok()?;
    Some(on.period(grain).first_day().plus_days(-1).period(grain))
}

/// The day in London of a moment written in UTC, with seconds or without.
fn day(at: &str) -> Option<Day> {
    let read = |form| NaiveDateTime::parse_from_str(at, form).ok();
    let moment = read("%Y-%m-%dT%H:%M:%SZ").or_else(|| read("%Y-%m-%dT%H:%MZ"))?;
    let seconds = u64::try_from(moment.and_utc().timestamp()).ok()?;
    Some(london_day(Moment::from_unix_s(seconds)))
}
