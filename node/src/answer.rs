//! One question's way through the node: the gate's steps on blocking threads, the count in between, which a brake can stop, and the
//! wait for the slot at which its reply leaves.

mod linkage;
mod once;
mod slot;
mod total;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use cairn_engine::{Engine, EngineFault};
use cairn_gate::{Counting, Failed, Gate, Permitted, Releasable, Step, Without};
use cairn_ledger::{Checkpoint, Ledger};
use cairn_link::frame::{Handed, LedgerEnd};
use cairn_link::{Clock, Flights, Handler};
use cairn_question::padding::padded_reply;
use cairn_question::{AskV1, Hash, Moment, Refusal, Schema, SignedAsk, SigningKey, sabotage};
use cairn_release::{DiscreteLaplace, RawPeople, RawTable};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::in_force::{BoardInForce, Held, InForce};
use crate::linkage_secret::LinkageSecretFile;
use crate::others::{self, Others};
use crate::seats::SeatsFile;
use crate::witness::{Lacks, Witness};
use slot::Slots;

/// How often a question that waits looks at the clock.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The code of a question for which no count began before its deadline.
const NO_TURN: &str = "CN515";

/// The code of people who were named for a table: none of them leaves.
const NO_TOTAL: &str = "CT007";

/// The code of a step that ended without a result: a thread broke.
pub(crate) const BROKEN: &str = "CN516";

/// Answers questions. Shared by all of them.
pub(crate) struct Desk {
    inner: Arc<Inner>,
    /// The ends of other partners' ledgers.
    others: Arc<Others>,
    engine: Engine,
    turns: Semaphore,
    pace: Pace,
    in_force: watch::Sender<InForce>,
    /// The signed public part of the policy, for the coordinator.
    card: watch::Sender<Option<Vec<u8>>>,
    /// Held from reservation to reply by a table that is audited: each must take in the one before it.
    audits: tokio::sync::Mutex<()>,
    /// One lock for each question that is at work, so that the same question that comes twice is worked on once.
    at_work: Mutex<HashMap<Hash, Weak<tokio::sync::Mutex<()>>>>,
}

/// How a node works on questions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How many questions are counted at the same time.
    pub(crate) counts_at_once: usize,
    /// How far apart the slots are at which replies leave.
    pub(crate) slot: Duration,
}

/// What the steps need on a blocking thread.
struct Inner {
    gate: Gate,
    /// One writer, and its calls wait for the disk.
    ledger: Mutex<Ledger>,
    witness: Witness,
    /// Who takes part in secure totals.
    seats: SeatsFile,
    /// By which people are counted once.
    linkage: LinkageSecretFile,
    /// Signs the seal protocol's flights: the key that replies are signed with.
    seal_key: Arc<SigningKey>,
    /// The signed end of the ledger, for the coordinator; `None` until it is known that nothing is lacking.
    end: watch::Sender<Option<Vec<u8>>>,
    clock: Clock,
}

/// What the count of one question came to.
enum Counted {
    Table(RawTable),
    People(RawPeople),
    Failed(EngineFault),
    Stopped(Refusal),
    NoTurn,
}

