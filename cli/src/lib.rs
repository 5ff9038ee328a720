//! `cairn`: the one program that everybody installs, as a library, so that a test can build it once more under another name.
//!
//! The clock, the environment and randomness are read here and handed down; nothing below reads them by itself.

mod ask;
mod audit;
mod authority;
mod context;
#[cfg(feature = "coordinator")]
mod coordinator;
#[cfg(all(feature = "node", feature = "coordinator"))]
mod demo;
mod exit;
mod failure;
mod federation;
mod files;
mod foreign;
#[cfg(feature = "node")]
mod generate;
mod links;
#[cfg(any(feature = "coordinator", feature = "node"))]
mod logs;
#[cfg(feature = "node")]
mod node;
mod once;
mod policy;
mod progress;
mod report;
mod say;
mod schema;
mod show;
#[cfg(all(feature = "node", feature = "coordinator"))]
mod staged;
mod total;
#[cfg(feature = "coordinator")]
mod transcript;
mod verify;

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
    /// Run a whole federation on this machine, ending in an indicator report
    #[cfg(all(feature = "node", feature = "coordinator"))]
    Demo(demo::Demo),
    /// Make up partners' exports, with their truth
    #[cfg(feature = "node")]
    Generate(generate::Generate),
    /// Set up a partner's node, load its records, run it
    #[cfg(feature = "node")]
    #[command(subcommand)]
    Node(node::Command),
    /// Check a board's policy, or read it in plain English
    #[command(subcommand)]
    Policy(policy::Command),
    /// Ask for the indicators and print the report
    Report(report::ReportArgs),
    /// Check or show the data dictionary
    #[command(subcommand)]
    Schema(schema::Command),
}

/// Does what the words of the command line say, and gives the exit code.
#[must_use]
pub fn run() -> ExitCode {
    let done = match Args::parse().command {
        Command::Ask(ask) => ask::run(&ask),
        Command::Audit(command) => audit::run(&command),
        Command::Authority(command) => authority::run(&command),
        #[cfg(feature = "coordinator")]
        Command::Coordinator(command) => coordinator::run(&command),
        #[cfg(all(feature = "node", feature = "coordinator"))]
        Command::Demo(demo) => demo::run(&demo),
        #[cfg(feature = "node")]
        Command::Generate(args) => generate::run(&args),
        #[cfg(feature = "node")]
        Command::Node(command) => node::run(&command),
        Command::Policy(command) => policy::run(&command),
        Command::Report(args) => report::run(&args),
        Command::Schema(command) => Ok(schema::run(&command)),
    };
    let exit = done.unwrap_or_else(|failure| {
        say::error(&failure.code, &failure.says);
        failure.exit
    });
    exit.into()
}
