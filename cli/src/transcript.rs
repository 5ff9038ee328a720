//! The file from which an entitled auditor recomputes a secure total: each part as its maker signed it, nothing on the coordinator's word.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cairn_coordinator::store::{KeptTranscript, TRANSCRIPT_KEPT_MAX};
use cairn_question::limits::QUESTION_BYTES_MAX;
use cairn_question::register::REGISTER_BYTES_MAX;
use cairn_question::{Envelope, SignedAsk};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files;

/// The file: JSON. Whoever has it has the exact sum.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TranscriptFile {
    /// Format, 1.
    cairn_transcript: u8,
    /// The register under which the question was taken on, as the federation's key signed it.
    pub(crate) register: Envelope,
    /// The question and its manifest, as the analyst signed them.
    pub(crate) question: SignedAsk,
    /// What the partners signed: the transcript's bytes in base64.
    transcript: String,
}

impl TranscriptFile {
    /// Of what a coordinator kept.
    pub(crate) fn new(kept: &KeptTranscript) -> Result<Self, Failure> {
        let damaged = || Failure::new("CO304", "a row of the coordinator's store is damaged");
        Ok(Self {
            cairn_transcript: 1,
            register: Envelope::parse(&kept.register, REGISTER_BYTES_MAX).map_err(|_| damaged())?,
            question: SignedAsk::parse(&kept.question).map_err(|_| damaged())?,
            transcript: STANDARD.encode(&kept.transcript),
        })
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        // Envelopes and text only: serde_json cannot fail on them.
        format!("{}\n", serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads one. Nothing of it is verified.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::bad_file("CC602", format!("{}: {why}", path.display()));
        let bytes = files::read_bytes(path, FILE_BYTES_MAX).map_err(|why| wrong(&why))?;
        let file: Option<Self> = serde_json::from_slice(&bytes).ok();
        file.filter(|file| file.cairn_transcript == 1)
            .ok_or_else(|| wrong("is no transcript as `cairn coordinator transcript` writes it"))
    }

    /// The transcript's bytes; empty, which is no transcript, where they are no base64.
    pub(crate) fn transcript(&self) -> Vec<u8> {
        STANDARD.decode(&self.transcript).unwrap_or_default()
    }
}

/// Most bytes of the file: 32 MiB.
const FILE_BYTES_MAX: u64 = 32 << 20;

const _: () = assert!(
    TRANSCRIPT_KEPT_MAX.div_ceil(3) * 4 + REGISTER_BYTES_MAX + QUESTION_BYTES_MAX + 4_096 <= 32 << 20,
    "a transcript that is kept fits in its file, in base64"
);
