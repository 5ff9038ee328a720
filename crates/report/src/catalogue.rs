//! The indicator catalogue: documents that a board reads and a computer asks.

use std::collections::BTreeSet;

use cairn_question::form;
use cairn_question::{Name, Question, Schema};
use serde::Deserialize;

use crate::plan::ReleasePath;

/// The indicators, in the order in which a report shows them.
#[derive(Clone, Debug)]
pub struct Catalogue {
    indicators: Vec<Indicator>,
}

/// One indicator, as its document says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Format, 1.
    pub cairn_indicator: u8,
    /// A letter and a number: `R1`.
    pub id: String,
    /// Rises by one when the definition changes; a change starts a new, marked series.
    pub version: u16,
    /// Reach, Progression, Skills, Experience, Value or Workforce.
    pub theme: String,
    /// The question that the indicator answers, in our own words.
    pub question: String,
    /// What is counted, in plain words.
    pub means: String,
    /// What one unit of a count is: `person` or `start`.
    pub unit: Unit,
    /// Which date must fall in the period.
    pub period_is: String,
    /// The lengths of period for which it may be asked: `quarter`, `year`.
    pub grains: Vec<String>,
    /// The area columns by which it may be broken down, the usual one first. Empty: it is asked without areas.
    pub breakdowns: Vec<String>,
    /// How sensitive it is, in words.
    pub sensitivity: String,
    /// Most that one person can add to a count at one partner.
    pub most_one_person_adds: u32,
    /// The role in which it is asked as secure totals; absent where it is asked of partners' own tables only.
    #[serde(default)]
    pub totals_role: Option<Name>,
    /// The role in which every partner is asked for its own tables.
    pub own_tables_role: Name,
    /// The purpose for which it is asked.
    pub purpose: Name,
    /// Remarks, printed with the indicator.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Published figures to lay beside it.
    #[serde(default, rename = "comparator")]
    pub comparators: Vec<Comparator>,
    /// The questions whose released tables it is made of.
    #[serde(rename = "ask")]
    pub asks: Vec<NamedQuestion>,
    /// The figures.
    #[serde(rename = "measure")]
    pub measures: Vec<Measure>,
}

/// What one unit of a count is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A person, once at each partner.
    Person,
    /// A start: an episode of support.
    Start,
}

/// A published figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparator {
    /// The figure, in words.
    pub says: String,
    /// Where it was published.
    pub source: String,
}

/// A question in the readable form, with its placeholders, under a name that measures use.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedQuestion {
    /// The name.
    pub name: String,
    /// The readable form (`cairn_question::form`). `{period}`, `{grain}` and `{breakdown}` are the only placeholders.
    pub question: String,
}

/// One figure of an indicator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What it is, in words.
    pub name: String,
    /// Its heading in a table.
    pub column: String,
    /// Which row of an area it stands in (`4 weeks`, `Died`); absent where an area has one row.
    #[serde(default)]
    pub row: Option<String>,
    /// A count or a share.
    pub kind: Kind,
    /// The base of a share, in words.
    #[serde(default)]
    pub base: Option<String>,
    /// What is counted.
    pub numerator: Part,
    /// Of what, for a share. The numerator's people are among the denominator's.
    #[serde(default)]
    pub denominator: Option<Part>,
    /// The share is given only where enough of a wider base is known.
    #[serde(default)]
    pub needs_known: Option<NeedsKnown>,
}

/// Count or share.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The numerator itself.
    Count,
    /// Numerator of denominator, in per cent.
    Share,
}

/// Cells of one question's table.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The question's name.
    pub of: String,
    /// The codes of its other axis that are added up; absent: all of them.
    #[serde(default)]
    pub codes: Option<Vec<String>>,
}

/// The least share of a wider base that must be known.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedsKnown {
    /// The wider base.
    pub of: String,
    /// The least share in per cent, 1 to 100; below it the figure is not given.
    pub percent: u8,
}

/// One fault of one document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code} {file}: {says}")]
pub struct CatalogueFault {
    /// A stable code with a page in docs/reference/codes/cg.md.
    pub code: &'static str,
    /// The document.
    pub file: String,
    /// What is wrong, and what would be right.
    pub says: String,
}

impl Catalogue {
    /// The indicators that this program was built with (`schemas/smf/indicators`).
    ///
    /// # Errors
    /// Every fault of every document; a test reads them before they ship.
    pub fn smf() -> Result<Self, Vec<CatalogueFault>> {
        Self::parse(EMBEDDED, Schema::smf())
    }

