//! What is to be counted, and the raw counts that come back: the seam between the gate and the engine.

use std::collections::BTreeMap;
use std::fmt;

use cairn_policy::{Method, Summed, Treatment};
use cairn_question::question::QuestionFault;
use cairn_question::schema::{Kind, UNKNOWN};
use cairn_question::{Day, Filter, Grid, Measure, Period, Question, QuestionId, Schema};

use crate::layout::{Channel, Counted};
use crate::record_keys::RecordKeys;

/// A column of a snapshot's table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ColumnPath {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// What the engine counts for one debited question. Holds no value of any record.
#[derive(Clone, Debug)]
pub struct CountPlan {
    /// The question, so that raw counts can never be taken for another's.
    pub question_id: QuestionId,
    /// The table whose rows are counted.
    pub dataset: String,
    /// People, rows, or a column of theirs added up.
    pub measure: Measure,
    /// The column that is added up, for a sum or a mean. `None` there: nothing bounds it, and it is not added up at all.
    pub summed: Option<Clamped>,
    /// Every cell that will be released.
    pub grid: Grid,
    /// The axes, in the grid's order.
    pub axes: Vec<Axis>,
    /// The question's filters.
    pub filters: Vec<Predicate>,
    /// What the policy leaves out before any filter: rows outside the window, rows that were closed too long ago, people whom the
    /// partner leaves out.
    pub always: Vec<Predicate>,
    /// Whether to count, for each filter, the people that it alone leaves out.
    pub cohort: Cohort,
    /// Most that one person may add.
    pub bounds: Bounds,
    /// Whose keys to add up beside the people, for `cell-key`; `None`: no keys.
    pub record_keys: Option<RecordKeys>,
}

/// One axis of the grid: which of its codes a row falls in.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The column.
    pub column: ColumnPath,
    /// From the stored value to the axis's code.
    pub codes: AxisCodes,
}

/// From a stored value to the position of a code on its axis.
#[derive(Clone, Debug)]
pub enum AxisCodes {
    /// Coded columns (dictionary, number or yes/no): stored code to position. NULL is `unknown`. A code that is missing here
    /// falls in no cell.
    Codes(BTreeMap<String, usize>),
    /// Date columns: first and last day of each position, in order, without overlap. A day outside all of them, or NULL,
    /// falls in no cell.
    Days(Vec<(Day, Day)>),
}

/// A row counts only if this holds.
#[derive(Clone, Debug)]
pub struct Predicate {
    /// The column.
    pub column: ColumnPath,
    /// What is kept.
    pub keep: Keep,
}

/// What a predicate keeps.
#[derive(Clone, Debug)]
pub enum Keep {
    /// Rows whose stored code is one of these; NULL counts as `unknown`.
    Codes(Vec<String>),
    /// Rows whose day lies between these, both counted; NULL never does.
    Days(Day, Day),
    /// Rows whose day is this one or later, or NULL: what is still open, or was closed since.
    OpenOrSince(Day),
}

/// Whether people left out by each filter are to be counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cohort {
    /// Yes: the policy has a `min_cohort`.
    Counted,
    /// No.
    NotCounted,
}

/// A number column of the dataset itself, and what one row's value is clamped to before it is added.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Clamped {
    /// The column.
    pub column: ColumnPath,
    /// Least that a row with a value adds. A row without a value adds nothing and is not counted.
    pub least: u32,
    /// Most that it adds; above `least`.
    pub most: u32,
}

/// Most that one person may add. Applied inside the engine, person by person.
#[derive(Clone)]
pub struct Bounds {
    /// Most rows of one person that count, oldest kept; `None`: all.
    pub rows_per_person: Option<u32>,
    /// Most cells that one person is counted in, chosen by the keyed hash of the person alone; `None`: all.
    pub groups_per_person: Option<u32>,
    /// The key of that hash: the node's own, never sent.
    pub cap_key: [u8; 32],
}

/// Raw counts, straight from the engine. Not serialisable; its `Debug` shows no count.
pub struct RawTable {
    pub(crate) question_id: QuestionId,
    pub(crate) counted: Counted,
}

