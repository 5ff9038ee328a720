//! The attack gate, as whoever changes this program runs it.

use crate::harness::program::{cairn, run};

#[test]
fn every_quick_attack_is_withstood_and_the_canaries_can_see() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = cairn();
    command.args(["audit", "attack", "--quick", "--json", "--folder", "here"]).current_dir(dir.path());
    let done = run(command).exits(0);
    let lines: Vec<serde_json::Value> = done.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 20, "{}", done.out);
    assert!(lines.iter().all(|l| l["outcome"] == "withstood"), "{}", done.out);
    // An attack that sees nothing would withstand anything: the canaries must come near to the claim. Most runs show .88 to .94; one in some
    // ten thousand shows less than .82.
    let canaries = lines.iter().find(|l| l["attack"] == "canary-table").unwrap()["seen"].as_str().unwrap();
    let bound: f64 =
        canaries.strip_prefix("ε ≥ ").and_then(|s| s.split(' ').next()).unwrap().parse().unwrap();
    assert!((0.82..=1.0).contains(&bound), "{canaries}");
    // The year's account of the templates is spent on tables, and the lone people are many.
    let bits = lines.iter().find(|l| l["attack"] == "reconstruction").unwrap()["seen"].as_str().unwrap();
    assert!(bits.contains("of the 806 who are alone") && bits.ends_with("from 11 and 11 tables"), "{bits}");
    let left = std::fs::read_to_string(dir.path().join("here/attack.jsonl")).unwrap();
    assert_eq!(left, done.out);
}
