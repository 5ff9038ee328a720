//! The coverage statement in words.

use std::fmt::Write as _;

use cairn_question::PartnerId;
use cairn_question::combine::Standing;

use super::{Shown, treatment_in_words};

/// Coverage, treatments and notes: printed under every table.
pub(super) fn in_words(shown: &Shown) -> String {
    let mut text = format!("Coverage: {} of {} partners answered\n", shown.answered(), shown.asked());
    answered(shown, &mut text);
    for line in &shown.coverage.partners {
        let partner = &line.partner;
        match &line.standing {
            Standing::Answered => {}
            Standing::Refused(rules) => {
                let _ = writeln!(text, "  refused   {partner}");
                for rule in rules {
                    let _ = writeln!(text, "              {} [{}]: {}", rule.rule, rule.code, rule.says);
                }
                if let Some(nearest) = nearest(shown, partner) {
                    let _ = writeln!(text, "              nearest question it would answer: {nearest}");
                }
            }
            Standing::Fault(code) => {
                let _ = writeln!(text, "  failed    {partner}: {code}; its own log has the story");
            }
            Standing::Offline => {
                let _ = writeln!(text, "  offline   {partner} (the coordinator's word alone)");
            }
            Standing::Late => {
                let _ = writeln!(
                    text,
                    "  late      {partner}: connected, no reply by the deadline (the coordinator's word alone)"
                );
            }
            Standing::Unverified => {
                let _ =
                    writeln!(text, "  left out  {partner}: what it sent is not signed by its registered key");
            }
        }
    }
    treatments(shown, &mut text);
    text
}

fn answered(shown: &Shown, text: &mut String) {
    let mut days: Vec<(cairn_question::Day, Vec<&PartnerId>)> = Vec::new();
    for (partner, answer) in &shown.answers {
        match days.iter_mut().find(|(day, _)| *day == answer.snapshot.as_of) {
            Some((_, partners)) => partners.push(partner),
            None => days.push((answer.snapshot.as_of, vec![partner])),
        }
    }
    for (day, partners) in days {
        let _ = writeln!(text, "  answered  {} (records as of {day})", names(&partners));
    }
    let provisional: Vec<&PartnerId> =
        shown.answers.iter().filter(|(_, a)| a.snapshot.provisional).map(|(p, _)| p).collect();
    if !provisional.is_empty() {
        let _ = writeln!(text, "  [p] provisional, since late rows are expected: {}", names(&provisional));
    }
}

fn treatments(shown: &Shown, text: &mut String) {
    let treatments = shown.treatments();
    for (treatment, partners) in &treatments {
        let whose = if treatments.len() == 1 { "every table".to_owned() } else { names(partners) };
        let _ = writeln!(text, "Protection, {whose}: {}", treatment_in_words(treatment));
    }
    let charged: Vec<_> = shown.answers.iter().filter(|(_, a)| a.privacy.charged.nano() > 0).collect();
    for (partner, answer) in charged {
        let p = &answer.privacy;
        let _ = writeln!(
            text,
            "Privacy loss at {partner}: ρ {} for this table, {} of {} this year",
            p.charged, p.year_so_far, p.year_cap
        );
    }
    let mut notes: Vec<&String> = shown.answers.iter().flat_map(|(_, a)| &a.snapshot.notes).collect();
    notes.sort();
    notes.dedup();
    for note in notes {
        let _ = writeln!(text, "Note: {note}");
    }
    if shown.answered() > 1 {
        let _ = writeln!(
            text,
            "Note: partners' tables are added up, so a person known to two partners counts twice."
        );
    }
}

fn nearest<'a>(shown: &'a Shown, partner: &PartnerId) -> Option<&'a str> {
    shown.refusals.iter().find(|(p, _)| p == partner)?.1.as_deref()
}

fn names(partners: &[&PartnerId]) -> String {
    partners.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ")
}
