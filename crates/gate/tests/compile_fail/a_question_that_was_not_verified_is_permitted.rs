//! The word of whoever sent the question is not enough.
use cairn_gate::Gate;
use cairn_ledger::Ledger;
use cairn_policy::Layers;
use cairn_question::{Moment, OpenAsk};

fn skip(gate: &Gate, ask: OpenAsk, layers: &Layers, ledger: &mut Ledger, now: Moment) {
    let _ = gate.permit(ask, layers, ledger, now);
}

fn main() {}
