//! The notice to the people whom the records are about: what UK GDPR Articles 13, 14 and 21(4) ask to be said of this use, from the
//! policy itself.

use std::collections::BTreeSet;

use super::board;
use super::easy::ordered;
use super::model::{Model, Protection, Shown, words};
use super::page::{Block, Manner, Page, Section};
use super::wording::{ACKNOWLEDGE_DAYS, ICO_PHONE, ICO_SITE, day, either, list};

/// The whole page.
pub(crate) fn page(model: &Model) -> Page {
    let (from, until) = (day(model.from), day(model.until));
    Page {
        title: format!("How {} uses your information to make statistics", model.controller),
        of: board::of(model),
        manner: Manner::Close,
        lead: vec![Block::says(format!(
            "{} is responsible for this use of your information. We count the people in our records and share the counts, as this notice \
             says. It holds from {from} to {until}. After that nothing is shared.",
            model.controller
        ))],
        sections: vec![
            never(model),
            used(model),
            asked(model),
            protected(model),
            objecting(model),
            kept(model),
            rights(model),
            complaints(model),
            contact(model),
        ],
    }
}

fn never(model: &Model) -> Section {
    let mut items = vec![
        "Your record. Your name, address, date of birth, any number that is yours, and anything written about you.".to_owned(),
        "Anything about you if you have objected, or if we do not know whether you object.".to_owned(),
    ];
    for (table, columns) in model.never.columns.iter().filter(|(_, c)| !c.is_empty()) {
        let columns: Vec<String> = columns.iter().map(|c| words(c)).collect();
        items.push(format!("Of what we hold on {}: {}.", words(table), columns.join(", ")));
    }
    Section::new("never", "What never leaves us", vec![Block::items(items)])
}

fn used(model: &Model) -> Section {
    let mut blocks = vec![
        Block::says("Only counts leave us, never records. We count people by:"),
        Block::items(ordered(model.counted_by())),
    ];
    let added = ordered(model.added_up());
    if !added.is_empty() {
        blocks.push(Block::says("We give sums or averages over many people of:"));
        blocks.push(Block::items(added));
    }
    if !model.special.is_empty() {
        let special = ordered(model.special.iter().map(String::as_str));
        blocks.push(Block::says(format!(
            "The law protects some of this more than the rest, as special category data: {}.",
            list(&special)
        )));
    }
    Section::new("used", "What we use", blocks)
}

fn asked(model: &Model) -> Section {
    let mut items = Vec::new();
    for purpose in &model.purposes {
        let roles = model.roles.iter().filter(|r| r.purposes.contains(&purpose.name));
        let who: Vec<String> = roles
            .map(|r| format!("up to {} people chosen by {} ({})", r.max_people, r.issuer, r.name))
            .collect();
        items.push(format!("“{}”. Asked by {}. Legal basis: “{}”.", purpose.text, list(&who), purpose.basis));
    }
    let blocks = vec![
        Block::items(items),
        Block::says(format!("Our legal basis for all of this: “{}”.", model.legal_basis)),
        Block::says(sight(model)),
    ];
    Section::new("asked", "Who asks, why, and on what legal basis", blocks)
}

fn sight(model: &Model) -> String {
    let (own, totals) = model.by_path();
    let mut says = "The program that passes questions on is called the coordinator.".to_owned();
    if !own.is_empty() {
        says.push_str(" It and those who ask see some of our protected counts under our name.");
    }
    if let Some(least) = totals.iter().map(|s| s.min_partners).min() {
        says.push_str(&format!(" Other counts leave only in a total over at least {least} partners."));
        says.push_str(board::no_totals(&totals));
    }
    if !model.unable().is_empty() {
        says.push_str(
            " Our program cannot make all of these counts yet. It refuses a question until it can.",
        );
    }
    says
}

