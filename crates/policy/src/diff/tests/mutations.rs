//! Every scalar of the worked example is changed by one step, one at a time. Whenever the file still loads, the difference
//! must name exactly that rule, with the direction that the table below gives, which was written without looking at the
//! code, from docs/reference/policy.md.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::{Diff, Direction, Verdict, diff_by};
use crate::space::field::{Apart, Field, Wanted};
use crate::tests::strathcarron;
use crate::{Layers, Sources};
use Direction::{PermitsLess, PermitsMore, ProtectsLess, ProtectsMore, Unordered, Words};

/// What was done to a value.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Step {
    /// A larger number, a later day, a flag set.
    Up,
    /// A smaller number, an earlier day, a flag taken off.
    Down,
    /// Another text.
    Text,
    /// From a word to another.
    Word(String, String),
    Added,
    Dropped,
}

use Step::{Added, Down, Dropped, Text, Up, Word};

/// What each key's change does: up, down; for texts the first alone; for lists added, dropped.
const ORACLE: &[(&str, Direction, Direction)] = &[
    ("policy.id", Unordered, Unordered),
    ("policy.version", Words, Words),
    ("policy.partner", Unordered, Unordered),
    ("policy.supersedes", Words, Words),
    ("policy.effective_from", PermitsLess, PermitsMore),
    ("policy.review_by", ProtectsLess, ProtectsMore),
    ("policy.expires", PermitsMore, PermitsLess),
    ("policy.controller", Unordered, Unordered),
    ("policy.legal_basis", Unordered, Unordered),
    ("policy.agreement", Unordered, Unordered),
    ("policy.dpia", Unordered, Unordered),
    ("policy.contact", Words, Words),
    ("policy.notice_url", Unordered, Unordered),
    ("policy.plan.*", Words, Words),
    ("budget.epsilon_per_year", ProtectsLess, ProtectsMore),
    ("budget.epsilon_lifetime", ProtectsLess, ProtectsMore),
    ("budget.delta_lifetime", ProtectsLess, ProtectsMore),
    ("budget.year_starts", Unordered, Unordered),
    ("dataset.*.max_rows_per_person", ProtectsLess, Unordered),
    ("dataset.*.snapshot", Unordered, Unordered),
    ("dataset.*.keep_years", Unordered, Unordered),
    ("dataset.*.opt_out.share_only_if", Unordered, Unordered),
    ("dataset.*.opt_out.column", Unordered, Unordered),
    ("dataset.*.columns.*.grains", PermitsMore, PermitsLess),
    ("dataset.*.columns.*.special", ProtectsMore, ProtectsLess),
    ("dataset.*.columns.*.codes", Unordered, Unordered),
    ("dataset.*.columns.*.bounds", Unordered, Unordered),
    ("dataset.*.columns.*.unit", Unordered, Unordered),
    ("link.*.right", Unordered, Unordered),
    ("link.*.on", Unordered, Unordered),
    ("link.*.kind", Unordered, Unordered),
    ("release.*.method", Unordered, Unordered),
    ("release.*.profile", Unordered, Unordered),
    ("release.*.ptable", Unordered, Unordered),
    ("release.*.min_people", ProtectsMore, ProtectsLess),
    ("release.*.round_to", Unordered, Unordered),
    ("release.*.zeros", Unordered, Unordered),
    ("release.*.secondary", Unordered, Unordered),
    ("release.*.epsilon", ProtectsLess, ProtectsMore),
    ("release.*.groups_per_person", Unordered, Unordered),
    ("release.*.min_partners", ProtectsMore, ProtectsLess),
    ("release.*.dominance.*", Unordered, Unordered),
    ("role.*.issuer", Unordered, Unordered),
    ("role.*.max_people", PermitsMore, PermitsLess),
    ("purpose.*.text", Unordered, Unordered),
    ("purpose.*.basis", Unordered, Unordered),
    ("share.*.purpose", Unordered, Unordered),
    ("share.*.role", Unordered, Unordered),
    ("share.*.dataset", Unordered, Unordered),
    ("share.*.release", Unordered, Unordered),
    ("share.*.window.*", Unordered, Unordered),
    ("share.*.from", PermitsLess, PermitsMore),
    ("share.*.until", PermitsMore, PermitsLess),
    ("share.*.named_analysts", PermitsMore, PermitsLess),
    ("share.*.answers", PermitsMore, PermitsLess),
    ("share.*.max_group_columns", PermitsMore, PermitsLess),
    ("share.*.max_filter_columns", PermitsMore, PermitsLess),
    ("share.*.min_cohort", ProtectsMore, ProtectsLess),
    ("share.*.never_together", PermitsLess, PermitsMore),
    ("share.*.links", Unordered, Unordered),
    ("share.*.per_analyst.tables_per_day", PermitsMore, PermitsLess),
    ("share.*.per_analyst.tables_per_year", PermitsMore, PermitsLess),
    ("share.*.per_analyst.epsilon_per_year", ProtectsLess, ProtectsMore),
    ("records.audit_keep_years", ProtectsMore, ProtectsLess),
    ("records.answers_cached_days", ProtectsMore, ProtectsLess),
    ("records.conditions", ProtectsMore, Unordered),
    ("framework.floor.min_people", ProtectsMore, ProtectsLess),
    ("framework.floor.round_to", Unordered, Unordered),
    ("framework.floor.min_partners", ProtectsMore, ProtectsLess),
    ("framework.floor.max_*", PermitsMore, PermitsLess),
    ("framework.floor.epsilon_*", ProtectsLess, ProtectsMore),
    ("framework.floor.delta_max", ProtectsLess, ProtectsMore),
    ("framework.floor.lag_days", Unordered, Unordered),
    ("framework.floor.special_needs_method", Unordered, Unordered),
    ("framework.floor.finest.*", Unordered, Unordered),
    ("framework.grains.*", PermitsMore, PermitsLess),
    ("framework.open.*", PermitsMore, PermitsLess),
    ("framework.purpose.*", Unordered, Unordered),
    ("framework.profile.*.min_people", ProtectsMore, ProtectsLess),
    ("framework.profile.*.round_to", Unordered, Unordered),
    ("framework.profile.*.zeros", Unordered, Unordered),
    ("framework.secure.keys_per_person_max", Unordered, Unordered),
    ("framework.secure.*", ProtectsMore, ProtectsLess),
];

