//! The randomness of a vector of people counted once is spent on it: the same coins twice would show which buckets are occupied.
use cairn_seal::occupancy::{CountTerms, FreshNoise, Occupied};

fn twice(first: &Occupied, second: &Occupied, terms: &CountTerms, noise: FreshNoise) {
    let _ = first.vector(terms, noise);
    let _ = second.vector(terms, noise);
}

fn main() {}
