use std::collections::BTreeSet;

use cairn_question::form::print;
use cairn_question::{Day, Period, Question};

use super::inside;
use crate::decide::{Asker, judge};
use crate::indicators::questions;
use crate::layers::{Layers, Ready};

/// Of the questions of a share's indicators, the one with the most in common that would be answered.
pub(super) fn nearest(
    layers: &Layers,
    ready: &Ready,
    asked: &Question,
    asker: Asker<'_>,
    day: Day,
) -> Option<String> {
    let listed = questions(&ready.share, &layers.indicators).take(QUESTIONS_MAX);
    let mut near: Vec<Question> = listed.map(|question| filled(ready, question, asked, day)).collect();
    near.sort_by_cached_key(|question| (apart(question, asked), print(question)));
    near.iter().find(|question| judge(layers, question, asker, day).is_ok()).map(print)
}

/// An indicator's question as this asker would ask it: with the periods asked for, else the last that is over.
fn filled(ready: &Ready, listed: &Question, asked: &Question, day: Day) -> Question {
    let period = |column: &str, like: Period| {
        let spans = asked.group_by.iter().filter(|a| a.column == column).filter_map(|a| a.span);
        let filters = asked.filter_by.iter().filter(|f| f.column == column);
        let mut named =
            spans.map(|span| span.0).chain(filters.filter_map(|f| f.value.parse::<Period>().ok()));
        let over = || day.period(like.grain()).first_day().plus_days(-1);
        let first = named.next().map_or_else(over, Period::first_day);
        inside(ready, column, first.period(like.grain()))
    };
    let (role, purpose) = (asked.role.clone(), asked.purpose.clone());
    let mut question = Question { role, purpose, as_of: asked.as_of, ..listed.clone() };
    for axis in &mut question.group_by {
        axis.span = axis.span.map(|span| {
            let one = period(&axis.column, span.0);
            (one, one)
        });
    }
    for filter in &mut question.filter_by {
        if let Ok(like) = filter.value.parse::<Period>() {
            filter.value = period(&filter.column, like).to_string();
        }
    }
    question
}

/// How many columns, grains, filters and values two questions do not have in common.
fn apart(one: &Question, other: &Question) -> usize {
    let words = |question: &Question| -> BTreeSet<String> {
        let axes = question.group_by.iter();
        let axes = axes.flat_map(|a| [a.column.clone(), format!("{}@{}", a.column, a.grain)]);
        let filters = question.filter_by.iter();
        let filters =
            filters.flat_map(|f| [format!("where {}", f.column), format!("{}={}", f.column, f.value)]);
        axes.chain(filters).collect()
    };
    words(one).symmetric_difference(&words(other)).count()
}

/// Most questions that are looked at for an offer: more than twice those of the widest indicator that ships.
const QUESTIONS_MAX: usize = 128;
