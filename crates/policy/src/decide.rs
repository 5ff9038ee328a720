//! One question, all layers: answered, and how, or refused, and by which rules.
//!
//! Pure and total. A filter's value is looked at only for membership of a code list, a group or a window, so that
//! trying every shape of question is trying every question.

use std::collections::BTreeSet;

use cairn_question::limits::{FILTERS_MAX, GROUP_COLUMNS_MAX};
use cairn_question::question::QuestionFault;
use cairn_question::schema::{Class, Kind};
use cairn_question::{Day, Filter, GroupBy, Measure, Name, Period, Question, Refusal, RuleBroken, Schema};

use crate::document::Usage;
use crate::floor;
use crate::layers::{Layers, Ready};
use crate::nearest;
use crate::read::shown;
use crate::settings::Grains;
use crate::treatment::{Method, Quota, Summed, Treatment, Window};

/// Who asks. Complete, not open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asker<'a> {
    /// A person with a credential: what a node decides for.
    Analyst {
        /// The analyst's name, as the credential says it.
        analyst: &'a Name,
        /// Who vouched for the analyst, as the credential says it.
        issuer: &'a Name,
    },
    /// Nobody in particular: a board that tries its policy. The rules about persons are not tried.
    Anyone,
}

/// Decides one question on one day (in Europe/London: [`crate::london_day`]). The same arguments give the same verdict
/// on every machine: no data, clock or file is read. A count of people once in a table is priced by the cells that it has.
///
/// # Errors
/// [`Refusal`], with every rule that fails and the nearest question that would be answered, tried before it is offered.
pub fn decide(
    layers: &Layers,
    question: &Question,
    asker: Asker<'_>,
    day: Day,
) -> Result<Treatment, Refusal> {
    judge(layers, question, asker, day)
        .map(|treatment| in_its_cells(layers, question, treatment))
        .map_err(|rules| Refusal { nearest: nearest::answerable(layers, question, asker, day), rules })
}

/// Nobody is in more cells of a table than it has.
fn in_its_cells(layers: &Layers, question: &Question, treatment: Treatment) -> Treatment {
    let Method::CountOnce(count) = treatment.method else { return treatment };
    let cells = question.grid(layers.schema).map_or(usize::MAX, |grid| grid.cells());
    let count = count.in_cells(u32::try_from(cells).unwrap_or(u32::MAX));
    Treatment { method: Method::CountOnce(count), ..treatment }
}

/// The rule that fails when the credential's issuer is not the one that the policy names for the role; `None`: it is,
/// or the policy has no such role, which [`decide`] refuses.
#[must_use]
pub fn issuer_rule(layers: &Layers, role: &Name, issuer: &Name) -> Option<RuleBroken> {
    let expected = layers.role_issuer(role)?;
    (expected != issuer).then(|| {
        let says = format!("analysts in this role are vouched for by {expected}, this one by {issuer}");
        broken(format!("role.{role}.issuer"), "CR006", says)
    })
}

/// [`decide`] without the nearest question.
pub(crate) fn judge(
    layers: &Layers,
    question: &Question,
    asker: Asker<'_>,
    day: Day,
) -> Result<Treatment, Vec<RuleBroken>> {
    let mut rules = Vec::new();
    in_force(layers, day, &mut rules);
    asked_by(layers, question, asker, &mut rules);
    fits(layers, question, &mut rules);
    kept_back(layers, question, &mut rules);
    let Some(ready) = matching(layers, question) else {
        rules.push(no_share(question));
        return Err(rules);
    };
    paused(layers, ready, &mut rules);
    share_open(layers, ready, day, &mut rules);
    named(ready, asker, &mut rules);
    columns(layers, ready, question, &mut rules);
    counts(ready, question, &mut rules);
    together(ready, question, &mut rules);
    window(ready, question, &mut rules);
    indicator(layers, ready, question, &mut rules);
    if rules.is_empty() { Ok(treatment(layers, ready, question)) } else { Err(rules) }
}

/// The one share whose role, purpose, dataset and answer are the question's. Two cannot match: that does not load.
pub(crate) fn matching<'a>(layers: &'a Layers, question: &Question) -> Option<&'a Ready> {
    layers.shares.iter().find(|ready| {
        let share = &ready.share;
        share.role.value == question.role
            && share.purpose.value == question.purpose
            && share.dataset.value == question.dataset
            && share.answers.iter().any(|a| a.value == question.measure)
    })
}

