//! The running node: what is in force is watched, the coordinator is dialled, questions are answered.

use std::sync::Arc;
use std::time::Duration;

use cairn_engine::{Engine, Limits};
use cairn_gate::{Gate, Keys};
use cairn_ledger::{Entry, EntryKind, Ledger, NOTE_CHARS_MAX, SnapshotKey};
use cairn_link::{Clock, NodeIdentity, NodeState, run_node};
use cairn_policy::approval::{Board, Member};
use cairn_question::answer::PolicyStatement;
use cairn_release::{DiscreteLaplace, Shares, self_test, self_test_shares};
use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::answer::{BROKEN, Desk, Pace};
use crate::config::Config;
use crate::in_force::{BoardInForce, Brake, Change, InForce, Places, TurnedAway, WAITS, Watcher};
use crate::linkage_secret::LinkageSecretFile;
use crate::others::Others;
use crate::seats::SeatsFile;
use crate::secret::cap_key;
use crate::start_fault::StartFault;
use crate::status::{
    AccountState, BoardStatus, BrakeState, CoordinatorLink, NotInForce, PolicyInForce, SnapshotInForce,
    Status,
};
use crate::witness::Witness;

/// How often the policy, the brake and the snapshot are looked at: a brake is in force within a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a look may take before nobody can say that the brake is seen: a busy machine takes a second.
const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// The policy folder cannot be read in time.
const BLIND: &str = "CN013";

/// How many looks pass between two writes of the status, where nothing changed: five seconds.
const LOOKS_PER_STATUS: u32 = 10;

/// A node that runs until it is stopped.
pub struct Node {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    link: JoinHandle<()>,
    watch: JoinHandle<()>,
}

/// What the node's tasks share.
struct Shared {
    config: Config,
    identity: Arc<NodeIdentity>,
    clock: Clock,
    desk: Arc<Desk>,
    link: watch::Receiver<NodeState>,
}

impl Node {
    /// Tests the noise, opens the ledger, looks at what is in force, and begins to dial. `draw` gives 32 random bytes for the
    /// secret that is made at first start.
    ///
    /// # Errors
    /// [`StartFault`]; nothing runs then. A missing or faulty policy, or missing records, are no reason: questions are refused.
    pub async fn start(
        config: Config,
        identity: NodeIdentity,
        clock: Clock,
        draw: impl FnOnce() -> Option<[u8; 32]> + Send + 'static,
    ) -> Result<Self, StartFault> {
        let identity = Arc::new(identity);
        let opened = {
            let (config, identity, clock) = (config.clone(), Arc::clone(&identity), clock.clone());
            tokio::task::spawn_blocking(move || open(&config, &identity, &clock, draw))
        };
        let (desk, watcher) = opened.await.map_err(|_| StartFault::Broken)??;
        let desk = Arc::new(desk);
        let (state, link) = watch::channel(NodeState::Dialling);
        let shared = Arc::new(Shared { config, identity, clock, desk, link });
        let (stop, stopped) = watch::channel(false);
        let dials = dial(Arc::clone(&shared), state, stopped.clone());
        let looks = look_on(Arc::clone(&shared), watcher, stopped);
        Ok(Self { shared, stop, link: tokio::spawn(dials), watch: tokio::spawn(looks) })
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// The connection to the coordinator, as it changes.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<NodeState> {
        self.shared.link.clone()
    }

    /// Stops: takes no more questions, gives those at work a few seconds, and closes the audit with a line.
    pub async fn stop(self) {
        // Nobody listening means that it has stopped already.
        let _ = self.stop.send(true);
        let _ = self.link.await;
        let _ = self.watch.await;
        let shared = self.shared;
        let ended = tokio::task::spawn_blocking(move || shared.close());
        let _ = ended.await;
    }
}

