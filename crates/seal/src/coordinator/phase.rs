//! What the coordinator holds in each flight of an attempt.

use std::collections::BTreeMap;

use cairn_question::{Hash, Moment, Signature, VerifyingKey};

use crate::attempt::{Attempt, SealedLine, Statement, h1, h2, transcript_hash};
use crate::layout::{Layout, Masked};
use crate::linkage_secret::LinkageMark;
use crate::manifest::Manifest;
use crate::mask::{Aggregator, Blind};
use crate::members::{Members, NodeId};
use crate::refused::Refused;
use crate::roster::Roster;
use crate::transcript::{Transcript, TranscriptLine};
use crate::wire::{FromCoordinator, SignedKey};

use super::Summed;

pub(super) enum Phase {
    /// F0: the roll call.
    Gathering { until: Moment },
    /// F1.
    Keying(Keying),
    /// F2.
    Sealing(Sealing),
    /// F3. No other attempt can open any more.
    Opening(Opening),
    /// The sum is with the caller.
    Summed(Standing),
    /// Receipts were sent.
    Released(Released),
    /// Nothing opened, and nothing will.
    Over,
}

pub(super) struct Keying {
    pub(super) attempt: Attempt,
    pub(super) announced: Members,
    pub(super) keys: BTreeMap<usize, KeysOf>,
    until: Moment,
}

/// One node's keys for the announced set, the mark of its linkage secret where there is one, and the hash of the frame that brought them.
pub(super) struct KeysOf {
    frame: Hash,
    mark: Option<LinkageMark>,
    keys: BTreeMap<usize, SignedKey>,
}

/// How F1 ends.
pub(super) struct Closing {
    /// The final set, where it is large enough.
    pub(super) sealing: Result<Sealing, Refused>,
    /// Whom it is without because of their linkage secret, each with what the others signed.
    pub(super) parted: Vec<(usize, FromCoordinator)>,
}

pub(super) struct Sealing {
    pub(super) attempt: Attempt,
    pub(super) members: Members,
    ids: Vec<NodeId>,
    h1: Hash,
    keys: BTreeMap<usize, KeysOf>,
    sealed: BTreeMap<usize, (SealedLine, Masked)>,
    until: Moment,
}

/// A SEALED as it came.
pub(super) struct SealedSaid {
    pub(super) h1: Hash,
    pub(super) signature: Signature,
    pub(super) commitment: Hash,
    pub(super) vector: Vec<u8>,
}

pub(super) struct Opening {
    attempt: Attempt,
    pub(super) members: Members,
    pub(super) h1: Hash,
    h2: Hash,
    sealed: BTreeMap<usize, (SealedLine, Masked)>,
    openings: BTreeMap<usize, ([u8; 32], Signature)>,
}

pub(super) struct Standing {
    pub(super) members: Members,
    pub(super) h2: Hash,
    pub(super) transcript: Hash,
}

pub(super) struct Released {
    pub(super) members: Members,
    pub(super) h2: Hash,
    pub(super) transcript: Hash,
    pub(super) receipt: Vec<u8>,
}

impl Phase {
    pub(super) const fn until(&self) -> Option<Moment> {
        match self {
            Self::Gathering { until } => Some(*until),
            Self::Keying(keying) => Some(keying.until),
            Self::Sealing(sealing) => Some(sealing.until),
            _ => None,
        }
    }

    /// Why a round that ends in this phase failed; `None` when it did not.
    pub(super) const fn failure(&self) -> Option<Refused> {
        match self {
            Self::Gathering { .. } | Self::Keying(_) | Self::Sealing(_) => Some(Refused::TooFewReady),
            Self::Opening(_) => Some(Refused::NotOpened),
            Self::Summed(_) | Self::Released(_) | Self::Over => None,
        }
    }
}

impl Keying {
    pub(super) fn new(attempt: Attempt, announced: Members, until: Moment) -> Self {
        Self { attempt, announced, keys: BTreeMap::new(), until }
    }

    pub(super) fn announcement(&self) -> FromCoordinator {
        FromCoordinator::Attempt { attempt: self.attempt, announced: self.announced.clone() }
    }

