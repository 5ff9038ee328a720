use proptest::prelude::*;

use super::*;
use crate::testing::{NOON, answered, caps, debit, fresh, partners, want};
use crate::{EntryKind, History, Opening, Repeat};

mod crash;

#[test]
fn there_is_one_handle_to_a_ledger() {
    let (folder, ledger) = fresh();
    let path = folder.path().join("ledger.sqlite");
    let second = Ledger::open(&path).unwrap_err();
    assert_eq!(second.code(), "CA003", "{second}");
    // Auditors read beside it all the same.
    assert_eq!(History::open(&path).unwrap().last().unwrap(), 0);
    drop(ledger);
    assert_eq!(History::open(&path).unwrap().last().unwrap(), 0);
    Ledger::open(&path).unwrap();
}

#[test]
fn a_file_that_is_no_sound_ledger_is_refused() {
    let check = |change: &str, expected: &str| {
        let (folder, mut ledger) = fresh();
        let path = folder.path().join("ledger.sqlite");
        for _ in 0..3 {
            ledger.note(&Entry::new(EntryKind::Start), NOON).unwrap();
        }
        drop(ledger);
        let other = Connection::open(&path).unwrap();
        other.execute_batch("DROP TRIGGER entry_never_changes; DROP TRIGGER entry_never_goes;").unwrap();
        other.execute_batch(change).unwrap();
        drop(other);
        let code = Ledger::open(&path).map(|_| "sound").unwrap_or_else(|fault| fault.code());
        assert_eq!(code, expected, "{change}");
    };
    check("", "sound");
    check("PRAGMA user_version = 5", "CA004");
    check("PRAGMA user_version = 0", "CA004");
    check("PRAGMA application_id = 7", "CA004");
    check("UPDATE entry SET text = replace(text, 'start', 'stop') WHERE seq = 3", "CA005");
    check("UPDATE entry SET hash = zeroblob(32) WHERE seq = 2", "CA005");
    check("DELETE FROM entry WHERE seq = 3", "CA005");
    check("DELETE FROM entry WHERE seq = 1", "CA005");
    check("DELETE FROM entry", "CA005");
    check("UPDATE head SET seq = 2", "CA005");
    check("UPDATE head SET hash = zeroblob(32)", "CA005");
}

#[test]
fn a_ledger_of_the_form_before_is_brought_up_and_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    Connection::open(&path).unwrap().execute_batch(include_str!("tests/form_1.sql")).unwrap();
    // Auditors read a file that no node has opened since.
    assert_eq!(History::open(&path).unwrap().last().unwrap(), 3);
    for _ in 0..2 {
        let ledger = Ledger::open(&path).unwrap();
        let account = ledger.account(&want(1, 0).caps, NOON.plus_s(5)).unwrap();
        assert_eq!((account.lifetime.nano(), account.held.nano()), (800, 100));
        assert_eq!(ledger.entries(0, 10).unwrap().len(), 3);
        let replied = ledger.recall(want(1, 0).question_id, want(1, 0).question_hash).unwrap();
        assert_eq!(replied, Recall::Reply(b"reply 1".to_vec()));
    }
    let mut ledger = Ledger::open(&path).unwrap();
    let later = NOON.plus_s(5);
    // An equal question gets the stored table; under other settings it is still refused; the open hold is held anew, not twice.
    let again = Reservation { canonical: want(1, 0).canonical, ..want(9, 700) };
    assert!(matches!(ledger.reserve(&again, later), Ok(Reserved::Stored(s)) if s.table_json() == b"table 1"));
    let other = Reservation { treatment: Hash::of(b"ten"), ..again };
    assert!(matches!(ledger.reserve(&other, later), Err(Denied::Refusal(r)) if r.rules[0].code == "CA206"));
    let held = debit(&mut ledger, &want(2, 100), later);
    ledger.settle(held, b"reply 2", b"table 2", &answered(), later).unwrap();
    let account = ledger.account(&want(1, 0).caps, later).unwrap();
    assert_eq!((account.lifetime.nano(), account.held.nano()), (800, 0));
    // From here on settings stick to every table.
    let ten = Reservation { settings: Hash::of(b"ten"), ..want(10, 0) };
    assert!(matches!(ledger.reserve(&ten, later), Err(Denied::Refusal(r)) if r.rules[0].code == "CA206"));
    ledger.note(&Entry::new(EntryKind::Stop), later).unwrap();
}

