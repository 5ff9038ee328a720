//! The coordinator's side of one round, as a state machine: frames and the time in; frames, events and deadlines out.
//!
//! It never holds a key of the roster. Every answer is driven by a node that says its frame again, so that a lost answer costs one repeat.

mod phase;
mod presence;

use std::collections::VecDeque;
use std::sync::Arc;

use cairn_question::{Hash, Moment, SigningKey};

use crate::attempt::Attempt;
use crate::layout::Plain;
use crate::manifest::Manifest;
use crate::mask::Aggregator;
use crate::members::{Members, NodeId};
use crate::receipt::{OpenedRound, ReceiptV1};
use crate::refused::Refused;
use crate::roster::Roster;
use crate::transcript::Transcript;
use crate::wire::{FromCoordinator, FromNode};

use phase::{Closing, Keying, Opening, Phase, Released};
use presence::{Presence, Said};

/// Whose sum is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RollCall {
    /// Whoever is ready when `until` has come, if they are enough; at once when all who are invited are.
    Whoever {
        /// Until when the others are waited for. Leave time for the flights before the deadline.
        until: Moment,
    },
    /// These and nobody else: the second exact total on a snapshot, whose partners must be those of the first (R6).
    Exactly(Members),
}

/// The coordinator's own standing.
#[derive(Clone)]
pub struct CoordinatorSetup {
    /// Signs receipts.
    pub key: Arc<SigningKey>,
    /// The pinned roster.
    pub roster: Arc<Roster>,
    /// How vectors are opened.
    pub aggregator: Arc<dyn Aggregator>,
    /// Whose sum is wanted.
    pub roll_call: RollCall,
}

/// The sum, before it is protected, and what proves it.
#[derive(Debug)]
pub struct Summed {
    /// Whose sum it is, as places in the roster.
    pub partners: Members,
    /// The sum. Withheld and rounded by the same rules as a node's table, or noisy already, as the treatment says.
    pub sum: Plain,
    /// For an auditor who is entitled to the sum.
    pub transcript: Transcript,
}

/// What the coordinator has to do next. Complete: its program handles every one.
#[derive(Debug)]
pub enum CoordinatorEvent {
    /// The sum opened. Protect it, then [`CoordinatorRound::release`].
    Summed(Box<Summed>),
    /// The round is over without a sum: nothing was learnt.
    Failed(Refused),
}

/// How a round stands, for the operator's roll call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Who has said READY and was not lost since.
    pub ready: Members,
    /// Who was invited and is not ready.
    pub missing: Members,
    /// The attempt under way.
    pub attempt: Option<Attempt>,
}

/// One round at the coordinator.
pub struct CoordinatorRound {
    setup: CoordinatorSetup,
    manifest: Manifest,
    presence: Presence,
    phase: Phase,
    outbox: VecDeque<(NodeId, Vec<u8>)>,
    events: VecDeque<CoordinatorEvent>,
    last: Option<Attempt>,
    invite_at: Moment,
    /// Who will not come: nobody is waited for on their account.
    declined: Members,
}

impl CoordinatorRound {
    /// Opens a round: sends the manifest to everybody invited.
    ///
    /// # Errors
    /// [`Refused::Deadline`], [`Refused::NotInRoster`], or for a roll call that the manifest does not admit [`Refused::NotWithinInvited`] and [`Refused::TooFew`].
    pub fn open(setup: CoordinatorSetup, manifest: Manifest, now: Moment) -> Result<Self, Refused> {
        manifest.in_time(&setup.roster, now)?;
        let until = match &setup.roll_call {
            RollCall::Whoever { until } => *until,
            RollCall::Exactly(members) => {
                manifest.admits(members)?;
                manifest.says().deadline
            }
        };
        let mut round = Self {
            setup,
            manifest,
            presence: Presence::default(),
            phase: Phase::Gathering { until },
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            last: None,
            invite_at: now,
            declined: Members::default(),
        };
        round.invite(now);
        Ok(round)
    }

    /// A partner that will not be ready: it refused, or is away for good. Without it there may be nobody left to wait for. One that says READY
    /// all the same is taken.
    pub fn decline(&mut self, node: NodeId, now: Moment) {
        let Some(place) = self.setup.roster.place(node) else { return };
        let declined = Members::of(self.declined.places().chain([place])).unwrap_or_default();
        if declined == self.declined {
            return;
        }
        self.declined = declined;
        let wanted = match &self.setup.roll_call {
            RollCall::Whoever { .. } => false,
            RollCall::Exactly(members) => members.contains(place),
        };
        match self.phase {
            // Without one of these there is no total, and the others need not wait for the deadline.
            Phase::Gathering { .. } if wanted => self.fail(Some(Refused::TooFewReady)),
            Phase::Gathering { .. } if self.is_complete() => self.attempt(now),
            _ => {}
        }
    }

