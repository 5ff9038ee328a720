//! People counted once over a real federation: each under a number that no two partners show each other, and at whose price.

use cairn_question::privacy::Epsilon;
use serde_json::Value;

use crate::answers::standings;
use crate::harness::federation::{Federation, Partner};
use crate::harness::people::{FIFE, people};
use crate::harness::program::wait_for;

pub(crate) const PARTNERS: [&str; 6] = ["angus", "dundee", "fife", "moray", "orkney", "perth"];

/// Different people, every third of them known to two partners.
const DIFFERENT: usize = 1_200;

/// At each partner, people without a number.
const WITHOUT: usize = 15;

const OVERLAP: &[&str] = &["--role", "overlap-analyst", "--purpose", "smf-reporting"];

/// Terms for a federation of six, of whom one may collude.
const FRAMEWORK: [(&str, &str); 3] = [
    ("colluding_max       = 10", "colluding_max       = 1"),
    ("answering_min       = 22", "answering_min       = 4"),
    ("invited_min         = 32", "invited_min         = 6"),
];

/// Two counts a year, at ε 3 a key.
const POLICY: [(&str, &str); 2] =
    [("epsilon         = 1.0 ", "epsilon         = 3.0 "), ("counts_per_year = 4 ", "counts_per_year = 2 ")];

fn partner(id: &'static str, policy: &[(&'static str, &'static str)]) -> Partner {
    let people = people(&id[..2], numbers(id).len() + WITHOUT, FIFE, "F");
    Partner { policy: policy.to_vec(), framework: FRAMEWORK.to_vec(), ..Partner::new(id, people) }
}

/// Tables by sex at ε 2 a key and cell, of whose cells a person is reckoned to be in two: ε 8 in all. The account of a year is made for four counts of one cell, of
/// which a table takes a little more than two.
const BY_SEX: [(&str, &str); 3] = [
    ("epsilon         = 1.0 ", "epsilon         = 2.0 "),
    ("group_by  = {}", "group_by  = { sex = \"code\" }"),
    ("max_group_columns  = 0", "max_group_columns  = 1"),
];

const IN_TWO_CELLS: (&str, &str) =
    ("keys_per_person_max = 2 ", "cells_per_person_max = 2\nkeys_per_person_max = 2 ");

/// The same people, a quarter of them men: 900 women and 300 men.
fn partner_by_sex(id: &'static str) -> Partner {
    let framework = [&FRAMEWORK[..], &[IN_TWO_CELLS]].concat();
    let mut people = people(&id[..2], numbers(id).len() + WITHOUT, FIFE, "F");
    people.iter_mut().zip(known_to(id)).filter(|(_, n)| n % 4 == 3).for_each(|(person, _)| person.sex = "M");
    Partner { policy: BY_SEX.to_vec(), framework, ..Partner::new(id, people) }
}

/// Whom of all a partner knows.
fn known_to(partner: &str) -> impl Iterator<Item = usize> {
    let own = PARTNERS.iter().position(|p| *p == partner).unwrap();
    (0..DIFFERENT).filter(move |n| n % 6 == own || (n.is_multiple_of(3) && (n + 1) % 6 == own))
}

/// The numbers of a partner's people.
fn numbers(partner: &str) -> Vec<String> {
    known_to(partner).map(|n| format!("ZZ {:06} A", n * 7)).collect()
}

/// Every export with a column of numbers, which the mapping links by.
fn with_numbers(federation: &Federation, partner: &str) {
    let mut numbers = numbers(partner).into_iter();
    federation.edit(&format!("export/{partner}/people.csv"), |text| {
        let line = |(at, line): (usize, &str)| match at {
            0 => format!("{line},nino\n"),
            _ => format!("{line},{}\n", numbers.next().unwrap_or_default()),
        };
        text.lines().enumerate().map(line).collect()
    });
    federation.edit(&format!("export/{partner}.toml"), |text| {
        let linked = "[table.participants]\nsource = \"people\"\nlinkage = { nino = \"nino\", made_up_numbers = true }\n";
        text.replace("[table.participants]\nsource = \"people\"\n", linked)
    });
}

