//! The frames' bodies: fixed binary, read within the round's own limits.
//!
//! Every body begins with a version byte, a kind byte and the manifest's hash. Whatever has a length of its own is last, or is a set, with its length in one byte before it.
//! Numbers of more than one byte are little-endian.

use cairn_question::{Hash, Signature};

use crate::agree::PublicKey;
use crate::attempt::{Attempt, SealedLine};
use crate::linkage_secret::LinkageMark;
use crate::manifest::{MANIFEST_BYTES_MAX, Manifest};
use crate::members::Members;
use crate::refused::Refused;

/// Version of the bodies.
const VERSION: u8 = 1;

/// Version, kind and manifest hash.
const HEAD_BYTES: usize = 34;

/// A partner's half of an agreement, signed for one peer; where people are counted once, with the mark of its linkage secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SignedKey {
    pub(crate) key: PublicKey,
    pub(crate) signature: Signature,
    pub(crate) mark: Option<LinkageMark>,
}

/// What a node sends. Complete: another flight is another version.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum FromNode {
    /// F0: the table is computed. `incarnation` is fresh at every start of the node, `ended` the last attempt that it gave up.
    Ready { incarnation: [u8; 16], ended: u8 },
    /// F1: a key for each other node of the announced set, in its order.
    Keys { attempt: Attempt, keys: Vec<SignedKey> },
    /// F2.
    Sealed { attempt: Attempt, h1: Hash, signature: Signature, commitment: Hash, vector: Vec<u8> },
    /// F3.
    Open { h2: Hash, blind: [u8; 32], signature: Signature },
}

/// What the coordinator sends. Complete: as above.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum FromCoordinator {
    /// F0: the analyst's manifest.
    Manifest(Vec<u8>),
    /// F0: who is ready.
    Attempt { attempt: Attempt, announced: Members },
    /// F1: the final set, the hash of this node's own keys as they came, and the keys for it in the set's order.
    Relay { attempt: Attempt, members: Members, own: Hash, keys: Vec<SignedKey> },
    /// F2: every member's line, in the set's order.
    Board { h1: Hash, lines: Vec<SealedLine> },
    /// F3.
    Receipt(Vec<u8>),
}

/// Which flight a node's body is. Complete: another flight is another version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flight {
    /// F0: the table is computed.
    Ready,
    /// F1.
    Keys,
    /// F2.
    Sealed,
    /// F3.
    Open,
}

impl Flight {
    /// By a body's kind; `None` for what no node sends. Nothing else is read.
    #[must_use]
    pub fn of(body: &[u8]) -> Option<Self> {
        match Reader(body).head().ok()? {
            (1, _) => Some(Self::Ready),
            (2, _) => Some(Self::Keys),
            (3, _) => Some(Self::Sealed),
            (4, _) => Some(Self::Open),
            _ => None,
        }
    }
}

/// The manifest's hash that a body names: for finding its round. Nothing else is read.
#[must_use]
pub fn round_of(body: &[u8]) -> Option<Hash> {
    Reader(body).head().ok().map(|(_, round)| round)
}

/// The manifest in a body that brings one: the first that a node sees of a round, to be verified with [`Manifest::open`].
#[must_use]
pub fn manifest_in(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    let (kind, _) = reader.head().ok()?;
    (kind == 16 && reader.0.len() <= MANIFEST_BYTES_MAX).then_some(reader.0)
}

/// Most bytes of a body of this round, either way: the vector, or a line or key of everybody invited.
#[must_use]
pub fn body_bytes_max(manifest: &Manifest) -> usize {
    let says = manifest.says();
    let lines = says.invited.len().saturating_mul(128);
    says.layout.bytes().max(lines).max(MANIFEST_BYTES_MAX).saturating_add(512)
}

impl FromNode {
    pub(crate) fn write(&self, manifest: &Manifest) -> Vec<u8> {
        match self {
            Self::Ready { incarnation, ended } => body(1, manifest, &[incarnation, &[*ended]]),
            Self::Keys { attempt, keys } => {
                let mut out = body(2, manifest, &[&[attempt.number()]]);
                write_keys(keys, &mut out);
                out
            }
            Self::Sealed { attempt, h1, signature, commitment, vector } => {
                let line: [&[u8]; 5] =
                    [&[attempt.number()], h1.as_bytes(), signature.as_bytes(), commitment.as_bytes(), vector];
                body(3, manifest, &line)
            }
            Self::Open { h2, blind, signature } => {
                body(4, manifest, &[h2.as_bytes(), blind, signature.as_bytes()])
            }
        }
    }

    pub(crate) fn read(bytes: &[u8], manifest: &Manifest) -> Result<Self, Refused> {
        let (kind, mut reader) = start(bytes, manifest)?;
        let frame = match kind {
            1 => {
                let incarnation = reader.take()?;
                let [ended] = reader.take()?;
                Self::Ready { incarnation, ended }
            }
            2 => Self::Keys { attempt: reader.attempt()?, keys: reader.keys(manifest)? },
            3 => Self::Sealed {
                attempt: reader.attempt()?,
                h1: reader.hash()?,
                signature: reader.signature()?,
                commitment: reader.hash()?,
                vector: reader.rest().to_vec(),
            },
            4 => Self::Open { h2: reader.hash()?, blind: reader.take()?, signature: reader.signature()? },
            _ => return Err(Refused::Frame),
        };
        reader.end(frame)
    }
}

