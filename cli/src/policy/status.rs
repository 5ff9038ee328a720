//! `cairn policy status`: what is in force, what lapses when, and which columns nobody has decided about.

use std::fmt::Write as _;
#[cfg(feature = "node")]
use std::path::Path;
use std::path::PathBuf;

use cairn_policy::Layers;
use cairn_policy::approval::Board;
use cairn_question::{Day, Name};
use clap::Args;

use super::given::{Under, today};
#[cfg(feature = "node")]
use super::note;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

#[derive(Args)]
pub(crate) struct Status {
    /// A policy file
    #[arg(value_name = "FILE", required_unless_present = "node")]
    policy: Option<PathBuf>,
    /// A node's folder, or its node.toml: the policy in force there, as the node keeps it
    #[cfg(feature = "node")]
    #[arg(long, value_name = "NODE", conflicts_with = "policy")]
    node: Option<PathBuf>,
    #[command(flatten)]
    under: Under,
    /// The board; without it, `board.toml` beside the policy, where there is one
    #[arg(long, value_name = "FILE")]
    board: Option<PathBuf>,
    /// The day to look from, in Europe/London; without it, today
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<Day>,
}

pub(super) fn run(status: &Status) -> Result<Exit, Failure> {
    let day = status.on.unwrap_or_else(today);
    #[cfg(feature = "node")]
    if let Some(node) = &status.node {
        return of_node(node, day);
    }
    let Some(policy) = &status.policy else { return Ok(Exit::Done) };
    let layers = status.under.load(policy)?.layers;
    let board = super::board::named_or_near(status.board.as_deref(), policy)?;
    let members = board.iter().flat_map(Board::members).map(|m| (m.id.clone(), m.to.plus_days(-1)));
    show(&layers, members.collect(), day);
    Ok(Exit::Done)
}

/// `members`: those of the board, each with the last day on which their key counts.
fn show(layers: &Layers, members: Vec<(Name, Day)>, day: Day) {
    let ends = ends(layers, members);
    say::out(&in_words(layers, &ends, day));
    for end in ends.iter().filter(|e| e.near(day)) {
        say::warning("CC408", &end.in_words(day));
    }
}

/// Something that ends by itself.
struct End {
    what: String,
    last: Day,
}

/// Everything that ends, soonest first.
fn ends(layers: &Layers, members: Vec<(Name, Day)>) -> Vec<End> {
    let mut ends = vec![
        End { what: "the policy; after it every question is refused".to_owned(), last: layers.in_force().1 },
        End { what: "the board's review".to_owned(), last: layers.review_by() },
    ];
    ends.extend(layers.share_ends().map(|(id, last)| End { what: format!("the share {id}"), last }));
    let key = |(id, last)| End { what: format!("the key of {id} on the board"), last };
    ends.extend(members.into_iter().map(key));
    ends.sort_by_key(|e| e.last);
    ends
}

impl End {
    fn days(&self, day: Day) -> i32 {
        self.last.epoch_days().saturating_sub(day.epoch_days())
    }

    fn near(&self, day: Day) -> bool {
        self.days(day) <= WARN_DAYS
    }

    /// The stage that a board is warned at: 60, 30 and 7 days before, and when it has passed.
    fn in_words(&self, day: Day) -> String {
        let within = match self.days(day) {
            ..=-1 => "passed",
            0..=7 => "within 7 days",
            8..=30 => "within 30 days",
            31.. => "within 60 days",
        };
        format!("{within}: {} ({})", self.what, self.last)
    }
}

fn in_words(layers: &Layers, ends: &[End], day: Day) -> String {
    let (statement, (from, until)) = (layers.statement(), layers.in_force());
    let now = match day {
        day if day < from => "not in force yet",
        day if day > until => "EXPIRED: every question is refused",
        _ => "in force",
    };
    let mut text = format!("{} version {}, {}\n", statement.id, statement.version, layers.controller());
    let _ = writeln!(text, "  on {day}      {now}; from {from} to {until}");
    let _ = writeln!(text, "  file          {}", statement.hash);
    if let Some(replaces) = layers.supersedes() {
        let _ = writeln!(text, "  replaces      {replaces}");
    }
    text.push_str("\nLAST DAYS\n");
    for end in ends {
        let days = match end.days(day) {
            days @ ..=-1 => format!("{} days ago", days.saturating_neg()),
            days => format!("in {days} days"),
        };
        let _ = writeln!(text, "  {}  {days:<14} {}", end.last, end.what);
    }
    let unnamed = layers.unnamed_columns();
    if !unnamed.is_empty() {
        text.push_str("\nNAMED NOWHERE IN THE POLICY, AND SO HIDDEN\n");
        for line in by_table(&unnamed) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// `table.column` of many, one line a table.
fn by_table(columns: &[String]) -> Vec<String> {
    let mut lines: Vec<(&str, Vec<&str>)> = Vec::new();
    for (table, column) in columns.iter().filter_map(|c| c.split_once('.')) {
        match lines.last_mut() {
            Some((last, columns)) if *last == table => columns.push(column),
            _ => lines.push((table, vec![column])),
        }
    }
    lines.into_iter().map(|(table, columns)| format!("{table}: {}", columns.join(", "))).collect()
}

/// The policy in force at a node, and how the node stands.
#[cfg(feature = "node")]
fn of_node(node: &Path, day: Day) -> Result<Exit, Failure> {
    let config = config(node)?;
    let kept = cairn_node::in_force::kept_policy(&config.ledger_path)
        .map_err(|e| Failure::new("CC419", e.to_string()))?;
    let stands = cairn_node::Status::read(&config.ledger_path)
        .map_err(|_| Failure::new("CC109", "this node has not run yet: cairn node run --node FOLDER"))?;
    match kept {
        Some(layers) => {
            let board = stands.board.iter().flat_map(|b| b.members.iter().cloned());
            show(&layers, board.collect(), day);
        }
        None => say::out("No policy has been in force at this node, so nothing is answered.\n"),
    }
    say::out(&at_the_node(&stands));
    if stands.is_stale(crate::context::now()) {
        say::warning("CC110", &format!("the node does not run; this is how it stood at {}", stands.at));
    }
    Ok(Exit::Done)
}

#[cfg(feature = "node")]
fn at_the_node(stands: &cairn_node::Status) -> String {
    let mut text = "\nAT THE NODE\n".to_owned();
    let _ = match &stands.policy {
        Some(policy) if policy.approved_by.is_empty() => writeln!(text, "  policy        in force"),
        Some(policy) => {
            writeln!(text, "  policy        in force, approved by {}", note::names(&policy.approved_by))
        }
        None => writeln!(text, "  policy        none in force now, so nothing is answered"),
    };
    if let Some(board) = &stands.board {
        let _ = writeln!(text, "  board         {} version {}, {}", board.id, board.version, board.hash);
    }
    if let Some(away) = &stands.turned_away {
        let why = away.findings.first().map(String::as_str).unwrap_or_default();
        let _ = writeln!(text, "  turned away   what lies in the policy folder [{}]: {why}", away.code);
    }
    let _ = writeln!(text, "  brake         {}", crate::node::serve::brake(stands.brake));
    text
}

/// The configuration of a node, by its folder or its file.
#[cfg(feature = "node")]
pub(super) fn config(node: &Path) -> Result<cairn_node::Config, Failure> {
    if node.is_dir() { crate::node::config(node) } else { crate::node::config_file(node) }
}

/// Warnings begin so many days before.
const WARN_DAYS: i32 = 60;
