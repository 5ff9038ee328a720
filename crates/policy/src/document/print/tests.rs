use proptest::prelude::*;

use super::*;
use crate::document::read_policy;
use crate::finding::{Faults, File};
use crate::tests::{EXAMPLES, counting_once, example, strathcarron};

/// The document, if reading finds no fault.
fn read(text: &str) -> Option<PolicyDoc> {
    let file = File::new("policy.toml", text);
    let faults = Faults::new(&file);
    let doc = read_policy(&faults);
    doc.filter(|_| faults.into_found().is_empty())
}

/// Everything that a document says, without the places where it says it.
fn said(doc: &PolicyDoc) -> String {
    let debug = format!("{doc:?}");
    let mut said = String::new();
    let mut rest = debug.as_str();
    while let Some((before, after)) = rest.split_once("..") {
        said.push_str(before.trim_end_matches(|c: char| c.is_ascii_digit()));
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    said + rest
}

fn policies() -> Vec<String> {
    let shipped = EXAMPLES.iter().map(|name| example(name).policy.text);
    let versions = ["policy", "policy-bad", "policy-v8-proposed", "policy-v8-round10", "policy-v8-tighter"];
    let worked = versions.iter().map(|name| strathcarron(name).1.policy.text);
    shipped.chain(worked).chain([counting_once().policy.text]).collect()
}

#[test]
fn what_is_printed_reads_as_the_same_policy() {
    for text in policies() {
        let doc = read(&text).expect("a policy without a fault of form");
        let printed = print(&doc);
        let again = read(&printed).unwrap_or_else(|| panic!("{printed}"));
        assert_eq!(said(&again), said(&doc));
        assert_eq!(print(&again), printed, "canonical");
    }
}

#[test]
fn a_printed_policy_is_checked_and_decided_alike() {
    let (schema, mut sources) = strathcarron("policy");
    let codes = |sources: &crate::Sources| {
        let mut codes: Vec<String> = crate::check_with(schema, sources)
            .iter()
            .map(|f| format!("{} {} {}", f.code, f.rule, f.says))
            .collect();
        codes.sort();
        codes
    };
    let before = codes(&sources);
    sources.policy.text = print(&read(&sources.policy.text).unwrap());
    assert_eq!(codes(&sources), before);
}

/// A policy in which one number or one text became another.
fn changed() -> impl Strategy<Value = String> {
    (0..policies().len(), 0_usize..400, 0_u32..2_000, "[ -~]{0,20}").prop_map(|(which, at, number, text)| {
        let policy = policies()[which].clone();
        let places: Vec<usize> = policy.match_indices(" = ").map(|(i, _)| i + 3).collect();
        let from = places[at % places.len()];
        let end = policy[from..].find(['\n', ',', ' ', '}']).map_or(policy.len(), |n| from + n);
        let old = &policy[from..end];
        let new = match old.chars().next() {
            Some('"') => quoted(&text),
            Some(c) if c.is_ascii_digit() => number.to_string(),
            _ => old.to_owned(),
        };
        format!("{}{new}{}", &policy[..from], &policy[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a policy says that reads without a fault, reading what is printed of it says the same.
    #[test]
    fn parse_after_print_is_identity(text in changed()) {
        if let Some(doc) = read(&text) {
            let again = read(&print(&doc));
            prop_assert_eq!(again.as_ref().map(said), Some(said(&doc)), "{}", print(&doc));
        }
    }
}
