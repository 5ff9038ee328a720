//! `cairn policy ask`: one question against a policy, before anybody signs it.

use std::fmt::Write as _;

use cairn_policy::{Asker, Layers, Treatment, decide};
use cairn_question::form::{parse, print};
use cairn_question::{Day, Name, Question, Refusal, Schema};
use clap::Args;

use super::given::{Files, Loaded, today};
use super::treatment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ask {
    #[command(flatten)]
    files: Files,
    /// The question, as an analyst would write it
    #[arg(required = true)]
    question: Vec<String>,
    /// The role in which it is asked
    #[arg(long)]
    role: Name,
    /// The purpose for which it is asked
    #[arg(long)]
    purpose: Name,
    /// The day on which it is asked, in Europe/London; without it, today
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<Day>,
    /// Who asks, for shares that name their analysts; without it, rules about persons are not tried
    #[arg(long, value_name = "NAME")]
    analyst: Option<Name>,
}

const EXAMPLES: &str = "\
Example:
  cairn policy ask policy.toml people by council, age band --role national-analyst --purpose smf-reporting
No record is read and nobody is asked. Exit codes: 0 it would be answered, 3 it would be refused, 5 the policy has errors.";

pub(super) fn run(ask: &Ask) -> Result<Exit, Failure> {
    let Loaded { layers, schema, .. } = ask.files.load()?;
    let question = question(ask, schema)?;
    let day = ask.on.unwrap_or_else(today);
    // Who vouches for the analyst is the policy's own word: a board tries the rules, not a credential.
    let issuer = layers.role_issuer(&ask.role);
    let asker = match (&ask.analyst, issuer) {
        (Some(analyst), Some(issuer)) => Asker::Analyst { analyst, issuer },
        _ => Asker::Anyone,
    };
    match decide(&layers, &question, asker, day) {
        Ok(treatment) => {
            say::out(&answered(&layers, &question, &treatment, day));
            Ok(Exit::Done)
        }
        Err(refusal) => {
            say::out(&refused(&layers, &refusal, day));
            Ok(Exit::Refused)
        }
    }
}

fn question(ask: &Ask, schema: &Schema) -> Result<Question, Failure> {
    parse(&ask.question.join(" "), &ask.role, &ask.purpose, schema)
        .map_err(|e| Failure::new("CC204", e.to_string()))
}

fn answered(layers: &Layers, question: &Question, treatment: &Treatment, day: Day) -> String {
    let mut text = format!("ANSWERED by {} on {day}, under share.{}.\n", whose(layers), treatment.share);
    let _ = writeln!(text, "  {}", print(question));
    for line in treatment::in_words(treatment) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

fn refused(layers: &Layers, refusal: &Refusal, day: Day) -> String {
    let mut text =
        format!("REFUSED by {} on {day}. Nothing would be read, nothing charged.\n", whose(layers));
    let width = refusal.rules.iter().map(|r| r.rule.chars().count()).max().unwrap_or(0);
    for rule in &refusal.rules {
        let _ = writeln!(text, "  {:<width$}  {}  [{}]", rule.rule, rule.says, rule.code);
    }
    let _ = match &refusal.nearest {
        Some(near) => writeln!(text, "  Nearest question that would be answered: {near}"),
        None => writeln!(text, "  No question near this one would be answered."),
    };
    text
}

fn whose(layers: &Layers) -> String {
    let statement = layers.statement();
    format!("{} (policy {} v{})", layers.controller(), statement.id, statement.version)
}