/// Of two grains of one column, coarse then fine.
const NESTED: [(&str, &str); 10] = [
    ("nation", "code"),
    ("broad", "code"),
    ("group", "code"),
    ("stage-group", "code"),
    ("year", "quarter"),
    ("council", "ward"),
    ("two-way", "code"),
    ("month", "day"),
    ("high-level", "code"),
    ("quintile", "code"),
];

/// Texts that are tried in the place of others, wherever a text stands.
const WORDS: [&str; 33] = [
    "unit",
    "link",
    "hidden",
    "dimension",
    "filter",
    "time",
    "measure",
    "suppress-round",
    "suppress-audit",
    "cell-key",
    "dp",
    "show",
    "withhold",
    "month",
    "quarter",
    "year",
    "code",
    "nation",
    "broad",
    "group",
    "council",
    "ward",
    "one-to-many",
    "count-once",
    "any-role",
    "own-role",
    "people",
    "rows",
    "sub-national-8-5",
    "start_date",
    "end_date",
    "04-02",
    "outcome_date",
];

fn expected(rule: &str, step: &Step) -> Direction {
    if let (Word(old, new), true) = (step, rule.ends_with(".use")) {
        let more = |less: &str, more: &str| {
            let kept = ["hidden"].contains(&less);
            kept && ["filter", "dimension", "time", "measure"].contains(&more)
                || less == "filter" && ["dimension", "time"].contains(&more)
        };
        return match () {
            () if more(old, new) => PermitsMore,
            () if more(new, old) => PermitsLess,
            () => Unordered,
        };
    }
    if let (Word(old, new), true) = (step, rule.contains(".group_by.") || rule.contains(".filter_by.")) {
        let finer = NESTED.contains(&(old.as_str(), new.as_str()));
        let coarser = NESTED.contains(&(new.as_str(), old.as_str()));
        return if finer {
            PermitsMore
        } else if coarser {
            PermitsLess
        } else {
            Unordered
        };
    }
    if let (Word(old, new), "framework.floor.partner_tables") = (step, rule) {
        return if old.as_str() < new.as_str() { PermitsLess } else { PermitsMore };
    }
    let row = ORACLE.iter().find(|(pattern, ..)| matches(pattern, rule));
    let (_, up, down) = row.unwrap_or_else(|| panic!("the table says nothing of {rule} ({step:?})"));
    match step {
        Up | Added | Text | Word(..) => *up,
        Down | Dropped => *down,
    }
}

fn matches(pattern: &str, rule: &str) -> bool {
    let mut rest = rule;
    let mut parts = pattern.split('*');
    let Some(after) = parts.next().and_then(|first| rest.strip_prefix(first)) else { return false };
    rest = after;
    for part in parts {
        match (part.is_empty(), rest.find(part)) {
            (true, _) => return true,
            (false, Some(at)) => rest = &rest[at + part.len()..],
            (false, None) => return false,
        }
    }
    rest.is_empty()
}

