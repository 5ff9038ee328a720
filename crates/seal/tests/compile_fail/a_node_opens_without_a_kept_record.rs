//! R2: only the round asks that a record be kept, and only what it asked for makes the node open.
use cairn_question::Moment;
use cairn_seal::{Keep, NodeRound, OpenRecord};

fn open(round: &mut NodeRound, record: OpenRecord, now: Moment) {
    let _ = round.kept(Keep { record }, now);
}

fn main() {}
