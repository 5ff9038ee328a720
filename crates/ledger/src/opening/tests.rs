use proptest::prelude::*;
use std::collections::BTreeMap;

use super::*;
use crate::testing::{NOON, answered, check, debit, fresh, partners, want};
use crate::{EntryKind, Recall};
use cairn_question::{Hash, SigningKey};

fn participants() -> Name {
    Name::new("participants").unwrap()
}

fn opening<'a>(dataset: &'a Name, partners: &'a [[u8; 16]], record: &'a [u8]) -> Opening<'a> {
    let (snapshot, repeat, deadline) = (want(0, 0).snapshot, Repeat::SamePartners, NOON.plus_s(600));
    Opening { dataset, snapshot, repeat, partners, record, deadline }
}

#[test]
fn an_opening_turns_the_hold_into_a_charge_and_keeps_the_record_and_the_reply() {
    let after = "year 5, ever 5, held 0, pure 0, other 5, from 2026-04-01";
    check(
        "hold 1 cost 5; opening 1; open 1; opening 1; recall 1; account; reopen; opening 1; recall 1; account",
        &["held, year 5", "none", "opened", "record-1", "reply 1", after, "record-1", "reply 1", after],
    );
}

#[test]
fn r2_a_question_is_opened_once_whoever_has_a_debit_of_its_hold() {
    let (_folder, mut ledger) = fresh();
    let held = want(1, 7);
    let (first, mut second) = (debit(&mut ledger, &held, NOON), debit(&mut ledger, &held, NOON));
    let (dataset, abc, abd) = (participants(), partners("abc"), partners("abd"));
    let kept = ledger.open_total(first, opening(&dataset, &abc, b"one"), b"reply", &answered(), NOON);
    assert_eq!(kept.unwrap().bytes(), b"one");
    for (partners, record) in [(&abc, b"one"), (&abc, b"two"), (&abd, b"two")] {
        let again = opening(&dataset, partners, record);
        let refused = ledger.open_total(second, again, b"other", &answered(), NOON);
        let Err(NotOpened::Refused { debit, refusal }) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.rules[0].code, "CM214");
        let Some(Opened::Record(kept)) = ledger.opening(held.question_id).unwrap() else { panic!("none") };
        assert_eq!(kept.bytes(), b"one");
        second = *debit;
    }
    let recalled = ledger.recall(held.question_id, held.question_hash).unwrap();
    assert_eq!(recalled, Recall::Reply(b"reply".to_vec()));
    assert_eq!(ledger.entries(0, 10).unwrap().len(), 1);
    assert_eq!(ledger.account(&held.caps, NOON).unwrap().lifetime.nano(), 7);
}

#[test]
fn r2_an_opened_question_is_never_held_again() {
    check(
        "hold 1; open 1; hold 1; at 90000; hold 1; refuse 1; recall 1; opening 1",
        &["held, year 0", "opened", "CA012", "CA012", "refused", "reply 1", "record-1"],
    );
    // Another question under its number is another question still.
    check(
        "hold 1; open 1; recall 1 hash x; hold 1 hash x",
        &["held, year 0", "opened", "OtherHash", "refused CA201"],
    );
}

#[test]
fn r6_without_fresh_noise_every_opening_on_the_same_records_has_the_same_partners() {
    check(
        "bound; hold 1; open 1 with abc; bound; hold 2; open 2 with abc; hold 3; open 3 with ab; open 3 with abcd; open 3 with abd;
         open 3 with def; reopen; open 3 with ab; open 3 with abc",
        &[
            "free", "held, year 0", "opened", "abc", "held, year 0", "opened", "held, year 0", "CM215", "CM215", "CM215",
            "CM215", "CM215", "opened",
        ],
    );
}

/// The same people stand in several tables, and the editions of a day differ by few.
#[test]
fn r6_the_records_of_a_day_are_bound_together() {
    check(
        "hold 1; open 1 with abc; hold 2 edition 2; open 2 with abc edition 2; bound; bound 0 edition 2;
         hold 3 of national-analyst/outcomes/people; open 3 with bc dataset outcomes; open 3 with abc dataset outcomes;
         hold 4 of board/participants/rows; open 4 with ab",
        &[
            "held, year 0", "opened", "held, year 0", "CM215", "abc", "other edition", "held, year 0", "CM215", "opened",
            "held, year 0", "CM215",
        ],
    );
}