pub(crate) fn federation(policy: &[(&'static str, &'static str)]) -> Federation {
    federation_of(PARTNERS.map(|id| partner(id, policy)))
}

fn federation_of(partners: [Partner; 6]) -> Federation {
    let mut federation = Federation::set_up(&partners, "round_deadline_s = 20\noffline_wait_s = 3");
    let words = ["authority", "credential", "issuer", "--analyst", "analyst", "--role", "overlap-analyst"];
    federation.cairn(&[&words[..], &["--organisation", "A made-up office"]].concat()).exits(0);
    federation.start_coordinator();
    for partner in PARTNERS {
        with_numbers(&federation, partner);
        federation.load(partner).exits(0);
        federation.start_node(partner);
    }
    federation.wait_connected(&PARTNERS);
    federation
}

pub(crate) fn once<'a>(protection: &'a str, framework: &'a str) -> Vec<&'a str> {
    [OVERLAP, &["--total", protection, "--framework", framework]].concat()
}

fn codes(answer: &Value) -> Vec<String> {
    let lines = answer["coverage"]["partners"].as_array().unwrap().iter();
    let code = |line: &Value| line["standing"]["refused"][0]["code"].as_str().unwrap_or("none").to_owned();
    lines.map(code).collect()
}

#[test]
fn people_known_to_several_partners_are_counted_once_and_nobody_shows_who_they_are() {
    let federation = federation(&POLICY);
    let framework = federation.path("fife/policy/framework.toml").display().to_string();
    let words = once("once=3,1200", &framework);
    nobody_counts_without_the_secret(&federation, &words);
    with_the_secret(&federation);
    counted_once(&federation, &words);
    by_another_method_nobody_counts(&federation, &framework);
    the_account_is_its_own(&federation, &words);
}

/// Everybody has the secret that people are linked under.
fn with_the_secret(federation: &Federation) {
    federation.cairn(&["authority", "keeper", "authority", "--id", "moray"]).exits(0);
    wait_for("the linkage secret", || {
        let has = |partner: &str| federation.path(&format!("identity/{partner}/linkage-secret")).exists();
        PARTNERS.iter().all(|partner| has(partner)).then_some(())
    });
}

fn nobody_counts_without_the_secret(federation: &Federation, words: &[&str]) {
    let (code, answer) = federation.ask_json("people", words);
    assert_ne!(code, 0);
    assert_eq!(codes(&answer), ["CN028"; 6], "{answer:#}");
}

fn counted_once(federation: &Federation, words: &[&str]) {
    let links = ["--links", "dp=0.1", "--missed-links", "5"];
    let (code, answer) = federation.ask_json("people", &[words, &links[..]].concat());
    assert_eq!(code, 0, "{answer:#}");
    assert_eq!(standings(&answer), PARTNERS.map(|p| format!("{p} answered")));
    let cell = &answer["combined"]["cells"][0];
    let of = |key: &str| cell[key].as_i64().unwrap();
    let (people, half) = (of("cell"), (of("most") - of("least")) / 2);
    // Five standard errors; the sum over partners, 1,600 with a number and 90 without, is far outside.
    assert!((people - 1_200).abs() <= 26 * half / 10, "{people} within {half}");
    assert!(half > 20 && 26 * half / 10 < 300, "{half}");
    assert!(answer["answers"].as_object().unwrap().is_empty(), "nobody gave a table of its own");
    how_good_the_links_are(&answer, half);
    an_auditor_recomputes(federation, &answer);
}

