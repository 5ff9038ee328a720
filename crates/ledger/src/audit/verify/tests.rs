use cairn_question::SigningKey;
use proptest::prelude::*;
use std::sync::OnceLock;

use super::*;
use crate::testing::{NOON, answered, debit, fresh, want};
use crate::{EntryKind, LedgerFault};

/// Twelve entries of all sorts, exported; and the key that signed the head.
fn export() -> &'static (Vec<u8>, VerifyingKey) {
    static EXPORT: OnceLock<(Vec<u8>, VerifyingKey)> = OnceLock::new();
    EXPORT.get_or_init(|| {
        let (_folder, mut ledger) = fresh();
        let key = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
        ledger.note(&Entry::new(EntryKind::Start), NOON).unwrap();
        for number in 1..=11 {
            let held = debit(&mut ledger, &want(number, u64::from(number)), NOON);
            let mut entry = answered();
            entry.question = Some("people by council".to_owned());
            ledger.settle(held, b"r", b"t", &entry, NOON.plus_s(u64::from(number))).unwrap();
        }
        let mut bytes = Vec::new();
        ledger.export(&mut bytes, &key).unwrap();
        (bytes, key.verifying_key())
    })
}

fn lines() -> Vec<String> {
    String::from_utf8(export().0.clone()).unwrap().lines().map(str::to_owned).collect()
}

fn verify(lines: &[String]) -> Result<Verified, Vec<Break>> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    verify_export(text.as_bytes(), Some(&export().1))
}

/// Applies a change to the 13 lines (12 entries, the head) and compares the breaks that are found.
fn check(change: impl Fn(&mut Vec<String>), expected: &[&str]) {
    let mut lines = lines();
    change(&mut lines);
    let found = verify(&lines).map_or_else(|breaks| breaks, |_| Vec::new());
    let found: Vec<String> = found.iter().map(|b| format!("{} {b}", b.kind.code())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_clean_export_verifies() {
    let verified = verify(&lines()).unwrap();
    assert_eq!(verified.entries, 12);
    assert_eq!((verified.from, verified.to), (Some(NOON), Some(NOON.plus_s(11))));
    assert_eq!(verified.signature, Signature::Holds);
    let unsigned = verify_export(export().0.as_slice(), None).unwrap();
    assert_eq!(unsigned, Verified { signature: Signature::NotChecked, ..verified });
    // Nothing asked yet.
    let (_folder, ledger) = fresh();
    let key = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
    let mut bytes = Vec::new();
    ledger.export(&mut bytes, &key).unwrap();
    assert_eq!(verify_export(bytes.as_slice(), Some(&key.verifying_key())).unwrap().entries, 0);
}

#[test]
fn the_reference_page_counts_the_bytes_of_a_line_right() {
    let page = include_str!("../../../../../docs/reference/audit.md");
    let (begins, goes_on) = (LINE_BEGINS.len(), LINE_BEGINS.len() + 64 + LINE_GOES_ON.len());
    let cut = format!("line[{begins}:{}], line[{goes_on}:-2]", begins + 64);
    assert!(page.contains(&cut), "{cut}");
    let limit = "262,400 bytes";
    assert!(page.contains(limit) && LINE_BYTES_MAX == 262_400, "{limit}");
}

#[test]
fn each_kind_of_break_is_told_apart() {
    check(|_| {}, &[]);
    check(
        |l| l[4] = l[4].replace("people", "person"),
        &["CA102 line 5: entry 5 was changed: its hash does not hold"],
    );
    check(
        |l| l[4] = l[4].replace("\"cost\":4", "\"cost\":3"),
        &["CA102 line 5: entry 5 was changed: its hash does not hold"],
    );
    // Another hash in its place: this entry's link and no other is reported.
    check(
        |l| {
            let digit = if &l[4][20..21] == "0" { "1" } else { "0" };
            l[4].replace_range(20..21, digit);
        },
        &["CA102 line 5: entry 5 was changed: its hash does not hold"],
    );
    check(|l| drop(l.remove(4)), &["CA103 line 5: entry 5 is missing"]);
    check(|l| drop(l.drain(4..7)), &["CA103 line 5: entries 5 to 7 are missing"]);
    check(|l| drop(l.remove(0)), &["CA103 line 1: entry 1 is missing"]);
    check(|l| l.swap(4, 5), &["CA104 line 6: entry 5 is out of order, or stands twice"]);
    check(|l| l.insert(5, l[4].clone()), &["CA104 line 6: entry 5 is out of order, or stands twice"]);
    check(|l| drop(l.pop()), &["CA105 line 13: the end is missing, from entry 13 or the signed head on"]);
    check(|l| l.truncate(8), &["CA105 line 9: the end is missing, from entry 9 or the signed head on"]);
    check(
        |l| drop(l.remove(11)),
        &["CA105 line 12: the end is missing, from entry 12 or the signed head on"],
    );
    check(|l| l.push(l[3].clone()), &["CA108 line 14: something stands after the signed head"]);
    check(
        |l| l[2] = "{}".to_owned(),
        &["CA101 line 3: expected entry 3 or the signed head, found something else"],
    );
    check(
        |l| l[2] = "x".repeat(LINE_BYTES_MAX),
        &["CA101 line 3: expected entry 3 or the signed head, found something else"],
    );
}

#[test]
fn a_chain_that_was_made_anew_does_not_fit_its_head() {
    // Whoever changes an entry and works out every hash after it has not got the partner's key.
    let forged = |to: usize| {
        move |lines: &mut Vec<String>| {
            lines[4] = lines[4].replace("people", "person");
            let mut previous = GENESIS;
            for line in lines.iter_mut().take(to) {
                let entry = take(line.as_bytes()).unwrap().text.to_vec();
                let text = String::from_utf8(entry).unwrap();
                previous = link(previous, text.as_bytes());
                let digits = cairn_question::id::hex(previous.as_bytes());
                *line = format!("{LINE_BEGINS}{digits}{LINE_GOES_ON}{text}}}");
            }
        }
    };
    check(forged(12), &["CA106 line 13: the signed head does not belong to the entries up to 12"]);
    check(forged(8), &["CA102 line 9: entry 9 was changed: its hash does not hold"]);
    // An own head under an own key: only the partner's registered key shows it.
    let other = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
    let mut lines = lines();
    forged(12)(&mut lines);
    let hash = take(lines[11].as_bytes()).unwrap().hash.unwrap();
    let to = Some(NOON.plus_s(11));
    let head = Head { cairn_audit: 1, entries: 12, hash, from: Some(NOON), to };
    let envelope = Envelope::sign(HEAD_TYPE, &serde_json::to_vec(&head).unwrap(), &other).to_bytes();
    lines[12] = format!("{HEAD_BEGINS}{}}}", String::from_utf8(envelope).unwrap());
    assert_eq!(verify(&lines).unwrap_err()[0].kind.code(), "CA107");
    let text = lines.join("\n") + "\n";
    assert_eq!(verify_export(text.as_bytes(), None).unwrap().signature, Signature::NotChecked);
}

#[test]
fn an_entry_of_a_newer_program_is_named_and_not_taken_for_an_edit() {
    check(
        |l| {
            let text = r#"{"seq":12,"at":1,"kind":"start","colour":"red"}"#;
            let previous = take(l[10].as_bytes()).unwrap().hash.unwrap();
            let digits = cairn_question::id::hex(link(previous, text.as_bytes()).as_bytes());
            l[11] = format!("{LINE_BEGINS}{digits}{LINE_GOES_ON}{text}}}");
        },
        &["CA101 line 12: expected entry 12 or the signed head, found something else"],
    );
}

#[test]
fn a_report_has_an_end() {
    let line = lines()[0].clone();
    let many = vec![line; 5_000];
    assert_eq!(verify(&many).unwrap_err().len(), BREAKS_MAX);
}

#[test]
fn a_file_that_fails_while_read_says_so() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk went away"))
        }
    }
    let breaks = verify_export(std::io::BufReader::new(Broken), None).unwrap_err();
    assert_eq!(breaks, [Break { entry: 1, line: 1, kind: BreakKind::Unreadable }]);
}

