//! The policy as a board reads it: what never leaves, who may ask, one paragraph a share, who sees what, what it costs, how to stop it.

use super::model::{Model, Most, Once, Protection, Share, Shown, words};
use super::page::{Block, Manner, Page, Section, Table};
use super::share;
use super::wording::{list, month_name, whole};

/// The whole page. The action plan comes last, as an annex: it is the board's own words.
pub(crate) fn page(model: &Model) -> Page {
    let mut sections = vec![
        never(model),
        askers(model),
        shares(model),
        unable(model),
        rows(model),
        sight(model),
        cost(model),
        stopping(),
        limits(model),
        afterwards(model),
        plan(model),
    ];
    sections.retain(Section::says_something);
    Page {
        title: format!("{}: what is shared, and what never is", model.controller),
        of: of(model),
        manner: Manner::Close,
        lead: vec![Block::says(head(model))],
        sections,
    }
}

/// Whose page, and of which policy.
pub(crate) fn of(model: &Model) -> String {
    format!("{}, policy {} version {}", model.controller, model.id, model.version)
}

/// Names, dates and what stands behind the policy.
pub(crate) fn head(model: &Model) -> String {
    let Model { id, version, framework, from, until, review_by, legal_basis, .. } = model;
    let replaces =
        model.supersedes.as_ref().map(|h| format!(" It replaces {}.", short(h))).unwrap_or_default();
    format!(
        "Policy {id} version {version}, under the framework {framework}. In force from {from} to {until}, days in London; \
         after that nothing is answered. The board reviews it by {review_by}.{replaces} Legal basis: {legal_basis}. \
         Agreement {}, impact assessment {}. Questions: {}. Privacy notice: {}.",
        model.agreement, model.dpia, model.contact, model.notice_url
    )
}

/// A hash as people compare it: the whole of it stands in the approval note.
pub(crate) fn short(hash: &str) -> String {
    let shown: String = hash.chars().take(HASH_SHOWN).collect();
    format!("{shown}…")
}

const HASH_SHOWN: usize = "sha256:".len() + 12;

/// Every column that no share uses, and every table that is not held.
pub(crate) fn never(model: &Model) -> Section {
    let mut items = vec![
        "Any record of a person. Any name, address, date of birth, number or free text.".to_owned(),
        "Anything about a person who has objected, or whose objection is not known.".to_owned(),
    ];
    match model.never.tables.as_slice() {
        [] => {}
        [one] => items.push(format!("The whole table of {one}.")),
        tables => items.push(format!("The whole tables of {}.", list(tables))),
    }
    for (table, columns) in model.never.columns.iter().filter(|(_, c)| !c.is_empty()) {
        let columns: Vec<String> = columns.iter().map(|c| words(c)).collect();
        items.push(format!("Of {}: {}.", words(table), columns.join(", ")));
    }
    Section::new("never-leaves", "Never leaves, in any form", vec![Block::items(items)])
}

/// Roles, who vouches for them, and purposes.
pub(crate) fn askers(model: &Model) -> Section {
    let mut items = Vec::new();
    for role in &model.roles {
        let people = if role.max_people == 1 { "person" } else { "people" };
        let purposes: Vec<&String> = role.purposes.iter().collect();
        let mut says = format!(
            "{}, for {}: each vouched for by {}, which agreed to name at most {} {people} (no node counts them).",
            role.name,
            list(&purposes),
            role.issuer,
            role.max_people
        );
        if !role.named.is_empty() {
            let named: Vec<&String> = role.named.iter().collect();
            says.push_str(&format!(" Of them only: {}.", list(&named)));
        }
        items.push(says);
    }
    items
        .push("Nobody else. Each question is signed by whoever asks it and kept in the register.".to_owned());
    let purposes = model.purposes.iter().map(|p| format!("Purpose {}: {} ({}).", p.name, p.text, p.basis));
    items.extend(purposes);
    Section::new("who-may-ask", "Who may ask, and what for", vec![Block::items(items)])
}

/// One paragraph a share.
pub(crate) fn shares(model: &Model) -> Section {
    let shares = model.shares.iter().map(share::paragraph);
    Section::new("what-is-shared", "What is shared", vec![Block::items(shares)])
}

