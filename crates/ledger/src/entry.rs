//! Entries of the audit: who asked what, when, and what left. Never a count, never a person's value.

use cairn_question::answer::{PolicyStatement, TreatmentV1};
use cairn_question::privacy::NanoRho;
use cairn_question::{Day, Hash, Moment, Name, QuestionId, RuleBroken};
use serde::{Deserialize, Serialize};

/// Most bytes of one entry as JSON: a question of 64 KiB in words, and the rules it breaks.
pub const ENTRY_BYTES_MAX: usize = 256 * 1024;

/// Most characters of an entry's note: one line on a screen, twice.
pub const NOTE_CHARS_MAX: usize = 160;

/// One event of a partner's node. Has no field that a count or a person's value could stand in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Place in the chain, from 1. Written by the ledger.
    pub seq: u64,
    /// When. Written by the ledger.
    pub at: Moment,
    /// What happened, and for a question the decision.
    pub kind: EntryKind,
    /// The question's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question_id: Option<QuestionId>,
    /// SHA-256 of the signed question's bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question_hash: Option<Hash>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyst: Option<Name>,
    /// For which organisation, in words, as the credential says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// In which role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Name>,
    /// For which purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Name>,
    /// The question in its readable form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// For a refusal: every rule that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleBroken>,
    /// For an answer: the treatment that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<TreatmentV1>,
    /// The snapshot that was counted, or loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotKey>,
    /// For an answer: how many cells the table declares. All leave, shown or withheld, so this says nothing about anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<u32>,
    /// For an audited answer: SHA-256 of the file of witnesses, which stays beside the ledger. Salted, so that it says nothing of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<Hash>,
    /// For a total that this partner opened its part of: how many partners it is of, this one among them. Written by the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partners: Option<u32>,
    /// What the answer cost, in nano-ρ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<NanoRho>,
    /// The policy year's total with it, in nano-ρ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_so_far: Option<NanoRho>,
    /// The policy that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyStatement>,
    /// For a failure: its stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A fixed line of the program's own, such as its version; at most [`NOTE_CHARS_MAX`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What an entry tells of. Complete, not open: whoever reads an audit must know every kind.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// The node started.
    Start,
    /// The node stopped in order.
    Stop,
    /// A snapshot was published.
    Load,
    /// Records were erased.
    Erase,
    /// A policy came into force, or was turned away.
    Policy,
    /// The brake was pulled or released.
    Brake,
    /// A restored backup was acknowledged: what may be missing of it was charged at the cap.
    Restore,
    /// A question was answered.
    QuestionAnswered,
    /// A question was answered with the table that an equal question got before: nothing counted, nothing charged.
    QuestionRepeated,
    /// A question was refused: nothing read, nothing charged.
    QuestionRefused,
    /// A question failed: nothing left but the failure's code.
    QuestionFailed,
}

/// A frozen snapshot, as an answer names it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotKey {
    /// The day the records stand for.
    pub as_of: Day,
    /// The snapshot's number at this partner, rising.
    pub edition: u32,
}

impl Entry {
    /// An entry with nothing but its kind; the caller sets what applies. `seq` and `at` are the ledger's to write.
    #[must_use]
    pub const fn new(kind: EntryKind) -> Self {
        Self {
            seq: 0,
            at: Moment::from_unix_s(0),
            kind,
            question_id: None,
            question_hash: None,
            analyst: None,
            organisation: None,
            role: None,
            purpose: None,
            question: None,
            rules: Vec::new(),
            treatment: None,
            snapshot: None,
            cells: None,
            witnesses: None,
            partners: None,
            cost: None,
            year_so_far: None,
            policy: None,
            code: None,
            note: None,
        }
    }
}

impl EntryKind {
    /// The word in an export: `question-answered`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Load => "load",
            Self::Erase => "erase",
            Self::Policy => "policy",
            Self::Brake => "brake",
            Self::Restore => "restore",
            Self::QuestionAnswered => "question-answered",
            Self::QuestionRepeated => "question-repeated",
            Self::QuestionRefused => "question-refused",
            Self::QuestionFailed => "question-failed",
        }
    }
}