    /// What stands for the round once its sum has opened.
    #[must_use]
    pub const fn opened(&self) -> Option<OpenedRound> {
        match &self.phase {
            Phase::Summed(s) => Some(OpenedRound { opening: s.h2, transcript: s.transcript }),
            Phase::Released(r) => Some(OpenedRound { opening: r.h2, transcript: r.transcript }),
            _ => None,
        }
    }

    /// Takes one frame's body that `from` sent, as the link authenticated it.
    ///
    /// # Errors
    /// Why it was dropped. The round goes on as if it had not come.
    pub fn handle_frame(&mut self, from: NodeId, body: &[u8], now: Moment) -> Result<(), Refused> {
        self.handle_time(now);
        let place = self.setup.roster.place(from).ok_or(Refused::Stranger)?;
        if !self.manifest.says().invited.contains(place) {
            return Err(Refused::Stranger);
        }
        match FromNode::read(body, &self.manifest)? {
            FromNode::Ready { incarnation, ended } => self.on_ready(place, incarnation, ended, now),
            FromNode::Keys { attempt, keys } => self.on_keys(place, attempt, Hash::of(body), keys, now)?,
            FromNode::Sealed { attempt, h1, signature, commitment, vector } => {
                let said = phase::SealedSaid { h1, signature, commitment, vector };
                self.on_sealed(place, attempt, said, now)?;
            }
            FromNode::Open { h2, blind, signature } => self.on_open(place, &h2, blind, signature)?,
        }
        Ok(())
    }

    fn on_ready(&mut self, place: usize, incarnation: [u8; 16], ended: u8, now: Moment) {
        let said = self.presence.ready(place, incarnation, ended);
        let current = self.last.map_or(0, Attempt::number);
        let lost = said == Said::Restarted || (said == Said::Same && ended >= current);
        let complete = self.is_complete();
        match &mut self.phase {
            Phase::Gathering { .. } if complete => self.attempt(now),
            Phase::Keying(keying) if keying.announced.contains(place) => {
                // Keys of an earlier start of the node are worth nothing: it does not have their halves any more.
                if said == Said::Restarted {
                    keying.keys.remove(&place);
                }
                if !keying.keys.contains_key(&place) && said != Said::Stale {
                    let body = keying.announcement().write(&self.manifest);
                    self.send(place, body);
                }
            }
            Phase::Sealing(sealing) if lost && sealing.members.contains(place) => self.again(now),
            // A start that has a record of its opening says OPEN. One that says READY has lost what it sealed with: nobody need wait for the deadline.
            Phase::Opening(opening) if said == Said::Restarted && opening.lacks(place) => {
                self.fail(Some(Refused::NotOpened));
            }
            _ => {}
        }
    }

    fn on_keys(
        &mut self,
        place: usize,
        attempt: Attempt,
        frame: Hash,
        keys: Vec<crate::wire::SignedKey>,
        now: Moment,
    ) -> Result<(), Refused> {
        match &mut self.phase {
            Phase::Keying(keying) if keying.attempt == attempt => {
                keying.take(place, frame, keys)?;
                if keying.is_complete() {
                    self.relay(now);
                }
                Ok(())
            }
            Phase::Sealing(sealing) if sealing.attempt == attempt && sealing.members.contains(place) => {
                let body = sealing.relay_to(place, &frame)?.write(&self.manifest);
                self.send(place, body);
                Ok(())
            }
            _ => {
                self.late_frame(place, attempt, now);
                Err(Refused::OutOfTurn)
            }
        }
    }

    fn on_sealed(
        &mut self,
        place: usize,
        attempt: Attempt,
        said: phase::SealedSaid,
        now: Moment,
    ) -> Result<(), Refused> {
        let entry = self.setup.roster.entry(place).ok_or(Refused::Stranger)?;
        match &mut self.phase {
            Phase::Sealing(sealing) if sealing.attempt == attempt => {
                sealing.take(place, said, &entry.key, self.manifest.says().layout)?;
                if sealing.is_complete() {
                    self.board();
                }
                Ok(())
            }
            Phase::Opening(opening) if opening.members.contains(place) && opening.h1 == said.h1 => {
                let body = opening.board().write(&self.manifest);
                self.send(place, body);
                Ok(())
            }
            _ => {
                self.late_frame(place, attempt, now);
                Err(Refused::OutOfTurn)
            }
        }
    }

