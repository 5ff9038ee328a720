use super::*;
use crate::fixture::{NOW, name, partner};

const MOST: OpenMax = OpenMax { all: 3, per_analyst: 2 };

fn question(number: u8, analyst: &str) -> NewQuestion {
    NewQuestion {
        id: QuestionId::from_bytes([number; 32]),
        signed: vec![number; 10],
        analyst: name(analyst),
        register_version: 3,
        accepted_at: NOW,
        deadline: NOW.plus_s(60),
    }
}

fn open(folder: &tempfile::TempDir) -> Store {
    let mut store = Store::open(&folder.path().join("rounds.sqlite")).unwrap();
    store.keep_register(3, b"register").unwrap();
    store
}

fn kept(coverage: &[u8]) -> Kept {
    Kept { replies: vec![(partner("a"), b"yes".to_vec())], coverage: coverage.to_vec() }
}

#[test]
fn an_accepted_question_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    assert_eq!(store.accept(&question(1, "ann"), MOST).unwrap(), Taken::New);
    store.keep_replies(question(1, "ann").id, &[(partner("b"), b"no".to_vec())]).unwrap();
    assert!(
        matches!(Store::open(&folder.path().join("rounds.sqlite")), Err(StoreFault::Open(_))),
        "one writer"
    );
    drop(store);

    let mut store = open(&folder);
    let open = store.open_questions().unwrap();
    assert_eq!((open.len(), &open[0].signed, open[0].deadline), (1, &vec![1; 10], NOW.plus_s(60)));
    assert_eq!(store.closed(open[0].id).unwrap(), None);
    store.close(open[0].id, &kept(b"coverage"), None, NOW).unwrap();
    let closed = store.closed(open[0].id).unwrap().unwrap();
    assert_eq!(closed.replies, [(partner("a"), b"yes".to_vec()), (partner("b"), b"no".to_vec())]);
    assert_eq!(closed.coverage, b"coverage");
    assert!(store.open_questions().unwrap().is_empty());
    // What is closed stays as it is.
    store.close(open[0].id, &kept(b"other"), None, NOW).unwrap();
    assert_eq!(store.closed(open[0].id).unwrap().unwrap().coverage, b"coverage");
    assert_eq!(store.register(3).unwrap().as_deref(), Some(b"register".as_slice()));
    assert_eq!(store.newest_register().unwrap(), 3);
}

#[test]
fn a_number_is_one_question_of_one_analyst() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    let mut check = |new: &NewQuestion, expected| assert_eq!(store.accept(new, MOST).unwrap(), expected);
    check(&question(1, "ann"), Taken::New);
    check(&question(1, "ann"), Taken::Known);
    check(&NewQuestion { signed: b"other".to_vec(), ..question(1, "ann") }, Taken::NumberTaken);
    check(&question(1, "bob"), Taken::NumberTaken);
    assert!(store.has(question(1, "ann").id, &name("ann")).unwrap());
    assert!(!store.has(question(1, "ann").id, &name("bob")).unwrap());
}

#[test]
fn open_rounds_have_a_most() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    let mut check = |new: &NewQuestion, expected| assert_eq!(store.accept(new, MOST).unwrap(), expected);
    check(&question(1, "ann"), Taken::New);
    check(&question(2, "ann"), Taken::New);
    check(&question(3, "ann"), Taken::AnalystBusy(2));
    check(&question(4, "bob"), Taken::New);
    check(&question(5, "cat"), Taken::Busy);
    check(&question(2, "ann"), Taken::Known);
    store.close(question(1, "ann").id, &kept(b"c"), None, NOW).unwrap();
    assert_eq!(store.accept(&question(3, "ann"), MOST).unwrap(), Taken::New);
}

#[test]
fn closed_rounds_are_forgotten_by_age_and_by_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    let most = OpenMax { all: 99, per_analyst: 99 };
    for number in 1..=5 {
        store.accept(&question(number, "ann"), most).unwrap();
    }
    for number in 1..=4 {
        let at = NOW.plus_s(u64::from(number));
        store.close(question(number, "ann").id, &kept(&[0; 87]), None, at).unwrap();
    }
    // Each closed round has 10 + 3 + 87 bytes.
    assert_eq!(store.forget(NOW.plus_s(2), KEPT_BYTES_MAX).unwrap(), 1);
    assert_eq!(store.forget(NOW, 250).unwrap(), 1);
    let there = |store: &Store, number: u8| store.has(question(number, "ann").id, &name("ann")).unwrap();
    let left: Vec<u8> = (1..=5).filter(|n| there(&store, *n)).collect();
    assert_eq!(left, [3, 4, 5], "the newest stay, and an open round always does");
    assert!(store.replies(question(1, "ann").id).unwrap().is_empty());
}

