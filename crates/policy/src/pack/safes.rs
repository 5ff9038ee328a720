//! The Five Safes (Desai, Ritchie and Welpton 2016, "Five Safes: designing data access for research"), filled from the policy.

use crate::explain::model::{Model, words};
use crate::explain::page::{Block, Section, Table};
use crate::explain::share;
use crate::explain::wording::list;

pub(super) fn section(model: &Model) -> Section {
    let rows = [
        ("Safe projects", "is this use of the data right?", projects(model)),
        ("Safe people", "can those who ask be trusted?", people(model)),
        ("Safe settings", "does the place limit misuse?", settings()),
        ("Safe data", "what risk is in the data?", data(model)),
        ("Safe outputs", "can a table show a person?", outputs(model)),
    ];
    let rows = rows.map(|(safe, asks, says)| [format!("{safe}: {asks}"), says]);
    let table = Table::new("The Five Safes, as this policy has them", ["safe", "this policy"], rows);
    Section::new("five-safes", "Five Safes", vec![Block::Table(table)])
}

fn projects(model: &Model) -> String {
    let purposes: Vec<&String> = model.purposes.iter().map(|p| &p.name).collect();
    format!(
        "Only for {}; legal basis {}; impact assessment {}",
        list(&purposes),
        model.legal_basis,
        model.dpia
    )
}

fn people(model: &Model) -> String {
    let roles = model.roles.iter().map(|r| format!("{} ({}, at most {})", r.name, r.issuer, r.max_people));
    format!("Only {}; each signs every question", list(&roles.collect::<Vec<_>>()))
}

fn settings() -> String {
    "Records stay in the partner's own node. Nobody logs in to it; a question goes in and a protected table comes out. The brake \
     stops it within a second"
        .to_owned()
}

fn data(model: &Model) -> String {
    let special: Vec<String> = model.special.iter().map(|c| words(c)).collect();
    let special = if special.is_empty() {
        "No special category column is shared".to_owned()
    } else {
        format!("Special category columns shared: {}", list(&special))
    };
    format!("Names, numbers and free text cannot be asked for. {special}. Whoever objects is left out")
}

fn outputs(model: &Model) -> String {
    let mut said: Vec<String> = Vec::new();
    for share in &model.shares {
        let words = share::protection(&share.protection).replace("Protection: ", "");
        if !said.contains(&words) {
            said.push(words);
        }
    }
    said.join(" Or: ").trim_end_matches('.').to_owned()
}