/// One value of a file: its rule, where it stands, and what is tried in its place.
struct Spot {
    rule: String,
    span: std::ops::Range<usize>,
    tried: Vec<(Step, String)>,
}

fn spots(text: &str, prefix: &str) -> Vec<Spot> {
    let tree = DeTable::parse(text).unwrap();
    let mut found = Vec::new();
    walk(tree.get_ref(), text, prefix, &mut found);
    found
}

fn walk(table: &DeTable<'_>, text: &str, path: &str, found: &mut Vec<Spot>) {
    for (key, value) in table {
        // The framework's own head is named by its file.
        let head = path == "framework" && key.get_ref() == "framework";
        let rule = match (path, head) {
            (_, true) => path.to_owned(),
            ("", _) => key.get_ref().to_string(),
            _ => format!("{path}.{}", key.get_ref()),
        };
        match value.get_ref() {
            DeValue::Table(inner) => walk(inner, text, &rule, found),
            DeValue::Array(list) if list.iter().any(|e| matches!(e.get_ref(), DeValue::Table(_))) => {
                for entry in list {
                    let DeValue::Table(inner) = entry.get_ref() else { panic!("{rule}") };
                    let id = inner["id"].get_ref().as_str().unwrap();
                    walk(inner, text, &format!("{rule}.{id}"), found);
                }
            }
            _ => found.push(Spot { rule, span: value.span(), tried: steps(value, text) }),
        }
    }
}

fn steps(value: &Spanned<DeValue<'_>>, text: &str) -> Vec<(Step, String)> {
    match value.get_ref() {
        DeValue::Integer(n) => {
            let n: i64 = n.as_str().parse().unwrap();
            vec![(Up, (n + 1).to_string()), (Down, (n - 1).to_string())]
        }
        DeValue::Float(f) if f.as_str() == "1e-6" => vec![(Up, "2e-6".into()), (Down, "9e-7".into())],
        DeValue::Float(f) => {
            let n = i64::from(crate::decimal::millionths(f.as_str()).unwrap());
            let words = |n: i64| format!("{}.{:06}", n / 1_000_000, n % 1_000_000);
            vec![(Up, words(n + 1)), (Down, words(n - 1))]
        }
        DeValue::Datetime(day) => {
            let day: cairn_question::Day = day.to_string().parse().unwrap();
            vec![(Up, day.plus_days(1).to_string()), (Down, day.plus_days(-1).to_string())]
        }
        DeValue::Boolean(true) => vec![(Down, "false".into())],
        DeValue::Boolean(false) => vec![(Up, "true".into())],
        DeValue::String(old) => texts(old),
        DeValue::Array(entries) => lists(entries, text),
        DeValue::Table(_) => Vec::new(),
    }
}

fn texts(old: &str) -> Vec<(Step, String)> {
    let word = |new: &&str| (Word(old.to_owned(), (*new).to_owned()), format!("{new:?}"));
    let mut all: Vec<(Step, String)> = WORDS.iter().filter(|w| **w != old).map(word).collect();
    all.push((Text, format!("{:?}", format!("{old}x"))));
    if let Some(hash) = old.strip_prefix("sha256:") {
        all.push((Text, format!("\"sha256:f{}\"", &hash[1..])));
    }
    all
}

fn lists(entries: &toml::de::DeArray<'_>, text: &str) -> Vec<(Step, String)> {
    let written: Vec<&str> = entries.iter().map(|e| &text[e.span()]).collect();
    let list = |entries: Vec<&str>| format!("[{}]", entries.join(", "));
    let dropped = (0..written.len()).map(|n| {
        let rest = written.iter().enumerate().filter(|(at, _)| *at != n).map(|(_, e)| *e).collect();
        (Dropped, list(rest))
    });
    let one = |word: &str| format!("{word:?}");
    let more =
        ["any-one", "rows", "people", "code", "year", "quarter", "nation", "participants-engagements", "yes"];
    let columns =
        ["sex", "gender", "lep_code", "participants.sex", "benefit", "housing_status", "funding_stream"];
    let added = more.iter().chain(&columns).map(|w| one(w)).chain(["[\"age\", \"sex\"]".to_owned()]);
    let added = added.filter(|w| !written.contains(&w.as_str())).map(|w| {
        let mut longer = written.clone();
        longer.push(&w);
        (Added, list(longer))
    });
    let added: Vec<_> = added.collect();
    dropped.chain(added).collect()
}

