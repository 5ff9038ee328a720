use super::*;
use crate::testing::{NOON, answered, check, debit, fresh, scope, want};
use crate::{AnsweredTable, EntryKind};

const A: &str = "of national-analyst/participants/people/audit";

/// `A` in the script stands for a national analyst's audited tables.
fn says(script: &str, expected: &[&str]) {
    check(&script.replace('A', A), expected);
}

#[test]
fn audited_tables_and_others_do_not_stand_beside_each_other() {
    says("hold 1 A; settle 1; hold 2", &["held, year 0", "settled", "refused CA212"]);
    says("hold 1; settle 1; hold 2 A", &["held, year 0", "settled", "refused CA212"]);
    let other = "hold 1; settle 1; hold 2 of other-role/outcomes/people/audit";
    says(other, &["held, year 0", "settled", "refused CA212"]);
    says("hold 1; abandon 1; hold 2 A", &["held, year 0", "abandoned", "held, year 0"]);
    // Noise stands beside anything.
    let noise = "hold 1 cost 5 of national-analyst/participants/people/noise; settle 1; hold 2 A; settle 2; hold 3 cost 5 of national-analyst/participants/people/noise";
    says(noise, &["held, year 5", "settled", "held, year 5", "settled", "held, year 10"]);
}

#[test]
fn audited_tables_are_of_one_treatment_and_one_dataset() {
    says("hold 1 A; settle 1; hold 2 A", &["held, year 0", "settled", "held, year 0"]);
    let role = "hold 1 A; settle 1; hold 2 of other-role/participants/people/audit";
    says(role, &["held, year 0", "settled", "held, year 0"]);
    says("hold 1 A; settle 1; hold 2 A treat other", &["held, year 0", "settled", "refused CA212"]);
    let dataset = "hold 1 A; settle 1; hold 2 of national-analyst/outcomes/people/audit";
    says(dataset, &["held, year 0", "settled", "refused CA212"]);
}

#[test]
fn another_edition_of_a_day_is_not_audited() {
    let (_folder, mut ledger) = fresh();
    let audit = |number| crate::Reservation {
        scope: scope("national-analyst participants people audit"),
        ..want(number, 0)
    };
    let first = debit(&mut ledger, &audit(1), NOON);
    ledger.settle(first, b"reply", b"table", &answered(), NOON).unwrap();
    let mut second = audit(2);
    second.snapshot.edition = 2;
    assert!(matches!(ledger.reserve(&second, NOON), Err(Denied::Refusal(_))));
    second.snapshot.as_of = cairn_question::Day::new(2026, 6, 30).unwrap();
    assert!(ledger.reserve(&second, NOON).is_ok());
}

#[test]
fn two_audits_never_run_at_once() {
    says("hold 1 A; hold 2 A", &["held, year 0", "refused CA208"]);
    says("hold 1 A; hold 1 A", &["held, year 0", "held, year 0"]);
    says("hold 1 A until 100; at 101; hold 2 A", &["held, year 0", "held, year 0"]);
}

#[test]
fn witnesses_are_committed_to_and_lie_beside_the_ledger() {
    let (folder, mut ledger) = fresh();
    let path = folder.path().join("ledger.sqlite");
    let want =
        crate::Reservation { scope: scope("national-analyst participants people audit"), ..want(1, 0) };
    let debited = debit(&mut ledger, &want, NOON);
    let table = AnsweredTable { json: b"table", counts: Some(b"kept"), witnesses: Some(b"the witnesses") };
    let entry = crate::Entry { question: Some("people by sex".into()), ..answered() };
    ledger.settle(debited, b"reply", table, &entry, NOON).unwrap();
    let file = witnesses_path(&path, want.question_id);
    assert_eq!(std::fs::read(&file).unwrap(), b"the witnesses");
    #[cfg(unix)]
    for (path, mode) in [(file.as_path(), 0o600), (file.parent().unwrap(), 0o700)] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    let entry = ledger.entries(0, 10).unwrap().pop().unwrap();
    assert_eq!(
        (entry.kind, entry.witnesses),
        (EntryKind::QuestionAnswered, Some(Hash::of(b"the witnesses")))
    );
    assert_eq!(ledger.audited(want.snapshot).unwrap(), [b"kept"]);
    let found = History::open(&path).unwrap().audited().unwrap();
    let found: Vec<_> = found.iter().map(|a| (a.seq, a.question.as_str(), a.witnesses)).collect();
    assert_eq!(found, [(1, "people by sex", Some(Hash::of(b"the witnesses")))]);
}

#[test]
fn a_table_whose_witnesses_cannot_be_kept_does_not_leave() {
    let (folder, mut ledger) = fresh();
    let path = folder.path().join("ledger.sqlite");
    std::fs::write(super::folder(&path), "not a folder").unwrap();
    let want = want(1, 0);
    let debited = debit(&mut ledger, &want, NOON);
    let table = AnsweredTable { json: b"table", counts: None, witnesses: Some(b"the witnesses") };
    let fault = ledger.settle(debited, b"reply", table, &answered(), NOON).unwrap_err();
    assert_eq!(fault.code(), "CA016");
    assert_eq!(ledger.entries(0, 10).unwrap(), []);
    assert_eq!(ledger.recall(want.question_id, want.question_hash).unwrap(), crate::Recall::Open);
}