fn open(
    config: &Config,
    identity: &NodeIdentity,
    clock: &Clock,
    draw: impl FnOnce() -> Option<[u8; 32]>,
) -> Result<(Desk, Watcher), StartFault> {
    self_test(&mut DiscreteLaplace)?;
    self_test_shares(&mut Shares)?;
    let cap = cap_key(&config.ledger_path, draw)?;
    let mut ledger = Ledger::open(&config.ledger_path)?;
    let start = Entry { note: Some(PROGRAM.to_owned()), ..Entry::new(EntryKind::Start) };
    ledger.note(&start, clock.now())?;
    let last = ledger.last_policy()?;
    let signing = NodeIdentity::load_signing_key(&config.identity_dir)?;
    let partner = identity.partner().clone();
    let others = Others::open(&config.ledger_path, identity.federation().clone());
    let gate = Gate::new(
        identity.federation().clone(),
        partner.clone(),
        identity.issuers().clone(),
        Keys { signing, cap },
    );
    let engine = Engine::new(limits(config))?;
    let witness = Witness::open(&config.ledger_path);
    let pace = Pace {
        counts_at_once: usize::from(config.counts_at_once.get()),
        slot: Duration::from_millis(u64::from(config.answer_slot_ms.get())),
    };
    let seats = SeatsFile::new(&config.identity_dir, *identity.federation_key(), partner.clone());
    let folders = (&*config.identity_dir, &*config.ledger_path);
    let linkage = LinkageSecretFile::new(folders, partner.clone(), identity.shared_signing_key());
    let totals = (seats, linkage, identity.shared_signing_key());
    let desk = Desk::new(gate, (ledger, witness, others), totals, engine, pace, clock.clone());
    let mut watcher = Watcher::new(partner, last, Places::of(config))?;
    look(&desk, &mut watcher, clock);
    // Also where nothing changed: without a pinned board every question is told so.
    desk.put_in_force(watcher.in_force().clone());
    Ok((desk, watcher))
}

pub(crate) fn limits(config: &Config) -> Limits {
    let threads = std::num::NonZeroUsize::from(config.count_threads);
    Limits {
        memory_bytes: usize::try_from(config.memory_mb.get()).unwrap_or(usize::MAX).saturating_mul(MB),
        time_limit: Duration::from_secs(u64::from(config.count_time_limit_s.get())),
        threads,
    }
}

