use std::collections::BTreeSet;

use cairn_question::Day;

use super::field::{Kind, NEW, OLD, PERSON, Wanted};
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

/// What trying each kind of a field by itself finds: for each verdict, how many kinds have it and the smallest of them.
fn one_by_one(field: &Field) -> [(u64, Option<Kind>); VERDICTS] {
    let mut found = [(0, None); VERDICTS];
    let [groups, filters] = field.sets();
    for group in &groups {
        for filter in &filters {
            let verdict = usize::try_from(field.verdict(group.word & filter.word) & ALL).unwrap();
            let (count, smallest): &mut (u64, Option<Kind>) = &mut found[verdict];
            *count += 1;
            if smallest.is_none_or(|known| group.len + filter.len <= known.len()) {
                let kind = Kind { group: *group, filter: *filter };
                *smallest = smallest.filter(|known| known.before(&kind)).or(Some(kind));
            }
        }
    }
    found
}

const ALL: u64 = OLD | NEW | PERSON;
const VERDICTS: usize = 8;

/// Lays [`Field::scan`] beside trying each kind by itself. How many kinds there are.
fn tried_alike(pair: Pair<'_>) -> u64 {
    let (fields, kinds) = pair.fields().unwrap();
    for (block, field) in fields {
        let mut wanted: Vec<Wanted> = (0..VERDICTS as u64).map(|v| Wanted::new(ALL, v)).collect();
        field.scan(&mut wanted);
        for ((count, smallest), found) in one_by_one(&field).into_iter().zip(&wanted) {
            let smallest = smallest.map(|kind| Example { question: field.question(&kind) });
            assert_eq!((found.count, found.smallest(&field)), (count, smallest), "{}", print(&block.bare()));
        }
    }
    kinds.tried
}

#[test]
fn trying_alike_sets_together_is_trying_each() {
    let (schema, sources) = strathcarron("policy");
    let old = load(schema, &sources);
    let names = ["policy-v8-proposed", "policy-v8-round10", "policy-v8-tighter"];
    let proposed = names.map(strathcarron).map(|(schema, sources)| load(schema, &sources));
    for new in proposed.into_iter().chain((0..3).map(made_up)) {
        tried_alike(Pair { old: Some(&old), new: &new });
        tried_alike(Pair { old: Some(&new), new: &old });
    }
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

#[test]
fn the_shipped_policies_have_so_many_kinds() {
    let line = |(name, layers): &(String, Layers)| {
        let kinds = Pair::alone(layers).fields().unwrap().1;
        format!("{name}: {} tried, {} without a share", kinds.tried, kinds.without_share)
    };
    insta::assert_snapshot!(shipped_policies().iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn trying_alike_sets_together_is_trying_each_of_the_narrower_shipped_policies() {
    let shipped = shipped_policies();
    let kinds = |layers: &Layers| Pair::alone(layers).fields().unwrap().1.tried;
    let narrow = shipped.iter().filter(|(_, l)| kinds(l) <= EACH_MAX);
    let tried: Vec<u64> = narrow.map(|(_, l)| tried_alike(Pair::alone(l))).collect();
    assert!(tried.len() >= 3, "{tried:?}");
}

/// Most kinds that a test without optimisation tries one by one.
const EACH_MAX: u64 = 30_000_000;

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

/// A shipped example whose participants count only if they said yes, and all that is below them likewise, but for one table.
fn asked_first(name: &str, but: Option<&str>) -> Sources {
    let mut sources = example(name);
    for table in Schema::smf().tables() {
        let header = format!("\n[dataset.{}]\n", table.name);
        let below = Schema::smf().ancestry(&table.name).iter().any(|t| t.name == "participants");
        let rule = match table.name.as_str() {
            other if !below || but == Some(other) => continue,
            "participants" => "{ column = \"parental_status\", share_only_if = [\"lone_parent\"] }",
            _ => "{ via = \"participants\" }",
        };
        let text = &mut sources.policy.text;
        *text = text.replacen(&header, &format!("{header}opt_out = {rule}\n"), 1);
    }
    sources
}

/// Whom the participants' table leaves out is left out of every question of every table below it, or nothing loads.
#[test]
fn no_question_is_decided_without_the_opt_out() {
    let (schema, sources) = strathcarron("policy");
    let mut all = vec![(load(schema, &sources), "sharing_choice")];
    all.extend(EXAMPLES.map(|name| (load(Schema::smf(), &asked_first(name, None)), "parental_status")));
    for (layers, column) in &all {
        let mut datasets = BTreeSet::new();
        for (block, field) in Pair::alone(layers).fields().unwrap().0 {
            let seen = if block.dataset == "participants" {
                column.to_string()
            } else {
                format!("participants.{column}")
            };
            datasets.insert(block.dataset);
            for set in field.sets()[0].iter().filter(|s| s.word & NEW != 0) {
                let (kind, verdict) = field.kind(set, &Set::EMPTY);
                let Some(treatment) = decided(&block, &field.question(&kind)) else {
                    assert_eq!(verdict & NEW, 0);
                    continue;
                };
                assert_eq!(treatment.opt_out.map(|o| o.column).as_ref(), Some(&seen));
            }
        }
        assert!(datasets.len() > 1, "{datasets:?}");
    }
}

#[test]
fn a_table_below_an_opt_out_that_does_not_name_it_does_not_load() {
    let codes = |schema, sources: &Sources| -> BTreeSet<&str> {
        let found = Layers::load_with(schema, sources).unwrap_err();
        found.iter().filter(|f| f.severity == crate::Severity::Error).map(|f| f.code).collect()
    };
    for name in EXAMPLES {
        let policy = load(Schema::smf(), &example(name)).policy;
        let below: Vec<&String> = policy.datasets.keys().filter(|d| *d != "participants").collect();
        assert!(!below.is_empty());
        for dataset in below {
            assert_eq!(
                codes(Schema::smf(), &asked_first(name, Some(dataset))),
                ["CP222"].into(),
                "{dataset}"
            );
        }
    }
    let (schema, sources) = strathcarron("policy");
    for (rule, code) in [
        ("", "CP222"),
        ("opt_out    = { column = \"sustained\", share_only_if = [\"yes\"] }", "CP222"),
        ("opt_out    = { via = \"outcomes\" }", "CP214"),
    ] {
        let mut sources = sources.clone();
        sources.policy.text =
            sources.policy.text.replacen("opt_out    = { via = \"participants\" }", rule, 1);
        assert!(codes(schema, &sources).contains(code), "{rule}");
    }
}
