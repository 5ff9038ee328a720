//! What an audit log says was asked, put to another policy: which questions would have had another answer.
//!
//! No record is read: a verdict depends on the question and the policy only. Both policies decide without their brakes, on
//! the day of the question or the nearest day on which each is in force, so that what differs is the policy.

use std::collections::BTreeMap;

use cairn_question::form::print;
use cairn_question::{Day, Name, Question, RuleBroken};

use crate::cases::facts;
use crate::decide::{Asker, judge};
use crate::layers::Layers;
use crate::treatment::Treatment;

mod line;
mod render;

pub use line::LINE_BYTES_MAX;
use line::{Asked, Logged};

/// Two policies that are compared over a log, line by line.
#[derive(Debug)]
pub struct Replay {
    old: Layers,
    new: Layers,
    line: u64,
    known: BTreeMap<String, usize>,
    done: Replayed,
}

/// What a log shows about a change of policy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Replayed {
    /// Questions that were put to both policies.
    pub questions: u64,
    /// How many of them the new policy answers otherwise.
    pub changed_questions: u64,
    /// Their kinds, in the order of the log: the first [`CHANGED_MAX`].
    pub changed: Vec<Changed>,
    /// Lines that cannot be read: the first [`UNREADABLE_MAX`].
    pub unreadable: Vec<Unreadable>,
    /// How many there are in all.
    pub unreadable_lines: u64,
    /// Questions on which the log says another verdict than the old policy gives: a brake, a spent budget, another version.
    pub logged_otherwise: u64,
    /// The line of the first of these.
    pub logged_otherwise_first: Option<u64>,
}

/// A question that the new policy answers otherwise, however often it was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed {
    /// The line that asked it first, from 1.
    pub line: u64,
    /// The day on which it was asked first, in Europe/London.
    pub on: Day,
    /// How often.
    pub times: u64,
    /// The role.
    pub role: Name,
    /// The purpose.
    pub purpose: Name,
    /// The question in its readable form; a filter whose value the log does not say reads `any`.
    pub question: String,
    /// What changes.
    pub change: Shift,
}

/// How a verdict changes. Complete, not open: whoever shows it must know each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shift {
    /// It was answered and would be refused, by these rules.
    NowRefused(Vec<RuleBroken>),
    /// It was refused and would be answered, under this share.
    NowAnswered(Name),
    /// It would be answered otherwise: what differs, in words.
    Otherwise(Vec<String>),
}

/// A line that is no question and no other entry of an audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreadable {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, without the line's own words.
    pub says: String,
}

impl Replay {
    /// Begins with no line read.
    #[must_use]
    pub fn new(old: &Layers, new: &Layers) -> Self {
        let (old, new) = (old.with_brake(None).0, new.with_brake(None).0);
        Self { old, new, line: 0, known: BTreeMap::new(), done: Replayed::default() }
    }

    /// Takes the next line of the log: of Cairn's audit export, or a question in kinds (docs/reference/policy-commands.md). Any bytes
    /// may come.
    pub fn line(&mut self, bytes: &[u8]) {
        self.line = self.line.saturating_add(1);
        match line::read(bytes, self.old.schema) {
            Ok(Some(asked)) => self.question(asked),
            Ok(None) => {}
            Err(says) => self.unreadable(says),
        }
    }

    /// What the lines have shown.
    #[must_use]
    pub fn finish(self) -> Replayed {
        self.done
    }

    fn question(&mut self, asked: Asked) {
        self.done.questions = self.done.questions.saturating_add(1);
        let (before, after) = (verdict(&self.old, &asked), verdict(&self.new, &asked));
        let logged = match asked.logged {
            Logged::Answered => before.is_ok(),
            Logged::Refused => before.is_err(),
            Logged::Failed => true,
        };
        if !logged {
            self.done.logged_otherwise = self.done.logged_otherwise.saturating_add(1);
            self.done.logged_otherwise_first.get_or_insert(self.line);
        }
        if let Some(change) = shift(before, after) {
            self.changed(&asked, change);
        }
    }

