//! A node's side of one round, as a state machine: frames and the time in; frames, events and deadlines out.
//!
//! A frame that is refused changes nothing: the state is left as it was, and the refusal is for the node's own log. Drain
//! [`NodeRound::poll_transmit`] and [`NodeRound::poll_event`] after every call, and call [`NodeRound::handle_time`] at [`NodeRound::next_deadline`].

mod states;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use cairn_question::{Hash, Moment, QuestionId, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::agree::Randomness;
use crate::attempt::Attempt;
use crate::layout::Plain;
use crate::linkage_secret::LinkageMark;
use crate::manifest::Manifest;
use crate::mask::Aggregator;
use crate::members::{Members, NodeId};
use crate::partners::{Openings, Series};
use crate::receipt::Receipt;
use crate::record::OpenRecord;
use crate::refused::Refused;
use crate::roster::Roster;
use crate::wire::{FromCoordinator, FromNode};

use states::{Checked, Opened, State};

/// How many of the coordinator's flight times a node waits in one flight before it drops its keys and is ready anew. More than one, so that the coordinator gives up first.
const PATIENCE_FLIGHTS: u64 = 4;

/// A node's own standing: what every round of it shares.
#[derive(Clone)]
pub struct NodeSetup {
    /// This node's number in the roster.
    pub node: NodeId,
    /// Its signing key, the one in the roster.
    pub key: Arc<SigningKey>,
    /// The pinned roster.
    pub roster: Arc<Roster>,
    /// The coordinator's key, pinned at installation: what signs receipts, and nothing else.
    pub coordinator: VerifyingKey,
    /// Keys that two partners exchanged by other means when they joined; both have it, or neither. They keep masks secret should X25519 fall.
    pub onboarding: BTreeMap<NodeId, Zeroizing<[u8; 32]>>,
    /// How vectors are sealed.
    pub aggregator: Arc<dyn Aggregator>,
}

/// What a round is of at this node.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The question that the node verified.
    pub question: QuestionId,
    /// SHA-256 of its signed text.
    pub question_hash: Hash,
    /// The records that were counted.
    pub series: Series,
    /// What this node opened before, for R2 and R6.
    pub openings: Openings,
    /// Where people are counted once: the mark of the linkage secret that the vector is made under. `None` in any other round, and where an opening is sent again.
    pub mark: Option<LinkageMark>,
}

/// Asks for the table with fresh noise. One vector for one attempt: not `Clone`, and [`NodeRound::drawn`] consumes it (R4).
#[must_use = "the round waits for the vector"]
pub struct Draw {
    attempt: Attempt,
    partners: usize,
    honest: usize,
}

/// Asks that the record be on disk. [`NodeRound::kept`] takes it back, and nothing else makes the node open (R2).
#[must_use = "the round waits until the record is kept"]
pub struct Keep {
    record: OpenRecord,
}

/// What the node has to do next. Complete: the node's program handles every one.
#[derive(Debug)]
pub enum NodeEvent {
    /// Draw the noise for this attempt, and hand the vector back with [`NodeRound::drawn`].
    Draw(Draw),
    /// Keep the record in one transaction with the hold's conversion and [`Openings::record`], fsync, then [`NodeRound::kept`].
    Keep(Keep),
    /// The coordinator's word on what it released.
    Receipt(Receipt),
    /// Partners of the round signed that they hold another linkage secret than this node: it has left the round, and nothing of it was sealed. Say so to whoever asked.
    OtherLinkage(Refused),
    /// The round is over and this node did not open: the hold lapses, unless the ledger has a record of this question.
    Lapsed,
    /// The deadline has passed after the opening: the charge stands.
    Closed,
}

/// One round at one node.
pub struct NodeRound {
    ours: Ours,
    state: State,
    outbox: VecDeque<Vec<u8>>,
    events: VecDeque<NodeEvent>,
    repeat_at: Moment,
}

