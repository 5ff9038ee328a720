//! Answers as they leave a partner: a protected table with everything that is needed to read it, or a refusal.

mod ranges;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::breakdown::Breakdown;
use crate::day::{Day, Moment};
use crate::envelope::{Envelope, SigningKey, VerifyingKey};
use crate::grid::{Dimension, Grid};
use crate::id::{Hash, Name, PartnerId, QuestionId};
use crate::limits::{FRAME_BYTES_MAX, PARTNERS_MAX};
use crate::perturbations::ChangedTotalV1;
use crate::privacy::{Epsilon, NanoRho};
use crate::refusal::Refusal;
use crate::total::{LinkedBy, SealedV1};

/// Payload type of a reply's envelope.
pub const REPLY_TYPE: &str = "application/vnd.cairn.reply.v1+json";

/// One cell of a released table. In JSON: a number, `"c"` or `"x"`, the Government Analysis Function's markers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cell {
    /// A released value: rounded, or with noise (then it may be negative).
    Value(i64),
    /// Withheld. One mark, no reason, never 0.
    Withheld,
    /// Not answered: nobody who was asked gave this cell.
    NotAnswered,
}

/// A released table: every declared cell, in the grid's order.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableV1 {
    /// The axes.
    pub dimensions: Vec<Dimension>,
    /// The cells, the last axis varying fastest.
    pub cells: Vec<Cell>,
    /// The totals over one axis, over two and so on, in the order of [`Grid::places`]: all of them of an audited table
    /// ([`TreatmentV1::promise`]), none of any other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<Cell>,
}

/// The treatment that was really applied. Complete, not open: whoever reads a table must know its treatment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TreatmentV1 {
    /// 0 shown; 1 to k−1 withheld; the rest rounded half up to base b.
    SuppressRound {
        /// The profile's name, such as `sub-national-8-5`.
        profile: String,
        /// The k-threshold: fewer people than this are withheld.
        min_people: u32,
        /// The rounding base b; 1 rounds nothing.
        round_to: u32,
        /// Whether 0 is shown or withheld with the small counts.
        zeros: Zeros,
        /// For each filter: it leaves out nobody, or at least this many; otherwise the whole table is withheld. 0: no such rule.
        min_cohort: u32,
        /// Most rows of one person in a cell: 1 where people are counted. A withheld count of rows is of fewer than
        /// `min_people` people, each with up to this many.
        rows_per_person: u32,
        /// Of an audited table, which has totals, rounded too, and in which a withheld cell may have any number of people, since it
        /// may be withheld for another's sake: whom it withstands. Absent where nothing but small counts is withheld.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        promise: Option<AuditPromise>,
    },
    /// Exact counts and totals; 1 to k−1 withheld, and with them the cells from which they would follow. Zeros are shown.
    SuppressAudit {
        /// The profile's name, such as `scottish-5-audit`.
        profile: String,
        /// The k-threshold: fewer people than this are withheld.
        min_people: u32,
        /// As for `suppress-round`.
        min_cohort: u32,
        /// Whom the table withstands.
        promise: AuditPromise,
    },
    /// Each count is changed a little by the record keys of its people, the same people always alike; nobody stays nobody. Then, on the
    /// changed counts, 1 to k−1 are withheld and the rest rounded.
    CellKey {
        /// The profile's name, such as `census-cell-key`.
        profile: String,
        /// The table of perturbations, such as `framework:d3`.
        table: String,
        /// The most that a count is changed by, up or down.
        max_change: u32,
        /// The k-threshold, held on the changed count.
        min_people: u32,
        /// The rounding base.
        round_to: u32,
        /// What becomes of a changed count of 0.
        zeros: Zeros,
        /// As for `suppress-round`, by the counts before the change.
        min_cohort: u32,
        /// Of a secure total: how far off the changes of all its partners leave it. Absent for a partner's own table.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<ChangedTotalV1>,
    },
    /// Every declared cell with noise, at zero too.
    Dp {
        /// `discrete-laplace` or `discrete-gaussian`.
        mechanism: String,
        /// The privacy loss ε of this table, for one person at this partner. Under Gaussian noise for display only: what its ρ is at δ.
        epsilon: Epsilon,
        /// Most that one person adds to the table, in all cells together: the L1 sensitivity. Of a mean: to its sums, each row's
        /// value taken less the middle of its bounds.
        sensitivity: u32,
        /// 95 in 100 noisy cells lie within this many of the count (or sum) that was bounded.
        plus_minus_95: u64,
        /// How a column was added up; absent where people or rows are counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        added: Option<AddedV1>,
        /// The loss of Gaussian noise, which has no pure ε; absent for Laplace noise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        concentrated: Option<ConcentratedV1>,
    },
    /// How many different people there are over all partners of a total: estimated from the pattern that all of them make together. Its error
    /// follows from the estimate and these terms.
    CountOnce {
        /// ε₀: the loss of one linkage key to whoever sees the opened pattern.
        epsilon: Epsilon,
        /// The most linkage keys that one person is recorded under.
        keys_per_person: u32,
        /// The pattern has 2 to this power of buckets.
        buckets_power: u8,
        /// What makes the same person at two partners the same.
        linked_by: LinkedBy,
        /// Of a table of several cells, each with such a pattern: in how many of them one person is. Absent where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        breakdown: Option<Breakdown>,
    },
}

