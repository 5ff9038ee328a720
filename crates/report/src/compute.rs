//! A report: figures made from the partners' released tables.

use std::collections::BTreeSet;

use cairn_question::answer::Zeros;
use cairn_question::schema::UNKNOWN;
use cairn_question::{AnswerV1, Day, Dimension, Grid, PartnerId, Period, Schema, TreatmentV1};

use crate::added::Added;
use crate::catalogue::{Catalogue, Indicator, Kind, Measure, Part};
use crate::coverage::Coverage;
use crate::figure::{Count, Figure, Marker, Ratio};
use crate::outcome::{Outcome, Released};
use crate::plan::{Batch, breakdown_of};

/// A whole report.
#[derive(Clone, Debug)]
pub struct Report {
    /// The period.
    pub period: Period,
    /// The indicators, in the catalogue's order.
    pub indicators: Vec<Reported>,
}

/// One indicator's figures, and everything that is needed to read them.
#[derive(Clone, Debug)]
pub struct Reported {
    /// Its document.
    pub indicator: Indicator,
    /// The area column; absent where it is asked without areas.
    pub breakdown: Option<String>,
    /// Who answered.
    pub coverage: Coverage,
    /// The treatments that were applied, in words, each once.
    pub treatments: Vec<String>,
    /// Earliest and latest date of the records counted; absent where nobody answered.
    pub as_of: Option<(Day, Day)>,
    /// Notes that partners' templates leave, each once.
    pub notes: Vec<String>,
    /// Later rows are expected at some partner that answered.
    pub provisional: bool,
    /// The figures: by row, then area (the sum over areas last), then measure.
    pub lines: Vec<Line>,
}

/// One figure in its place.
#[derive(Clone, Debug)]
pub struct Line {
    /// A code of the breakdown, or `all`.
    pub area_code: String,
    /// The same in words.
    pub area_label: String,
    /// The row within the area, where the indicator has rows.
    pub row: Option<String>,
    /// What it is.
    pub measure: String,
    /// Its heading.
    pub column: String,
    /// The base of a share, in words.
    pub base: Option<String>,
    /// How many partners are in it.
    pub partners: usize,
    /// The figure.
    pub figure: Figure,
}

/// Why no report can be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ComputeError {
    /// The outcomes are not of this batch.
    #[error("the batch has {asks} questions, and there are {outcomes} outcomes")]
    Outcomes {
        /// Questions.
        asks: usize,
        /// Outcomes.
        outcomes: usize,
    },
    /// The batch names something that the catalogue has not.
    #[error("the batch is not of this catalogue: `{0}`")]
    Catalogue(String),
}

impl ComputeError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Outcomes { .. } => "CG104",
            Self::Catalogue(_) => "CG105",
        }
    }
}

impl Report {
    /// Makes the figures. `outcomes` are in the order of the batch's questions.
    ///
    /// # Errors
    /// [`ComputeError`].
    pub fn compute(
        catalogue: &Catalogue,
        batch: &Batch,
        outcomes: &[Outcome],
        schema: &Schema,
    ) -> Result<Self, ComputeError> {
        if batch.asks.len() != outcomes.len() {
            return Err(ComputeError::Outcomes { asks: batch.asks.len(), outcomes: outcomes.len() });
        }
        let strange = |what: &str| ComputeError::Catalogue(what.to_owned());
        let indicators = batch.indicators.iter().map(|id| {
            let indicator = catalogue.indicator(id).ok_or_else(|| strange(id))?;
            let breakdown =
                breakdown_of(indicator, batch.breakdown.as_deref()).map_err(|e| strange(&e.to_string()))?;
            let tables = Tables::gather(indicator, batch, outcomes, schema).ok_or_else(|| strange(id))?;
            Ok(tables.report(indicator, breakdown, schema))
        });
        Ok(Self { period: batch.period, indicators: indicators.collect::<Result<_, _>>()? })
    }
}

/// One indicator's questions with what came back.
struct Tables<'a> {
    tables: Vec<Table<'a>>,
}

struct Table<'a> {
    name: &'a str,
    grid: Grid,
    by_area: bool,
    outcome: &'a Outcome,
}

/// One question's released cells, added up over some partners.
struct Sum<'a> {
    table: &'a Table<'a>,
    added: Added<'a>,
}

