//! What is in force: the policy with its brake, and the snapshot. Looked at again and again, since boards, duty officers and loads
//! change files while the node runs.

use std::fs::File as DiskFile;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_gate::{ColumnNote, Provisional, SnapshotFacts};
use cairn_policy::{File, Finding, Layers, Severity, Sources};
use cairn_question::answer::PolicyStatement;
use cairn_question::{Hash, PartnerId};
use cairn_records::{Manifest, Snapshot, Store, StoreFault};

/// The national board's file, in the policy folder.
pub const FRAMEWORK_FILE: &str = "framework.toml";

/// The partner's policy.
pub const POLICY_FILE: &str = "policy.toml";

/// The duty officer's brake; absent when none is set.
pub const BRAKE_FILE: &str = "local-brake.toml";

/// Most bytes of one policy file: a policy of five shares has some 15 KB.
pub const POLICY_BYTES_MAX: u64 = 1 << 20;

/// Rows of the last days come late. A snapshot that was loaded fewer than this many days after the day it stands for is
/// provisional: four weeks, the lag that the framework's policies leave.
pub const LATE_ROWS_DAYS: i32 = 28;

/// What decides and what is counted, at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct InForce {
    /// `None`: nothing is answered.
    pub(crate) layers: Option<Arc<Layers>>,
    /// `None`: nothing can be counted.
    pub(crate) held: Option<Arc<Held>>,
    /// Whether there is a brake file.
    pub(crate) brake: Brake,
}

/// Whether a brake file lies in the policy folder.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Brake {
    /// None.
    #[default]
    Absent,
    /// One that reads.
    Present,
    /// One that does not read: everything is paused.
    Unreadable,
}

/// A snapshot in force, with what the gate must know of it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) snapshot: Snapshot,
    pub(crate) facts: SnapshotFacts,
}