/// The loss of a table under Gaussian noise, in zero-concentrated differential privacy: σ² = Δ₂² ÷ 2ρ.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcentratedV1 {
    /// ρ in billionths: what the account is charged.
    pub rho: NanoRho,
    /// Δ₂², the square of the most that one person moves the table by, as a distance (L2).
    pub l2_squared: u64,
    /// The δ at which the loss is the stated ε, in trillionths, rounded up. For display only.
    pub delta_trillionths: u64,
}

/// Who cannot work out a small count of an audited table, given every table that was audited on the same snapshot before it
/// (docs/reference/suppress-audit.md). Complete: the two readers that an audit is made against.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditPromise {
    /// Somebody who knows the rule and its threshold.
    KnowsThresholds,
    /// Somebody who knows that, and can run this program on any table to see what it would withhold.
    KnowsAlgorithm,
}

/// How a column was bounded and added up under noise. A row without a value adds nothing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedV1 {
    /// What the sum is in, in the partner's words: `quarter-hours`.
    pub unit: String,
    /// A row's value below this counts as this.
    pub least: u32,
    /// A row's value above this counts as this.
    pub most: u32,
    /// Most rows of one person that are added.
    pub rows_per_person: u32,
    /// Of a mean: how the rows that it is divided by were counted. Absent for a sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<NoisyRowsV1>,
}

/// The noisy count of rows of a mean's table.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoisyRowsV1 {
    /// The part of the table's loss that went on counting rows; the rest went on the sums.
    pub epsilon: Epsilon,
    /// 95 in 100 noisy counts of rows lie within this many.
    pub plus_minus_95: u64,
    /// 95 in 100 means (sum ÷ rows) lie within this many units ÷ the noisy rows.
    pub mean_within: u64,
}

/// What becomes of a count of 0 under `suppress-round`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zeros {
    /// Shown as 0: the profiles' default.
    Show,
    /// Withheld like a small count.
    Withhold,
}

/// What one partner says in answer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerV1 {
    /// The protected table.
    pub table: TableV1,
    /// How it was protected.
    pub treatment: TreatmentV1,
    /// The snapshot it was counted on.
    pub snapshot: SnapshotStatement,
    /// What it cost, and what the person's account stands at.
    pub privacy: PrivacyStatement,
}

/// Which frozen records an answer is of.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotStatement {
    /// The day the records stand for.
    pub as_of: Day,
    /// The snapshot's number at this partner, rising.
    pub edition: u32,
    /// The template vintages that its rows came from.
    pub templates: Vec<String>,
    /// Notes that a lossy template mapping leaves on the columns asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Later rows are expected, so the figure may be revised.
    pub provisional: bool,
}