fn protected(model: &Model) -> Section {
    let mut items = Vec::new();
    let plain = || {
        model.shares.iter().filter_map(|s| match &s.protection {
            Protection::Plain { min_people, shown, .. } => Some((*min_people, shown)),
            Protection::Noise { .. } | Protection::Once(_) => None,
        })
    };
    let least: BTreeSet<u32> = plain().map(|(least, _)| least).collect();
    let least: Vec<String> = least.iter().map(u32::to_string).collect();
    match least.as_slice() {
        [] => {}
        [one] => items.push(format!("We withhold counts of fewer than {one} people.")),
        some => items.push(format!(
            "We withhold counts of fewer than {} people, depending on the table.",
            either(some)
        )),
    }
    if plain().any(|(_, s)| matches!(s, Shown::Rounded(2..) | Shown::Perturbed(_, 2..))) {
        items.push("Other counts are rounded.".to_owned());
    }
    let noisy = model.shares.iter().any(|s| !matches!(s.protection, Protection::Plain { .. }));
    if noisy || plain().any(|(_, s)| matches!(s, Shown::Perturbed(..))) {
        items.push(
            "Some counts are changed a little, so that they look much the same with or without you."
                .to_owned(),
        );
    }
    if model.shares.iter().any(|s| s.once().is_some()) {
        items.push(
            "We help to count how many different people all partners support. For this a random pattern leaves us. It shows no record, and \
             the code that we match you by never leaves."
                .to_owned(),
        );
    }
    items.push(
        "No protection is perfect. Someone who already knows much about you, or compares many tables, may learn more than we mean \
         to show."
            .to_owned(),
    );
    Section::new("protected", "How the counts are protected", vec![Block::items(items)])
}

fn objecting(model: &Model) -> Section {
    let mut items = vec![
        format!("You can object at any time. Write to {}. You need not give a reason.", model.contact),
        "We always honour an objection.".to_owned(),
        "It counts from the next snapshot, the next frozen copy of our records that is counted.".to_owned(),
    ];
    for (every, _) in &model.snapshots {
        items.push(format!("A snapshot is made at the end of each {}.", every.as_str()));
    }
    for (_, column, codes) in &model.opt_outs {
        items.push(format!("We count you only if our record of your “{column}” says {}.", either(codes)));
    }
    items.push("Counts that were made before stay as they are: they cannot be called back.".to_owned());
    Section::new("object", "How to object", vec![Block::items(items)])
}

fn kept(model: &Model) -> Section {
    let mut items = Vec::new();
    for (years, tables) in &model.keep {
        items.push(format!(
            "Of {}: we never count what was closed more than {years} years ago.",
            list(tables)
        ));
    }
    if model.keep.is_empty() {
        items.push("The policy sets no age after which a record stops being counted.".to_owned());
    }
    if let Some(years) = model.audit_keep_years {
        items.push(format!(
            "We keep the list of questions for {years} years. It holds no record of a person."
        ));
    }
    items.push("Counts hold no record of a person and may be kept for good.".to_owned());
    Section::new("kept", "How long", vec![Block::items(items)])
}

fn rights(model: &Model) -> Section {
    let says = format!(
        "You can ask us for a copy of your information. You can ask us to put it right, to delete it or to use less of it. Write to {}.",
        model.contact
    );
    Section::new("rights", "Your other rights", vec![Block::says(says)])
}

fn complaints(model: &Model) -> Section {
    let items = [
        format!("You can complain to us. Write to {}.", model.contact),
        format!(
            "We must tell you within {ACKNOWLEDGE_DAYS} days that we have your complaint. We must look into it without undue delay and \
             tell you what came of it (Data Protection Act 2018, section 164A)."
        ),
        format!(
            "You can also complain to the Information Commissioner's Office (ICO) at {ICO_SITE} or by telephone on {ICO_PHONE}. The \
             postal address is on its site."
        ),
    ];
    Section::new("complain", "How to complain", vec![Block::items(items)])
}

fn contact(model: &Model) -> Section {
    let items = [
        format!("Questions: {}", model.contact),
        format!("This notice: {}", model.notice_url),
        format!("Impact assessment: {}", model.dpia),
        format!("Agreement: {}", model.agreement),
    ];
    Section::new("contact", "Where to ask", vec![Block::items(items)])
}