/// What is decided of each part of a question by itself: whether a share lets it in at all. How many parts there are and
/// which of them go together, the day, the asker and the brake are not looked at.
pub(crate) fn admits(layers: &Layers, ready: &Ready, part: &Question) -> bool {
    let mut rules = Vec::new();
    fits(layers, part, &mut rules);
    kept_back(layers, part, &mut rules);
    columns(layers, ready, part, &mut rules);
    window(ready, part, &mut rules);
    rules.is_empty()
}

/// How a share answers a question that it permits.
pub(crate) fn treatment(layers: &Layers, ready: &Ready, question: &Question) -> Treatment {
    let (share, settings) = (&ready.share, &ready.settings);
    let method = method(layers, ready, question);
    let caps = match &method {
        Method::CountOnce(count) => count.caps(layers.caps()),
        _ => layers.caps(),
    };
    Treatment {
        share: share.id.value.clone(),
        release: share.release.value.clone(),
        method,
        min_partners: settings.min_partners,
        window: Window {
            column: share.window.as_ref().map(|w| w.column.value.clone()),
            from: settings.window_from,
            lag_days: settings.lag_days,
        },
        min_cohort: settings.min_cohort,
        // A person is counted once however many rows: only rows need the bound.
        rows_per_person: if question.measure == Measure::People { None } else { settings.rows_per_person },
        summed: question.measure.column().and_then(|column| summed(layers, &question.dataset, column)),
        snapshot: ready.snapshot,
        keep: ready.keep.clone(),
        opt_out: ready.opt_out.clone(),
        quota: Quota {
            tables_per_day: settings.tables_per_day.unwrap_or(0),
            // Where the analyst's loss is limited instead, the tables of a year are not.
            tables_per_year: settings.tables_per_year.unwrap_or(u32::MAX),
            rho_per_year: settings.rho_per_analyst,
        },
        caps,
    }
}

/// The bounds and the unit of a measure of the dataset itself; `None` where the policy does not give both.
fn summed(layers: &Layers, dataset: &str, column: &str) -> Option<Summed> {
    let whole = matches!(layers.schema.find(dataset, column)?.column.kind, Kind::Whole { .. });
    let rule = layers.policy.datasets.get(dataset)?.columns.get(column)?;
    let measured = rule.usage.as_ref().is_some_and(|u| u.value == Usage::Measure);
    let (least, most) = rule.bounds.as_ref().filter(|_| whole && measured)?.value;
    Some(Summed { unit: rule.unit.as_ref()?.value.clone(), least, most })
}

/// The share's method. Where every axis describes the person and not one of their rows, a person is in one cell only, so
/// that the noise need not cover more. Over all partners that holds of no axis, since each writes it down for itself: a person who is counted once is
/// in one cell where there is no axis at all ([`cairn_question::Breakdown::of`]).
fn method(layers: &Layers, ready: &Ready, question: &Question) -> Method {
    let describes = |axis: &GroupBy| of_person(layers.schema, &question.dataset, &axis.column);
    match &ready.method {
        Method::Dp { mechanism, epsilon, .. } if question.group_by.iter().all(describes) => {
            Method::Dp { mechanism: *mechanism, epsilon: *epsilon, groups_per_person: 1 }
        }
        Method::CountOnce(count) if question.group_by.is_empty() => Method::CountOnce(count.in_one_cell()),
        method => method.clone(),
    }
}

/// Whether a column describes the person and not one of their rows.
pub(crate) fn of_person(schema: &Schema, dataset: &str, column: &str) -> bool {
    let found = schema.find(dataset, column);
    found.is_some_and(|f| f.table.person_key.is_some() && f.table.rows_per_person_max.is_none())
}

fn broken(rule: impl Into<String>, code: &str, says: impl Into<String>) -> RuleBroken {
    RuleBroken { rule: rule.into(), code: code.into(), says: says.into() }
}

fn in_force(layers: &Layers, day: Day, rules: &mut Vec<RuleBroken>) {
    let (from, until) = layers.in_force();
    if day < from {
        rules.push(broken("policy.effective_from", "CR001", format!("the policy is in force from {from}")));
    }
    if day > until {
        rules.push(broken("policy.expires", "CR002", format!("the policy expired after {until}")));
    }
    if layers.brake.pause_all {
        rules.push(broken("brake.pause_all", "CR003", paused_words(layers, "every answer is paused here")));
    }
}

