//! What a node knows in each state, and what it checks before it leaves one. A check borrows the state and gives evidence; only then is the state consumed.

use cairn_question::{Hash, Moment};

use crate::agree::{Half, Randomness, blind};
use crate::attempt::{Attempt, SealedLine, Statement, h1, h2};
use crate::layout::Plain;
use crate::linkage_secret::LinkageMark;
use crate::manifest::{Manifest, Repeat};
use crate::mask::{Blind, MaskKey, Pair, Side};
use crate::members::{Members, NodeId};
use crate::partners::Partners;
use crate::receipt::Receipt;
use crate::record::OpenRecord;
use crate::refused::Refused;
use crate::wire::{FromNode, SignedKey};

use super::{Draw, Ours};

/// Where a node stands in a round.
pub(super) enum State {
    /// READY was said.
    Waiting,
    /// Keys were made for every other node of the announced set.
    Keyed(Keyed),
    /// The set is final and the keys agreed; the vector is awaited.
    Drawing(Drawing),
    /// The vector was sealed and sent, once.
    Sealed(Sealed),
    /// The record of this H₂ is with the caller. From here on nothing else opens.
    Keeping(Hash),
    /// The record is on disk.
    Opened(Opened),
    /// Nothing more is said.
    Over,
}

/// What a check found.
pub(super) enum Checked<T> {
    /// The frame came before, and what it leads to stands: the answer is repeated.
    Again,
    /// It holds.
    New(T),
}

/// F1's answer.
pub(super) struct Relay {
    pub(super) attempt: Attempt,
    pub(super) members: Members,
    pub(super) own: Hash,
    pub(super) keys: Vec<SignedKey>,
}

pub(super) struct Keyed {
    attempt: Attempt,
    announced: Members,
    /// One for each other node, with its place.
    halves: Vec<(usize, Half)>,
    frame: Vec<u8>,
    until: Moment,
}

pub(super) struct Drawing {
    attempt: Attempt,
    members: Members,
    ids: Vec<NodeId>,
    h1: Hash,
    pairs: Vec<Pair>,
    until: Moment,
}

pub(super) struct Sealed {
    attempt: Attempt,
    members: Members,
    ids: Vec<NodeId>,
    h1: Hash,
    line: SealedLine,
    blind: Blind,
    frame: Vec<u8>,
    until: Moment,
}

pub(super) struct Opened {
    pub(super) record: OpenRecord,
    pub(super) receipt: Option<Receipt>,
}

impl State {
    /// R1, R2, R5: a set of invited nodes with this one among them, an attempt that rises, and nothing opened.
    pub(super) fn check_attempt(
        &self,
        ours: &Ours,
        attempt: Attempt,
        announced: &Members,
    ) -> Result<Checked<()>, Refused> {
        match self {
            Self::Keeping(_) | Self::Opened(_) => return Err(Refused::AlreadyOpened),
            Self::Over => return Err(Refused::Over),
            Self::Keyed(keyed) if keyed.attempt == attempt && keyed.announced == *announced => {
                return Ok(Checked::Again);
            }
            _ => {}
        }
        if ours.last.is_some_and(|last| attempt <= last) {
            return Err(Refused::Attempt);
        }
        ours.admits(announced)?;
        Ok(Checked::New(()))
    }

    /// R1 and R6: every key present and signed for this node, within the announced set, enough, and the same partners as before or new noise; where people are counted once, all
    /// under this node's linkage secret.
    pub(super) fn check_relay(&self, ours: &Ours, relay: &Relay) -> Result<Checked<Vec<NodeId>>, Refused> {
        let keyed = match self {
            Self::Keyed(keyed) if keyed.attempt == relay.attempt => keyed,
            Self::Drawing(d) if d.attempt == relay.attempt && d.members == relay.members => {
                return Ok(Checked::Again);
            }
            Self::Sealed(s) if s.attempt == relay.attempt && s.members == relay.members => {
                return Ok(Checked::Again);
            }
            Self::Keeping(_) | Self::Opened(_) => return Err(Refused::AlreadyOpened),
            Self::Over => return Err(Refused::Over),
            _ => return Err(Refused::OutOfTurn),
        };
        if !relay.members.is_within(&keyed.announced) {
            return Err(Refused::SetGrew);
        }
        ours.admits(&relay.members)?;
        if relay.own != Hash::of(&keyed.frame) {
            return Err(Refused::OtherKeys);
        }
        every_key_is_for_us(ours, relay)?;
        every_mark_is_ours(ours, relay)?;
        let entries = ours.setup.roster.entries(&relay.members)?;
        let ids: Vec<NodeId> = entries.iter().map(|entry| entry.node).collect();
        let repeat = Repeat::of(&ours.manifest.says().treatment);
        let partners = Partners::new(ids.iter().copied());
        let subject = &ours.subject;
        subject.openings.allow(subject.question, (&subject.series, &partners), repeat)?;
        Ok(Checked::New(ids))
    }

