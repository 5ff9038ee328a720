//! The four questions, as plans of what to count.

use std::collections::BTreeMap;

use cairn_question::grid::Dimension;
use cairn_question::schema::{CODE_GRAIN, UNKNOWN};
use cairn_question::{Day, Grid, Measure, QuestionId, Schema};
use cairn_release::{Axis, AxisCodes, Bounds, Cohort, ColumnPath, CountPlan, Keep, Predicate, RawTable};
use serde_json::Value;

/// A question under the name that `duck.py` knows it by.
pub(crate) struct Asked {
    pub(crate) name: &'static str,
    pub(crate) plan: CountPlan,
}

/// The cells that somebody is in.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Counts(BTreeMap<Vec<String>, u64>);

impl Asked {
    pub(crate) fn all() -> Vec<Self> {
        let (council, referral) = (("engagements", "lep_code"), ("engagements", "referral_source"));
        let (home, age, gender) =
            (("participants", "council_code"), ("participants", "age_band"), ("participants", "gender"));
        let outcome = ("outcomes", "outcome_type");
        let asked = |name, dataset: &str, axes: &[(&str, &str)], filters| {
            Some(Self { name, plan: plan(dataset, axes, filters)? })
        };
        let all = [
            asked("people by council", "engagements", &[council], Vec::new()),
            asked("people by referral source", "engagements", &[referral], Vec::new()),
            asked(
                "people in a quarter by council, age and gender",
                "engagements",
                &[council, age, gender],
                started_in_the_quarter(),
            ),
            asked(
                "people by home council and outcome, of one quarter's starts",
                "outcomes",
                &[home, outcome],
                started_in_the_quarter(),
            ),
        ];
        all.into_iter().flatten().collect()
    }
}

fn started_in_the_quarter() -> Vec<Predicate> {
    let quarter = Day::new(2025, 4, 1).zip(Day::new(2025, 6, 30));
    let column = path(("engagements", "start_date"));
    quarter.map(|(first, last)| Predicate { column, keep: Keep::Days(first, last) }).into_iter().collect()
}

fn plan(dataset: &str, axes: &[(&str, &str)], filters: Vec<Predicate>) -> Option<CountPlan> {
    let dimension = |(table, name): &(&str, &str)| {
        let column = Schema::smf().table(table)?.column(name)?;
        let codes = Schema::smf().codes_at(column, CODE_GRAIN)?;
        Some(Dimension { column: (*name).to_owned(), grain: CODE_GRAIN.to_owned(), codes })
    };
    let grid = Grid::new(axes.iter().map(dimension).collect::<Option<_>>()?).ok()?;
    let axis = |(column, dimension): (&(&str, &str), &Dimension)| Axis {
        column: path(*column),
        codes: AxisCodes::Codes(dimension.codes.iter().cloned().zip(0..).collect()),
    };
    let axes = axes.iter().zip(grid.dimensions()).map(axis).collect();
    Some(CountPlan {
        question_id: QuestionId::from_bytes([0; 32]),
        dataset: dataset.to_owned(),
        measure: Measure::People,
        summed: None,
        grid,
        axes,
        filters,
        always: Vec::new(),
        cohort: Cohort::NotCounted,
        bounds: Bounds { rows_per_person: None, groups_per_person: None, cap_key: [0; 32] },
        record_keys: None,
    })
}

fn path((table, column): (&str, &str)) -> ColumnPath {
    ColumnPath { table: table.to_owned(), column: column.to_owned() }
}

impl Counts {
    pub(crate) fn of(asked: &Asked, table: &RawTable) -> Self {
        let grid = &asked.plan.grid;
        let cells = table.counts().iter().enumerate().filter(|(_, people)| **people > 0);
        let codes = |cell| grid.codes_of(cell).into_iter().map(str::to_owned).collect();
        Self(cells.map(|(cell, people)| (codes(cell), *people)).collect())
    }

    /// From rows of codes, NULL being `unknown`, that end in a count.
    pub(crate) fn from_rows(rows: Vec<Vec<Value>>) -> Self {
        let cell = |mut row: Vec<Value>| {
            let people = row.pop().and_then(|n| n.as_u64()).unwrap_or_default();
            (row.iter().map(|c| c.as_str().unwrap_or(UNKNOWN).to_owned()).collect(), people)
        };
        Self(rows.into_iter().map(cell).collect())
    }
}
