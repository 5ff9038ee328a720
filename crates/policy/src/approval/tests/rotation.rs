//! When a board hands over to the next.

use super::*;

/// The board of version 3, in which the SIRO has a new key and a clerk comes in for the Caldicott guardian.
fn next_text() -> String {
    let text = board_text().replace("version = 2", "version = 3").replace("caldicott-guardian", "clerk");
    let text = text.replace(&public("caldicott-guardian").line(), &public("clerk").line());
    text.replace(&public("siro").line(), &public("siro's new key").line())
}

fn note(old: &Board, new: &Board) -> String {
    let minute = Minute::new("item 5").expect("a minute");
    BoardNote { board: new.document().clone(), replaces: old.hash(), minute }.print()
}

/// `stem=key` for each file.
fn check(old: &str, new: &str, edit: (&str, &str), files: &[&str], expected: &[&str]) -> Option<Rotated> {
    let (old, new) = (board(old), board(new));
    let text = note(&old, &new).replace(edit.0, edit.1);
    let file = |f: &&str| {
        let (stem, key) = f.split_once('=').unwrap_or((f, f));
        SignatureFile::new(stem, signed(key, &text))
    };
    let files: Vec<SignatureFile> = files.iter().map(file).collect();
    let result = rotate(&old, &new, &text, &files, day("2026-11-20"));
    let codes = |reasons: &[Reason]| -> Vec<&'static str> { reasons.iter().map(|r| r.code).collect() };
    let found = result.as_ref().map_or_else(|e| codes(e), |r| codes(r.uncounted()));
    assert_eq!(found, expected, "{result:?}");
    result.ok()
}

const NO_EDIT: (&str, &str) = ("", "");
const BOTH: [&str; 4] = ["convener", "dpo", "caldicott-guardian", "clerk"];

#[test]
fn both_boards_sign() {
    let rotated = check(&board_text(), &next_text(), NO_EDIT, &BOTH, &[]).expect("rotated");
    assert_eq!(rotated.board().hash, board(&next_text()).hash());
    assert_eq!(rotated.replaces(), board(&board_text()).hash());
    assert_eq!(rotated.signers().len(), 4);
}

#[test]
fn one_board_alone_is_not_enough() {
    let check = |files: &[&str], expected: &[&str]| {
        assert!(check(&board_text(), &next_text(), NO_EDIT, files, expected).is_none());
    };
    check(&["convener", "dpo", "caldicott-guardian"], &["CP728"]);
    check(&["convener", "dpo", "clerk"], &["CP728"]);
    check(&["convener", "dpo"], &["CP728", "CP728"]);
    check(&["convener", "dpo", "siro=nobody's key"], &["CP728", "CP728", "CP726"]);
}

#[test]
fn a_member_with_a_new_key_signs_with_both() {
    let files = ["convener", "dpo", "siro.old=siro", "siro.new=siro's new key"];
    assert!(check(&board_text(), &next_text(), NO_EDIT, &files, &[]).is_some());
    let files = ["convener", "dpo", "siro"];
    assert!(check(&board_text(), &next_text(), NO_EDIT, &files, &["CP728"]).is_none());
}

#[test]
fn versions_only_rise_and_the_id_stays() {
    let same = next_text().replace("version = 3", "version = 2");
    assert!(check(&board_text(), &same, NO_EDIT, &BOTH, &["CP729"]).is_none());
    let lower = next_text().replace("version = 3", "version = 1");
    assert!(check(&board_text(), &lower, NO_EDIT, &BOTH, &["CP729"]).is_none());
    let skipped = next_text().replace("version = 3", "version = 7");
    assert!(check(&board_text(), &skipped, NO_EDIT, &BOTH, &[]).is_some());
    let other = next_text().replace("strathcarron-lep-board", "other-board");
    assert!(check(&board_text(), &other, NO_EDIT, &BOTH, &["CP729"]).is_none());
}

#[test]
fn the_note_is_about_these_two_boards() {
    let check = |from: &str, to: &str, expected: &[&str]| {
        assert!(check(&board_text(), &next_text(), (from, to), &BOTH, expected).is_none());
    };
    check("version 3", "version 4", &["CP729"]);
    check("replaces  sha256:", "replaces  sha256:0", &["CP720"]);
    let hash = board(&board_text()).hash().to_string();
    check(&hash, &Hash::of(b"other").to_string(), &["CP729"]);
    check("cairn-board", "cairn-policy", &["CP720"]);
}