    /// R3: every member sealed for this very set, and our own line is ours. Gives H₂.
    pub(super) fn check_board(
        &self,
        ours: &Ours,
        h1: &Hash,
        lines: &[SealedLine],
    ) -> Result<Checked<Hash>, Refused> {
        let sealed = match self {
            Self::Sealed(sealed) if sealed.h1 == *h1 => sealed,
            // H₂ is made of it: another H₁ or another line is another opening.
            Self::Opened(opened) => {
                let ids = opened.record.partners.ids();
                let same = ids.len() == lines.len() && h2(h1, ids, lines) == opened.record.h2;
                return if same { Ok(Checked::Again) } else { Err(Refused::AlreadyOpened) };
            }
            Self::Keeping(_) => return Err(Refused::AlreadyOpened),
            Self::Over => return Err(Refused::Over),
            _ => return Err(Refused::OutOfTurn),
        };
        if lines.len() != sealed.ids.len() {
            return Err(Refused::SealedSignature);
        }
        let entries = ours.setup.roster.entries(&sealed.members)?;
        for (entry, line) in entries.into_iter().zip(lines) {
            if entry.node == ours.setup.node && *line != sealed.line {
                return Err(Refused::OwnLine);
            }
            let said = Statement::sealed(h1, &line.vector, &line.commitment);
            if !said.is_signed_by(&entry.key, &line.signature) {
                return Err(Refused::SealedSignature);
            }
        }
        Ok(Checked::New(h2(h1, &sealed.ids, lines)))
    }

    /// When this state is given up.
    pub(super) const fn until(&self) -> Option<Moment> {
        match self {
            Self::Keyed(keyed) => Some(keyed.until),
            Self::Drawing(drawing) => Some(drawing.until),
            Self::Sealed(sealed) => Some(sealed.until),
            _ => None,
        }
    }

    /// What this state says, for as long as nobody answers.
    pub(super) fn frame(&self, manifest: &Manifest) -> Option<Vec<u8>> {
        match self {
            Self::Keyed(keyed) => Some(keyed.frame.clone()),
            Self::Sealed(sealed) => Some(sealed.frame.clone()),
            Self::Opened(opened) if opened.receipt.is_none() => Some(opened.record.frame(manifest)),
            _ => None,
        }
    }
}

fn every_key_is_for_us(ours: &Ours, relay: &Relay) -> Result<(), Refused> {
    let others = relay.members.places().filter(|place| *place != ours.place);
    if relay.keys.len() != relay.members.len().saturating_sub(1) {
        return Err(Refused::KeySignature);
    }
    for (place, signed) in others.zip(&relay.keys) {
        let entry = ours.setup.roster.entry(place).ok_or(Refused::NotInRoster)?;
        let ends = (entry.node, ours.setup.node);
        let said = Statement::key(&ours.manifest, relay.attempt, ends, (&signed.key, signed.mark.as_ref()));
        if !said.is_signed_by(&entry.key, &signed.signature) {
            return Err(Refused::KeySignature);
        }
    }
    Ok(())
}

/// What others hold is what they signed, so that a coordinator cannot make a node leave for a partner's sake.
fn every_mark_is_ours(ours: &Ours, relay: &Relay) -> Result<(), Refused> {
    let differ = relay.keys.iter().filter(|signed| signed.mark != ours.mark()).count();
    if differ == 0 { Ok(()) } else { Err(Refused::OtherLinkage { differ, others: relay.keys.len() }) }
}

impl Ours {
    /// The mark of this round, where it has one.
    fn mark(&self) -> Option<LinkageMark> {
        self.subject.mark.filter(|_| self.manifest.is_marked())
    }

