//! A policy in plain English: what never leaves, who may ask, one paragraph a share, what it costs, how to stop it.

use std::collections::BTreeSet;

use cairn_question::Measure;
use cairn_question::answer::Zeros;
use cairn_question::schema::CODE_GRAIN;

use crate::decimal;
use crate::document::Columns;
use crate::layers::{Layers, Ready};
use crate::treatment::{Cells, Method};

/// The policy in words, as a board reads it: 100 columns wide, no figure that depends on a record.
#[must_use]
pub fn explain(layers: &Layers) -> String {
    let parts = [
        title(layers),
        never(layers),
        askers(layers),
        shares(layers),
        budget(layers),
        afterwards(layers),
        stopping(layers),
        limits(layers),
        plan(layers),
    ];
    parts.join("\n")
}

fn title(layers: &Layers) -> String {
    let (head, (from, until)) = (&layers.head, layers.in_force());
    let statement = layers.statement();
    let first = format!("{}: what is shared, and what never is\n", head.controller);
    let rule = "=".repeat(first.chars().count() - 1);
    let supersedes = head.supersedes.map(|h| format!(" It replaces the policy {h}.")).unwrap_or_default();
    let text = format!(
        "Policy {} version {}, under the framework {} version {}. In force from {from} to {until}, days in London; \
         after that nothing is answered. The board reviews it by {}.{supersedes} Legal basis: {}. Agreement {}, impact \
         assessment {}. Questions: {}. Privacy notice: {}.",
        statement.id,
        statement.version,
        head.framework.0.value,
        head.framework.1.value,
        head.review_by.value,
        head.legal_basis,
        head.agreement,
        head.dpia,
        head.contact,
        head.notice_url
    );
    format!("{first}{rule}\n\n{}", paragraph(&text, ""))
}

/// Every column that no share uses, and every table that is not held.
fn never(layers: &Layers) -> String {
    let mut text = "NEVER LEAVES, in any form:\n\n".to_owned();
    text.push_str(&item("Any record of a person, any name, address, date of birth, number or free text."));
    text.push_str(&item(
        "Anything about a person who has objected, or whose objection is not known: they are left out before \
         anything is counted, and never counted or reported.",
    ));
    let used = used(layers);
    for table in layers.schema.tables() {
        if !layers.policy.datasets.contains_key(&table.name) {
            text.push_str(&item(&format!("The whole table of {}.", words(&table.name))));
            continue;
        }
        let name = |c: &cairn_question::schema::Column| c.flag_of.clone().unwrap_or_else(|| c.name.clone());
        let mut kept: Vec<String> = Vec::new();
        for column in table.columns.iter().filter(|c| !used.contains(&(table.name.as_str(), c.name.as_str())))
        {
            let name = words(&name(column));
            if !kept.contains(&name) {
                kept.push(name);
            }
        }
        text.push_str(&item(&format!("Of {}: {}.", words(&table.name), kept.join(", "))));
    }
    text
}

/// Table and column of everything that some share lists.
fn used(layers: &Layers) -> BTreeSet<(&str, &str)> {
    let mut used = BTreeSet::new();
    for share in layers.shares.iter().map(|r| &r.share) {
        let columns = share.group_by.iter().chain(&share.filter_by);
        for found in columns.filter_map(|(c, _)| layers.schema.find(&share.dataset.value, &c.value)) {
            used.insert((found.table.name.as_str(), found.column.name.as_str()));
        }
    }
    used
}

fn askers(layers: &Layers) -> String {
    let mut text = "WHO MAY ASK\n\n".to_owned();
    for (name, role) in layers.policy.roles.iter().filter_map(|(n, r)| Some((n, r.as_ref()?))) {
        let says = format!(
            "{name}: each vouched for by {}, which agreed to name at most {} people (no node counts them).",
            role.issuer.value, role.max_people.value
        );
        text.push_str(&item(&says));
    }
    text.push_str(&item(
        "Nobody else. Each question is signed by the person who asks it, and is kept in the register.",
    ));
    text
}

fn shares(layers: &Layers) -> String {
    let mut text = "WHAT IS SHARED\n\n".to_owned();
    for ready in &layers.shares {
        text.push_str(&paragraph(&share(layers, ready), "  "));
        text.push('\n');
    }
    text.pop();
    text
}

