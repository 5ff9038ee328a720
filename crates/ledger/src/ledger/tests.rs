use cairn_policy::Quota;
use cairn_question::privacy::NanoRho;
use cairn_question::{Day, Name};

use super::*;
use crate::entry::{EntryKind, SnapshotKey};

/// 1 May 2026, 12:00 UTC.
pub(crate) const NOON: Moment = Moment::from_unix_s(1_777_636_800);

pub(crate) fn caps(year: u64, lifetime: u64) -> Caps {
    Caps {
        per_year: NanoRho::new(year),
        lifetime: NanoRho::new(lifetime),
        year_starts_month: 4,
        year_starts_day: 1,
    }
}

/// A question of its own, noon on 1 May 2026, with room for everything.
pub(crate) fn want(number: u8, cost: u64) -> Reservation {
    Reservation {
        question_id: QuestionId::from_bytes([number; 32]),
        question_hash: Hash::of(&[number]),
        canonical: Hash::of(&[number, number]),
        snapshot: SnapshotKey { as_of: Day::new(2026, 3, 31).unwrap(), edition: 1 },
        treatment: Hash::of(b"treatment"),
        analyst: Name::new("analyst-1").unwrap(),
        share: Name::new("smf-quarterly").unwrap(),
        cost: NanoRho::new(cost),
        pure_epsilon: None,
        caps: caps(1_000, 10_000),
        quota: Quota { tables_per_day: 1_000, tables_per_year: 10_000 },
        hold_until: NOON.plus_s(600),
        day: Day::new(2026, 5, 1).unwrap(),
    }
}

pub(crate) fn fresh() -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    (folder, ledger)
}

pub(crate) fn debit(ledger: &mut Ledger, want: &Reservation, now: Moment) -> Debited {
    match ledger.reserve(want, now) {
        Ok(Reserved::Debited(debit)) => debit,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn answered() -> Entry {
    Entry::new(EntryKind::QuestionAnswered)
}

#[test]
fn a_question_is_held_settled_and_recalled() {
    let (_folder, mut ledger) = fresh();
    let want = want(1, 400);
    assert_eq!(ledger.recall(want.question_id, want.question_hash).unwrap(), Recall::Unknown);
    let held = debit(&mut ledger, &want, NOON);
    assert_eq!(ledger.recall(want.question_id, want.question_hash).unwrap(), Recall::Open);
    assert_eq!(ledger.recall(want.question_id, Hash::of(b"else")).unwrap(), Recall::OtherHash);
    assert_eq!(ledger.account(&want.caps, NOON).unwrap().held.nano(), 400);
    ledger.settle(held, b"reply", b"table", &answered(), NOON).unwrap();
    let reply = Recall::Reply(b"reply".to_vec());
    assert_eq!(ledger.recall(want.question_id, want.question_hash).unwrap(), reply);
    let account = ledger.account(&want.caps, NOON).unwrap();
    assert_eq!((account.year.nano(), account.lifetime.nano(), account.held.nano()), (400, 400, 0));
    let again = ledger.reserve(&want, NOON);
    assert!(matches!(again, Err(Denied::Fault(LedgerFault::AlreadyReplied))), "{again:?}");
}
