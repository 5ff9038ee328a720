//! What is in force at a node. The node writes it beside its ledger as it changes, so that `cairn node status` can read it without
//! taking the ledger from it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cairn_question::answer::PolicyStatement;
use cairn_question::privacy::NanoRho;
use cairn_question::{Day, Hash, Moment, Name, PartnerId};
use serde::{Deserialize, Serialize};

/// The file's name, beside the ledger.
pub const STATUS_FILE: &str = "node-status.json";

/// Most bytes of the file.
const STATUS_BYTES_MAX: u64 = 64 * 1024;

/// A status older than this, in seconds, is of a node that has stopped: a running one writes every five.
pub const STALE_AFTER_S: u64 = 30;

/// How a node stands. Holds no count of people.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Format, 1.
    pub cairn_node_status: u8,
    /// When it was written.
    pub at: Moment,
    /// The partner.
    pub partner: PartnerId,
    /// The federation.
    pub federation: Name,
    /// The connection to the coordinator.
    pub coordinator: CoordinatorLink,
    /// The policy in force; `None`: nothing is answered.
    pub policy: Option<PolicyInForce>,
    /// What lies in the policy folder and did not come into force; `None`: nothing.
    pub turned_away: Option<NotInForce>,
    /// The board whose approval counts; `None`: none is known yet.
    pub board: Option<BoardStatus>,
    /// Whether a board is pinned or known: without, no policy comes into force.
    pub board_pinned: bool,
    /// The brake.
    pub brake: BrakeState,
    /// The records in force; `None`: nothing can be counted.
    pub snapshot: Option<SnapshotInForce>,
    /// The person's account under the policy's caps; `None` without a policy, or where the ledger could not be read.
    pub account: Option<AccountState>,
    /// The linkage secret; `None` where people are not counted once, or before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linkage: Option<LinkageState>,
    /// Questions at work or waiting for their turn.
    pub questions_at_work: usize,
}

/// The connection to the coordinator.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CoordinatorLink {
    /// Dialling.
    Dialling,
    /// Connected.
    Connected,
    /// Not connected; it dials again by itself.
    Lost {
        /// A stable code.
        code: String,
        /// In words.
        says: String,
    },
    /// The node has stopped.
    Stopped,
}

/// A policy in force.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyInForce {
    /// Its id, version and hash.
    pub statement: PolicyStatement,
    /// Its first day.
    pub from: Day,
    /// Its last day.
    pub until: Day,
    /// The day by which the board reviews it.
    pub review_by: Day,
    /// When it came into force at this node.
    pub since: Option<Moment>,
    /// The members whose signatures approved it.
    pub approved_by: Vec<Name>,
    /// Shares that end before the policy, each with its last day.
    pub shares_end: Vec<(Name, Day)>,
    /// Columns of the data dictionary that it does not name, as `table.column`. They are hidden.
    pub unnamed_columns: Vec<String>,
}

/// A policy that was turned away, or waits.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotInForce {
    /// A stable code.
    pub code: String,
    /// Why, and what to do next.
    pub findings: Vec<String>,
}

/// A board.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardStatus {
    /// Its id.
    pub id: Name,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its file.
    pub hash: Hash,
    /// Its members, each with the last day on which their key counts.
    pub members: Vec<(Name, Day)>,
}

/// Whether a brake file lies in the policy folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BrakeState {
    /// None.
    Absent,
    /// One that reads; what it pauses stands in it.
    Present,
    /// One that does not read, which pauses everything.
    Unreadable,
}

/// Records in force.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotInForce {
    /// The snapshot's number.
    pub edition: u32,
    /// The day the records stand for.
    pub as_of: Day,
}

/// The person's account in nano-ρ, open holds included.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountState {
    /// In the policy year.
    pub year: NanoRho,
    /// Its cap.
    pub year_cap: NanoRho,
    /// Ever.
    pub lifetime: NanoRho,
    /// Its cap.
    pub lifetime_cap: NanoRho,
}

/// The linkage secret of the roster in force.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkageState {
    /// Whose node makes it.
    pub keeper: PartnerId,
    /// Whether it is here, or asked for.
    pub here: bool,
}

impl Status {
    /// Reads the status that the node with this ledger wrote last. Look at [`Status::is_stale`].
    ///
    /// # Errors
    /// What the operating system says; `InvalidData` for a file that is none.
    pub fn read(ledger_path: &Path) -> Result<Self, io::Error> {
        let file = std::fs::File::open(file_of(ledger_path))?;
        let bytes = io::Read::take(file, STATUS_BYTES_MAX);
        serde_json::from_reader(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    /// Whether it is of a node that no longer runs.
    #[must_use]
    pub fn is_stale(&self, now: Moment) -> bool {
        self.coordinator == CoordinatorLink::Stopped || now > self.at.plus_s(STALE_AFTER_S)
    }

    pub(crate) fn write(&self, ledger_path: &Path) -> Result<(), io::Error> {
        let (path, fresh) = (file_of(ledger_path), file_of(ledger_path).with_extension("json.new"));
        let json =
            serde_json::to_vec_pretty(self).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(&json)?;
        drop(file);
        std::fs::rename(fresh, path)
    }
}

fn file_of(ledger_path: &Path) -> PathBuf {
    ledger_path.with_file_name(STATUS_FILE)
}