fn paused(layers: &Layers, ready: &Ready, rules: &mut Vec<RuleBroken>) {
    let id = &ready.share.id.value;
    if layers.brake.paused_shares.iter().any(|p| p.value == id.as_str()) {
        let says = paused_words(layers, &format!("the share {id} is paused here"));
        rules.push(broken("brake.paused_shares", "CR004", says));
    }
}

/// A share may be in force for a shorter time than its policy.
fn share_open(layers: &Layers, ready: &Ready, day: Day, rules: &mut Vec<RuleBroken>) {
    let id = &ready.share.id.value;
    let (from, until) = layers.in_force();
    // What the policy's own days refuse is said once, by them.
    if let Some(first) = ready.settings.from.filter(|first| day >= from && day < *first) {
        let says = format!("the share {id} is in force from {first}");
        rules.push(broken(format!("share.{id}.from"), "CR007", says));
    }
    if let Some(last) = ready.settings.until.filter(|last| day <= until && day > *last) {
        let says = format!("the share {id} ended after {last}");
        rules.push(broken(format!("share.{id}.until"), "CR008", says));
    }
}

/// A share may be for named analysts only. Their names are the policy's, so the refusal does not repeat them.
fn named(ready: &Ready, asker: Asker<'_>, rules: &mut Vec<RuleBroken>) {
    let (Some(names), Asker::Analyst { analyst, .. }) = (&ready.settings.named_analysts, asker) else {
        return;
    };
    if !names.contains(analyst.as_str()) {
        let id = &ready.share.id.value;
        let says = format!("the share {id} is for named analysts only, and this analyst is not one");
        rules.push(broken(format!("share.{id}.named_analysts"), "CR009", says));
    }
}

/// A share may answer approved indicators only: the question's definition is one of theirs, or it is another question.
fn indicator(layers: &Layers, ready: &Ready, question: &Question, rules: &mut Vec<RuleBroken>) {
    let Some(approved) = ready.approved() else { return };
    if !approved.contains(&question.definition_hash(layers.schema)) {
        let named = crate::indicators::named(&ready.share);
        let says = format!("this question is not one of the approved indicators {named}");
        rules.push(broken(format!("share.{}.indicators", ready.share.id.value), "CR028", says));
    }
}

fn paused_words(layers: &Layers, what: &str) -> String {
    let reason = layers.brake.reason.trim();
    if reason.is_empty() { what.to_owned() } else { format!("{what}: {}", shown(reason)) }
}

fn asked_by(layers: &Layers, question: &Question, asker: Asker<'_>, rules: &mut Vec<RuleBroken>) {
    let Asker::Analyst { analyst, issuer } = asker else { return };
    if layers.brake.blocked_analysts.iter().any(|b| b.value == *analyst) {
        rules.push(broken("brake.blocked_analysts", "CR005", "this analyst is blocked here"));
    }
    rules.extend(issuer_rule(layers, &question.role, issuer));
}

/// Whether the question makes sense under the schema: each part by itself, so that every fault is named, then the whole.
fn fits(layers: &Layers, question: &Question, rules: &mut Vec<RuleBroken>) {
    let bare = Question { group_by: Vec::new(), filter_by: Vec::new(), ..question.clone() };
    let axes = grouped(question).map(|a| Question { group_by: vec![a.clone()], ..bare.clone() });
    let filters = filtered(question).map(|f| Question { filter_by: vec![f.clone()], ..bare.clone() });
    let parts = std::iter::once(bare.clone()).chain(axes).chain(filters).chain(doubled(question, &bare));
    let mut seen = BTreeSet::new();
    for part in parts.chain([question.clone()]) {
        if let Err(fault) = part.grid(layers.schema) {
            let rule = fault_rule(&fault);
            if seen.insert(rule.clone()) {
                rules.push(rule);
            }
        }
    }
}