    fn on_open(
        &mut self,
        place: usize,
        h2: &Hash,
        blind: [u8; 32],
        signature: cairn_question::Signature,
    ) -> Result<(), Refused> {
        let entry = self.setup.roster.entry(place).ok_or(Refused::Stranger)?;
        match &mut self.phase {
            Phase::Opening(opening) => {
                opening.take(place, h2, blind, signature, &entry.key)?;
                if opening.is_complete() {
                    self.sum();
                }
                Ok(())
            }
            Phase::Released(released) if released.h2 == *h2 && released.members.contains(place) => {
                let body = released.receipt.clone();
                self.send(place, body);
                Ok(())
            }
            Phase::Summed(_) => Ok(()),
            _ => Err(Refused::OutOfTurn),
        }
    }

    /// The table that was released of the sum: every partner gets its receipt.
    ///
    /// # Errors
    /// [`Refused::OutOfTurn`] without a sum, or when a table was released already.
    pub fn release(&mut self, table: Hash, now: Moment) -> Result<(), Refused> {
        let Phase::Summed(summed) = &self.phase else { return Err(Refused::OutOfTurn) };
        let receipt = ReceiptV1 {
            cairn_receipt: 1,
            question: self.manifest.says().question,
            manifest: *self.manifest.hash(),
            opening: summed.h2,
            table,
            transcript: summed.transcript,
            at: now,
        };
        let bytes = receipt.sign(&self.setup.key).to_bytes();
        let receipt = FromCoordinator::Receipt(bytes).write(&self.manifest);
        let (h2, transcript) = (summed.h2, summed.transcript);
        let released = Released { h2, transcript, members: summed.members.clone(), receipt };
        released.members.places().for_each(|place| self.send(place, released.receipt.clone()));
        self.phase = Phase::Released(released);
        Ok(())
    }

    /// Lets time pass: invites again, goes on without who is late, ends the round at its deadline.
    pub fn handle_time(&mut self, now: Moment) {
        // A sum that opened in time may still be released, however long its protection takes.
        if now >= self.manifest.says().deadline && !matches!(self.phase, Phase::Summed(_)) {
            self.fail(self.phase.failure());
            return;
        }
        if self.phase.until().is_some_and(|until| now >= until) {
            self.late(now);
        }
        if now >= self.invite_at {
            self.invite(now);
        }
    }

    fn late(&mut self, now: Moment) {
        match &self.phase {
            Phase::Gathering { .. } => self.attempt(now),
            Phase::Keying(keying) => {
                keying.missing().into_iter().for_each(|place| self.presence.lost(place));
                self.relay(now);
            }
            Phase::Sealing(sealing) => {
                sealing.missing().into_iter().for_each(|place| self.presence.lost(place));
                self.again(now);
            }
            _ => {}
        }
    }

    /// A new attempt without who was lost: at once with enough of them, or after they had time to come back.
    fn again(&mut self, now: Moment) {
        if self.may_begin() {
            self.attempt(now);
        } else {
            self.phase = Phase::Gathering { until: now.plus_s(self.flight_s().saturating_mul(2)) };
        }
    }

    fn attempt(&mut self, now: Moment) {
        let number = self.last.map_or(Some(Attempt::FIRST), Attempt::next);
        let Some(attempt) = number else { return self.fail(Some(Refused::AttemptsSpent)) };
        if !self.may_begin() {
            return match self.setup.roll_call {
                // Those who are wanted may still come.
                RollCall::Exactly(_) => {
                    self.phase = Phase::Gathering { until: self.manifest.says().deadline }
                }
                RollCall::Whoever { .. } => self.fail(Some(Refused::TooFewReady)),
            };
        }
        self.last = Some(attempt);
        let until = now.plus_s(self.flight_s());
        let keying = Keying::new(attempt, self.wanted(), until);
        let body = keying.announcement().write(&self.manifest);
        keying.announced.places().for_each(|place| self.send(place, body.clone()));
        self.phase = Phase::Keying(keying);
    }

    /// F1's answer: the set is final. Without enough of them, another attempt.
    fn relay(&mut self, now: Moment) {
        let Phase::Keying(keying) = &mut self.phase else { return };
        let until = now.plus_s(u64::from(self.manifest.says().flight_s));
        let Closing { sealing, parted } = keying.close(&self.manifest, &self.setup.roster, until);
        for (place, relay) in parted {
            self.presence.lost(place);
            self.send(place, relay.write(&self.manifest));
        }
        let sealing = match (sealing, &self.setup.roll_call) {
            (Ok(sealing), RollCall::Whoever { .. }) => sealing,
            (Ok(sealing), RollCall::Exactly(members)) if sealing.members == *members => sealing,
            _ => return self.again(now),
        };
        let frames: Vec<_> = sealing
            .members
            .places()
            .filter_map(|place| Some((place, sealing.relay(place)?.write(&self.manifest))))
            .collect();
        frames.into_iter().for_each(|(place, body)| self.send(place, body));
        self.phase = Phase::Sealing(sealing);
    }