fn share(layers: &Layers, ready: &Ready) -> String {
    let (share, settings) = (&ready.share, &ready.settings);
    let purpose = layers.policy.purposes.get(share.purpose.value.as_str()).and_then(|p| p.as_ref());
    let purpose = purpose.map(|p| format!("{} ({})", p.text, p.basis)).unwrap_or_default();
    let row = layers.schema.table(&share.dataset.value).map_or("row", |t| t.one_row_is.as_str());
    let counted = share.answers.iter().filter_map(|a| match &a.value {
        Measure::People => Some("people".to_owned()),
        Measure::Rows => Some(format!("{row}s")),
        Measure::Sum(_) | Measure::Mean(_) => None,
    });
    let counted: Vec<String> = counted.collect();
    let added = share.answers.iter().filter_map(|a| match &a.value {
        Measure::Sum(column) => Some(format!("the sum of {}", words(column))),
        Measure::Mean(column) => Some(format!("the average of {}", words(column))),
        Measure::People | Measure::Rows => None,
    });
    let how_many = (!counted.is_empty()).then(|| format!("how many {} there are", counted.join(" or ")));
    let asked: Vec<String> = how_many.into_iter().chain(added).collect();
    let mut says = format!(
        "{}. Analysts in the role {} may ask {} in {}. Purpose: {purpose}. ",
        share.id.value,
        share.role.value,
        asked.join(" or "),
        words(&share.dataset.value)
    );
    says.push_str(&listed("broken down by", &share.group_by, settings.max_group_columns));
    says.push_str(&listed("narrowed by", &share.filter_by, settings.max_filter_columns));
    for apart in &share.never_together {
        let names: Vec<String> = apart.value.iter().map(|c| words(&c.value)).collect();
        says.push_str(&format!("Never together: {}. ", names.join(" and ")));
    }
    if let Some(window) = &share.window {
        let from = settings.window_from.unwrap_or(window.from.value);
        says.push_str(&format!("Only rows whose {} is {from} or later count", words(&window.column.value)));
        says.push_str(&match settings.lag_days {
            0 => ". ".to_owned(),
            days => format!(", and not the last {days} days before the snapshot. "),
        });
    }
    if settings.min_cohort > 0 {
        let least = settings.min_cohort;
        says.push_str(&format!(
            "A filter must leave out nobody or at least {least} people; else the table is withheld. "
        ));
    }
    says.push_str(&protection(&ready.method));
    says.push_str(&format!(
        " Each analyst may ask for {} tables a day and {} a year.",
        settings.tables_per_day.unwrap_or(0),
        settings.tables_per_year.unwrap_or(0)
    ));
    says
}

fn listed(verb: &str, columns: &Columns, most: Option<u32>) -> String {
    if columns.is_empty() {
        return format!("It may not be {verb} anything. ");
    }
    let column = |(column, grain): &(crate::read::At<String>, crate::read::At<String>)| {
        if grain.value == CODE_GRAIN {
            words(&column.value)
        } else {
            format!("{} by {}", words(&column.value), grain.value)
        }
    };
    let names: Vec<String> = columns.iter().map(column).collect();
    format!("It may be {verb} at most {} of: {}. ", most.unwrap_or(0), names.join(", "))
}

fn protection(method: &Method) -> String {
    match method {
        Method::SuppressRound(cells) | Method::SuppressAudit(cells) | Method::CellKey { cells, .. } => {
            let Cells { min_people, round_to, zeros, .. } = cells;
            let zero = match zeros {
                Zeros::Show => "0 is shown",
                Zeros::Withhold => "0 is withheld",
            };
            let most = min_people.saturating_sub(1);
            format!(
                "Protection: {zero}, 1 to {most} are withheld, other counts are given to the nearest {round_to}."
            )
        }
        Method::Dp { epsilon, groups_per_person } => {
            let within = noise_within(epsilon.millionths(), *groups_per_person);
            format!(
                "Protection: random noise on every count, ε = {epsilon} a table; 95 in 100 counts are within {within} of \
                 the true one, and a table changes the odds of any guess about one person by a factor of {} at most.",
                odds(epsilon.millionths())
            )
        }
    }
}

/// e^ε, rounded up to the next hundredth: what a table under ε can do to the odds of a guess (Dwork and Roth 2014, section 2.3).
fn odds(epsilon_millionths: u32) -> String {
    format!("{:.2}", ((f64::from(epsilon_millionths) / 1e6).exp() * 100.0).ceil() / 100.0)
}

/// The n for which 95 in 100 draws of discrete Laplace noise, of scale groups ÷ ε, are within ±n: the smallest n with
/// 2·aⁿ⁺¹ ÷ (1 + a) ≤ 0.05, a = exp(−ε ÷ groups).
fn noise_within(epsilon_millionths: u32, groups_per_person: u32) -> u32 {
    let a = (-f64::from(epsilon_millionths) / 1e6 / f64::from(groups_per_person.max(1))).exp();
    let tail = |n: &u32| 2.0 * a.powf(f64::from(*n) + 1.0) / (1.0 + a);
    (0..NOISE_WORDS_MAX).find(|n| tail(n) <= 0.05).unwrap_or(NOISE_WORDS_MAX)
}

/// Noise beyond this is said as this: no policy within the floor reaches it.
const NOISE_WORDS_MAX: u32 = 1_000_000;

