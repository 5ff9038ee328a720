use cairn_question::answer::PolicyStatement;
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Day, Hash, Moment, Name, QuestionId, RuleBroken};
use insta::assert_snapshot;

use super::*;
use crate::entry::SnapshotKey;
use crate::testing::NOON;

fn asked(kind: EntryKind, seq: u64) -> Entry {
    let mut entry = Entry::new(kind);
    entry.seq = seq;
    entry.at = NOON.plus_s(seq);
    entry.question_id = Some(QuestionId::from_bytes([0xab; 32]));
    entry.question_hash = Some(Hash::of(b"question"));
    entry.analyst = Name::new("sg-analyst-3").ok();
    entry.organisation = Some("Scottish Government".to_owned());
    entry.role = Name::new("national-analyst").ok();
    entry.purpose = Name::new("smf-reporting").ok();
    entry.question = Some("people by council, age where quarter = 2025-Q2".to_owned());
    let hash = Hash::of(b"policy");
    entry.policy = Some(PolicyStatement { id: "strathcarron-sharing".to_owned(), version: 7, hash });
    entry
}

fn sample() -> Vec<Entry> {
    let snapshot = Some(SnapshotKey { as_of: Day::new(2026, 3, 31).unwrap(), edition: 2 });
    let mut start = Entry::new(EntryKind::Start);
    (start.seq, start.at, start.note) = (1, NOON, Some("cairn 0.1.0".to_owned()));
    let mut load = Entry::new(EntryKind::Load);
    (load.seq, load.at, load.snapshot) = (2, Moment::from_unix_s(NOON.unix_s() + 1), snapshot);
    let mut rounded = asked(EntryKind::QuestionAnswered, 3);
    (rounded.cells, rounded.snapshot, rounded.cost) = (Some(288), snapshot, Some(NanoRho::ZERO));
    rounded.treatment = Some(TreatmentV1::SuppressRound {
        profile: "sub-national-8-5".to_owned(),
        min_people: 8,
        round_to: 5,
        zeros: Zeros::Show,
        min_cohort: 8,
        rows_per_person: 1,
        promise: None,
    });
    let mut noisy = asked(EntryKind::QuestionAnswered, 4);
    let epsilon = Epsilon::from_millionths(500_000).unwrap();
    (noisy.cells, noisy.snapshot, noisy.cost) = (Some(36), snapshot, Some(epsilon.rho()));
    noisy.year_so_far = Some(epsilon.rho());
    let mechanism = "discrete-laplace".to_owned();
    noisy.treatment = Some(TreatmentV1::Dp {
        mechanism,
        epsilon,
        sensitivity: 1,
        plus_minus_95: 6,
        added: None,
        concentrated: None,
    });
    let mut refused = asked(EntryKind::QuestionRefused, 5);
    refused.rules = vec![RuleBroken {
        rule: "share.smf-quarterly.group_by.area".to_owned(),
        code: "CR102".to_owned(),
        says: "area is shared by council, you asked for ward".to_owned(),
    }];
    let mut failed = asked(EntryKind::QuestionFailed, 6);
    failed.code = Some("CE004".to_owned());
    let mut total = asked(EntryKind::QuestionAnswered, 7);
    (total.cells, total.snapshot, total.partners) = (Some(36), snapshot, Some(22));
    (total.cost, total.year_so_far) = (noisy.cost, Some(epsilon.rho().plus(epsilon.rho())));
    vec![start, load, rounded, noisy, refused, failed, total]
}

#[test]
fn an_audit_reads_aloud() {
    assert_snapshot!(render(&sample()));
}

#[test]
fn nothing_from_outside_reaches_the_terminal_raw() {
    let mut hostile = asked(EntryKind::QuestionFailed, 6);
    hostile.organisation = Some("Mallory\u{1b}[2J\n     9  nothing happened \u{202e}".to_owned());
    hostile.question = Some("people by\r\u{9b}2Jcouncil".to_owned());
    let text = render(&[hostile]);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn an_entry_is_written_as_documented() {
    let lines: Vec<String> = sample().iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    assert_snapshot!(lines.join("\n"));
    for (line, entry) in lines.iter().zip(sample()) {
        assert_eq!(serde_json::from_str::<Entry>(line).unwrap(), entry);
    }
    let unknown = r#"{"seq":1,"at":1,"kind":"start","count":12}"#;
    assert!(serde_json::from_str::<Entry>(unknown).is_err(), "an unknown key is refused");
}
