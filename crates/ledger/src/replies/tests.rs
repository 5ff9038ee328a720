use super::*;
use crate::testing::{NOON, answered, debit, fresh, want};
use crate::{Denied, Entry, Ledger};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// `many` entries of `kind` by `analyst` at `now`, in one transaction.
fn add(ledger: &mut Ledger, kind: EntryKind, analyst: &str, many: u32, now: Moment) {
    let connection = ledger.connection_for_tests();
    connection.execute_batch("BEGIN").unwrap();
    for _ in 0..many {
        let entry = Entry { analyst: Some(name(analyst)), ..Entry::new(kind) };
        crate::chain::append(connection, entry, now).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

/// `may`, or the codes.
fn asks(ledger: &mut Ledger, analyst: &str, now: Moment) -> String {
    match ledger.may_reply(&name(analyst), now) {
        Ok(()) => "may".to_owned(),
        Err(Denied::Refusal(refusal)) => format!("{} {}", refusal.rules[0].rule, refusal.rules[0].code),
        Err(Denied::Fault(fault)) => fault.code().to_owned(),
    }
}

const TOO_MANY: &str = "ledger.replies-per-day CA209";

#[test]
fn every_kind_of_reply_counts_for_its_analyst_alone_on_its_day_alone() {
    let (folder, mut ledger) = fresh();
    // Midnight in London is 23:00 UTC in summer: 11 hours after noon UTC.
    let (before, midnight) = (NOON.plus_s(11 * 3_600 - 1), NOON.plus_s(11 * 3_600));
    assert_eq!(asks(&mut ledger, "a", NOON), "may");
    add(&mut ledger, EntryKind::QuestionRefused, "a", REPLIES_PER_ANALYST_PER_DAY - 3, NOON);
    add(&mut ledger, EntryKind::QuestionRepeated, "a", 1, NOON);
    add(&mut ledger, EntryKind::Brake, "a", 10, NOON);
    add(&mut ledger, EntryKind::QuestionFailed, "a", 1, NOON);
    add(&mut ledger, EntryKind::QuestionRefused, "b", 1, NOON);
    assert_eq!(asks(&mut ledger, "a", NOON), "may");
    add(&mut ledger, EntryKind::QuestionAnswered, "a", 1, NOON);
    for _ in 0..2 {
        assert_eq!(asks(&mut ledger, "a", NOON), TOO_MANY);
        assert_eq!(asks(&mut ledger, "b", NOON), "may");
        assert_eq!(asks(&mut ledger, "a", before), TOO_MANY);
        // The count is in the audit: closing and opening does not give the analyst another day.
        drop(ledger);
        ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    }
    assert_eq!(asks(&mut ledger, "a", midnight), "may");
    // A clock that was put back does not either.
    assert_eq!(asks(&mut ledger, "a", before), TOO_MANY);
    assert_eq!(asks(&mut ledger, "a", midnight), "may");
    add(&mut ledger, EntryKind::QuestionRefused, "a", REPLIES_PER_ANALYST_PER_DAY, midnight);
    assert_eq!(asks(&mut ledger, "a", midnight), TOO_MANY);
}

#[test]
fn what_the_ledger_itself_keeps_counts() {
    let (_folder, mut ledger) = fresh();
    add(&mut ledger, EntryKind::QuestionRefused, "a", REPLIES_PER_ANALYST_PER_DAY - 2, NOON);
    let by = |entry: Entry| Entry { analyst: Some(name("a")), ..entry };
    let (first, second) = (want(1, 0), want(2, 0));
    let held = debit(&mut ledger, &first, NOON);
    ledger.settle(held, b"reply", b"table", &by(answered()), NOON).unwrap();
    assert_eq!(asks(&mut ledger, "a", NOON), "may");
    let refused = by(Entry::new(EntryKind::QuestionRefused));
    ledger.refuse(second.question_id, second.question_hash, b"no", &refused, NOON).unwrap();
    assert_eq!(asks(&mut ledger, "a", NOON), TOO_MANY);
}
