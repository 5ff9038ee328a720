//! What the hooks of this crate do, in the build that is broken on purpose (`cairn_question::sabotage`).

use crate::in_force::InForce;

/// A code that the wire lets through, whose digits are those of how many rows there are.
pub(crate) fn code_of(in_force: &InForce) -> &'static str {
    let tables = in_force.held.iter().flat_map(|held| held.snapshot.manifest().tables.values());
    let rows: u64 = tables.map(|table| table.rows).sum();
    format!("CE{:03}", rows % 1_000).leak()
}

/// Where this is the place that was chosen, goes no further: the process waits here until it is killed.
pub(crate) fn stop_at(place: &str) {
    while cairn_question::sabotage::place() == Some(place) {
        std::thread::park();
    }
}
