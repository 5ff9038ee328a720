//! An auditor's check: a table that left, against the witnesses that were committed to when it did. No search, no solver, no record.

use cairn_disclosure::audit::{Unproven, WitnessFile};
use cairn_question::answer::AuditPromise;
use cairn_question::{Cell, Hash, Schema, TableV1};

use crate::audited::kept::{Kept, Proof};
use crate::audited::shape::Joint;

/// What the witnesses of one table show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checked {
    /// No small count of it can be worked out.
    Holds {
        /// Cells that must not be worked out, of this and every earlier table of the snapshot.
        primaries: usize,
        /// Tables that agree with everything that left.
        tables: usize,
        /// Whom it withstands.
        promise: AuditPromise,
    },
    /// Every cell of it was withheld, so that there is nothing to bear out.
    Whole,
}

/// Why a table is not borne out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsound {
    /// The file's bytes are not those whose hash was logged.
    #[error("the witnesses are not those that were committed to: a byte has changed")]
    Changed,
    /// The table that was kept is not the one that left, or shows cells without witnesses.
    #[error("the ledger's own record of the table is not the table that left")]
    OtherTable,
    /// The witnesses are about cells that count other people than the question's.
    #[error("the witnesses are about another question, or about other earlier tables")]
    OtherLayout,
    /// The witnesses do not show what they should.
    #[error(transparent)]
    Unproven(#[from] Unproven),
}

/// Checks a table as it left (axes sorted) beside `earlier`, all that was audited before it on the snapshot, in order.
///
/// `file`: the bytes of the witnesses and the hash that the audit log has of them; `None` where it has none.
///
/// # Errors
/// [`Unsound`], at the first fault.
pub fn check(
    kept: &Kept,
    earlier: &[Kept],
    left: &TableV1,
    file: Option<(&[u8], Hash)>,
) -> Result<Checked, Unsound> {
    let cells: Vec<Cell> = left.cells.iter().chain(&left.totals).copied().collect();
    if cells != kept.cells {
        return Err(Unsound::OtherTable);
    }
    let Some((bytes, commitment)) = file else {
        let nothing = kept.proof == Proof::Whole && cells.iter().all(|cell| *cell == Cell::Withheld);
        return if nothing { Ok(Checked::Whole) } else { Err(Unsound::OtherTable) };
    };
    if Hash::of(bytes) != commitment {
        return Err(Unsound::Changed);
    }
    let file = WitnessFile::read(bytes)?;
    let joint = Joint::join(&kept.shape, earlier, kept.rule(), Schema::smf());
    let joint = joint.map_err(|_| Unsound::OtherLayout)?;
    let of_question = joint.grid.dimensions() == left.dimensions && file.is_over(joint.joined.layout());
    if !of_question {
        return Err(Unsound::OtherLayout);
    }
    let published = published(&joint, &cells).ok_or(Unsound::OtherLayout)?;
    let found = file.recheck(&published, &file.commitment())?;
    let promise = match found.promise {
        cairn_disclosure::audit::Promise::KnowsThresholds => AuditPromise::KnowsThresholds,
        cairn_disclosure::audit::Promise::KnowsAlgorithm => AuditPromise::KnowsAlgorithm,
    };
    Ok(Checked::Holds { primaries: found.primaries, tables: found.tables, promise })
}

/// For each cell of the layout what left of it, in this table or an earlier one.
fn published(joint: &Joint, own: &[Cell]) -> Option<Vec<Cell>> {
    let mut published = vec![None; joint.joined.layout().cells()];
    let mut put = |at: usize, cell: Cell| match published.get_mut(at) {
        // Two tables that say of the same people different things bear nothing out.
        Some(Some(known)) => *known == cell,
        Some(empty) => {
            *empty = Some(cell);
            true
        }
        None => false,
    };
    let mut same = joint.joined.own().iter().zip(own).all(|(at, cell)| put(*at, *cell));
    for kept in &joint.earlier {
        let left = kept.left(&joint.atoms, Schema::smf()).ok()?;
        for (left, cell) in left.iter().zip(&kept.cells) {
            same &= put(joint.joined.place(&left.members)?, *cell);
        }
    }
    published.into_iter().collect::<Option<Vec<Cell>>>().filter(|_| same)
}