impl Desk {
    pub(crate) fn new(
        gate: Gate,
        (ledger, witness, others): (Ledger, Witness, Others),
        (seats, linkage, seal_key): (SeatsFile, LinkageSecretFile, Arc<SigningKey>),
        engine: Engine,
        pace: Pace,
        clock: Clock,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                gate,
                ledger: Mutex::new(ledger),
                witness,
                seats,
                linkage,
                seal_key,
                end: watch::Sender::new(None),
                clock,
            }),
            others: Arc::new(others),
            engine,
            turns: Semaphore::new(pace.counts_at_once),
            pace,
            in_force: watch::Sender::new(InForce::default()),
            card: watch::Sender::new(None),
            audits: tokio::sync::Mutex::new(()),
            at_work: Mutex::new(HashMap::new()),
        }
    }

    /// Puts a policy, a brake or a snapshot in force, for questions under way too.
    pub(crate) fn put_in_force(&self, in_force: InForce) {
        let before = self.in_force.send_replace(in_force).layers.map(|l| l.public_part());
        let public = self.in_force.borrow().layers.as_ref().map(|l| l.public_part());
        if public != before || self.card.borrow().is_none() {
            self.card.send_replace(Some(self.inner.gate.card(public, self.inner.clock.now())));
        }
    }

    pub(crate) fn in_force(&self) -> InForce {
        self.in_force.borrow().clone()
    }

    /// How many questions are at work or wait for their turn.
    pub(crate) fn at_work(&self) -> usize {
        locked(&self.at_work).values().filter(|w| w.strong_count() > 0).count()
    }

    /// A call of the ledger, on the calling thread.
    pub(crate) fn with_ledger<T>(&self, call: impl FnOnce(&mut Ledger) -> T) -> T {
        call(&mut locked(&self.inner.ledger))
    }

    async fn reply(&self, ask: Vec<u8>, deadline: Moment, flights: Flights, slots: Slots) -> Vec<u8> {
        let in_force = self.in_force();
        // Before anything else, and in a step of its own: what was heard last is compared before any answer.
        match self.step(|i| i.lacks()).await {
            Some(Lacks::Nothing) => {}
            Some(Lacks::Charges) => return self.without(ask, Without::Charges).await,
            None => return Vec::new(),
        }
        let (Some(layers), held) = (in_force.layers, in_force.held) else {
            let why = match in_force.board {
                BoardInForce::Unpinned => Without::Board,
                BoardInForce::Awaited | BoardInForce::Board(_) => Without::Policy,
            };
            return self.without(ask, why).await;
        };
        let signed = SignedAsk::parse(&ask).ok().filter(|signed| signed.manifest.is_some());
        let (total, under) = (signed.clone(), Arc::clone(&layers));
        let (permitted, invitation) = match self.step(move |i| i.decide(&ask, total.as_ref(), &under)).await {
            Some(Step::On(on)) => on,
            Some(Step::Reply(reply)) => {
                return match signed {
                    // It may have opened, and its opening not have arrived.
                    Some(signed) => self.open_again(signed, layers, flights, reply).await,
                    None => reply,
                };
            }
            Some(Step::Unreadable) | None => return Vec::new(),
        };
        // Past the deadline the ledger itself says that another audit is under way.
        let _alone = if permitted.is_audited() { self.by(deadline, self.audits.lock()).await } else { None };
        let reserve = move |i: &Inner| {
            let (now, mut ledger) = (i.clock.now(), i.ledger());
            i.reserve(permitted, held, &mut ledger, now)
        };
        match self.step(reserve).await {
            Some(Step::On((counting, held))) => {
                let counted = self.table(&counting, &held, deadline).await;
                match invitation {
                    Some(invitation) => {
                        self.seal(counting, counted, (invitation, held, flights), slots).await
                    }
                    None => self.protect(counting, counted, slots).await,
                }
            }
            Some(Step::Reply(reply)) => reply,
            Some(Step::Unreadable) | None => Vec::new(),
        }
    }

    async fn without(&self, ask: Vec<u8>, why: Without) -> Vec<u8> {
        let reply =
            self.step(move |i| i.gate.without_policy(&ask, why, &mut i.ledger(), i.clock.now())).await;
        // Not a question at all: an empty reply is none, and the coordinator says so.
        reply.flatten().unwrap_or_default()
    }

    /// Has the ledger's end signed for the coordinator, where it moved and nothing is lacking. Blocks.
    pub(crate) fn publish_end(&self) {
        self.inner.publish_end();
    }

    /// Draws the noise, waits for the slot, and writes the answer to the ledger just before it leaves. A brake or another policy stops
    /// it until then.
    async fn protect(&self, counting: Counting, counted: Counted, slots: Slots) -> Vec<u8> {
        let in_force = self.in_force();
        let reply = match self.step(move |i| i.protect(counting, counted, &in_force)).await {
            Some(Ok(releasable)) => {
                let stopped = tokio::select! {
                    biased;
                    refusal = self.forbidden(|i, now| i.still_releasable(&releasable, now)) => Some(refusal),
                    () = slots.ledger() => None,
                };
                let in_force = self.in_force();
                self.step(move |i| i.release(releasable, stopped, &in_force)).await
            }
            Some(Err(failed)) => self.step(move |i| i.fail(*failed)).await,
            None => None,
        };
        // Where a thread broke the hold stays open and lapses; the same question sent again gets the same hold.
        reply.unwrap_or_default()
    }

    /// Waits for a turn, counts, and stops as soon as a brake or another policy forbids it.
    async fn table(&self, counting: &Counting, held: &Held, deadline: Moment) -> Counted {
        let count = async {
            let Some(_turn) = self.turn(deadline.min(counting.deadline())).await else {
                return Counted::NoTurn;
            };
            let (snapshot, plan) = (&held.snapshot, counting.plan());
            let counted = if counting.names_people() {
                self.engine.people(snapshot, plan).await.map(Counted::People)
            } else {
                self.engine.count(snapshot, plan).await.map(Counted::Table)
            };
            counted.unwrap_or_else(Counted::Failed)
        };
        tokio::select! {
            biased;
            refusal = self.forbidden(|i, now| i.still_permitted(counting, now)) => Counted::Stopped(refusal),
            counted = count => counted,
        }
    }

    /// The refusal of what is in force, as soon as there is one.
    async fn forbidden(&self, still: impl Fn(&Inner, &InForce) -> Result<(), Refusal>) -> Refusal {
        let mut changes = self.in_force.subscribe();
        loop {
            if let Err(refusal) = still(&self.inner, &changes.borrow_and_update()) {
                return refusal;
            }
            if changes.changed().await.is_err() {
                // Nobody changes anything any more.
                std::future::pending::<()>().await;
            }
        }
    }

    /// A turn to count, or `None` when the deadline came first.
    async fn turn(&self, deadline: Moment) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.by(deadline, self.turns.acquire()).await?.ok()
    }

    /// What `wanted` gives, or `None` when the deadline came first.
    async fn by<T>(&self, deadline: Moment, wanted: impl Future<Output = T>) -> Option<T> {
        let passed = async {
            while self.inner.clock.now() < deadline {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            biased;
            given = wanted => Some(given),
            () = passed => None,
        }
    }

    /// Runs steps of the gate on a thread that may block. `None` when the thread broke.
    async fn step<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> T + Send + 'static) -> Option<T> {
        let inner = Arc::clone(&self.inner);
        let ended = tokio::task::spawn_blocking(move || work(&inner)).await;
        if ended.is_err() {
            tracing::error!(code = BROKEN, "a step of the gate broke");
        }
        ended.ok()
    }

    /// The lock of one question.
    fn lock_of(&self, question: Hash) -> Arc<tokio::sync::Mutex<()>> {
        let mut at_work = locked(&self.at_work);
        at_work.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = at_work.get(&question).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        at_work.insert(question, Arc::downgrade(&lock));
        lock
    }
}

