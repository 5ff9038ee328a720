//! The policy in Easy Read: one idea a sentence, everyday words, large type, hard words explained.
//!
//! Written after the UK government's guidance on accessible communication formats ("Easy Read and Makaton") and Norfolk County
//! Council's on Easy Read: sentences of at most 15 words, one idea each, "you" and "we", no short forms.

use std::collections::{BTreeMap, BTreeSet};

use super::board;
use super::everyday::{is_private, yours};
use super::model::{Model, Protection, Shown, words};
use super::page::{Block, Manner, Page, Section};
use super::wording::{ACKNOWLEDGE_DAYS, ICO_PHONE, ICO_SITE, day, whole};

/// The whole page.
pub(crate) fn page(model: &Model) -> Page {
    Page {
        title: "How we share numbers about you".to_owned(),
        of: board::of(model),
        manner: Manner::Easy,
        lead: lines([
            "This page is in Easy Read.".to_owned(),
            format!("It is from {}.", model.controller),
            "We hold records about people.".to_owned(),
            "This page says what we do with them.".to_owned(),
            "Hard words are explained at the end.".to_owned(),
        ]),
        sections: vec![
            never(model),
            shared(model),
            askers(model),
            safe(model),
            refusing(model),
            dates(model),
            complaints(model),
            more(model),
            hard_words(model),
        ],
    }
}

fn lines(sentences: impl IntoIterator<Item = String>) -> Vec<Block> {
    sentences.into_iter().map(Block::Paragraph).collect()
}

fn said(sentences: &[&str]) -> Vec<Block> {
    lines(sentences.iter().map(|s| (*s).to_owned()))
}

fn never(model: &Model) -> Section {
    let mut blocks = said(&[
        "Your record never leaves us.",
        "Your name never leaves us.",
        "Your address never leaves us.",
        "Your date of birth never leaves us.",
        "What people write about you never leaves us.",
    ]);
    let kept = model.never.columns.iter().flat_map(|(_, columns)| columns).map(String::as_str);
    let kept = ordered(kept.filter(|c| is_private(c)));
    if !kept.is_empty() {
        blocks.push(Block::says("We also never share these things:"));
        blocks.push(Block::items(kept));
    }
    Section::new("never", "What never leaves us", blocks)
}

fn shared(model: &Model) -> Section {
    let mut blocks = said(&[
        "We share counts.",
        "A count says how many people there are.",
        "It does not say who they are.",
        "We count people by these things:",
    ]);
    blocks.push(Block::items(ordered(model.counted_by())));
    let added = ordered(model.added_up());
    if !added.is_empty() {
        blocks.push(Block::says("We also add these up for many people:"));
        blocks.push(Block::items(added));
    }
    Section::new("shared", "What we share", blocks)
}

/// Columns in everyday words, each once: what the person is before what the person did.
pub(crate) fn ordered<'a>(columns: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let columns: BTreeSet<String> = columns.into_iter().map(yours).collect();
    let (mut are, did): (Vec<String>, Vec<String>) =
        columns.into_iter().partition(|c| c.starts_with("your "));
    are.extend(did);
    are
}

fn askers(model: &Model) -> Section {
    let mut blocks = said(&["Only some people can ask us for counts."]);
    let mut by_issuer: BTreeMap<String, u64> = BTreeMap::new();
    for role in &model.roles {
        let agreed = u64::from(role.max_people);
        let most = if role.named.is_empty() { agreed } else { len(role.named.len()).min(agreed) };
        *by_issuer.entry(role.issuer.replace('-', " ")).or_default() += most;
    }
    for (issuer, most) in by_issuer {
        blocks.push(Block::says(match most {
            1 => format!("1 person chosen by “{issuer}” can ask."),
            most => format!("Up to {} people chosen by “{issuer}” can ask.", whole(most)),
        }));
    }
    blocks.push(Block::says("This is what the counts are for:"));
    blocks.push(Block::items(model.purposes.iter().map(|p| format!("“{}”", p.text))));
    blocks.extend(said(&["No one else can ask.", "We keep a list of all questions."]));
    Section::new("askers", "Who can ask", blocks)
}