#[test]
fn r6_another_day_is_bound_apart() {
    let (_folder, mut ledger) = fresh();
    let dataset = participants();
    for (number, as_of, letters) in [(1, "2026-03-31", "abc"), (2, "2026-06-30", "ab")] {
        let mut held = want(number, 0);
        held.snapshot.as_of = as_of.parse().unwrap();
        let Ok(crate::Reserved::Debited(debit)) = ledger.reserve(&held, NOON) else { panic!("not held") };
        let (partners, record) = (partners(letters), [number]);
        let what = Opening { snapshot: held.snapshot, ..opening(&dataset, &partners, &record) };
        let _ = ledger.open_total(debit, what, b"reply", &answered(), NOON).unwrap();
        assert_eq!(ledger.bound_to(held.snapshot).unwrap(), Bound::Partners(partners.clone()));
    }
}

#[test]
fn r6_fresh_noise_neither_binds_nor_is_bound() {
    check(
        "hold 1 cost 5; open 1 with ab fresh; bound; hold 2; open 2 with abc; bound; hold 3 cost 5; open 3 with bc fresh; bound;
         hold 4; open 4 with ab",
        &[
            "held, year 5", "opened", "free", "held, year 5", "opened", "abc", "held, year 10", "opened", "abc",
            "held, year 10", "CM215",
        ],
    );
}

#[test]
fn fresh_noise_is_paid_for() {
    // Otherwise a word of the caller's would set R6 aside.
    check("hold 1; open 1 fresh; opening 1; recall 1", &["held, year 0", "CA017", "none", "Open"]);
    // What is paid for may be bound all the same.
    check("hold 1 cost 5; open 1; bound", &["held, year 5", "opened", "abc"]);
}

#[test]
fn what_is_refused_changes_nothing_and_the_hold_stays() {
    let (_folder, mut ledger) = fresh();
    let (dataset, abc, ab) = (participants(), partners("abc"), partners("ab"));
    let first = debit(&mut ledger, &want(1, 0), NOON);
    let _ = ledger.open_total(first, opening(&dataset, &abc, b"one"), b"1", &answered(), NOON).unwrap();
    let second = want(2, 9);
    let held = debit(&mut ledger, &second, NOON);
    let before = (ledger.checkpoint().unwrap(), ledger.account(&second.caps, NOON).unwrap());
    let refused = ledger.open_total(held, opening(&dataset, &ab, b"two"), b"2", &answered(), NOON);
    let Err(NotOpened::Refused { debit, refusal }) = refused else { panic!("{refused:?}") };
    assert_eq!((ledger.checkpoint().unwrap(), ledger.account(&second.caps, NOON).unwrap()), before);
    assert_eq!(ledger.recall(second.question_id, second.question_hash).unwrap(), Recall::Open);
    assert!(ledger.opening(second.question_id).unwrap().is_none());
    assert_eq!(refusal.rules[0].rule, "ledger.same-partners");
    let says = "a total without fresh noise was opened with other partners, or on another edition, of the records of 2026-03-31, and the difference of two would be one partner's figure; ask with the same partners, under noise, or on the next snapshot";
    assert_eq!(refusal.rules[0].says, says);
    // The caller gives the hold up, and nothing of it is charged.
    ledger.abandon(*debit, &Entry::new(EntryKind::QuestionFailed), NOON).unwrap();
    assert_eq!(ledger.account(&second.caps, NOON).unwrap().lifetime.nano(), 0);
}

#[test]
fn a_hold_that_is_gone_is_not_opened() {
    check(
        "hold 1 cost 5 until 60; at 61; open 1; opening 1; recall 1",
        &["held, year 5", "CA010", "none", "Open"],
    );
    check("hold 1 cost 5 until 60; at 60; open 1", &["held, year 5", "opened"]);
    check(
        "hold 1 cost 5; refuse 1; open 1; opening 1; recall 1",
        &["held, year 5", "refused", "CA010", "none", "no"],
    );
    check("hold 1 cost 5; at -100; open 1", &["held, year 5", "opened"]);
}