/// What this program cannot do yet, and so refuses; nothing where it can do all.
pub(crate) fn unable(model: &Model) -> Section {
    let items: Vec<String> =
        model.unable().into_iter().map(|(what, of)| format!("{what} ({})", ids(&of, model))).collect();
    let mut blocks = Vec::new();
    if !items.is_empty() {
        blocks.push(Block::says(
            "The program of this node refuses such questions, and answers none under a laxer rule, until it can:",
        ));
        blocks.push(Block::items(items));
    }
    Section::new("not-yet", "Not answered yet", blocks)
}

/// Objections, opt-outs, old rows, snapshots.
pub(crate) fn rows(model: &Model) -> Section {
    let mut items = vec![
        "Objections are always honoured, from the next snapshot on. A blank counts as an objection."
            .to_owned(),
    ];
    for (table, column, codes) in &model.opt_outs {
        items.push(format!(
            "Opt-out: a person counts only if {column} in {table} is {}; a blank does not count.",
            super::wording::either(codes)
        ));
    }
    for (years, tables) in &model.keep {
        let of = unless_all(tables, model);
        items.push(format!("Closed more than {years} years before the snapshot: never counted{of}."));
    }
    for (every, tables) in &model.snapshots {
        let (every, of) = (every.as_str(), unless_all(tables, model));
        items.push(format!(
            "Questions see a frozen copy of each {every}'s end (a snapshot), never live records{of}."
        ));
    }
    if model.snapshots.is_empty() {
        items.push("Questions see a frozen copy of the records (a snapshot), never live ones.".to_owned());
    }
    Section::new("which-records", "Which records count", vec![Block::items(items)])
}

/// The tables that a rule is about, where it is not about all that are shared.
fn unless_all(tables: &[String], model: &Model) -> String {
    let all = model.shares.iter().all(|s| tables.contains(&s.dataset));
    if all { String::new() } else { format!(" ({})", tables.join(", ")) }
}

/// Who sees what, path by path.
pub(crate) fn sight(model: &Model) -> Section {
    let (own, totals) = model.by_path();
    let mut items = Vec::new();
    if !own.is_empty() {
        items.push(format!(
            "This partner's own table ({}): the coordinator and whoever asked see it, protected, under this partner's name.",
            ids(&own, model)
        ));
    }
    let (once, totals): (Vec<&Share>, Vec<&Share>) = totals.into_iter().partition(|s| s.once().is_some());
    let (hidden, exact): (Vec<&Share>, Vec<&Share>) = totals.into_iter().partition(|s| hidden_in_the_mask(s));
    if !hidden.is_empty() {
        items.push(format!(
            "Masked total over at least {} partners ({}): each node adds its noise or changes before it masks its part. The coordinator \
             and whoever asked see that total only; nobody sees an exact total or this partner's part.{}",
            least(&hidden),
            ids(&hidden, model),
            no_totals(&hidden)
        ));
    }
    if !exact.is_empty() {
        items.push(format!(
            "Total over at least {} partners, protected after adding up ({}): the coordinator sees the exact total, never this \
             partner's part, and is trusted to withhold and round it. Whoever asked sees the protected total. In a cell where this \
             partner alone has people, the coordinator and partners who help it can learn the count.{}",
            least(&exact),
            ids(&exact, model),
            no_totals(&exact)
        ));
    }
    if !once.is_empty() {
        let columns: Vec<&String> = model.once.iter().collect();
        items.push(format!(
            "People counted once over at least {} partners ({}): {} itself never leaves. Each node sends a masked random pattern, and only \
             all of them together open. The coordinator sees the opened pattern, which keeps ε₀ for each linkage key; whoever asked sees \
             the figure alone, which tells far less. Nobody sees this partner's own pattern.{}",
            least(&once),
            ids(&once, model),
            list(&columns),
            no_totals(&once)
        ));
    }
    items.push(
        "The coordinator also sees who asked what, when, of whom, and the size of each answer.".to_owned(),
    );
    Section::new("who-sees-what", "Who can see what", vec![Block::items(items)])
}

/// What is to be said of totals that this program cannot make yet.
pub(crate) fn no_totals(shares: &[&Share]) -> &'static str {
    if shares.iter().all(|s| s.lacks_totals()) { " The program cannot make such totals yet." } else { "" }
}

fn ids(shares: &[&Share], model: &Model) -> String {
    if shares.len() == model.shares.len() {
        return "every share".to_owned();
    }
    shares.iter().map(|s| s.id.as_str()).collect::<Vec<_>>().join(", ")
}

fn least(shares: &[&Share]) -> u32 {
    shares.iter().map(|s| s.min_partners).min().unwrap_or(1)
}

