//! L9: whether two bandings or geographies of the same codes cut each other.

use std::collections::{BTreeMap, BTreeSet};

/// How two ways to band the same codes stand to each other.
///
/// Complete: they share nothing, follow from each other, or cut each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// No code is in both: tables by them are of different people.
    Disjoint,
    /// Each part of one is exactly made up of whole parts of the other: the coarser table is totals of the finer one.
    Nested,
    /// Anything else. A difference of the two tables is a count of a piece that nobody declared, so the tables are checked together.
    Linked,
}

/// How two maps from codes to parts stand to each other, such as `Schema::coarsen` gives them for two grains; for geographies the
/// codes are the smallest areas.
///
/// A part of the coarser map that holds a code which the finer one lacks makes the two linked: the part less its pieces is that code.
#[must_use]
pub fn relation(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Relation {
    let shared = one.keys().any(|code| other.contains_key(code));
    match () {
        () if !shared => Relation::Disjoint,
        () if follows(one, other) || follows(other, one) => Relation::Nested,
        () => Relation::Linked,
    }
}

/// Whether every part of `coarse` that meets `fine` is exactly a union of parts of `fine`.
fn follows(fine: &BTreeMap<String, String>, coarse: &BTreeMap<String, String>) -> bool {
    let (fine, coarse) = (parts(fine), parts(coarse));
    coarse.iter().all(|part| {
        let met: Vec<_> = fine.iter().filter(|piece| !piece.is_disjoint(part)).collect();
        let pieces: BTreeSet<&str> = met.iter().flat_map(|piece| piece.iter().copied()).collect();
        met.is_empty() || pieces == *part
    })
}

fn parts(map: &BTreeMap<String, String>) -> Vec<BTreeSet<&str>> {
    let mut parts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (code, part) in map {
        parts.entry(part).or_default().insert(code);
    }
    parts.into_values().collect()
}

#[cfg(test)]
mod tests;
