use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::form;
use crate::limits::{FILTERS_MAX, GROUP_COLUMNS_MAX};
use crate::schema::{Documents, Table};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn ask(text: &str, role: &str, purpose: &str) -> Question {
    form::parse(text, &name(role), &name(purpose), Schema::smf()).unwrap()
}

fn hash(text: &str) -> Hash {
    ask(text, "analyst", "monitoring").canonical_hash(Schema::smf())
}

fn same(one: &str, other: &str) {
    assert_eq!(hash(one), hash(other), "{one} / {other}");
}

fn differ(one: &str, other: &str) {
    assert_ne!(hash(one), hash(other), "{one} / {other}");
}

#[test]
fn the_order_and_the_words_do_not_make_another_question() {
    same(
        "people by council, sex where quarter = 2025-Q2 and age = 16_19",
        "people  by sex,council where age@code=16_19 and quarter = 2025-Q2",
    );
    same("people by council", "people in participants by participants.council_code@code");
    same("starts by sex", "rows in engagements by participants.sex");
    same("people where council = Dundee City", "people where council = S12000042");
    differ("people by council", "people by sex");
    differ("people by sex", "people by sex where age = 16_19");
    differ("people by sex where age = 16_19", "people by sex where age = 20_24");
}

#[test]
fn a_set_of_codes_is_one_filter_whatever_it_is_called() {
    // A named group and a coarser code.
    same("outcomes where outcome = into_work", "outcomes where outcome@group = into_work");
    same("starts where end_reason = early_leaver", "starts where end_reason@group = early_leaver");
    // A coarser code that stands for one code alone.
    same("starts where referral_source = jobcentre", "starts where referral_source@group = jobcentre");
    differ("starts where referral_source = other", "starts where referral_source@group = other");
    differ("starts where referral_source = health_gp", "starts where referral_source@group = health");
    differ("people where age@broad = 16_24", "people where age = 16_19");
}

#[test]
fn a_grain_is_another_table_unless_it_has_the_same_cells() {
    differ("people by age", "people by age@broad");
    let schema =
        edited("name = \"broad\"", "name = \"same\"\nparts = [\n    { code = \"16_19\", of = [\"16_19\"] },");
    assert!(schema.is_none(), "a grain is a partition, so a spoilt one is refused");
}

/// The dictionary with one edit of the code lists, where it is still one.
fn edited(from: &str, to: &str) -> Option<Schema> {
    let mut documents = Documents::embedded();
    let codes = documents.0.get_mut("codes.toml").unwrap();
    assert!(codes.contains(from), "{from}");
    *codes = codes.replacen(from, to, 1);
    Schema::parse(&documents).ok()
}

#[test]
fn a_filter_that_leaves_nothing_out_is_none() {
    // Made up: a group of every code of a list, and a grain that has the list's own codes.
    let all = "name = \"any\"\nof = [\"offered\", \"taken_up\", \"completed\"]";
    let list = Schema::smf().code_lists().find(|l| l.groups.iter().any(|g| g.code == "any")).unwrap();
    let every: Vec<String> = list.codes.iter().map(|c| format!("{:?}", c.code)).collect();
    let parts: Vec<String> =
        list.codes.iter().map(|c| format!("    {{ code = {0:?}, of = [{0:?}] }},", c.code)).collect();
    let wide = format!(
        "name = \"any\"\nof = [{}]\n\n[[list.grain]]\nname = \"plain\"\nparts = [\n{}\n]",
        every.join(", "),
        parts.join("\n")
    );
    let schema = edited(all, &wide).unwrap();
    let (table, column) = columns(&schema).find(|(_, c)| c.codes.as_deref() == Some(&list.id)).unwrap();
    let own = |group_by, filter_by| Question {
        dataset: table.name.clone(),
        measure: Measure::Rows,
        group_by,
        filter_by,
        ..ask("people", "analyst", "monitoring")
    };
    let axis = |grain: &str| GroupBy { column: column.name.clone(), grain: grain.into(), span: None };
    let filter =
        |value: &str| Filter { column: column.name.clone(), grain: "code".into(), value: value.into() };
    let hash = |q: Question| q.canonical_hash(&schema);
    if !column.nullable {
        assert_eq!(hash(own(vec![], vec![filter("any")])), hash(own(vec![], vec![])));
    }
    assert_ne!(hash(own(vec![], vec![filter("offered")])), hash(own(vec![], vec![])));
    assert_eq!(hash(own(vec![axis("plain")], vec![])), hash(own(vec![axis("code")], vec![])));
}

