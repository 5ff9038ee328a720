//! The readable form of a question: `people by council, age band where quarter = 2025-Q2`.
//!
//! ```text
//! question = measure [ "by" axis { "," axis } ] [ "where" filter { "and" filter } ] [ "as of" day ]
//! measure  = ( "people" | "starts" | "outcomes" | "activities" | "rows" | "sum:" column | "mean:" column ) [ "in" table ]
//! axis     = column [ "@" grain ] [ "from" period "to" period ]
//! filter   = column [ "@" grain ] "=" value
//! ```
//!
//! A column is written as in the data dictionary (`participants.age_band`), by its name alone where only one table has it,
//! or by a short word ([`WORDS`]): `council`, `age band`, `quarter`. Without `in`, the table is the nearest one from which
//! every column can be seen.

use crate::day::{Day, Period, PeriodGrain};
use crate::id::Name;
use crate::measure::Measure;
use crate::question::{Filter, GroupBy, Question};
use crate::schema::{CODE_GRAIN, Column, Kind, Schema};

/// Short words for columns: what people write, the table and column meant, and the grain that goes without saying.
pub const WORDS: &[(&str, &str, &str, &str)] = &[
    ("council", "participants", "council_code", CODE_GRAIN),
    ("age", "participants", "age_band", CODE_GRAIN),
    ("disabled", "participants", "disabled_eqa", CODE_GRAIN),
    ("simd", "participants", "simd_quintile", CODE_GRAIN),
    ("parent", "participants", "parental_status", CODE_GRAIN),
    ("lep", "engagements", "lep_code", CODE_GRAIN),
    ("quarter", "engagements", "start_date", "quarter"),
    ("year", "engagements", "start_date", "year"),
    ("start quarter", "engagements", "start_date", "quarter"),
    ("start year", "engagements", "start_date", "year"),
    ("end quarter", "engagements", "end_date", "quarter"),
    ("end year", "engagements", "end_date", "year"),
    ("outcome quarter", "outcomes", "outcome_date", "quarter"),
    ("outcome year", "outcomes", "outcome_date", "year"),
    ("outcome", "outcomes", "outcome_type", CODE_GRAIN),
];

/// The order in which a table is chosen when none is named.
const TABLES: &[&str] = &[
    "participants",
    "engagements",
    "outcomes",
    "activities",
    "workforce_skills",
    "charter_feedback",
    "partner_totals",
];

/// Why a text is not a question; one line, with the next step.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// Does not begin with what is counted.
    #[error("a question begins with what is counted: people, starts, outcomes or activities")]
    Measure,
    /// A word that is no column.
    #[error("there is no column `{word}`{}", .nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Column {
        /// The word.
        word: String,
        /// A similar one.
        nearest: Option<String>,
    },
    /// A filter without `=`.
    #[error("a filter is `column = code`, and filters are joined by `and`: `{0}`")]
    Filter(String),
    /// A date axis without its periods.
    #[error("`{0}` needs its first and last period: `{0} from 2024-Q2 to 2025-Q1`")]
    Span(String),
    /// A text that is no period or day.
    #[error("`{0}` is not a period such as 2025-Q2 or 2025-26, nor a day such as 2025-06-30")]
    Period(String),
    /// A value that is neither a code, a label nor a named group.
    #[error("`{column}` has no code `{value}`{}", .nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Value {
        /// The column.
        column: String,
        /// The value.
        value: String,
        /// A similar code.
        nearest: Option<String>,
    },
    /// No table sees every column.
    #[error("no table sees all of these columns: {0}")]
    NoTable(String),
    /// Longer than a question can be.
    #[error("a question has at most 2,000 characters")]
    TooLong,
}

