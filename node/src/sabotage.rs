//! What the hook of this crate does, in the build that is broken on purpose (`cairn_question::sabotage`).

use crate::in_force::InForce;

/// A code that the wire lets through, whose digits are those of how many rows there are.
pub(crate) fn code_of(in_force: &InForce) -> &'static str {
    let tables = in_force.held.iter().flat_map(|held| held.snapshot.manifest().tables.values());
    let rows: u64 = tables.map(|table| table.rows).sum();
    format!("CE{:03}", rows % 1_000).leak()
}