    /// Reads documents: file name and text of each.
    ///
    /// # Errors
    /// Every fault of every document.
    pub fn parse(documents: &[(&str, &str)], schema: &Schema) -> Result<Self, Vec<CatalogueFault>> {
        let mut faults = Vec::new();
        let mut indicators: Vec<Indicator> = Vec::new();
        for (file, text) in documents {
            match read(file, text) {
                Ok(indicator) => {
                    faults.extend(check(file, &indicator, schema));
                    if indicators.iter().any(|i| i.id == indicator.id) {
                        faults.push(fault("CG005", file, format!("`{}` stands twice", indicator.id)));
                    }
                    indicators.push(indicator);
                }
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(Self { indicators }) } else { Err(faults) }
    }

    /// The indicators.
    #[must_use]
    pub fn indicators(&self) -> &[Indicator] {
        &self.indicators
    }

    /// One indicator.
    #[must_use]
    pub fn indicator(&self, id: &str) -> Option<&Indicator> {
        self.indicators.iter().find(|i| i.id == id)
    }
}

impl Indicator {
    /// One of its questions.
    #[must_use]
    pub fn ask(&self, name: &str) -> Option<&NamedQuestion> {
        self.asks.iter().find(|a| a.name == name)
    }

    /// The question with its placeholders filled in, checked against the schema. `breakdown` is `None` for an indicator
    /// without areas.
    ///
    /// The role is that of own tables; [`crate::plan`] puts in the one that an order needs.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn fill(
        &self,
        ask: &NamedQuestion,
        period: cairn_question::Period,
        breakdown: Option<&str>,
        schema: &Schema,
    ) -> Result<Question, String> {
        let text = ask
            .question
            .replace("{period}", &period.to_string())
            .replace("{grain}", period.grain().as_str())
            .replace("{breakdown}", breakdown.unwrap_or("{breakdown}"));
        if text.contains(['{', '}']) {
            return Err("the placeholders are {period}, {grain} and {breakdown}".into());
        }
        let question =
            form::parse(&text, &self.own_tables_role, &self.purpose, schema).map_err(|e| e.to_string())?;
        question.grid(schema).map_err(|e| e.to_string())?;
        Ok(question)
    }

    /// The role in which it is asked where totals or own tables are wanted, and how its answers then leave.
    pub(crate) const fn role(&self, wanted: ReleasePath) -> (&Name, ReleasePath) {
        match (wanted, &self.totals_role) {
            (ReleasePath::Total, Some(role)) => (role, ReleasePath::Total),
            _ => (&self.own_tables_role, ReleasePath::OwnTables),
        }
    }
}

fn read(file: &str, text: &str) -> Result<Indicator, CatalogueFault> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(fault("CG001", file, format!("longer than {DOCUMENT_BYTES_MAX} bytes")));
    }
    toml::from_str(text).map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |s| text.get(..s.start).unwrap_or("").lines().count().max(1));
        fault("CG001", file, format!("line {line}: {}", e.message()))
    })
}

fn check(file: &str, indicator: &Indicator, schema: &Schema) -> Vec<CatalogueFault> {
    let mut faults = Vec::new();
    check_head(file, indicator, &mut faults);
    check_questions(file, indicator, schema, &mut faults);
    for measure in &indicator.measures {
        check_measure(file, indicator, measure, schema, &mut faults);
    }
    faults
}

fn check_head(file: &str, indicator: &Indicator, faults: &mut Vec<CatalogueFault>) {
    let mut say = |says: &str| faults.push(fault("CG005", file, says.to_owned()));
    if indicator.cairn_indicator != 1 {
        say("this program reads format 1");
    }
    let named_so =
        file.rsplit('/').next().and_then(|f| f.strip_suffix(".toml")) == Some(indicator.id.as_str());
    if !named_so {
        say("the file has the indicator's id as its name");
    }
    let grains_known = indicator.grains.iter().all(|g| g == "quarter" || g == "year");
    if indicator.grains.is_empty() || !grains_known {
        say("`grains` holds quarter, year or both");
    }
    if !(1..=ASKS_MAX).contains(&indicator.asks.len())
        || !(1..=MEASURES_MAX).contains(&indicator.measures.len())
    {
        say("an indicator has 1 to 32 questions and 1 to 64 measures");
    }
    let mut names = BTreeSet::new();
    if !indicator.asks.iter().all(|a| names.insert(a.name.as_str())) {
        say("each question has a name of its own");
    }
}

