//! What was checked by the program, and what is left for the board to check.

use std::collections::BTreeSet;

use cairn_question::Hash;

use super::PackInputs;
use crate::approval::Note;
use crate::cases::CaseReport;
use crate::explain::explain;
use crate::explain::model::Model;
use crate::explain::page::{Block, Section, Table};
use crate::explain::wording::{ACKNOWLEDGE_DAYS, list, whole};
use crate::finding::{Finding, Severity};
use crate::never::NeverResult;

/// Every finding; those that the note must name are said.
pub(super) fn findings(findings: &[Finding]) -> Section {
    if findings.is_empty() {
        let says = "`cairn policy check` finds nothing.";
        return Section::new("findings", "What the check found", vec![Block::says(says)]);
    }
    let row = |f: &Finding| {
        [
            f.code.to_owned(),
            f.severity.as_str().to_owned(),
            f.rule.clone(),
            f.says.clone(),
            f.fix.clone().unwrap_or_default(),
        ]
    };
    let table = Table::new(
        "Findings of `cairn policy check`",
        ["code", "kind", "where", "what", "next step"],
        findings.iter().map(row),
    );
    let warnings = warnings(findings);
    let says = match warnings.is_empty() {
        true => "No warning: the note has none to name.".to_owned(),
        false => format!("The approval note must name these warnings: {}.", codes(&warnings)),
    };
    Section::new("findings", "What the check found", vec![Block::Table(table), Block::says(says)])
}

fn warnings(findings: &[Finding]) -> BTreeSet<&str> {
    findings.iter().filter(|f| f.severity == Severity::Warning).map(|f| f.code).collect()
}

fn codes(codes: &BTreeSet<&str>) -> String {
    list(&codes.iter().copied().collect::<Vec<_>>())
}

/// How the board's cases came out, and what it says can never happen.
pub(super) fn cases(cases: Option<&CaseReport>) -> Section {
    let heading = "The board's own cases";
    let Some(report) = cases else {
        let says = "No cases were tried. A board writes them in tests.toml.";
        return Section::new("cases", heading, vec![Block::says(says)]);
    };
    let failed = report.failed.iter().map(|f| format!("Failed: {} ({})", f.name, f.says));
    let violated = report.never.iter().filter(|n| !n.holds()).map(violated);
    let untried = report.unexercised.iter().map(|s| format!("No case tries the share {s}."));
    let passed = report.passed.iter().map(|name| format!("As expected: {name}"));
    let held = report.never.iter().filter(|n| n.holds()).map(|never| {
        format!("Never happens: {} (none of {} kinds of question)", never.name, whole(never.tried))
    });
    let items = Block::items(failed.chain(violated).chain(untried).chain(passed).chain(held));
    Section::new("cases", heading, vec![Block::says(format!("{}.", outcome(report))), items])
}

/// What should never happen and does, with the smallest question that shows it.
fn violated(never: &NeverResult) -> String {
    let smallest = never.smallest.as_ref().map_or_else(String::new, |kind| {
        let question = &kind.question;
        format!("; the smallest: {} (asked as {}, for {})", kind.text(), question.role, question.purpose)
    });
    format!(
        "Does not hold, that never: {} ({} of {} kinds of question are answered so{smallest})",
        never.name,
        whole(never.violations),
        whole(never.tried)
    )
}

fn outcome(report: &CaseReport) -> String {
    let many = |n: usize| whole(u64::try_from(n).unwrap_or(u64::MAX));
    let (passed, failed) = (many(report.passed.len()), many(report.failed.len()));
    let cases = format!("{passed} cases came out as expected, {failed} did not");
    if report.never.is_empty() {
        return cases;
    }
    let held = report.never.iter().filter(|n| n.holds()).count();
    format!(
        "{cases}; {} of {} statements of what never happens hold for every kind of question",
        many(held),
        many(report.never.len())
    )
}

/// What the board ticks, with what the policy or the program says of it.
pub(super) fn checklist(model: &Model, inputs: &PackInputs<'_>) -> Section {
    let mut rows: Vec<(&str, String)> = vec![
        ("The impact assessment is done and agreed", model.dpia.clone()),
        ("The legal basis holds, also for each purpose", model.legal_basis.clone()),
        ("The agreement binds all who receive tables", model.agreement.clone()),
        (
            "The privacy notice is published before the first day",
            format!("{}, from {}", model.notice_url, model.from),
        ),
        ("Objections reach somebody who acts on them", model.contact.clone()),
        (
            "Complaints are acknowledged in time",
            format!("within {ACKNOWLEDGE_DAYS} days (Data Protection Act 2018, section 164A)"),
        ),
        (
            "The dates are right",
            format!("in force {} to {}, review by {}", model.from, model.until, model.review_by),
        ),
        ("The check has no error", errors(inputs.findings)),
        ("Every warning is taken on by name", acknowledged(inputs.findings, inputs.note)),
        (
            "The board's cases came out as expected",
            inputs.cases.map_or_else(|| "none were tried".to_owned(), outcome),
        ),
        (
            "The impact on groups of people was read",
            inputs.impact.map_or("not worked out", |_| "in this paper").to_owned(),
        ),
        (
            "The change is what the board wants",
            inputs.diff.map_or_else(|| "not compared".to_owned(), crate::Diff::verdict_words),
        ),
    ];
    rows.extend(of_note(inputs));
    rows.push(("A duty officer knows the brake and has tried it", "local-brake.toml".to_owned()));
    let items = rows.into_iter().map(|(check, says)| format!("[ ] {check}: {says}"));
    let says = "To be ticked by the board, each with what the policy or the program says of it:";
    Section::new("checklist", "Checklist", vec![Block::says(says), Block::items(items)])
}

fn errors(findings: &[Finding]) -> String {
    match findings.iter().filter(|f| f.severity == Severity::Error).count() {
        0 => "no error".to_owned(),
        n => format!("{n} errors: this policy does not load"),
    }
}

/// Whether the draft note names the warnings that there are.
fn acknowledged(findings: &[Finding], note: Option<&Note>) -> String {
    let there = warnings(findings);
    if there.is_empty() {
        return "there is none".to_owned();
    }
    let named: Vec<String> =
        note.map(|n| n.warnings.iter().map(ToString::to_string).collect()).unwrap_or_default();
    let missing: BTreeSet<&str> = there.iter().copied().filter(|c| !named.iter().any(|n| n == c)).collect();
    if missing.is_empty() {
        format!("{}, named in the draft note", codes(&there))
    } else {
        format!("not named in a draft note: {}", codes(&missing))
    }
}

/// Whether the note is about this file and these words, and how many must sign it.
fn of_note(inputs: &PackInputs<'_>) -> Vec<(&'static str, String)> {
    let Some(note) = inputs.note else {
        return vec![("Enough members sign", "there is no draft note yet".to_owned())];
    };
    let same_file = note.policy.hash == inputs.new.statement().hash;
    let same_words = note.english == Hash::of(explain(inputs.new).as_bytes());
    let about = match (same_file, same_words) {
        (true, true) => "the draft note holds the hashes of this file and of its explanation".to_owned(),
        (false, _) => "the draft note is about another file".to_owned(),
        (true, false) => "the draft note holds the hash of another explanation".to_owned(),
    };
    let signatures = format!("{}; the change {}", note.quorum, note.change.as_str());
    vec![("The note is about this policy", about), ("Enough members sign", signatures)]
}
