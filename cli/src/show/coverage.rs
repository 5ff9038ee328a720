//! The coverage statement in words.

use std::fmt::Write as _;

use cairn_question::answer::SnapshotStatement;
use cairn_question::combine::Standing;
use cairn_question::{Day, PartnerId, RuleBroken, TotalV1, TreatmentV1};

use super::statement::statement;
use super::{Shown, treatment_in_words};

/// Coverage, treatments and notes: printed under every table.
pub(super) fn in_words(shown: &Shown) -> String {
    let mut text = format!("Coverage: {} of {} partners answered\n", shown.answered(), shown.asked());
    answered(shown, &mut text);
    refused(shown, &mut text);
    for line in &shown.coverage.partners {
        let partner = &line.partner;
        let _ = match &line.standing {
            Standing::Answered | Standing::Refused(_) => Ok(()),
            Standing::Fault(code) => {
                writeln!(text, "  failed    {partner}: {code}; its own log has the story")
            }
            Standing::Offline => writeln!(text, "  offline   {partner} (the coordinator's word alone)"),
            Standing::Late => writeln!(
                text,
                "  late      {partner}: its connection was up, and no reply came by the deadline (the coordinator's word alone)"
            ),
            Standing::Unverified => {
                writeln!(text, "  left out  {partner}: what it sent is not signed by its registered key")
            }
        };
    }
    policies(shown, &mut text);
    treatments(shown, &mut text);
    text
}

/// The policy that decided at each partner that replied, those with the same last day together.
fn policies(shown: &Shown, text: &mut String) {
    let mut ends: Vec<(Option<Day>, Vec<String>)> = Vec::new();
    for line in &shown.coverage.partners {
        let Some(policy) = &line.policy else { continue };
        let decided = format!("{} {policy}", line.partner);
        match ends.iter_mut().find(|(until, _)| *until == policy.until) {
            Some((_, partners)) => partners.push(decided),
            None => ends.push((policy.until, vec![decided])),
        }
    }
    for (until, partners) in ends {
        let until = until.map_or_else(String::new, |day| format!(" (in force until {day})"));
        let _ = writeln!(text, "Policies that decided{until}: {}", partners.join(", "));
    }
}

/// Refusals, partners with the same one together: every rule, and the nearest question that would be answered.
fn refused(shown: &Shown, text: &mut String) {
    type No<'a> = (&'a Vec<RuleBroken>, Option<&'a str>);
    let mut noes: Vec<(No<'_>, Vec<&PartnerId>)> = Vec::new();
    for line in &shown.coverage.partners {
        let Standing::Refused(rules) = &line.standing else { continue };
        let no = (rules, nearest(shown, &line.partner));
        match noes.iter_mut().find(|(seen, _)| *seen == no) {
            Some((_, partners)) => partners.push(&line.partner),
            None => noes.push((no, vec![&line.partner])),
        }
    }
    for ((rules, nearest), partners) in noes {
        let _ = writeln!(text, "  refused   {}", names(&partners));
        for rule in rules {
            let _ = writeln!(text, "              {} [{}]: {}", rule.rule, rule.code, rule.says);
        }
        if rules.iter().any(|rule| OTHER_TERMS.contains(&rule.code.as_str())) {
            let _ = writeln!(
                text,
                "              ask with the framework that these partners have: --framework FILE"
            );
        }
        if let Some(nearest) = nearest {
            let _ = writeln!(text, "              nearest question that would be answered: {nearest}");
        }
    }
}

fn answered(shown: &Shown, text: &mut String) {
    let own = shown.answers.iter().map(|(partner, answer)| (partner, &answer.snapshot));
    by_day("answered", own, text);
    let sealed = shown.sealed.iter().map(|(partner, sealed)| (partner, &sealed.snapshot));
    by_day("in total", sealed, text);
    let provisional: Vec<&PartnerId> =
        snapshots(shown).filter(|(_, snapshot)| snapshot.provisional).map(|(p, _)| p).collect();
    if !provisional.is_empty() {
        let _ = writeln!(text, "  [p] provisional, since late rows are expected: {}", names(&provisional));
    }
}

/// The snapshot of every partner that answered, with its own table or in a total.
fn snapshots(shown: &Shown) -> impl Iterator<Item = (&PartnerId, &SnapshotStatement)> {
    let own = shown.answers.iter().map(|(partner, answer)| (partner, &answer.snapshot));
    own.chain(shown.sealed.iter().map(|(partner, sealed)| (partner, &sealed.snapshot)))
}

/// A line for each day that the records stand for.
fn by_day<'a>(
    word: &str,
    snapshots: impl Iterator<Item = (&'a PartnerId, &'a SnapshotStatement)>,
    text: &mut String,
) {
    let mut days: Vec<(Day, Vec<&PartnerId>)> = Vec::new();
    for (partner, snapshot) in snapshots {
        match days.iter_mut().find(|(day, _)| *day == snapshot.as_of) {
            Some((_, partners)) => partners.push(partner),
            None => days.push((snapshot.as_of, vec![partner])),
        }
    }
    for (day, partners) in days {
        let _ = writeln!(text, "  {word}  {} (records as of {day})", names(&partners));
    }
}

fn treatments(shown: &Shown, text: &mut String) {
    let treatments = shown.treatments();
    for (treatment, partners) in &treatments {
        let whose = match partners.as_slice() {
            _ if treatments.len() == 1 => "every table".to_owned(),
            few if few.len() <= NAMED_MAX => names(few),
            many => format!("{} partners' tables", many.len()),
        };
        let _ = writeln!(text, "Protection, {whose}: {}", treatment_in_words(treatment));
    }
    for line in statement(shown) {
        let _ = writeln!(text, "{line}");
    }
    let mut notes: Vec<&String> = snapshots(shown).flat_map(|(_, snapshot)| &snapshot.notes).collect();
    notes.sort();
    notes.dedup();
    for note in notes {
        let _ = writeln!(text, "Note: {note}");
    }
    let once = matches!(shown.coverage.total, Some(TotalV1 { treatment: TreatmentV1::CountOnce { .. }, .. }));
    if shown.answered() > 1 && !once {
        let _ = writeln!(
            text,
            "Note: partners' tables are added up, so a person known to two partners counts twice."
        );
    }
}

/// A manifest whose terms a partner's framework does not have.
const OTHER_TERMS: [&str; 4] = ["CM115", "CM116", "CM117", "CM126"];

/// Most partners that are named where a treatment is not everybody's.
const NAMED_MAX: usize = 4;

fn nearest<'a>(shown: &'a Shown, partner: &PartnerId) -> Option<&'a str> {
    shown.refusals.iter().find(|(p, _)| p == partner)?.1.as_deref()
}

fn names(partners: &[&PartnerId]) -> String {
    partners.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ")
}
