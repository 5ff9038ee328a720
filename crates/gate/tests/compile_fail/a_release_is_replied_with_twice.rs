//! One release, one answer in the ledger.
use cairn_gate::{Gate, Releasable};
use cairn_ledger::Ledger;
use cairn_question::Moment;

fn twice(gate: &Gate, releasable: Releasable, ledger: &mut Ledger, now: Moment) {
    let _ = gate.reply(releasable, ledger, now);
    let _ = gate.reply(releasable, ledger, now);
}

fn main() {}
