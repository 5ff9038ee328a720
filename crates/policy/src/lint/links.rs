//! The joins of a policy: inside the node, and counting people once across partners.

use std::collections::BTreeSet;

use crate::document::{Link, LinkKind, Usage};
use crate::finding::Severity;
use crate::lint::Ground;

pub(super) fn check(ground: &Ground<'_>) {
    let mut ids = BTreeSet::new();
    let mut counts_once = false;
    for link in &ground.policy.links {
        match link.kind.value {
            LinkKind::OneToMany => joins(link, ground),
            LinkKind::CountOnce => {
                count_once(link, ground);
                if counts_once {
                    let says = "people are counted once by one link only";
                    ground.faults.error(
                        "CP219",
                        &link.kind.span,
                        rule(link, "kind"),
                        says,
                        "delete one of the two",
                    );
                }
                counts_once = true;
            }
        }
        if !ids.insert(link.id.value.as_str()) {
            let says = format!("the link {} stands twice", link.id.value);
            ground.faults.error("CP419", &link.id.span, "link", says, "delete one");
        }
    }
}

/// What stands before a table's name on the other side of a link across partners.
const OTHER_PARTNERS: &str = "other-partners:";

fn rule(link: &Link, key: &str) -> String {
    format!("link.{}.{key}", link.id.value)
}

/// The only joins there are, are the dictionary's: from many rows of a person to the one above.
fn joins(link: &Link, ground: &Ground<'_>) {
    let parent = ground.schema.table(&link.right.value).and_then(|t| t.parent.as_ref());
    let holds = parent.is_some_and(|p| p.table == link.left.value && p.on == link.on.value);
    if !holds {
        let says =
            format!("{} and {} are not joined on {}", link.left.value, link.right.value, link.on.value);
        let fix = match parent {
            Some(p) => format!("{} belongs to {} on {}", link.right.value, p.table, p.on),
            None => "right is the table of many rows, left the one that they belong to".to_owned(),
        };
        ground.faults.error("CP209", &link.id.span, format!("link.{}", link.id.value), says, fix);
    }
}

/// The same table at other partners, on a column that is kept for linking and nothing else.
fn count_once(link: &Link, ground: &Ground<'_>) {
    let Some(dataset) = ground.policy.datasets.get(&link.left.value) else {
        let known = ground.policy.datasets.keys().cloned();
        ground.faults.unknown(
            "CP219",
            "dataset",
            &link.left.value,
            &link.left.span,
            rule(link, "left"),
            known,
        );
        return;
    };
    let right = format!("{OTHER_PARTNERS}{}", link.left.value);
    if link.right.value != right {
        let says = format!("people of {} are counted once with those of {right}", link.left.value);
        ground.faults.error(
            "CP219",
            &link.right.span,
            rule(link, "right"),
            says,
            format!("write \"{right}\""),
        );
    }
    let linkage = |usage: Usage| usage == Usage::Link;
    let kept = dataset.columns.iter().filter(|(_, c)| c.usage.as_ref().is_some_and(|u| linkage(u.value)));
    let kept: Vec<String> = kept.map(|(name, _)| name.clone()).collect();
    if let Some(terms) = &ground.framework.secure {
        let most = terms.keys_per_person_max.value;
        let says = format!(
            "a person recorded under several linkage keys, {most} at most, still counts more than once"
        );
        ground.faults.add("CP903", Severity::Note, &link.id.span, rule(link, "kind"), says, None);
    }
    if !kept.contains(&link.on.value) {
        let what = "linkage column";
        ground.faults.unknown(
            "CP219",
            what,
            &link.on.value,
            &link.on.span,
            rule(link, "on"),
            kept.into_iter(),
        );
    }
}
