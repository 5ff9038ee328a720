//! Every scalar of every shipped policy, of the framework and of the worked example is changed by one step, one at a time. Whenever the
//! file still loads, the difference must name exactly that rule, with the direction that the table below gives, which was
//! written without looking at the code, from docs/reference/policy.md.

use std::collections::{BTreeMap, BTreeSet};

use cairn_question::{Name, Schema};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::{Diff, Direction, Verdict, diff};
use crate::decide::{Asker, judge};
use crate::lint::Framework;
use crate::space::Pair;
use crate::tests::{EXAMPLES, TEMPLATES, counting_once, example, strathcarron, template};
use crate::{Layers, Sources, render_all};
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

impl Step {
    /// A word in the place of another counts as a text.
    fn kind(&self) -> Self {
        if matches!(self, Word(..)) { Text } else { self.clone() }
    }
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
    ("release.*.counts_per_year", ProtectsLess, ProtectsMore),
    ("release.*.counts_lifetime", ProtectsLess, ProtectsMore),
    ("release.*.mechanism", Unordered, Unordered),
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
    ("share.*.indicators", PermitsMore, PermitsLess),
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
    ("framework.indicator.*.title", Words, Words),
    // Another text with the same questions, such as a column's name with and without its table.
    ("framework.indicator.*", Unordered, Unordered),
    ("framework.profile.*.min_people", ProtectsMore, ProtectsLess),
    ("framework.profile.*.round_to", Unordered, Unordered),
    ("framework.profile.*.zeros", Unordered, Unordered),
    ("framework.profile.*", Unordered, Unordered),
    ("framework.secure.keys_per_person_max", Unordered, Unordered),
    ("framework.secure.usual", Unordered, Unordered),
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

/// Grains of either dictionary, tried in the place of each other.
const GRAINS: [&str; 11] = [
    "code", "nation", "broad", "group", "year", "quarter", "month", "council", "ward", "smf-band", "quintile",
];

/// Uses of a column, likewise.
const USES: [&str; 7] = ["unit", "link", "hidden", "dimension", "filter", "time", "measure"];

/// Other words of the language, tried in the place of each other.
const WORDS: [&str; 17] = [
    "suppress-round",
    "suppress-audit",
    "cell-key",
    "dp",
    "show",
    "withhold",
    "month",
    "quarter",
    "one-to-many",
    "count-once",
    "any-role",
    "own-role",
    "start_date",
    "end_date",
    "outcome_date",
    "discrete-laplace",
    "discrete-gaussian",
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
    let mut known = BTreeMap::new();
    texts_of(tree.get_ref(), &mut known);
    let mut found = Vec::new();
    walk(tree.get_ref(), (text, &known), prefix, &mut found);
    found
}

/// The texts of a file by their keys: another share's role is tried in the place of a share's role.
type Known = BTreeMap<String, BTreeSet<String>>;

fn texts_of(table: &DeTable<'_>, known: &mut Known) {
    for (key, value) in table {
        match value.get_ref() {
            DeValue::Table(inner) => texts_of(inner, known),
            DeValue::Array(list) => {
                let tables = list.iter().filter_map(|e| e.get_ref().as_table());
                tables.for_each(|inner| texts_of(inner, known));
            }
            DeValue::String(text) => {
                known.entry(key.get_ref().to_string()).or_default().insert(text.to_string());
            }
            _ => {}
        }
    }
}

fn walk(table: &DeTable<'_>, of: (&str, &Known), path: &str, found: &mut Vec<Spot>) {
    for (key, value) in table {
        // The framework's own head is named by its file.
        let head = path == "framework" && key.get_ref() == "framework";
        let rule = match (path, head) {
            (_, true) => path.to_owned(),
            ("", _) => key.get_ref().to_string(),
            _ => format!("{path}.{}", key.get_ref()),
        };
        match value.get_ref() {
            DeValue::Table(inner) => walk(inner, of, &rule, found),
            DeValue::Array(list) if list.iter().any(|e| matches!(e.get_ref(), DeValue::Table(_))) => {
                for entry in list {
                    let DeValue::Table(inner) = entry.get_ref() else { panic!("{rule}") };
                    let id = inner["id"].get_ref().as_str().unwrap();
                    walk(inner, of, &format!("{rule}.{id}"), found);
                }
            }
            _ => {
                let tried = steps(value, &rule, of);
                found.push(Spot { rule, span: value.span(), tried });
            }
        }
    }
}

fn steps(value: &Spanned<DeValue<'_>>, rule: &str, (text, known): (&str, &Known)) -> Vec<(Step, String)> {
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
        DeValue::String(old) => texts(old, rule, known),
        DeValue::Array(entries) => lists(entries, rule, text),
        DeValue::Table(_) => Vec::new(),
    }
}