/// Whether a total is protected at each node, so that nobody ever sees it exact.
fn hidden_in_the_mask(share: &Share) -> bool {
    matches!(
        share.protection,
        Protection::Noise { .. } | Protection::Plain { shown: Shown::Perturbed(..), .. }
    )
}

/// The worst case in tables, in ε and in error.
pub(crate) fn cost(model: &Model) -> Section {
    let mut blocks = vec![Block::Table(figures(model))];
    let mut items = Vec::new();
    let plain: u64 = model.shares.iter().fold(0, |sum, s| match s.most {
        Most::Quotas { per_year } => sum.saturating_add(per_year),
        Most::Account { .. } | Most::Counts { .. } => sum,
    });
    if plain > 0 {
        items.push(format!(
            "Plain tables: at worst {} tables a year in all, if each issuer keeps to its number of people. They draw on no account, and \
             nothing caps them for life.",
            whole(plain)
        ));
    }
    match &model.account {
        None if model.shares.iter().any(|s| s.once().is_some()) => {
            items.push("No table uses noise, so no person's account of tables is drawn on.".to_owned());
        }
        None => items.push("No share uses noise, so no person's privacy account is drawn on.".to_owned()),
        Some(account) => {
            let (month, day) = account.year_starts;
            let (per_year, lifetime) = account.tables;
            items.push(format!(
                "Noisy tables: at worst {} tables a year in all and {} for life, over all shares. Each person has one \
                 account: ε {} a year from {day} {} and ε {} for life, at δ {:e}. Nothing refills it.",
                whole(per_year),
                whole(lifetime),
                account.per_year,
                month_name(month),
                account.lifetime,
                account.delta
            ));
            items.extend(furthest(model));
        }
    }
    items.extend(model.shares.iter().filter_map(|s| Some(counted_once(s, s.once()?))));
    items.push(
        "A refused question costs nothing. The same question on the same snapshot gets the stored table and costs nothing more. Any \
         other noisy table costs every person its ε, for good."
            .to_owned(),
    );
    blocks.push(Block::items(items));
    Section::new("what-it-costs", "What it can cost a person", blocks)
}

/// What a count of people once costs and how far off it is: by another account and another error than a table's.
fn counted_once(share: &Share, once: &Once) -> String {
    let Once { epsilon, keys, person, counts: (year, life), off_by, broken_down, .. } = once;
    let under = match keys {
        1 => String::new(),
        keys => format!(", and ε = {person} to a person recorded under {keys} of them"),
    };
    format!(
        "People counted once ({}): at worst {} counts a year and {} for life, on an account of their own beside that of tables; nothing \
         refills it. The pattern that opens costs ε₀ = {epsilon} to each linkage key{under}; the figure alone costs far less. It is typically off by \
         {off_by} where 10,000 to 100,000 people are counted, and by more where fewer are; under about 500 none is given.{}",
        share.id,
        whole(u64::from(*year)),
        whole(u64::from(*life)),
        table_of_once(broken_down.as_ref())
    )
}

/// What a breakdown of such a count costs: each cell is a count of its own to whoever is in it.
pub(super) fn table_of_once(broken_down: Option<&(u32, String)>) -> String {
    let Some((cells, epsilon)) = broken_down else { return String::new() };
    format!(
        " A table of such figures costs that for each cell that a person is in, up to ε = {epsilon} to one in {cells} cells, as many as the framework \
         reckons with, and takes as much from the same account; a cell of under about 500 people has no figure."
    )
}

fn figures(model: &Model) -> Table {
    let row = |s: &Share| {
        let [year, life] = share::most(s);
        let ([epsilon, odds], [here, national]) = match &s.protection {
            Protection::Plain { shown, .. } => {
                (["none", "no bound"].map(str::to_owned), rounding(shown, s, model.partners))
            }
            Protection::Once(once) => (
                [most_of_once(once), format!("times {}", once.odds)],
                ["see below", "see below"].map(str::to_owned),
            ),
            Protection::Noise { epsilon, odds, here, national, .. } => (
                [epsilon.clone(), format!("times {odds}")],
                [here, national].map(|n| format!("±{}", whole(*n))),
            ),
        };
        [s.id.clone(), year, life, epsilon, odds, here, national]
    };
    Table::new(
        "At worst, if nothing else is asked. With noise, 95 in 100 figures are that near:",
        ["share", "tables a year", "for life", "ε a table", "odds of guess", "one answer", "national"],
        model.shares.iter().map(row),
    )
}

