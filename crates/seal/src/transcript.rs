//! What an auditor who is entitled to the sum is handed, and how the sum is worked out again without trust in the coordinator.

use std::fmt;

use cairn_question::{Hash, Signature, VerifyingKey};

use crate::attempt::{Attempt, SealedLine, Statement, h1, h2, transcript_hash};
use crate::layout::{Masked, Plain};
use crate::manifest::{MANIFEST_BYTES_MAX, Manifest, ROUND_BYTES_MAX};
use crate::mask::{Aggregator, Blind};
use crate::members::{Members, NodeId};
use crate::refused::Refused;
use crate::roster::Roster;
use crate::terms::Terms;
use crate::wire::Reader;

/// Version of the transcript.
const VERSION: u8 = 1;

/// Most bytes of a transcript: the round's vectors, and less than 256 bytes beside each.
pub const TRANSCRIPT_BYTES_MAX: usize = ROUND_BYTES_MAX + (1 << 19);

/// Every signed vector and opening of one round. Whoever has it has the sum.
pub struct Transcript {
    pub(crate) manifest: Vec<u8>,
    pub(crate) attempt: Attempt,
    pub(crate) members: Members,
    pub(crate) lines: Vec<TranscriptLine>,
}

/// One partner's part.
pub(crate) struct TranscriptLine {
    pub(crate) sealed: Signature,
    pub(crate) commitment: Hash,
    pub(crate) vector: Vec<u8>,
    pub(crate) blind: [u8; 32],
    pub(crate) opening: Signature,
}

/// What an auditor found.
#[derive(Debug)]
pub struct Recomputed {
    /// The verified manifest.
    pub manifest: Manifest,
    /// Whose sum it is.
    pub partners: Members,
    /// The sum.
    pub sum: Plain,
    /// H₂, to be held against each partner's receipt.
    pub opening: Hash,
    /// The receipt's `transcript`.
    pub transcript: Hash,
}

/// Works the sum out again, checking every signature, commitment and set on the way.
///
/// # Errors
/// As [`Manifest::open`]; [`Refused::NotWithinInvited`] and [`Refused::TooFew`] for the set; [`Refused::Transcript`] for missing lines; [`Refused::SealedSignature`],
/// [`Refused::Commitment`] and [`Refused::PartnerSignature`] for a line that no partner made for this round; [`Refused::NotTheSum`].
pub fn recompute(
    transcript: &Transcript,
    analyst: &VerifyingKey,
    roster: &Roster,
    terms: &Terms,
    aggregator: &dyn Aggregator,
) -> Result<Recomputed, Refused> {
    let manifest = Manifest::open(&transcript.manifest, analyst, roster, terms)?;
    manifest.admits(&transcript.members)?;
    let entries = roster.entries(&transcript.members)?;
    if entries.len() != transcript.lines.len() {
        return Err(Refused::Transcript);
    }
    let ids: Vec<NodeId> = entries.iter().map(|entry| entry.node).collect();
    let h1 = h1(&manifest, transcript.attempt, &ids);
    let lines: Vec<SealedLine> = transcript.lines.iter().map(TranscriptLine::sealed_line).collect();
    let h2 = h2(&h1, &ids, &lines);
    // All that was sealed before anything that was opened: H₂ is made of every line, and one false line would make every opening look false.
    for (entry, sealed) in entries.iter().zip(&lines) {
        let said = Statement::sealed(&h1, &sealed.vector, &sealed.commitment);
        if !said.is_signed_by(&entry.key, &sealed.signature) {
            return Err(Refused::SealedSignature);
        }
    }
    for (entry, line) in entries.iter().zip(&transcript.lines) {
        line.opens(&h2, &entry.key)?;
    }
    let layout = manifest.says().layout;
    let parts: Vec<(Masked, Blind)> = transcript
        .lines
        .iter()
        .map(|l| Ok((Masked::from_bytes(layout, l.vector.clone())?, Blind::from_bytes(l.blind))))
        .collect::<Result<_, Refused>>()?;
    let pairs: Vec<(&Masked, &Blind)> = parts.iter().map(|(masked, blind)| (masked, blind)).collect();
    let sum = aggregator.open(layout, &pairs)?;
    let hash = transcript_hash(&h2, transcript.lines.iter().map(|line| &line.opening));
    let partners = transcript.members.clone();
    Ok(Recomputed { manifest, partners, sum, opening: h2, transcript: hash })
}

impl TranscriptLine {
    fn sealed_line(&self) -> SealedLine {
        SealedLine { signature: self.sealed, vector: Hash::of(&self.vector), commitment: self.commitment }
    }

    fn opens(&self, h2: &Hash, key: &VerifyingKey) -> Result<(), Refused> {
        let blind = Blind::from_bytes(self.blind);
        if blind.commitment() != self.commitment {
            return Err(Refused::Commitment);
        }
        let said = Statement::open(h2, &blind);
        if said.is_signed_by(key, &self.opening) { Ok(()) } else { Err(Refused::PartnerSignature) }
    }
}

impl Transcript {
    /// The bytes for an auditor: fixed binary.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.attempt.number()];
        let mut put = |bytes: &[u8]| {
            out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        put(&self.manifest);
        put(self.members.as_bytes());
        for line in &self.lines {
            put(&line.vector);
            put(&[
                line.sealed.as_bytes().as_slice(),
                line.commitment.as_bytes(),
                &line.blind,
                line.opening.as_bytes(),
            ]
            .concat());
        }
        out
    }

    /// What each partner sent, masked and blinded, in the order of the set: the words of the manifest's layout.
    pub fn sent(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(|line| line.vector.as_slice())
    }

    /// Reads the bytes. Nothing is verified: [`recompute`] does.
    ///
    /// # Errors
    /// [`Refused::Transcript`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        if bytes.len() > TRANSCRIPT_BYTES_MAX {
            return Err(Refused::Transcript);
        }
        Self::read(Reader(bytes)).map_err(|_| Refused::Transcript)
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, Refused> {
        let [version, attempt] = reader.take()?;
        if version != VERSION {
            return Err(Refused::Transcript);
        }
        let manifest = reader.counted(MANIFEST_BYTES_MAX)?.to_vec();
        let members = Members::from_bytes(reader.counted(TRANSCRIPT_BYTES_MAX)?)?;
        let mut lines = Vec::new();
        while !reader.0.is_empty() {
            let vector = reader.counted(TRANSCRIPT_BYTES_MAX)?.to_vec();
            let mut line = Reader(reader.counted(192)?);
            let read = TranscriptLine {
                vector,
                sealed: line.signature()?,
                commitment: line.hash()?,
                blind: line.take()?,
                opening: line.signature()?,
            };
            lines.push(line.end(read)?);
        }
        Ok(Self { manifest, attempt: Attempt::new(attempt)?, members, lines })
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transcript({:?}, {} partners)", self.attempt, self.lines.len())
    }
}