impl<'a> Tables<'a> {
    fn gather(
        indicator: &'a Indicator,
        batch: &Batch,
        outcomes: &'a [Outcome],
        schema: &Schema,
    ) -> Option<Self> {
        let table = |ask: &'a crate::catalogue::NamedQuestion| {
            let at = batch.at(&indicator.id, &ask.name)?;
            let grid = batch.asks.get(at)?.question.grid(schema).ok()?;
            let by_area = ask.question.contains("{breakdown}");
            Some(Table { name: &ask.name, grid, by_area, outcome: outcomes.get(at)? })
        };
        Some(Self { tables: indicator.asks.iter().map(table).collect::<Option<_>>()? })
    }

    fn report(&self, indicator: &Indicator, breakdown: Option<&str>, schema: &Schema) -> Reported {
        let outcomes: Vec<&Outcome> = self.tables.iter().map(|t| t.outcome).collect();
        let released = || outcomes.iter().flat_map(|o| &o.released);
        let snapshots = || released().flat_map(|r| &r.snapshots);
        let days: BTreeSet<Day> = snapshots().map(|s| s.as_of).collect();
        let treatments: BTreeSet<String> = released().map(protection).collect();
        let notes: BTreeSet<String> = snapshots().flat_map(|s| s.notes.iter().cloned()).collect();
        let provisional = snapshots().any(|s| s.provisional);
        let lines = rows(indicator).into_iter().flat_map(|row| self.row(indicator, row, schema));
        let marked = lines.map(|l| match provisional {
            true => Line { figure: l.figure.provisional(), ..l },
            false => l,
        });
        Reported {
            breakdown: breakdown.map(str::to_owned),
            coverage: Coverage::of(&outcomes),
            treatments: treatments.into_iter().collect(),
            as_of: days.first().copied().zip(days.last().copied()),
            notes: notes.into_iter().collect(),
            provisional,
            lines: marked.collect(),
            indicator: indicator.clone(),
        }
    }

    /// The figures of one row for every area. All are over the same partners: those that answered every question of the
    /// row, because a numerator and a denominator over different partners make no share.
    fn row(&self, indicator: &Indicator, row: Option<&str>, schema: &Schema) -> Vec<Line> {
        let measures: Vec<&Measure> = indicator.measures.iter().filter(|m| m.row.as_deref() == row).collect();
        let used: BTreeSet<&str> = measures.iter().flat_map(|m| parts(m)).map(|p| p.0).collect();
        let used: Vec<&Table<'_>> = self.tables.iter().filter(|t| used.contains(t.name)).collect();
        let partners = in_all(&used);
        let sums: Vec<Sum<'_>> = used.iter().map(|t| Sum::over(t, &partners)).collect();
        let min_people = min_people(&used, &partners);
        let mut lines = Vec::new();
        for area in areas(&used, schema) {
            for measure in &measures {
                lines.push(Line {
                    area_code: area.code.clone(),
                    area_label: area.label.clone(),
                    row: row.map(str::to_owned),
                    measure: measure.name.clone(),
                    column: measure.column.clone(),
                    base: measure.base.clone(),
                    partners: partners.len(),
                    figure: figure(measure, &sums, area.only(), min_people),
                });
            }
        }
        lines
    }
}

/// The rows of an indicator, in the order of its document.
fn rows(indicator: &Indicator) -> Vec<Option<&str>> {
    let mut rows = Vec::new();
    for measure in &indicator.measures {
        if !rows.contains(&measure.row.as_deref()) {
            rows.push(measure.row.as_deref());
        }
    }
    rows
}

/// The questions and codes that a measure needs.
fn parts(measure: &Measure) -> Vec<(&str, Option<&[String]>)> {
    let both = [Some(&measure.numerator), measure.denominator.as_ref()];
    let mut parts: Vec<(&str, Option<&[String]>)> =
        both.into_iter().flatten().map(|p| (p.of.as_str(), p.codes.as_deref())).collect();
    parts.extend(measure.needs_known.as_ref().map(|k| (k.of.as_str(), None)));
    parts
}

/// The partners whose tables answer every question: of a total all of its partners, or none.
fn in_all(tables: &[&Table<'_>]) -> BTreeSet<PartnerId> {
    let mut partners: BTreeSet<PartnerId> =
        tables.iter().flat_map(|t| t.whole()).flat_map(|r| &r.of).cloned().collect();
    loop {
        let answered = |t: &&Table<'_>| -> BTreeSet<PartnerId> {
            let within = t.whole().filter(|r| r.of.is_subset(&partners));
            within.flat_map(|r| &r.of).cloned().collect()
        };
        let sets = tables.iter().map(answered);
        let all = sets.reduce(|a, b| a.intersection(&b).cloned().collect()).unwrap_or_default();
        // A total that is not wholly within falls out, and takes its partners with it.
        if all == partners {
            return all;
        }
        partners = all;
    }
}

