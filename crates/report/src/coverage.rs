//! Who is in a figure, who is not, and why.

use std::collections::{BTreeMap, BTreeSet};

use cairn_question::PartnerId;
use cairn_question::combine::Standing;

use crate::outcome::Outcome;

/// Printed with every report: the sum over partners is not a number of people.
pub const OVERSTATES: &str =
    "Adding partners up overstates people: somebody known to two partners counts twice.";

/// How the partners stand over all questions of one indicator.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Coverage {
    /// Partners that were asked at least one of the questions.
    pub asked: usize,
    /// Answered every question.
    pub answered: Vec<PartnerId>,
    /// Answered some questions; they are in those figures only of which they answered every part.
    pub in_part: Vec<PartnerId>,
    /// Answered none, and refused at least one: the rules that said no.
    pub refused: Vec<Refused>,
    /// Something broke there, or its reply did not verify: its code or `unverified`.
    pub failed: Vec<(PartnerId, String)>,
    /// Connected, and had not replied by the deadline.
    pub late: Vec<PartnerId>,
    /// Not connected.
    pub offline: Vec<PartnerId>,
    /// In a total by the word of the others: their own has not come, as where a node stopped when it had opened.
    pub by_others_word: Vec<PartnerId>,
}

/// A partner that refused, and under which rules.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The partner.
    pub partner: PartnerId,
    /// Code and name of each rule, each once: `CR104 share.group_by.area`.
    pub rules: Vec<String>,
}

impl Coverage {
    /// The standing of each partner over these questions.
    pub(crate) fn of(outcomes: &[&Outcome]) -> Self {
        let mut standings: BTreeMap<&PartnerId, Vec<&Standing>> = BTreeMap::new();
        let mut answers: BTreeMap<&PartnerId, usize> = BTreeMap::new();
        for outcome in outcomes {
            for line in outcome.coverage.iter().flat_map(|c| &c.partners) {
                standings.entry(&line.partner).or_default().push(&line.standing);
            }
            for partner in outcome.released.iter().flat_map(|released| &released.of) {
                *answers.entry(partner).or_default() += 1;
                standings.entry(partner).or_default();
            }
        }
        let mut coverage = Self { asked: standings.len(), ..Self::default() };
        for (partner, standings) in standings {
            coverage.place(partner, &standings, answers.get(partner).copied().unwrap_or(0), outcomes.len());
        }
        let silent: BTreeSet<&PartnerId> = outcomes.iter().flat_map(|o| silent_in(o)).collect();
        coverage.by_others_word = silent.into_iter().cloned().collect();
        coverage
    }

    fn place(&mut self, partner: &PartnerId, standings: &[&Standing], answers: usize, questions: usize) {
        let partner = partner.clone();
        if answers == questions {
            return self.answered.push(partner);
        }
        if answers > 0 {
            return self.in_part.push(partner);
        }
        let rules = rules(standings);
        if !rules.is_empty() {
            return self.refused.push(Refused { partner, rules });
        }
        // A partner that the coordinator counts as answered, without a reply that was verified here, is not in the sum.
        let failed = standings.iter().find_map(|s| match s {
            Standing::Fault(code) => Some(code.clone()),
            Standing::Unverified | Standing::Answered => Some("unverified".to_owned()),
            Standing::Refused(_) | Standing::Offline | Standing::Late => None,
        });
        match failed {
            Some(code) => self.failed.push((partner, code)),
            None if standings.iter().any(|s| **s == Standing::Late) => self.late.push(partner),
            None => self.offline.push(partner),
        }
    }

    /// One line a kind of standing, those that answered first.
    #[must_use]
    pub fn says(&self) -> Vec<String> {
        let mut lines = vec![format!("Answered: {} of {} partners.", self.answered.len(), self.asked)];
        let mut say = |what: &str, names: Vec<String>| {
            if !names.is_empty() {
                lines.push(format!("{what}: {}.", names.join("; ")));
            }
        };
        let plain = |partners: &[PartnerId]| partners.iter().map(ToString::to_string).collect::<Vec<_>>();
        say("Answered some of the questions", plain(&self.in_part));
        say(
            "Refused",
            self.refused.iter().map(|r| format!("{} ({})", r.partner, r.rules.join(", "))).collect(),
        );
        say("Failed", self.failed.iter().map(|(p, code)| format!("{p} ({code})")).collect());
        say("Late", plain(&self.late));
        say("Offline", plain(&self.offline));
        say(
            "In a total by the word of its other partners, its own has not come",
            plain(&self.by_others_word),
        );
        lines
    }
}

/// Who is in what was released, and did not answer for itself.
fn silent_in(outcome: &Outcome) -> impl Iterator<Item = &PartnerId> {
    let lines = outcome.coverage.iter().flat_map(|c| &c.partners);
    let silent = lines.filter(|line| line.standing != Standing::Answered).map(|line| &line.partner);
    silent.filter(|partner| outcome.released.iter().any(|released| released.of.contains(*partner)))
}

fn rules(standings: &[&Standing]) -> Vec<String> {
    let mut rules: Vec<String> = standings
        .iter()
        .filter_map(|s| match s {
            Standing::Refused(rules) => Some(rules),
            _ => None,
        })
        .flatten()
        .map(|r| format!("{} {}", r.code, r.rule))
        .collect();
    rules.sort();
    rules.dedup();
    rules
}
