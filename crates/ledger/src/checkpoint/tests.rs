use super::*;
use crate::testing::{NOON, answered, caps, debit, fresh, partners, want};
use crate::{Bound, EntryKind, NotOpened, Opening, Repeat, Reservation, SnapshotKey};
use cairn_question::{Moment, Name};

fn answer(ledger: &mut Ledger, number: u8, now: Moment) {
    let mut want = want(number, 100);
    want.day = london_day(now);
    want.hold_until = now.plus_s(60);
    let held = debit(ledger, &want, now);
    ledger.settle(held, b"reply", &[number], &answered(), now).unwrap();
}

fn restore() -> Entry {
    Entry::new(EntryKind::Restore)
}

/// A ledger with some answers, its head, and the state of its file after `backup` of them.
fn restored(answers: u8, backup: u8, now: Moment) -> (tempfile::TempDir, Ledger, Held) {
    let (folder, mut ledger) = fresh();
    let (path, copy) = (folder.path().join("ledger.sqlite"), folder.path().join("copy.sqlite"));
    for number in 0..answers {
        if number == backup {
            ledger.connection_for_tests().execute("VACUUM INTO ?1", params![copy.to_str().unwrap()]).unwrap();
        }
        answer(&mut ledger, number, now);
    }
    let held = ledger.checkpoint().unwrap().head;
    drop(ledger);
    for beside in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path().join(format!("ledger.sqlite{beside}")));
    }
    std::fs::rename(copy, &path).unwrap();
    let ledger = Ledger::open(&path).unwrap();
    (folder, ledger, held)
}

#[test]
fn every_pair_of_heads_is_told_apart() {
    let head = |entries: u64, hash: u8| Held { entries, hash: Hash::of(&[hash]) };
    let check = |own: Held, at: Option<u8>, held: Held, expected: Standing| {
        assert_eq!(stands(own, at.map(|hash| Hash::of(&[hash])), held), expected, "{own:?} {held:?}");
    };
    check(head(3, 3), Some(3), head(3, 3), Standing::Same);
    check(head(4, 4), Some(3), head(3, 3), Standing::Ahead);
    check(head(2, 2), None, head(3, 3), Standing::Behind);
    check(head(3, 9), Some(9), head(3, 3), Standing::Forked);
    check(head(4, 9), Some(8), head(3, 3), Standing::Forked);
    check(head(4, 9), None, head(3, 3), Standing::Forked);
}

#[test]
fn a_ledger_knows_its_own_heads_and_no_others() {
    let (_folder, mut ledger) = fresh();
    let empty = ledger.checkpoint().unwrap().head;
    assert_eq!(empty, Held { entries: 0, hash: GENESIS });
    assert_eq!(ledger.compare(empty).unwrap(), Standing::Same);
    let mut heads = vec![empty];
    for number in 0..4 {
        answer(&mut ledger, number, NOON);
        heads.push(ledger.checkpoint().unwrap().head);
    }
    assert_eq!(ledger.compare(heads.pop().unwrap()).unwrap(), Standing::Same);
    for head in heads {
        assert_eq!(ledger.compare(head).unwrap(), Standing::Ahead);
    }
    let other = Held { entries: 2, hash: Hash::of(b"other") };
    assert_eq!(ledger.compare(other).unwrap(), Standing::Forked);
    assert!(ledger.give_up(empty, &caps(1_000, 10_000), &restore(), NOON).is_err(), "nothing is missing");
}

#[test]
fn a_restored_backup_is_behind_and_forked_once_it_writes_on() {
    let (_folder, mut ledger, held) = restored(5, 2, NOON);
    assert_eq!(ledger.compare(held).unwrap(), Standing::Behind);
    for _ in 0..2 {
        ledger.note(&Entry::new(EntryKind::Start), NOON).unwrap();
        assert_eq!(ledger.compare(held).unwrap(), Standing::Behind);
    }
    ledger.note(&Entry::new(EntryKind::Start), NOON).unwrap();
    assert_eq!(ledger.compare(held).unwrap(), Standing::Forked);
}

#[test]
fn an_acknowledged_restore_is_charged_at_the_cap_and_goes_on() {
    let (_folder, mut ledger, held) = restored(5, 2, NOON);
    let caps = caps(1_000, 10_000);
    assert_eq!(ledger.account(&caps, NOON).unwrap().lifetime.nano(), 200, "300 are forgotten");
    assert_eq!(ledger.give_up(held, &caps, &restore(), NOON).unwrap().nano(), 800);
    let account = ledger.account(&caps, NOON).unwrap();
    assert_eq!((account.year.nano(), account.lifetime.nano()), (1_000, 1_000));
    assert_eq!(ledger.compare(held).unwrap(), Standing::Ahead);
    let checkpoint = ledger.checkpoint().unwrap();
    assert_eq!(checkpoint.given_up, Some(held.hash));
    let entry = ledger.entries(0, 10).unwrap().pop().unwrap();
    assert_eq!((entry.kind, entry.cost.unwrap().nano()), (EntryKind::Restore, 800));
    assert_eq!(entry.question_hash, Some(held.hash));
    assert!(ledger.give_up(held, &caps, &restore(), NOON).is_err(), "once");
    assert!(ledger.reserve(&want(9, 1), NOON).is_err(), "the year is full");
    assert!(ledger.reserve(&want(10, 0), NOON).is_ok(), "what costs nothing is answered");
}