#[test]
fn a_ledger_of_the_third_form_is_brought_up_and_opens_totals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    Connection::open(&path).unwrap().execute_batch(include_str!("tests/form_3.sql")).unwrap();
    assert_eq!(History::open(&path).unwrap().last().unwrap(), 3);
    let later = NOON.plus_s(5);
    let (dataset, abc, record) = (Name::new("participants").unwrap(), partners("abc"), b"record");
    for _ in 0..2 {
        let ledger = Ledger::open(&path).unwrap();
        let account = ledger.account(&want(1, 0).caps, later).unwrap();
        assert_eq!((account.lifetime.nano(), account.held.nano()), (800, 100));
        assert!(ledger.opening(want(1, 0).question_id).unwrap().is_none());
        assert_eq!(ledger.bound_to(want(1, 0).snapshot).unwrap(), crate::Bound::Free);
        assert_eq!(ledger.connection.query_row("PRAGMA user_version", [], |row| row.get(0)), Ok(4_i64));
    }
    // A hold of before the change opens.
    let mut ledger = Ledger::open(&path).unwrap();
    let held = debit(&mut ledger, &want(2, 100), later);
    let (snapshot, repeat, deadline) = (want(2, 0).snapshot, Repeat::SamePartners, later.plus_s(60));
    let opening = Opening { dataset: &dataset, snapshot, repeat, partners: &abc, record, deadline };
    let kept = ledger.open_total(held, opening, b"reply 2", &answered(), later).unwrap();
    assert_eq!(kept.bytes(), record);
    let account = ledger.account(&want(1, 0).caps, later).unwrap();
    assert_eq!((account.lifetime.nano(), account.held.nano()), (800, 0));
}

/// A file that was brought up has the same tables, triggers and indices as a new one.
#[test]
fn every_older_form_comes_to_the_same_tables_as_a_new_file() {
    let shape = |ledger: &Ledger| -> Vec<(String, String)> {
        let sql = "SELECT type, name FROM sqlite_schema ORDER BY type, name";
        let mut statement = ledger.connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let mut shape: Vec<(String, String)> = rows.map(Result::unwrap).collect();
        for (_, table) in shape.clone().into_iter().filter(|(kind, _)| kind == "table") {
            let mut columns =
                ledger.connection.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
            let columns = columns.query_map([], |row| row.get::<_, String>(0)).unwrap();
            shape.extend(columns.map(|column| (table.clone(), column.unwrap())));
        }
        shape
    };
    let (_folder, new) = fresh();
    for old in [include_str!("tests/form_1.sql"), include_str!("tests/form_3.sql")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        Connection::open(&path).unwrap().execute_batch(old).unwrap();
        assert_eq!(shape(&Ledger::open(&path).unwrap()), shape(&new));
    }
}

#[test]
fn an_entry_can_be_neither_changed_nor_removed_by_accident() {
    let (_folder, mut ledger) = fresh();
    ledger.note(&Entry::new(EntryKind::Start), NOON).unwrap();
    for sql in ["UPDATE entry SET text = ''", "DELETE FROM entry"] {
        assert!(ledger.connection.execute_batch(sql).is_err(), "{sql}");
    }
}

#[test]
fn a_settled_question_has_its_entry() {
    let (_folder, mut ledger) = fresh();
    let want = want(1, 7);
    let held = debit(&mut ledger, &want, NOON);
    let mut entry = answered();
    // What the ledger knows better it writes itself.
    entry.seq = 99;
    entry.cost = Some(cairn_question::privacy::NanoRho::ZERO);
    ledger.settle(held, b"reply", b"table", &entry, NOON.plus_s(1)).unwrap();
    let entries = ledger.entries(0, 10).unwrap();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((entry.seq, entry.at), (1, NOON.plus_s(1)));
    assert_eq!((entry.question_id, entry.question_hash), (Some(want.question_id), Some(want.question_hash)));
    assert_eq!(entry.cost.unwrap().nano(), 7);
    assert_eq!(entry.year_so_far.unwrap().nano(), 7);
    assert_eq!(ledger.entries(1, 10).unwrap(), []);
}

