//! Only a manifest that was held against analyst, roster and framework begins a round.
use cairn_question::Moment;
use cairn_seal::{ManifestV1, NodeRound, NodeSetup, Randomness, Subject};

fn begin(setup: NodeSetup, says: ManifestV1, subject: Subject, now: Moment, fresh: &mut dyn Randomness) {
    let _ = NodeRound::ready(setup, says, subject, now, fresh);
}

fn main() {}
