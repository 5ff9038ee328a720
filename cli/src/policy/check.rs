//! `cairn policy check` and `explain`.

use cairn_policy::{Severity, check_with, render_all};

use super::given::Files;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

pub(super) fn check(files: &Files) -> Result<Exit, Failure> {
    let (sources, schema) = files.read()?;
    let findings = check_with(schema, &sources);
    say::out(&render_all(&findings, &sources));
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    say::note(&format!("{errors} errors, {warnings} warnings"));
    if errors > 0 {
        say::note(
            "A policy with errors does not load; the previous one stays in force until its own expiry.",
        );
        return Ok(Exit::BadFile);
    }
    Ok(Exit::Done)
}

pub(super) fn explain(files: &Files) -> Result<Exit, Failure> {
    say::out(&cairn_policy::explain(&files.load()?.layers));
    Ok(Exit::Done)
}
