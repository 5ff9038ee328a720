//! Adding partners' released tables up, and saying who is in the sum. Used by the coordinator, and again by `cairn ask`,
//! which trusts no sum but its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::answer::{AnswerV1, Cell, OutcomeV1, PolicyStatement, Range, ReplyV1};
use crate::day::{Day, Moment};
use crate::envelope::{Envelope, SigningKey, VerifyingKey};
use crate::grid::{Dimension, Grid};
use crate::id::{Hash, Name, PartnerId, QuestionId};
use crate::limits::{COVERAGE_BYTES_MAX, PARTNERS_MAX};
use crate::refusal::RuleBroken;
use crate::total::TotalV1;

/// Payload type of a coverage statement's envelope.
pub const COVERAGE_TYPE: &str = "application/vnd.cairn.coverage.v1+json";

/// Who answered, who did not, and why; signed by the coordinator. "Offline" and "late" are its word alone; answers and
/// refusals are signed by the partners themselves.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageV1 {
    /// Format, 1.
    pub cairn_coverage: u8,
    /// The question.
    pub question_id: QuestionId,
    /// SHA-256 of its signed bytes.
    pub question_hash: Hash,
    /// The federation.
    pub federation: Name,
    /// The register's version.
    pub register_version: u32,
    /// When the round was closed.
    pub closed_at: Moment,
    /// One line for each partner that was asked, in the register's order.
    pub partners: Vec<PartnerLine>,
    /// The coordinator's own sum; absent when nobody answered.
    pub combined: Option<CombinedV1>,
    /// The secure total, where the question was put as one and it opened. It stands in `combined` too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<TotalV1>,
}

/// How one partner stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerLine {
    /// The partner.
    pub partner: PartnerId,
    /// Its standing.
    pub standing: Standing,
    /// The policy that decided, as its signed reply says; absent where there is no reply, and in statements of programs before
    /// this line was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyLine>,
}

/// The policy that decided at a partner.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyLine {
    /// Its id.
    pub id: Name,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its file.
    pub hash: Hash,
    /// Its last day in force, where the partner's card of this very policy says it. The coordinator's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

impl PartnerLine {
    /// A line without a policy.
    #[must_use]
    pub const fn new(partner: PartnerId, standing: Standing) -> Self {
        Self { partner, standing, policy: None }
    }
}

impl PolicyLine {
    /// Of a partner's own statement; `None` where its id is no name, which a node never sends.
    #[must_use]
    pub fn of(statement: &PolicyStatement, until: Option<Day>) -> Option<Self> {
        let id = Name::new(&statement.id).ok()?;
        Some(Self { id, version: statement.version, hash: statement.hash, until })
    }
}

impl fmt::Display for PolicyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.version)
    }
}

/// How a partner stands in a round. Complete, not open: a screen must have a word for each.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It answered: with a table, or with its part of a secure total.
    Answered,
    /// It refused, under these rules.
    Refused(Vec<RuleBroken>),
    /// Something broke there; its log has the story under this code.
    Fault(String),
    /// It was not connected.
    Offline,
    /// It was connected and had not replied by the deadline.
    Late,
    /// It sent something that is not a reply to this question under its registered key; left out.
    Unverified,
}

/// The sum of the released tables.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CombinedV1 {
    /// The axes.
    pub dimensions: Vec<Dimension>,
    /// The cells, in the grid's order.
    pub cells: Vec<CombinedCell>,
}

/// One cell of a sum. Nothing is left out quietly: parts that are withheld are counted beside the value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CombinedCell {
    /// The sum of the released parts. Withheld when no part has a released value above 0 and some part is withheld;
    /// not answered when there is no part at all.
    pub cell: Cell,
    /// How many partners withheld their part; they are not in the sum.
    pub parts_withheld: u16,
    /// Least the true sum over the partners that answered can be.
    pub least: i64,
    /// Most it can be; absent where some part sets no bound.
    pub most: Option<i64>,
}

impl CoverageV1 {
    /// Signs the statement with the coordinator's key.
    #[must_use]
    pub fn sign(&self, coordinator: &SigningKey) -> Envelope {
        Envelope::sign(COVERAGE_TYPE, &serde_json::to_vec(self).unwrap_or_default(), coordinator)
    }