/// 1,600 records with a number, of 1,200 people; 400 of these are known to a second partner; 90 records have none.
fn how_good_the_links_are(answer: &Value, half: i64) {
    let links = &answer["links"];
    let figure = |of: &str| {
        let (value, width) = (&links[of]["value"], &links[of]["plus_minus_95"]);
        (value.as_i64().unwrap(), width.as_i64().unwrap())
    };
    // Three times the half-width of 95 %: one in 10,000 of noise of this form lies beyond.
    for (of, truth) in [("records_with_key", 1_600), ("records_without_key", 90)] {
        let (value, width) = figure(of);
        assert!((1..150).contains(&width) && (value - truth).abs() <= 3 * width, "{of}: {value} ±{width}");
    }
    let range = |of: &Value| (of["least"].as_i64().unwrap(), of["most"].as_i64().unwrap());
    let (least, most) = range(&links["overlap"]["appearances"]);
    let spread = 26 * half / 10 + 3 * figure("records_with_key").1;
    assert!(least - spread <= 400 && 400 <= most + spread && most - least < 900, "{links:#}");
    let (least, most) = range(&links["overlap"]["people"]);
    assert!(least >= 10 && least <= 400 + spread && most >= 400 - spread, "{links:#}");
    assert_eq!(links["corrected"]["missed_per_thousand"], 50);
    assert!(links["keys"]["statement"].is_array() && links["keys"]["sealed"].is_object(), "{links:#}");
}

/// The estimate follows from what the partners signed, without a word of the coordinator's.
fn an_auditor_recomputes(federation: &Federation, answer: &Value) {
    let words = ["coordinator", "transcript", "--config", "coordinator/coordinator.toml"];
    let question = answer["id"].as_str().unwrap();
    federation.cairn(&[&words[..], &["--question", question, "--out", "once.transcript"]].concat()).exits(0);
    let recomputed = |answer: &Value| {
        std::fs::write(federation.path("once.json"), answer.to_string()).unwrap();
        let words =
            ["audit", "recompute", "once.transcript", "--federation-key", "identity/fife/federation.pub"];
        federation.cairn(&[&words[..], &["--answer", "once.json"]].concat())
    };
    recomputed(answer).exits(0).says("what 6 partners signed");
    let mut other = answer.clone();
    let cells = other["combined"]["cells"].as_array_mut().unwrap();
    let estimated = cells.iter_mut().find(|cell| cell["cell"].is_i64()).unwrap();
    estimated["cell"] = Value::from(estimated["cell"].as_i64().unwrap() + 1);
    recomputed(&other).exits(6).says("CC604");
}

/// A partner that links by number does not count by names, and says so.
fn by_another_method_nobody_counts(federation: &Federation, framework: &str) {
    let (code, answer) = federation.ask_json("people", &once("once=3,1200,slk", framework));
    assert_ne!(code, 0);
    assert_eq!(codes(&answer), ["CN027"; 6], "{answer:#}");
}

/// The second count of the year is the last; what was refused cost nothing.
fn the_account_is_its_own(federation: &Federation, words: &[&str]) {
    let table = federation.ask("people where council = Fife", words).exits(0).out;
    for says in [
        "Different people who have a linkage key:",
        "ε = 3 for each linkage key that they are recorded under, at most 2 keys",
        "no identifier or pseudonym leaves one",
    ] {
        assert!(table.contains(says), "{says}: {table}");
    }
    assert!(!table.contains("counts twice"), "{table}");
    // It was answered already, which is said before anybody is asked. Who asks all the same has no count left.
    federation.ask("people", words).exits(3).says("CO107").says("--again");
    let (code, answer) = federation.ask_json("people", &[words, &["--again"]].concat());
    assert_ne!(code, 0);
    assert_eq!(codes(&answer), ["CA202"; 6], "{answer:#}");
    let budget = federation.cairn(&["policy", "budget", "--node", "fife"]).exits(0).out;
    assert!(budget.contains("people counted once over all partners, on an account of its own"), "{budget}");
    // ε·tanh(ε/2) at ε = 0.1.
    assert!(budget.contains("ρ 0.004995838 of"), "the table of keys and nothing else: {budget}");
}

