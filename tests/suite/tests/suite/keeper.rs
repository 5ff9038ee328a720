//! A keeper that loses the linkage secret, over a real federation: it makes no other, and where it made one all the same nobody counts under two.

use serde_json::Value;

use crate::harness::federation::Federation;
use crate::harness::program::wait_for;
use crate::once::{PARTNERS, federation, once};

const KEEPER: &str = "moray";

/// At ε 3 a key, and as many counts as this takes.
const POLICY: [(&str, &str); 2] =
    [("epsilon         = 1.0 ", "epsilon         = 3.0 "), ("counts_per_year = 4 ", "counts_per_year = 6 ")];

/// What `cairn ask` ends with where there is an answer and not of all who were asked.
const NOT_ALL: i32 = 4;

fn secret(federation: &Federation, partner: &str) -> Option<Vec<u8>> {
    std::fs::read(federation.path(&format!("identity/{partner}/linkage-secret"))).ok()
}

fn remove(federation: &Federation, file: &str) {
    std::fs::remove_file(federation.path(file)).unwrap();
}

/// The keeper is named, and everybody has another secret than before.
fn name_the_keeper(federation: &Federation, before: Option<&Vec<u8>>) -> Vec<u8> {
    federation.cairn(&["authority", "keeper", "authority", "--id", KEEPER]).exits(0);
    wait_for("one linkage secret everywhere", || {
        let first = secret(federation, PARTNERS[0])?;
        let same = PARTNERS.iter().all(|partner| secret(federation, partner).as_ref() == Some(&first));
        (same && before != Some(&first)).then_some(first)
    })
}

/// `answered`, or the code of the refusal, of each partner.
fn standings(answer: &Value) -> Vec<String> {
    let word = |line: &Value| match line["standing"].as_str() {
        Some(word) => word.to_owned(),
        None => line["standing"]["refused"][0]["code"].as_str().unwrap_or("none").to_owned(),
    };
    answer["coverage"]["partners"].as_array().unwrap().iter().map(word).collect()
}

fn asked(federation: &Federation) -> (i32, Value) {
    let framework = federation.path("fife/policy/framework.toml").display().to_string();
    federation.ask_json("people", &once("once=3,1200", &framework))
}

/// A file of a partner's secret goes, and it has the keeper's of now.
fn asks_anew(federation: &Federation, partner: &str) {
    remove(federation, &format!("identity/{partner}/linkage-secret"));
    wait_for("the keeper's secret of now", || {
        let theirs = secret(federation, partner)?;
        (secret(federation, KEEPER)? == theirs).then_some(())
    });
}

#[test]
fn a_keeper_that_lost_its_secret_is_noticed_and_nobody_counts_under_two() {
    let federation = federation(&POLICY);
    let first = name_the_keeper(&federation, None);

    // The file alone is gone: the keeper knows that it made one, makes no other, and says what to do.
    remove(&federation, &format!("identity/{KEEPER}/linkage-secret"));
    let (code, answer) = asked(&federation);
    assert_eq!(code, NOT_ALL, "{answer:#}");
    let five = ["answered", "answered", "answered", "CN030", "answered", "answered"];
    assert_eq!(standings(&answer), five, "{answer:#}");
    assert!(secret(&federation, KEEPER).is_none());

    // Everything of the keeper's that says so is gone: it makes another, and hands it to who asks anew.
    remove(&federation, &format!("{KEEPER}/linkage-made"));
    wait_for("another secret", || secret(&federation, KEEPER).filter(|second| *second != first).map(drop));
    asks_anew(&federation, "dundee");
    assert_eq!(secret(&federation, "fife").as_ref(), Some(&first), "the others have the one before");
    let (code, answer) = asked(&federation);
    assert_eq!(code, NOT_ALL, "{answer:#}");
    // Who is left out says why in its own time, and the others' total does not wait for it.
    let word = |at: usize, word: &str| {
        if [1, 3].contains(&at) && word == "late" { "CM222".into() } else { word.to_owned() }
    };
    let said: Vec<String> = standings(&answer).iter().enumerate().map(|(at, it)| word(at, it)).collect();
    assert_eq!(said, ["answered", "CM222", "answered", "CM222", "answered", "answered"], "{answer:#}");
    for partner in ["dundee", KEEPER] {
        let why = wait_for("why it was left out", || refusal(&federation, partner, "CM222"));
        assert!(
            why.starts_with("4 of the 5 other partners") && why.contains("cairn authority keeper"),
            "{why}"
        );
    }

    // Three and three: no four hold one secret, so that nobody counts and nobody pays.
    asks_anew(&federation, "perth");
    let (code, answer) = asked(&federation);
    assert_ne!(code, 0, "{answer:#}");
    assert_eq!(standings(&answer), ["CM222"; 6], "{answer:#}");
    charged(&federation, "fife", 2);
    charged(&federation, "dundee", 1);

    // Named again, everybody has one new secret, and all count.
    let second = secret(&federation, KEEPER).unwrap();
    let third = name_the_keeper(&federation, Some(&second));
    assert_ne!(third, first);
    let (code, answer) = asked(&federation);
    assert_eq!((code, standings(&answer)), (0, vec!["answered".to_owned(); 6]), "{answer:#}");
    let cell = &answer["combined"]["cells"][0];
    let of = |key: &str| cell[key].as_i64().unwrap();
    let half = (of("most") - of("least")) / 2;
    // Five standard errors of 1,200 different people. Under two secrets a third of them would stand twice.
    assert!((of("cell") - 1_200).abs() <= 26 * half / 10 && half < 115, "{cell}");
}

/// What a partner's own audit says of a refusal by this code.
fn refusal(federation: &Federation, partner: &str, code: &str) -> Option<String> {
    let entries = federation.audit(partner);
    let mut rules = entries.iter().filter_map(|entry| entry["rules"].as_array()).flatten();
    let found = rules.rfind(|rule| rule["code"] == code)?;
    Some(found["says"].as_str()?.to_owned())
}

/// How often a partner opened a count of people once.
fn charged(federation: &Federation, partner: &str, times: usize) {
    let entries = federation.audit(partner);
    let opened = |entry: &&Value| entry["kind"] == "question-answered";
    let opened: Vec<_> = entries.iter().filter(opened).collect();
    assert_eq!(opened.len(), times, "{partner}: {opened:#?}");
}
