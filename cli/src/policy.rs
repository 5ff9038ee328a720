//! `cairn policy`: what a board does with its sharing policy: read it, try it, test it.

mod approve;
mod ask;
mod board;
#[cfg(feature = "node")]
mod budget;
mod cases;
mod check;
mod diff;
mod given;
mod key;
mod new;
mod note;
mod pack;
#[cfg(feature = "node")]
mod price;
mod replay;
mod schema;
mod status;
mod treatment;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

use given::Files;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a commented policy, with its own cases, from a template for your kind of organisation
    New(new::New),
    /// Check a policy: every fault in one run, with line, column, rule and fix
    Check(Files),
    /// Print in plain English what a policy allows, what never leaves, and what it costs in privacy
    Explain(check::Explain),
    /// Try one question: answered or refused, by which rule, and how the answer would leave
    Ask(ask::Ask),
    /// Run a board's own cases: what must be answered, what must be refused and by which rule
    Test(cases::Test),
    /// Compare two versions by trying every question: what NEW permits, protects and takes away, and who must sign it
    Diff(diff::DiffArgs),
    /// Show which questions of an audit log would have another answer under a new version; no record is read
    Replay(replay::ReplayArgs),
    /// Write the board's paper and what goes with it into a folder: what is asked of the board, what changes, what it costs
    Pack(pack::Pack),
    /// Write the note that a board signs, and sign it as one of its members
    Approve(approve::Approve),
    /// Check a board's signatures: who signed, who is missing, whether it is enough for what the policy changes
    Verify(approve::Verify),
    /// Check, change and verify the file of those who may approve
    #[command(subcommand)]
    Board(board::Command),
    /// Show what is in force, what lapses when, and which columns nobody has decided about
    Status(status::Status),
    /// Show what is left of the person's account at a node, in tables of each share
    #[cfg(feature = "node")]
    Budget(budget::Budget),
    /// Tell what questions would cost at a node, which would be free repeats, and what would be left; nothing is spent
    #[cfg(feature = "node")]
    Price(price::PriceArgs),
    /// Print the JSON Schema by which editors check a policy, a framework or a board's file as it is written
    Schema(schema::SchemaArgs),
    /// Make a board member's key
    #[command(subcommand)]
    Key(key::Command),
}

/// The framework that this program ships.
pub(crate) use cairn_policy::FRAMEWORK;

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::New(new) => new::run(new),
        Command::Check(files) => check::check(files),
        Command::Explain(args) => check::explain(args),
        Command::Ask(ask) => ask::run(ask),
        Command::Test(test) => cases::run(test),
        Command::Replay(args) => replay::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Pack(args) => pack::run(args),
        Command::Approve(args) => approve::approve(args),
        Command::Verify(args) => approve::verify(args),
        Command::Board(command) => board::run(command),
        Command::Status(args) => status::run(args),
        #[cfg(feature = "node")]
        Command::Budget(args) => budget::run(args),
        #[cfg(feature = "node")]
        Command::Price(args) => price::run(args),
        Command::Schema(args) => Ok(schema::run(args)),
        Command::Key(command) => key::run(command),
    }
}
