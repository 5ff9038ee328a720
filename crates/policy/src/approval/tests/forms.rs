//! Notes and keys as texts.

use proptest::prelude::*;

use super::*;

#[test]
fn the_real_note_is_read_as_it_is() {
    let text = fixture("approval.txt");
    let note = Note::parse(&text).expect("a note");
    assert_eq!(note.print(), text);
    assert_eq!((note.policy.id.as_str(), note.policy.version), ("strathcarron-sharing", 7));
    assert_eq!(note.change, Change::Loosens);
    assert_eq!(note.quorum.to_string(), "2 of convener, siro, caldicott-guardian and dpo");
    assert_eq!(note.framework, None);
    assert_eq!((note.from, note.until), (day("2026-12-01"), day("2027-11-30")));
    assert_eq!(note.minute.as_str(), "LEP board 2026-11-18 item 4");
    assert_eq!(Note::parse(&text.replace('\n', "\r\n")), Ok(note), "a copy with CRLF says the same");
}

#[test]
fn a_note_is_written_in_one_way_only() {
    let text = fixture("approval.txt");
    let check = |from: &str, to: &str, line: usize, wanted: &'static str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "nothing to change: {from}");
        assert_eq!(Note::parse(&changed), Err(NoteError::Line { line, wanted }), "{changed}");
    };
    check("version 7", "version 07", 2, "policy");
    check("version 7", "version -7", 2, "policy");
    check("sha256:dddc", "sha256:DDDC", 3, "file");
    check("   (line ends as LF)", "", 3, "file");
    check("english ", "englisch", 4, "english");
    check("replaces  sha256:", "replaces  md5:", 5, "replaces");
    check("change    loosens", "change    tightns", 6, "change");
    check("quorum 2 of", "quorum 2  of", 6, "change");
    check("in force  2026-12-01", "in force  2026-13-01", 7, "in force");
    check("in force", "warnings  CP42\nin force", 7, "warnings");
    check("in force", "warnings  CP802, CP420\nin force", 7, "warnings");
    check("in force", "warnings  CP420, CP420\nin force", 7, "warnings");
    check("minute    LEP", "minute    \u{202e}LEP", 8, "minute");
    check("item 4\n", "item 4", 9, "nothing more");
    check("item 4\n", "item 4\nand more\n", 9, "nothing more");
    check("change ", "minute    x\nchange ", 6, "change");
    check("minute    LEP board 2026-11-18 item 4\n", "", 8, "minute");
    assert_eq!(Note::parse("\u{feff}cairn-policy approval, format 1\n"), Err(NoteError::Marked));
    assert_eq!(Note::parse(""), Err(NoteError::Format("cairn-policy approval, format 1")));
    assert_eq!(Note::parse(&"x".repeat(9_000)), Err(NoteError::TooLong));
}

fn any_name() -> impl Strategy<Value = Name> {
    "[a-z0-9-]{1,64}".prop_map(|n| Name::new(n).expect("a name"))
}

fn any_hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash::from_bytes)
}

fn any_document() -> impl Strategy<Value = Document> {
    (any_name(), any::<u32>(), any_hash()).prop_map(|(id, version, hash)| Document { id, version, hash })
}

fn any_day() -> impl Strategy<Value = Day> {
    (0..40_000).prop_map(|d| Day::from_epoch_days(d).expect("a day"))
}

fn any_quorum() -> impl Strategy<Value = Quorum> {
    let names = |least| proptest::collection::vec(any_name(), least..5);
    (any::<u32>(), names(1), names(0)).prop_map(|(need, of, and)| Quorum { need, of, and })
}

fn any_minute() -> impl Strategy<Value = Minute> {
    "[ -~à-ü]{1,200}".prop_filter_map("a minute", |text| Minute::new(text).ok())
}

fn any_note() -> impl Strategy<Value = Note> {
    let change = prop_oneof![Just(Change::First), Just(Change::Loosens), Just(Change::Tightens)];
    let warnings = proptest::collection::btree_set("CP[0-9]{3}", 0..5);
    let texts =
        (any_document(), any_hash(), proptest::option::of(any_document()), proptest::option::of(any_hash()));
    let rest = (change, any_quorum(), warnings, any_day(), any_day(), any_minute());
    (texts, rest).prop_map(
        |((policy, english, framework, replaces), (change, quorum, codes, from, until, minute))| {
            let warnings = codes.into_iter().map(|c| WarningCode::new(c).expect("a code")).collect();
            Note { policy, english, framework, replaces, change, quorum, warnings, from, until, minute }
        },
    )
}

proptest! {
    #[test]
    fn parse_and_print_are_inverse(note in any_note()) {
        let text = note.print();
        prop_assert_eq!(Note::parse(&text), Ok(note));
    }

    #[test]
    fn what_is_read_prints_as_it_was(note in any_note(), at in any::<prop::sample::Index>(), put in "[ -~\n]{0,3}") {
        let mut text = note.print();
        let at = at.index(text.len());
        if text.is_char_boundary(at) {
            text.insert_str(at, &put);
            if let Ok(read) = Note::parse(&text) {
                prop_assert_eq!(read.print(), text);
            }
        }
    }

    #[test]
    fn parse_and_print_of_a_board_note_are_inverse(
        board in any_document(), replaces in any_hash(), minute in any_minute()
    ) {
        let note = BoardNote { board, replaces, minute };
        prop_assert_eq!(BoardNote::parse(&note.print()), Ok(note));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,400}") {
        let _ = (Note::parse(&text), BoardNote::parse(&text), Quorum::parse(&text), PublicKey::parse(&text));
        let _ = Note::parse(&format!("cairn-policy approval, format 1\n{text}"));
    }
}

#[test]
fn a_note_for_one_thing_is_not_a_note_for_another() {
    let note = fixture("approval.txt");
    assert_eq!(BoardNote::parse(&note), Err(NoteError::Format("cairn-board approval, format 1")));
}

#[test]
fn a_key_is_read_from_its_line_and_named_as_openssh_names_it() {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP7CkcahBrmvi+D/cwfIgfnK1qhkqQ8W09j5RhBTXqMX";
    let key = PublicKey::parse(line).expect("a key");
    assert_eq!(key.line(), line);
    assert_eq!(PublicKey::parse(&format!("{line} a comment\r\n")), Ok(key.clone()));
    // As `ssh-keygen -l` prints it.
    assert_eq!(key.fingerprint(), "SHA256:LD0Fx+44JmKztczVoyAigZYZOzxn1HxgtdEOKcZRpEQ");
    let check = |line: &str, error| assert_eq!(PublicKey::parse(line), Err(error), "{line}");
    check("", KeyError::Line);
    check("ssh-ed25519", KeyError::Line);
    check(&format!("{line}\n{line}"), KeyError::Line);
    check("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ", KeyError::Kind);
    check(&line.replace("ssh-", "sk-ssh-").replace("25519 ", "25519@openssh.com "), KeyError::Damaged);
    check(&line[..line.len() - 1], KeyError::Damaged);
    check(&format!("no-touch-required {line}"), KeyError::Kind);
}