    fn board(&mut self) {
        let Phase::Sealing(sealing) = std::mem::replace(&mut self.phase, Phase::Over) else { return };
        let opening = Opening::new(sealing);
        let body = opening.board().write(&self.manifest);
        opening.members.places().for_each(|place| self.send(place, body.clone()));
        self.phase = Phase::Opening(opening);
    }

    fn sum(&mut self) {
        let Phase::Opening(opening) = std::mem::replace(&mut self.phase, Phase::Over) else { return };
        match opening.sum(&self.manifest, &*self.setup.aggregator) {
            Ok((summed, standing)) => {
                self.phase = Phase::Summed(standing);
                self.events.push_back(CoordinatorEvent::Summed(Box::new(summed)));
            }
            Err(refused) => self.events.push_back(CoordinatorEvent::Failed(refused)),
        }
    }

    fn fail(&mut self, failure: Option<Refused>) {
        self.phase = Phase::Over;
        self.events.extend(failure.map(CoordinatorEvent::Failed));
    }

    fn invite(&mut self, now: Moment) {
        self.invite_at = now.plus_s((self.flight_s() / 3).max(1));
        if matches!(self.phase, Phase::Gathering { .. }) {
            let body = FromCoordinator::Manifest(self.manifest.as_bytes().to_vec()).write(&self.manifest);
            let standing = self.standing();
            standing.missing.places().for_each(|place| self.send(place, body.clone()));
        }
    }

    /// A node that speaks of an earlier attempt was slow and is there: it may have missed the announcement of this one.
    fn late_frame(&mut self, place: usize, spoke_of: Attempt, now: Moment) {
        self.presence.found(place);
        match &self.phase {
            Phase::Gathering { .. } if self.is_complete() => self.attempt(now),
            Phase::Keying(keying) if spoke_of < keying.attempt => {
                let waits = keying.announced.contains(place) && !keying.keys.contains_key(&place);
                let body = waits.then(|| keying.announcement().write(&self.manifest));
                body.into_iter().for_each(|body| self.send(place, body));
            }
            _ => {}
        }
    }

    fn send(&mut self, place: usize, body: Vec<u8>) {
        let to = self.setup.roster.entry(place).map(|entry| entry.node);
        self.outbox.extend(to.map(|to| (to, body)));
    }

    /// Who would be in an attempt that begins now.
    fn wanted(&self) -> Members {
        match &self.setup.roll_call {
            RollCall::Whoever { .. } => self.presence.ready_among(&self.manifest.says().invited),
            RollCall::Exactly(members) => members.clone(),
        }
    }

    fn may_begin(&self) -> bool {
        let wanted = self.wanted();
        self.manifest.admits(&wanted).is_ok() && self.presence.ready_among(&wanted) == wanted
    }

    /// Nobody is left to wait for.
    fn is_complete(&self) -> bool {
        let awaited = match &self.setup.roll_call {
            RollCall::Whoever { .. } => self.manifest.says().invited.without(&self.declined),
            RollCall::Exactly(members) => members.clone(),
        };
        awaited.is_within(&self.presence.ready_among(&awaited))
    }

    fn flight_s(&self) -> u64 {
        u64::from(self.manifest.says().flight_s)
    }

    /// Who is ready, who is missing, and in which attempt.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let invited = &self.manifest.says().invited;
        let ready = self.presence.ready_among(invited);
        let missing = invited.without(&ready);
        Standing { ready, missing, attempt: self.last }
    }

    /// The next body, and whom it is for.
    pub fn poll_transmit(&mut self) -> Option<(NodeId, Vec<u8>)> {
        self.outbox.pop_front()
    }

    /// The next thing for the coordinator to do.
    pub fn poll_event(&mut self) -> Option<CoordinatorEvent> {
        self.events.pop_front()
    }

    /// When to call [`CoordinatorRound::handle_time`]; `None` when nothing is waited for.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let deadline = self.manifest.says().deadline;
        match &self.phase {
            Phase::Over => None,
            Phase::Gathering { until } => Some((*until).min(self.invite_at).min(deadline)),
            phase => Some(phase.until().unwrap_or(deadline).min(deadline)),
        }
    }
}
