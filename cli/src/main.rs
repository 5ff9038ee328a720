//! `cairn`: the one program that everybody installs.
//!
//! The clock, the environment and randomness are read here and handed down; nothing below reads them by itself.

mod exit;
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
    /// Check or show the data dictionary
    #[command(subcommand)]
    Schema(schema::Command),
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Schema(command) => schema::run(&command).into(),
    }
}