    /// A fresh key for each other node of the set, signed for it alone.
    pub(super) fn keyed(
        &self,
        attempt: Attempt,
        announced: Members,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<Keyed, Refused> {
        let (mut halves, mut keys) = (Vec::new(), Vec::new());
        for place in announced.places().filter(|place| *place != self.place) {
            let peer = self.setup.roster.entry(place).ok_or(Refused::NotInRoster)?;
            let half = Half::fresh(randomness)?;
            let (mark, ends) = (self.mark(), (self.setup.node, peer.node));
            let said = Statement::key(&self.manifest, attempt, ends, (half.public(), mark.as_ref()));
            keys.push(SignedKey { key: *half.public(), signature: said.sign(&self.setup.key), mark });
            halves.push((place, half));
        }
        let frame = FromNode::Keys { attempt, keys }.write(&self.manifest);
        Ok(Keyed { attempt, announced, halves, frame, until: self.patience(now) })
    }
}

impl Keyed {
    /// Agrees with every other member. The halves made for nodes that fell out are dropped with the rest.
    pub(super) fn agree(self, ours: &Ours, relay: Relay, ids: Vec<NodeId>) -> Result<Drawing, Refused> {
        let h1 = h1(&ours.manifest, self.attempt, &ids);
        let mut pairs = Vec::with_capacity(relay.keys.len());
        let mut keys = relay.keys.iter();
        for (place, half) in self.halves.into_iter().filter(|(place, _)| relay.members.contains(*place)) {
            let theirs = keys.next().ok_or(Refused::KeySignature)?;
            let peer = ours.setup.roster.entry(place).ok_or(Refused::NotInRoster)?.node;
            let secret = half.agree(&theirs.key)?;
            let onboarding = ours.setup.onboarding.get(&peer).map(|key| &**key);
            let key = MaskKey::derive(&h1, &secret, onboarding, (ours.setup.node, peer))?;
            let side = if peer > ours.setup.node { Side::Add } else { Side::Subtract };
            pairs.push(Pair { key, side });
        }
        let Relay { attempt, members, .. } = relay;
        Ok(Drawing { attempt, members, ids, h1, pairs, until: self.until })
    }
}

impl Drawing {
    pub(super) fn ask(&self, ours: &Ours) -> Draw {
        let honest = ours.manifest.honest(&self.members);
        Draw { attempt: self.attempt, partners: self.ids.len(), honest }
    }

    pub(super) fn is_asked(&self, draw: &Draw) -> bool {
        self.attempt == draw.attempt
    }

    /// Seals the vector under the pairs and a fresh blind. Consumes the keys whether or not it goes well.
    pub(super) fn seal(
        self,
        ours: &Ours,
        vector: Plain,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<Sealed, Refused> {
        if vector.layout() != ours.manifest.says().layout {
            return Err(Refused::OtherLayout);
        }
        let Self { attempt, members, ids, h1, pairs, .. } = self;
        let blind = blind(randomness)?;
        let masked = ours.setup.aggregator.seal(vector, pairs, &blind)?;
        let (hash, commitment) = (Hash::of(masked.as_bytes()), blind.commitment());
        let signature = Statement::sealed(&h1, &hash, &commitment).sign(&ours.setup.key);
        let line = SealedLine { signature, vector: hash, commitment };
        let vector = masked.as_bytes().to_vec();
        let frame = FromNode::Sealed { attempt, h1, signature, commitment, vector }.write(&ours.manifest);
        Ok(Sealed { attempt, members, ids, h1, line, blind, frame, until: ours.patience(now) })
    }
}

impl Sealed {
    /// The record of the one opening.
    pub(super) fn record(self, ours: &Ours, h2: Hash) -> OpenRecord {
        let says = ours.manifest.says();
        OpenRecord {
            question: says.question,
            question_hash: says.question_hash,
            manifest: *ours.manifest.hash(),
            attempt: self.attempt,
            series: ours.subject.series.clone(),
            repeat: Repeat::of(&says.treatment),
            partners: Partners::new(self.ids),
            h2,
            signature: Statement::open(&h2, &self.blind).sign(&ours.setup.key),
            blind: self.blind,
        }
    }
}

impl Opened {
    pub(super) const fn new(record: OpenRecord) -> Self {
        Self { record, receipt: None }
    }
}

impl OpenRecord {
    /// Exactly this OPEN, however often and by whichever start of the node.
    fn frame(&self, manifest: &Manifest) -> Vec<u8> {
        let (h2, blind) = (self.h2, *self.blind.as_bytes());
        FromNode::Open { h2, blind, signature: self.signature }.write(manifest)
    }
}