/// What a count or a table of counts costs a person at most.
fn most_of_once(once: &Once) -> String {
    once.broken_down.as_ref().map_or(&once.person, |(_, epsilon)| epsilon).clone()
}

/// How far rounding moves a shown count: here, and in the sum of all partners where each rounds its own.
fn rounding(shown: &Shown, share: &Share, partners: u32) -> [String; 2] {
    match shown {
        Shown::Exact => ["exact".to_owned(), "see answer".to_owned()],
        Shown::Perturbed(..) => match share.changed {
            Some(off) => [format!("±{}", off.plus_minus_95), format!("±{}", off.plus_minus_95)],
            None => ["see answer".to_owned(), "see answer".to_owned()],
        },
        Shown::Rounded(base) => {
            let here = u64::from(base / 2);
            let parts = if share.is_total() { 1 } else { u64::from(partners) };
            [format!("±{here}"), format!("±{} or more", whole(here.saturating_mul(parts)))]
        }
    }
}

/// The noisy share whose national figure is furthest off, in words.
fn furthest(model: &Model) -> Option<String> {
    let noisy = model.shares.iter().filter_map(|s| match s.protection {
        Protection::Noise { here, national, .. } => Some((national, here, s)),
        Protection::Plain { .. } | Protection::Once(_) => None,
    });
    let (national, here, share) = noisy.max_by_key(|(national, ..)| *national)?;
    let partners = model.partners;
    let (national, here) = (whole(national), whole(here));
    Some(if share.is_total() {
        format!(
            "Noise ({} at worst): 95 % within ±{national} on the national figure, one total over {partners} partners (Scotland's councils) who \
             share the noise.",
            share.id
        )
    } else {
        format!(
            "Noise ({} at worst): 95 % within ±{here} on one answer; 95 % within ±{national} on the national figure, the sum of {partners} \
             partners (Scotland's councils), each with its own noise.",
            share.id
        )
    })
}

/// The brake, and what else ends it.
pub(crate) fn stopping() -> Section {
    let items = [
        "A duty officer writes `pause_all = true` in local-brake.toml. Within a second nothing is answered, also offline. One share or \
         one analyst can be stopped the same way. It needs no signature and can only refuse more; a file that cannot be read stops \
         everything.",
        "Let the policy lapse, or stop the node: the records have never left.",
    ];
    Section::new("how-to-stop", "How to stop it", vec![Block::items(items)])
}

/// What no setting of a policy changes. Said in every reading, so that a board signs knowing it (docs/THREATS.md).
pub(crate) fn limits(model: &Model) -> Section {
    let mut items = vec![match model.once.is_empty() {
        true => "A person known to other partners too is counted at each, and protected at each on its own.",
        false => "Unless counted once, a person known to several partners is counted and protected at each.",
    }];
    if !model.once.is_empty() {
        items.push(
            "People counted once are counted by linkage key: whoever stands under two keys counts twice, and no error that is said of the \
             figure covers that. One partner that lies can move it.",
        );
    }
    if model.shares.iter().any(|s| matches!(s.protection, Protection::Plain { .. })) {
        items.push(
            "Withholding, rounding and cell keys keep a rule exactly and promise no more. Somebody who compares many tables, or knows most \
             people in a cell, can learn more than one table shows.",
        );
    }
    items.extend([
        "A table cannot be called back. Whoever objects afterwards stays in the tables made before.",
        "Whoever runs this partner's machines sees its records. A partner that lies is not found out.",
    ]);
    Section::new("not-protected", "What it does not protect against", vec![Block::items(items)])
}

/// What is kept, and what readers agree to.
pub(crate) fn afterwards(model: &Model) -> Section {
    let mut items = Vec::new();
    if let Some(years) = model.audit_keep_years {
        items.push(format!(
            "The register of questions is kept for {years} years; the program deletes none of it by itself."
        ));
    }
    if let Some(days) = model.answers_cached_days {
        items.push(format!(
            "Stored answers are kept for {days} days, so that an equal question gets the same table."
        ));
    }
    if !model.conditions.is_empty() {
        items.push(format!(
            "Whoever receives a table agrees, by the agreement and not by any lock: {}.",
            model.conditions.join("; ")
        ));
    }
    Section::new("afterwards", "Afterwards", vec![Block::items(items)])
}

/// The nine parts of the action plan.
pub(crate) fn plan(model: &Model) -> Section {
    let parts = model.plan.iter().map(|(part, says)| format!("{part}: {says}."));
    Section::new("action-plan", "Annex, the action plan behind it", vec![Block::items(parts)])
}