/// Each column that stands twice, by itself: of several, the whole question names the first alone.
fn doubled(question: &Question, bare: &Question) -> Vec<Question> {
    let twice = |one: &&str, of: &[&str]| of.iter().filter(|other| *other == one).count() > 1;
    let axes: Vec<&str> = grouped(question).map(|a| a.column.as_str()).collect();
    let filters: Vec<&str> = filtered(question).map(|f| f.column.as_str()).collect();
    let by = grouped(question).filter(|a| twice(&a.column.as_str(), &axes));
    let where_ = filtered(question).filter(|f| twice(&f.column.as_str(), &filters));
    let by = by.map(|a| Question { group_by: vec![a.clone(), a.clone()], ..bare.clone() });
    let where_ = where_.map(|f| Question { filter_by: vec![f.clone(), f.clone()], ..bare.clone() });
    by.chain(where_).collect()
}

fn fault_rule(fault: &QuestionFault) -> RuleBroken {
    let (rule, code) = match fault {
        QuestionFault::Dataset(..) => ("question.dataset", "CR030"),
        QuestionFault::Column { .. } => ("question.column", "CR031"),
        QuestionFault::Grain { .. } => ("question.grain", "CR032"),
        QuestionFault::Value { .. } => ("question.value", "CR033"),
        QuestionFault::Span(_) => ("question.span", "CR034"),
        QuestionFault::Twice(_) => ("question.twice", "CR035"),
        QuestionFault::TooWide => ("question.too_wide", "CR036"),
        _ => ("question", "CR037"),
    };
    broken(
        rule,
        code,
        fault.to_string().chars().take(SAYS_CHARS_MAX).map(crate::finding::plain).collect::<String>(),
    )
}

/// Longest line of a refusal.
const SAYS_CHARS_MAX: usize = 400;

/// The axes in an order that does not depend on how they were written, as many as any question may have.
fn grouped(question: &Question) -> impl Iterator<Item = &GroupBy> {
    let mut axes: Vec<&GroupBy> = question.group_by.iter().collect();
    axes.sort();
    axes.into_iter().take(GROUP_COLUMNS_MAX)
}

fn filtered(question: &Question) -> impl Iterator<Item = &Filter> {
    let mut filters: Vec<&Filter> = question.filter_by.iter().collect();
    filters.sort();
    filters.into_iter().take(FILTERS_MAX)
}

/// Columns that the policy keeps back whatever any share says: identifiers, linkage, hidden and unlisted ones.
fn kept_back(layers: &Layers, question: &Question, rules: &mut Vec<RuleBroken>) {
    let asked = grouped(question).map(|a| &a.column).chain(filtered(question).map(|f| &f.column));
    let asked: BTreeSet<&String> = asked.collect();
    for column in asked {
        let Some(found) = layers.schema.find(&question.dataset, column) else { continue };
        let (table, name) = (&found.table.name, &found.column.name);
        let listed = layers.policy.datasets.get(table).and_then(|d| d.columns.get(name));
        let usage = listed.and_then(|c| c.usage.as_ref()).map_or(Usage::Hidden, |u| u.value);
        let never = matches!(found.column.class, Class::Identifier | Class::Linkage);
        if never || !(usage.groups() || usage.filters()) {
            let says = format!(
                "{name} is kept back ({}): it is never grouped, filtered or answered",
                usage.as_str()
            );
            rules.push(broken(format!("dataset.{table}.columns.{name}"), "CR012", says));
        }
    }
}

fn no_share(question: &Question) -> RuleBroken {
    let says = format!(
        "no share answers {} of {} to {} for {}",
        question.measure,
        shown(&question.dataset),
        question.role,
        question.purpose
    );
    broken("no-share", "CR010", says)
}

