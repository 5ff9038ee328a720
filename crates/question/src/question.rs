//! A question: closed, typed, and all that a node accepts.

use serde::{Deserialize, Serialize};

use crate::credential::{Credential, CredentialError, IssuerPins};
use crate::day::{Day, Moment, Period};
use crate::envelope::{Envelope, EnvelopeError, SigningKey};
use crate::grid::{Dimension, Grid};
use crate::id::{Hash, Name, PartnerId, QuestionId};
use crate::limits::{
    CLOCK_SKEW_S, FILTERS_MAX, GROUP_COLUMNS_MAX, PARTNERS_MAX, QUESTION_BYTES_MAX, QUESTION_LIFE_S_MAX,
};
use crate::measure::Measure;
use crate::schema::{Kind, Schema};

/// Payload type of a signed question's envelope.
pub const ASK_TYPE: &str = "application/vnd.cairn.question.v1+json";

/// What is counted, of whom, by what. Order and spelling do not matter: [`Question::canonical_hash`].
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The role in which it is asked; the credential must say the same.
    pub role: Name,
    /// The purpose; a policy names the purposes it answers.
    pub purpose: Name,
    /// The table whose rows are counted.
    pub dataset: String,
    /// What is counted.
    pub measure: Measure,
    /// The axes of the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<GroupBy>,
    /// What narrows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter_by: Vec<Filter>,
    /// The snapshot date that is meant; absent: the partner's latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Day>,
}

/// One axis.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupBy {
    /// `column` of the dataset, or `table.column` of one above it.
    pub column: String,
    /// `code`, a coarser grain of the column's list, `quarter` or `year`.
    pub grain: String,
    /// First and last period of the axis; for dates, and only for dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<(Period, Period)>,
}

/// One filter: one code, one named group, or one period. There is no OR, no NOT and no free subset.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `column` of the dataset, or `table.column` of one above it.
    pub column: String,
    /// As for [`GroupBy::grain`].
    pub grain: String,
    /// The code, the named group or the period.
    pub value: String,
}

/// Why a question makes no sense under the schema, whatever any policy says.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionFault {
    /// No such table, or one without persons where people are counted.
    #[error("there is no table `{0}` to count {1} in")]
    Dataset(String, &'static str),
    /// No such column, seen from the dataset.
    #[error("`{dataset}` has no column `{column}`{}", hint(.nearest.as_ref()))]
    Column {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
        /// A column with a similar name.
        nearest: Option<String>,
    },
    /// The column has no such grain.
    #[error("`{column}` has no grain `{grain}`; it has {has}")]
    Grain {
        /// The column.
        column: String,
        /// The grain.
        grain: String,
        /// The grains it has.
        has: String,
    },
    /// No such code, group or period.
    #[error("`{column}` has no code or group `{value}` at grain `{grain}`")]
    Value {
        /// The column.
        column: String,
        /// The grain.
        grain: String,
        /// The value as asked; a code list's word, never a person's.
        value: String,
    },
    /// A date axis without a span, a span on another axis, or an empty or backward span.
    #[error("`{0}` needs a first and a last period of its grain, such as 2024-Q2 to 2025-Q1")]
    Span(String),
    /// The same column twice among the axes, or twice among the filters.
    #[error("`{0}` stands twice")]
    Twice(String),
    /// More axes, filters or cells than any question may have.
    #[error(
        "the question is too wide: at most {GROUP_COLUMNS_MAX} columns, {FILTERS_MAX} filters and {} cells",
        crate::limits::CELLS_MAX
    )]
    TooWide,
}

fn hint(nearest: Option<&String>) -> String {
    nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}

impl Question {
    /// Checks the question against the schema and gives the full grid of its answer: its axes, and the parts of a mean.
    ///
    /// # Errors
    /// The first [`QuestionFault`] found.
    pub fn grid(&self, schema: &Schema) -> Result<Grid, QuestionFault> {
        let mut dimensions = self.dimensions(schema)?;
        dimensions.extend(self.measure.parts());
        Grid::new(dimensions).map_err(|_| QuestionFault::TooWide)
    }