fn len(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn safe(model: &Model) -> Section {
    let mut blocks = Vec::new();
    let plain = model.shares.iter().filter_map(|s| match &s.protection {
        Protection::Plain { min_people, shown, .. } => Some((*min_people, shown)),
        Protection::Noise { .. } | Protection::Once(_) => None,
    });
    if let Some((least, _)) = plain.clone().min_by_key(|(least, _)| *least) {
        blocks.extend(said(&["We hide small numbers."]));
        blocks.push(Block::says(format!("We hide the numbers from 1 to {}.", least.saturating_sub(1))));
    }
    if plain.clone().any(|(_, s)| matches!(s, Shown::Rounded(2..) | Shown::Perturbed(_, 2..))) {
        blocks.extend(said(&["We round other numbers.", "So 12 people may show as 10."]));
    }
    let noisy = model.shares.iter().any(|s| !matches!(s.protection, Protection::Plain { .. }));
    if noisy || plain.clone().any(|(_, s)| matches!(s, Shown::Perturbed(..))) {
        blocks.extend(said(&["We change some numbers a little.", "This hides each person."]));
    }
    if model.shares.iter().any(|s| s.once().is_some()) {
        blocks.extend(said(&[
            "Other groups may help you too.",
            "In some counts you count only once.",
            "No group sees who you are in this.",
        ]));
    }
    let (own, totals) = model.by_path();
    if !own.is_empty() {
        blocks.extend(said(&["Some counts are shown under our name.", "The people who ask can see that."]));
    }
    if let Some(least) = totals.iter().map(|s| s.min_partners).min() {
        blocks.extend(said(&["Some counts are only shared as a total."]));
        blocks.push(Block::says(format!("At least {least} groups like ours are in each total.")));
        if totals.iter().all(|s| s.lacks_totals()) {
            blocks.extend(said(&["We can not make these totals yet."]));
        }
    }
    if !model.unable().is_empty() {
        blocks.extend(said(&["We can not give some counts yet.", "Until we can, we say no."]));
    }
    blocks.extend(said(&[
        "This keeps you safe, but it is not perfect.",
        "A person who knows a lot about you may learn more.",
        "We can stop all sharing at once.",
    ]));
    Section::new("safe", "How we keep you safe", blocks)
}

fn refusing(model: &Model) -> Section {
    let mut blocks = said(&["You can say no.", "You do not have to say why.", "We will always agree."]);
    blocks.push(Block::says(format!("Tell us at: {}", model.contact)));
    blocks.extend(said(&[
        "Then we leave you out.",
        "We do this from our next copy of the records.",
        "Old counts stay as they are.",
        "If we do not know what you want, we leave you out.",
    ]));
    for (_, column, codes) in &model.opt_outs {
        let codes: Vec<String> = codes.iter().map(|c| format!("“{c}”")).collect();
        blocks.push(Block::says(format!(
            "We only count you if your “{column}” is {}.",
            super::wording::either(&codes)
        )));
    }
    Section::new("say-no", "You can say no", blocks)
}

fn dates(model: &Model) -> Section {
    let mut sentences = vec![
        format!("This plan starts on {}.", day(model.from)),
        format!("It ends on {}.", day(model.until)),
        "After that we share nothing.".to_owned(),
    ];
    if let Some((years, _)) = model.keep.iter().max_by_key(|(years, _)| *years) {
        sentences.push(format!("We stop counting old records after {years} years."));
    }
    if let Some(years) = model.audit_keep_years {
        sentences.push(format!("We keep the list of questions for {years} years."));
    }
    Section::new("dates", "How long this goes on", lines(sentences))
}

fn complaints(model: &Model) -> Section {
    let sentences = [
        "You can complain to us.".to_owned(),
        format!("Tell us at: {}", model.contact),
        format!("We must write back within {ACKNOWLEDGE_DAYS} days to say we have it."),
        "Then we look into it.".to_owned(),
        "We tell you what we found.".to_owned(),
        "You can also complain to the Information Commissioner.".to_owned(),
        format!("The website is: {ICO_SITE}"),
        format!("The phone number is: {ICO_PHONE}"),
    ];
    Section::new("complain", "How to complain", lines(sentences))
}

fn more(model: &Model) -> Section {
    let sentences =
        ["You can read more on our website.".to_owned(), format!("It is at: {}", model.notice_url)];
    Section::new("more", "Find out more", lines(sentences))
}

fn hard_words(model: &Model) -> Section {
    let mut terms = vec![
        ("Copy of the records", "A picture of our records on one day. We only count in the copy."),
        ("Count", "A number of people. It has no names in it."),
        ("Information Commissioner", "They check that groups like ours look after your records."),
        ("Record", "What we hold about you. It may be on a computer or on paper."),
        ("Round", "To make a number less exact. So 12 may become 10."),
    ];
    if !model.by_path().1.is_empty() {
        terms.push(("Total", "Many numbers added up. You can not see the parts."));
    }
    let terms = terms.into_iter().map(|(t, says)| (t.to_owned(), says.to_owned()));
    let unknown = model.opt_outs.iter().map(|(_, column, _)| {
        (words(column), "A box in our records. It says if we may count you.".to_owned())
    });
    Section::new("hard-words", "Hard words", vec![Block::Terms(terms.chain(unknown).collect())])
}
