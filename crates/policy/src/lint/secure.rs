//! The framework's terms of secure totals, as the design of secure totals has them (section 1).

use crate::document::FrameworkDoc;
use crate::finding::Faults;
use crate::read::{At, shown};
use crate::treatment::Secondary;

/// Of n invited partners of which t collude, a total opens once for so many answers that no two groups can differ by one
/// honest partner alone, and never for a group that t partners see through.
pub(super) fn check(doc: &FrameworkDoc, faults: &Faults<'_>) {
    let Some(terms) = &doc.secure else { return };
    if let Some(usual) = &terms.usual {
        protects_totals(doc, usual, faults);
    }
    let (colluding, answering, invited) =
        (terms.colluding_max.value, terms.answering_min.value, terms.invited_min.value);
    let error = |key: &str, span, says: String, fix: String| {
        faults.error("CP311", span, format!("secure.{key}"), says, fix);
    };
    if answering > invited {
        let says = format!("{answering} must answer, and {invited} invited are enough");
        error("answering_min", &terms.answering_min.span, says, format!("invite at least {answering}"));
        return;
    }
    let majority = u32::midpoint(invited, colluding) + 1;
    if answering < majority {
        let says =
            format!("of {invited} invited, {answering} could answer twice with other partners between");
        error("answering_min", &terms.answering_min.span, says, format!("write {majority} or more"));
    } else if answering < colluding.saturating_add(2) {
        let says = format!("{colluding} of {answering} that collude would leave one alone");
        let fix = format!("write {} or more", colluding.saturating_add(2));
        error("answering_min", &terms.answering_min.span, says, fix);
    }
}

/// The usual protection of a total is one that the coordinator can carry out on a sum: threshold and rounding, and nothing that looks at
/// a partner's own figures or at other cells.
fn protects_totals(doc: &FrameworkDoc, usual: &At<String>, faults: &Faults<'_>) {
    let error = |says: String| {
        let fix = "name a profile of method suppress-round without `secondary` and `dominance`, or delete the key: analysts then say each time";
        faults.error("CP321", &usual.span, "secure.usual".to_owned(), says, fix);
    };
    let name = shown(&usual.value);
    match doc.profiles.get(&usual.value) {
        None => error(format!("there is no profile `{name}`")),
        Some(profile) if profile.method != "suppress-round" => {
            error(format!("`{name}` is of method {}, which no total is asked for by", profile.method));
        }
        Some(profile) if profile.secondary != Secondary::No || profile.dominance.is_some() => {
            error(format!("`{name}` looks at more than one cell of the sum, which no total can"));
        }
        Some(_) => {}
    }
}