    /// [`Question::grid`] without the parts of a mean: the cells that rows fall in.
    ///
    /// # Errors
    /// The first [`QuestionFault`] found.
    pub fn counted_grid(&self, schema: &Schema) -> Result<Grid, QuestionFault> {
        Grid::new(self.dimensions(schema)?).map_err(|_| QuestionFault::TooWide)
    }

    fn dimensions(&self, schema: &Schema) -> Result<Vec<Dimension>, QuestionFault> {
        self.check_dataset(schema)?;
        if self.group_by.len() > GROUP_COLUMNS_MAX || self.filter_by.len() > FILTERS_MAX {
            return Err(QuestionFault::TooWide);
        }
        twice(self.group_by.iter().map(|g| g.column.as_str()))?;
        twice(self.filter_by.iter().map(|f| f.column.as_str()))?;
        for filter in &self.filter_by {
            filter.check(schema, &self.dataset)?;
        }
        self.group_by.iter().map(|g| g.dimension(schema, &self.dataset)).collect()
    }

    fn check_dataset(&self, schema: &Schema) -> Result<(), QuestionFault> {
        let table = schema.table(&self.dataset);
        match &self.measure {
            Measure::People if table.is_none_or(|t| t.person_key.is_none()) => {
                Err(QuestionFault::Dataset(self.dataset.clone(), "people"))
            }
            Measure::Rows if table.is_none() => Err(QuestionFault::Dataset(self.dataset.clone(), "rows")),
            Measure::Sum(column) | Measure::Mean(column) => self.check_summed(schema, column),
            _ => Ok(()),
        }
    }

    /// A column that is added up is the dataset's own, and the dictionary lets it be.
    fn check_summed(&self, schema: &Schema, column: &str) -> Result<(), QuestionFault> {
        let found = schema.table(&self.dataset).and_then(|t| t.column(column));
        match found {
            Some(found) if found.allows(crate::schema::Use::Sum) => Ok(()),
            Some(_) => Err(QuestionFault::Dataset(self.dataset.clone(), "sums of this column")),
            None => find(schema, &self.dataset, column).map(|_| ()),
        }
    }
}

fn twice<'a>(columns: impl Iterator<Item = &'a str>) -> Result<(), QuestionFault> {
    let mut seen = std::collections::BTreeSet::new();
    for column in columns {
        if !seen.insert(column) {
            return Err(QuestionFault::Twice(column.to_owned()));
        }
    }
    Ok(())
}

fn find<'a>(
    schema: &'a Schema,
    dataset: &str,
    column: &str,
) -> Result<&'a crate::schema::Column, QuestionFault> {
    schema.find(dataset, column).map(|f| f.column).ok_or_else(|| {
        let own = schema.ancestry(dataset).into_iter().flat_map(|t| {
            t.columns.iter().map(move |c| {
                if t.name == dataset { c.name.clone() } else { format!("{}.{}", t.name, c.name) }
            })
        });
        QuestionFault::Column {
            dataset: dataset.to_owned(),
            column: column.chars().take(80).collect(),
            nearest: crate::form::nearest(column, own),
        }
    })
}

impl GroupBy {
    /// The axis with all its codes.
    ///
    /// # Errors
    /// [`QuestionFault`].
    pub fn dimension(&self, schema: &Schema, dataset: &str) -> Result<Dimension, QuestionFault> {
        let column = find(schema, dataset, &self.column)?;
        let codes = match (column.kind, self.span) {
            (Kind::Date, span) => self.periods(span)?,
            (_, Some(_)) => return Err(QuestionFault::Span(self.column.clone())),
            (_, None) => {
                schema.codes_at(column, &self.grain).ok_or_else(|| no_grain(schema, column, &self.grain))?
            }
        };
        Ok(Dimension { column: self.column.clone(), grain: self.grain.clone(), codes })
    }