#[test]
fn a_period_on_an_axis_and_as_a_filter_are_two_questions() {
    // Under a bound on rows per person a row outside the axis uses the bound up, and a filtered one does not.
    differ("starts by quarter from 2025-Q2 to 2025-Q2", "starts where quarter = 2025-Q2");
    differ("starts where year = 2025-26", "starts by quarter from 2025-Q2 to 2026-Q1");
}

#[test]
fn another_purpose_is_no_other_table_and_another_role_is() {
    let ask = |role: &str, purpose: &str| {
        ask("people by council where quarter = 2025-Q2", role, purpose).canonical_hash(Schema::smf())
    };
    assert_eq!(ask("analyst", "monitoring"), ask("analyst", "research"));
    assert_ne!(ask("analyst", "monitoring"), ask("board", "monitoring"));
}

/// Ledgers hold the hash: a question in plain spelling keeps it from version to version.
#[test]
fn the_bytes_that_are_hashed_stay_as_they_are() {
    let question = ask("people by council, sex where quarter = 2025-Q2 and age = 16_19", "analyst", "smf");
    let axis = |column: &str| serde_json::json!({"column": column, "grain": "code"});
    let plain = serde_json::json!({
        "role": "analyst", "dataset": "engagements", "measure": "people",
        "group_by": [axis("participants.council_code"), axis("participants.sex")],
        "filter_by": [
            {"column": "participants.age_band", "grain": "code", "value": "16_19"},
            {"column": "start_date", "grain": "quarter", "value": "2025-Q2"},
        ],
        "as_of": null,
    });
    // In the order in which the fields are written.
    let text = format!(
        "{{\"role\":{},\"dataset\":{},\"measure\":{},\"group_by\":{},\"filter_by\":{},\"as_of\":null}}",
        plain["role"], plain["dataset"], plain["measure"], plain["group_by"], plain["filter_by"]
    );
    assert_eq!(question.canonical_hash(Schema::smf()), Hash::of(text.as_bytes()));
}

fn columns(schema: &Schema) -> impl Iterator<Item = (&Table, &Column)> {
    schema.tables().flat_map(|t| t.columns.iter().map(move |c| (t, c)))
}

/// What a question means, worked out in another way than the hash: its cells by name, and the rows that it keeps by their codes.
#[derive(Debug, Eq, PartialEq)]
struct Meaning {
    role: Name,
    dataset: String,
    measure: Measure,
    axes: BTreeSet<(String, Vec<String>, BTreeMap<String, String>)>,
    keeps: BTreeMap<String, BTreeSet<String>>,
    as_of: Option<Day>,
}

fn meaning(question: &Question, schema: &Schema) -> Meaning {
    let column = |name: &str| schema.find(&question.dataset, name).unwrap().column;
    let axes = question.group_by.iter().map(|axis| {
        let cells = axis.dimension(schema, &question.dataset).unwrap().codes;
        let rows = schema.coarsen(column(&axis.column), &axis.grain).unwrap_or_default();
        (axis.column.clone(), cells, rows)
    });
    let keeps = question.filter_by.iter().filter_map(|f| {
        let kept: BTreeSet<String> = match column(&f.column).kind {
            Kind::Date => BTreeSet::from([f.value.clone()]),
            _ => schema.codes_meant(column(&f.column), &f.grain, &f.value).unwrap().into_iter().collect(),
        };
        let all = schema.codes_at(column(&f.column), CODE_GRAIN).unwrap_or_default();
        let everyone = column(&f.column).kind != Kind::Date && all.iter().all(|c| kept.contains(c));
        (!everyone).then_some((f.column.clone(), kept))
    });
    Meaning {
        role: question.role.clone(),
        dataset: question.dataset.clone(),
        measure: question.measure.clone(),
        axes: axes.collect(),
        keeps: keeps.collect(),
        as_of: question.as_of,
    }
}

/// Columns of a dataset and of the tables above it that can be narrowed or grouped by code, as a question names them.
fn coded(dataset: &str) -> Vec<(String, &'static Column)> {
    let schema = Schema::smf();
    let tables = schema.ancestry(dataset).into_iter();
    let columns = tables.flat_map(|t| t.columns.iter().map(move |c| (t, c)));
    let coded = columns.filter(|(_, c)| schema.codes_at(c, CODE_GRAIN).is_some());
    coded
        .map(|(t, c)| (if t.name == dataset { c.name.clone() } else { format!("{}.{}", t.name, c.name) }, c))
        .collect()
}

/// A small generator of pseudo-random numbers, so that one seed is one question.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }

    fn shuffle<T>(&mut self, of: &mut [T]) {
        for at in (1..of.len()).rev() {
            of.swap(at, self.roll(at + 1));
        }
    }
}