impl FromCoordinator {
    pub(crate) fn write(&self, manifest: &Manifest) -> Vec<u8> {
        match self {
            Self::Manifest(bytes) => body(16, manifest, &[bytes]),
            Self::Attempt { attempt, announced } => {
                let mut out = body(17, manifest, &[&[attempt.number()]]);
                write_set(announced, &mut out);
                out
            }
            Self::Relay { attempt, members, own, keys } => {
                let mut out = body(18, manifest, &[&[attempt.number()], own.as_bytes()]);
                write_set(members, &mut out);
                write_keys(keys, &mut out);
                out
            }
            Self::Board { h1, lines } => {
                let mut out = body(19, manifest, &[h1.as_bytes()]);
                for line in lines {
                    out.extend_from_slice(line.signature.as_bytes());
                    out.extend_from_slice(line.vector.as_bytes());
                    out.extend_from_slice(line.commitment.as_bytes());
                }
                out
            }
            Self::Receipt(bytes) => body(20, manifest, &[bytes]),
        }
    }

    pub(crate) fn read(bytes: &[u8], manifest: &Manifest) -> Result<Self, Refused> {
        let (kind, mut reader) = start(bytes, manifest)?;
        let frame = match kind {
            16 => Self::Manifest(reader.rest().to_vec()),
            17 => Self::Attempt { attempt: reader.attempt()?, announced: reader.set()? },
            18 => {
                let (attempt, own) = (reader.attempt()?, reader.hash()?);
                Self::Relay { attempt, own, members: reader.set()?, keys: reader.keys(manifest)? }
            }
            19 => Self::Board { h1: reader.hash()?, lines: reader.lines()? },
            20 => Self::Receipt(reader.rest().to_vec()),
            _ => return Err(Refused::Frame),
        };
        reader.end(frame)
    }
}

fn body(kind: u8, manifest: &Manifest, parts: &[&[u8]]) -> Vec<u8> {
    let rest: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(HEAD_BYTES.saturating_add(rest));
    out.extend_from_slice(&[VERSION, kind]);
    out.extend_from_slice(manifest.hash().as_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

fn write_keys(keys: &[SignedKey], out: &mut Vec<u8>) {
    for signed in keys {
        out.extend_from_slice(&signed.key);
        out.extend_from_slice(signed.signature.as_bytes());
        out.extend_from_slice(signed.mark.as_ref().map_or(&[], |mark| mark.as_bytes()));
    }
}

/// A set has at most 128 bytes: `PARTNERS_MAX` places.
fn write_set(set: &Members, out: &mut Vec<u8>) {
    out.push(u8::try_from(set.as_bytes().len()).unwrap_or(u8::MAX));
    out.extend_from_slice(set.as_bytes());
}

fn start<'a>(bytes: &'a [u8], manifest: &Manifest) -> Result<(u8, Reader<'a>), Refused> {
    if bytes.len() > body_bytes_max(manifest) {
        return Err(Refused::Frame);
    }
    let mut reader = Reader(bytes);
    let (kind, round) = reader.head()?;
    if round == *manifest.hash() { Ok((kind, reader)) } else { Err(Refused::OtherRound) }
}

/// What is left of a body. Each read takes from the front, and nothing is read past the end.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    fn head(&mut self) -> Result<(u8, Hash), Refused> {
        let [version, kind] = self.take()?;
        if version == VERSION { Ok((kind, self.hash()?)) } else { Err(Refused::Frame) }
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Refused::Frame)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn part(&mut self, bytes: usize) -> Result<&'a [u8], Refused> {
        let (first, rest) = self.0.split_at_checked(bytes).ok_or(Refused::Frame)?;
        self.0 = rest;
        Ok(first)
    }

    /// A part that begins with its length in four bytes.
    pub(crate) fn counted(&mut self, bytes_max: usize) -> Result<&'a [u8], Refused> {
        let bytes = usize::try_from(u32::from_le_bytes(self.take()?)).map_err(|_| Refused::Frame)?;
        if bytes > bytes_max { Err(Refused::Frame) } else { self.part(bytes) }
    }

    pub(crate) fn hash(&mut self) -> Result<Hash, Refused> {
        self.take().map(Hash::from_bytes)
    }

    pub(crate) fn signature(&mut self) -> Result<Signature, Refused> {
        self.take().map(Signature::from_bytes)
    }

    pub(crate) fn attempt(&mut self) -> Result<Attempt, Refused> {
        let [number] = self.take()?;
        Attempt::new(number)
    }

    pub(crate) fn set(&mut self) -> Result<Members, Refused> {
        let [bytes] = self.take()?;
        Members::from_bytes(self.part(usize::from(bytes))?)
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn keys(&mut self, manifest: &Manifest) -> Result<Vec<SignedKey>, Refused> {
        let mark = |reader: &mut Self| reader.take().map(LinkageMark::from_bytes);
        self.each(|reader| {
            let (key, signature) = (reader.take()?, reader.signature()?);
            let mark = manifest.is_marked().then(|| mark(reader)).transpose()?;
            Ok(SignedKey { key, signature, mark })
        })
    }

    fn lines(&mut self) -> Result<Vec<SealedLine>, Refused> {
        self.each(|r| Ok(SealedLine { signature: r.signature()?, vector: r.hash()?, commitment: r.hash()? }))
    }

    /// As many as the bytes hold: what is held is no larger than what came.
    fn each<T>(&mut self, read: impl Fn(&mut Self) -> Result<T, Refused>) -> Result<Vec<T>, Refused> {
        let mut all = Vec::new();
        while !self.0.is_empty() {
            all.push(read(self)?);
        }
        Ok(all)
    }

    pub(crate) fn end<T>(self, read: T) -> Result<T, Refused> {
        if self.0.is_empty() { Ok(read) } else { Err(Refused::Frame) }
    }
}