impl Handler for Desk {
    async fn answer(&self, ask: Vec<u8>, deadline: Moment, flights: Flights) -> Vec<u8> {
        let slots = Slots::from(Instant::now(), self.pace.slot);
        let claimed = SignedAsk::parse(&ask).and_then(|s| s.peek()).ok();
        let question = claimed.as_ref().map_or_else(|| "unreadable".to_owned(), |a| a.id.to_string());
        tracing::info!(question, "a question has come");
        let lock = self.lock_of(Hash::of(&ask));
        let _alone = lock.lock().await;
        let reply = self.reply(ask, deadline, flights, slots).await;
        // Before the reply leaves, so that whoever holds the end knows of its charge.
        self.step(Inner::publish_end).await;
        let reply = sized(reply, claimed.as_ref());
        slots.reply().await;
        tracing::info!(question, bytes = reply.len(), "a question is replied to");
        reply
    }

    fn card(&self) -> watch::Receiver<Option<Vec<u8>>> {
        self.card.subscribe()
    }

    fn held(&self, checkpoint: Option<Vec<u8>>) {
        // Nothing is said of this ledger's end before it was compared with the one that is held.
        if let Some(held) = checkpoint {
            self.inner.witness.hear(held);
            self.inner.end.send_replace(None);
        }
    }

    fn keep(&self, end: LedgerEnd) {
        others::keep(&self.others, end);
    }

    fn register(&self, register: Vec<u8>) {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || {
            if inner.seats.take(&register) {
                tracing::info!("a new register of the federation is here");
                inner.linkage.look(&inner.seats, inner.clock.now());
            }
        });
    }

    async fn linkage(&self, handed: Handed) -> Option<Handed> {
        self.step(move |i| i.linkage.hand_over(&i.seats, handed)).await.flatten()
    }

    fn linkage_asking(&self) -> watch::Receiver<Option<Vec<u8>>> {
        self.inner.linkage.asking()
    }

    fn kept(&self) -> Vec<LedgerEnd> {
        self.others.all()
    }

    fn checkpoint(&self) -> watch::Receiver<Option<Vec<u8>>> {
        self.inner.end.subscribe()
    }
}