/// What a look found changed, for the log and the audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// Another policy is in force.
    Policy,
    /// A policy was turned away; the one before stays.
    PolicyTurnedAway { code: &'static str, findings: Vec<String> },
    /// The brake was set, changed or released.
    Brake { findings: Vec<String> },
    /// Another snapshot is in force.
    Snapshot,
    /// A snapshot was turned away; the one before stays.
    SnapshotTurnedAway { code: &'static str },
}

/// Looks at the files and says what changed. Reads them whole each time: a time stamp can lie, and they are small.
pub(crate) struct Watcher {
    partner: PartnerId,
    policy_dir: PathBuf,
    data_dir: PathBuf,
    store: Store,
    seen: Seen,
    /// The policy that was last put in force at this node, perhaps before its last start: versions only rise.
    last: Option<PolicyStatement>,
    /// The policy in force without its brake.
    base: Option<Layers>,
    in_force: InForce,
}

/// Digests of what was last looked at, whether it was put in force or turned away.
#[derive(Default)]
struct Seen {
    policy: Option<Hash>,
    brake: Option<Hash>,
    pointer: Option<Hash>,
}

impl Watcher {
    /// `last` is the policy that the ledger knows as the last one in force.
    pub(crate) fn new(
        partner: PartnerId,
        last: Option<PolicyStatement>,
        policy_dir: &Path,
        data_dir: &Path,
    ) -> Result<Self, StoreFault> {
        Ok(Self {
            partner,
            policy_dir: policy_dir.to_owned(),
            data_dir: data_dir.to_owned(),
            store: Store::open(data_dir)?,
            seen: Seen::default(),
            last,
            base: None,
            in_force: InForce::default(),
        })
    }

    pub(crate) const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// Looks once. Blocks while files are read; a new snapshot is checked whole.
    pub(crate) fn look(&mut self) -> Vec<Change> {
        let policy = self.look_at_policy();
        let brake = self.look_at_brake(policy == Some(Change::Policy));
        let snapshot = self.look_at_snapshot();
        [policy, brake, snapshot].into_iter().flatten().collect()
    }

    fn look_at_policy(&mut self) -> Option<Change> {
        let texts = [FRAMEWORK_FILE, POLICY_FILE].map(|name| read(&self.policy_dir.join(name)));
        let digest = digest_of(&texts);
        if self.seen.policy.replace(digest) == Some(digest) {
            return None;
        }
        let [Ok(framework), Ok(policy)] = texts else {
            // Nothing was ever there: that is no news, and every question is told so.
            let none_yet = self.base.is_none() && texts.iter().all(is_absent);
            let findings = vec![format!("{FRAMEWORK_FILE} or {POLICY_FILE} cannot be read")];
            return (!none_yet).then_some(Change::PolicyTurnedAway { code: "CN511", findings });
        };
        let sources = Sources {
            framework: File::new(FRAMEWORK_FILE, framework),
            policy: File::new(POLICY_FILE, policy),
            brake: None,
        };
        Some(self.take_up(Layers::load(&sources)))
    }

    /// Puts a policy in force, where it holds, is this partner's and goes not back behind the last one.
    fn take_up(&mut self, loaded: Result<Layers, Vec<Finding>>) -> Change {
        match loaded {
            Ok(layers) if *layers.partner() != self.partner => {
                let findings = vec![format!("it is the policy of `{}`", layers.partner())];
                Change::PolicyTurnedAway { code: "CN513", findings }
            }
            Ok(layers) => {
                let statement = layers.statement();
                if let Some(finding) = self.last.as_ref().and_then(|last| goes_back(last, statement)) {
                    return Change::PolicyTurnedAway { code: "CN518", findings: vec![finding] };
                }
                self.last = Some(statement.clone());
                self.base = Some(layers);
                Change::Policy
            }
            Err(findings) => Change::PolicyTurnedAway { code: "CN512", findings: errors(&findings) },
        }
    }

    /// Applies the brake to the policy in force, when one of the two changed.
    fn look_at_brake(&mut self, policy: bool) -> Option<Change> {
        let text = read(&self.policy_dir.join(BRAKE_FILE));
        let digest = digest_of(std::slice::from_ref(&text));
        let changed = self.seen.brake.replace(digest).is_none_or(|before| before != digest);
        if !changed && !policy {
            return None;
        }
        let file = match text {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            // A brake that cannot be read has been pulled all the same: a text that is no brake pauses everything.
            Err(_) => Some(File::new(BRAKE_FILE, UNREADABLE)),
            Ok(text) => Some(File::new(BRAKE_FILE, text)),
        };
        let was = self.in_force.brake;
        let mut found = Vec::new();
        if let Some(base) = &self.base {
            let (layers, findings) = base.with_brake(file.as_ref());
            self.in_force.layers = Some(Arc::new(layers));
            found = errors(&findings);
        }
        self.in_force.brake = match (&file, found.is_empty()) {
            (None, _) => Brake::Absent,
            (Some(_), true) => Brake::Present,
            (Some(_), false) => Brake::Unreadable,
        };
        let news = changed && (was != Brake::Absent || self.in_force.brake != Brake::Absent);
        news.then_some(Change::Brake { findings: found })
    }

    fn look_at_snapshot(&mut self) -> Option<Change> {
        let pointer = read(&self.data_dir.join(CURRENT));
        let digest = digest_of(std::slice::from_ref(&pointer));
        if self.seen.pointer.replace(digest) == Some(digest) {
            return None;
        }
        match self.store.current() {
            Ok(None) => None,
            Ok(Some(snapshot)) if snapshot.manifest().partner != self.partner => {
                Some(Change::SnapshotTurnedAway { code: "CN514" })
            }
            Ok(Some(snapshot)) => {
                let facts = facts(snapshot.manifest());
                self.in_force.held = Some(Arc::new(Held { snapshot, facts }));
                Some(Change::Snapshot)
            }
            Err(fault) => Some(Change::SnapshotTurnedAway { code: fault.code() }),
        }
    }
}

/// The pointer to the snapshot in force (docs/reference/snapshot.md).
const CURRENT: &str = "CURRENT";

/// Not TOML, so that the policy crate takes it for a brake that cannot be read.
const UNREADABLE: &str = "= the file cannot be read";

/// Why `next` may not follow `last`: an older version, another text of the same version, or another policy, whose versions
/// cannot be compared.
fn goes_back(last: &PolicyStatement, next: &PolicyStatement) -> Option<String> {
    let (id, version, known) = (&next.id, next.version, last.version);
    if *id != last.id {
        Some(format!("the policy `{id}` cannot follow `{}`: this node knows one policy id", last.id))
    } else if version < known {
        Some(format!("version {version} is older than version {known}, which was in force"))
    } else if version == known && next.hash != last.hash {
        Some(format!("version {version} was in force with another text: raise the version"))
    } else {
        None
    }
}

fn facts(manifest: &Manifest) -> SnapshotFacts {
    let late_until = manifest.as_of.plus_days(LATE_ROWS_DAYS);
    let notes = manifest.notes.iter().filter_map(|note| {
        let (table, column) = note.column.split_once('.')?;
        Some(ColumnNote { table: table.to_owned(), column: column.to_owned(), note: note.says.clone() })
    });
    SnapshotFacts {
        as_of: manifest.as_of,
        edition: manifest.edition,
        templates: manifest.templates.clone(),
        notes: notes.collect(),
        provisional: if manifest.loaded_at.day_utc() < late_until {
            Provisional::Yes
        } else {
            Provisional::No
        },
    }
}

fn read(path: &Path) -> Result<String, io::Error> {
    let mut text = String::new();
    let length = DiskFile::open(path)?.take(POLICY_BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(length).is_ok_and(|n| n <= POLICY_BYTES_MAX) {
        Ok(text)
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

fn is_absent(text: &Result<String, io::Error>) -> bool {
    text.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
}

/// One digest for what was read, or for why it was not.
fn digest_of(texts: &[Result<String, io::Error>]) -> Hash {
    let parts = texts.iter().flat_map(|text| match text {
        Ok(text) => Hash::of(text.as_bytes()).to_string().into_bytes(),
        Err(e) => format!("{:?};", e.kind()).into_bytes(),
    });
    Hash::of(&parts.collect::<Vec<u8>>())
}

/// One line for each error: file, place, code and what is wrong. A policy holds no person's data.
fn errors(findings: &[Finding]) -> Vec<String> {
    let errors = findings.iter().filter(|f| f.severity == Severity::Error);
    errors.map(|f| format!("{}:{}:{}: {} {}", f.file, f.line, f.column, f.code, f.says)).collect()
}

#[cfg(test)]
mod tests;