    fn periods(&self, span: Option<(Period, Period)>) -> Result<Vec<String>, QuestionFault> {
        let wrong = || QuestionFault::Span(self.column.clone());
        let (first, last) = span.ok_or_else(wrong)?;
        let periods = first.through(last, PERIODS_MAX + 1);
        let fits = (1..=PERIODS_MAX).contains(&periods.len()) && first.grain().as_str() == self.grain;
        if fits { Ok(periods.iter().map(ToString::to_string).collect()) } else { Err(wrong()) }
    }
}

impl Filter {
    fn check(&self, schema: &Schema, dataset: &str) -> Result<(), QuestionFault> {
        let column = find(schema, dataset, &self.column)?;
        if !schema.grains(column).contains(&self.grain.as_str()) {
            return Err(no_grain(schema, column, &self.grain));
        }
        let holds = match column.kind {
            Kind::Date => self.value.parse::<Period>().is_ok_and(|p| p.grain().as_str() == self.grain),
            _ => schema.codes_meant(column, &self.grain, &self.value).is_some(),
        };
        if holds {
            return Ok(());
        }
        Err(QuestionFault::Value {
            column: self.column.clone(),
            grain: self.grain.clone(),
            value: self.value.chars().take(80).collect(),
        })
    }
}

fn no_grain(schema: &Schema, column: &crate::schema::Column, grain: &str) -> QuestionFault {
    let has = schema.grains(column);
    QuestionFault::Grain {
        column: column.name.clone(),
        grain: grain.chars().take(80).collect(),
        has: if has.is_empty() { "none: it can never be grouped or filtered".into() } else { has.join(", ") },
    }
}

/// Most periods on one axis: 10 years of quarters.
const PERIODS_MAX: usize = 40;

/// What an analyst signs: a question, its own number, whom it is for, and until when.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskV1 {
    /// Format, 1.
    pub cairn_question: u8,
    /// The question's own number.
    pub id: QuestionId,
    /// The federation it is for.
    pub federation: Name,
    /// The partners it is for, each once.
    pub partners: Vec<PartnerId>,
    /// When it was signed.
    pub asked_at: Moment,
    /// After this moment nobody answers it.
    pub expires_at: Moment,
    /// The question.
    pub question: Question,
}

/// A signed question and the credential it is signed under, as they travel.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAsk {
    /// The analyst's signature over an [`AskV1`].
    pub question: Envelope,
    /// The issuer's signature over a [`Credential`].
    pub credential: Envelope,
    /// The analyst's signature over the manifest of a secure total, for a question that is put as one. Which table is wanted is said here
    /// alone: the same question without a manifest asks each partner for its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Envelope>,
}

/// A question whose signature, credential, federation and time were checked. Whether it is a replay, and whether this
/// partner is meant, only a node can tell.
#[derive(Clone, Debug)]
pub struct OpenAsk {
    /// What was signed.
    pub ask: AskV1,
    /// SHA-256 of the exact bytes that were signed.
    pub hash: Hash,
    /// Who asks.
    pub credential: Credential,
}

/// Why a signed question was not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Not a signed question, or too long.
    #[error("not a signed question")]
    Malformed,
    /// The credential does not hold.
    #[error("{0}")]
    Credential(CredentialError),
    /// The credential's key did not sign the question.
    #[error("the credential's key did not sign this question")]
    BadSignature,
    /// For another federation.
    #[error("the question is for another federation")]
    OtherFederation,
    /// The credential is for another role than the question.
    #[error("the credential is for another role than the question")]
    OtherRole,
    /// Signed in the future: one of the two clocks is wrong.
    #[error("the question was signed {ahead_min} min in the future: one of the two clocks is wrong")]
    FromTheFuture {
        /// How far, in minutes.
        ahead_min: u64,
    },
    /// Too late, or meant to live longer than a day.
    #[error("the question has expired, or was meant to live longer than a day")]
    Expired,
}