#[test]
fn a_debit_of_a_replaced_settled_or_abandoned_hold_opens_nothing() {
    let check = |change: &dyn Fn(&mut Ledger, Debited)| {
        let (_folder, mut ledger) = fresh();
        let (dataset, abc) = (participants(), partners("abc"));
        let held = debit(&mut ledger, &want(1, 7), NOON);
        let same = debit(&mut ledger, &want(1, 7), NOON);
        change(&mut ledger, same);
        let opened = ledger.open_total(held, opening(&dataset, &abc, b"one"), b"1", &answered(), NOON);
        assert!(matches!(opened, Err(NotOpened::Fault(LedgerFault::HoldGone))), "{opened:?}");
        assert!(ledger.opening(want(1, 7).question_id).unwrap().is_none());
    };
    check(&|ledger, _| drop(debit(ledger, &want(1, 8), NOON)));
    check(&|ledger, same| ledger.settle(same, b"reply", b"table", &answered(), NOON).unwrap());
    check(&|ledger, same| ledger.abandon(same, &Entry::new(EntryKind::QuestionFailed), NOON).unwrap());
}

#[test]
fn an_opened_total_is_not_settled_repeated_or_given_up() {
    let (_folder, mut ledger) = fresh();
    let (dataset, abc, held) = (participants(), partners("abc"), want(1, 7));
    let [one, two, three] = [(); 3].map(|()| debit(&mut ledger, &held, NOON));
    let _ = ledger.open_total(one, opening(&dataset, &abc, b"one"), b"1", &answered(), NOON).unwrap();
    let settled = ledger.settle(two, b"other", b"table", &answered(), NOON);
    assert!(matches!(settled, Err(LedgerFault::HoldGone)), "{settled:?}");
    ledger.abandon(three, &Entry::new(EntryKind::QuestionFailed), NOON).unwrap();
    assert_eq!(ledger.account(&held.caps, NOON).unwrap().lifetime.nano(), 7);
    assert_eq!(ledger.recall(held.question_id, held.question_hash).unwrap(), Recall::Reply(b"1".to_vec()));
}

#[test]
fn a_hold_that_lapsed_or_was_given_up_is_held_and_opened_anew() {
    check(
        "hold 1 cost 5 until 60; at 61; hold 1 cost 5; open 1; account",
        &[
            "held, year 5",
            "held, year 5",
            "opened",
            "year 5, ever 5, held 0, pure 0, other 5, from 2026-04-01",
        ],
    );
    check(
        "hold 1 cost 5; abandon 1; hold 1 cost 5; open 1",
        &["held, year 5", "abandoned", "held, year 5", "opened"],
    );
}

#[test]
fn an_opening_that_makes_no_sense_is_a_fault() {
    let check = |it: Opening<'_>, expected: &str| {
        let (_folder, mut ledger) = fresh();
        let held = debit(&mut ledger, &want(1, 0), NOON);
        let told = match ledger.open_total(held, it, b"1", &answered(), NOON) {
            Ok(_) => "opened".to_owned(),
            Err(NotOpened::Fault(fault)) => {
                assert_eq!(fault.code(), "CA017");
                assert_eq!(ledger.recall(want(1, 0).question_id, Hash::of(&[1])).unwrap(), Recall::Open);
                assert_eq!(ledger.entries(0, 1).unwrap(), []);
                fault.to_string().replace("the opening makes no sense: ", "")
            }
            Err(refused) => panic!("{refused:?}"),
        };
        assert_eq!(told, expected);
    };
    let (dataset, abc) = (participants(), partners("abc"));
    let it = opening(&dataset, &abc, b"one");
    let outcomes = Name::new("outcomes").unwrap();
    let many: Vec<[u8; 16]> = (0..=PARTNERS_MAX).map(|n| (n as u128).to_be_bytes()).collect();
    let long = vec![7; RECORD_BYTES_MAX + 1];
    check(it, "opened");
    check(Opening { partners: &many[..PARTNERS_MAX], ..it }, "opened");
    check(Opening { record: &long[..RECORD_BYTES_MAX], ..it }, "opened");
    check(Opening { deadline: NOON, ..it }, "opened");
    check(Opening { deadline: NOON.plus_s(86_700), ..it }, "opened");
    check(Opening { partners: &many, ..it }, "no partners, or too many");
    check(Opening { partners: &[], ..it }, "no partners, or too many");
    for wrong in ["acb", "abb", "cba"] {
        check(Opening { partners: &partners(wrong), ..it }, "its partners are out of order");
    }
    check(Opening { record: b"", ..it }, "its record is empty or too long");
    check(Opening { record: &long, ..it }, "its record is empty or too long");
    check(Opening { deadline: Moment::from_unix_s(NOON.unix_s() - 1), ..it }, "its deadline has passed");
    check(Opening { deadline: NOON.plus_s(86_701), ..it }, "its deadline is too far off");
    check(Opening { dataset: &outcomes, ..it }, "it is of other records than its hold");
    let snapshot = SnapshotKey { edition: 2, ..it.snapshot };
    check(Opening { snapshot, ..it }, "it is of other records than its hold");
    check(Opening { repeat: Repeat::Charged, ..it }, "it claims fresh noise, and its hold costs nothing");
}

