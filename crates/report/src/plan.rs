//! One report as one batch of questions.

use cairn_question::form::nearest;
use cairn_question::{Day, Period, Question, Schema};

use crate::catalogue::{Catalogue, Indicator};

/// Which indicators are wanted, for which period, by which area.
#[derive(Clone, Debug)]
pub struct Order {
    /// Ids of indicators; empty: the whole catalogue.
    pub indicators: Vec<String>,
    /// A quarter or a financial year.
    pub period: Period,
    /// The area column; `None`: each indicator's usual one. An indicator without areas ignores it.
    pub breakdown: Option<String>,
    /// How its questions leave.
    pub path: ReleasePath,
    /// The day of the records that are counted; `None`: of each partner the newest. Totals without noise need one.
    pub as_of: Option<Day>,
}

/// How a question's answer leaves the partners.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReleasePath {
    /// As one secure total, of which nobody sees a part. An order's indicators that are not made of totals are asked of own tables.
    Total,
    /// As every partner's own protected table.
    OwnTables,
}

/// Every question of a report, each once.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The period.
    pub period: Period,
    /// Ids of the indicators, in the catalogue's order.
    pub indicators: Vec<String>,
    /// The questions. [`crate::Report::compute`] takes their outcomes in this order.
    pub asks: Vec<Ask>,
    pub(crate) breakdown: Option<String>,
}

/// One question, and what it is for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What is to be signed and sent, in the role and purpose that the indicator names.
    pub question: Question,
    /// How its answer leaves.
    pub path: ReleasePath,
    /// The indicators and the names of the questions in their documents.
    pub uses: Vec<(String, String)>,
}

/// Why an order cannot be asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No such indicator.
    #[error("there is no indicator `{id}`; the catalogue has {has}")]
    NoIndicator {
        /// As ordered.
        id: String,
        /// Those there are.
        has: String,
    },
    /// Not by this area.
    #[error("{id} is not broken down by `{breakdown}`; it is by {allowed}")]
    Breakdown {
        /// The indicator.
        id: String,
        /// As ordered.
        breakdown: String,
        /// What its document allows.
        allowed: String,
    },
    /// Not for a period of this length.
    #[error("{id} is not made for a {grain}")]
    Grain {
        /// The indicator.
        id: String,
        /// `quarter` or `year`.
        grain: &'static str,
    },
    /// The document's question does not hold; a fault of the catalogue.
    #[error("{id}: {says}")]
    Question {
        /// The indicator.
        id: String,
        /// What is wrong.
        says: String,
    },
}

impl PlanError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoIndicator { .. } => "CG101",
            Self::Breakdown { .. } => "CG102",
            Self::Grain { .. } => "CG103",
            Self::Question { .. } => "CG002",
        }
    }
}

/// Makes the batch: every question of every indicator ordered, each once.
///
/// # Errors
/// The first [`PlanError`].
pub fn plan(catalogue: &Catalogue, order: &Order, schema: &Schema) -> Result<Batch, PlanError> {
    let wanted = wanted(catalogue, order)?;
    let mut batch = Batch {
        period: order.period,
        indicators: wanted.iter().map(|i| i.id.clone()).collect(),
        asks: Vec::new(),
        breakdown: order.breakdown.as_deref().map(column_of_word),
    };
    for indicator in wanted {
        let breakdown = breakdown_of(indicator, batch.breakdown.as_deref())?;
        check_grain(indicator, order.period)?;
        let (role, path) = indicator.role(order.path);
        for ask in &indicator.asks {
            let mut question = indicator
                .fill(ask, order.period, breakdown, schema)
                .map_err(|says| PlanError::Question { id: indicator.id.clone(), says })?;
            (question.role, question.as_of) = (role.clone(), order.as_of);
            batch.add(question, path, (indicator.id.clone(), ask.name.clone()));
        }
    }
    Ok(batch)
}

impl Batch {
    fn add(&mut self, question: Question, path: ReleasePath, used: (String, String)) {
        let same = |a: &&mut Ask| a.path == path && a.question.canonical() == question.canonical();
        match self.asks.iter_mut().find(same) {
            Some(ask) => ask.uses.push(used),
            None => self.asks.push(Ask { question, path, uses: vec![used] }),
        }
    }

    /// Where the outcome of an indicator's question stands.
    pub(crate) fn at(&self, indicator: &str, name: &str) -> Option<usize> {
        self.asks.iter().position(|a| a.uses.iter().any(|(i, n)| i == indicator && n == name))
    }
}

fn wanted<'a>(catalogue: &'a Catalogue, order: &Order) -> Result<Vec<&'a Indicator>, PlanError> {
    let all = || catalogue.indicators().iter();
    if let Some(id) = order.indicators.iter().find(|id| catalogue.indicator(id).is_none()) {
        let mut has = all().map(|i| i.id.clone()).collect::<Vec<_>>().join(", ");
        if let Some(near) = nearest(id, all().map(|i| i.id.clone())) {
            has.push_str(&format!("; did you mean `{near}`?"));
        }
        return Err(PlanError::NoIndicator { id: id.chars().take(80).collect(), has });
    }
    Ok(all().filter(|i| order.indicators.is_empty() || order.indicators.contains(&i.id)).collect())
}

/// The breakdown that applies to an indicator: the one ordered, or its usual one.
pub(crate) fn breakdown_of<'a>(
    indicator: &'a Indicator,
    ordered: Option<&str>,
) -> Result<Option<&'a str>, PlanError> {
    let Some(usual) = indicator.breakdowns.first() else { return Ok(None) };
    let Some(ordered) = ordered else { return Ok(Some(usual)) };
    let allowed = indicator.breakdowns.iter().find(|b| *b == ordered);
    allowed.map(|b| Some(b.as_str())).ok_or_else(|| PlanError::Breakdown {
        id: indicator.id.clone(),
        breakdown: ordered.chars().take(80).collect(),
        allowed: indicator.breakdowns.join(", "),
    })
}

fn check_grain(indicator: &Indicator, period: Period) -> Result<(), PlanError> {
    let grain = period.grain().as_str();
    if indicator.grains.iter().any(|g| g == grain) {
        return Ok(());
    }
    Err(PlanError::Grain { id: indicator.id.clone(), grain })
}

/// `council`, `nation` and `lep` are short for the columns meant.
fn column_of_word(word: &str) -> String {
    match word {
        "council" => "participants.council_code".into(),
        "nation" => "participants.council_code@nation".into(),
        "lep" => "engagements.lep_code".into(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests;
