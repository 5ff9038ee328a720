//! The audit for people: who asked what, when, and what left.

use cairn_question::answer::{TreatmentV1, Zeros};
use std::fmt::Write as _;

use crate::entry::{Entry, EntryKind};

/// Entries as `cairn audit show` prints them. Control characters in what came from outside are replaced.
#[must_use]
pub fn render(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        write(entry, &mut text);
    }
    text
}

fn write(entry: &Entry, text: &mut String) {
    let _ = writeln!(text, "{:>6}  {}  {}", entry.seq, entry.at, headline(entry));
    for line in details(entry).iter().flatten() {
        let _ = writeln!(text, "        {}", plain(line));
    }
}

const fn says(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Start => "the node started",
        EntryKind::Stop => "the node stopped",
        EntryKind::Load => "a snapshot was published",
        EntryKind::Erase => "records were erased",
        EntryKind::Policy => "policy",
        EntryKind::Brake => "brake",
        EntryKind::Restore => "a restored backup was acknowledged",
        EntryKind::QuestionAnswered => "ANSWERED",
        EntryKind::QuestionRepeated => "ANSWERED with the table given before",
        EntryKind::QuestionRefused => "REFUSED",
        EntryKind::QuestionFailed => "FAILED",
    }
}

fn headline(entry: &Entry) -> String {
    let who = entry.analyst.as_ref().map(|analyst| {
        let of = entry.organisation.as_ref().map(|of| format!(" ({of})")).unwrap_or_default();
        let role = entry.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
        let purpose = entry.purpose.as_ref().map(|purpose| format!(" for {purpose}")).unwrap_or_default();
        format!("  {analyst}{of}{role}{purpose}")
    });
    plain(&format!("{}{}", says(entry.kind), who.unwrap_or_default()))
}

/// The lines below the headline; `None` where the entry has nothing to say.
fn details(entry: &Entry) -> Vec<Option<String>> {
    let mut lines = vec![entry.question.clone()];
    lines.extend(entry.rules.iter().map(|r| Some(format!("{}  {}: {}", r.code, r.rule, r.says))));
    lines.push(entry.cells.map(|cells| {
        let how = entry.treatment.as_ref().map(treatment).unwrap_or_default();
        format!("left: a table of {cells} cells{how}")
    }));
    lines.push(entry.partners.map(|n| format!("opened only as a part of the total of {n} partners")));
    lines.push(entry.snapshot.map(|s| format!("snapshot of {}, edition {}", s.as_of, s.edition)));
    lines.push(cost(entry));
    lines.push(entry.policy.as_ref().map(|p| format!("policy {} version {}", p.id, p.version)));
    lines.push(entry.code.as_ref().map(|code| format!("code {code}")));
    lines.push(entry.note.clone());
    lines.push(entry.question_id.map(|id| format!("question {id}")));
    lines
}

fn cost(entry: &Entry) -> Option<String> {
    let year = entry.year_so_far.map(|year| format!("the policy year stands at ρ {year}"));
    match (entry.cost, year) {
        (Some(cost), Some(year)) => Some(format!("cost ρ {cost}; {year}")),
        (Some(cost), None) => Some(format!("cost ρ {cost}")),
        (None, year) => year,
    }
}

fn treatment(treatment: &TreatmentV1) -> String {
    match treatment {
        TreatmentV1::SuppressRound {
            profile, min_people, round_to, promise: Some(_), min_cohort, ..
        } => {
            let cohort = cohort(*min_cohort);
            format!(
                ", fewer than {min_people} withheld with the cells that would give them away, 0 shown, rounded to {round_to}{cohort} ({profile})"
            )
        }
        TreatmentV1::SuppressRound { profile, min_people, round_to, zeros, min_cohort, .. } => {
            let zeros = match zeros {
                Zeros::Show => "0 shown",
                Zeros::Withhold => "0 withheld",
            };
            let cohort = cohort(*min_cohort);
            format!(", fewer than {min_people} withheld, {zeros}, rounded to {round_to}{cohort} ({profile})")
        }
        TreatmentV1::SuppressAudit { profile, min_people, .. } => {
            format!(
                ", exact, fewer than {min_people} withheld with the cells that would give them away, 0 shown ({profile})"
            )
        }
        TreatmentV1::CellKey {
            profile, table, max_change, min_people, round_to, min_cohort, total, ..
        } => {
            let total =
                total.map_or_else(String::new, |total| format!(" in a total of {} partners", total.partners));
            format!(
                ", changed by at most {max_change} by the keys of the people ({table}){total}, fewer than {min_people} withheld, rounded to {round_to}{} ({profile})",
                cohort(*min_cohort)
            )
        }
        TreatmentV1::Dp { mechanism, epsilon, sensitivity, plus_minus_95, added, concentrated } => {
            let bounds = added.as_ref().map(|a| format!(" {}, {} to {} a row", a.unit, a.least, a.most));
            let bounds = bounds.unwrap_or_default();
            let loss = concentrated.map_or_else(|| format!("ε {epsilon}"), |loss| format!("ρ {}", loss.rho));
            format!(
                ", {mechanism} noise at {loss}, a person adds at most {sensitivity}{bounds}, 95 in 100 cells within ±{plus_minus_95}"
            )
        }
        TreatmentV1::CountOnce { epsilon, keys_per_person, breakdown, .. } => {
            let cells = breakdown.map_or_else(String::new, |of| {
                format!(", each in at most {} of {} cells", of.cells_per_person(), of.cells())
            });
            format!(
                ", people counted once at ε {epsilon} a linkage key, at most {keys_per_person} a person{cells}"
            )
        }
    }
}

fn cohort(least: u32) -> String {
    match least {
        0 | 1 => String::new(),
        least => format!(", whole table withheld where a filter leaves out 1 to {}", least - 1),
    }
}

/// No control or direction-changing character from outside reaches a terminal.
fn plain(line: &str) -> String {
    let unsafe_to_show = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    line.chars().map(|c| if unsafe_to_show(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