#[test]
fn a_record_is_wiped_after_its_deadline_and_the_opening_stays() {
    // By the next hold, and by the next opening.
    check(
        "hold 1; open 1 until 600; at 600; hold 2; opening 1; at 601; hold 3; opening 1; bound; recall 1; hold 1; open 3 with ab",
        &[
            "held, year 0",
            "opened",
            "held, year 0",
            "record-1",
            "held, year 0",
            "over",
            "abc",
            "reply 1",
            "CA012",
            "CM215",
        ],
    );
    check(
        "hold 1; open 1 until 60; hold 2 until 900; at 61; opening 1; open 2; opening 1; opening 2; reopen; opening 1; opening 2",
        &[
            "held, year 0",
            "opened",
            "held, year 0",
            "record-1",
            "opened",
            "over",
            "record-2",
            "over",
            "record-2",
        ],
    );
    // A clock that is put back brings nothing back.
    check(
        "hold 1; open 1 until 60; at 61; hold 2; at 30; hold 3; opening 1",
        &["held, year 0", "opened", "held, year 0", "held, year 0", "over"],
    );
}

#[test]
fn nothing_of_a_wiped_record_is_left_in_the_file() {
    let (folder, mut ledger) = fresh();
    let path = folder.path().join("ledger.sqlite");
    let (dataset, abc) = (participants(), partners("abc"));
    // A short one in the row itself, and one that spills over to pages of its own.
    let secrets: [Vec<u8>; 2] = [b"a secret".repeat(8), b"spilled!".repeat(1_500)];
    for (number, secret) in (1..).zip(&secrets) {
        let held = debit(&mut ledger, &want(number, 0), NOON);
        let _ = ledger.open_total(held, opening(&dataset, &abc, secret), b"1", &answered(), NOON).unwrap();
    }
    let has = |needle: &[u8]| {
        let file = std::fs::read(&path).unwrap();
        file.windows(needle.len()).any(|window| window == needle)
    };
    drop(ledger);
    assert!(has(b"a secret") && has(b"spilled!"), "it was there");
    let mut ledger = Ledger::open(&path).unwrap();
    drop(debit(&mut ledger, &want(3, 0), NOON.plus_s(601)));
    drop(ledger);
    assert!(!has(b"a secret") && !has(b"spilled!"), "it was wiped");
}

#[cfg(unix)]
#[test]
fn the_record_is_for_the_nodes_account_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, mut ledger) = fresh();
    let (dataset, abc) = (participants(), partners("abc"));
    let held = debit(&mut ledger, &want(1, 0), NOON);
    let _ = ledger.open_total(held, opening(&dataset, &abc, b"a secret"), b"1", &answered(), NOON).unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
        files += 1;
    }
    assert!(files >= 3, "the ledger, what is not yet moved into it, and the lock");
}

#[test]
fn an_opening_can_be_neither_changed_nor_removed_by_accident() {
    let (_folder, mut ledger) = fresh();
    let (dataset, abc) = (participants(), partners("abc"));
    let held = debit(&mut ledger, &want(1, 0), NOON);
    let _ = ledger.open_total(held, opening(&dataset, &abc, b"one"), b"1", &answered(), NOON).unwrap();
    let run = |sql: &str| ledger.connection_for_tests().execute_batch(sql);
    for sql in [
        "DELETE FROM opening",
        "UPDATE opening SET record = x'00'",
        "UPDATE opening SET partners = zeroblob(16)",
        "UPDATE opening SET edition = 2",
        "UPDATE opening SET repeat = 'charged'",
        "UPDATE opening SET until_s = 0",
        "INSERT INTO opening SELECT * FROM opening",
    ] {
        assert!(run(sql).is_err(), "{sql}");
    }
    run("UPDATE opening SET record = NULL").unwrap();
    assert!(run("UPDATE opening SET record = x'00'").is_err(), "what is wiped is wiped");
}

