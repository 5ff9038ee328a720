//! `cairn policy`: check a board's policy and read it in plain English.

use std::path::{Path, PathBuf};

use cairn_policy::{File, Finding, Layers, Severity, Sources, check, explain, render_all, run_cases};
use clap::{Args, Subcommand};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{files, say};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check a policy: every fault in one run, with line, column, rule and fix
    Check(Files),
    /// Print in plain English what a policy allows, what never leaves, and what it costs in privacy
    Explain(Files),
    /// Run a board's own cases: what must be answered, what must be refused and by which rule
    Test {
        #[command(flatten)]
        files: Files,
        /// The cases; without it, `tests.toml` beside the policy
        #[arg(long)]
        cases: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Files {
    /// The policy file
    policy: PathBuf,
    /// The framework; without it, `framework.toml` beside the policy, or else the one this program was built with
    #[arg(long)]
    framework: Option<PathBuf>,
}

/// The framework that this program ships.
pub(crate) const FRAMEWORK: &str = include_str!("../../policies/framework/framework.toml");

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Check(files) => Ok(check_files(&sources(files)?)),
        Command::Explain(files) => explain_files(&sources(files)?),
        Command::Test { files, cases } => test(files, cases.as_deref()),
    }
}

fn check_files(sources: &Sources) -> Exit {
    let findings = check(sources);
    say::out(&render_all(&findings, sources));
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    say::note(&format!("{errors} errors, {warnings} warnings"));
    if errors > 0 {
        say::note(
            "A policy with errors does not load; the previous one stays in force until its own expiry.",
        );
        return Exit::BadFile;
    }
    Exit::Done
}

fn test(given: &Files, cases: Option<&Path>) -> Result<Exit, Failure> {
    let beside = given.policy.with_file_name("tests.toml");
    let path = cases.unwrap_or(&beside);
    let sources = sources(given)?;
    let failed = |findings: &[Finding], sources: &Sources| {
        say::out(&render_all(findings, sources));
        Failure::bad_file("CC402", "the policy or the cases have errors, so no case was run")
    };
    let layers = Layers::load(&sources).map_err(|findings| failed(&findings, &sources))?;
    let file = File::new(path.display().to_string(), files::read_text(path)?);
    let report = run_cases(&layers, &file).map_err(|findings| {
        // A finding is shown with the source line of the file that it is in.
        let shown = Sources { policy: file.clone(), ..sources.clone() };
        failed(&findings, &shown)
    })?;
    for case in &report.failed {
        say::error("CC403", &format!("{}: {}", case.name, case.says));
    }
    for share in &report.unexercised {
        say::warning("CC404", &format!("no case exercises the share `{share}`"));
    }
    say::out(&format!("{} cases as expected, {} not\n", report.passed.len(), report.failed.len()));
    Ok(if report.failed.is_empty() { Exit::Done } else { Exit::BadFile })
}

fn explain_files(sources: &Sources) -> Result<Exit, Failure> {
    match Layers::load(sources) {
        Ok(layers) => {
            say::out(&explain(&layers));
            Ok(Exit::Done)
        }
        Err(findings) => {
            say::out(&render_all(&findings, sources));
            Err(Failure::bad_file("CC401", "the policy has errors, so there is nothing to explain"))
        }
    }
}

fn sources(given: &Files) -> Result<Sources, Failure> {
    let beside = |name: &str| given.policy.parent().unwrap_or(Path::new("")).join(name);
    let file = |path: &Path| files::read_text(path).map(|text| File::new(path.display().to_string(), text));
    let framework = match &given.framework {
        Some(path) => file(path)?,
        None if beside("framework.toml").is_file() => file(&beside("framework.toml"))?,
        None => File::new("framework.toml (built in)", FRAMEWORK),
    };
    let brake = Some(beside("local-brake.toml")).filter(|path| path.is_file());
    Ok(Sources { framework, policy: file(&given.policy)?, brake: brake.map(|path| file(&path)).transpose()? })
}