#[test]
fn a_broken_ledger_is_not_signed() {
    let (folder, mut ledger) = fresh();
    for _ in 0..4 {
        ledger.note(&Entry::new(EntryKind::Start), NOON).unwrap();
    }
    let other = rusqlite::Connection::open(folder.path().join("ledger.sqlite")).unwrap();
    let change = "DROP TRIGGER entry_never_changes;
        UPDATE entry SET text = replace(text, 'start', 'stop') WHERE seq = 2;";
    other.execute_batch(change).unwrap();
    let key = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
    let mut bytes = Vec::new();
    let exported = ledger.export(&mut bytes, &key);
    assert!(matches!(exported, Err(LedgerFault::Chain { seq: 2 })), "{exported:?}");
    assert_eq!(verify_export(bytes.as_slice(), None).unwrap_err()[0].kind, BreakKind::Truncated);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// One byte, anywhere, is another: found, and where it stands in an entry, named as that entry's edit or loss.
    #[test]
    fn any_edit_is_found(at in any::<prop::sample::Index>(), by in 1..=255_u8) {
        let (bytes, key) = export();
        let mut bytes = bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(verify_export(bytes.as_slice(), Some(key)).is_err(), "byte {at} ^ {by}");
    }

    #[test]
    fn any_drop_is_found(first in 0..13_usize, most in 1..13_usize) {
        let mut lines = lines();
        let last = (first + most).min(lines.len());
        lines.drain(first..last);
        prop_assert!(verify(&lines).is_err());
    }

    #[test]
    fn any_swap_is_found(a in 0..13_usize, b in 0..13_usize) {
        let mut lines = lines();
        lines.swap(a, b);
        prop_assert_eq!(verify(&lines).is_ok(), a == b);
    }

    #[test]
    fn any_truncation_is_found(at in any::<prop::sample::Index>()) {
        let (bytes, key) = export();
        let cut = at.index(bytes.len());
        prop_assert!(verify_export(&bytes[..cut], Some(key)).is_err());
    }

    #[test]
    fn nothing_that_is_read_can_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verify_export(bytes.as_slice(), None).is_err());
    }
}