const DATASETS: [&str; 4] = ["participants", "engagements", "outcomes", "activities"];

fn random(dice: &mut Dice) -> Question {
    let schema = Schema::smf();
    let dataset = DATASETS[dice.roll(DATASETS.len())];
    let mut columns = coded(dataset);
    dice.shuffle(&mut columns);
    let axes = dice.roll(GROUP_COLUMNS_MAX.min(3) + 1);
    let mut question = Question {
        dataset: dataset.into(),
        measure: if dice.roll(2) == 0 { Measure::People } else { Measure::Rows },
        group_by: vec![],
        filter_by: vec![],
        as_of: None,
        ..ask("people", if dice.roll(4) == 0 { "board" } else { "analyst" }, "monitoring")
    };
    for (written, column) in columns.iter().take(axes) {
        let grains = schema.grains(column);
        let grain = grains[dice.roll(grains.len())].to_owned();
        question.group_by.push(GroupBy { column: written.clone(), grain, span: None });
    }
    dice.shuffle(&mut columns);
    for (written, column) in columns.iter().take(dice.roll(FILTERS_MAX.min(4) + 1)) {
        let names = names(column, schema);
        let (grain, value) = names[dice.roll(names.len())].clone();
        question.filter_by.push(Filter { column: written.clone(), grain, value });
    }
    if dataset != "participants" && dice.roll(2) == 0 {
        let column = if dataset == "engagements" { "start_date" } else { "engagements.start_date" };
        let value = ["2025-Q1", "2025-Q2", "2024-25"][dice.roll(3)];
        let grain = if value.contains('Q') { "quarter" } else { "year" };
        question.filter_by.push(Filter { column: column.into(), grain: grain.into(), value: value.into() });
    }
    question
}

/// The same question in other words: axes and filters in another order, each filter under another of its names, another purpose.
fn rewritten(question: &Question, dice: &mut Dice) -> Question {
    let schema = Schema::smf();
    let mut other =
        Question { purpose: name(["smf", "research", "audit"][dice.roll(3)]), ..question.clone() };
    dice.shuffle(&mut other.group_by);
    dice.shuffle(&mut other.filter_by);
    for filter in &mut other.filter_by {
        let column = schema.find(&question.dataset, &filter.column).unwrap().column;
        let meant = |grain: &str, value: &str| {
            schema.codes_meant(column, grain, value).map(|codes| codes.into_iter().collect::<BTreeSet<_>>())
        };
        let kept = meant(&filter.grain, &filter.value);
        if kept.is_none() {
            continue;
        }
        let same: Vec<_> = names(column, schema).into_iter().filter(|(g, v)| meant(g, v) == kept).collect();
        (filter.grain, filter.value) = same[dice.roll(same.len())].clone();
    }
    other
}

/// The same question with one thing changed, which may still mean the same.
fn nudged(question: &Question, dice: &mut Dice) -> Question {
    let other = random(dice);
    let mut near = question.clone();
    match dice.roll(5) {
        0 => near.measure = other.measure,
        1 => drop(near.group_by.pop()),
        2 => drop(near.filter_by.pop()),
        3 => near.as_of = Day::new(2026, 3, 31),
        _ => {
            let schema = Schema::smf();
            for filter in near.filter_by.iter_mut().take(1) {
                let column = schema.find(&question.dataset, &filter.column).unwrap().column;
                let names = names(column, schema);
                if !names.is_empty() {
                    (filter.grain, filter.value) = names[dice.roll(names.len())].clone();
                }
            }
        }
    }
    near
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Rewritings of a question share its hash; questions share a hash just when they mean the same.
    #[test]
    fn questions_share_a_hash_just_when_they_mean_the_same(seed in 1..u64::MAX) {
        let (dice, schema) = (&mut Dice(seed), Schema::smf());
        let question = random(dice);
        for _ in 0..6 {
            let again = rewritten(&question, dice);
            prop_assert_eq!(meaning(&again, schema), meaning(&question, schema), "the test's own rewriting");
            prop_assert_eq!(again.canonical_hash(schema), question.canonical_hash(schema), "{:?}\n{:?}", again, question);
        }
        for other in [nudged(&question, dice), nudged(&question, dice), random(dice)] {
            let means = meaning(&other, schema) == meaning(&question, schema);
            let hashes = other.canonical_hash(schema) == question.canonical_hash(schema);
            prop_assert_eq!(hashes, means, "{:?}\n{:?}", other, question);
        }
    }
}