#[test]
fn each_policy_year_that_may_be_missing_is_charged_and_the_lifetime_holds() {
    let year = 365 * 86_400;
    let charged = |later: u64, lifetime: u64| {
        let (_folder, mut ledger, held) = restored(3, 1, NOON);
        let now = NOON.plus_s(later);
        let caps = caps(1_000, lifetime);
        let charged = ledger.give_up(held, &caps, &restore(), now).unwrap().nano();
        let account = ledger.account(&caps, now).unwrap();
        assert_eq!(account.lifetime.nano(), charged + 100);
        assert!(account.lifetime <= caps.lifetime);
        (charged, account.year.nano())
    };
    assert_eq!(charged(0, 10_000), (900, 1_000));
    assert_eq!(charged(year, 10_000), (1_900, 1_000));
    assert_eq!(charged(2 * year, 10_000), (2_900, 1_000));
    assert_eq!(charged(2 * year, 1_500), (1_400, 0));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 12, failure_persistence: None, ..Default::default()
    })]

    /// Whenever the backup was made, and whatever is written after it: it is noticed, and no less than was spent is charged.
    #[test]
    fn any_restored_backup_is_noticed_and_pays_at_least_what_it_forgot(
        answers in 1..8_u8, back in 1..8_u8, starts in 0..10_u8,
    ) {
        let backup = answers.saturating_sub(back);
        let (_folder, mut ledger, held) = restored(answers, backup, NOON);
        for _ in 0..starts {
            ledger.note(&Entry::new(EntryKind::Start), NOON).unwrap();
        }
        proptest::prop_assert!(ledger.compare(held).unwrap().lacks_charges());
        let caps = caps(1_000, 10_000);
        ledger.give_up(held, &caps, &restore(), NOON).unwrap();
        let account = ledger.account(&caps, NOON).unwrap();
        proptest::prop_assert!(account.lifetime.nano() >= 100 * u64::from(answers));
        proptest::prop_assert_eq!(ledger.compare(held).unwrap(), Standing::Ahead);
    }
}

/// Rule R6: with whom the forgotten total was is known to nobody here, and a second one with others would show a partner's figure.
#[test]
fn a_restored_ledger_opens_no_exact_total_of_records_it_may_have_opened_before() {
    let (_folder, mut ledger, held) = restored(5, 2, NOON);
    let counted = want(1, 0).snapshot;
    let bound = |ledger: &Ledger, as_of: Day| {
        let bound = ledger.bound_to(SnapshotKey { as_of, ..counted }).unwrap();
        assert!(matches!(bound, Bound::Free | Bound::Forgotten), "{bound:?}");
        bound == Bound::Free
    };
    let today = london_day(NOON);
    assert!(bound(&ledger, counted.as_of) && counted.as_of <= today, "nothing is known to be missing yet");
    ledger.give_up(held, &caps(1_000, 10_000), &restore(), NOON).unwrap();
    assert!(!bound(&ledger, counted.as_of));
    assert!(!bound(&ledger, today));
    assert!(bound(&ledger, today.plus_days(1)), "the next snapshot is free");
    let (partners, dataset) = (partners("abc"), Name::new("participants").unwrap());
    let mut open = |number, cost, repeat| {
        // The restore has filled the year under the caps that it was acknowledged with.
        let want = Reservation { caps: caps(100_000, 1_000_000), ..want(number, cost) };
        let debit = debit(&mut ledger, &want, NOON);
        let deadline = NOON.plus_s(600);
        let opening = Opening {
            dataset: &dataset,
            snapshot: counted,
            repeat,
            partners: &partners,
            record: b"r",
            deadline,
        };
        match ledger.open_total(debit, opening, b"reply", &answered(), NOON) {
            Ok(_) => None,
            Err(NotOpened::Refused { refusal, .. }) => Some(refusal.rules[0].code.clone()),
            Err(NotOpened::Fault(fault)) => panic!("{fault}"),
        }
    };
    assert_eq!(open(9, 0, Repeat::SamePartners).as_deref(), Some("CM223"));
    assert_eq!(open(10, 0, Repeat::SamePartners).as_deref(), Some("CM223"), "however often");
    assert_eq!(open(11, 1, Repeat::Charged), None, "fresh noise is charged, and binds nothing");
}

/// What the backup knows of a day holds, and a clock that was set back does not make a day of before the restore one of after it.
#[test]
fn a_restored_ledger_keeps_to_what_it_knows_by_its_own_time() {
    let (partners, dataset, snapshot) =
        (partners("abc"), Name::new("participants").unwrap(), want(0, 0).snapshot);
    let check = |known: bool, clock: Moment, expected: &Bound| {
        let (_folder, mut ledger, held) = restored(5, 2, NOON);
        if known {
            let debit = debit(&mut ledger, &want(9, 0), NOON);
            let (repeat, deadline) = (Repeat::SamePartners, NOON.plus_s(600));
            let opening =
                Opening { dataset: &dataset, snapshot, repeat, partners: &partners, record: b"r", deadline };
            assert!(ledger.open_total(debit, opening, b"reply", &answered(), NOON).is_ok());
        }
        ledger.give_up(held, &caps(1_000, 10_000), &restore(), clock).unwrap();
        assert_eq!(&ledger.bound_to(snapshot).unwrap(), expected);
    };
    check(true, NOON, &Bound::Partners(partners.clone()));
    check(false, NOON, &Bound::Forgotten);
    check(false, Moment::from_unix_s(1), &Bound::Forgotten);
}
