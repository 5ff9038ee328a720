//! Medians and other quantiles over declared bands: worked out from released counts only, so that they cost nothing and show nothing more.
//!
//! No exact quantile is ever made: it would be the value of one person (docs/reference/unsafe-cells.md, L8). A histogram is a table
//! by an ordered axis; its full grid leaves like any other table's, and whoever reads it can find the band in which a quantile
//! lies. docs/reference/measures.md has the formulas.

use std::fmt;

use cairn_question::schema::UNKNOWN;
use cairn_question::{AnswerV1, Grid, Measure, Question, Schema, form};

use crate::added::Added;
use crate::figure::{Count, RangeKind};

/// A share of the people, in thousandths: 500 is the median. 1 to 999, since the least and the greatest are no quantiles that bands give.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PerMille(u16);

/// A quantile that is wanted of a question's table: `age_band=50`. Made before anything is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QuantileAsk {
    axis: usize,
    column: String,
    share: PerMille,
}

/// Why a quantile cannot be had of a question, whatever the answer is.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantileError {
    /// Not a column and a share.
    #[error(
        "`{0}` is no quantile: write a column and a per cent above 0 and below 100, such as age_band=50 for the median"
    )]
    Form(String),
    /// The question is not grouped by that column.
    #[error("the question is not by `{column}`; it is by {by}")]
    NoAxis {
        /// As asked.
        column: String,
        /// What it is by.
        by: String,
    },
    /// The codes of the column have no order.
    #[error("`{column}` has no order, so that no band is its middle; columns with an order: {ordered}")]
    NoOrder {
        /// As asked.
        column: String,
        /// Columns of the question's tables that have one.
        ordered: String,
    },
    /// Something other than people or rows is counted.
    #[error("a quantile is of people or of rows, and the question is of {0}")]
    NotCounts(String),
}

/// A quantile of one group: the codes of the other axes, and where it lies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupQuantile {
    /// The group's codes, in the order of the grid's other axes; empty where there is no other.
    pub codes: Vec<String>,
    /// The quantile.
    pub quantile: Quantile,
}

/// What became of a quantile.
///
/// Complete: it lies somewhere, or one of the reasons why it cannot be said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Quantile {
    /// The band, by its code.
    Band(QuantileBand),
    /// A band is withheld, or a withheld part of one sets no bound.
    Withheld,
    /// A band was not answered.
    NotAnswered,
    /// The released counts add up to nobody.
    Nobody,
}

/// Where a quantile lies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QuantileBand {
    /// The band in which the released counts reach it.
    pub band: String,
    /// The first band that it may lie in.
    pub least: String,
    /// The last band that it may lie in.
    pub most: String,
    /// What `least` and `most` promise.
    pub range: RangeKind,
    /// How many partners' parts are withheld in the bands; each stands at the middle of what it can be.
    pub parts_withheld: u32,
}

impl PerMille {
    /// The thousandths.
    #[must_use]
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// Takes a per cent with one decimal place at most: `50`, `2.5`.
    fn parse(text: &str) -> Option<Self> {
        thousandths(text).filter(|thousandths| (1..=999).contains(thousandths)).map(Self)
    }
}

/// A per cent below 100 with one decimal place at most, `50` or `2.5`, in thousandths; `None` for anything else.
#[must_use]
pub fn thousandths(text: &str) -> Option<u16> {
    let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |t: &str, most: usize| (1..=most).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 2) || !digits(tenth, 1) {
        return None;
    }
    Some(whole.parse::<u16>().ok()? * 10 + tenth.parse::<u16>().ok()?)
}

impl fmt::Display for PerMille {
    /// As a per cent: `50`, `2.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 10, self.0 % 10) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, tenth) => write!(f, "{whole}.{tenth}"),
        }
    }
}

impl QuantileError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(_) => "CG106",
            Self::NoAxis { .. } => "CG107",
            Self::NoOrder { .. } => "CG108",
            Self::NotCounts(_) => "CG109",
        }
    }
}

