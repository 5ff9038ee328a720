//! The board's own cases (`tests.toml`): questions with the verdict that the board expects.

use std::collections::BTreeMap;

use cairn_question::answer::Zeros;
use cairn_question::schema::Kind;
use cairn_question::{Day, Filter, GroupBy, Measure, Name, Question};
use toml::Spanned;
use toml::de::DeValue;

use crate::decide::{Asker, decide, matching};
use crate::decimal;
use crate::document::Columns;
use crate::finding::{Faults, File, Finding, Severity};
use crate::layers::Layers;
use crate::letters;
use crate::never::{self, Never, NeverResult};
use crate::read::{At, Section, parse};
use crate::treatment::{Method, Secondary, Treatment};

/// How a board's cases came out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CaseReport {
    /// Names of the cases that came out as expected.
    pub passed: Vec<String>,
    /// Cases that did not.
    pub failed: Vec<CaseFailure>,
    /// Shares that no case exercises.
    pub unexercised: Vec<Name>,
    /// Every `[[never]]` statement, in the order of the file: held, or violated.
    pub never: Vec<NeverResult>,
}

/// A case that came out otherwise than the board expects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaseFailure {
    /// The case.
    pub name: String,
    /// Line of the file, from 1, in words with what differs.
    pub says: String,
}

/// Runs every `[[case]]` of a file, and tries every kind of question against each of its `[[never]]` statements.
///
/// # Errors
/// The findings, where the file cannot be read as cases.
pub fn run_cases(layers: &Layers, file: &File) -> Result<CaseReport, Vec<Finding>> {
    let faults = Faults::new(file);
    letters::check(file, &faults);
    let (cases, nevers) = read(layers, &faults);
    let findings = faults.into_found();
    if findings.iter().any(|f| f.severity == Severity::Error) {
        return Err(findings);
    }
    let mut report = CaseReport::default();
    let mut unexercised: Vec<Name> = layers.shares.iter().map(|r| r.share.id.value.clone()).collect();
    for case in cases {
        if let Some(ready) = matching(layers, &case.question) {
            unexercised.retain(|id| *id != ready.share.id.value);
        }
        match run(layers, &case) {
            Ok(()) => report.passed.push(case.name),
            Err(says) => report.failed.push(CaseFailure { name: case.name, says }),
        }
    }
    report.unexercised = unexercised;
    // Layers that are too wide do not load, so this does not fail.
    let tried = never::tried(layers, &nevers);
    report.never = tried.map_err(|wide| vec![crate::lint::space::too_wide(&wide, file)])?;
    Ok(report)
}

struct Case {
    name: String,
    question: Question,
    on: Day,
    expect: Expected,
}

enum Expected {
    Answer { share: Option<String>, release: BTreeMap<String, String> },
    Refuse { rules: Option<Vec<String>> },
}

#[derive(Clone, Copy)]
enum Verdict {
    Answer,
    Refuse,
}

fn run(layers: &Layers, case: &Case) -> Result<(), String> {
    match (decide(layers, &case.question, Asker::Anyone, case.on), &case.expect) {
        (Ok(treatment), Expected::Answer { share, release }) => {
            answered(&treatment, share.as_deref(), release)
        }
        (Err(refusal), Expected::Refuse { rules }) => {
            let broken: Vec<&str> = refusal.rules.iter().map(|r| r.rule.as_str()).collect();
            rules.as_ref().map_or(Ok(()), |expected| same_rules(expected, &broken))
        }
        (Ok(treatment), Expected::Refuse { .. }) => Err(format!("answered by the share {}", treatment.share)),
        (Err(refusal), Expected::Answer { .. }) => {
            let rules: Vec<String> =
                refusal.rules.iter().map(|r| format!("{} ({})", r.rule, r.says)).collect();
            Err(format!("refused by {}", rules.join(", ")))
        }
    }
}

fn answered(
    treatment: &Treatment,
    share: Option<&str>,
    release: &BTreeMap<String, String>,
) -> Result<(), String> {
    if let Some(share) = share.filter(|s| *s != treatment.share.as_str()) {
        return Err(format!("answered by the share {}, not by {share}", treatment.share));
    }
    let facts = facts(treatment);
    for (key, expected) in release {
        match facts.get(key.as_str()) {
            Some(found) if found == expected => {}
            Some(found) => return Err(format!("{key} is {found}, not {expected}")),
            None => return Err(format!("the treatment has no {key}")),
        }
    }
    Ok(())
}

