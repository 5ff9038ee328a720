//! R4: a table with its noise is sealed once, under masks that serve once: two of them would be two views of the same noise, or of the same masks.
use cairn_seal::{Aggregator, Blind, Pair, Plain};

fn twice(masks: &dyn Aggregator, table: Plain, pairs: Vec<Pair>, blind: &Blind) {
    let _ = masks.seal(table, pairs, blind);
    let _ = masks.seal(table, pairs, blind);
}

fn main() {}
