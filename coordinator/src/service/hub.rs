//! What all parts of a running coordinator share: who is connected, which rounds are open, the register, the store.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::SystemTime;

use cairn_link::frame::{Handed, LedgerEnd, Progress};
use cairn_link::identity::{DENIED_FILE, DenyList};
use cairn_link::{Clock, CoordinatorIdentity, NodeHandle};
use cairn_question::{Moment, Name, PartnerId, PolicyCard, QuestionId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Status;
use super::members::Members;
use crate::config::Config;
use crate::round;
use crate::store::{KEPT_BYTES_MAX, Kept, OpenMax, Store, StoreFault};

const DAY_S: u64 = 86_400;

/// Shared by the door, the desk and every round.
pub(super) struct Hub {
    pub(super) config: Config,
    pub(super) identity: CoordinatorIdentity,
    pub(super) clock: Clock,
    members: RwLock<Arc<Members>>,
    /// What was last said about a register that is not served, so that it is said once.
    complaint: Mutex<Option<String>>,
    /// The malformed deny list that was last complained of, so that each change of it is told once.
    denied_complaint: Mutex<Option<Edition>>,
    /// `None` once the coordinator has stopped.
    store: Arc<Mutex<Option<Store>>>,
    board: Mutex<Board>,
    rounds: Mutex<JoinSet<()>>,
    halt: watch::Sender<bool>,
    /// Held while a question goes from the store to the board, so that nobody finds it between the two.
    taking_on: tokio::sync::Mutex<()>,
}

/// Connected nodes and open rounds under one lock, so that a node which connects while a round begins is asked once.
#[derive(Default)]
struct Board {
    nodes: BTreeMap<PartnerId, NodeHandle>,
    rounds: BTreeMap<QuestionId, Watched>,
    /// The newest verified card of each partner, also of one that has gone.
    cards: BTreeMap<PartnerId, PolicyCard>,
    /// The newest end of each partner's ledger that another partner turned out to keep.
    turned_up: BTreeMap<PartnerId, Vec<u8>>,
    /// What each partner asked the keeper for the linkage secret with, until it was answered.
    askings: BTreeMap<PartnerId, Vec<u8>>,
    stopping: bool,
}

/// An open round, as others see it.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) inbox: mpsc::UnboundedSender<round::Event>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) deadline: Moment,
    pub(super) asked: u16,
}

/// How a round stands for those who watch it.
#[derive(Clone)]
pub(super) enum Phase {
    Open(Progress),
    Closed(Arc<Kept>),
    /// It could not be closed on disk; it will be after the next start.
    Stuck(&'static str),
}

impl Phase {
    /// Takes over how an open round stands now. Says whether that is news.
    pub(super) fn update(&mut self, now: Progress) -> bool {
        let news = !matches!(self, Self::Open(before) if *before == now);
        *self = Self::Open(now);
        news
    }
}

impl Hub {
    pub(super) fn new(
        config: Config,
        identity: CoordinatorIdentity,
        clock: Clock,
        members: Members,
        store: Store,
    ) -> Self {
        Self {
            config,
            identity,
            clock,
            members: RwLock::new(Arc::new(members)),
            complaint: Mutex::new(None),
            denied_complaint: Mutex::new(None),
            store: Arc::new(Mutex::new(Some(store))),
            board: Mutex::new(Board::default()),
            rounds: Mutex::new(JoinSet::new()),
            halt: watch::Sender::new(false),
            taking_on: tokio::sync::Mutex::new(()),
        }
    }

    pub(super) fn federation(&self) -> &Name {
        self.identity.federation()
    }

