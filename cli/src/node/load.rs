//! `cairn node load`: a partner's export, checked in full, and published only when it is told to.

use std::io::BufRead as _;
use std::path::Path;

use cairn_link::NodeIdentity;
use cairn_node::Config;
use cairn_policy::folder::{FRAMEWORK_FILE, POLICY_FILE};
use cairn_policy::{File, Layers, SnapshotEvery, Sources};
use cairn_question::Day;
use cairn_records::load::check_and_stage;
use cairn_records::{Manifest, Mapping, Report, Store};

use super::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{context, files, say};

/// What becomes of a load in which nothing refuses.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Then {
    /// It becomes the snapshot in force.
    Commit,
    /// It was only a check.
    Forget,
}

pub(super) fn load(node: &Path, mapping: &Path, source: &Path, then: Then) -> Result<Exit, Failure> {
    let config = config(node)?;
    let name = mapping.display().to_string();
    let mapping = match Mapping::parse(&name, &files::read_text(mapping)?) {
        Ok(mapping) => mapping,
        Err(report) => return Ok(refused(&report)),
    };
    same_partner(&config, &mapping)?;
    let store = Store::open(&config.data_dir).map_err(|e| Failure::new(e.code(), e.to_string()))?;
    let progress = Progress::begin("checking every row");
    let staged = check_and_stage(&store, &mapping, source, context::now());
    progress.end();
    let staged = match staged {
        Ok(staged) => staged,
        Err(report) => return Ok(refused(&report)),
    };
    say::out(&staged.report().to_string());
    for warning in other_days(&config, mapping.as_of) {
        say::note(&warning);
    }
    if then == Then::Forget {
        say::note("Checked; nothing was changed. Next: the same command with --commit");
        return Ok(Exit::Done);
    }
    let snapshot = staged.commit().map_err(|e| Failure::new(e.code(), e.to_string()))?;
    say::note(&published(snapshot.manifest()));
    Ok(Exit::Done)
}

/// What the policy in the node's folder will refuse to count of records that stand for this day. A folder without a policy that reads
/// refuses everything, and the node says so.
fn other_days(config: &Config, as_of: Day) -> Vec<String> {
    let read = |name: &str| Some(File::new(name, files::read_text(&config.policy_dir.join(name)).ok()?));
    let sources = read(FRAMEWORK_FILE).zip(read(POLICY_FILE)).map(|(framework, policy)| Sources {
        framework,
        policy,
        brake: None,
    });
    let Some(layers) = sources.and_then(|s| Layers::load(&s).ok()) else { return Vec::new() };
    let others = layers.snapshot_days().into_iter().filter(|(_, every)| !every.holds(as_of));
    others.map(|(dataset, every)| other_day(dataset, every, as_of)).collect()
}

fn other_day(dataset: &str, every: SnapshotEvery, as_of: Day) -> String {
    format!(
        "Warning: the policy lets {dataset} be counted as they stand on the last day of a {} only, and these records stand for {as_of}: every question about them will be refused (CN011).",
        every.as_str()
    )
}

/// A mapping of another partner would publish records that this node then turns away.
fn same_partner(config: &Config, mapping: &Mapping) -> Result<(), Failure> {
    let own = NodeIdentity::load(&config.identity_dir, context::now())?;
    if mapping.partner == *own.partner() {
        return Ok(());
    }
    let says = format!(
        "the mapping is of `{}`, and this node is `{}`'s; nothing was loaded",
        mapping.partner,
        own.partner()
    );
    Err(Failure::bad_file("CC112", says))
}

fn refused(report: &Report) -> Exit {
    say::out(&report.to_string());
    say::note("Nothing was loaded; the snapshot in force stays.");
    Exit::BadFile
}

fn published(manifest: &Manifest) -> String {
    format!(
        "Published edition {} as of {}. A running node takes it up by itself.",
        manifest.edition, manifest.as_of
    )
}

/// Prints a draft of a mapping from the first line of an export.
pub(super) fn suggest(export: &Path) -> Result<Exit, Failure> {
    let cannot = |why: &str| Failure::new("CC105", format!("{} cannot be read: {why}", export.display()));
    let file = std::fs::File::open(export).map_err(|_| cannot("there is no such file"))?;
    let mut line = String::new();
    let mut first = std::io::BufReader::new(std::io::Read::take(file, HEADER_BYTES_MAX));
    first.read_line(&mut line).map_err(|_| cannot("its first line is not UTF-8 text"))?;
    let line = line.trim_start_matches('\u{feff}').trim_end();
    let header: Vec<&str> = line.split(',').map(|c| c.trim().trim_matches('"')).collect();
    say::out(&cairn_records::mapping::suggest(&header));
    Ok(Exit::Done)
}

/// Most bytes of an export's first line.
const HEADER_BYTES_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
