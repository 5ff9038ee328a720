//! What `board.toml` may say.

use super::*;

/// The board with some edits, and every finding that they bring, as `code rule`.
fn check(edits: &[(&str, &str)], expected: &[&str]) {
    let found = findings(edits);
    let short: Vec<String> = found.1.iter().map(|f| format!("{} {}", f.code, f.rule)).collect();
    assert_eq!(short, expected, "{}", render_file(&found.1, &found.0));
    let sound = found.1.iter().all(|f| f.severity != Severity::Error);
    assert_eq!(Board::load(&found.0).is_ok(), sound, "one error, and nothing loads");
}

fn findings(edits: &[(&str, &str)]) -> (File, Vec<crate::Finding>) {
    let mut text = board_text();
    for (from, to) in edits {
        assert!(text.contains(from), "nothing to edit: {from}");
        text = text.replacen(from, to, 1);
    }
    let file = File::new("board.toml", text);
    let found = Board::check(&file);
    (file, found)
}

fn says(edits: &[(&str, &str)], says: &str, fix: &str) {
    let (file, found) = findings(edits);
    let said =
        found.iter().any(|f| f.says.contains(says) && f.fix.as_deref().unwrap_or_default().contains(fix));
    assert!(said, "`{says}` and `{fix}` in\n{}", render_file(&found, &file));
}

const LOOSEN: &str = "{ need = 2, of = [\"convener\", \"siro\", \"caldicott-guardian\"], and = [\"dpo\"] }";
const TIGHTEN: &str = "{ need = 1, of = [\"convener\", \"siro\", \"caldicott-guardian\", \"dpo\"] }";
const BOARD: &str = "{ need = 3, of = [\"convener\", \"siro\", \"caldicott-guardian\", \"dpo\"] }";

#[test]
fn a_whole_board_loads() {
    check(&[], &[]);
    let board = board(&board_text());
    assert_eq!(board.quorum(Change::Loosens).to_string(), "2 of convener, siro, caldicott-guardian and dpo");
    assert_eq!(board.quorum(Change::First), board.quorum(Change::Loosens), "nothing was permitted before");
    assert_eq!(board.quorum(Change::Tightens).to_string(), "1 of convener, siro, caldicott-guardian, dpo");
    assert_eq!(board.board_quorum().least(), 3);
    assert_eq!(board.member("siro").expect("a member").key, public("siro"));
}

#[test]
fn the_worked_example_declares_one_member_of_four() {
    let file = File::new("board.toml", fixture("board.toml"));
    let found = Board::check(&file);
    insta::assert_snapshot!("board_example", render_file(&found, &file));
    assert!(found.iter().all(|f| f.code == "CP702"));
}

#[test]
fn a_quorum_that_nobody_or_too_many_must_meet_is_an_error() {
    check(&[("need = 2", "need = 0")], &["CP706 quorum.loosen", "CP701 quorum.loosen.need"]);
    check(&[("need = 2", "need = 4")], &["CP701 quorum.loosen.need", "CP707 quorum.board"]);
    check(&[("need = 1", "need = 0")], &["CP701 quorum.tighten.need"]);
    says(&[("need = 1", "need = 0")], "nobody would need to sign", "write 1 to 4");
}

#[test]
fn an_unknown_member_is_named_with_the_nearest() {
    check(&[("\"siro\"", "\"sirro\"")], &["CP702 quorum.loosen.of"]);
    says(&[("\"siro\"", "\"sirro\"")], "`sirro` is not a member", "did you mean `siro`?");
    says(&[("\"siro\"", "\"nobody-such\"")], "`nobody-such` is not a member", "add a `[[member]]`");
}

#[test]
fn nobody_counts_twice() {
    check(
        &[("id = \"siro\"", "id = \"dpo\"")],
        &["CP702 quorum.loosen.of", "CP702 quorum.tighten.of", "CP702 quorum.board.of", "CP703 member.dpo"],
    );
    check(&[(&public("siro").line(), &public("dpo").line())], &["CP704 member.dpo.key"]);
    let twice = LOOSEN.replace("\"siro\"", "\"convener\"");
    check(&[(LOOSEN, &twice)], &["CP703 quorum.loosen.of"]);
    let both = LOOSEN.replace("\"siro\"", "\"dpo\"");
    check(&[(LOOSEN, &both)], &["CP703 quorum.loosen.and"]);
}

#[test]
fn to_loosen_takes_at_least_what_it_takes_to_tighten() {
    let all = TIGHTEN.replace("need = 1", "need = 4");
    check(&[(TIGHTEN, &all)], &["CP705 quorum.loosen"]);
    says(
        &[(TIGHTEN, &all)],
        "convener, dpo, siro may permit more, and may not permit less",
        "whoever may loosen must be able to tighten",
    );
    let and = "{ need = 1, of = [\"convener\"], and = [\"siro\"] }";
    check(&[(TIGHTEN, and)], &["CP705 quorum.loosen"]);
    let same = LOOSEN;
    check(&[(TIGHTEN, same)], &[]);
    let three = TIGHTEN.replace("need = 1", "need = 3");
    check(&[(TIGHTEN, &three)], &[]);
}