impl AskError {
    /// The rule name under which a refusal states it.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Malformed => "verify.form",
            Self::Credential(CredentialError::UnknownIssuer) => "verify.issuer",
            Self::Credential(CredentialError::Expired | CredentialError::NotYet) => "verify.credential-dates",
            Self::Credential(_) => "verify.credential",
            Self::BadSignature => "verify.signature",
            Self::OtherFederation => "verify.federation",
            Self::OtherRole => "verify.role",
            Self::FromTheFuture { .. } => "verify.clock",
            Self::Expired => "verify.expired",
        }
    }

    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "CQ001",
            Self::Credential(_) => "CQ002",
            Self::BadSignature => "CQ003",
            Self::OtherFederation => "CQ004",
            Self::OtherRole => "CQ005",
            Self::FromTheFuture { .. } => "CQ006",
            Self::Expired => "CQ007",
        }
    }
}

impl SignedAsk {
    /// Signs a question with the analyst's key.
    #[must_use]
    pub fn sign(ask: &AskV1, analyst: &SigningKey, credential: Envelope) -> Self {
        let payload = serde_json::to_vec(ask).unwrap_or_default();
        Self { question: Envelope::sign(ASK_TYPE, &payload, analyst), credential, manifest: None }
    }

    /// The same question put as a secure total, under this manifest.
    #[must_use]
    pub fn as_total(self, manifest: Envelope) -> Self {
        Self { manifest: Some(manifest), ..self }
    }

    /// Reads a signed question. Nothing is verified yet.
    ///
    /// # Errors
    /// [`AskError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AskError> {
        if bytes.len() > QUESTION_BYTES_MAX {
            return Err(AskError::Malformed);
        }
        serde_json::from_slice(bytes).map_err(|_| AskError::Malformed)
    }

    /// The bytes that travel.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What it asks, unverified: for routing and for display only.
    ///
    /// # Errors
    /// [`AskError::Malformed`].
    pub fn peek(&self) -> Result<AskV1, AskError> {
        parse_ask(&self.question.payload_unverified(ASK_TYPE).map_err(|_| AskError::Malformed)?)
    }

    /// Who asks, unverified: for routing and for display only.
    ///
    /// # Errors
    /// [`AskError::Malformed`].
    pub fn peek_credential(&self) -> Result<Credential, AskError> {
        Credential::peek(&self.credential).map_err(|_| AskError::Malformed)
    }

    /// Checks the credential under the pinned issuers, the question's signature under the credential's key, its role, its
    /// federation and its time.
    ///
    /// # Errors
    /// [`AskError`], one kind for each reason.
    pub fn open(&self, issuers: &IssuerPins, federation: &Name, now: Moment) -> Result<OpenAsk, AskError> {
        let credential = issuers.open(&self.credential, now).map_err(AskError::Credential)?;
        let payload = self.question.open(ASK_TYPE, &credential.key).map_err(|e| match e {
            EnvelopeError::BadSignature => AskError::BadSignature,
            _ => AskError::Malformed,
        })?;
        let ask = parse_ask(&payload)?;
        check_ask(&ask, &credential, federation, now)?;
        Ok(OpenAsk { ask, hash: Hash::of(&payload), credential })
    }
}

fn parse_ask(payload: &[u8]) -> Result<AskV1, AskError> {
    let ask: AskV1 = serde_json::from_slice(payload).map_err(|_| AskError::Malformed)?;
    let each_once = twice(ask.partners.iter().map(PartnerId::as_str)).is_ok();
    let fits = ask.cairn_question == 1 && (1..=PARTNERS_MAX).contains(&ask.partners.len());
    if each_once && fits { Ok(ask) } else { Err(AskError::Malformed) }
}

fn check_ask(ask: &AskV1, credential: &Credential, federation: &Name, now: Moment) -> Result<(), AskError> {
    let ahead_s = ask.asked_at.unix_s().saturating_sub(now.unix_s());
    let life_s = ask.expires_at.unix_s().saturating_sub(ask.asked_at.unix_s());
    match () {
        () if ask.federation != *federation => Err(AskError::OtherFederation),
        () if ask.question.role != credential.role => Err(AskError::OtherRole),
        () if ahead_s > CLOCK_SKEW_S => Err(AskError::FromTheFuture { ahead_min: ahead_s / 60 }),
        () if now > ask.expires_at || life_s > QUESTION_LIFE_S_MAX => Err(AskError::Expired),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests;
