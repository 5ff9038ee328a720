//! R4: a draw is of one attempt. A second vector for it would be the same masks over another table.
use cairn_question::Moment;
use cairn_seal::{Draw, NodeRound, Plain, Randomness};

fn twice(round: &mut NodeRound, draw: Draw, [first, second]: [Plain; 2], now: Moment, fresh: &mut dyn Randomness) {
    let _ = round.drawn(draw, first, now, fresh);
    let _ = round.drawn(draw, second, now, fresh);
}

fn main() {}
