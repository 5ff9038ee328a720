//! Who is there: each node's last start, and whether it has been lost since.

use std::collections::{BTreeMap, VecDeque};

use crate::members::Members;

/// How many earlier starts of one node are remembered, so that a frame of one of them that comes late is known for what it is.
const EARLIER_STARTS: usize = 16;

#[derive(Default)]
pub(super) struct Presence(BTreeMap<usize, Start>);

struct Start {
    incarnation: [u8; 16],
    ended: u8,
    earlier: VecDeque<[u8; 16]>,
    is_there: bool,
}

/// What a READY says against what was known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Said {
    /// The first of this node.
    First,
    /// Of the start that is known.
    Same,
    /// Of a start that came after the one that was known: what the node held is gone.
    Restarted,
    /// Late, of an earlier start or an attempt before.
    Stale,
}

impl Presence {
    pub(super) fn ready(&mut self, place: usize, incarnation: [u8; 16], ended: u8) -> Said {
        let Some(start) = self.0.get_mut(&place) else {
            let start = Start { incarnation, ended, earlier: VecDeque::new(), is_there: true };
            self.0.insert(place, start);
            return Said::First;
        };
        if start.incarnation == incarnation {
            if ended < start.ended {
                return Said::Stale;
            }
            (start.ended, start.is_there) = (ended, true);
            return Said::Same;
        }
        if start.earlier.contains(&incarnation) {
            return Said::Stale;
        }
        start.earlier.push_back(start.incarnation);
        if start.earlier.len() > EARLIER_STARTS {
            start.earlier.pop_front();
        }
        (start.incarnation, start.ended, start.is_there) = (incarnation, ended, true);
        Said::Restarted
    }

    /// It spoke again after it was lost. Whom the coordinator does not know has no standing.
    pub(super) fn found(&mut self, place: usize) {
        if let Some(start) = self.0.get_mut(&place) {
            start.is_there = true;
        }
    }

    /// It let a flight pass. It is there again when it speaks.
    pub(super) fn lost(&mut self, place: usize) {
        if let Some(start) = self.0.get_mut(&place) {
            start.is_there = false;
        }
    }

    pub(super) fn ready_among(&self, members: &Members) -> Members {
        let there = |place: &usize| self.0.get(place).is_some_and(|start| start.is_there);
        members.keep(there)
    }
}
