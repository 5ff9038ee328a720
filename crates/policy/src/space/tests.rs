use std::collections::BTreeSet;

use cairn_question::Day;

use super::field::{Kind, NEW, PERSON};
use super::sets::Set;
use super::*;
use crate::decide::{Asker, decide, judge};
use crate::diff::{Axes, treated};
use crate::tests::{EXAMPLES, TEMPLATES, example, strathcarron, template};
use crate::{Sources, Treatment, render_all};

/// Every policy that is shipped, and the worked example.
fn shipped_policies() -> Vec<(String, Layers)> {
    let mut all: Vec<(String, &'static Schema, Sources)> = Vec::new();
    all.extend(EXAMPLES.map(|n| (n.to_owned(), Schema::smf(), example(n))));
    all.extend(TEMPLATES.map(|(n, _)| (format!("template {n}"), Schema::smf(), template(n))));
    let (schema, sources) = strathcarron("policy");
    all.push(("strathcarron".to_owned(), schema, sources));
    all.into_iter().map(|(name, schema, sources)| (name, load(schema, &sources))).collect()
}

fn load(schema: &'static Schema, sources: &Sources) -> Layers {
    Layers::load_with(schema, sources).unwrap_or_else(|f| panic!("{}", render_all(&f, sources)))
}

/// Numbers that look random and are the same in each run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A day on which the block's share is in force.
fn open_day(block: &Block<'_>) -> Day {
    block.new.unwrap().ready.settings.from.unwrap()
}

/// What decide gives for a kind.
fn decided(block: &Block<'_>, question: &Question) -> Option<Treatment> {
    let layers = block.new.unwrap().layers;
    judge(layers, question, Asker::Anyone, open_day(block)).ok()
}

/// What the enumerator gives: the verdict's bits, and the treatment that a difference compares.
fn enumerated(block: &Block<'_>, verdict: u64) -> Option<Treatment> {
    let axes = if verdict & PERSON == 0 { Axes::OfRows } else { Axes::OfPerson };
    (verdict & NEW != 0).then(|| treated(block, block.new.unwrap(), axes))
}

/// Every kind of a field with its verdict.
fn each(field: &Field, mut then: impl FnMut(&Kind, u64)) {
    let [groups, filters] = field.sets();
    for group in &groups {
        for filter in &filters {
            let (kind, verdict) = field.kind(group, filter);
            then(&kind, verdict);
        }
    }
}

/// Whether a kind is answered; decide must say the same.
fn agrees(block: &Block<'_>, field: &Field, kind: &Kind, verdict: u64) -> bool {
    let question = field.question(kind);
    let (decided, enumerated) = (decided(block, &question), enumerated(block, verdict));
    // A share of approved indicators answers some codes of a kind and not others, so its kinds are at most what is answered.
    if decided.is_some() || block.new.is_none_or(|side| side.ready.approved().is_none()) {
        assert_eq!(decided, enumerated, "{}", print(&question));
    }
    verdict & NEW != 0
}

/// Kinds of one block that are laid beside decide where there are too many for all: so many of any sets, and so many of sets that
/// the policy lets in. Calling decide takes some thousand times as long as trying a kind.
const SAMPLED: usize = 150;

#[test]
fn the_enumeration_agrees_with_decide_on_every_shipped_policy() {
    let mut seeded = Seeded(7);
    for (name, layers) in shipped_policies() {
        let (mut answered, mut refused) = (0, 0);
        for (block, field) in Pair::alone(&layers).fields().unwrap().0 {
            let any = field.sets();
            let let_in =
                any.clone().map(|sets| sets.into_iter().filter(|s| s.word & NEW != 0).collect::<Vec<_>>());
            for [groups, filters] in [&any, &let_in] {
                for _ in 0..SAMPLED {
                    let mut one =
                        |sets: &Vec<Set>| sets[usize::try_from(seeded.below(sets.len() as u64)).unwrap()];
                    let (kind, verdict) = field.kind(&one(groups), &one(filters));
                    let yes = agrees(&block, &field, &kind, verdict);
                    (answered, refused) = (answered + usize::from(yes), refused + usize::from(!yes));
                }
            }
        }
        assert!(answered >= SAMPLED && refused > 0, "{name}: {answered} answered, {refused} refused");
    }
}

#[test]
fn every_answered_kind_of_the_worked_example_is_answered_by_decide() {
    let (schema, sources) = strathcarron("policy");
    let layers = load(schema, &sources);
    let (mut all, mut answered) = (0_u64, 0_u64);
    for (block, field) in Pair::alone(&layers).fields().unwrap().0 {
        each(&field, |kind, verdict| {
            all += 1;
            answered += u64::from(verdict & NEW != 0 && agrees(&block, &field, kind, verdict));
        });
    }
    let whole = crate::diff(None, &layers).unwrap();
    assert_eq!((all, answered), (whole.kinds.tried, whole.newly.count));
    assert_eq!((all, answered), (1_414_359, 1_429));
}

/// The worked example with narrower shares and lists kept apart, as a number says.
fn made_up(number: u64) -> Layers {
    let (schema, mut sources) = strathcarron("policy");
    let mut seeded = Seeded(number);
    let lists = [
        "[\"age\", \"sex\"]",
        "[\"area\"]",
        "[\"age\", \"sex\", \"start_date\"]",
        "[\"start_date\", \"area\"]",
    ];
    let mut dataset = String::new();
    let mut lines = Vec::new();
    for line in sources.policy.text.lines() {
        if let Some(named) = line.strip_prefix("dataset  = ") {
            dataset = named.to_owned();
        }
        let narrower = format!("max_group_columns  = {}", 1 + seeded.below(2));
        let narrow = "max_filter_columns = 1".to_owned();
        match line {
            l if l.starts_with("max_group_columns") => lines.push(narrower),
            l if l.starts_with("max_filter_columns") && !l.ends_with(" 0") => lines.push(narrow),
            l => lines.push(l.to_owned()),
        }
        if line.starts_with("max_filter_columns")
            && dataset.contains("participants")
            && !sources_apart(&lines)
        {
            let chosen: Vec<&str> = lists.into_iter().filter(|_| seeded.below(2) == 0).collect();
            lines.push(format!("never_together = [{}]", chosen.join(", ")));
        }
    }
    // One share has a list of its own.
    let own = "never_together = [[\"ethnicity\", \"care_experience\"]]";
    let text = lines.join("\n");
    sources.policy.text = text.replacen(&format!("\n{own}"), "", 1);
    load(schema, &sources)
}

/// Whether the share has its lists already.
fn sources_apart(lines: &[String]) -> bool {
    lines.last().is_some_and(|l| l.starts_with("never_together"))
}

#[test]
fn every_kind_of_a_tiny_policy_is_decided_as_decide_decides_it() {
    for number in 0..3 {
        let layers = made_up(number);
        let (mut all, mut answered) = (0, 0);
        for (block, field) in Pair::alone(&layers).fields().unwrap().0 {
            each(&field, |kind, verdict| {
                all += 1;
                answered += usize::from(agrees(&block, &field, kind, verdict));
            });
        }
        assert!(all > 1_000 && answered > 50, "{all} {answered}");
    }
}

/// Every answered kind of a policy, with its block's day.
fn answered_questions(layers: &Layers) -> Vec<(Question, Day)> {
    let mut all = Vec::new();
    for (block, field) in Pair::alone(layers).fields().unwrap().0 {
        each(&field, |kind, verdict| {
            if verdict & NEW != 0 {
                all.push((field.question(kind), open_day(&block)));
            }
        });
    }
    all
}

#[test]
fn the_order_of_columns_changes_nothing() {
    let (schema, sources) = strathcarron("policy");
    let layers = load(schema, &sources);
    for (question, day) in answered_questions(&layers) {
        let mut turned = question.clone();
        turned.group_by.reverse();
        turned.filter_by.reverse();
        let [one, other] = [&question, &turned].map(|q| decide(&layers, q, Asker::Anyone, day));
        assert_eq!(one, other, "{}", print(&question));
    }
}

#[test]
fn another_part_never_opens_a_kind() {
    let (schema, sources) = strathcarron("policy");
    for layers in (0..3).map(made_up).chain([load(schema, &sources)]) {
        for (question, day) in answered_questions(&layers) {
            let fewer = |q: &Question| assert!(judge(&layers, q, Asker::Anyone, day).is_ok(), "{}", print(q));
            for n in 0..question.group_by.len() {
                let mut q = question.clone();
                q.group_by.remove(n);
                fewer(&q);
            }
            for n in 0..question.filter_by.len() {
                let mut q = question.clone();
                q.filter_by.remove(n);
                fewer(&q);
            }
        }
    }
}

#[test]
fn a_question_wider_than_what_is_tried_is_refused_by_the_count_rule() {
    let (schema, sources) = strathcarron("policy");
    let layers = load(schema, &sources);
    let mut tried = BTreeSet::new();
    for (question, day) in answered_questions(&layers) {
        for axis in ["age", "sex", "simd", "parent_group", "referral_route"] {
            let mut wider = question.clone();
            if wider.group_by.iter().any(|a| a.column == axis) {
                continue;
            }
            let grain = if axis == "age" { "smf-band" } else { "code" };
            wider.group_by.push(cairn_question::GroupBy {
                column: axis.into(),
                grain: grain.into(),
                span: None,
            });
            let share = layers
                .shares
                .iter()
                .find(|r| {
                    r.share.role.value == question.role
                        && r.share.purpose.value == question.purpose
                        && r.share.dataset.value == question.dataset
                        && r.share.answers.iter().any(|a| a.value == question.measure)
                })
                .unwrap();
            let most = usize::try_from(share.settings.max_group_columns.unwrap()).unwrap();
            if wider.group_by.len() > most {
                let rules = judge(&layers, &wider, Asker::Anyone, day).unwrap_err();
                assert!(rules.iter().any(|r| r.code == "CR022"), "{}: {rules:?}", print(&wider));
                tried.insert(share.share.id.value.to_string());
            }
        }
    }
    assert_eq!(tried.len(), layers.shares.len(), "{tried:?}");
}

#[test]
fn a_policy_with_more_kinds_than_can_be_tried_does_not_load() {
    let mut sources = example("council");
    let text = &mut sources.framework.text;
    *text = text.replace("max_group_columns     = 4", "max_group_columns     = 6");
    *text = text.replace("max_filter_columns    = 4", "max_filter_columns    = 8");
    assert!(Layers::load(&sources).is_ok(), "a wide framework alone is not tried");
    sources.policy.text = sources.policy.text.replace(
        "max_group_columns  = 3\nmax_filter_columns = 4",
        "max_group_columns  = 5\nmax_filter_columns = 7",
    );
    let codes = |f: &[crate::Finding]| {
        f.iter().filter(|f| f.severity == crate::Severity::Error).map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&Layers::load(&sources).unwrap_err()), ["CP421"]);
    assert_eq!(codes(&crate::check(&sources)), ["CP421"]);
}

#[test]
fn as_many_sets_are_tried_as_are_counted() {
    let layers = made_up(1);
    for (_, field) in Pair::alone(&layers).fields().unwrap().0 {
        let mut all = 0_u128;
        each(&field, |_, _| all += 1);
        assert_eq!(all, field.kinds());
    }
}