/// Every question, with every breakdown and every length of period, must hold against the schema.
fn check_questions(file: &str, indicator: &Indicator, schema: &Schema, faults: &mut Vec<CatalogueFault>) {
    for ask in &indicator.asks {
        for (period, breakdown) in samples(indicator) {
            if let Err(says) = indicator.fill(ask, period, breakdown, schema) {
                let with = breakdown.unwrap_or("no breakdown");
                faults.push(fault(
                    "CG002",
                    file,
                    format!("question `{}` by {with}, {period}: {says}", ask.name),
                ));
            }
        }
    }
}

fn samples(indicator: &Indicator) -> Vec<(cairn_question::Period, Option<&str>)> {
    use cairn_question::Period;
    let periods = [Period::Quarter { year: 2025, quarter: 2 }, Period::Year { from: 2024 }];
    let asked = |p: &Period| indicator.grains.iter().any(|g| g == p.grain().as_str());
    let breakdowns: Vec<Option<&str>> = match indicator.breakdowns.as_slice() {
        [] => vec![None],
        some => some.iter().map(|b| Some(b.as_str())).collect(),
    };
    let pair = |p: Period| breakdowns.iter().map(move |b| (p, *b)).collect::<Vec<_>>();
    periods.into_iter().filter(asked).flat_map(pair).collect()
}

fn check_measure(
    file: &str,
    indicator: &Indicator,
    measure: &Measure,
    schema: &Schema,
    faults: &mut Vec<CatalogueFault>,
) {
    let mut say =
        |says: String| faults.push(fault("CG003", file, format!("measure `{}`: {says}", measure.name)));
    match (measure.kind, &measure.denominator, &measure.base) {
        (Kind::Count, None, None) | (Kind::Share, Some(_), Some(_)) => {}
        (Kind::Count, ..) => say("a count has no denominator and no base".into()),
        (Kind::Share, ..) => say("a share has a denominator, and a base that says it in words".into()),
    }
    let known = measure.needs_known.as_ref();
    if known.is_some_and(|k| !(1..=100).contains(&k.percent)) {
        say("`needs_known` is 1 to 100 per cent".into());
    }
    let wider = known.map(|k| Part { of: k.of.clone(), codes: None });
    for part in [Some(&measure.numerator), measure.denominator.as_ref(), wider.as_ref()].into_iter().flatten()
    {
        if let Some(says) = wrong_part(indicator, part, schema) {
            say(says);
        }
    }
}

fn wrong_part(indicator: &Indicator, part: &Part, schema: &Schema) -> Option<String> {
    let Some(ask) = indicator.ask(&part.of) else {
        return Some(format!("there is no question `{}`", part.of));
    };
    let (period, breakdown) = samples(indicator).into_iter().next()?;
    // A question that does not hold has its own fault.
    let grid = indicator.fill(ask, period, breakdown, schema).ok()?.grid(schema).ok()?;
    let areas = usize::from(ask.question.contains("{breakdown}"));
    let others: Vec<_> = grid.dimensions().iter().rev().skip(areas).collect();
    match (part.codes.as_deref(), others.as_slice()) {
        (None, []) | (None, [_]) => None,
        (Some(codes), [axis]) => {
            let strange = codes.iter().find(|c| !axis.codes.contains(c))?;
            Some(format!("`{}` has no code `{strange}`", axis.column))
        }
        (Some(_), []) => {
            Some(format!("`{}` has no axis but the area, so there are no codes to choose", part.of))
        }
        (_, _) => Some(format!("`{}` has more than one axis beside the area", part.of)),
    }
}

fn fault(code: &'static str, file: &str, says: String) -> CatalogueFault {
    CatalogueFault { code, file: file.to_owned(), says }
}

/// Longest document: the longest that ships has 8 KiB.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Most questions of one indicator: 13 for the longest that ships.
const ASKS_MAX: usize = 32;
/// Most figures of one indicator and area: 21 for the longest that ships.
const MEASURES_MAX: usize = 64;

const EMBEDDED: &[(&str, &str)] = &[
    ("R1.toml", include_str!("../../../schemas/smf/indicators/R1.toml")),
    ("R4.toml", include_str!("../../../schemas/smf/indicators/R4.toml")),
    ("P1.toml", include_str!("../../../schemas/smf/indicators/P1.toml")),
    ("P2.toml", include_str!("../../../schemas/smf/indicators/P2.toml")),
    ("P6.toml", include_str!("../../../schemas/smf/indicators/P6.toml")),
];

#[cfg(test)]
mod tests;
