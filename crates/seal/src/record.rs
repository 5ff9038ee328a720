//! The OPEN record: what a node keeps on disk before it opens, and all that it may ever open for the question.

use std::fmt;

use cairn_question::{Day, Hash, Name, QuestionId, Signature};
use zeroize::Zeroizing;

use crate::attempt::Attempt;
use crate::manifest::Repeat;
use crate::mask::Blind;
use crate::members::NodeId;
use crate::partners::{Partners, Series};
use crate::refused::Refused;
use crate::wire::Reader;

/// Version of the record.
const VERSION: u8 = 1;

/// One opening, as the ledger keeps it. Holds bᵢ, so the file that keeps it is as secret as the node's key until the OPEN was sent; wiped in memory when dropped.
pub struct OpenRecord {
    pub(crate) question: QuestionId,
    pub(crate) question_hash: Hash,
    pub(crate) manifest: Hash,
    pub(crate) attempt: Attempt,
    pub(crate) series: Series,
    pub(crate) repeat: Repeat,
    pub(crate) partners: Partners,
    pub(crate) h2: Hash,
    pub(crate) blind: Blind,
    pub(crate) signature: Signature,
}

impl OpenRecord {
    /// The question: the ledger's key, with one record for each for ever (R2).
    #[must_use]
    pub const fn question(&self) -> QuestionId {
        self.question
    }

    /// SHA-256 of the question's signed text.
    #[must_use]
    pub const fn question_hash(&self) -> &Hash {
        &self.question_hash
    }

    /// SHA-256 of the manifest's text.
    #[must_use]
    pub const fn manifest(&self) -> &Hash {
        &self.manifest
    }

    /// H₂ of the attempt.
    #[must_use]
    pub const fn opening(&self) -> &Hash {
        &self.h2
    }

    /// The attempt.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// The records that it is of.
    #[must_use]
    pub const fn series(&self) -> &Series {
        &self.series
    }

    /// Whether R6 binds the next opening to these partners.
    #[must_use]
    pub const fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// The partners whose sum opens.
    #[must_use]
    pub const fn partners(&self) -> &Partners {
        &self.partners
    }

    /// The bytes to keep. Wiped when dropped.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(512 + self.partners.ids().len() * 16));
        out.extend_from_slice(&[VERSION, self.attempt.number(), repeat_number(self.repeat)]);
        let dataset = self.series.dataset.as_str();
        out.push(u8::try_from(dataset.len()).unwrap_or(u8::MAX));
        let parts: [&[u8]; 9] = [
            dataset.as_bytes(),
            &self.series.as_of.epoch_days().to_le_bytes(),
            &self.series.edition.to_le_bytes(),
            self.question.as_bytes(),
            self.question_hash.as_bytes(),
            self.manifest.as_bytes(),
            self.h2.as_bytes(),
            self.blind.as_bytes(),
            self.signature.as_bytes(),
        ];
        parts.iter().for_each(|part| out.extend_from_slice(part));
        self.partners.ids().iter().for_each(|id| out.extend_from_slice(id.as_bytes()));
        out
    }

    /// Reads a record that was kept.
    ///
    /// # Errors
    /// [`Refused::Record`] for anything but the bytes of [`OpenRecord::to_bytes`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        Self::read(Reader(bytes)).map_err(|_| Refused::Record)
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, Refused> {
        let [version, attempt, repeat, dataset] = reader.take()?;
        if version != VERSION {
            return Err(Refused::Record);
        }
        let dataset = str::from_utf8(reader.part(usize::from(dataset))?).map_err(|_| Refused::Record)?;
        let series = Series {
            dataset: Name::new(dataset).map_err(|_| Refused::Record)?,
            as_of: Day::from_epoch_days(i32::from_le_bytes(reader.take()?)).ok_or(Refused::Record)?,
            edition: u32::from_le_bytes(reader.take()?),
        };
        Ok(Self {
            attempt: Attempt::new(attempt)?,
            repeat: match repeat {
                0 => Repeat::Charged,
                1 => Repeat::SamePartners,
                _ => return Err(Refused::Record),
            },
            series,
            question: QuestionId::from_bytes(reader.take()?),
            question_hash: reader.hash()?,
            manifest: reader.hash()?,
            h2: reader.hash()?,
            blind: Blind::from_bytes(reader.take()?),
            signature: reader.signature()?,
            partners: partners(reader.rest())?,
        })
    }
}

fn partners(bytes: &[u8]) -> Result<Partners, Refused> {
    let (ids, rest) = bytes.as_chunks::<16>();
    let partners = Partners::new(ids.iter().map(|id| NodeId::from_bytes(*id)));
    let sorted = rest.is_empty() && partners.ids().len() == ids.len();
    if sorted { Ok(partners) } else { Err(Refused::Record) }
}

const fn repeat_number(repeat: Repeat) -> u8 {
    match repeat {
        Repeat::Charged => 0,
        Repeat::SamePartners => 1,
    }
}

impl fmt::Debug for OpenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenRecord({:?}, {} partners)", self.question, self.partners.ids().len())
    }
}
