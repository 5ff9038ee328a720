//! No policy, no hold.
use cairn_gate::{Gate, SnapshotFacts, Verified};
use cairn_ledger::Ledger;
use cairn_question::Moment;

fn skip(gate: &Gate, verified: Verified, facts: &SnapshotFacts, ledger: &mut Ledger, now: Moment) {
    let _ = gate.reserve(verified, facts, ledger, now);
}

fn main() {}
