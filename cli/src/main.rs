//! `cairn`: the one program that everybody installs.
//!
//! The clock, the environment and randomness are read here and handed down; nothing below reads them by itself.

mod ask;
mod audit;
mod authority;
mod context;
#[cfg(feature = "coordinator")]
mod coordinator;
mod exit;
mod failure;
mod federation;
mod files;
#[cfg(any(feature = "coordinator", feature = "node"))]
mod logs;
mod progress;
mod report;
mod say;
mod schema;
mod show;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Answers the Shared Measurement Framework's questions across partners, while every record stays with the partner that
/// holds it.
#[derive(Parser)]
#[command(name = "cairn", version, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
To see all of it at work on this machine:  cairn demo
Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 answered in part, 5 a file has problems, 6 does not verify.
Set NO_COLOR to have no colour.";

#[derive(Subcommand)]
enum Command {
    /// Ask a federation one question
    Ask(ask::Ask),
    /// Show, export or verify a node's audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Make a federation's root, identities, issuers and credentials
    #[command(subcommand)]
    Authority(authority::Command),
    /// Set up and run the coordinator
    #[cfg(feature = "coordinator")]
    #[command(subcommand)]
    Coordinator(coordinator::Command),
    /// Ask for the indicators and print the report
    Report(report::ReportArgs),
    /// Check or show the data dictionary
    #[command(subcommand)]
    Schema(schema::Command),
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Ask(ask) => ask::run(&ask),
        Command::Audit(command) => audit::run(&command),
        Command::Authority(command) => authority::run(&command),
        #[cfg(feature = "coordinator")]
        Command::Coordinator(command) => coordinator::run(&command),
        Command::Report(args) => report::run(&args),
        Command::Schema(command) => Ok(schema::run(&command)),
    };
    let exit = done.unwrap_or_else(|failure| {
        say::error(&failure.code, &failure.says);
        failure.exit
    });
    exit.into()
}
