use std::collections::BTreeMap;

use cairn_ledger::{Answerable, Ledger};
use cairn_policy::{File, Sources};
use cairn_question::{Schema, form};

use super::*;
use crate::fixture::{Folders, NOW, name};

/// How many nodes a report goes to.
const NODES: usize = 32;

/// How many cells it has at least.
const CELLS: usize = 5_000;

/// How many tables a day the shipped policy gives one analyst under the share.
const A_DAY: usize = 100;

/// Small tables of one council each, none another's equal, until they have the cells.
fn report() -> Vec<Question> {
    let axes = ["sex", "age", "gender", "simd_quintile", "parental_status"];
    let pairs = |n: usize| axes[n + 1..].iter().map(move |other| format!("{}, {other}", axes[n]));
    let pairs: Vec<String> = (0..axes.len()).flat_map(pairs).collect();
    let councils = (5..=50).map(|n| format!("S120000{n:02}"));
    let texts =
        councils.flat_map(|c| pairs.iter().map(move |pair| format!("people by {pair} where council = {c}")));
    let (role, purpose) = (name("own-tables-analyst"), name("smf-reporting"));
    // Not every number is a council's.
    let known = texts.filter_map(|text| form::parse(&text, &role, &purpose, Schema::smf()).ok());
    let (mut cells, mut report) = (0, Vec::new());
    for question in known {
        cells += question.grid(Schema::smf()).unwrap().cells();
        report.push(question);
        if cells >= CELLS {
            return report;
        }
    }
    panic!("{cells} cells only")
}

fn layers(folders: &Folders) -> Layers {
    let file =
        |name: &str| File::new(name, std::fs::read_to_string(folders.policy_dir().join(name)).unwrap());
    let (framework, policy) = (file("framework.toml"), file("policy.toml"));
    Layers::load(&Sources { framework, policy, brake: None }).unwrap()
}

/// The node with this number: the same records and policy, a ledger of its own.
fn node(folders: &Folders, number: usize) -> Config {
    let text = format!(
        "identity_dir = \"identity\"\ncoordinator = \"127.0.0.1:1\"\ndata_dir = \"data\"\n\
         ledger_path = \"ledger-{number}.sqlite\"\npolicy_dir = \"policy\"\n"
    );
    Config::parse(&text, &folders.path("")).unwrap()
}

#[test]
fn a_report_of_5_000_cells_is_priced_at_32_nodes_and_nothing_is_kept() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    folders.load(60, "2026-03-31");
    let (report, layers, analyst) = (report(), layers(&folders), name("ann"));
    for number in 0..NODES {
        let config = node(&folders, number);
        let fault = |found: Result<Price, PriceFault>| found.err().map(|fault| fault.code());
        let price = || price(&config, &layers, &report, Buyer { analyst: &analyst, issuer: None }, NOW);
        assert_eq!(fault(price()), Some("CA001"), "the node has never run");
        drop(Ledger::open(&config.ledger_path).unwrap());
        let found = price().unwrap();
        let mut said: BTreeMap<String, usize> = BTreeMap::new();
        for priced in &found.questions {
            *said.entry(in_words(&priced.answerable)).or_default() += 1;
        }
        let expected = [("anew", A_DAY), ("CA204", report.len() - A_DAY)];
        assert_eq!(said, expected.map(|(word, n)| (word.to_owned(), n)).into());
        assert_eq!(price().unwrap(), found, "nothing is held or counted by a price");
    }
}

fn in_words(answerable: &Answerable) -> String {
    match answerable {
        Answerable::Anew => "anew".to_owned(),
        Answerable::Again => "again".to_owned(),
        Answerable::Refused(rules) => rules.iter().map(|r| r.code.as_str()).collect::<Vec<_>>().join(" "),
    }
}