/// Reads the readable form.
///
/// # Errors
/// [`FormError`].
pub fn parse(text: &str, role: &Name, purpose: &Name, schema: &Schema) -> Result<Question, FormError> {
    if text.len() > 2_000 {
        return Err(FormError::TooLong);
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (text, as_of) = match split_word(&text, "as of") {
        (head, Some(day)) => (head, Some(day.parse::<Day>().map_err(|_| FormError::Period(day.to_owned()))?)),
        (head, None) => (head, None),
    };
    let (head, filters) = split_word(text, "where");
    let (head, axes) = split_word(head, "by");
    let (measure, named) = measure(head)?;
    let axes: Vec<Axis> = list(axes, ",").map(|a| axis(a, schema)).collect::<Result<_, _>>()?;
    let filters: Vec<Narrow> = list(filters, " and ").map(|f| narrow(f, schema)).collect::<Result<_, _>>()?;
    let places: Vec<&Place> = axes.iter().map(|a| &a.place).chain(filters.iter().map(|f| &f.place)).collect();
    let dataset = dataset(named, &places, schema)?;
    Ok(Question {
        role: role.clone(),
        purpose: purpose.clone(),
        measure,
        group_by: axes
            .iter()
            .map(|a| GroupBy {
                column: a.place.seen_from(&dataset),
                grain: a.place.grain.clone(),
                span: a.span,
            })
            .collect(),
        filter_by: filters
            .into_iter()
            .map(|f| Filter { column: f.place.seen_from(&dataset), grain: f.place.grain, value: f.value })
            .collect(),
        dataset,
        as_of,
    })
}

/// Writes the readable form; [`parse`] reads it back to the same question.
#[must_use]
pub fn print(question: &Question) -> String {
    let mut text = format!("{} in {}", question.measure, question.dataset);
    for (n, axis) in question.group_by.iter().enumerate() {
        text.push_str(if n == 0 { " by " } else { ", " });
        text.push_str(&place(&question.dataset, &axis.column, &axis.grain));
        if let Some((first, last)) = axis.span {
            text.push_str(&format!(" from {first} to {last}"));
        }
    }
    for (n, filter) in question.filter_by.iter().enumerate() {
        text.push_str(if n == 0 { " where " } else { " and " });
        text.push_str(&format!(
            "{} = {}",
            place(&question.dataset, &filter.column, &filter.grain),
            filter.value
        ));
    }
    if let Some(day) = question.as_of {
        text.push_str(&format!(" as of {day}"));
    }
    text
}

fn place(dataset: &str, column: &str, grain: &str) -> String {
    let column = if column.contains('.') { column.to_owned() } else { format!("{dataset}.{column}") };
    if grain == CODE_GRAIN { column } else { format!("{column}@{grain}") }
}

struct Place {
    table: String,
    column: String,
    grain: String,
}

struct Axis {
    place: Place,
    span: Option<(Period, Period)>,
}

struct Narrow {
    place: Place,
    value: String,
}

impl Place {
    fn seen_from(&self, dataset: &str) -> String {
        if self.table == dataset { self.column.clone() } else { format!("{}.{}", self.table, self.column) }
    }
}

/// Cuts `text` at the first ` word `, or at `word ` in front.
fn split_word<'a>(text: &'a str, word: &str) -> (&'a str, Option<&'a str>) {
    match text.split_once(&format!(" {word} ")) {
        Some((head, rest)) => (head, Some(rest)),
        None => (text, None),
    }
}

fn list<'a>(text: Option<&'a str>, separator: &'a str) -> impl Iterator<Item = &'a str> {
    text.into_iter().flat_map(move |t| t.split(separator)).map(str::trim)
}

fn measure(head: &str) -> Result<(Measure, Option<String>), FormError> {
    let (word, table) = split_word(head, "in");
    let table = table.map(str::to_owned);
    match word.trim() {
        "people" => Ok((Measure::People, table)),
        "rows" => Ok((Measure::Rows, table)),
        "starts" => Ok((Measure::Rows, table.or_else(|| Some("engagements".into())))),
        "outcomes" => Ok((Measure::Rows, table.or_else(|| Some("outcomes".into())))),
        "activities" => Ok((Measure::Rows, table.or_else(|| Some("activities".into())))),
        other => other.parse().map(|m| (m, table)).map_err(|_| FormError::Measure),
    }
}

fn axis(text: &str, schema: &Schema) -> Result<Axis, FormError> {
    let (column, span) = split_word(text, "from");
    let place = find(column, schema)?;
    let dated = column_of(&place, schema).is_some_and(|c| c.kind == Kind::Date);
    let span = match span.map(|s| s.split_once(" to ")) {
        Some(Some((first, last))) => Some((period(first)?, period(last)?)),
        None if !dated => None,
        _ => return Err(FormError::Span(column.to_owned())),
    };
    Ok(Axis { place, span })
}

