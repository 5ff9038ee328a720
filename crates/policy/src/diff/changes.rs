//! Every value that differs between two files, one by one.

use std::collections::BTreeSet;

use super::facts::{Fact, Path};
use super::order::{self, Section, Sides};
use super::{Change, Direction};

/// Every change, in the order of its rule. A section that was added or taken away is one change.
pub(super) fn every(sides: Sides<'_>) -> Vec<Change> {
    let paths: BTreeSet<&Path> = sides.old.keys().chain(sides.new.keys()).collect();
    let mut changes = Vec::new();
    let mut sections = BTreeSet::new();
    for path in paths {
        let (old, new) = (sides.old.get(path), sides.new.get(path));
        if same(path, old, new) {
            continue;
        }
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        match section(sides, &parts) {
            Some((section, what)) => {
                if sections.insert(section.clone()) {
                    changes.push(whole(sides, &section, what));
                }
            }
            None => changes.push(Change {
                rule: parts.join("."),
                old: old.map(Fact::words),
                new: new.map(Fact::words),
                direction: order::direction(sides, &parts, old, new),
            }),
        }
    }
    changes
}

/// Lists are equal in any order; only chains of grains, coarse to fine, say something by their order.
fn same(path: &[String], old: Option<&Fact>, new: Option<&Fact>) -> bool {
    let ordered =
        path.first().is_some_and(|p| p == "framework") && path.get(1).is_some_and(|p| p == "grains");
    match (old, new) {
        (Some(Fact::List(old)), Some(Fact::List(new))) if !ordered => {
            let sorted = |list: &Vec<String>| {
                let mut list = list.clone();
                list.sort();
                list
            };
            sorted(old) == sorted(new)
        }
        _ => old == new,
    }
}

/// The outermost section of a path that one of the files does not have.
fn section<'a>(sides: Sides<'_>, path: &[&'a str]) -> Option<(Vec<&'a str>, Section)> {
    let innermost = order::section_len(path);
    for len in [2, 3, 4].into_iter().filter(|len| *len <= innermost) {
        let section: Vec<&str> = path.iter().take(len).copied().collect();
        if order::section_len(&section) != len {
            continue;
        }
        let has = |facts: &super::facts::Facts| {
            let first: Path = section.iter().map(|p| (*p).to_owned()).collect();
            facts.range(first.clone()..).next().is_some_and(|(p, _)| p.starts_with(&first))
        };
        match (has(sides.old), has(sides.new)) {
            (false, true) => return Some((section, Section::Added)),
            (true, false) => return Some((section, Section::Removed)),
            _ => {}
        }
    }
    None
}

fn whole(sides: Sides<'_>, path: &[&str], what: Section) -> Change {
    let direction: Direction = order::section(sides, path, what);
    let present = || Some(super::PRESENT.to_owned());
    let (old, new) = match what {
        Section::Added => (None, present()),
        Section::Removed => (present(), None),
    };
    Change { rule: path.join("."), old, new, direction }
}