    /// Whose keys they are is for the one to check whom each is for: nobody else could use them.
    pub(super) fn take(&mut self, place: usize, frame: Hash, keys: Vec<SignedKey>) -> Result<(), Refused> {
        if !self.announced.contains(place) {
            return Err(Refused::OutOfTurn);
        }
        if let Some(first) = self.keys.get(&place) {
            return if first.frame == frame { Ok(()) } else { Err(Refused::TwoFrames) };
        }
        if keys.len() != self.announced.len().saturating_sub(1) {
            return Err(Refused::Frame);
        }
        let mark = keys.first().and_then(|signed| signed.mark);
        if keys.iter().any(|signed| signed.mark != mark) {
            return Err(Refused::Frame);
        }
        let others = self.announced.places().filter(|other| *other != place);
        let keys = others.zip(keys).collect();
        self.keys.insert(place, KeysOf { frame, mark, keys });
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.keys.len() == self.announced.len()
    }

    pub(super) fn missing(&self) -> Vec<usize> {
        self.announced.places().filter(|place| !self.keys.contains_key(place)).collect()
    }

    /// The final set: everybody whose keys came or, of people counted once, the most of them who hold one linkage secret. Enough of them are more than half of all who are invited, so that
    /// no others are as many.
    pub(super) fn close(&mut self, manifest: &Manifest, roster: &Roster, until: Moment) -> Closing {
        let came = self.announced.keep(|place| self.keys.contains_key(place));
        let members = self.alike();
        let told = match manifest.admits(&members) {
            // A set too small is an answer that no node takes: they are asked again.
            _ if members == came || manifest.admits(&came).is_err() => Members::default(),
            Ok(()) => came.without(&members),
            Err(_) => came.clone(),
        };
        let parted = told.places().filter_map(|place| {
            let keys = dealt(&self.keys, &came, place)?;
            Some((place, relay(self.attempt, &came, keys)))
        });
        Closing { parted: parted.collect(), sealing: self.seal(members, (manifest, roster), until) }
    }

    /// The most of those whose keys came that hold one linkage secret; all of them where there is none.
    fn alike(&self) -> Members {
        let mut holders = BTreeMap::<Option<LinkageMark>, Vec<usize>>::new();
        for (place, of) in &self.keys {
            holders.entry(of.mark).or_default().push(*place);
        }
        let most = holders.into_values().max_by_key(Vec::len).unwrap_or_default();
        Members::of(most).unwrap_or_default()
    }

    fn seal(
        &mut self,
        members: Members,
        (manifest, roster): (&Manifest, &Roster),
        until: Moment,
    ) -> Result<Sealing, Refused> {
        manifest.admits(&members)?;
        let ids: Vec<NodeId> = roster.entries(&members)?.into_iter().map(|entry| entry.node).collect();
        let h1 = h1(manifest, self.attempt, &ids);
        let keys = std::mem::take(&mut self.keys);
        Ok(Sealing { attempt: self.attempt, members, ids, h1, keys, sealed: BTreeMap::new(), until })
    }
}

/// What a node is dealt: the hash of its own keys as they came, and what every other of these made for it.
fn dealt(all: &BTreeMap<usize, KeysOf>, members: &Members, place: usize) -> Option<(Hash, Vec<SignedKey>)> {
    let others = members.places().filter(|other| *other != place);
    let keys: Option<Vec<SignedKey>> =
        others.map(|other| all.get(&other)?.keys.get(&place).copied()).collect();
    Some((all.get(&place)?.frame, keys?))
}

fn relay(attempt: Attempt, members: &Members, (own, keys): (Hash, Vec<SignedKey>)) -> FromCoordinator {
    FromCoordinator::Relay { attempt, members: members.clone(), own, keys }
}

impl Sealing {
    /// The keys that everybody else made for this node.
    pub(super) fn relay(&self, place: usize) -> Option<FromCoordinator> {
        Some(relay(self.attempt, &self.members, dealt(&self.keys, &self.members, place)?))
    }

    /// The same, for a node that said its keys again.
    pub(super) fn relay_to(&self, place: usize, frame: &Hash) -> Result<FromCoordinator, Refused> {
        if self.keys.get(&place).is_none_or(|of| of.frame != *frame) {
            return Err(Refused::TwoFrames);
        }
        self.relay(place).ok_or(Refused::OutOfTurn)
    }