/// Every broken rule is expected, and every expected one is broken. A name stands for itself and for what is under it. That a column
/// which is kept back has no such grain either need not be expected.
fn same_rules(expected: &[String], broken: &[&str]) -> Result<(), String> {
    let covers = |name: &str, rule: &str| {
        rule.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
    };
    if let Some(missing) = expected.iter().find(|e| !broken.iter().any(|b| covers(e, b))) {
        return Err(format!("{missing} did not refuse it; these did: {}", broken.join(", ")));
    }
    let kept_back = broken.iter().any(|b| b.starts_with("dataset."));
    let follows = |rule: &str| kept_back && rule == "question.grain";
    match broken.iter().find(|b| !follows(b) && !expected.iter().any(|e| covers(e, b))) {
        Some(extra) => Err(format!("{extra} refused it as well")),
        None => Ok(()),
    }
}

/// What a case may expect of a treatment, each as text.
pub(crate) fn facts(treatment: &Treatment) -> BTreeMap<&'static str, String> {
    let mut facts = BTreeMap::from([
        ("method", treatment.method.as_str().to_owned()),
        ("min_partners", treatment.min_partners.to_string()),
        ("min_cohort", treatment.min_cohort.to_string()),
    ]);
    if let Some(cells) = treatment.method.cells() {
        let zeros = match cells.zeros {
            Zeros::Show => "show",
            Zeros::Withhold => "withhold",
        };
        facts.extend([
            ("profile", cells.profile.clone()),
            ("min_people", cells.min_people.to_string()),
            ("round_to", cells.round_to.to_string()),
            ("zeros", zeros.to_owned()),
            ("secondary", (cells.secondary == Secondary::Yes).to_string()),
        ]);
    }
    match &treatment.method {
        Method::CellKey { table, .. } => facts.extend([("ptable", table.clone())]),
        Method::Dp { mechanism, epsilon, groups_per_person } => facts.extend([
            ("mechanism", mechanism.as_str().to_owned()),
            ("epsilon", decimal::print(epsilon.millionths())),
            ("groups_per_person", groups_per_person.to_string()),
        ]),
        Method::CountOnce(count) => facts.extend([
            ("epsilon", decimal::print(count.epsilon.millionths())),
            ("keys_per_person", count.keys_per_person.to_string()),
            ("cells_per_person", count.cells_per_person.to_string()),
            ("counts_per_year", count.counts_per_year.to_string()),
            ("counts_lifetime", count.counts_lifetime.to_string()),
        ]),
        Method::SuppressRound(_) | Method::SuppressAudit(_) => {}
    }
    facts
}

fn read(layers: &Layers, faults: &Faults<'_>) -> (Vec<Case>, Vec<Never>) {
    let Some(tree) = parse(faults) else { return (Vec::new(), Vec::new()) };
    let root = Section::root(&tree, faults);
    let cases = root.array("case").into_iter().filter_map(|s| case(layers, s)).collect();
    let nevers = root.array("never").into_iter().filter_map(|s| never::read(layers, s)).collect();
    root.finish();
    (cases, nevers)
}

fn case(layers: &Layers, section: Section<'_>) -> Option<Case> {
    let name = section.text("name");
    let request = section.section("request").and_then(|r| request(layers, r));
    let verdict = section.word("expect", &[("answer", Verdict::Answer), ("refuse", Verdict::Refuse)]);
    let share = section.text_opt("share").map(|s| s.value);
    let rules = section.texts_opt("rules").map(|l| l.value.into_iter().map(|r| r.value).collect());
    let release = section.section_opt("release").map(|r| release(&r)).unwrap_or_default();
    section.finish();
    let (question, on) = request?;
    let expect = match verdict?.value {
        Verdict::Answer => Expected::Answer { share, release },
        Verdict::Refuse => Expected::Refuse { rules },
    };
    Some(Case { name: name?.value, question, on, expect })
}

