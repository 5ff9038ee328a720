//! The linkage secret's hand-over, which the coordinator passes on and cannot open.

use super::super::{After, LINKAGE_PER_MINUTE_MAX, Now, Output, Stream, counted};
use super::{CoordinatorEvent, CoordinatorSession, State};
use crate::close::Close;
use crate::frame::{Frame, HANDED_BYTES_MAX, Handed, LINKAGE_FROM};

/// Each the minute of the last flight, and how many there were in it.
pub(super) struct Counts {
    heard: (u64, u32),
    said: (u64, u32),
}

impl Counts {
    pub(super) const NONE: Self = Self { heard: (0, 0), said: (0, 0) };
}

impl CoordinatorSession {
    /// Gives the node a flight of the linkage secret's hand-over. Says nothing to a node of an older version, before it was told of its own ledger, or
    /// beyond what it bears in a minute: whoever asked asks again.
    pub fn linkage(&mut self, handed: Handed, now: Now) {
        let State::WithNode(node) = &mut self.state else { return };
        let takes = node.told && node.version >= LINKAGE_FROM && handed.document.len() <= HANDED_BYTES_MAX;
        if takes && counted(&mut node.linkage.said, now, LINKAGE_PER_MINUTE_MAX) {
            self.out.push_back(Output::Send(Stream::CONTROL, Frame::Linkage(handed), After::More));
        }
    }

    pub(super) fn hear_linkage(&mut self, handed: Handed, now: Now) {
        let State::WithNode(node) = &mut self.state else { return };
        match () {
            () if !node.told || node.version < LINKAGE_FROM => self.end(Close::Unexpected),
            () if !counted(&mut node.linkage.heard, now, 2 * LINKAGE_PER_MINUTE_MAX) => {
                self.end(Close::TooMany);
            }
            () => self.out.push_back(Output::Event(CoordinatorEvent::Linkage(handed))),
        }
    }
}