#[test]
fn to_loosen_takes_two_and_the_data_protection_officer() {
    let alone = "{ need = 1, of = [\"dpo\"] }";
    check(&[(LOOSEN, alone)], &["CP706 quorum.loosen", "CP706 quorum.loosen"]);
    says(&[(LOOSEN, alone)], "one signature would be enough to permit more", "raise `need`");
    says(&[(LOOSEN, alone)], "more can be permitted without `dpo`", "and = [\"dpo\"]");
    let without = "{ need = 3, of = [\"convener\", \"siro\", \"caldicott-guardian\", \"dpo\"] }";
    check(&[(LOOSEN, without)], &["CP706 quorum.loosen"]);
}

#[test]
fn a_new_board_is_not_the_easy_way_to_loosen() {
    let two = BOARD.replace("need = 3", "need = 2");
    check(&[(BOARD, &two)], &["CP707 quorum.board"]);
}

#[test]
fn a_key_is_one_line_of_ed25519() {
    check(&[("ssh-ed25519 AAAA", "ssh-rsa AAAA")], &["CP708 member.convener.key"]);
    check(&[("ssh-ed25519 AAAA", "ssh-ed25519 AAAB")], &["CP708 member.convener.key"]);
    says(&[("ssh-ed25519 AAAA", "ssh-rsa AAAA")], "of another kind", "ssh-keygen -t ed25519");
}

#[test]
fn a_member_has_days_to_sign_on() {
    check(&[("from = 2026-01-01", "from = 2028-01-01")], &["CP709 member.convener.valid.to"]);
    check(&[("from = 2026-01-01", "from = 1999-12-31")], &["CP709 member.convener.valid.from"]);
    check(&[("from = 2026-01-01", "from = \"2026-01-01\"")], &["CP009 member.convener.valid.from"]);
    let board = board(&board_text());
    let valid = |d: &str| board.member("siro").expect("a member").valid_on(day(d));
    assert_eq!(
        ["2025-12-31", "2026-01-01", "2027-12-31", "2028-01-01"].map(valid),
        [false, true, true, false]
    );
}

#[test]
fn a_member_without_a_vote_is_a_warning() {
    let with = format!("{}[[member]]", member("clerk", "clerk"));
    check(&[("[[member]]", &with)], &["CP710 member.clerk"]);
}

#[test]
fn what_holds_for_every_file_holds_here() {
    check(&[("cairn_board = 1", "cairn_board = 2")], &["CP006 cairn_board"]);
    check(&[("version = 2", "version = 2\nvresion = 3")], &["CP003 board.vresion"]);
    check(&[("version = 2", "version = 0")], &["CP005 board.version"]);
    check(
        &[("name = \"An Example\"", "nmae = \"An Example\"")],
        &["CP004 member.convener.name", "CP003 member.convener.nmae"],
    );
    check(&[("An Example", "An Ex\u{430}mple")], &["CP008 letters"]);
    check(&[("An Example", "An Example\\nand more")], &["CP008 member.convener.name"]);
    check(&[("version = 2", "version = 1000001")], &["CP005 board.version"]);
    let many: String = (0..14).map(|n| member(&format!("more-{n}"), &format!("more-{n}"))).collect();
    let (_, found) = findings(&[("[[member]]", &format!("{many}[[member]]"))]);
    assert!(found.iter().any(|f| f.code == "CP002"), "18 members");
}

#[test]
fn the_signers_file_is_that_of_the_worked_example() {
    let example = fixture("allowed_signers");
    let mut text = fixture("board.toml").split("[[member]]").next().unwrap_or_default().to_owned();
    text = text.replace("siro\", \"caldicott-guardian", "siro");
    text = text.replace(
        "need = 3, of = [\"convener\", \"siro\", \"dpo\"]",
        "need = 3, of = [\"dpo\", \"convener\", \"siro\"]",
    );
    for line in example.lines().rev() {
        let (id, key) = (line.split(' ').next().expect("an id"), line.splitn(3, ' ').nth(2).expect("a key"));
        text.push_str(&member(id, id).replace(&public(id).line(), key));
    }
    assert_eq!(board(&text).allowed_signers(), example);
}

#[test]
fn a_day_in_summer_begins_an_hour_before_midnight() {
    let summer =
        board_text().replace("from = 2026-01-01, to = 2028-01-01", "from = 2026-07-01, to = 2027-10-31");
    let first = board(&summer).allowed_signers();
    let line = first.lines().next().expect("a line");
    // The clocks go back in the night of 2027-10-31, after it has begun.
    assert!(line.contains("valid-after=\"20260630230000Z\",valid-before=\"20271030230000Z\""), "{line}");
}

#[test]
fn the_hash_does_not_depend_on_line_ends() {
    let text = board_text();
    let crlf = board(&text.replace('\n', "\r\n"));
    assert_eq!(crlf.hash(), board(&text).hash());
    assert_eq!(crlf.hash(), Hash::of(text.as_bytes()));
}