#[test]
fn a_transcript_is_read_beside_the_coordinator_and_forgotten_with_its_round() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rounds.sqlite");
    let mut store = open(&folder);
    let total = question(1, "ann");
    store.accept(&total, MOST).unwrap();
    let read = || Transcripts::open(&path).unwrap().of(total.id).unwrap();
    assert_eq!(read(), None);
    store.close(total.id, &kept(&[0; 87]), Some(&[7; 100]), NOW).unwrap();
    let expected = KeptTranscript {
        register: b"register".to_vec(),
        question: total.signed.clone(),
        transcript: vec![7; 100],
    };
    assert_eq!(read(), Some(expected.clone()));
    // What is closed stays as it is.
    store.close(total.id, &kept(b"other"), Some(b"other"), NOW).unwrap();
    assert_eq!(read(), Some(expected));
    // 10 + 3 + 87 bytes of the round and 100 of its transcript.
    assert_eq!(store.forget(NOW, 200).unwrap(), 0);
    assert_eq!(store.forget(NOW, 199).unwrap(), 1);
    assert_eq!(read(), None);
    let left = "SELECT count(*) FROM transcript";
    assert_eq!(store.connection.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
#[cfg(unix)]
fn only_the_stores_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let _store = open(&folder);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.connection.pragma_update(None, "user_version", 9).unwrap();
    drop(store);
    let fault = Store::open(&folder.path().join("rounds.sqlite")).err().unwrap();
    assert_eq!(fault.code(), "CO302");
}

#[test]
fn an_end_of_a_ledger_is_held_over_a_restart_and_only_a_later_one_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    let fife = partner("fife");
    assert_eq!(store.checkpoint(&fife).unwrap(), None);
    let later = |before: &[u8]| before < b"5".as_slice();
    assert!(store.hold_checkpoint(&fife, b"3", |_| panic!("none is held")).unwrap());
    assert!(store.hold_checkpoint(&fife, b"5", later).unwrap());
    assert!(!store.hold_checkpoint(&fife, b"4", |before| before < b"4".as_slice()).unwrap());
    drop(store);
    let store = open(&folder);
    assert_eq!(store.checkpoint(&fife).unwrap().as_deref(), Some(b"5".as_slice()));
    assert_eq!(store.checkpoint(&partner("angus")).unwrap(), None);
}

#[test]
fn a_store_of_the_form_before_is_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rounds.sqlite");
    let mut store = open(&folder);
    store.accept(&question(1, "ann"), MOST).unwrap();
    let before =
        "DROP TABLE transcript; DROP TABLE checkpoint; DROP TABLE roll_call; PRAGMA user_version = 1";
    store.connection.execute_batch(before).unwrap();
    assert_eq!(Transcripts::open(&path).unwrap().of(question(1, "ann").id).unwrap(), None);
    drop(store);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.open_questions().unwrap().len(), 1);
    assert!(store.hold_checkpoint(&partner("fife"), b"3", |_| false).unwrap());
    store.close(question(1, "ann").id, &kept(b"coverage"), Some(b"transcript"), NOW).unwrap();
    drop(store);
    assert!(Store::open(&path).is_ok());
}

#[test]
fn the_partners_of_the_first_exact_total_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    let (march, june) = ("2026-03-31".parse().unwrap(), "2026-06-30".parse().unwrap());
    let (first, other) = ([partner("angus"), partner("fife")], [partner("angus")]);
    assert_eq!(store.roll_call(march).unwrap(), None);
    store.keep_roll_call(march, &first).unwrap();
    store.keep_roll_call(march, &other).unwrap();
    drop(store);
    let store = open(&folder);
    assert_eq!(store.roll_call(march).unwrap().as_deref(), Some(first.as_slice()));
    assert_eq!(store.roll_call(june).unwrap(), None);
}
