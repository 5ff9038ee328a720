//! `cairn policy check` and `explain`.

use cairn_policy::{Severity, check_with, render_all};
use clap::Args;

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

#[derive(Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    files: Files,
    /// In Easy Read: short sentences, everyday words
    #[arg(long, conflicts_with = "notice")]
    easy_read: bool,
    /// The notice to the people whom the records are about
    #[arg(long)]
    notice: bool,
    /// As an HTML page that stands alone
    #[arg(long)]
    html: bool,
}

pub(super) fn explain(args: &Explain) -> Result<Exit, Failure> {
    let layers = args.files.load()?.layers;
    let text = match (args.easy_read, args.notice, args.html) {
        (true, _, false) => cairn_policy::easy_read(&layers),
        (true, _, true) => cairn_policy::easy_read_html(&layers),
        (_, true, false) => cairn_policy::notice(&layers),
        (_, true, true) => cairn_policy::notice_html(&layers),
        (false, false, false) => cairn_policy::explain(&layers),
        (false, false, true) => cairn_policy::explain_html(&layers),
    };
    say::out(&text);
    Ok(Exit::Done)
}