/// Other texts of the same key in the file; where the text is a word of the language, the other words; another text.
fn texts(old: &str, rule: &str, known: &Known) -> Vec<(Step, String)> {
    let key = rule.rsplit('.').next().unwrap();
    let mut others: BTreeSet<&str> = known.get(key).into_iter().flatten().map(String::as_str).collect();
    let listed = rule.contains(".group_by.") || rule.contains(".filter_by.");
    match () {
        () if listed => others.extend(GRAINS),
        () if key == "use" => others.extend(USES),
        () if WORDS.contains(&old) => others.extend(WORDS),
        () => {}
    }
    others.remove(old);
    let word = |new: &str| (Word(old.to_owned(), new.to_owned()), format!("{new:?}"));
    let mut all: Vec<(Step, String)> = others.into_iter().map(word).collect();
    all.push((Text, format!("{:?}", format!("{old}x"))));
    if let Some(hash) = old.strip_prefix("sha256:") {
        let first = if hash.starts_with('f') { '0' } else { 'f' };
        all.push((Text, format!("\"sha256:{first}{}\"", &hash[1..])));
    }
    if key == "year_starts" {
        all.push((Text, "\"04-02\"".to_owned()));
    }
    all
}

fn lists(entries: &toml::de::DeArray<'_>, rule: &str, text: &str) -> Vec<(Step, String)> {
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
    let grained = rule.ends_with(".grains") || rule.contains("framework.grains.");
    let added = more.iter().chain(&columns).map(|w| one(w)).chain(["[\"age\", \"sex\"]".to_owned()]);
    let added = if grained { GRAINS.iter().map(|w| one(w)).collect() } else { added.collect::<Vec<_>>() };
    let added = added.into_iter().filter(|w| !written.contains(&w.as_str())).map(|w| {
        let mut longer = written.clone();
        longer.push(&w);
        (Added, list(longer))
    });
    let added: Vec<_> = added.collect();
    dropped.chain(added).collect()
}

/// What was reached: rules, rules that loaded under some step, and the rows of the table that were tried.
#[derive(Default)]
struct Reached {
    rules: BTreeSet<String>,
    loaded: BTreeSet<String>,
    steps: BTreeMap<String, BTreeSet<Step>>,
    /// Files that loaded, each laid beside the one it was made from.
    compared: usize,
}

/// A policy's own file, and its framework's.
const BOTH: &[&str] = &["", "framework"];

/// The policy's own file.
const OWN: &[&str] = &[""];

/// The shipped framework's file alone, under one policy.
const FRAMEWORK: &[&str] = &["framework"];

/// How many values are tried in the place of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Steps {
    /// All there are.
    All,
    /// Of each kind, up to the first with which the file loads.
    First,
}

