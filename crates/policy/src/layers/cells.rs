use cairn_question::answer::Zeros;

use crate::document::{CellsDoc, FrameworkDoc, Profile};
use crate::treatment::{Cells, Dominance, Secondary};

/// The release's own figures over its profile's.
pub(super) fn read(framework: &FrameworkDoc, doc: &CellsDoc) -> Option<Cells> {
    let known = match &doc.profile {
        Some(name) => Some(framework.profiles.get(&name.value)?),
        None => None,
    };
    let people = doc.min_people.as_ref().map(|m| m.value);
    let base = doc.round_to.as_ref().map(|r| r.value);
    let shown = doc.zeros.as_ref().map(|z| z.value).or(known.map(|p| p.zeros));
    Some(Cells {
        profile: doc.profile.as_ref().map_or_else(|| OWN_PROFILE.to_owned(), |p| p.value.clone()),
        min_people: people.max(known.map(|p| p.min_people.value))?,
        round_to: base.or(known.map(|p| p.round_to.value))?,
        zeros: shown.unwrap_or(Zeros::Show),
        secondary: secondary(doc, known),
        dominance: dominance(doc, known),
    })
}

/// A release may say `secondary` beside a profile that does not, never take it back.
pub(crate) fn secondary(doc: &CellsDoc, known: Option<&Profile>) -> Secondary {
    let own = doc.secondary.as_ref().map_or(Secondary::No, |s| s.value);
    own.max(known.map_or(Secondary::No, |p| p.secondary))
}

/// The release's own rule about sums that a few people dominate, or its profile's.
pub(crate) fn dominance(doc: &CellsDoc, known: Option<&Profile>) -> Option<Dominance> {
    doc.dominance.as_ref().map(|d| d.value).or(known.and_then(|p| p.dominance))
}

/// The profile name of a release that gives its own threshold and rounding base.
const OWN_PROFILE: &str = "own";