fn budget(layers: &Layers) -> String {
    let mut text = "WHAT IT CAN COST A PERSON\n\n".to_owned();
    let bought = layers.tables_bought();
    if bought.is_empty() {
        text.push_str(&item("No share uses noise, so no person's privacy account is drawn on."));
        return text;
    }
    let budget = &layers.budget;
    text.push_str(&item(&format!(
        "Each person has one privacy account, for all shares, analysts and versions of this policy: ε {} a year from {:02}-{:02} \
         (month-day) and ε {} for life, at δ {:e}. Nothing refills it.",
        decimal::print(budget.per_year.value),
        budget.year_starts.0,
        budget.year_starts.1,
        decimal::print(budget.lifetime.value),
        budget.delta.value
    )));
    for shares in bought {
        text.push_str(&item(&format!(
            "That pays for {} tables of {} a year and {} in all, if nothing else is asked.",
            shares.per_year, shares.share, shares.lifetime
        )));
    }
    text
}

fn afterwards(layers: &Layers) -> String {
    let mut text = "AFTERWARDS\n\n".to_owned();
    if let Some(records) = &layers.policy.records {
        text.push_str(&item(&format!(
            "The board has the register of questions kept for {} years; the program deletes none of it by itself.",
            records.audit_keep_years
        )));
        for condition in &records.conditions {
            text.push_str(&item(&format!(
                "Whoever receives a table agrees, by the agreement and not by any lock: {condition}."
            )));
        }
    }
    text
}

fn stopping(layers: &Layers) -> String {
    let mut text = "HOW TO STOP IT\n\n".to_owned();
    let says = "A duty officer writes `pause_all = true` in local-brake.toml: within seconds nothing is answered, also when \
                the node is offline. A share or an analyst can be stopped the same way. The brake needs no signature and \
                can only refuse more; a brake that cannot be read stops everything.";
    text.push_str(&item(says));
    text.push_str(&item("Let the policy lapse, or stop the node: the records have never left."));
    if layers.brake.pause_all {
        text.push_str(&item("The brake is on now: everything is paused."));
    }
    text
}

/// What no setting of a policy changes. Said in every reading, so that a board signs knowing it (docs/THREATS.md).
fn limits(layers: &Layers) -> String {
    let mut text = "WHAT IT DOES NOT PROTECT AGAINST\n\n".to_owned();
    let says = "This partner's own protected table is seen under its name by the coordinator and by whoever asked. A \
                person known to other partners too is counted at each, and protected at each on its own.";
    text.push_str(&item(says));
    let plain = layers.shares.iter().any(|r| r.method.cells().is_some());
    if plain {
        text.push_str(&item(
            "Withholding and rounding keep a rule exactly and promise no more: somebody who compares many tables, or who \
             already knows most of the people in a cell, can learn more than one table shows. They draw on no privacy \
             account; only the columns and the number of tables limit them.",
        ));
    }
    text.push_str(&item(
        "A table cannot be called back. Somebody who objects afterwards is in no count of a later export, and stays in the tables made before.",
    ));
    text.push_str(&item("Whoever administers this partner's machines sees this partner's records."));
    text
}

fn plan(layers: &Layers) -> String {
    let mut text = "THE ACTION PLAN BEHIND IT\n\n".to_owned();
    for (part, says) in &layers.head.plan {
        text.push_str(&item(&format!("{part}: {says}.")));
    }
    text
}

/// A column or table as words: `participants.age_band` is "age band".
fn words(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).replace('_', " ")
}

fn item(text: &str) -> String {
    let wrapped = paragraph(text, "    ");
    format!("  * {}", wrapped.trim_start())
}

/// Wraps at 100 columns with an indent; ends with a line end.
fn paragraph(text: &str, indent: &str) -> String {
    let mut lines = vec![indent.to_owned()];
    for word in text.split_whitespace() {
        let fits = lines.last().is_some_and(|l| l.chars().count() + word.chars().count() < WIDTH);
        if !fits {
            lines.push(indent.to_owned());
        }
        if let Some(line) = lines.last_mut() {
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

/// Columns of a line.
const WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{EXAMPLES, loaded};

    #[test]
    fn the_shipped_policies_read_as_a_board_reads_them() {
        for name in EXAMPLES {
            insta::assert_snapshot!(format!("explain_{name}"), explain(&loaded(name)));
        }
    }

    #[test]
    fn what_never_leaves_comes_before_what_does() {
        let text = explain(&loaded("health-board"));
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}"));
        assert!(at("NEVER LEAVES, in any form:") < at("WHO MAY ASK"));
        assert!(at("parental status") < at("WHO MAY ASK"));
        assert!(!text.get(at("WHAT IS SHARED")..).unwrap().contains("parental status"));
    }

    #[test]
    fn odds_are_rounded_up() {
        assert_eq!([0, 200_000, 1_000_000].map(odds), ["1.00", "1.23", "2.72"]);
    }

    #[test]
    fn noise_is_said_as_the_distribution_has_it() {
        // Scale 5: tail beyond 15 is 2·e^(−16/5) ÷ (1 + e^(−1/5)) = 0.0448, beyond 14 is 0.0547.
        assert_eq!(noise_within(200_000, 1), 15);
        assert!(noise_within(200_000, 2) > 28);
    }
}
