use super::*;
use crate::fixture::{Asked, Federation, NOW, name, partner};

fn ask(federation: &Federation) -> Asked {
    federation.ask(1, NOW.plus_s(600))
}

fn take(federation: &Federation, bytes: &[u8], analyst: &str) -> Result<Accepted, Declined> {
    accept(bytes, &name(analyst), &federation.register(), 60, Patience::Seconds(3), NOW)
}

fn check(change: impl FnOnce(&mut AskV1), code: &str, says: &str) {
    let federation = Federation::of(&["a", "b"]);
    let mut asked = ask(&federation).ask;
    change(&mut asked);
    // The grid of a question that fits nothing cannot be made; sign the bytes as they are.
    let signed = SignedAsk::sign(&asked, &federation.analyst, federation.credential(&asked));
    let declined = take(&federation, &signed.to_bytes(), "ann").unwrap_err();
    assert_eq!(declined.code(), code, "{declined}");
    assert!(declined.to_string().contains(says), "{declined}");
}

#[test]
fn what_makes_no_sense_is_declined_with_its_code() {
    check(|a| a.federation = name("other"), "CQ004", "another federation");
    check(|a| a.expires_at = NOW, "CQ007", "expired");
    check(|a| a.expires_at = NOW.plus_s(90_000), "CQ007", "longer than a day");
    check(|a| a.asked_at = NOW.plus_s(7_200), "CQ006", "120 min in the future");
    check(|a| a.partners.push(partner("zed")), "CO102", "zed");
    check(|a| a.partners = (0..20).map(|n| partner(&format!("x{n}"))).collect(), "CO102", "and 12 more");
    check(|a| a.question.dataset = "people".into(), "CO103", "people");
    check(|a| a.partners.push(partner("a")), "CQ001", "not a signed question");
    check(|a| a.partners.clear(), "CQ001", "not a signed question");
}

#[test]
fn bytes_that_are_no_question_are_declined() {
    let federation = Federation::of(&["a"]);
    assert_eq!(take(&federation, b"", "ann").unwrap_err().code(), "CQ001");
    assert_eq!(take(&federation, &vec![b'{'; 70_000], "ann").unwrap_err().code(), "CQ001");
    let asked = ask(&federation);
    assert_eq!(take(&federation, &asked.bytes, "bob").unwrap_err().code(), "CO101");
}

#[test]
fn the_round_ends_at_the_deadline_or_at_expiry() {
    let federation = Federation::of(&["a", "b", "c"]);
    let deadline = |expires_s| {
        let asked = federation.ask(1, NOW.plus_s(expires_s));
        take(&federation, &asked.bytes, "ann").unwrap().terms.deadline
    };
    assert_eq!(deadline(600), NOW.plus_s(60));
    assert_eq!(deadline(20), NOW.plus_s(20));
}

#[test]
fn partners_stand_in_the_registers_order_and_hash_is_of_the_signed_bytes() {
    let federation = Federation::of(&["a", "b", "c"]);
    let asked = federation.ask_of(1, NOW.plus_s(600), vec![partner("c"), partner("a")]);
    let accepted = take(&federation, &asked.bytes, "ann").unwrap();
    let ids: Vec<&str> = accepted.terms.partners.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(accepted.terms.question_hash, asked.hash);
    let again = resume(&asked.bytes, &federation.register(), NOW, NOW).unwrap();
    assert_eq!(again.terms.patience, Patience::UntilDeadline);
}

#[test]
fn a_round_has_a_largest_size() {
    let wide: Vec<String> = (0..16_384).map(|n| format!("S{n:08}")).collect();
    let axis = cairn_question::Dimension { column: "c".into(), grain: "code".into(), codes: wide };
    let grid = Grid::new(vec![axis]).unwrap();
    assert_eq!(check_size(&grid, 32), Ok(()));
    assert!(matches!(check_size(&grid, 1_024), Err(Declined::TooMuch { .. })));
    assert_eq!(check_size(&Grid::new(vec![]).unwrap(), 1_024), Ok(()));
}
