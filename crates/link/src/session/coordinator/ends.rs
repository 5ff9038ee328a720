//! The ends of ledgers, which the coordinator and one more partner hold for each node.

use super::super::{After, Now, Output, Stream, counted};
use super::{CoordinatorEvent, CoordinatorSession, State};
use crate::close::Close;
use crate::frame::{CHECKPOINTS_FROM, FLIGHTS_FROM, Frame, HOLDERS_FROM, Kind, LedgerEnd};

impl CoordinatorSession {
    /// Tells the node which end of its ledger is held here: nothing where `held` is `None`. The node takes up no question before the first; a later
    /// one is sent where another end turned up. Says nothing to a node of an older version.
    pub fn held(&mut self, held: Option<Vec<u8>>) {
        let State::WithNode(node) = &mut self.state else { return };
        let held = held.filter(|held| held.len() <= Kind::Checkpoint.bytes_max());
        let says = match node.told {
            false => node.version >= CHECKPOINTS_FROM,
            true => node.version >= HOLDERS_FROM && held.is_some(),
        };
        if says {
            node.told = true;
            let frame = Frame::Checkpoint(held.unwrap_or_default());
            self.out.push_back(Output::Send(Stream::CONTROL, frame, After::More));
        }
    }

    /// Gives the node the end of another partner's ledger to keep. Says nothing to a node of an older version, or before it was told of its own.
    pub fn keep(&mut self, end: LedgerEnd) {
        let State::WithNode(node) = &mut self.state else { return };
        if node.told && node.version >= HOLDERS_FROM && end.checkpoint.len() <= Kind::Checkpoint.bytes_max() {
            self.out.push_back(Output::Send(Stream::CONTROL, Frame::Keep(end), After::More));
        }
    }

    /// Gives the node the federation's signed register: who has a seat in secure totals. Says nothing to a node whose version has no flights, or before it
    /// was told of its own ledger.
    pub fn give_register(&mut self, register: Vec<u8>) {
        let State::WithNode(node) = &mut self.state else { return };
        if node.told && node.version >= FLIGHTS_FROM && register.len() <= Kind::Register.bytes_max() {
            self.out.push_back(Output::Send(Stream::CONTROL, Frame::Register(register), After::More));
        }
    }

    pub(super) fn hear_checkpoint(&mut self, checkpoint: Vec<u8>, now: Now) {
        let State::WithNode(node) = &mut self.state else { return };
        match () {
            // Before it knows what is held here, a node has nothing to say.
            () if !node.told => self.end(Close::Unexpected),
            () if !counted(&mut node.checkpoints, now, CHECKPOINTS_PER_MINUTE_MAX) => {
                self.end(Close::TooMany)
            }
            () => self.out.push_back(Output::Event(CoordinatorEvent::Checkpoint(checkpoint))),
        }
    }

    pub(super) fn hear_kept(&mut self, end: LedgerEnd, now: Now) {
        let State::WithNode(node) = &mut self.state else { return };
        match () {
            () if !node.told || node.version < HOLDERS_FROM => self.end(Close::Unexpected),
            () if !counted(&mut node.kept, now, KEPT_PER_MINUTE_MAX) => self.end(Close::TooMany),
            () => self.out.push_back(Output::Event(CoordinatorEvent::Kept(end))),
        }
    }
}

/// Most checkpoints of one node in a minute: it waits a quarter of a second between two.
pub(in crate::session) const CHECKPOINTS_PER_MINUTE_MAX: u32 = 300;

/// Most ends that a node sends of others' ledgers in a minute: one of each partner when it was welcomed, and once more.
const KEPT_PER_MINUTE_MAX: u32 = 2 * 1_024;

const _: () = assert!(cairn_question::limits::PARTNERS_MAX == 1_024);