/// What is expected of the treatment, each as text; any of its keys may be named.
fn release(section: &Section<'_>) -> BTreeMap<String, String> {
    let text = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Float(number) => {
            decimal::millionths(number.as_str()).map(decimal::print).unwrap_or_default()
        }
        _ => String::new(),
    };
    section.entries().into_iter().map(|(key, value)| (key.value, text(value))).collect()
}

fn request(layers: &Layers, section: Section<'_>) -> Option<(Question, Day)> {
    let role = section.name("role");
    let purpose = section.name("purpose");
    let dataset = section.text("dataset");
    let measure = section.text("answer").and_then(|text| answer(&section, &text));
    let group_by = section.pairs("group_by");
    let filter_by = section.pairs("filter_by");
    let on = section.text_opt("on");
    let day = day(layers, &section, on);
    section.finish();
    let (dataset, day) = (dataset?.value, day?);
    let shape = Shape { layers, dataset: &dataset };
    let question = Question {
        role: role?.value,
        purpose: purpose?.value,
        measure: measure?,
        group_by: shape.axes(&group_by?.value),
        filter_by: shape.filters(&filter_by?.value),
        dataset: dataset.clone(),
        as_of: None,
    };
    Some((question, day))
}

fn answer(section: &Section<'_>, text: &At<String>) -> Option<Measure> {
    let measure: Option<Measure> = text.value.parse().ok();
    if measure.is_none() {
        let says = "`answer` must be `people`, `rows`, `sum:COLUMN` or `mean:COLUMN`";
        section.faults().error("CP005", &text.span, section.rule("answer"), says, "choose one");
    }
    measure
}

fn day(layers: &Layers, section: &Section<'_>, on: Option<At<String>>) -> Option<Day> {
    let (from, until) = layers.in_force();
    let Some(on) = on else { return Some(from) };
    let day = match on.value.as_str() {
        "before-effective" => Some(from.plus_days(-1)),
        "after-expiry" => Some(until.plus_days(1)),
        text => text.parse().ok(),
    };
    if day.is_none() {
        let says = "`on` must be \"before-effective\", \"after-expiry\" or a day such as \"2026-11-21\"";
        section.faults().error("CP009", &on.span, section.rule("on"), says, "correct it");
    }
    day
}

/// A case names columns and grains. Its values are filled in: the first code of the list, or the last period before the
/// policy came in force, unless the case names one: `"quarter = 2018-Q1"`.
struct Shape<'a> {
    layers: &'a Layers,
    dataset: &'a str,
}

impl Shape<'_> {
    fn axes(&self, columns: &Columns) -> Vec<GroupBy> {
        let axis = |(column, grain): &(At<String>, At<String>)| {
            let (grain, value) = split(&grain.value);
            let dated = crate::layers::is_dated(self.layers.schema, self.dataset, &column.value);
            let period = dated.then(|| self.value(&column.value, grain, value).parse().ok()).flatten();
            GroupBy { column: column.value.clone(), grain: grain.to_owned(), span: period.map(|p| (p, p)) }
        };
        columns.iter().map(axis).collect()
    }

    fn filters(&self, columns: &Columns) -> Vec<Filter> {
        let filter = |(column, grain): &(At<String>, At<String>)| {
            let (grain, value) = split(&grain.value);
            let value = self.value(&column.value, grain, value);
            Filter { column: column.value.clone(), grain: grain.to_owned(), value }
        };
        columns.iter().map(filter).collect()
    }

    fn value(&self, column: &str, grain: &str, named: Option<&str>) -> String {
        let found = self.layers.schema.find(self.dataset, column).map(|f| f.column);
        let filled = || match found {
            Some(column) if column.kind == Kind::Date => {
                let day = self.layers.in_force().0.plus_days(-1);
                grain.parse().ok().map(|g| day.period(g).to_string())
            }
            Some(column) => self.layers.schema.codes_at(column, grain)?.into_iter().next(),
            None => None,
        };
        named.map(str::to_owned).or_else(filled).unwrap_or_else(|| "any".to_owned())
    }
}

fn split(grain: &str) -> (&str, Option<&str>) {
    match grain.split_once('=') {
        Some((grain, value)) => (grain.trim(), Some(value.trim())),
        None => (grain.trim(), None),
    }
}

#[cfg(test)]
mod tests;