    /// Reads a signed statement under the coordinator's registered key. `None` for anything else.
    #[must_use]
    pub fn open(bytes: &[u8], coordinator: &VerifyingKey) -> Option<Self> {
        let envelope = Envelope::parse(bytes, COVERAGE_BYTES_MAX).ok()?;
        let payload = envelope.open(COVERAGE_TYPE, coordinator).ok()?;
        let coverage: Self = serde_json::from_slice(&payload).ok()?;
        let fits = coverage.cairn_coverage == 1 && coverage.partners.len() <= PARTNERS_MAX;
        fits.then_some(coverage)
    }
}

/// The standing that a verified reply gives its partner.
#[must_use]
pub fn standing_of(reply: &ReplyV1) -> Standing {
    match &reply.outcome {
        OutcomeV1::Answer(_) | OutcomeV1::Sealed(_) => Standing::Answered,
        OutcomeV1::Refusal(refusal) => Standing::Refused(refusal.rules.clone()),
        OutcomeV1::Fault { code } => Standing::Fault(code.clone()),
    }
}

/// Adds the answers up, cell by cell. Every table must be of `grid` ([`ReplyV1::open`] has checked it); one that is not
/// counts as not answered. `None` when there is no answer.
#[must_use]
pub fn combine<'a>(grid: &Grid, answers: impl IntoIterator<Item = &'a AnswerV1>) -> Option<CombinedV1> {
    let parts: Vec<(&AnswerV1, Vec<Option<Range>>)> = answers.into_iter().map(|a| (a, a.ranges())).collect();
    if parts.is_empty() {
        return None;
    }
    let part = |at: usize| {
        parts.iter().map(move |(a, ranges)| {
            let cell = a.table.cells.get(at).copied().unwrap_or(Cell::NotAnswered);
            (cell, ranges.get(at).copied().flatten())
        })
    };
    let cells = (0..grid.cells()).map(|at| add(part(at))).collect();
    Some(CombinedV1 { dimensions: grid.dimensions().to_vec(), cells })
}

fn add(parts: impl Iterator<Item = (Cell, Option<Range>)>) -> CombinedCell {
    let (mut sum, mut values, mut withheld) = (0_i64, 0_u16, 0_u16);
    let (mut least, mut most) = (0_i64, Some(0_i64));
    for (cell, range) in parts {
        match cell {
            Cell::Value(v) => {
                sum = sum.saturating_add(v);
                values = values.saturating_add(1);
            }
            Cell::Withheld => withheld = withheld.saturating_add(1),
            Cell::NotAnswered => {}
        }
        if let Some(range) = range {
            least = least.saturating_add(range.least);
            most = most.zip(range.most).map(|(a, b)| a.saturating_add(b));
        }
    }
    let cell = match (values, withheld) {
        (0, 0) => Cell::NotAnswered,
        (_, 1..) if sum == 0 => Cell::Withheld,
        (0, _) => Cell::Withheld,
        _ => Cell::Value(sum),
    };
    CombinedCell {
        cell,
        parts_withheld: withheld,
        least,
        most: if cell == Cell::NotAnswered { None } else { most },
    }
}

/// The mean that two released parts of it give, in hundredths of a unit, a half going up: the sum divided by the rows, which count as
/// one at least. From released figures only, so that it says no more than they do. `None` where a part was not released.
#[must_use]
pub fn mean_hundredths(sum: &CombinedCell, rows: &CombinedCell) -> Option<i64> {
    let (Cell::Value(sum), Cell::Value(rows)) = (sum.cell, rows.cell) else { return None };
    let rows = i128::from(rows.max(1));
    i64::try_from((200 * i128::from(sum) + rows).div_euclid(2 * rows)).ok()
}

/// The names of the federation's partners among those asked who are in the sum.
#[must_use]
pub fn answered(coverage: &CoverageV1) -> Vec<&PartnerId> {
    let in_sum = |line: &&PartnerLine| line.standing == Standing::Answered;
    coverage.partners.iter().filter(in_sum).map(|line| &line.partner).collect()
}

#[cfg(test)]
mod tests;
