//! The framework's terms of secure totals, as the design of secure totals has them (section 1).

use crate::document::FrameworkDoc;
use crate::finding::Faults;

/// Of n invited partners of which t collude, a total opens once for so many answers that no two groups can differ by one
/// honest partner alone, and never for a group that t partners see through.
pub(super) fn check(doc: &FrameworkDoc, faults: &Faults<'_>) {
    let Some(terms) = &doc.secure else { return };
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