fn narrow(text: &str, schema: &Schema) -> Result<Narrow, FormError> {
    let (column, value) = text.split_once('=').ok_or_else(|| FormError::Filter(text.to_owned()))?;
    let (place, value) = (find(column.trim(), schema)?, value.trim());
    let column = column_of(&place, schema).ok_or_else(|| FormError::Filter(text.to_owned()))?;
    let value = if column.kind == Kind::Date {
        period(value)?.to_string()
    } else {
        code(column, &place, value, schema)?
    };
    Ok(Narrow { place, value })
}

/// A code or named group as written, or the code whose label was written.
fn code(column: &Column, place: &Place, value: &str, schema: &Schema) -> Result<String, FormError> {
    if schema.codes_meant(column, &place.grain, value).is_some() {
        return Ok(value.to_owned());
    }
    let list = column.codes.as_deref().and_then(|id| schema.code_list(id));
    let labelled = list.into_iter().flat_map(|l| &l.codes).find(|c| c.label.eq_ignore_ascii_case(value));
    if let Some(code) = labelled.filter(|_| place.grain == CODE_GRAIN) {
        return Ok(code.code.clone());
    }
    let codes = schema.codes_at(column, &place.grain).unwrap_or_default().into_iter();
    let groups = list.into_iter().flat_map(|l| l.groups.iter().map(|g| g.code.clone()));
    Err(FormError::Value {
        column: place.column.clone(),
        value: value.to_owned(),
        nearest: nearest(value, codes.chain(groups)),
    })
}

fn period(text: &str) -> Result<Period, FormError> {
    text.trim().parse().map_err(|_| FormError::Period(text.trim().to_owned()))
}

fn column_of<'a>(place: &Place, schema: &'a Schema) -> Option<&'a Column> {
    schema.table(&place.table)?.column(&place.column)
}

fn find(text: &str, schema: &Schema) -> Result<Place, FormError> {
    let (word, grain) = match text.trim().split_once('@') {
        Some((word, grain)) => (word.trim(), Some(grain.trim())),
        None => (text.trim(), None),
    };
    let lower = word.to_lowercase();
    if let Some((_, table, column, usual)) = WORDS.iter().find(|(w, ..)| *w == lower) {
        let grain = grain.unwrap_or(usual).to_owned();
        return Ok(Place { table: (*table).into(), column: (*column).into(), grain });
    }
    let name = lower.replace(' ', "_");
    let (table, column) = match name.split_once('.') {
        Some((table, column)) => (Some(table), column),
        None => (None, name.as_str()),
    };
    let found = TABLES.iter().filter(|t| table.is_none_or(|named| named == **t)).find_map(|t| {
        let column = schema.table(t)?.column(column)?;
        let usual = if column.kind == Kind::Date { PeriodGrain::Quarter.as_str() } else { CODE_GRAIN };
        Some(Place { table: (*t).into(), column: column.name.clone(), grain: grain.unwrap_or(usual).into() })
    });
    found.ok_or_else(|| {
        let known = schema.tables().flat_map(|t| t.columns.iter().map(|c| c.name.clone()));
        let words = WORDS.iter().map(|(w, ..)| (*w).to_owned());
        FormError::Column { word: word.to_owned(), nearest: nearest(&lower, known.chain(words)) }
    })
}

fn dataset(named: Option<String>, places: &[&Place], schema: &Schema) -> Result<String, FormError> {
    let sees = |dataset: &str| {
        let above: Vec<&str> = schema.ancestry(dataset).iter().map(|t| t.name.as_str()).collect();
        !above.is_empty() && places.iter().all(|p| above.contains(&p.table.as_str()))
    };
    let found = match named {
        Some(named) => sees(&named).then_some(named),
        None => TABLES.iter().find(|t| sees(t)).map(|t| (*t).to_owned()),
    };
    found.ok_or_else(|| {
        let columns: Vec<String> = places.iter().map(|p| format!("{}.{}", p.table, p.column)).collect();
        FormError::NoTable(columns.join(", "))
    })
}

/// The candidate most like `word`, if one is near enough for a "did you mean".
#[must_use]
pub fn nearest(word: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let word = word.to_lowercase();
    candidates
        .map(|c| (strsim::jaro_winkler(&word, &c.to_lowercase()), c))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| y.cmp(x)))
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests;