impl QuantileAsk {
    /// Reads `COLUMN=PERCENT` for a question. The column is one that the question is by, in any of its spellings.
    ///
    /// # Errors
    /// [`QuantileError`].
    pub fn new(text: &str, question: &Question, schema: &Schema) -> Result<Self, QuantileError> {
        let short = || text.chars().take(80).collect::<String>();
        let (word, share) = text.split_once('=').ok_or_else(|| QuantileError::Form(short()))?;
        let share = PerMille::parse(share.trim()).ok_or_else(|| QuantileError::Form(short()))?;
        if !matches!(question.measure, Measure::People | Measure::Rows) {
            return Err(QuantileError::NotCounts(question.measure.to_string()));
        }
        let by = || question.group_by.iter();
        let exactly = by().position(|axis| axis.column == word.trim());
        let axis = exactly.or_else(|| by().position(|axis| is_called(&axis.column, word.trim())));
        let named = axis.and_then(|at| Some((at, question.group_by.get(at)?)));
        let (axis, column) = named.ok_or_else(|| no_axis(word.trim(), question))?;
        let column = column.column.clone();
        if !schema.find(&question.dataset, &column).is_some_and(|f| schema.is_ordered(f.column)) {
            let ordered = ordered(schema, &question.dataset);
            return Err(QuantileError::NoOrder { column, ordered });
        }
        Ok(Self { axis, column, share })
    }

    /// The column, as the question names it.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The share.
    #[must_use]
    pub const fn share(&self) -> PerMille {
        self.share
    }

    /// The quantile of each group of the other axes, in the grid's order, from the partners' released tables. People whose band is
    /// not known are in none.
    #[must_use]
    pub fn of<'a>(&self, grid: &Grid, answers: impl Iterator<Item = &'a AnswerV1>) -> Vec<GroupQuantile> {
        let added = Added::over(grid, answers.collect());
        let mut groups: Vec<Group<'_>> = Vec::new();
        for at in 0..grid.cells() {
            let mut codes = grid.codes_of(at);
            if self.axis >= codes.len() {
                continue;
            }
            let band = codes.remove(self.axis);
            let group = match groups.iter().position(|group| group.codes == codes) {
                Some(known) => known,
                None => {
                    groups.push(Group { codes, bands: Vec::new() });
                    groups.len() - 1
                }
            };
            if let Some(group) = groups.get_mut(group).filter(|_| band != UNKNOWN) {
                group.bands.push((band, added.cell(at)));
            }
        }
        let of = |group: Group<'_>| GroupQuantile {
            codes: group.codes.into_iter().map(str::to_owned).collect(),
            quantile: quantile(&group.bands, self.share),
        };
        groups.into_iter().map(of).collect()
    }
}

/// One group of the other axes, and its bands in order.
struct Group<'a> {
    codes: Vec<&'a str>,
    bands: Vec<(&'a str, Count)>,
}

/// The columns with an order that a question of this dataset can be by.
fn ordered(schema: &Schema, dataset: &str) -> String {
    let columns = schema.ancestry(dataset).into_iter().flat_map(|table| &table.columns);
    let names: Vec<&str> = columns.filter(|c| schema.is_ordered(c)).map(|c| c.name.as_str()).collect();
    names.join(", ")
}

fn no_axis(word: &str, question: &Question) -> QuantileError {
    let by: Vec<&str> = question.group_by.iter().map(|axis| axis.column.as_str()).collect();
    let by = if by.is_empty() { "nothing".to_owned() } else { by.join(", ") };
    QuantileError::NoAxis { column: word.chars().take(80).collect(), by }
}

