//! `cairn audit witnesses`: whether every audited table is still borne out by its witnesses.

use std::path::Path;

use cairn_node::recheck::{Checked, recheck};
use cairn_question::answer::AuditPromise;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

/// One line for each table; an error with its code for each that does not hold.
pub(super) fn run(ledger: &Path) -> Result<Exit, Failure> {
    let tables = recheck(ledger)?;
    let mut exit = Exit::Done;
    for table in &tables {
        let of = format!(
            "entry {}, {} on {} (edition {})",
            table.entry,
            table.question.lines().next().unwrap_or_default(),
            table.snapshot.as_of,
            table.snapshot.edition
        );
        match &table.found {
            Ok(found) => say::out(&format!("{of}: {}\n", in_words(*found))),
            Err(why) => {
                say::error(why.code(), &format!("{of}: {why}"));
                exit = Exit::NotVerified;
            }
        }
    }
    let hold = tables.iter().filter(|table| table.found.is_ok()).count();
    say::out(&format!("{hold} of {} audited tables are borne out.\n", tables.len()));
    Ok(exit)
}

fn in_words(found: Checked) -> String {
    match found {
        Checked::Whole => "every cell withheld, nothing to bear out".to_owned(),
        Checked::Holds { primaries, tables, promise } => {
            let promise = match promise {
                AuditPromise::KnowsThresholds => "knows-thresholds",
                AuditPromise::KnowsAlgorithm => "knows-algorithm",
            };
            format!("{primaries} small counts, none can be worked out ({tables} tables fit; {promise})")
        }
    }
}