#[test]
fn a_long_entry_is_refused_and_keeps_nothing() {
    let (_folder, mut ledger) = fresh();
    let held = debit(&mut ledger, &want(1, 7), NOON);
    let mut long = answered();
    long.question = Some("x".repeat(crate::ENTRY_BYTES_MAX));
    let settled = ledger.settle(held, b"reply", b"table", &long, NOON);
    assert!(matches!(settled, Err(LedgerFault::EntryTooLong)), "{settled:?}");
    assert_eq!(ledger.recall(want(1, 7).question_id, want(1, 7).question_hash).unwrap(), Recall::Open);
    assert_eq!(ledger.account(&want(1, 7).caps, NOON).unwrap().held.nano(), 7);
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let (folder, mut ledger) = fresh();
    let pages = |ledger: &Ledger| {
        ledger.connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0)).unwrap()
    };
    let limit = |ledger: &Ledger, pages: i64| {
        ledger.connection.execute_batch(&format!("PRAGMA max_page_count = {pages}")).unwrap();
    };
    let full = pages(&ledger) + 6;
    limit(&ledger, full);
    let reply = vec![7; 3_000];
    let mut settled = Vec::new();
    let fault = loop {
        let want = want(u8::try_from(settled.len()).unwrap(), 1);
        let step = match ledger.reserve(&want, NOON) {
            Ok(Reserved::Debited(debit)) => ledger.settle(debit, &reply, b"table", &answered(), NOON),
            Ok(Reserved::Stored(_)) => panic!("each question is another"),
            Err(Denied::Fault(fault)) => Err(fault),
            Err(Denied::Refusal(refusal)) => panic!("{refusal:?}"),
        };
        match step {
            Ok(()) => settled.push(want),
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault.code(), "CA006", "{fault}");
    assert!(!settled.is_empty(), "some questions fitted");
    // The audit is full as well: an event that cannot be written is a fault, never skipped.
    let mut long = Entry::new(EntryKind::Start);
    long.question = Some("x".repeat(8_000));
    assert_eq!(ledger.note(&long, NOON).unwrap_err().code(), "CA006");
    // Room again: it goes on, and everything that was settled is there.
    limit(&ledger, full + 100);
    ledger.note(&long, NOON).unwrap();
    drop(ledger);
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    for want in &settled {
        let recalled = ledger.recall(want.question_id, want.question_hash).unwrap();
        assert_eq!(recalled, Recall::Reply(reply.clone()));
    }
    let spent = ledger.account(&want(0, 0).caps, NOON).unwrap();
    let beside = History::open(&folder.path().join("ledger.sqlite")).unwrap();
    assert_eq!(beside.account(&want(0, 0).caps, NOON).unwrap(), spent);
    assert_eq!(spent.lifetime.nano() - spent.held.nano(), u64::try_from(settled.len()).unwrap());
}