/// Every column and grain is on the share's own list, and each special-category column leaves by a method fit for it.
fn columns(layers: &Layers, ready: &Ready, question: &Question, rules: &mut Vec<RuleBroken>) {
    let id = &ready.share.id.value;
    let lists = [
        ("group_by", &ready.settings.group_by, ("CR020", "CR021")),
        ("filter_by", &ready.settings.filter_by, ("CR023", "CR024")),
    ];
    let axes: Vec<(&str, &str)> = grouped(question).map(|a| (a.column.as_str(), a.grain.as_str())).collect();
    let filters: Vec<(&str, &str)> =
        filtered(question).map(|f| (f.column.as_str(), f.grain.as_str())).collect();
    for ((list, allowed, codes), asked) in lists.into_iter().zip([axes, filters]) {
        for (column, grain) in asked {
            let rule = format!("share.{id}.{list}.{}", shown(column));
            if let Some(says) = not_on(allowed.as_ref(), column, grain, list) {
                let code = if says.1 == On::Grain { codes.1 } else { codes.0 };
                rules.push(broken(rule, code, says.0));
            } else if !fit_for_special(layers, ready, &question.dataset, column) {
                let says = format!(
                    "{} is special-category data and leaves by {} only",
                    shown(column),
                    floor::SPECIAL_METHOD
                );
                rules.push(broken(rule, "CR029", says));
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum On {
    Column,
    Grain,
}

fn not_on(allowed: Option<&Grains>, column: &str, grain: &str, list: &str) -> Option<(String, On)> {
    let name = shown(column);
    let verb = if list == "group_by" { "grouped" } else { "filtered" };
    match allowed.and_then(|a| a.get(column)) {
        None => Some((format!("{name} may not be {verb} by under this share"), On::Column)),
        Some(grains) if !grains.contains(grain) => {
            let known: Vec<&str> = grains.iter().map(String::as_str).collect();
            let says = format!("{name} is shared by {}, you asked for {}", known.join(" or "), shown(grain));
            Some((says, On::Grain))
        }
        Some(_) => None,
    }
}

fn fit_for_special(layers: &Layers, ready: &Ready, dataset: &str, column: &str) -> bool {
    !layers.is_special(dataset, column) || layers.framework.fits_special(ready.method.as_str())
}

impl Layers {
    /// Whether a column is special-category data: by the schema's class, or because the policy treats it so.
    pub(crate) fn is_special(&self, dataset: &str, column: &str) -> bool {
        self.schema.find(dataset, column).is_some_and(|found| {
            let listed =
                self.policy.datasets.get(&found.table.name).and_then(|d| d.columns.get(&found.column.name));
            found.column.class == Class::SpecialCategory || listed.is_some_and(|c| c.special)
        })
    }
}

fn counts(ready: &Ready, question: &Question, rules: &mut Vec<RuleBroken>) {
    let id = &ready.share.id.value;
    let asked = [
        ("max_group_columns", "CR022", ready.settings.max_group_columns, question.group_by.len()),
        ("max_filter_columns", "CR025", ready.settings.max_filter_columns, question.filter_by.len()),
    ];
    for (name, code, most, asked) in asked {
        let most = most.unwrap_or(0);
        if u32::try_from(asked).map_or(true, |n| n > most) {
            let says = format!("{most} at most, you asked for {asked}");
            rules.push(broken(format!("share.{id}.{name}"), code, says));
        }
    }
}

fn together(ready: &Ready, question: &Question, rules: &mut Vec<RuleBroken>) {
    let asked: BTreeSet<&str> = grouped(question)
        .map(|a| a.column.as_str())
        .chain(filtered(question).map(|f| f.column.as_str()))
        .collect();
    for (n, apart) in ready.share.never_together.iter().enumerate() {
        if apart.value.iter().all(|c| asked.contains(c.value.as_str())) {
            let names: Vec<&str> = apart.value.iter().map(|c| c.value.as_str()).collect();
            let rule = format!("share.{}.never_together[{n}]", ready.share.id.value);
            rules.push(broken(rule, "CR027", format!("never together: {}", names.join(" and "))));
        }
    }
}

/// Every period of the window's column begins inside the window. Its end is the snapshot's, so the count itself holds it.
fn window(ready: &Ready, question: &Question, rules: &mut Vec<RuleBroken>) {
    let (Some(window), Some(from)) = (&ready.share.window, ready.settings.window_from) else { return };
    let column = &window.column.value;
    let axes = grouped(question).filter(|a| a.column == *column).filter_map(|a| a.span.map(|s| s.0));
    let filters = filtered(question).filter(|f| f.column == *column);
    let periods = axes.chain(filters.filter_map(|f| f.value.parse::<Period>().ok()));
    if let Some(first) = periods.filter(|p| p.first_day() < from).min_by_key(|p| p.first_day()) {
        let says = format!("{column} is shared from {from}, you asked from {}", first.first_day());
        rules.push(broken(format!("share.{}.window", ready.share.id.value), "CR026", says));
    }
}

#[cfg(test)]
mod tests;
