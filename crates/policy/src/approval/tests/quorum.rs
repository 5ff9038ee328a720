//! When an approval stands.

use super::*;

const POLICY: &str = "the policy\n";
const TODAY: &str = "2026-11-20";

fn facts() -> Facts {
    Facts {
        policy: Document::of(name("strathcarron-sharing"), 7, POLICY),
        english: English::Is(Hash::of(b"english")),
        framework: Document::of(name("smf-framework"), 3, "the framework\n"),
        replaces: Some(Hash::of(b"version 6")),
        change: Change::Loosens,
        warnings: BTreeSet::from([WarningCode::new("CP420").expect("a code")]),
        from: day("2026-12-01"),
        until: day("2027-11-30"),
    }
}

fn note(facts: &Facts) -> String {
    facts.note(Hash::of(b"english"), &board(&board_text()), Minute::new("item 4").expect("a minute")).print()
}

fn files(signers: &[&str], text: &str) -> Vec<SignatureFile> {
    signers.iter().map(|m| SignatureFile::new(&format!("{m}.sig"), signed(m, text))).collect()
}

fn approve_with(facts: &Facts, note: &str, files: &[SignatureFile]) -> Result<Approved, Vec<Reason>> {
    approve(&board(&board_text()), facts, note, files, day(TODAY))
}

fn codes(result: Result<Approved, Vec<Reason>>) -> Vec<&'static str> {
    result.expect_err("refused").into_iter().map(|r| r.code).collect()
}

fn signers(approved: &Approved) -> Vec<&str> {
    approved.signers().iter().map(Name::as_str).collect()
}

#[test]
fn enough_signatures_over_the_facts_are_an_approval() {
    let (facts, text) = (facts(), note(&facts()));
    let approved =
        approve_with(&facts, &text, &files(&["dpo", "siro", "convener"], &text)).expect("approved");
    assert_eq!(signers(&approved), ["convener", "dpo", "siro"]);
    assert_eq!(approved.note().policy, facts.policy);
    assert_eq!(approved.board().version, 2);
    assert!(approved.uncounted().is_empty());
}

#[test]
fn a_copy_with_windows_line_ends_still_holds() {
    let text = note(&facts());
    let files = files(&["dpo", "siro", "convener"], &text);
    assert!(approve_with(&facts(), &text.replace('\n', "\r\n"), &files).is_ok());
}

#[test]
fn what_is_missing_is_said_in_words() {
    let text = note(&facts());
    let check = |who: &[&str], missing: &str| {
        let reasons = approve_with(&facts(), &text, &files(who, &text)).expect_err("too few");
        let [Reason { code: "CP728", says, .. }] = reasons.as_slice() else { panic!("{reasons:?}") };
        let whole = "too few signatures of the board strathcarron-lep-board: \
                     2 of convener, siro, caldicott-guardian and dpo: ";
        assert_eq!(says.strip_prefix(whole), Some(missing), "{says}");
    };
    check(&[], "has nobody; missing 2 more of convener, siro, caldicott-guardian; missing dpo");
    check(&["convener"], "has convener; missing one more of siro, caldicott-guardian; missing dpo");
    check(&["convener", "siro"], "has convener, siro; missing dpo");
    check(&["dpo"], "has dpo; missing 2 more of convener, siro, caldicott-guardian");
    check(&["dpo", "siro"], "has siro, dpo; missing one more of convener, caldicott-guardian");
}

#[test]
fn to_tighten_takes_one_signature() {
    let facts = Facts { change: Change::Tightens, ..facts() };
    let text = note(&facts);
    let approved = approve_with(&facts, &text, &files(&["caldicott-guardian"], &text)).expect("approved");
    assert_eq!(signers(&approved), ["caldicott-guardian"]);
}

#[test]
fn a_first_policy_takes_what_a_loosening_takes() {
    let facts = Facts { change: Change::First, replaces: None, ..facts() };
    let text = note(&facts);
    assert!(approve_with(&facts, &text, &files(&["dpo", "siro", "convener"], &text)).is_ok());
    assert_eq!(codes(approve_with(&facts, &text, &files(&["dpo"], &text))), ["CP728"]);
}

#[test]
fn a_note_that_calls_a_loosening_a_tightening_is_refused() {
    let text = note(&Facts { change: Change::Tightens, ..facts() });
    let all = files(&MEMBERS, &text);
    assert_eq!(codes(approve_with(&facts(), &text, &all)), ["CP722", "CP723"]);
    assert_eq!(codes(approve_with(&facts(), &text, &all[..1])), ["CP722", "CP723", "CP728"]);
}