/// The largest k-threshold among the answers; 0 where none has one.
fn min_people(tables: &[&Table<'_>], partners: &BTreeSet<PartnerId>) -> i64 {
    let answers = tables.iter().flat_map(|t| t.within(partners));
    let threshold = |a: &AnswerV1| match a.treatment {
        TreatmentV1::SuppressRound { min_people, .. }
        | TreatmentV1::SuppressAudit { min_people, .. }
        | TreatmentV1::CellKey { min_people, .. } => i64::from(min_people),
        TreatmentV1::Dp { .. } | TreatmentV1::CountOnce { .. } => 0,
    };
    answers.map(threshold).max().unwrap_or(0)
}

struct Area {
    code: String,
    label: String,
}

impl Area {
    /// The area's code; `None` for the sum over areas.
    fn only(&self) -> Option<&str> {
        (self.code != ALL_AREAS).then_some(self.code.as_str())
    }
}

/// The code of the sum over areas, and of an indicator without areas.
const ALL_AREAS: &str = "all";

fn areas(tables: &[&Table<'_>], schema: &Schema) -> Vec<Area> {
    let axis = tables.iter().find(|t| t.by_area).and_then(|t| t.grid.dimensions().last());
    let mut areas: Vec<Area> = axis
        .iter()
        .flat_map(|d| d.codes.iter().map(|code| Area { code: code.clone(), label: label(d, code, schema) }))
        .collect();
    areas.push(Area { code: ALL_AREAS.into(), label: "All areas".into() });
    areas
}

fn label(axis: &Dimension, code: &str, schema: &Schema) -> String {
    if code == UNKNOWN {
        return "Not known".into();
    }
    let column = axis.column.rsplit('.').next().unwrap_or(&axis.column);
    let lists = schema.tables().filter_map(|t| t.column(column)?.codes.as_deref());
    let label = lists.filter_map(|id| schema.code_list(id)).map(|l| l.label(code)).find(|l| *l != code);
    // A coarser part has no label of its own: `scotland`.
    let mut letters = code.chars();
    let capital = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    label.map_or_else(|| capital + letters.as_str(), str::to_owned)
}

fn figure(measure: &Measure, sums: &[Sum<'_>], area: Option<&str>, min_people: i64) -> Figure {
    let count = |of: &str, codes: Option<&[String]>| {
        sums.iter().find(|s| s.table.name == of).map(|s| s.count(area, codes)).unwrap_or_default()
    };
    let numerator = count(&measure.numerator.of, measure.numerator.codes.as_deref());
    let (Kind::Share, Some(base)) = (measure.kind, &measure.denominator) else {
        return numerator.figure();
    };
    let denominator = count(&base.of, base.codes.as_deref());
    let rest = rest(&measure.numerator, base, sums).map(|codes| count(&base.of, Some(&codes)));
    let share = Ratio { numerator, denominator, rest, min_people }.figure();
    let wider = measure.needs_known.as_ref().map(|k| (count(&k.of, None), i64::from(k.percent)));
    match wider {
        Some((due, percent)) if share.value.is_some() && !known(&denominator, &due, percent) => {
            Figure { note: Some(TOO_LITTLE_KNOWN), ..Figure::only(Marker::LowReliability) }
        }
        _ => share,
    }
}

const TOO_LITTLE_KNOWN: &str = "too little of the base is known, so this share alone would mislead";

fn known(heard: &Count, due: &Count, percent: i64) -> bool {
    heard.value().saturating_mul(100) >= due.value().saturating_mul(percent)
}

/// The codes of the base that are not in the numerator, where both are of one table.
fn rest(numerator: &Part, base: &Part, sums: &[Sum<'_>]) -> Option<Vec<String>> {
    if numerator.of != base.of {
        return None;
    }
    let axis = sums.iter().find(|s| s.table.name == base.of)?.table.other_axis()?;
    let in_base = |c: &String| base.codes.as_ref().is_none_or(|codes| codes.contains(c));
    let counted = |c: &String| numerator.codes.as_ref().is_none_or(|codes| codes.contains(c));
    Some(axis.codes.iter().filter(|c| in_base(c) && !counted(c)).cloned().collect())
}

impl Table<'_> {
    /// The released tables that are of its grid.
    fn whole(&self) -> impl Iterator<Item = &Released> {
        self.outcome.released.iter().filter(|r| r.answer.table.dimensions == self.grid.dimensions())
    }

    /// Those of them that are of these partners alone.
    fn within(&self, partners: &BTreeSet<PartnerId>) -> impl Iterator<Item = &AnswerV1> {
        self.whole().filter(|r| r.of.is_subset(partners)).map(|r| &r.answer)
    }

    /// The axis beside the area.
    fn other_axis(&self) -> Option<&Dimension> {
        self.grid.dimensions().iter().rev().nth(usize::from(self.by_area))
    }
}

impl<'a> Sum<'a> {
    fn over(table: &'a Table<'a>, partners: &BTreeSet<PartnerId>) -> Self {
        Self { added: Added::over(&table.grid, table.within(partners).collect()), table }
    }

    /// The sum of the cells of one area (or of all), for some codes of the other axis (or all).
    fn count(&self, area: Option<&str>, codes: Option<&[String]>) -> Count {
        let cells = (0..self.table.grid.cells()).filter(|at| {
            let of = self.table.grid.codes_of(*at);
            let (here, other) = match (self.table.by_area, of.as_slice()) {
                (true, [.., here]) => (Some(*here), of.iter().rev().nth(1)),
                _ => (None, of.last()),
            };
            let in_area = area.is_none() || here == area;
            let in_codes = codes.is_none_or(|codes| other.is_some_and(|o| codes.iter().any(|c| c == o)));
            in_area && in_codes
        });
        cells.map(|at| self.added.cell(at)).reduce(|a, b| a.plus(&b)).unwrap_or_default()
    }
}

/// How a released table is protected, in words.
fn protection(released: &Released) -> String {
    let of = &released.answer.treatment;
    match released.of.len() {
        0 | 1 => treatment(of, "each partner's cell"),
        partners => format!(
            "one total of {partners} partners, of which nobody saw a part: {}",
            treatment(of, "each cell of it")
        ),
    }
}

/// A treatment in words.
fn treatment(treatment: &TreatmentV1, cell: &str) -> String {
    match treatment {
        TreatmentV1::SuppressRound { profile, min_people, round_to, promise: Some(_), .. } => {
            let top = min_people.saturating_sub(1);
            format!(
                "{profile}: 0 shown, 1 to {top} people withheld with the cells that would give them away, the rest rounded to the nearest {round_to}"
            )
        }
        TreatmentV1::SuppressRound { profile, min_people, round_to, zeros, .. } => {
            let zero = match zeros {
                Zeros::Show => "0 shown, cells of 1",
                Zeros::Withhold => "cells of 0",
            };
            let top = min_people.saturating_sub(1);
            format!("{profile}: {zero} to {top} people withheld, the rest rounded to the nearest {round_to}")
        }
        TreatmentV1::SuppressAudit { profile, min_people, .. } => {
            let top = min_people.saturating_sub(1);
            format!(
                "{profile}: 0 shown, 1 to {top} people withheld with the cells that would give them away, the rest exact"
            )
        }
        TreatmentV1::CellKey { profile, table, max_change, min_people, round_to, .. } => format!(
            "{profile}: each partner's count changed by at most {max_change} by the keys of its people ({table}), under {min_people} withheld, the rest rounded to the nearest {round_to}"
        ),
        TreatmentV1::Dp { mechanism, epsilon, plus_minus_95, concentrated, .. } => {
            let loss = match concentrated {
                None => format!("ε = {epsilon}"),
                Some(loss) => format!("ρ = {}", loss.rho),
            };
            format!(
                "{mechanism} noise at {loss}: {cell} within {plus_minus_95} of its count, 95 times in 100"
            )
        }
        TreatmentV1::CountOnce { epsilon, keys_per_person, breakdown, .. } => format!(
            "people counted once over all partners, at ε = {epsilon} for each linkage key, at most {keys_per_person} a person{}",
            breakdown.map_or_else(String::new, |of| format!(
                ", and each of at most {} cells",
                of.cells_per_person()
            ))
        ),
    }
}

#[cfg(test)]
mod tests;
