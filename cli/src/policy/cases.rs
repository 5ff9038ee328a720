//! `cairn policy test`: the board's own cases.

use std::path::PathBuf;

use cairn_policy::{CaseReport, File, Layers, NeverResult, Sources, render_all, run_cases};
use clap::Args;

use super::given::{Files, Loaded, beside, file};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    files: Files,
    /// The cases; without it, `tests.toml` beside the policy
    #[arg(value_name = "TESTS")]
    tests: Option<PathBuf>,
}

pub(super) fn run(test: &Test) -> Result<Exit, Failure> {
    let near = beside(&test.files.policy, "tests.toml");
    let path = test.tests.as_ref().unwrap_or(&near);
    let Loaded { sources, layers, .. } = test.files.load()?;
    let cases = file(path)?;
    let report = report(&layers, &cases, &sources)?;
    for case in &report.failed {
        say::error("CC403", &format!("{}: {}", case.name, case.says));
    }
    let violated: Vec<&NeverResult> = report.never.iter().filter(|n| !n.holds()).collect();
    for never in &violated {
        say::error("CC420", &violation(never));
    }
    for share in &report.unexercised {
        say::warning("CC404", &format!("no case exercises the share `{share}`"));
    }
    say::out(&format!("{} cases as expected, {} not\n", report.passed.len(), report.failed.len()));
    if !report.never.is_empty() {
        let held = report.never.len() - violated.len();
        say::out(&format!(
            "{held} never statements hold for every kind of question, {} do not\n",
            violated.len()
        ));
    }
    Ok(if report.failed.is_empty() && violated.is_empty() { Exit::Done } else { Exit::BadFile })
}

fn violation(never: &NeverResult) -> String {
    let smallest = never.smallest.as_ref().map_or_else(String::new, |kind| {
        let question = &kind.question;
        format!("; the smallest: {} (asked as {}, for {})", kind.text(), question.role, question.purpose)
    });
    format!(
        "{}: {} of {} kinds of question are answered so{smallest}",
        never.name, never.violations, never.tried
    )
}

/// Runs the cases; where the file has errors, all of them are shown first.
pub(super) fn report(layers: &Layers, cases: &File, sources: &Sources) -> Result<CaseReport, Failure> {
    run_cases(layers, cases).map_err(|findings| {
        // A finding is shown with the source line of the file that it is in.
        say::out(&render_all(&findings, &Sources { policy: cases.clone(), ..sources.clone() }));
        Failure::bad_file("CC402", "the cases have errors, so none was run")
    })
}