#[test]
fn a_note_that_says_anything_else_is_refused() {
    let good = note(&facts());
    let check = |change: &dyn Fn(&mut Note), expected: &[&str], says: &str| {
        let mut note = Note::parse(&good).expect("a note");
        change(&mut note);
        let text = note.print();
        let reasons = approve_with(&facts(), &text, &files(&MEMBERS, &text)).expect_err("refused");
        assert_eq!(reasons.iter().map(|r| r.code).collect::<Vec<_>>(), expected);
        assert!(reasons[0].says.contains(says), "{}", reasons[0].says);
    };
    let other = Hash::of(b"other");
    check(&|n| n.policy.hash = other, &["CP721"], "`file`");
    check(&|n| n.policy.version = 8, &["CP721"], "`policy`");
    check(&|n| n.policy.id = name("other"), &["CP721"], "`policy`");
    check(&|n| n.english = other, &["CP721"], "`english`");
    check(&|n| n.framework = None, &["CP721"], "`framework`: the note says nothing");
    check(&|n| n.framework.as_mut().expect("one").hash = other, &["CP721"], "`framework`");
    check(&|n| n.replaces = None, &["CP721"], "`replaces`: the note says nothing");
    check(&|n| n.until = day("2029-01-01"), &["CP721"], "`in force`");
    check(&|n| n.warnings.clear(), &["CP724"], "CP420");
    check(&|n| n.quorum.need = 1, &["CP723"], "quorum 1 of convener");
    check(&|n| (n.english, n.policy.version) = (other, 8), &["CP721", "CP721"], "`policy`");
}

#[test]
fn a_warning_more_than_there_is_does_no_harm() {
    let mut note = Note::parse(&note(&facts())).expect("a note");
    note.warnings.insert(WarningCode::new("CP802").expect("a code"));
    let text = note.print();
    assert!(approve_with(&facts(), &text, &files(&MEMBERS, &text)).is_ok());
}

#[test]
fn the_english_is_not_compared_where_another_program_words_it() {
    let facts = Facts { english: English::NotCompared, ..facts() };
    let mut note = Note::parse(&note(&facts)).expect("a note");
    note.english = Hash::of(b"other words");
    let text = note.print();
    assert!(approve_with(&facts, &text, &files(&MEMBERS, &text)).is_ok());
}

#[test]
fn what_does_not_count_is_named_and_does_not_count() {
    let text = note(&facts());
    let mut given = files(&["dpo", "siro", "convener"], &text);
    given.push(SignatureFile::new("stranger.sig", signed("stranger", &text)));
    given.push(SignatureFile::new("caldicott-guardian.sig", signed("siro", &text)));
    given.push(SignatureFile::new("dpo.sig", "not a signature"));
    given.push(SignatureFile::new("siro.sig", signed("siro", "another note\n")));
    let approved = approve_with(&facts(), &text, &given).expect("the three good ones are enough");
    let named: Vec<(&str, Severity)> = approved.uncounted().iter().map(|r| (r.code, r.severity)).collect();
    let warning = |code| (code, Severity::Warning);
    assert_eq!(named, ["CP726", "CP726", "CP725", "CP725"].map(warning));
    let bad: Vec<SignatureFile> = given.into_iter().skip(1).collect();
    assert_eq!(codes(approve_with(&facts(), &text, &bad)), ["CP728", "CP726", "CP726", "CP725", "CP725"]);
}

#[test]
fn nobody_signs_twice() {
    let text = note(&facts());
    let twice = files(&["dpo", "siro", "siro", "siro.again"], &text);
    let twice: Vec<_> = twice
        .into_iter()
        .take(3)
        .chain([SignatureFile::new("siro.again.sig", signed("siro", &text))])
        .collect();
    assert_eq!(codes(approve_with(&facts(), &text, &twice)), ["CP728"]);
}

#[test]
fn a_key_counts_only_on_its_days() {
    let text = note(&facts());
    let given = files(&["dpo", "siro", "convener"], &text);
    let on = |d: &str| approve(&board(&board_text()), &facts(), &text, &given, day(d));
    assert!(on("2027-12-31").is_ok());
    assert_eq!(codes(on("2028-01-01")), ["CP728", "CP727", "CP727", "CP727"]);
    assert_eq!(codes(on("2025-12-31")), ["CP728", "CP727", "CP727", "CP727"]);
}

#[test]
fn a_note_that_cannot_be_read_is_refused_with_everything_else() {
    let text = note(&facts()) + "and more\n";
    assert_eq!(codes(approve_with(&facts(), &text, &files(&["dpo"], &text))), ["CP720", "CP728"]);
}

#[test]
fn a_flood_of_files_is_not_read() {
    let text = note(&facts());
    let flood = vec![SignatureFile::new("dpo.sig", "x"); 100];
    let codes = codes(approve_with(&facts(), &text, &flood));
    assert_eq!(codes.len(), 1 + 32 + 1);
}

#[test]
fn the_worked_example_is_signed_and_not_approved() {
    // Its signatures hold; its note lacks the framework and what it replaces is made up.
    let text = fixture("approval.txt");
    let note = Note::parse(&text).expect("a note");
    let mut board_file = board_text();
    for line in fixture("allowed_signers").lines() {
        let id = line.split(' ').next().expect("an id");
        let key = line.splitn(3, ' ').nth(2).expect("a key");
        board_file = board_file.replace(&public(id).line(), key);
    }
    let facts = Facts {
        policy: note.policy.clone(),
        replaces: note.replaces,
        warnings: BTreeSet::new(),
        english: English::NotCompared,
        from: note.from,
        until: note.until,
        ..facts()
    };
    let files =
        ["convener", "dpo", "siro"].map(|m| SignatureFile::new(m, fixture(&format!("approvals/{m}.sig"))));
    let reasons = approve(&board(&board_file), &facts, &text, &files, day(TODAY)).expect_err("no framework");
    assert_eq!(reasons.iter().map(|r| r.code).collect::<Vec<_>>(), ["CP721"], "{reasons:?}");
    assert!(reasons[0].says.starts_with("`framework`: the note says nothing"), "{}", reasons[0].says);
}