#[test]
fn the_audit_has_the_number_of_partners_and_no_secret() {
    let (_folder, mut ledger) = fresh();
    let (dataset, abc) = (participants(), partners("abc"));
    let held = debit(&mut ledger, &want(1, 7), NOON);
    let mut entry = answered();
    // What the ledger knows better it writes itself.
    entry.partners = Some(99);
    let _ = ledger.open_total(held, opening(&dataset, &abc, b"a secret"), b"reply", &entry, NOON).unwrap();
    let entries = ledger.entries(0, 10).unwrap();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((entry.partners, entry.question_id), (Some(3), Some(want(1, 7).question_id)));
    assert_eq!((entry.cost.unwrap().nano(), entry.year_so_far.unwrap().nano()), (7, 7));
    let mut export = Vec::new();
    let key = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
    ledger.export(&mut export, &key).unwrap();
    let export = String::from_utf8(export).unwrap();
    assert!(export.contains(r#""partners":3"#) && !export.contains("secret") && !export.contains("reply"));
}

#[test]
fn an_equal_question_is_another_total_and_another_charge() {
    check(
        "hold 1 cost 5 canon x; open 1; hold 2 cost 5 canon x; open 2; account",
        &[
            "held, year 5",
            "opened",
            "held, year 10",
            "opened",
            "year 10, ever 10, held 0, pure 0, other 10, from 2026-04-01",
        ],
    );
}

#[test]
fn a_partners_own_tables_and_exact_totals_stick_to_one_another() {
    // The gate's hash of the settings says whether a table is a total; an audited table stands beside no table of another kind.
    check(
        "hold 1 settings own; settle 1; hold 2 settings total",
        &["held, year 0", "settled", "refused CA206"],
    );
    check("hold 1 settings total; open 1; hold 2 settings own", &["held, year 0", "opened", "refused CA206"]);
    let audit = "of national-analyst/participants/people/audit";
    check(&format!("hold 1; open 1; hold 2 {audit}"), &["held, year 0", "opened", "refused CA212"]);
    check(&format!("hold 1 {audit}; hold 2"), &["held, year 0", "refused CA212"]);
}

#[test]
fn a_full_disk_opens_nothing_and_keeps_the_hold() {
    let (_folder, mut ledger) = fresh();
    let (dataset, abc, held) = (participants(), partners("abc"), want(1, 7));
    let first = debit(&mut ledger, &held, NOON);
    let limit = |ledger: &Ledger, more: i64| {
        let connection = ledger.connection_for_tests();
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        connection.execute_batch(&format!("PRAGMA max_page_count = {}", pages + more)).unwrap();
    };
    limit(&ledger, 0);
    let long = vec![7; RECORD_BYTES_MAX];
    let full = ledger.open_total(first, opening(&dataset, &abc, &long), b"1", &answered(), NOON);
    assert!(matches!(full, Err(NotOpened::Fault(LedgerFault::Write { .. }))), "{full:?}");
    assert!(ledger.opening(held.question_id).unwrap().is_none());
    assert_eq!(ledger.account(&held.caps, NOON).unwrap().held.nano(), 7);
    assert_eq!(ledger.bound_to(held.snapshot).unwrap(), Bound::Free);
    limit(&ledger, 100);
    let again = debit(&mut ledger, &held, NOON);
    let _ = ledger.open_total(again, opening(&dataset, &abc, &long), b"1", &answered(), NOON).unwrap();
    assert_eq!(ledger.account(&held.caps, NOON).unwrap().lifetime.nano(), 7);
}

#[test]
fn a_commit_that_fails_opens_nothing_until_the_disk_is_read_anew() {
    let (folder, mut ledger) = fresh();
    let (dataset, abc, held) = (participants(), partners("abc"), want(1, 7));
    let first = debit(&mut ledger, &held, NOON);
    // A broken reference that is looked at only by COMMIT: the one way to make SQLite's own commit fail.
    let trap = "CREATE TABLE late (id BLOB REFERENCES question (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER spring AFTER INSERT ON opening BEGIN INSERT INTO late VALUES (x'00'); END;";
    ledger.connection_for_tests().execute_batch(trap).unwrap();
    let failed = ledger.open_total(first, opening(&dataset, &abc, b"one"), b"1", &answered(), NOON);
    assert!(matches!(failed, Err(NotOpened::Fault(LedgerFault::Write { .. }))), "{failed:?}");
    ledger.connection_for_tests().execute_batch("DROP TRIGGER spring").unwrap();
    assert!(matches!(ledger.opening(held.question_id), Err(LedgerFault::Poisoned)));
    assert!(matches!(ledger.bound_to(held.snapshot), Err(LedgerFault::Poisoned)));
    assert!(matches!(ledger.reserve(&held, NOON), Err(Denied::Fault(LedgerFault::Poisoned))));
    drop(ledger);
    let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    assert!(ledger.opening(held.question_id).unwrap().is_none());
    let again = debit(&mut ledger, &held, NOON);
    let kept = ledger.open_total(again, opening(&dataset, &abc, b"two"), b"1", &answered(), NOON).unwrap();
    assert_eq!(kept.bytes(), b"two");
}

#[test]
fn no_secret_shows_in_debug() {
    let (_folder, mut ledger) = fresh();
    let (dataset, abc) = (participants(), partners("abc"));
    let it = opening(&dataset, &abc, b"a secret");
    assert_eq!(format!("{it:?}"), "Opening(participants, SamePartners, 3 partners)");
    let held = debit(&mut ledger, &want(1, 0), NOON);
    let kept = ledger.open_total(held, it, b"1", &answered(), NOON).unwrap();
    assert_eq!(format!("{kept:?}"), "KeptRecord(01010101, 8 bytes)");
}

#[derive(Clone, Debug)]
struct Try {
    number: u8,
    edition: u32,
    /// Which of five partners, bit by bit.
    with: u8,
    cost: u64,
    repeat: Repeat,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let repeat = prop_oneof![Just(Repeat::Charged), Just(Repeat::SamePartners)];
    let one = (0..12_u8, 1..3_u32, 28..32_u8, 0..3_u64, repeat);
    let one =
        one.prop_map(|(number, edition, with, cost, repeat)| Try { number, edition, with, cost, repeat });
    prop::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is tried in whatever order: a question opens once, what opens without fresh noise on the same records has the same
    /// partners, and what opened is charged.
    #[test]
    fn whatever_is_tried_r2_and_r6_hold(tries in tries()) {
        let (_folder, mut ledger) = fresh();
        let dataset = participants();
        let mut opened: BTreeMap<u8, Try> = BTreeMap::new();
        for it in tries {
            let mut held = want(it.number, it.cost);
            held.snapshot.edition = it.edition;
            let Ok(crate::Reserved::Debited(debit)) = ledger.reserve(&held, NOON) else {
                prop_assert!(opened.contains_key(&it.number), "{it:?} could be held");
                continue;
            };
            let letters: String = (0..5).filter(|n| it.with >> n & 1 == 1).map(|n| char::from(b'a' + n)).collect();
            let partners = partners(&letters);
            let record = [it.number];
            let mut what = opening(&dataset, &partners, &record);
            (what.snapshot, what.repeat) = (held.snapshot, it.repeat);
            let bound = opened.values().find(|o| o.repeat == Repeat::SamePartners);
            let allowed = match it.repeat {
                Repeat::Charged => it.cost > 0,
                Repeat::SamePartners => bound.is_none_or(|o| (o.with, o.edition) == (it.with, it.edition)),
            };
            let done = ledger.open_total(debit, what, b"reply", &answered(), NOON);
            prop_assert_eq!(done.is_ok(), allowed, "{:?}", &it);
            if allowed {
                prop_assert!(opened.insert(it.number, it).is_none(), "opened twice");
            }
        }
        let account = ledger.account(&want(0, 0).caps, NOON).unwrap();
        let charged: u64 = opened.values().map(|o| o.cost).sum();
        prop_assert_eq!(account.lifetime.nano() - account.held.nano(), charged);
    }
}