/// The fields tried so far, and what was found in each: most changes of a policy leave most fields as they are.
#[derive(Default)]
struct Tried(BTreeMap<(Vec<u64>, Vec<Apart>), Vec<Wanted>>);

impl Tried {
    fn diff(&mut self, old: &Layers, new: &Layers) -> Diff {
        let mut scan = |field: &Field, wanted: &mut [Wanted]| {
            let found = self.0.entry(field.looked_at()).or_insert_with(|| {
                let mut wanted = wanted.to_vec();
                field.scan(&mut wanted);
                wanted
            });
            wanted.clone_from_slice(found);
        };
        diff_by(Some(old), new, &mut scan).unwrap()
    }
}

/// What was reached: rules, rules that loaded under some step, and the rows of the table that were tried.
#[derive(Default)]
struct Reached {
    rules: BTreeSet<String>,
    loaded: BTreeSet<String>,
    steps: BTreeMap<String, BTreeSet<Step>>,
    tried: Tried,
}

fn mutate(schema: &'static cairn_question::Schema, sources: &Sources, reached: &mut Reached) {
    let old = Layers::load_with(schema, sources).unwrap();
    let whole = |rule: &str| old.facts().keys().any(|path| path.join(".") == rule);
    for prefix in ["", "framework"] {
        let file = if prefix.is_empty() { &sources.policy } else { &sources.framework };
        for spot in spots(&file.text, prefix) {
            assert!(whole(&spot.rule), "the difference looks at {}", spot.rule);
            reached.rules.insert(spot.rule.clone());
            assert!(!spot.tried.is_empty(), "{}", spot.rule);
            for (step, value) in &spot.tried {
                let mut mutated = sources.clone();
                let file = if prefix.is_empty() { &mut mutated.policy } else { &mut mutated.framework };
                file.text.replace_range(spot.span.clone(), value);
                let Ok(new) = Layers::load_with(schema, &mutated) else { continue };
                reached.loaded.insert(spot.rule.clone());
                held(&reached.tried.diff(&old, &new), &spot.rule, step, value);
                let row = ORACLE.iter().find(|(pattern, ..)| matches(pattern, &spot.rule));
                let row = row.map_or("words", |r| r.0).to_owned();
                let kind = if matches!(step, Word(..)) { Text } else { step.clone() };
                reached.steps.entry(row).or_default().insert(kind);
            }
        }
    }
    let facts: BTreeSet<String> = old.facts().keys().map(|path| path.join(".")).collect();
    let missed: Vec<&String> = facts.difference(&reached.rules).collect();
    assert_eq!(missed, Vec::<&String>::new(), "every scalar is reached");
}

fn held(found: &Diff, rule: &str, step: &Step, value: &str) {
    let changes: Vec<(&str, Direction)> =
        found.changes.iter().map(|c| (c.rule.as_str(), c.direction)).collect();
    let told = format!("{rule} {step:?} {value}\n{}", found.render());
    // Another id is another share or link: the old one goes, a new one comes.
    if let Some(section) = rule.strip_suffix(".id").filter(|s| s.contains('.')) {
        assert_eq!(changes.len(), 2, "{told}");
        assert!(changes.iter().any(|(r, _)| *r == section), "{told}");
        assert_eq!(found.verdict, Verdict::Loosens, "{told}");
        return;
    }
    let direction = expected(rule, step);
    assert_eq!(changes, [(rule, direction)], "{told}");
    let verdict = match direction {
        PermitsMore | ProtectsLess | Unordered => Verdict::Loosens,
        Words if matches!(rule, "policy.version" | "policy.supersedes") => Verdict::Same,
        _ => Verdict::Tightens,
    };
    assert_eq!(found.verdict, verdict, "{told}");
}

/// Lays one step beside the table for every scalar of these policies, and returns the table's rows that were tried.
fn every_scalar(policies: Vec<(&'static cairn_question::Schema, Sources)>) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for (schema, sources) in policies {
        let mut reached = Reached::default();
        mutate(schema, &sources, &mut reached);
        assert!(
            reached.loaded.len() * 4 > reached.rules.len(),
            "{} of {} rules",
            reached.loaded.len(),
            reached.rules.len()
        );
        rows.extend(
            reached
                .steps
                .into_iter()
                .flat_map(|(row, steps)| steps.into_iter().map(move |s| format!("{row} {s:?}"))),
        );
    }
    rows
}

#[test]
fn every_scalar_of_the_worked_example_is_reported_with_its_direction() {
    let rows = every_scalar(vec![strathcarron("policy")]);
    insta::assert_snapshot!(rows.into_iter().collect::<Vec<_>>().join("\n"));
}