    pub(super) fn members(&self) -> Arc<Members> {
        Arc::clone(&self.members.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn open_max(&self) -> OpenMax {
        OpenMax {
            all: usize::from(self.config.open_rounds_max.get()),
            per_analyst: usize::from(self.config.open_rounds_per_analyst_max.get()),
        }
    }

    /// Runs a call of the store on a thread that may block.
    pub(super) async fn with_store<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Store) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let store = Arc::clone(&self.store);
        let work = move || locked(&store).as_mut().map_or(Err(StoreFault::Stopped), call);
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreFault::Stopped))
    }

    /// Looks at the register and the deny list again. A register that does not hold leaves the one before in force.
    pub(super) async fn reload(self: &Arc<Self>) -> Option<DenyList> {
        let hub = Arc::clone(self);
        tokio::task::spawn_blocking(move || hub.reload_files()).await.unwrap_or(None)
    }

    /// Forgets rounds that were closed long ago, and the oldest beyond what is kept.
    pub(super) async fn forget(self: &Arc<Self>) {
        let before = keep_from(&self.config, self.clock.now());
        match self.with_store(move |store| store.forget(before, KEPT_BYTES_MAX)).await {
            Ok(0) => {}
            Ok(rounds) => tracing::info!(rounds, "closed rounds are forgotten"),
            Err(fault) => tracing::warn!(code = fault.code(), "closed rounds could not be forgotten"),
        }
    }

    fn reload_files(&self) -> Option<DenyList> {
        let served = self.members();
        match Members::load(&self.config.register_path, &self.identity, served.register.version) {
            Ok(new) if new.signed != served.signed => self.put_in_force(new),
            Ok(_) => *locked(&self.complaint) = None,
            Err(fault) => self.complain(fault.code(), &fault.to_string()),
        }
        self.reload_denied()
    }

    fn reload_denied(&self) -> Option<DenyList> {
        match self.denied() {
            Ok(list) => Some(list),
            Err(Some(says)) => {
                tracing::warn!(code = "CO405", says, "the deny list before stays in force");
                None
            }
            Err(None) => None,
        }
    }

    /// The deny list as it is on disk, or what is wrong with it: the words once for each change of the file, then none.
    pub(super) fn denied(&self) -> Result<DenyList, Option<String>> {
        let mut last = locked(&self.denied_complaint);
        // Looked at before the file is read, so that a change in between is a change at the next look.
        let edition = Edition::of(&self.config.identity_dir.join(DENIED_FILE));
        match DenyList::load(&self.config.identity_dir) {
            Ok(list) => {
                *last = None;
                Ok(list)
            }
            Err(_) if *last == Some(edition) => Err(None),
            Err(fault) => {
                *last = Some(edition);
                Err(Some(fault.to_string()))
            }
        }
    }

    fn put_in_force(&self, new: Members) {
        let version = new.register.version;
        let keep = |store: &mut Store| store.keep_register(version, &new.signed);
        match locked(&self.store).as_mut().map_or(Err(StoreFault::Stopped), keep) {
            Ok(()) => {
                let signed = new.signed.clone();
                *self.members.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                let mut board = locked(&self.board);
                board.nodes.values().for_each(|node| node.register(signed.clone()));
                // Of a roster that is no more: whoever still lacks the secret asks for that of the new one.
                board.askings.clear();
                drop(board);
                tracing::info!(version, "a new register is in force");
            }
            Err(fault) => self.complain(fault.code(), &fault.to_string()),
        }
    }

    fn complain(&self, code: &'static str, says: &str) {
        let mut last = locked(&self.complaint);
        if last.as_deref() != Some(says) {
            tracing::warn!(code, says, "the register before stays in force");
            *last = Some(says.to_owned());
        }
    }

    pub(super) fn node_up(&self, partner: &PartnerId, node: NodeHandle) {
        tracing::info!(%partner, "a node is connected");
        let mut board = locked(&self.board);
        board.nodes.insert(partner.clone(), node);
        for round in board.rounds.values() {
            // A round that has just closed needs nobody.
            let _ = round.inbox.send(round::Event::Connected(partner.clone()));
        }
    }

    pub(super) fn node_down(&self, partner: &PartnerId) {
        tracing::info!(%partner, "a node is no longer connected");
        locked(&self.board).nodes.remove(partner);
    }

    /// Takes the public part of a partner's policy, if the partner's registered key signed it.
    pub(super) fn take_card(&self, partner: &PartnerId, bytes: &[u8]) {
        let members = self.members();
        let entry = members.register.partner(partner);
        let federation = self.identity.federation();
        let card = entry.and_then(|e| PolicyCard::open(bytes, &e.signing_key, federation, partner));
        let Some(card) = card else {
            tracing::warn!(%partner, code = "CO406", "a policy card is no card under the partner's registered key");
            return;
        };
        let policy = card.policy.as_ref().map(|p| format!("{}@{}", p.statement.id, p.statement.version));
        tracing::info!(%partner, policy, "a partner's policy is known");
        locked(&self.board).cards.insert(partner.clone(), card);
    }

    /// The cards of the partners, by id.
    pub(super) fn cards(&self) -> BTreeMap<PartnerId, PolicyCard> {
        locked(&self.board).cards.clone()
    }

    pub(super) fn node(&self, partner: &PartnerId) -> Option<NodeHandle> {
        locked(&self.board).nodes.get(partner).cloned()
    }

    /// Gives the end of a partner's ledger to the next partner, by id, that is connected.
    pub(super) fn give_to_keep(&self, end: LedgerEnd) {
        let mut board = locked(&self.board);
        // What the partner has gone beyond or given up need not be told again.
        board.turned_up.remove(&end.partner);
        let after = (Bound::Excluded(end.partner.clone()), Bound::Unbounded);
        let holder = board.nodes.range(after).next().or_else(|| board.nodes.iter().next());
        if let Some((_, holder)) = holder.filter(|(id, _)| **id != end.partner) {
            holder.keep(end);
        }
    }

    pub(super) fn has_turned_up(&self, partner: &PartnerId, checkpoint: Vec<u8>) {
        locked(&self.board).turned_up.insert(partner.clone(), checkpoint);
    }

    pub(super) fn turned_up(&self, partner: &PartnerId) -> Option<Vec<u8>> {
        locked(&self.board).turned_up.get(partner).cloned()
    }

    /// Keeps what a partner asks for the linkage secret with, in the place of what it asked with before.
    pub(super) fn keep_asking(&self, asker: &PartnerId, document: Vec<u8>) {
        locked(&self.board).askings.insert(asker.clone(), document);
    }

    pub(super) fn asking_is_answered(&self, asker: &PartnerId) {
        locked(&self.board).askings.remove(asker);
    }

    /// What every partner asks for the linkage secret with.
    pub(super) fn askings(&self) -> Vec<Handed> {
        let board = locked(&self.board);
        let asking = |(asker, document): (&PartnerId, &Vec<u8>)| Handed {
            asker: asker.clone(),
            document: document.clone(),
        };
        board.askings.iter().map(asking).collect()
    }

    /// Makes a round known, and tells it of everybody who is connected.
    pub(super) fn open_round(&self, id: QuestionId, round: Watched) {
        let mut board = locked(&self.board);
        for partner in board.nodes.keys() {
            let _ = round.inbox.send(round::Event::Connected(partner.clone()));
        }
        board.rounds.insert(id, round);
    }

    pub(super) fn close_round(&self, id: QuestionId) {
        locked(&self.board).rounds.remove(&id);
    }

    pub(super) fn round(&self, id: QuestionId) -> Option<Watched> {
        locked(&self.board).rounds.get(&id).cloned()
    }

    /// Runs a round until it is closed or the coordinator stops.
    pub(super) fn spawn_round(&self, round: impl Future<Output = ()> + Send + 'static) {
        let mut rounds = locked(&self.rounds);
        while rounds.try_join_next().is_some() {}
        rounds.spawn(round);
    }

    pub(super) fn begin_to_stop(&self) {
        locked(&self.board).stopping = true;
    }

    pub(super) fn is_stopping(&self) -> bool {
        locked(&self.board).stopping
    }

    /// Turns true when rounds are to end where they stand.
    pub(super) fn halted(&self) -> watch::Receiver<bool> {
        self.halt.subscribe()
    }

    /// Nobody else takes a question on while this is held.
    pub(super) async fn taking_on(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.taking_on.lock().await
    }

    /// Ends every round where it stands, and gives the store back to the disk. What a round knows beyond the store is asked
    /// again after the next start.
    pub(super) async fn settle(&self) {
        self.halt.send_replace(true);
        let mut rounds = std::mem::take(&mut *locked(&self.rounds));
        while rounds.join_next().await.is_some() {}
        let store = Arc::clone(&self.store);
        // A call that is under way ends before the lock is free; those that come after it find no store.
        let _ = tokio::task::spawn_blocking(move || drop(locked(&store).take())).await;
    }

    pub(super) fn status(&self) -> Status {
        let members = self.members();
        let board = locked(&self.board);
        let all = members.register.partners.iter().map(|p| p.id.clone());
        let (connected, away): (Vec<_>, _) = all.partition(|id| board.nodes.contains_key(id));
        let cards = board.cards.values().filter(|card| members.register.partner(&card.partner).is_some());
        Status {
            register_version: members.register.version,
            connected,
            away,
            open_rounds: board.rounds.len(),
            policies: cards.cloned().collect(),
        }
    }
}

/// What tells one state of a file from another: when it was written, and its bytes; nothing where it cannot be looked at.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Edition(Option<(SystemTime, u64)>);

impl Edition {
    fn of(file: &Path) -> Self {
        let told = std::fs::metadata(file).and_then(|m| Ok((m.modified()?, m.len())));
        Self(told.ok())
    }
}

/// A thread that panicked while it held the lock has left nothing half done: every change is one call.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rounds that were closed before this moment are forgotten.
fn keep_from(config: &Config, now: Moment) -> Moment {
    let keep_s = u64::from(config.results_keep_days.get()).saturating_mul(DAY_S);
    Moment::from_unix_s(now.unix_s().saturating_sub(keep_s))
}