/// A table of people counted once: 900 women, whose cell is estimated, and 300 men, whose cell is too small to be.
#[test]
fn people_are_counted_once_in_each_cell_and_a_small_cell_is_withheld_while_the_others_stand() {
    let federation = federation_of(PARTNERS.map(partner_by_sex));
    let framework = federation.path("fife/policy/framework.toml").display().to_string();
    let words = once("once=2,1200", &framework);
    with_the_secret(&federation);
    what_is_no_table_is_refused_and_costs_nothing(&federation, &words);
    let (code, answer) = federation.ask_json("people by sex", &words);
    assert_eq!(code, 0, "{answer:#}");
    assert_eq!(standings(&answer), PARTNERS.map(|p| format!("{p} answered")));
    let shown = by_code(&answer);
    let women = shown.iter().find(|(code, _)| code == "female").map(|(_, cell)| cell.clone()).unwrap();
    let of = |key: &str| women[key].as_i64().unwrap();
    let (people, half) = (of("cell"), (of("most") - of("least")) / 2);
    // Five standard errors; the sum over partners, 1,200 women with a number, is outside.
    assert!((people - 900).abs() <= 26 * half / 10, "{people} within {half}");
    assert!(half > 20 && 26 * half / 10 < 290, "{half}");
    for (code, cell) in shown.iter().filter(|(code, _)| code != "female") {
        assert_eq!(cell["cell"], "c", "{code}: {cell}");
    }
    // ε·tanh(ε/2) at ε = 2 · 2 keys · 2 cells, as every partner signed it and as whoever asked is told.
    let loss = Epsilon::from_millionths(8_000_000).unwrap().rho().nano();
    let sealed = answer["sealed"].as_object().unwrap();
    assert_eq!(sealed.len(), 6, "{answer:#}");
    for word in sealed.values() {
        assert_eq!(word["treatment"]["breakdown"]["cells_per_person"], 2, "{word:#}");
        assert_eq!(word["privacy"]["charged"], loss, "{word:#}");
    }
    assert!(answer["statement"].to_string().contains("and so ε = 8 together"), "{answer:#}");
    an_auditor_recomputes_each_cell(&federation, &answer);
    the_year_holds_one_table_and_no_second(&federation, &words);
}

/// Each cell of the table with its code.
fn by_code(answer: &Value) -> Vec<(String, Value)> {
    let combined = &answer["combined"];
    let codes = combined["dimensions"][0]["codes"].as_array().unwrap().iter();
    let cells = combined["cells"].as_array().unwrap().iter().cloned();
    codes.map(|code| code.as_str().unwrap().to_owned()).zip(cells).collect()
}

fn what_is_no_table_is_refused_and_costs_nothing(federation: &Federation, words: &[&str]) {
    let links = [words, &["--links", "dp=0.1"]].concat();
    federation.ask("people by sex", &links).exits(1).says("CC216");
    let without_a_framework = [OVERLAP, &["--total", "once=2,1200"]].concat();
    federation.ask("people by sex", &without_a_framework).exits(1).says("CC221");
    // 2²⁰ buckets of three bits are 384 KiB a cell.
    let framework = words.last().unwrap();
    federation.ask("people by sex", &once("once=2,500000", framework)).exits(1).says("CU007");
}

/// A cell that was estimated and one that was withheld both follow from what the partners signed, and neither can be another.
fn an_auditor_recomputes_each_cell(federation: &Federation, answer: &Value) {
    an_auditor_recomputes(federation, answer);
    let withheld = by_code(answer).iter().position(|(code, _)| code == "male").unwrap();
    let mut other = answer.clone();
    other["combined"]["cells"][withheld]["cell"] = Value::from(510);
    std::fs::write(federation.path("once.json"), other.to_string()).unwrap();
    let words = ["audit", "recompute", "once.transcript", "--federation-key", "identity/fife/federation.pub"];
    federation.cairn(&[&words[..], &["--answer", "once.json"]].concat()).exits(6).says("CC604");
}

fn the_year_holds_one_table_and_no_second(federation: &Federation, words: &[&str]) {
    federation.ask("people by sex", words).exits(3).says("CO107");
    let (code, answer) = federation.ask_json("people by sex", &[words, &["--again"]].concat());
    assert_ne!(code, 0);
    assert_eq!(codes(&answer), ["CA202"; 6], "{answer:#}");
    // What is left pays for a figure of all, which says more than the table adds up to be.
    let table = federation.ask("people", words).exits(0).out;
    assert!(
        table.contains("ε = 2 for each linkage key that they are recorded under, at most 2 keys"),
        "{table}"
    );
}
