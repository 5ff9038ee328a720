//! The nearest question that would be answered: what a refusal offers, tried before it is offered.

mod approved;

use cairn_question::form::print;
use cairn_question::schema::Kind;
use cairn_question::{Day, Filter, GroupBy, Period, Question};

use crate::decide::{Asker, judge, matching};
use crate::layers::{Layers, Ready};
use crate::settings::Grains;

/// The nearest question in the readable form; `None` where no share is near, or none would be answered on that day.
pub(crate) fn answerable(layers: &Layers, question: &Question, asker: Asker<'_>, day: Day) -> Option<String> {
    let mut near = measured(layers, question)?;
    let ready = matching(layers, &near)?;
    if ready.approved().is_some() {
        return approved::nearest(layers, ready, &near, asker, day);
    }
    near.group_by = axes(layers, ready, &near);
    near.filter_by = filters(layers, ready, &near);
    apart(ready, &mut near);
    // What is left may still be too wide: the last column goes first, as the least wanted.
    for _ in 0..=near.group_by.len() + near.filter_by.len() {
        if judge(layers, &near, asker, day).is_ok() {
            return Some(print(&near));
        }
        if near.group_by.pop().is_none() {
            near.filter_by.pop();
        }
    }
    None
}

/// The question itself, or with another count where only that one is shared.
fn measured(layers: &Layers, question: &Question) -> Option<Question> {
    let other = |measure| Question { measure, ..question.clone() };
    let measures = [question.measure.clone(), cairn_question::Measure::People, cairn_question::Measure::Rows];
    measures.into_iter().map(other).find(|q| matching(layers, q).is_some())
}

fn axes(layers: &Layers, ready: &Ready, question: &Question) -> Vec<GroupBy> {
    let most = usize::try_from(ready.settings.max_group_columns.unwrap_or(0)).unwrap_or(0);
    let mut kept: Vec<GroupBy> = Vec::new();
    for axis in question.group_by.iter().filter_map(|a| axis(layers, ready, question, a)) {
        if kept.len() < most && kept.iter().all(|k| k.column != axis.column) {
            kept.push(axis);
        }
    }
    kept
}

fn axis(layers: &Layers, ready: &Ready, question: &Question, axis: &GroupBy) -> Option<GroupBy> {
    let grain = grain(layers, &ready.settings.group_by, question, &axis.column, &axis.grain)?;
    let mut near = GroupBy { grain, ..axis.clone() };
    if let Some((first, last)) = axis.span {
        let (first, last) = (at_grain(first, &near.grain)?, at_grain(last, &near.grain)?);
        near.span = Some((inside(ready, &axis.column, first), last));
    }
    let alone = Question { group_by: vec![near.clone()], filter_by: Vec::new(), ..question.clone() };
    alone.grid(layers.schema).is_ok().then_some(near)
}

fn filters(layers: &Layers, ready: &Ready, question: &Question) -> Vec<Filter> {
    let most = usize::try_from(ready.settings.max_filter_columns.unwrap_or(0)).unwrap_or(0);
    let mut kept: Vec<Filter> = Vec::new();
    for filter in question.filter_by.iter().filter_map(|f| filter(layers, ready, question, f)) {
        if kept.len() < most && kept.iter().all(|k| k.column != filter.column) {
            kept.push(filter);
        }
    }
    kept
}

fn filter(layers: &Layers, ready: &Ready, question: &Question, filter: &Filter) -> Option<Filter> {
    let grain = grain(layers, &ready.settings.filter_by, question, &filter.column, &filter.grain)?;
    let column = layers.schema.find(&question.dataset, &filter.column)?.column;
    let value = if grain == filter.grain {
        filter.value.clone()
    } else if column.kind == Kind::Date {
        at_grain(filter.value.parse().ok()?, &grain)?.to_string()
    } else {
        layers.schema.coarsen(column, &grain)?.get(&filter.value)?.clone()
    };
    let near = Filter { grain, value, ..filter.clone() };
    let outside = |p: Period| inside(ready, &near.column, p) != p;
    if near.value.parse::<Period>().is_ok_and(outside) {
        return None;
    }
    let alone = Question { group_by: Vec::new(), filter_by: vec![near.clone()], ..question.clone() };
    alone.grid(layers.schema).is_ok().then_some(near)
}

/// The grain asked for where it is shared; else the finest shared one that it nests in or that nests nearby.
fn grain(
    layers: &Layers,
    list: &Option<Grains>,
    question: &Question,
    column: &str,
    asked: &str,
) -> Option<String> {
    let shared = list.as_ref()?.get(column)?;
    if shared.contains(asked) {
        return Some(asked.to_owned());
    }
    let found = layers.schema.find(&question.dataset, column)?;
    layers.schema.grains(found.column).into_iter().find(|g| shared.contains(*g)).map(str::to_owned)
}

/// The period of a grain in which another begins.
fn at_grain(period: Period, grain: &str) -> Option<Period> {
    Some(period.first_day().period(grain.parse().ok()?))
}

/// The period, or the first one that begins inside the share's window.
fn inside(ready: &Ready, column: &str, period: Period) -> Period {
    let Some(window) = ready.share.window.as_ref().filter(|w| w.column.value == column) else {
        return period;
    };
    let from = ready.settings.window_from.unwrap_or(window.from.value);
    if period.first_day() >= from {
        return period;
    }
    let first = from.period(period.grain());
    if first.first_day() >= from { first } else { first.next() }
}

/// Drops the last column of each pair that never goes together.
fn apart(ready: &Ready, near: &mut Question) {
    for never in &ready.share.never_together {
        let named = |c: &str| never.value.iter().any(|n| n.value == c);
        let asked = near.group_by.iter().map(|a| &a.column).chain(near.filter_by.iter().map(|f| &f.column));
        let asked: std::collections::BTreeSet<&String> = asked.collect();
        if never.value.iter().any(|n| !asked.contains(&n.value)) {
            continue;
        }
        if let Some(last) = near.group_by.iter().rposition(|a| named(&a.column)) {
            near.group_by.remove(last);
        } else if let Some(last) = near.filter_by.iter().rposition(|f| named(&f.column)) {
            near.filter_by.remove(last);
        }
    }
}