impl Inner {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        locked(&self.ledger)
    }

    /// Compares what was heard of the ledger's end.
    fn lacks(&self) -> Lacks {
        self.witness.lacks(&self.ledger(), &self.gate)
    }

    fn publish_end(&self) {
        let Some(end) = self.own_end() else { return };
        let says = ((end.head.entries, end.head.hash), end.given_up);
        self.end.send_if_modified(|now| {
            let before = now.as_deref().and_then(|signed| self.gate.open_checkpoint(signed));
            let moved = before.is_none_or(|before| (before.head(), before.given_up) != says);
            if moved {
                *now = Some(self.gate.checkpoint(end, self.clock.now()));
            }
            moved
        });
    }

    /// The ledger's end, where nothing is lacking.
    fn own_end(&self) -> Option<Checkpoint> {
        let ledger = self.ledger();
        match self.witness.lacks(&ledger, &self.gate) {
            Lacks::Nothing => ledger.checkpoint().ok(),
            Lacks::Charges => None,
        }
    }

    fn reserve(
        &self,
        permitted: Permitted,
        held: Option<Arc<Held>>,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Step<(Counting, Arc<Held>)> {
        let Some(held) = held else {
            return Step::Reply(self.gate.without_snapshot(permitted, ledger, now));
        };
        match self.gate.reserve(permitted, &held.facts, ledger, now) {
            Step::On(counting) => Step::On((counting, held)),
            Step::Reply(reply) => Step::Reply(reply),
            Step::Unreadable => Step::Unreadable,
        }
    }

    /// Noise and all, in one go: OpenDP is not `Send`.
    fn protect(
        &self,
        counting: Counting,
        counted: Counted,
        in_force: &InForce,
    ) -> Result<Releasable, Box<Failed>> {
        let counted = match self.still_permitted(&counting, in_force) {
            Ok(()) => counted,
            Err(refusal) => Counted::Stopped(refusal),
        };
        let protected = match counted {
            Counted::Table(raw) => self.gate.release(counting, raw, &mut DiscreteLaplace),
            // Who they are leaves in a pattern of all partners only.
            Counted::People(_) => Err(counting.failed(NO_TOTAL)),
            Counted::Failed(fault) => {
                let code = sabotage!(fault.code(), DataInErrorText => crate::sabotage::code_of(in_force));
                Err(counting.failed(code))
            }
            Counted::NoTurn => Err(counting.failed(NO_TURN)),
            Counted::Stopped(refusal) => Err(counting.stopped(refusal)),
        };
        protected.map_err(Box::new)
    }

    /// Charges, keeps and signs a table that nothing stopped while it waited.
    fn release(&self, releasable: Releasable, stopped: Option<Refusal>, in_force: &InForce) -> Vec<u8> {
        let stopped = stopped.or_else(|| self.still_releasable(&releasable, in_force).err());
        match stopped {
            None => self.gate.reply(releasable, &mut self.ledger(), self.clock.now()),
            Some(refusal) => self.fail(releasable.stopped(refusal)),
        }
    }

    fn fail(&self, failed: Failed) -> Vec<u8> {
        self.gate.fail(failed, &mut self.ledger(), self.clock.now())
    }

    /// Under a policy that was taken away nothing is stopped: what was permitted was permitted by the one before.
    fn still_permitted(&self, counting: &Counting, in_force: &InForce) -> Result<(), Refusal> {
        match &in_force.layers {
            Some(layers) => self.gate.still_permitted(counting, layers, self.clock.now()),
            None => Ok(()),
        }
    }

    fn still_releasable(&self, releasable: &Releasable, in_force: &InForce) -> Result<(), Refusal> {
        match &in_force.layers {
            Some(layers) => self.gate.still_releasable(releasable, layers, self.clock.now()),
            None => Ok(()),
        }
    }
}

/// As long as the question's text says, whatever the reply holds.
fn sized(reply: Vec<u8>, claimed: Option<&AskV1>) -> Vec<u8> {
    let grid = claimed.and_then(|ask| ask.question.grid(Schema::smf()).ok());
    padded_reply(reply, grid.as_ref())
}

/// A thread that panicked while it held the lock left no half-done change: the ledger commits whole transactions.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
