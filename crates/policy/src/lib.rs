//! Reads a board's sharing policy and decides whether a question may be answered, and how.
//!
//! Pure: texts in, verdicts and words out; no file, clock or socket. A policy is allow-lists only: a question matches
//! exactly one `[[share]]` or is refused. Layers (built-in floor, framework, policy, brake) combine by meet, so that
//! none can widen another. The language is docs/reference/policy.md.

pub mod approval;

mod able;
mod cases;
mod decide;
mod decimal;
mod diff;
mod document;
mod explain;
mod finding;
mod floor;
pub mod folder;
mod indicators;
mod instantiate;
mod layers;
mod letters;
mod lint;
mod london;
mod nearest;
mod never;
pub mod pack;
mod public;
mod read;
mod replay;
pub mod schema;
mod secure;
pub mod settings;
mod shipped;
mod space;
pub mod treatment;

pub use able::{Unable, unable};
pub use cases::{CaseFailure, CaseReport, run_cases};
pub use decide::{Asker, decide, issuer_rule};
pub use diff::{Affected, Change, Diff, Direction, Supersedes, Verdict, diff};
pub use explain::{easy_read, easy_read_html, explain, explain_among, explain_html, notice, notice_html};
pub use finding::{File, Finding, Severity, Sources, render, render_all, render_file};
pub use instantiate::{dated, dated_board, dated_cases, instantiate};
pub use layers::{Layers, TablesBought};
pub use london::london_day;
pub use never::NeverResult;
pub use replay::{CHANGED_MAX, Changed, LINE_BYTES_MAX, Replay, Replayed, Shift, UNREADABLE_MAX, Unreadable};
pub use secure::{SecureTerms, UsualTotal, secure_terms};
pub use shipped::{FRAMEWORK, altered_framework};
pub use space::{Example, KINDS_MAX, Kinds, TooWide};
pub use treatment::{
    Caps, Cells, Concentrated, CountOnce, Dominance, KeepYears, Mechanism, Method, OptOut, Quota, Secondary,
    SnapshotEvery, Summed, Treatment, Window,
};

use cairn_question::Schema;

/// Every finding of every file in one run: errors, warnings and the figures to know before signing (CP901: how many
/// tables the caps buy of each `dp` share). The first form of `cairn policy check`.
#[must_use]
pub fn check(sources: &Sources) -> Vec<Finding> {
    check_with(Schema::smf(), sources)
}

/// [`check`] under another data dictionary.
#[must_use]
pub fn check_with(schema: &'static Schema, sources: &Sources) -> Vec<Finding> {
    let (layers, mut findings) = match Layers::checked(schema, sources) {
        Ok(checked) => checked,
        Err(findings) => return findings,
    };
    findings.extend(lint::space::dead(&layers, sources));
    findings.extend(lint::notes(&layers, sources));
    findings
}

#[cfg(test)]
mod tests;
