//! R2: what was kept is opened once. A second round of the question finds the record in the ledger.
use cairn_question::Moment;
use cairn_seal::{Keep, NodeRound};

fn twice(first: &mut NodeRound, second: &mut NodeRound, keep: Keep, now: Moment) {
    let _ = first.kept(keep, now);
    let _ = second.kept(keep, now);
}

fn main() {}
