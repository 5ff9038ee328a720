//! `cairn node object` and `cairn node erase`: people who are no longer to be counted. Their ids come on standard input, so that none stands
//! in a shell's history or a list of processes, and none is said again.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;

use cairn_ledger::{Entry, EntryKind, Ledger};
use cairn_node::Config;
use cairn_records::{Store, StoreFault};

use super::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{context, say};

/// What becomes of an objection.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Objection {
    /// It is made.
    Made,
    /// It is withdrawn.
    Withdrawn,
}

pub(super) fn object(node: &Path, objection: Objection) -> Result<Exit, Failure> {
    let store = store(&config(node)?)?;
    let named = ids()?;
    let named = named_in(&named);
    let says = match objection {
        Objection::Made => {
            let new = store.leave_out(named.iter().copied()).map_err(failed)?;
            format!("{new} more of {} named are left out from the next load on.", named.len())
        }
        Objection::Withdrawn => {
            let again = store.take_in_again(named.iter().copied()).map_err(failed)?;
            format!("{again} of {} named are taken in again from the next load on.", named.len())
        }
    };
    let all = store.left_out().map_err(failed)?.len();
    say::note(&format!("{says} {all} are left out in all. Next: cairn node load --commit"));
    Ok(Exit::Done)
}

pub(super) fn erase(node: &Path) -> Result<Exit, Failure> {
    let config = config(node)?;
    let named = ids()?;
    let named = named_in(&named);
    // Held to the end, so that no node runs: a count under way would lose its files.
    let ledger = Ledger::open(&config.ledger_path);
    let mut ledger = ledger.map_err(|e| Failure::new(e.code(), format!("{e}; stop the node first")))?;
    let store = store(&config)?;
    store.leave_out(named.iter().copied()).map_err(failed)?;
    let erased = store.erase(&named, context::now()).map_err(failed)?;
    let edition = erased.edition.map_or_else(
        || "there are no records".to_owned(),
        |edition| format!("edition {edition} is in force, and no file of another is left"),
    );
    let note = format!("people named {}, found and erased {}; {edition}", named.len(), erased.people);
    let entry = Entry { note: Some(note), ..Entry::new(EntryKind::Erase) };
    ledger.note(&entry, context::now()).map_err(|e| Failure::new(e.code(), e.to_string()))?;
    say::note(&format!(
        "Erased {} of {} named: {edition}. They are left out of every later load. Answers that left before stay as they are; exports and \
         backups are yours to clear.",
        erased.people,
        named.len()
    ));
    Ok(Exit::Done)
}

fn store(config: &Config) -> Result<Store, Failure> {
    Store::open(&config.data_dir).map_err(failed)
}

fn failed(fault: StoreFault) -> Failure {
    Failure::new(fault.code(), fault.to_string())
}

/// Standard input, one id a line. No word of it is ever said again.
fn ids() -> Result<String, Failure> {
    let unreadable = |why: &str| Failure::bad_file("CC116", format!("the ids on standard input {why}"));
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(IDS_BYTES_MAX + 1);
    input.read_to_string(&mut text).map_err(|_| unreadable("are not UTF-8 text"))?;
    match () {
        () if text.len() as u64 > IDS_BYTES_MAX => Err(unreadable("are more than 8 MiB")),
        () if text.trim().is_empty() => Err(unreadable("are none; give one a line")),
        () => Ok(text),
    }
}

fn named_in(text: &str) -> HashSet<&str> {
    text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|id| !id.is_empty()).collect()
}

/// Most bytes of ids: more people than a partner has.
const IDS_BYTES_MAX: u64 = 8 << 20;