/// What an answer cost the people it is about.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyStatement {
    /// The privacy unit, in words.
    pub unit: String,
    /// This answer's loss in nano-ρ; 0 for a treatment without a formal promise.
    pub charged: NanoRho,
    /// The year's total so far in nano-ρ, this answer included.
    pub year_so_far: NanoRho,
    /// The year's cap in nano-ρ.
    pub year_cap: NanoRho,
}

/// A partner's signed reply to one question.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyV1 {
    /// Format, 1.
    pub cairn_reply: u8,
    /// The question.
    pub question_id: QuestionId,
    /// SHA-256 of the signed question's bytes.
    pub question_hash: Hash,
    /// The federation.
    pub federation: Name,
    /// Who replies.
    pub partner: PartnerId,
    /// When.
    pub at: Moment,
    /// The policy that decided: its id and version.
    pub policy: PolicyStatement,
    /// The reply.
    pub outcome: OutcomeV1,
}

/// Which policy decided.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyStatement {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its file.
    pub hash: Hash,
}

/// The reply itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OutcomeV1 {
    /// An answer.
    Answer(Box<AnswerV1>),
    /// The partner's table is in a secure total, and nobody saw it.
    Sealed(Box<SealedV1>),
    /// A refusal: nothing was read, nothing was charged.
    Refusal(Refusal),
    /// Something broke at the partner. The code is all that leaves; the story is in its own log.
    Fault {
        /// A stable code with a page in docs/reference/codes.md.
        code: String,
    },
}

/// Why a reply was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// Not a reply, too long, or a table that is not the full grid.
    #[error("not a reply, or its table is not the full grid of the question")]
    Malformed,
    /// The partner's registered key did not sign it.
    #[error("the partner's registered key did not sign this reply")]
    BadSignature,
    /// A reply to another question, or from another partner or federation.
    #[error("a reply to another question, or from another partner")]
    Elsewhere,
}

impl ReplyV1 {
    /// Signs the reply with the partner's key.
    #[must_use]
    pub fn sign(&self, partner: &SigningKey) -> Envelope {
        Envelope::sign(REPLY_TYPE, &serde_json::to_vec(self).unwrap_or_default(), partner)
    }

    /// Reads a signed reply and checks its signature, its question, its partner and, for an answer, that the table is the
    /// question's full grid.
    ///
    /// # Errors
    /// [`ReplyError`].
    pub fn open(bytes: &[u8], key: &VerifyingKey, expected: &Expected<'_>) -> Result<Self, ReplyError> {
        let envelope = Envelope::parse(bytes, FRAME_BYTES_MAX).map_err(|_| ReplyError::Malformed)?;
        let payload = envelope.open(REPLY_TYPE, key).map_err(|_| ReplyError::BadSignature)?;
        let reply: Self = serde_json::from_slice(&payload).map_err(|_| ReplyError::Malformed)?;
        let ours = reply.question_id == expected.question_id
            && reply.question_hash == expected.question_hash
            && reply.partner == *expected.partner
            && reply.federation == *expected.federation;
        if !ours {
            return Err(ReplyError::Elsewhere);
        }
        let whole = match &reply.outcome {
            OutcomeV1::Answer(a) => {
                a.table.dimensions == expected.grid.dimensions()
                    && a.table.cells.len() == expected.grid.cells()
                    && a.table.totals.len() == a.treatment.totals(expected.grid)
            }
            OutcomeV1::Sealed(s) => {
                let named = s.partners.windows(2).all(|pair| pair.first() < pair.last());
                named && s.partners.len() <= PARTNERS_MAX && s.partners.contains(expected.partner)
            }
            OutcomeV1::Refusal(r) => !r.rules.is_empty(),
            OutcomeV1::Fault { code } => is_code(code),
        };
        if reply.cairn_reply == 1 && whole { Ok(reply) } else { Err(ReplyError::Malformed) }
    }
}