#[test]
fn a_commit_that_fails_stops_the_ledger_until_it_is_opened_anew() {
    let (folder, mut ledger) = fresh();
    let held = debit(&mut ledger, &want(1, 7), NOON);
    // A broken reference that is looked at only by COMMIT: the one way to make SQLite's own commit fail.
    let trap = "CREATE TEMP TABLE trap (x);
        CREATE TABLE late (id BLOB REFERENCES question (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER spring AFTER INSERT ON entry BEGIN INSERT INTO late VALUES (x'00'); END;";
    ledger.connection.execute_batch(trap).unwrap();
    let settled = ledger.settle(held, b"reply", b"table", &answered(), NOON);
    assert!(matches!(settled, Err(LedgerFault::Write { .. })), "{settled:?}");
    ledger.connection.execute_batch("DROP TRIGGER spring").unwrap();
    let code = |result: Result<(), LedgerFault>| result.unwrap_err().code();
    assert_eq!(code(ledger.note(&answered(), NOON)), "CA007");
    assert_eq!(code(ledger.account(&want(1, 7).caps, NOON).map(|_| ())), "CA007");
    assert_eq!(code(ledger.recall(want(1, 7).question_id, want(1, 7).question_hash).map(|_| ())), "CA007");
    assert!(matches!(ledger.reserve(&want(2, 7), NOON), Err(Denied::Fault(LedgerFault::Poisoned))));
    drop(ledger);
    let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    assert_eq!(ledger.recall(want(1, 7).question_id, want(1, 7).question_hash).unwrap(), Recall::Open);
    let held = debit(&mut ledger, &want(1, 7), NOON);
    ledger.settle(held, b"reply", b"table", &answered(), NOON).unwrap();
}

#[test]
fn no_reply_and_no_path_of_a_key_shows_in_debug() {
    assert_eq!(format!("{:?}", Recall::Reply(b"secret".to_vec())), "Reply(6 bytes)");
    let (_folder, ledger) = fresh();
    assert!(format!("{ledger:?}").ends_with("ledger.sqlite, Sound)"));
}

#[derive(Clone, Debug)]
enum Op {
    Hold { number: u8, cost: u64, lasts_s: u64, analyst: u8 },
    Settle(u8),
    Abandon(u8),
    Pass(u64),
    Back(u64),
    Reopen,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        8 => (0..24_u8, 0..700_u64, 0..400_u64, 0..3_u8)
            .prop_map(|(number, cost, lasts_s, analyst)| Op::Hold { number, cost, lasts_s, analyst }),
        6 => (0..24_u8).prop_map(Op::Settle),
        2 => (0..24_u8).prop_map(Op::Abandon),
        3 => (0..500_u64).prop_map(Op::Pass),
        1 => (86_400..15_000_000_u64).prop_map(Op::Pass),
        2 => (0..300_u64).prop_map(Op::Back),
        1 => Just(Op::Reopen),
    ];
    prop::collection::vec(op, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, what was spent stays under both caps, and the account says no less; and what was spent
    /// for one analyst stays under that analyst's slice.
    #[test]
    fn the_account_never_exceeds_its_caps(ops in ops()) {
        let (folder, ledger) = fresh();
        let mut ledger = Some(ledger);
        let caps = caps(1_000, 2_500);
        let (mut now, mut latest) = (NOON, NOON);
        let mut debits = std::collections::BTreeMap::new();
        // An account of our own: every charge that was reported settled, with its policy year's first day and its analyst.
        let mut spent: Vec<(cairn_question::Day, u64, u8)> = Vec::new();
        let slice = cairn_question::privacy::NanoRho::new(600);
        for op in ops {
            let open = ledger.as_mut().unwrap();
            match op {
                Op::Hold { number, cost, lasts_s, analyst } => {
                    let mut want = want(number, cost);
                    want.analyst = cairn_question::Name::new(format!("analyst-{analyst}")).unwrap();
                    want.quota.rho_per_year = Some(slice);
                    want.caps = caps;
                    want.day = cairn_policy::london_day(now);
                    want.hold_until = now.plus_s(lasts_s);
                    if let Ok(Reserved::Debited(debit)) = open.reserve(&want, now) {
                        latest = latest.max(now);
                        let year = account::year_start(&caps, want.day).unwrap();
                        debits.insert(number, (debit, year, analyst));
                    }
                }
                Op::Settle(number) => {
                    let Some((debit, year, analyst)) = debits.remove(&number) else { continue };
                    let cost = debit.cost().nano();
                    if open.settle(debit, b"reply", &[number], &answered(), now).is_ok() {
                        latest = latest.max(now);
                        spent.push((year, cost, analyst));
                    }
                }
                Op::Abandon(number) => {
                    let Some((debit, ..)) = debits.remove(&number) else { continue };
                    open.abandon(debit, &Entry::new(EntryKind::QuestionFailed), now).unwrap();
                    latest = latest.max(now);
                }
                Op::Pass(seconds) => now = now.plus_s(seconds),
                Op::Back(seconds) => {
                    now = Moment::from_unix_s(latest.unix_s().max(now.unix_s()) - seconds);
                }
                Op::Reopen => {
                    drop(ledger.take());
                    ledger = Some(Ledger::open(&folder.path().join("ledger.sqlite")).unwrap());
                }
            }
            let account = ledger.as_ref().unwrap().account(&caps, now).unwrap();
            let ever: u64 = spent.iter().map(|(_, cost, _)| cost).sum();
            prop_assert!(account.lifetime <= caps.lifetime, "{account:?}");
            prop_assert!(account.year <= caps.per_year, "{account:?}");
            prop_assert_eq!(account.lifetime.nano() - account.held.nano(), ever);
            for (year, _, analyst) in &spent {
                let in_year = || spent.iter().filter(|(y, ..)| y == year);
                let all: u64 = in_year().map(|(_, cost, _)| cost).sum();
                prop_assert!(all <= caps.per_year.nano(), "{spent:?}");
                let own: u64 = in_year().filter(|(.., a)| a == analyst).map(|(_, cost, _)| cost).sum();
                prop_assert!(own <= slice.nano(), "{spent:?}");
            }
        }
    }
}
