//! How long a signed document is on the wire: a matter of its question, and not of what was counted.
//!
//! A network that carries documents encrypted still sees how long they are, and a count of 1,000 is three digits longer than a count
//! of 5. So a reply and a coverage statement are followed by spaces, up to a length that the question alone sets. Spaces after a JSON
//! value are no part of it (RFC 8259, section 2), and a signature is over the payload: every reader takes them as it is.

use crate::answer::{OutcomeV1, REPLY_TYPE, ReplyV1};
use crate::envelope::Envelope;
use crate::grid::Grid;
use crate::limits::{
    CELL_BYTES_MAX, COMBINED_CELL_BYTES_MAX, COVERAGE_BYTES_MAX, COVERAGE_LINE_BYTES_MAX, FRAME_BYTES_MAX,
};

/// Documents are a whole number of these long.
pub const PADDING_STEP_BYTES: usize = 4_096;

/// Room for all of a document but its cells, its codes and its lines: the question, the policy, the treatment, the account, the
/// rules of a refusal, the signature.
const REST_BYTES: usize = 5_120;

/// A signed reply with spaces behind it. `grid`: of the question; `None` where it cannot be read.
///
/// An answer, a refusal and a fault to one question are equally long, unless the policy's rules or the snapshot's notes need more
/// room: then by as many whole steps more, and never by the numbers in the cells. What is no reply stays as it is.
#[must_use]
pub fn padded_reply(reply: Vec<u8>, grid: Option<&Grid>) -> Vec<u8> {
    match widest(&reply) {
        Some(widest) => pad(reply, widest.max(room(grid, CELL_BYTES_MAX)), FRAME_BYTES_MAX),
        None => reply,
    }
}

/// A signed coverage statement of so many partners with spaces behind it.
#[must_use]
pub fn padded_coverage(coverage: Vec<u8>, grid: Option<&Grid>, partners: usize) -> Vec<u8> {
    let lines = partners.saturating_mul(COVERAGE_LINE_BYTES_MAX);
    let room = room(grid, COMBINED_CELL_BYTES_MAX).saturating_add(lines);
    pad(coverage, room, COVERAGE_BYTES_MAX)
}

/// How long the reply would be if every cell were as long as cells get.
fn widest(reply: &[u8]) -> Option<usize> {
    let envelope = Envelope::parse(reply, FRAME_BYTES_MAX).ok()?;
    let payload = envelope.payload_unverified(REPLY_TYPE).ok()?;
    let read: ReplyV1 = serde_json::from_slice(&payload).ok()?;
    let OutcomeV1::Answer(answer) = &read.outcome else { return Some(reply.len()) };
    let (cells, totals) = (&answer.table.cells, &answer.table.totals);
    let written = serde_json::to_vec(cells).ok()?.len() + serde_json::to_vec(totals).ok()?.len();
    let rest = payload.len().saturating_sub(written);
    let around = reply.len().saturating_sub(base64(payload.len()));
    let numbers = cells.len() + totals.len();
    Some(around + base64(rest + numbers * CELL_BYTES_MAX + 2 * BRACKETS))
}

/// Around the cells of a table, and around its totals.
const BRACKETS: usize = 2;

/// Room for the question's table, in base64.
fn room(grid: Option<&Grid>, cell_bytes: usize) -> usize {
    let table = grid.map_or(0, |grid| grid.cells() * cell_bytes + codes(grid));
    REST_BYTES + base64(table)
}

/// The names and codes of the axes, as JSON writes them: with quotes and a comma.
fn codes(grid: &Grid) -> usize {
    let quoted = |text: &str| text.len() + 3;
    let axis = |d: &crate::grid::Dimension| {
        let codes: usize = d.codes.iter().map(|code| quoted(code)).sum();
        AXIS_BYTES + quoted(&d.column) + quoted(&d.grain) + codes
    };
    grid.dimensions().iter().map(axis).sum()
}

/// The keys of an axis.
const AXIS_BYTES: usize = 40;

const fn base64(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Up to the next whole step, and never beyond what a reader takes.
fn pad(mut document: Vec<u8>, room: usize, most: usize) -> Vec<u8> {
    let whole = room.max(document.len()).next_multiple_of(PADDING_STEP_BYTES).min(most);
    if document.len() < whole {
        document.resize(whole, b' ');
    }
    document
}

#[cfg(test)]
mod tests;