/// What does not change in a round, but for the attempts seen.
struct Ours {
    setup: NodeSetup,
    manifest: Manifest,
    subject: Subject,
    place: usize,
    incarnation: [u8; 16],
    /// The last attempt that this node took part in; `None` before the first.
    last: Option<Attempt>,
}

impl NodeRound {
    /// Joins a round once the table is computed, and says READY. The debit is held already. Where the ledger has a record of the question, it is
    /// [`NodeRound::resume`] that is called, and never this.
    ///
    /// # Errors
    /// [`Refused::OtherQuestion`], [`Refused::Deadline`], [`Refused::NotInRoster`], [`Refused::NotInvited`] or [`Refused::NoRandomness`]; [`Refused::NoLinkage`]
    /// where people are counted once and the subject has no mark.
    pub fn ready(
        setup: NodeSetup,
        manifest: Manifest,
        subject: Subject,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<Self, Refused> {
        manifest.in_time(&setup.roster, now)?;
        if manifest.is_marked() && subject.mark.is_none() {
            return Err(Refused::NoLinkage);
        }
        let ours = Ours::new(setup, manifest, subject, randomness)?;
        let mut round = Self::with(ours, State::Waiting, now);
        round.say_again(now);
        Ok(round)
    }

    /// Takes up a round after a restart from the record that was kept: it sends exactly that OPEN again, and nothing else, ever (R2).
    ///
    /// # Errors
    /// [`Refused::Record`] for a record of another round; [`Refused::Over`] after the deadline; otherwise as [`NodeRound::ready`].
    pub fn resume(
        setup: NodeSetup,
        manifest: Manifest,
        subject: Subject,
        record: OpenRecord,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<Self, Refused> {
        if record.manifest != *manifest.hash() || record.question != subject.question {
            return Err(Refused::Record);
        }
        if now >= manifest.says().deadline {
            return Err(Refused::Over);
        }
        let ours = Ours::new(setup, manifest, subject, randomness)?;
        let mut round = Self::with(ours, State::Opened(Opened::new(record)), now);
        round.say_again(now);
        Ok(round)
    }

    fn with(ours: Ours, state: State, now: Moment) -> Self {
        Self { ours, state, outbox: VecDeque::new(), events: VecDeque::new(), repeat_at: now }
    }

    /// Takes one frame's body that arrived at `now`.
    ///
    /// # Errors
    /// Why it was dropped; see each code. The round goes on as if it had not come.
    pub fn handle_frame(
        &mut self,
        body: &[u8],
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<(), Refused> {
        self.handle_time(now);
        match FromCoordinator::read(body, &self.ours.manifest)? {
            // The round began with it.
            FromCoordinator::Manifest(_) => Ok(()),
            FromCoordinator::Attempt { attempt, announced } => {
                match self.state.check_attempt(&self.ours, attempt, &announced)? {
                    Checked::Again => self.say_again(now),
                    Checked::New(()) => {
                        let keyed = self.ours.keyed(attempt, announced, now, randomness)?;
                        self.ours.last = Some(attempt);
                        self.go(State::Keyed(keyed), now);
                    }
                }
                Ok(())
            }
            FromCoordinator::Relay { attempt, members, own, keys } => {
                let relay = states::Relay { attempt, members, own, keys };
                self.on_relay(relay, now)
            }
            FromCoordinator::Board { h1, lines } => self.on_board(&h1, &lines, now),
            FromCoordinator::Receipt(bytes) => self.on_receipt(&bytes),
        }
    }

    fn on_relay(&mut self, relay: states::Relay, now: Moment) -> Result<(), Refused> {
        let ids = match self.state.check_relay(&self.ours, &relay) {
            Ok(Checked::New(ids)) => ids,
            Ok(Checked::Again) => {
                self.say_again(now);
                return Ok(());
            }
            Err(refused) => {
                self.leave_for(&refused);
                return Err(refused);
            }
        };
        // What was checked is a state with keys; it is consumed, so that no key serves twice.
        let State::Keyed(keyed) = std::mem::replace(&mut self.state, State::Waiting) else {
            return Err(Refused::OutOfTurn);
        };
        let drawing = keyed.agree(&self.ours, relay, ids)?;
        self.events.push_back(NodeEvent::Draw(drawing.ask(&self.ours)));
        self.go(State::Drawing(drawing), now);
        Ok(())
    }

    /// Leaves a round of partners that hold another linkage secret: they signed it, and no later attempt changes it.
    fn leave_for(&mut self, refused: &Refused) {
        if matches!(refused, Refused::OtherLinkage { .. }) {
            self.state = State::Over;
            self.events.push_back(NodeEvent::OtherLinkage(refused.clone()));
        }
    }

    fn on_board(
        &mut self,
        h1: &Hash,
        lines: &[crate::attempt::SealedLine],
        now: Moment,
    ) -> Result<(), Refused> {
        match self.state.check_board(&self.ours, h1, lines)? {
            Checked::Again => self.say_again(now),
            Checked::New(h2) => {
                let State::Sealed(sealed) = std::mem::replace(&mut self.state, State::Waiting) else {
                    return Err(Refused::OutOfTurn);
                };
                let record = sealed.record(&self.ours, h2);
                self.go(State::Keeping(h2), now);
                self.events.push_back(NodeEvent::Keep(Keep { record }));
            }
        }
        Ok(())
    }

    fn on_receipt(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let State::Opened(opened) = &mut self.state else { return Err(Refused::OutOfTurn) };
        let binding = (self.ours.manifest.hash(), &opened.record.h2);
        let receipt = Receipt::open(bytes, &self.ours.setup.coordinator, binding)?;
        match &opened.receipt {
            Some(first) => first.is_of(&receipt.says().table),
            None => {
                opened.receipt = Some(receipt.clone());
                self.events.push_back(NodeEvent::Receipt(receipt));
                Ok(())
            }
        }
    }

    /// Takes the table with the noise that was drawn for `draw`, seals it and sends it. Both are consumed and wiped.
    ///
    /// # Errors
    /// [`Refused::StaleNoise`] when another attempt began meanwhile: a new [`Draw`] is among the events. [`Refused::OtherLayout`] and
    /// [`Refused::NoRandomness`] end the attempt for this node, and it is ready for the next.
    pub fn drawn(
        &mut self,
        draw: Draw,
        vector: Plain,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<(), Refused> {
        self.handle_time(now);
        let drawing = match std::mem::replace(&mut self.state, State::Waiting) {
            State::Drawing(drawing) if drawing.is_asked(&draw) => drawing,
            other => {
                self.state = other;
                return Err(Refused::StaleNoise);
            }
        };
        match drawing.seal(&self.ours, vector, now, randomness) {
            Ok(sealed) => {
                self.go(State::Sealed(sealed), now);
                Ok(())
            }
            Err(refused) => {
                self.go(State::Waiting, now);
                Err(refused)
            }
        }
    }

    /// The record is on disk: the node opens.
    ///
    /// # Errors
    /// [`Refused::Record`] for the record of another round; [`Refused::Over`] when the deadline has passed meanwhile: the record stays, and nothing is sent.
    pub fn kept(&mut self, keep: Keep, now: Moment) -> Result<(), Refused> {
        match &self.state {
            State::Keeping(h2) if *h2 == keep.record.h2 => {
                self.state = State::Opened(Opened::new(keep.record));
                if now >= self.ours.manifest.says().deadline {
                    self.end();
                    return Err(Refused::Over);
                }
                self.say_again(now);
                Ok(())
            }
            State::Over => Err(Refused::Over),
            _ => Err(Refused::Record),
        }
    }

    /// Leaves the round: the table cannot be had, or the ledger did not keep the record. After an opening this changes nothing.
    pub fn give_up(&mut self) {
        if !matches!(self.state, State::Opened(_) | State::Over) {
            self.state = State::Over;
            self.events.push_back(NodeEvent::Lapsed);
        }
    }

    /// Lets time pass: repeats what was not answered, drops an attempt that hangs, ends the round at its deadline.
    pub fn handle_time(&mut self, now: Moment) {
        if now >= self.ours.manifest.says().deadline {
            self.end();
        } else if self.state.until().is_some_and(|until| now >= until) {
            self.go(State::Waiting, now);
        } else if now >= self.repeat_at {
            self.say_again(now);
        }
    }

    fn end(&mut self) {
        let event = match self.state {
            State::Over => return,
            State::Opened(_) => NodeEvent::Closed,
            _ => NodeEvent::Lapsed,
        };
        self.state = State::Over;
        self.events.push_back(event);
    }

    fn go(&mut self, state: State, now: Moment) {
        self.state = state;
        self.say_again(now);
    }

    /// Sends what this state says, the first time or again.
    fn say_again(&mut self, now: Moment) {
        let flight_s = u64::from(self.ours.manifest.says().flight_s);
        self.repeat_at = now.plus_s((flight_s / 3).max(1));
        let body = match &self.state {
            State::Waiting => Some(self.ours.ready_frame()),
            state => state.frame(&self.ours.manifest),
        };
        self.outbox.extend(body);
    }

    /// The next body for the coordinator.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// The next thing for the node to do.
    pub fn poll_event(&mut self) -> Option<NodeEvent> {
        self.events.pop_front()
    }

    /// When to call [`NodeRound::handle_time`]; `None` when the round is over.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let until = match &self.state {
            State::Over => return None,
            state => state.until().unwrap_or(self.ours.manifest.says().deadline),
        };
        Some(until.min(self.repeat_at).min(self.ours.manifest.says().deadline))
    }

    /// Whether the round is over for this node.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }
}

impl Ours {
    fn new(
        setup: NodeSetup,
        manifest: Manifest,
        subject: Subject,
        randomness: &mut dyn Randomness,
    ) -> Result<Self, Refused> {
        manifest.of_question(subject.question, &subject.question_hash)?;
        let place = setup.roster.place(setup.node).ok_or(Refused::NotInvited)?;
        if !manifest.says().invited.contains(place) {
            return Err(Refused::NotInvited);
        }
        let drawn = randomness.bytes()?;
        let incarnation = *drawn.first_chunk().ok_or(Refused::NoRandomness)?;
        Ok(Self { setup, manifest, subject, place, incarnation, last: None })
    }

    fn ready_frame(&self) -> Vec<u8> {
        let ended = self.last.map_or(0, Attempt::number);
        FromNode::Ready { incarnation: self.incarnation, ended }.write(&self.manifest)
    }

    /// R1 of a set that the coordinator names.
    fn admits(&self, members: &Members) -> Result<(), Refused> {
        self.manifest.admits(members)?;
        if members.contains(self.place) { Ok(()) } else { Err(Refused::WithoutUs) }
    }

    fn patience(&self, now: Moment) -> Moment {
        now.plus_s(u64::from(self.manifest.says().flight_s).saturating_mul(PATIENCE_FLIGHTS))
    }
}

impl Draw {
    /// The attempt.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// |U|: whose sum this will be.
    #[must_use]
    pub const fn partners(&self) -> usize {
        self.partners
    }

    /// h = |U| − t: among how many the noise is shared.
    #[must_use]
    pub const fn honest(&self) -> usize {
        self.honest
    }
}

impl Keep {
    /// The record.
    #[must_use]
    pub const fn record(&self) -> &OpenRecord {
        &self.record
    }
}

impl fmt::Debug for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draw({:?}, {} partners)", self.attempt, self.partners)
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keep({:?})", self.record)
    }
}
