//! The linkage secret's hand-over, as a node sends and hears it.

use super::super::{After, LINKAGE_PER_MINUTE_MAX, Now, Output, Stream, counted};
use super::{NodeEvent, NodeSession, State};
use crate::close::Close;
use crate::frame::{Frame, HANDED_BYTES_MAX, Handed, LINKAGE_FROM};

impl NodeSession {
    /// Sends a flight of the linkage secret's hand-over. Says nothing before the WELCOME, or to an older coordinator.
    pub fn linkage(&mut self, handed: Handed) {
        let State::Answering(answering) = &self.state else { return };
        if answering.version >= LINKAGE_FROM && handed.document.len() <= HANDED_BYTES_MAX {
            self.out.push_back(Output::Send(Stream::CONTROL, Frame::Linkage(handed), After::More));
        }
    }

    pub(super) fn hear_linkage(&mut self, handed: Handed, now: Now) {
        let State::Answering(answering) = &mut self.state else { return };
        match () {
            () if answering.version < LINKAGE_FROM => self.end(Close::Unexpected),
            () if !counted(&mut answering.linkage, now, LINKAGE_PER_MINUTE_MAX) => self.end(Close::TooMany),
            () => self.out.push_back(Output::Event(NodeEvent::Linkage(handed))),
        }
    }
}