impl CountPlan {
    /// The plan for a permitted question on a snapshot of `as_of`.
    ///
    /// # Errors
    /// [`QuestionFault`] when the question does not fit the schema; the gate has checked that before.
    pub fn new(
        question_id: QuestionId,
        question: &Question,
        treatment: &Treatment,
        schema: &Schema,
        as_of: Day,
        cap_key: [u8; 32],
    ) -> Result<Self, QuestionFault> {
        let grid = question.counted_grid(schema)?;
        let path = |column: &str| path(schema, &question.dataset, column);
        let axes = question.group_by.iter().zip(grid.dimensions()).map(|(axis, dimension)| {
            let column = path(&axis.column)?;
            let codes = axis_codes(schema, &column, &axis.grain, &dimension.codes);
            Ok(Axis { column, codes })
        });
        let axes = axes.collect::<Result<_, QuestionFault>>()?;
        let filters = question.filter_by.iter().map(|f| predicate(schema, path(&f.column)?, f));
        let filters = filters.collect::<Result<_, _>>()?;
        let always = always(schema, question, treatment, as_of)?;
        let groups_per_person = match treatment.method {
            Method::Dp { groups_per_person, .. } => Some(groups_per_person),
            _ => None,
        };
        let rows_per_person = rows_per_person(question, treatment, schema);
        let bounds = Bounds { rows_per_person, groups_per_person, cap_key };
        let summed = match (question.measure.column(), &treatment.summed) {
            (Some(column), Some(Summed { least, most, .. })) => {
                Some(Clamped { column: path(column)?, least: *least, most: *most })
            }
            _ => None,
        };
        let cohort = if treatment.min_cohort > 0 { Cohort::Counted } else { Cohort::NotCounted };
        let keyed = matches!(treatment.method, Method::CellKey { .. });
        let record_keys = keyed.then(|| RecordKeys::new(&cap_key));
        Ok(Self {
            question_id,
            dataset: question.dataset.clone(),
            measure: question.measure.clone(),
            summed,
            grid,
            axes,
            filters,
            always,
            cohort,
            bounds,
            record_keys,
        })
    }
}

impl CountPlan {
    /// The columns that decide what is counted, once for each use.
    pub fn columns(&self) -> impl Iterator<Item = &ColumnPath> {
        let axes = self.axes.iter().map(|axis| &axis.column);
        let narrowed = self.filters.iter().chain(&self.always).map(|predicate| &predicate.column);
        axes.chain(narrowed).chain(self.summed.iter().map(|summed| &summed.column))
    }
}

/// The policy's bound, or 1 where the dictionary says that one row is one person. `None` where nothing bounds the rows of a person, as in a
/// table without persons, and where people are counted, each once.
fn rows_per_person(question: &Question, treatment: &Treatment, schema: &Schema) -> Option<u32> {
    let table = schema.table(&question.dataset).filter(|t| t.person_key.is_some())?;
    let one = (question.measure != Measure::People && table.rows_per_person_max.is_none()).then_some(1);
    treatment.rows_per_person.or(one)
}

/// What never counts, whatever is asked. Not part of the cohort rule: these people and rows are in no table at all.
fn always(
    schema: &Schema,
    question: &Question,
    treatment: &Treatment,
    as_of: Day,
) -> Result<Vec<Predicate>, QuestionFault> {
    let window = treatment.window.column.as_deref().map(|column| {
        let last = as_of.plus_days(-i32::try_from(treatment.window.lag_days).unwrap_or(i32::MAX));
        (column, Keep::Days(treatment.window.from.unwrap_or(Day::EARLIEST), last))
    });
    let keep = treatment.keep.as_ref().map(|k| (k.column.as_str(), Keep::OpenOrSince(k.first_kept(as_of))));
    let opt_out = treatment.opt_out.as_ref().map(|o| {
        // A blank is the code `unknown` elsewhere; here nobody may name it.
        let codes = o.share_only_if.iter().filter(|code| *code != UNKNOWN).cloned().collect();
        (o.column.as_str(), Keep::Codes(codes))
    });
    let all = [window, keep, opt_out].into_iter().flatten();
    all.map(|(column, keep)| Ok(Predicate { column: path(schema, &question.dataset, column)?, keep }))
        .collect()
}