    /// One SEALED of each member: the first one that its key signed for this H₁.
    pub(super) fn take(
        &mut self,
        place: usize,
        said: SealedSaid,
        key: &VerifyingKey,
        layout: Layout,
    ) -> Result<(), Refused> {
        if !self.members.contains(place) || said.h1 != self.h1 {
            return Err(Refused::OutOfTurn);
        }
        let SealedSaid { h1, signature, commitment, vector } = said;
        let line = SealedLine { signature, vector: Hash::of(&vector), commitment };
        if let Some((first, _)) = self.sealed.get(&place) {
            return if *first == line { Ok(()) } else { Err(Refused::TwoFrames) };
        }
        let masked = Masked::from_bytes(layout, vector)?;
        if !Statement::sealed(&h1, &line.vector, &commitment).is_signed_by(key, &signature) {
            return Err(Refused::PartnerSignature);
        }
        self.sealed.insert(place, (line, masked));
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.sealed.len() == self.ids.len()
    }

    pub(super) fn missing(&self) -> Vec<usize> {
        self.members.places().filter(|place| !self.sealed.contains_key(place)).collect()
    }
}

impl Opening {
    pub(super) fn new(sealing: Sealing) -> Self {
        let Sealing { attempt, members, ids, h1, sealed, .. } = sealing;
        let h2 = h2(&h1, &ids, sealed.values().map(|(line, _)| line));
        Self { attempt, members, h1, h2, sealed, openings: BTreeMap::new() }
    }

    pub(super) fn board(&self) -> FromCoordinator {
        FromCoordinator::Board { h1: self.h1, lines: self.sealed.values().map(|(line, _)| *line).collect() }
    }

    pub(super) fn take(
        &mut self,
        place: usize,
        h2: &Hash,
        blind: [u8; 32],
        signature: Signature,
        key: &VerifyingKey,
    ) -> Result<(), Refused> {
        let (line, _) = self.sealed.get(&place).ok_or(Refused::OutOfTurn)?;
        if *h2 != self.h2 {
            return Err(Refused::OutOfTurn);
        }
        let opened = Blind::from_bytes(blind);
        if opened.commitment() != line.commitment {
            return Err(Refused::Commitment);
        }
        if !Statement::open(h2, &opened).is_signed_by(key, &signature) {
            return Err(Refused::PartnerSignature);
        }
        self.openings.insert(place, (blind, signature));
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.openings.len() == self.sealed.len()
    }

    /// Whether a member has not opened.
    pub(super) fn lacks(&self, place: usize) -> bool {
        self.members.contains(place) && !self.openings.contains_key(&place)
    }

    pub(super) fn sum(
        self,
        manifest: &Manifest,
        aggregator: &dyn Aggregator,
    ) -> Result<(Summed, Standing), Refused> {
        let blinds: Vec<Blind> = self.openings.values().map(|(blind, _)| Blind::from_bytes(*blind)).collect();
        let pairs: Vec<(&Masked, &Blind)> =
            self.sealed.values().map(|(_, masked)| masked).zip(&blinds).collect();
        let sum = aggregator.open(manifest.says().layout, &pairs)?;
        let transcript = transcript_hash(&self.h2, self.openings.values().map(|(_, signature)| signature));
        let members = self.members.clone();
        let standing = Standing { members: self.members.clone(), h2: self.h2, transcript };
        let transcript = self.transcript(manifest);
        Ok((Summed { partners: members, sum, transcript }, standing))
    }

    fn transcript(self, manifest: &Manifest) -> Transcript {
        let openings = self.openings.into_values();
        let lines = self.sealed.into_values().zip(openings).map(|((line, masked), (blind, opening))| {
            TranscriptLine {
                sealed: line.signature,
                commitment: line.commitment,
                vector: masked.as_bytes().to_vec(),
                blind,
                opening,
            }
        });
        Transcript {
            manifest: manifest.as_bytes().to_vec(),
            attempt: self.attempt,
            members: self.members,
            lines: lines.collect(),
        }
    }
}
