//! Raw counts are no answer.
use cairn_gate::{Counting, Gate};
use cairn_ledger::Ledger;
use cairn_question::Moment;

fn skip(gate: &Gate, counting: Counting, ledger: &mut Ledger, now: Moment) {
    let _ = gate.reply(counting, ledger, now);
}

fn main() {}