/// `age`, `age band`, `age_band` and `participants.age_band` are all `participants.age_band`.
fn is_called(column: &str, word: &str) -> bool {
    let name = |column: &str| column.rsplit('.').next().map(|name| name.replace(' ', "_"));
    let named = name(column);
    let short =
        |(short, _, meant, _): &(&str, &str, &str, &str)| *short == word && named.as_deref() == Some(*meant);
    named == name(word) || form::WORDS.iter().any(short)
}

/// The band in which the share of the people is reached, from the counts of the bands in order.
///
/// The people up to and with band b are at least the share p where D = (1000−p)·(counts up to b) − p·(counts after b) is not below 0. Counts keep
/// their negatives, so that no sum is too high. D lies between D₋ and D₊: certain ranges at their ends, and the half-widths w of noise at
/// √((1000−p)²·Σ w² up to b + p²·Σ w² after b), by the rule for sums of noisy parts ([`Count::range`]). The true band q has D ≥ 0 and the one
/// before it D < 0. So no band before the first with D₊ ≥ 0 is q, nor any after the first from which D₋ ≥ 0 holds throughout: each
/// end is wrong only where one D lies outside its own half-width, on one side, which is 1 in 40 each and 1 in 20 together.
fn quantile(bands: &[(&str, Count)], share: PerMille) -> Quantile {
    if bands.iter().any(|(_, count)| count.unanswered()) {
        return Quantile::NotAnswered;
    }
    if bands.iter().any(|(_, count)| count.withheld() || count.ends().1.is_none()) {
        return Quantile::Withheld;
    }
    if bands.iter().map(|(_, count)| i128::from(count.value())).sum::<i128>() <= 0 {
        return Quantile::Nobody;
    }
    let over: Vec<Over> = (1..=bands.len()).map(|upto| Over::of(bands, upto, share)).collect();
    let band = over.iter().position(|d| d.at >= 0);
    let least = over.iter().position(|d| d.most >= 0);
    let most = over.iter().rposition(|d| d.least < 0).map_or(0, |below| below + 1);
    // Everybody is in the last band or before it.
    let last = bands.len().saturating_sub(1);
    let code = |at: Option<usize>| {
        let at = at.unwrap_or(last).min(last);
        bands.get(at).map(|(code, _)| (*code).to_owned()).unwrap_or_default()
    };
    let noisy = bands.iter().any(|(_, count)| count.kind() == RangeKind::NinetyFive);
    Quantile::Band(QuantileBand {
        band: code(band),
        least: code(least),
        most: code(Some(most)),
        range: if noisy { RangeKind::NinetyFive } else { RangeKind::Certain },
        parts_withheld: bands.iter().map(|(_, count)| count.parts_withheld()).fold(0, u32::saturating_add),
    })
}

/// By how much the people up to a band are over the quantile, in thousandths of a person: D, and its ends.
struct Over {
    at: i128,
    least: i128,
    most: i128,
}

impl Over {
    fn of(bands: &[(&str, Count)], upto: usize, share: PerMille) -> Self {
        let (p, rest) = (i128::from(share.0), 1_000 - i128::from(share.0));
        let mut over = Self { at: 0, least: 0, most: 0 };
        let mut squares = 0_u128;
        for (n, (_, count)) in bands.iter().enumerate() {
            let (least, most, squared) = count.ends();
            let (at, least, most) =
                (i128::from(count.value()), i128::from(least), i128::from(most.unwrap_or(i64::MAX)));
            let weight = if n < upto {
                (over.at, over.least, over.most) =
                    (over.at + rest * at, over.least + rest * least, over.most + rest * most);
                rest
            } else {
                (over.at, over.least, over.most) =
                    (over.at - p * at, over.least - p * most, over.most - p * least);
                p
            };
            squares = squares.saturating_add((weight * weight).unsigned_abs().saturating_mul(squared));
        }
        let root = squares.isqrt();
        let within = i128::try_from(root + u128::from(root * root < squares)).unwrap_or(i128::MAX / 4);
        Self { at: over.at, least: over.least - within, most: over.most + within }
    }
}

#[cfg(test)]
mod tests;