fn mutate(
    schema: &'static Schema,
    sources: &Sources,
    (files, steps): (&[&str], Steps),
    reached: &mut Reached,
) {
    let old = Layers::load_with(schema, sources).unwrap_or_else(|f| panic!("{}", render_all(&f, sources)));
    let whole = |rule: &str| old.facts().keys().any(|path| path.join(".") == rule);
    let framework = Framework::read(schema, &sources.framework);
    for prefix in files {
        let file = if prefix.is_empty() { &sources.policy } else { &sources.framework };
        for spot in spots(&file.text, prefix) {
            assert!(whole(&spot.rule), "the difference looks at {}", spot.rule);
            reached.rules.insert(spot.rule.clone());
            assert!(!spot.tried.is_empty(), "{}", spot.rule);
            let mut stepped = BTreeSet::new();
            for (step, value) in &spot.tried {
                if steps == Steps::First && stepped.contains(&step.kind()) {
                    continue;
                }
                let mut mutated = sources.clone();
                let file = if prefix.is_empty() { &mut mutated.policy } else { &mut mutated.framework };
                file.text.replace_range(spot.span.clone(), value);
                let own = (!prefix.is_empty()).then(|| Framework::read(schema, &mutated.framework));
                let new = Layers::checked_under(schema, own.as_ref().unwrap_or(&framework), &mutated);
                let Ok((new, _)) = new else { continue };
                reached.loaded.insert(spot.rule.clone());
                stepped.insert(step.kind());
                reached.compared += 1;
                held(&diff(Some(&old), &new).unwrap(), &spot.rule, step, value);
                let row = ORACLE.iter().find(|(pattern, ..)| matches(pattern, &spot.rule));
                let row = row.map_or("words", |r| r.0).to_owned();
                reached.steps.entry(row).or_default().insert(step.kind());
            }
        }
    }
    let facts = old.facts().keys().map(|path| path.join("."));
    let file = |rule: &str| if rule.starts_with("framework.") { "framework" } else { "" };
    let facts: BTreeSet<String> = facts.filter(|rule| files.contains(&file(rule))).collect();
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

/// Lays one step beside the table for every scalar of these files. The golden says how many scalars there are, how
/// many of them can take a step and load, how many files were compared, and the rows of the table that were tried.
fn check(name: &str, schema: &'static Schema, sources: &Sources, tried: (&[&str], Steps)) {
    let mut reached = Reached::default();
    // A brake is no part of a difference.
    mutate(schema, &Sources { brake: None, ..sources.clone() }, tried, &mut reached);
    let (scalars, loaded, compared) = (reached.rules.len(), reached.loaded.len(), reached.compared);
    let rows =
        |(row, steps): (String, BTreeSet<Step>)| steps.into_iter().map(move |s| format!("{row} {s:?}"));
    let rows: Vec<String> = reached.steps.into_iter().flat_map(rows).collect();
    let counted = format!("{scalars} scalars, {loaded} can change and load, {compared} files compared");
    insta::assert_snapshot!(format!("scalars_{name}"), format!("{counted}\n\n{}", rows.join("\n")));
}

#[test]
fn every_scalar_of_the_worked_example_is_reported_with_its_direction() {
    let (schema, sources) = strathcarron("policy");
    check("strathcarron", schema, &sources, (BOTH, Steps::All));
}

/// One test a policy, so that they run side by side.
macro_rules! every_scalar {
    ($($test:ident: $sources:expr, $files:expr;)*) => {$(
        #[test]
        fn $test() {
            check(stringify!($test), Schema::smf(), &$sources, ($files, Steps::First));
        }
    )*};
}

every_scalar! {
    every_scalar_of_the_framework: example("council"), FRAMEWORK;
    every_scalar_of_the_council: example("council"), OWN;
    every_scalar_of_the_small_charity: example("small-charity"), OWN;
    every_scalar_of_the_health_board: example("health-board"), OWN;
    every_scalar_of_a_policy_that_counts_people_once: counting_once(), OWN;
    every_scalar_of_the_template_council: template("council"), OWN;
    every_scalar_of_the_template_charity: template("charity"), OWN;
    every_scalar_of_the_template_college: template("college"), OWN;
    every_scalar_of_the_template_health_board: template("health-board"), OWN;
    every_scalar_of_the_template_national_body: template("national-body"), OWN;
    every_scalar_of_the_template_peer_assessment: template("peer-assessment"), OWN;
    every_scalar_of_the_template_workforce: template("workforce"), OWN;
}

/// The rules that refuse the questions of each share without a column, asked by one analyst.
fn refused(layers: &Layers, analyst: &Name) -> BTreeMap<String, BTreeSet<String>> {
    let day = layers.in_force().0;
    let mut refused = BTreeMap::new();
    for (block, _) in Pair::alone(layers).fields().unwrap().0 {
        let ready = block.new.unwrap().ready;
        let issuer = layers.role_issuer(block.role).unwrap();
        let asker = Asker::Analyst { analyst, issuer };
        let rules = judge(layers, &block.bare(), asker, day).err().unwrap_or_default();
        let rules: BTreeSet<String> = rules.into_iter().map(|r| r.rule).collect();
        refused.entry(ready.share.id.value.to_string()).or_insert_with(BTreeSet::new).extend(rules);
    }
    refused
}

/// The rule by which a brake refuses more, of one share or of all; none: it refuses no more.
type Stop = Option<(&'static str, Option<String>)>;

/// What is tried in the place of a brake's scalar, and what it stops.
fn brake_steps(rule: &str, share: &str) -> Vec<(String, Stop)> {
    match rule {
        "cairn_brake" => vec![],
        "pause_all" => vec![("true".to_owned(), Some(("brake.pause_all", None)))],
        "paused_shares" => {
            vec![(format!("[{share:?}]"), Some(("brake.paused_shares", Some(share.to_owned()))))]
        }
        "blocked_analysts" => vec![
            ("[\"a-person\"]".to_owned(), Some(("brake.blocked_analysts", None))),
            ("[\"another-person\"]".to_owned(), None),
        ],
        "reason" => vec![("\"a drill\"".to_owned(), None)],
        other => panic!("the test says nothing of {other}"),
    }
}

/// A brake is no part of what a board signs: no difference names it. Each of its scalars refuses just what it says.
#[test]
fn every_scalar_of_every_brake_refuses_more_and_changes_no_policy() {
    let examples = EXAMPLES.map(example);
    let templates = TEMPLATES.map(|(name, _)| template(name));
    for sources in examples.into_iter().chain(templates) {
        let text = &sources.brake.as_ref().unwrap().text;
        let old = Layers::load(&sources).unwrap();
        let analyst = Name::new("a-person").unwrap();
        let before = refused(&old, &analyst);
        let spots = spots(text, "");
        assert_eq!(spots.len(), 5, "{text}");
        let steps = |spot: &Spot| {
            let shares = before.keys().flat_map(|share| brake_steps(&spot.rule, share));
            shares.map(|step| (spot.span.clone(), step)).collect::<Vec<_>>()
        };
        for (span, (value, stops)) in spots.iter().flat_map(steps) {
            let mut braked = sources.clone();
            braked.brake.as_mut().unwrap().text.replace_range(span, &value);
            let new = Layers::load(&braked).unwrap_or_else(|f| panic!("{}", render_all(&f, &braked)));
            let mut expected = before.clone();
            for (share, rules) in &mut expected {
                let stopped = stops.iter().filter(|(_, only)| only.as_ref().is_none_or(|o| o == share));
                rules.extend(stopped.map(|(rule, _)| (*rule).to_owned()));
            }
            assert_eq!(refused(&new, &analyst), expected, "{value}");
            assert_eq!(old.facts(), new.facts(), "{value}");
        }
    }
}