async fn dial(shared: Arc<Shared>, state: watch::Sender<NodeState>, mut stopped: watch::Receiver<bool>) {
    let until = async move {
        // The sender is dropped with the node: then it is to stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let (identity, desk) = (Arc::clone(&shared.identity), Arc::clone(&shared.desk));
    let coordinator = shared.config.coordinator.clone();
    run_node(identity, coordinator, desk, shared.clock.clone(), state, until).await;
}

/// Looks at the files until the node stops.
async fn look_on(shared: Arc<Shared>, mut watcher: Watcher, mut stopped: watch::Receiver<bool>) {
    let mut looks = 0_u32;
    loop {
        let status_due = looks.is_multiple_of(LOOKS_PER_STATUS);
        looks = looks.wrapping_add(1);
        let at_work = Arc::clone(&shared);
        let (back, mut looked) = oneshot::channel();
        // A thread of its own: a look that never ends (a network folder that hangs) must not keep the node from stopping.
        std::thread::spawn(move || {
            let changed = look(&at_work.desk, &mut watcher, &at_work.clock);
            at_work.desk.publish_end();
            if status_due {
                at_work.desk.see_to_linkage();
            }
            at_work.desk.remind_the_keeper();
            if changed || status_due {
                at_work.write_status(&at_work.status());
            }
            // Nobody waits for it where the node stops.
            let _ = back.send(watcher);
        });
        let back = tokio::select! {
            back = in_time(&mut looked, LOOK_WITHIN, &shared.desk) => back,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let Some(back) = watched(back, &shared.desk) else { return };
        watcher = back;
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// The end of a look. One that takes longer than `within` sees no brake meanwhile: nothing is answered until it ends.
pub(crate) async fn in_time(
    looked: &mut oneshot::Receiver<Watcher>,
    within: Duration,
    desk: &Desk,
) -> Result<Watcher, RecvError> {
    if let Ok(in_time) = tokio::time::timeout(within, &mut *looked).await {
        return in_time;
    }
    desk.put_in_force(InForce::default());
    tracing::error!(
        code = BLIND,
        "the policy folder cannot be read in time; nothing is answered until it can"
    );
    let watcher = looked.await?;
    desk.put_in_force(watcher.in_force().clone());
    tracing::warn!(code = BLIND, "the policy folder was read; what is in force is answered again");
    Ok(watcher)
}

/// The watcher back from a look. Where the look broke nobody would see a brake any more, so from then on nothing is answered.
pub(crate) fn watched(looked: Result<Watcher, RecvError>, desk: &Desk) -> Option<Watcher> {
    if looked.is_err() {
        desk.put_in_force(InForce::default());
        tracing::error!(
            code = BROKEN,
            "the look at policy and brake broke; nothing is answered until the next start"
        );
    }
    looked.ok()
}

/// Looks once, puts in force what changed, and has it in the log and the audit. Says whether anything changed.
pub(crate) fn look(desk: &Desk, watcher: &mut Watcher, clock: &Clock) -> bool {
    let changes = watcher.look(clock.now());
    if !changes.is_empty() {
        // In force first: a brake does not wait for the disk.
        desk.put_in_force(watcher.in_force().clone());
    }
    for change in &changes {
        let entry = entry_of(change, watcher);
        if let Some(entry) = entry
            && let Err(fault) = desk.with_ledger(|ledger| ledger.note(&entry, clock.now()))
        {
            tracing::error!(code = fault.code(), %fault, "the ledger failed");
        }
    }
    !changes.is_empty()
}

/// Logs a change, and gives its audit entry.
fn entry_of(change: &Change, watcher: &Watcher) -> Option<Entry> {
    let in_force = watcher.in_force();
    let policy = in_force.layers.as_ref().map(|l| l.statement().clone());
    match change {
        Change::Policy => {
            let statement = policy?;
            tracing::info!(policy = statement.id, version = statement.version, "a policy is in force");
            Some(Entry { policy: Some(statement), ..Entry::new(EntryKind::Policy) })
        }
        Change::PolicyTurnedAway(turned_away) => Some(turned_away_entry(turned_away, policy)),
        Change::Board => {
            let BoardInForce::Board(board) = &in_force.board else { return None };
            let document = board.document();
            let says = format!("the board {} version {} approves from now on", document.id, document.version);
            tracing::warn!(hash = %document.hash, "{says}");
            Some(Entry {
                code: Some(BOARD.to_owned()),
                note: Some(says),
                policy,
                ..Entry::new(EntryKind::Policy)
            })
        }
        Change::BoardTurnedAway(TurnedAway { code, findings }) => {
            for finding in findings {
                tracing::warn!(code, finding, "a board is turned away; the one before stays");
            }
            let note = findings.first().map(|f| shortened(&format!("board turned away: {f}")));
            Some(Entry { code: Some((*code).to_owned()), note, policy, ..Entry::new(EntryKind::Policy) })
        }
        Change::PolicyAsBefore => {
            tracing::info!("the files are those of the policy in force again");
            None
        }
        Change::KeptTurnedAway { code, finding } | Change::Lapses { code, finding } => {
            tracing::warn!(code, "{finding}");
            let note = Some(shortened(finding));
            Some(Entry { code: Some((*code).to_owned()), note, policy, ..Entry::new(EntryKind::Policy) })
        }
        Change::Brake { findings } => {
            let says = match in_force.brake {
                Brake::Absent => "released",
                Brake::Present => "set",
                Brake::Unreadable => "cannot be read, so that everything is paused",
            };
            tracing::warn!(brake = says, "the brake");
            for finding in findings {
                tracing::warn!(finding, "the brake cannot be read");
            }
            Some(Entry { note: Some(says.to_owned()), policy, ..Entry::new(EntryKind::Brake) })
        }
        Change::Snapshot => {
            let facts = &in_force.held.as_ref()?.facts;
            tracing::info!(edition = facts.edition, as_of = %facts.as_of, "records are in force");
            let snapshot = SnapshotKey { as_of: facts.as_of, edition: facts.edition };
            Some(Entry {
                snapshot: Some(snapshot),
                note: Some(IN_FORCE.to_owned()),
                ..Entry::new(EntryKind::Load)
            })
        }
        Change::SnapshotTurnedAway { code } => {
            tracing::error!(code, "a snapshot is turned away; the one before stays");
            let note = Some("turned away; the one before stays".to_owned());
            Some(Entry { code: Some((*code).to_owned()), note, ..Entry::new(EntryKind::Load) })
        }
    }
}

fn turned_away_entry(turned_away: &TurnedAway, policy: Option<PolicyStatement>) -> Entry {
    let TurnedAway { code, findings } = turned_away;
    let what = match (*code == WAITS, &policy) {
        (true, _) => "a policy waits for its first day",
        (false, Some(_)) => "a policy is turned away; the one before stays",
        (false, None) => "a policy is turned away; nothing is in force",
    };
    for finding in findings {
        tracing::warn!(code, finding, "{what}");
    }
    let begins = if *code == WAITS { "waits" } else { "turned away" };
    let note = findings.first().map(|f| shortened(&format!("{begins}: {f}")));
    Entry { code: Some((*code).to_owned()), note, policy, ..Entry::new(EntryKind::Policy) }
}

fn shortened(text: &str) -> String {
    shortened_to(text, NOTE_CHARS_MAX)
}

fn shortened_to(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

impl Shared {
    fn status(&self) -> Status {
        let in_force = self.desk.in_force();
        let now = self.clock.now();
        let account = in_force.layers.as_ref().and_then(|layers| {
            let account = self.desk.with_ledger(|ledger| ledger.account(&layers.caps(), now)).ok()?;
            Some(AccountState {
                year: account.year,
                year_cap: account.year_cap,
                lifetime: account.lifetime,
                lifetime_cap: account.lifetime_cap,
            })
        });
        let policy = in_force.layers.as_ref().map(|layers| PolicyInForce {
            statement: layers.statement().clone(),
            from: layers.in_force().0,
            until: layers.in_force().1,
            review_by: layers.review_by(),
            since: in_force.since,
            approved_by: in_force.approved_by.to_vec(),
            shares_end: layers.share_ends().map(|(share, day)| (share.clone(), day)).collect(),
            unnamed_columns: layers.unnamed_columns(),
        });
        let turned_away = in_force.turned_away.as_ref().map(|why| NotInForce {
            code: why.code.to_owned(),
            findings: why
                .findings
                .iter()
                .take(FINDINGS_SHOWN)
                .map(|f| shortened_to(f, FINDING_CHARS))
                .collect(),
        });
        let board = match &in_force.board {
            BoardInForce::Board(board) => Some(board_status(board)),
            BoardInForce::Awaited | BoardInForce::Unpinned => None,
        };
        let held = in_force.held.as_ref();
        let snapshot = held.map(|h| SnapshotInForce { edition: h.facts.edition, as_of: h.facts.as_of });
        Status {
            cairn_node_status: 1,
            at: now,
            partner: self.identity.partner().clone(),
            federation: self.identity.federation().clone(),
            coordinator: coordinator_link(&self.link.borrow()),
            policy,
            turned_away,
            board,
            board_pinned: !matches!(in_force.board, BoardInForce::Unpinned),
            brake: match in_force.brake {
                Brake::Absent => BrakeState::Absent,
                Brake::Present => BrakeState::Present,
                Brake::Unreadable => BrakeState::Unreadable,
            },
            snapshot,
            account,
            linkage: self.desk.linkage_state(),
            questions_at_work: self.desk.at_work(),
        }
    }

    fn write_status(&self, status: &Status) {
        if let Err(cause) = status.write(&self.config.ledger_path) {
            tracing::warn!(code = "CN517", %cause, "the status could not be written");
        }
    }

    fn close(&self) {
        let stop = Entry { note: Some(PROGRAM.to_owned()), ..Entry::new(EntryKind::Stop) };
        let noted = self.desk.with_ledger(|ledger| ledger.note(&stop, self.clock.now()));
        if let Err(fault) = noted {
            tracing::error!(code = fault.code(), %fault, "the ledger failed");
        }
        self.write_status(&Status { coordinator: CoordinatorLink::Stopped, ..self.status() });
    }
}

fn board_status(board: &Board) -> BoardStatus {
    let document = board.document();
    let member = |m: &Member| (m.id.clone(), m.to.plus_days(-1));
    BoardStatus {
        id: document.id.clone(),
        version: document.version,
        hash: document.hash,
        members: board.members().iter().map(member).collect(),
    }
}

fn coordinator_link(state: &NodeState) -> CoordinatorLink {
    match state {
        NodeState::Connected => CoordinatorLink::Connected,
        NodeState::Lost { why, .. } => {
            CoordinatorLink::Lost { code: why.code().to_owned(), says: why.to_string() }
        }
        _ => CoordinatorLink::Dialling,
    }
}

/// Most findings of a policy that was turned away that the status shows; the log has all.
const FINDINGS_SHOWN: usize = 20;

/// Most characters of each.
const FINDING_CHARS: usize = 400;

/// What the audit says of records that a node takes up, at its start or after a load.
const IN_FORCE: &str = "in force at this node";

/// The code of the entry that tells of another board.
const BOARD: &str = "CN530";

/// The program and its version, for the audit.
const PROGRAM: &str = concat!("cairn-node ", env!("CARGO_PKG_VERSION"));

const MB: usize = 1 << 20;

#[cfg(test)]
mod tests;
