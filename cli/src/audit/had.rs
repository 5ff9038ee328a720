//! What a coordinator had of a published total, out of the transcript that it keeps: for a reader who wants to see it with their own eyes.

use std::collections::BTreeMap;
use std::path::Path;

use cairn_question::{Grid, PartnerId};
use cairn_seal::{PairwiseMasks, Transcript, recompute};

use super::public_key;
use super::recompute::{Put, not_held};
use crate::failure::Failure;
use crate::transcript::TranscriptFile;

/// The exact sum that opened, and what each partner sent, cell by cell as the question's grid has them.
pub(crate) struct Had {
    grid: Grid,
    sum: Vec<i64>,
    sent: BTreeMap<PartnerId, Vec<u64>>,
}

impl Had {
    /// Of a transcript file, with every signature in it checked.
    pub(crate) fn of(transcript: &Path, federation_key: &Path) -> Result<Self, Failure> {
        let federation = public_key(federation_key, "the federation's federation.pub")?;
        let file = TranscriptFile::read(transcript)?;
        let put = Put::open(&file, &federation)?;
        let terms = put.terms(None)?;
        let transcript = Transcript::parse(&file.transcript()).map_err(not_held)?;
        let opened = recompute(&transcript, &put.analyst, &put.roster, &terms, &PairwiseMasks);
        let opened = opened.map_err(not_held)?;
        let names = opened.partners.places().flat_map(|place| put.roster.names([place]));
        let sent = names.zip(transcript.sent()).map(|(name, bytes)| (name, words(bytes))).collect();
        Ok(Self { sum: opened.sum.values().unwrap_or_default(), sent, grid: put.grid })
    }

    /// The place of the cell of these codes.
    pub(crate) fn place(&self, codes: &[&str]) -> Option<usize> {
        self.grid.cell_of(codes)
    }

    /// A cell's exact total.
    pub(crate) fn exact(&self, cell: usize) -> Option<i64> {
        self.sum.get(cell).copied()
    }

    /// The word that stands for a cell in what a partner sent.
    pub(crate) fn sent(&self, cell: usize, partner: &PartnerId) -> Option<u64> {
        self.sent.get(partner)?.get(cell).copied()
    }
}

/// The words of a ring of 64 bits, as they travel.
fn words(bytes: &[u8]) -> Vec<u64> {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(*word)).collect()
}
