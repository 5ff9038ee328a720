use super::*;

mod mutations;

use crate::tests::{EXAMPLES, example, loaded, strathcarron};
use crate::{Sources, render_all};

/// A shipped policy with some edits; the framework is edited where the policy has no such text.
pub(crate) fn edited(name: &str, edits: &[(&str, &str)]) -> Layers {
    let mut sources: Sources = example(name);
    for (from, to) in edits {
        let file =
            if sources.policy.text.contains(from) { &mut sources.policy } else { &mut sources.framework };
        assert!(file.text.contains(from), "nothing to edit: {from}");
        file.text = file.text.replacen(from, to, 1);
    }
    Layers::load(&sources).unwrap_or_else(|f| panic!("{}", render_all(&f, &sources)))
}

/// One of the worked example's policies.
pub(crate) fn worked(name: &str) -> Layers {
    let (schema, sources) = strathcarron(name);
    Layers::load_with(schema, &sources).unwrap_or_else(|f| panic!("{}", render_all(&f, &sources)))
}

/// The small charity's policy as it is shipped against the same with some edits.
fn check(edits: &[(&str, &str)], verdict: &str, changes: &[&str]) {
    let diff = diff(Some(&loaded("small-charity")), &edited("small-charity", edits)).unwrap();
    let found: Vec<String> = diff.changes.iter().map(|c| format!("{:?} {}", c.direction, c.rule)).collect();
    assert_eq!(found, changes, "{}", diff.render());
    let words = diff.verdict_words();
    assert_eq!(words.split(" (every").next(), Some(verdict), "{}", diff.render());
}

#[test]
fn a_policy_against_itself_is_the_same() {
    for name in EXAMPLES {
        let policy = loaded(name);
        let found = diff(Some(&policy), &policy).unwrap();
        assert_eq!(found.verdict, Verdict::Same);
        assert_eq!(found.changes, []);
        assert_eq!(found.kinds.answered_old, found.kinds.answered_new);
    }
}

#[test]
fn the_worked_example_s_proposals_are_judged() {
    for (name, verdict) in [
        ("policy", "SAME"),
        ("policy-v8-proposed", "LOOSENS"),
        ("policy-v8-round10", "LOOSENS (unordered)"),
        ("policy-v8-tighter", "TIGHTENS"),
    ] {
        let found = diff(Some(&worked("policy")), &worked(name)).unwrap();
        insta::assert_snapshot!(format!("diff_{name}"), found.render());
        assert_eq!(found.verdict_words().split(" (every").next(), Some(verdict));
    }
    let all_new = diff(None, &worked("policy")).unwrap();
    assert_eq!(all_new.verdict, Verdict::Loosens);
    insta::assert_snapshot!("diff_nothing_in_force", all_new.render());
}

#[test]
fn each_direction_is_told_from_the_others() {
    check(&[("version        = ", "version        = 1")], "SAME", &["Words policy.version"]);
}

/// Neither kind of noise is the stricter, so that a change of it needs the whole board, and never holds on a snapshot already answered.
#[test]
fn another_kind_of_noise_is_not_ordered() {
    let releases = ["noisy-in-total", "noisy-people", "noisy-starters"];
    let rules: Vec<String> =
        releases.iter().map(|name| format!("Unordered release.{name}.mechanism")).collect();
    let gaussian = ("discrete-laplace", "discrete-gaussian");
    check(&[gaussian; 3], "LOOSENS (unordered)", &rules.iter().map(String::as_str).collect::<Vec<_>>());
}
