//! The same counts, by looking at each person in memory.

use std::collections::BTreeSet;

use cairn_question::Measure;
use cairn_question::schema::UNKNOWN;
use cairn_release::{Channel, CountPlan, Layout};

use super::world::{Activity, Asked, Field, Outcome, Person, SPANS, Start, World, kept_code};

#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Expected {
    pub(crate) people: Vec<u64>,
    pub(crate) rows: Option<Vec<u64>>,
    pub(crate) sums: Option<Vec<u64>>,
    pub(crate) left_out: Vec<u64>,
}

impl Expected {
    pub(crate) fn of(plan: &CountPlan, numbers: &[u64]) -> Self {
        let layout = Layout::of(plan);
        let counted = layout.split(numbers).unwrap();
        let some = |channel| layout.has(channel).then(|| counted.of(channel).to_vec());
        Self {
            people: counted.of(Channel::People).to_vec(),
            rows: some(Channel::Rows),
            sums: some(Channel::Sums),
            left_out: counted.left_out().to_vec(),
        }
    }
}

struct Row<'a>(&'a Person, Option<&'a Start>, Option<&'a Outcome>, Option<&'a Activity>);

enum Value {
    Code(String),
    Day(i32),
}

pub(crate) fn model(world: &World, asked: &Asked) -> Expected {
    let cells: usize = asked.axes.iter().map(|a| a.codes().len()).product();
    let (mut people, mut rows, mut sums) = (vec![0; cells], vec![0; cells], vec![0; cells]);
    let mut left_out = vec![0; asked.filters.len()];
    for person in &world.persons {
        let counting: Vec<Row<'_>> = rows_of(person, asked.dataset);
        let counting: Vec<Row<'_>> = counting.into_iter().filter(|r| may_count(r, asked)).collect();
        let passing = |r: &&Row<'_>| (0..asked.filters.len()).all(|f| passes(r, asked, f));
        let kept = counting.iter().filter(passing);
        let most = asked.rows_per_person.map_or(usize::MAX, |n| usize::try_from(n).unwrap());
        let mut own = BTreeSet::new();
        for (cell, adds) in kept.take(most).filter_map(|r| cell(r, asked).zip(adds(r, asked))) {
            rows[cell] += 1;
            sums[cell] += adds;
            own.insert(cell);
        }
        own.iter().for_each(|c| people[*c] += 1);
        let in_grid: Vec<&Row<'_>> = counting.iter().filter(|r| cell(r, asked).is_some()).collect();
        let counted = in_grid.iter().any(passing);
        for (filter, left_out) in left_out.iter_mut().enumerate() {
            let others = |r: &&Row<'_>| (0..asked.filters.len()).all(|f| f == filter || passes(r, asked, f));
            *left_out += u64::from(!counted && in_grid.iter().any(others));
        }
    }
    let rows = (asked.measure != Measure::People).then_some(rows);
    let sums = asked.measure.column().is_some().then_some(sums);
    Expected { people, rows, sums, left_out }
}

/// What a row adds to a sum; without a value it is not counted.
fn adds(row: &Row<'_>, asked: &Asked) -> Option<u64> {
    let (least, most) = match asked.measure.column() {
        Some(_) => asked.clamp,
        None => return Some(0),
    };
    let hours = row.3.unwrap().quarter_hours?;
    Some(u64::try_from(hours.clamp(least.into(), most.into())).unwrap())
}

fn rows_of<'a>(person: &'a Person, dataset: &str) -> Vec<Row<'a>> {
    let starts = person.starts.iter();
    match dataset {
        "participants" => person.known.then_some(Row(person, None, None, None)).into_iter().collect(),
        "engagements" => starts.map(|s| Row(person, Some(s), None, None)).collect(),
        "activities" => starts
            .flat_map(|s| s.activities.iter().map(move |a| Row(person, Some(s), None, Some(a))))
            .collect(),
        _ => {
            let of = |s: &'a Start| s.outcomes.iter().map(move |o| Row(person, Some(s), Some(o), None));
            let mut outcomes: Vec<Row<'_>> = starts.flat_map(of).collect();
            outcomes.sort_by_key(|r| r.2.unwrap().day);
            outcomes
        }
    }
}

fn value(Row(person, start, outcome, activity): &Row<'_>, field: Field) -> Value {
    let of = |at: Option<u8>| {
        Value::Code(at.map_or_else(|| UNKNOWN.into(), |at| field.codes()[usize::from(at)].clone()))
    };
    let known = person.known;
    match field {
        Field::Sex => of(person.sex.filter(|_| known)),
        Field::Simd => of(person.simd.filter(|_| known)),
        Field::Lep => of(Some(start.unwrap().lep)),
        Field::Referral => of(start.unwrap().referral),
        Field::Rejoin => Value::Code(if start.unwrap().rejoin { "yes".into() } else { "no".into() }),
        Field::StartDay => Value::Day(start.unwrap().day),
        Field::Kind => of(Some(outcome.unwrap().kind)),
        Field::Activity => of(Some(activity.unwrap().kind)),
        Field::OutcomeDay => Value::Day(outcome.unwrap().day),
    }
}

fn in_window(row: &Row<'_>, asked: &Asked) -> bool {
    let day = row.2.map(|o| o.day).or(row.1.map(|s| s.day));
    asked.window.is_none_or(|(first, last)| (first..=last).contains(&day.unwrap()))
}

fn may_count(row: &Row<'_>, asked: &Asked) -> bool {
    in_window(row, asked) && open_or_since(row, asked) && shares(row.0, asked)
}

/// Outcomes are closed on their own day, engagements when they end; persons never are.
fn open_or_since(Row(_, start, outcome, _): &Row<'_>, asked: &Asked) -> bool {
    let closed = outcome.map_or(start.and_then(|s| s.end), |o| Some(o.day));
    asked.since.is_none_or(|first| closed.is_none_or(|day| day >= first))
}

fn shares(person: &Person, asked: &Asked) -> bool {
    let sex = person.sex.filter(|_| person.known);
    asked.only_if.as_ref().is_none_or(|only| sex.is_some_and(|sex| only.contains(&usize::from(sex))))
}

fn passes(row: &Row<'_>, asked: &Asked, filter: usize) -> bool {
    let (field, kept) = &asked.filters[filter];
    match value(row, *field) {
        Value::Day(day) => (SPANS[kept[0]].0..=SPANS[kept[0]].1).contains(&day),
        Value::Code(code) => kept.iter().any(|at| kept_code(&field.codes(), *at) == code),
    }
}

fn cell(row: &Row<'_>, asked: &Asked) -> Option<usize> {
    asked.axes.iter().try_fold(0, |cell, field| {
        let codes = field.codes();
        let at = match value(row, *field) {
            Value::Day(day) => SPANS.iter().position(|(a, b)| (*a..=*b).contains(&day))?,
            Value::Code(code) => codes.iter().position(|c| *c == code)?,
        };
        Some(cell * codes.len() + at)
    })
}