fn path(schema: &Schema, dataset: &str, column: &str) -> Result<ColumnPath, QuestionFault> {
    let found = schema.find(dataset, column).ok_or_else(|| QuestionFault::Column {
        dataset: dataset.to_owned(),
        column: column.to_owned(),
        nearest: None,
    })?;
    Ok(ColumnPath { table: found.table.name.clone(), column: found.column.name.clone() })
}

fn axis_codes(schema: &Schema, path: &ColumnPath, grain: &str, codes: &[String]) -> AxisCodes {
    let periods = codes.iter().map(|c| c.parse::<Period>().ok().map(|p| (p.first_day(), p.last_day())));
    let column = schema.table(&path.table).and_then(|t| t.column(&path.column));
    match column {
        Some(column) if column.kind != Kind::Date => {
            let coarse = schema.coarsen(column, grain).unwrap_or_default();
            let at = |part: &String| codes.iter().position(|c| c == part);
            AxisCodes::Codes(coarse.into_iter().filter_map(|(code, part)| Some((code, at(&part)?))).collect())
        }
        _ => AxisCodes::Days(periods.flatten().collect()),
    }
}

fn predicate(schema: &Schema, column: ColumnPath, filter: &Filter) -> Result<Predicate, QuestionFault> {
    let wrong = || QuestionFault::Value {
        column: filter.column.clone(),
        grain: filter.grain.clone(),
        value: filter.value.clone(),
    };
    let definition = schema.table(&column.table).and_then(|t| t.column(&column.column)).ok_or_else(wrong)?;
    let keep = if definition.kind == Kind::Date {
        let period: Period = filter.value.parse().map_err(|_| wrong())?;
        Keep::Days(period.first_day(), period.last_day())
    } else {
        Keep::Codes(schema.codes_meant(definition, &filter.grain, &filter.value).ok_or_else(wrong)?)
    };
    Ok(Predicate { column, keep })
}

impl RawTable {
    /// The engine's numbers for a question.
    #[must_use]
    pub const fn of(question_id: QuestionId, counted: Counted) -> Self {
        Self { question_id, counted }
    }

    /// Counts of people, and of rows for the measure rows: one for each cell of the plan's grid. `left_out` has, for each
    /// filter of the plan, the people that it alone leaves out, or is empty when not asked for.
    #[must_use]
    pub fn new(
        question_id: QuestionId,
        people: Vec<u64>,
        rows: Option<Vec<u64>>,
        left_out: Vec<u64>,
    ) -> Self {
        let rows = rows.map(|rows| (Channel::Rows, rows));
        let channels = std::iter::once((Channel::People, people)).chain(rows).collect();
        Self { question_id, counted: Counted { channels, left_out } }
    }

    /// The same with the sum of the record keys of each cell's people.
    #[must_use]
    pub fn with_keys(mut self, keys: Vec<u64>) -> Self {
        self.counted.channels.insert(Channel::Keys, keys);
        self
    }

    /// What the question asks of each cell (people, rows or a sum): for tests and benchmarks of the engine, which hold made-up people only.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        let asked = [Channel::Sums, Channel::Rows, Channel::People].map(|channel| self.counted.of(channel));
        asked.into_iter().find(|numbers| !numbers.is_empty()).unwrap_or_default()
    }

    pub(crate) fn people(&self) -> &[u64] {
        self.counted.of(Channel::People)
    }

    /// `None` where record keys were not added up.
    pub(crate) fn keys(&self) -> Option<&[u64]> {
        self.counted.channels.get(&Channel::Keys).map(Vec::as_slice)
    }

    /// `None` where rows were not counted.
    pub(crate) fn rows(&self) -> Option<&[u64]> {
        self.counted.channels.get(&Channel::Rows).map(Vec::as_slice)
    }
}

impl fmt::Debug for RawTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawTable({} cells withheld)", self.people().len())
    }
}

impl fmt::Debug for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bounds(rows {:?}, groups {:?})", self.rows_per_person, self.groups_per_person)
    }
}

#[cfg(test)]
mod tests;
