use super::*;
use crate::tests::example;
use crate::{Sources, render_all};

/// The council's policy with words of it replaced.
fn council(edits: &[(&str, &str)]) -> Layers {
    let mut sources: Sources = example("council");
    for (from, to) in edits {
        assert!(sources.policy.text.contains(from), "{from}");
        sources.policy.text = sources.policy.text.replacen(from, to, 1);
    }
    Layers::load(&sources).unwrap_or_else(|f| panic!("{}", render_all(&f, &sources)))
}

fn replay(new: &Layers, lines: &[&str]) -> Replayed {
    let mut replay = Replay::new(&council(&[]), new);
    lines.iter().for_each(|line| replay.line(line.as_bytes()));
    replay.finish()
}

fn entry(kind: &str, question: &str) -> String {
    format!(
        r#"{{"hash":"sha256:00","entry":{{"seq":3,"at":1777636803,"kind":"{kind}","analyst":"ann","role":"own-tables-analyst","purpose":"smf-reporting","question":"{question}","cells":4}}}}"#
    )
}

fn kinds(decision: &str, group_by: &str) -> String {
    format!(
        r#"{{"at":"2026-05-01T10:02Z","analyst":"ann","decision":"{decision}","request":{{"role":"own-tables-analyst","purpose":"smf-reporting","dataset":"participants","answer":"people","group_by":{group_by},"filter_by":{{}}}}}}"#
    )
}

/// The share of own tables of people, without a column.
const NO_AGE: (&str, &str) = (
    "purpose  = \"smf-reporting\"\nrole     = \"own-tables-analyst\"\ndataset  = \"participants\"\nanswers  = [\"people\"]\ngroup_by  = { council_code = \"code\", age_band = \"code\", sex",
    "purpose  = \"smf-reporting\"\nrole     = \"own-tables-analyst\"\ndataset  = \"participants\"\nanswers  = [\"people\"]\ngroup_by  = { council_code = \"code\", sex",
);

const BY_SEX: &str = "people in participants by participants.sex";

#[test]
fn the_same_policy_changes_nothing_and_the_days_in_force_do_not_matter() {
    let lines = [entry("question-answered", BY_SEX), kinds("answer", r#"{"sex":"code"}"#)];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(replay(&council(&[]), &lines), Replayed { questions: 2, ..Replayed::default() });
    let later = council(&[
        ("effective_from = 2026-04-01", "effective_from = 2026-09-01"),
        ("expires        = 2027-03-31", "expires        = 2027-08-31"),
    ]);
    assert_eq!(replay(&later, &lines).changed_questions, 0);
}

#[test]
fn each_kind_of_change_is_named_once_with_how_often_it_was_asked() {
    let lines = [
        entry("question-answered", BY_SEX),
        entry("question-repeated", BY_SEX),
        entry("question-refused", "people in participants by participants.ethnic_group"),
        entry("start", ""),
        r#"{"head":{"payloadType":"x","payload":"","signatures":[]}}"#.to_owned(),
        String::new(),
        kinds("answer", r#"{"age_band":"code"}"#),
        kinds("refuse", r#"{"sex":"code"}"#),
        kinds("refuse", r#"{"ethnic_group":"code"}"#),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let changed = council(&[
        ("profile = \"sub-national-8-5\"", "min_people = 10\nround_to = 5"),
        NO_AGE,
        ("id       = \"smf-people\"", "id       = \"people-again\""),
    ]);
    let shown = replay(&changed, &lines);
    assert_eq!(
        (shown.questions, shown.changed_questions, shown.changed.len(), shown.unreadable_lines),
        (6, 4, 2, 0),
        "{shown:?}"
    );
    assert_eq!((shown.logged_otherwise, shown.logged_otherwise_first), (1, Some(8)));
    insta::assert_snapshot!(shown.render());
}

#[test]
fn what_would_be_answered_now_names_its_share() {
    let mut replay = Replay::new(&council(&[NO_AGE]), &council(&[]));
    replay.line(kinds("refuse", r#"{"age_band":"code"}"#).as_bytes());
    let share = Name::new("smf-people").unwrap();
    assert_eq!(replay.finish().changed.first().map(|c| c.change.clone()), Some(Shift::NowAnswered(share)));
}

#[test]
fn lines_that_cannot_be_read_are_all_counted_and_never_shown() {
    let long = format!("\"{}\"", "x".repeat(LINE_BYTES_MAX));
    let lines = [
        "Jane Example,1990-01-01",
        r#"{"entry":{"at":1,"kind":"question-answered"}}"#,
        &entry("question-answered", "shoe size of Jane Example"),
        &kinds("maybe", "{}"),
        &kinds("answer", "{}").replace("T10:02Z", " at ten"),
        &long,
        "[]",
    ];
    let shown = replay(&council(&[]), &lines);
    assert_eq!((shown.questions, shown.unreadable_lines), (0, 7));
    assert_eq!(shown.unreadable.iter().map(|u| u.line).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    let says: String = shown.unreadable.into_iter().map(|u| u.says).collect();
    assert!(!says.contains("Jane"), "{says}");
}

#[test]
fn a_log_without_end_fills_no_memory() {
    let mut replay = Replay::new(&council(&[]), &council(&[]));
    for _ in 0..3 * UNREADABLE_MAX {
        replay.line(b"no line");
    }
    let shown = replay.finish();
    assert_eq!((shown.unreadable.len(), shown.unreadable_lines), (UNREADABLE_MAX, 3 * 500));
}