    fn changed(&mut self, asked: &Asked, change: Shift) {
        self.done.changed_questions = self.done.changed_questions.saturating_add(1);
        let Question { role, purpose, .. } = &asked.question;
        let question = asked.shown.as_ref().map_or_else(|| print(&asked.question), print);
        let key = format!("{role} {purpose} {question} {change:?}");
        if let Some(known) = self.known.get(&key).and_then(|n| self.done.changed.get_mut(*n)) {
            known.times = known.times.saturating_add(1);
        } else if self.done.changed.len() < CHANGED_MAX {
            self.known.insert(key, self.done.changed.len());
            let (role, purpose) = (role.clone(), purpose.clone());
            let (line, on) = (self.line, asked.on);
            self.done.changed.push(Changed { line, on, times: 1, role, purpose, question, change });
        }
    }

    fn unreadable(&mut self, says: String) {
        self.done.unreadable_lines = self.done.unreadable_lines.saturating_add(1);
        if self.done.unreadable.len() < UNREADABLE_MAX {
            self.done.unreadable.push(Unreadable { line: self.line, says });
        }
    }
}

/// The verdict on the day of the question, or the nearest day on which the policy is in force.
fn verdict(layers: &Layers, asked: &Asked) -> Result<Treatment, Vec<RuleBroken>> {
    let (from, until) = layers.in_force();
    let issuer = layers.role_issuer(&asked.question.role);
    let asker = match (&asked.analyst, issuer) {
        (Some(analyst), Some(issuer)) => Asker::Analyst { analyst, issuer },
        _ => Asker::Anyone,
    };
    judge(layers, &asked.question, asker, asked.on.max(from).min(until))
}

fn shift(
    before: Result<Treatment, Vec<RuleBroken>>,
    after: Result<Treatment, Vec<RuleBroken>>,
) -> Option<Shift> {
    match (before, after) {
        (Ok(_), Err(rules)) => Some(Shift::NowRefused(rules)),
        (Err(_), Ok(treatment)) => Some(Shift::NowAnswered(treatment.share)),
        (Err(_), Err(_)) => None,
        (Ok(before), Ok(after)) => {
            let differs = differences(&before, &after);
            (!differs.is_empty()).then_some(Shift::Otherwise(differs))
        }
    }
}

/// What is counted and protected otherwise. Quotas, caps and a share's own name are not part of an answer.
fn differences(before: &Treatment, after: &Treatment) -> Vec<String> {
    let (was, is) = (every_fact(before), every_fact(after));
    let keys: std::collections::BTreeSet<&&str> = was.keys().chain(is.keys()).collect();
    let differs = |key: &&str| match (was.get(key), is.get(key)) {
        (Some(was), Some(is)) if was == is => None,
        (Some(was), Some(is)) => Some(format!("{key} is {is}, was {was}")),
        (None, Some(is)) => Some(format!("{key} is {is}, was not there")),
        (Some(was), None) => Some(format!("{key} is no longer there, was {was}")),
        (None, None) => None,
    };
    keys.into_iter().filter_map(differs).collect()
}

/// All that decides what a table shows, each as text.
fn every_fact(treatment: &Treatment) -> BTreeMap<&'static str, String> {
    let Treatment { method, window, rows_per_person, summed, snapshot, keep, opt_out, .. } = treatment;
    let mut facts = facts(treatment);
    facts.insert("lag_days", window.lag_days.to_string());
    let mut optional = |key, value: Option<String>| value.map(|value| facts.insert(key, value));
    optional("window", window.column.as_ref().zip(window.from).map(|(c, from)| format!("{c} from {from}")));
    optional("max_rows_per_person", rows_per_person.map(|rows| rows.to_string()));
    optional("bounds", summed.as_ref().map(|s| format!("{} to {} {}", s.least, s.most, s.unit)));
    optional("snapshot", snapshot.map(|every| every.as_str().to_owned()));
    optional("keep_years", keep.as_ref().map(|keep| keep.years.to_string()));
    optional("opt_out", opt_out.as_ref().map(|o| format!("{} = {}", o.column, o.share_only_if.join(" or "))));
    let dominance = method.cells().and_then(|cells| cells.dominance);
    optional("dominance", dominance.map(|d| format!("{} by {} %", d.largest, d.max_percent)));
    facts
}

/// Most kinds of changed questions that are kept: more than a board reads.
pub const CHANGED_MAX: usize = 1_000;

/// Most unreadable lines that are kept.
pub const UNREADABLE_MAX: usize = 500;

#[cfg(test)]
mod tests;