/// Two letters and three digits: nothing else can travel as the code of a fault.
fn is_code(code: &str) -> bool {
    let (letters, digits) = code.split_at_checked(2).unwrap_or_default();
    letters.bytes().all(|b| b.is_ascii_uppercase())
        && digits.len() == 3
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// What a reply must be in answer to.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The question's number.
    pub question_id: QuestionId,
    /// The hash of its signed bytes.
    pub question_hash: Hash,
    /// The federation.
    pub federation: &'a Name,
    /// The partner that was asked.
    pub partner: &'a PartnerId,
    /// The full grid of the question.
    pub grid: &'a Grid,
}

/// The people a released cell can stand for: a certain range under `suppress-round` and on a partner's own table under `cell-key`, a 95 % range
/// under `dp` and on a total under `cell-key`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Range {
    /// At least this many.
    pub least: i64,
    /// At most this many; `None` where the released table sets no bound.
    pub most: Option<i64>,
}

impl AnswerV1 {
    /// The range that each cell stands for; `None` where nothing was answered.
    ///
    /// Where every cell of a table is withheld, the whole table may have been (a cohort was too small), so a withheld cell
    /// then has no upper bound.
    #[must_use]
    pub fn ranges(&self) -> Vec<Option<Range>> {
        let whole = self.table.cells.iter().chain(&self.table.totals).all(|c| *c == Cell::Withheld);
        let cells = self.table.cells.iter().enumerate();
        cells.map(|(at, cell)| self.treatment.range(at, *cell, whole)).collect()
    }
}

impl TreatmentV1 {
    /// The half-width that 95 in 100 noisy cells keep to, of the cell at this place of the table; `None` without noise. The parts of a mean
    /// are its table's last axis, so that every second cell counts rows.
    #[must_use]
    pub fn plus_minus_95(&self, at: usize) -> Option<u64> {
        let Self::Dp { plus_minus_95, added, .. } = self else { return None };
        let rows = added.as_ref().and_then(|a| a.rows.as_ref()).filter(|_| !at.is_multiple_of(2));
        Some(rows.map_or(*plus_minus_95, |rows| rows.plus_minus_95))
    }

    /// How many totals a table of this grid has.
    fn totals(&self, grid: &Grid) -> usize {
        self.promise().map_or(0, |_| grid.totals())
    }

    /// Whom an audited table withstands; `None` for a table that was not audited.
    #[must_use]
    pub const fn promise(&self) -> Option<AuditPromise> {
        match self {
            Self::SuppressAudit { promise, .. } => Some(*promise),
            Self::SuppressRound { promise, .. } => *promise,
            Self::CellKey { .. } | Self::Dp { .. } | Self::CountOnce { .. } => None,
        }
    }

    /// The same table under another promise; a table that was not audited stays without one.
    #[must_use]
    pub fn promising(mut self, stated: AuditPromise) -> Self {
        match &mut self {
            Self::SuppressAudit { promise, .. } | Self::SuppressRound { promise: Some(promise), .. } => {
                *promise = stated;
            }
            Self::SuppressRound { promise: None, .. }
            | Self::CellKey { .. }
            | Self::Dp { .. }
            | Self::CountOnce { .. } => {}
        }
        self
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(v) => to.serialize_i64(*v),
            Self::Withheld => to.serialize_str("c"),
            Self::NotAnswered => to.serialize_str("x"),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire<'a> {
            Value(i64),
            Mark(#[serde(borrow)] std::borrow::Cow<'a, str>),
        }
        match Wire::deserialize(from)? {
            Wire::Value(v) => Ok(Self::Value(v)),
            Wire::Mark(m) if m == "c" => Ok(Self::Withheld),
            Wire::Mark(m) if m == "x" => Ok(Self::NotAnswered),
            Wire::Mark(_) => Err(serde::de::Error::custom("a cell is a whole number, \"c\" or \"x\"")),
        }
    }
}

#[cfg(test)]
mod tests;
