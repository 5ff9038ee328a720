//! `cairn policy price`: what questions would cost at a node, before anybody asks them. Reads beside a running node.

use std::fmt::Write as _;
use std::path::PathBuf;

use cairn_ledger::{Answerable, Price, Priced};
use cairn_node::in_force::kept_policy;
use cairn_node::{Buyer, price::price};
use cairn_question::form::{parse, print};
use cairn_question::{Name, Question, Schema};
use clap::Args;

use super::status::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{context, files, say};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PriceArgs {
    /// The node's folder, or its node.toml
    #[arg(long, value_name = "NODE")]
    node: PathBuf,
    /// A question, as an analyst would write it
    #[arg(required_unless_present = "questions")]
    question: Vec<String>,
    /// A file of questions, one a line, in the order in which they would be asked
    #[arg(long, value_name = "FILE", conflicts_with = "question")]
    questions: Option<PathBuf>,
    /// The role in which they are asked
    #[arg(long)]
    role: Name,
    /// The purpose for which they are asked
    #[arg(long)]
    purpose: Name,
    /// Who asks: the quota and the part of the account that are drawn on
    #[arg(long, value_name = "NAME")]
    analyst: Name,
}

const EXAMPLES: &str = "\
Example:
  cairn policy price --node fife people by disabled, council --role equalities-analyst --purpose equalities --analyst a-analyst
Nothing is held, counted or logged. Exit codes: 0 all would be answered, 3 none, 4 some.";

pub(super) fn run(args: &PriceArgs) -> Result<Exit, Failure> {
    let config = config(&args.node)?;
    let kept = kept_policy(&config.ledger_path).map_err(|e| Failure::new("CC419", e.to_string()))?;
    let layers = kept.ok_or_else(|| {
        Failure::new("CC419", "no policy has been in force at this node, so there is no account yet")
    })?;
    let questions = questions(args)?;
    let buyer = Buyer { analyst: &args.analyst, issuer: None };
    let price = price(&config, &layers, &questions, buyer, context::now())
        .map_err(|e| Failure::new(e.code(), e.to_string()))?;
    say::out(&in_words(&questions, &price));
    Ok(exit(&price))
}

fn questions(args: &PriceArgs) -> Result<Vec<Question>, Failure> {
    let texts = match &args.questions {
        Some(path) => files::read_text(path)?,
        None => args.question.join(" "),
    };
    let lines = texts.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = |line| {
        parse(line, &args.role, &args.purpose, Schema::smf())
            .map_err(|e| Failure::new("CC204", e.to_string()))
    };
    lines.map(read).collect()
}

fn in_words(questions: &[Question], price: &Price) -> String {
    let mut text = String::new();
    for (question, priced) in questions.iter().zip(&price.questions) {
        let _ = writeln!(text, "{}\n  {}", print(question), one(priced));
    }
    let account = &price.account;
    let _ = writeln!(
        text,
        "Together ρ {}. Left then: ρ {} of {} in the policy year, ρ {} of {} for life.",
        price.cost, price.year_left, account.year_cap, price.lifetime_left, account.lifetime_cap
    );
    text
}

fn one(priced: &Priced) -> String {
    let slice = priced
        .slice_left
        .map(|left| format!("; ρ {left} of the analyst's own part left"))
        .unwrap_or_default();
    let tables =
        priced.tables_left_today.map(|left| format!("; {left} tables left today")).unwrap_or_default();
    match &priced.answerable {
        Answerable::Anew => format!("costs ρ {}{slice}{tables}", priced.cost),
        Answerable::Again => "free: the table that an equal question is given".to_owned(),
        Answerable::Refused(rules) => {
            let rules: Vec<String> =
                rules.iter().map(|r| format!("{} {}: {}", r.code, r.rule, r.says)).collect();
            format!("refused: {}", rules.join("; "))
        }
    }
}

fn exit(price: &Price) -> Exit {
    let refused = |priced: &&Priced| matches!(priced.answerable, Answerable::Refused(_));
    match price.questions.iter().filter(refused).count() {
        0 => Exit::Done,
        n if n == price.questions.len() => Exit::Refused,
        _ => Exit::InPart,
    }
}
