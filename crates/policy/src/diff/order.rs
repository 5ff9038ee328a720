//! Which way each setting goes: what is ordered, and what is not (docs/reference/policy.md, "What a change does").
//!
//! A setting that stands nowhere here is not ordered: a new key of the language loosens until somebody says otherwise.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use cairn_question::Schema;

use super::Direction::{self, PermitsLess, PermitsMore, ProtectsLess, ProtectsMore, Unordered, Words};
use super::facts::{Fact, Facts};
use crate::document::Usage;

/// The two files and the dictionary that names of columns mean.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) schema: &'a Schema,
    pub(super) old: &'a Facts,
    pub(super) new: &'a Facts,
}

/// What stands in place of a number or a day that is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Absent {
    /// Less than any.
    Least,
    /// More than any: no limit.
    Most,
    /// Nobody can say.
    Unclear,
}

/// Which way one changed value goes.
pub(super) fn direction(
    sides: Sides<'_>,
    path: &[&str],
    old: Option<&Fact>,
    new: Option<&Fact>,
) -> Direction {
    let number = |absent, up, down| number(old, new, absent, (up, down));
    let day = |absent, later, earlier| day(old, new, absent, (later, earlier));
    let set = |added, dropped, mixed| set(old, new, (added, dropped, mixed));
    match path {
        ["policy", "version" | "supersedes" | "contact"]
        | ["policy", "plan", _]
        | ["policy", "framework", "version"]
        | ["framework", "version"] => Words,
        ["policy", "effective_from"] => day(Absent::Unclear, PermitsLess, PermitsMore),
        ["policy", "expires"] => day(Absent::Unclear, PermitsMore, PermitsLess),
        ["policy", "review_by"] => day(Absent::Unclear, ProtectsLess, ProtectsMore),
        ["budget", "epsilon_per_year" | "epsilon_lifetime" | "delta_lifetime"] => {
            number(Absent::Most, ProtectsLess, ProtectsMore)
        }
        // Fewer rows of a person are other rows than before: the two tables differ by them.
        ["dataset", _, "max_rows_per_person"] => number(Absent::Most, ProtectsLess, Unordered),
        ["dataset", _, "columns", _, "use"] => usage(old, new),
        ["dataset", table, "columns", column, "grains"] => match kept(sides, table, column) {
            Kept::Yes => PermitsLess,
            Kept::No => set(PermitsMore, PermitsLess, PermitsMore),
        },
        ["dataset", table, "columns", column, "special"] => match kept(sides, table, column) {
            Kept::Yes => Words,
            Kept::No => flag(old, new, ProtectsMore, ProtectsLess),
        },
        ["release", _, "min_people"] => number(Absent::Least, ProtectsMore, ProtectsLess),
        ["release", _, "epsilon" | "counts_per_year" | "counts_lifetime"] => {
            number(Absent::Unclear, ProtectsLess, ProtectsMore)
        }
        ["release", _, "min_partners"] => partners(old, new),
        ["role", _, "max_people"] => number(Absent::Unclear, PermitsMore, PermitsLess),
        ["share", rest @ ..] => share(sides, rest, old, new),
        ["records", "audit_keep_years"] => number(Absent::Unclear, ProtectsMore, ProtectsLess),
        ["records", "answers_cached_days"] => number(Absent::Unclear, ProtectsMore, ProtectsLess),
        ["records", "conditions"] => set(ProtectsMore, Unordered, Unordered),
        ["framework", rest @ ..] => framework(rest, old, new),
        _ => Unordered,
    }
}

fn share(sides: Sides<'_>, path: &[&str], old: Option<&Fact>, new: Option<&Fact>) -> Direction {
    let number = |absent, up, down| number(old, new, absent, (up, down));
    match path {
        [_, "from"] => day(old, new, Absent::Least, (PermitsLess, PermitsMore)),
        [_, "until"] => day(old, new, Absent::Most, (PermitsMore, PermitsLess)),
        [_, "named_analysts"] => match (old, new) {
            // Without the list everybody in the role may ask.
            (None, Some(_)) => PermitsLess,
            (Some(_), None) => PermitsMore,
            _ => set(old, new, (PermitsMore, PermitsLess, PermitsMore)),
        },
        [_, "indicators"] => match (old, new) {
            // Without the list every question is answered that the share's columns allow.
            (None, Some(_)) => PermitsLess,
            (Some(_), None) => PermitsMore,
            _ => set(old, new, (PermitsMore, PermitsLess, PermitsMore)),
        },
        [_, "answers"] => set(old, new, (PermitsMore, PermitsLess, PermitsMore)),
        [id, "group_by" | "filter_by", column] => grain(sides, id, column, old, new),
        [_, "max_group_columns" | "max_filter_columns"] => number(Absent::Unclear, PermitsMore, PermitsLess),
        [_, "min_cohort"] => number(Absent::Least, ProtectsMore, ProtectsLess),
        [_, "never_together"] => apart(old, new),
        [_, "per_analyst", "tables_per_day" | "tables_per_year"] => {
            number(Absent::Most, PermitsMore, PermitsLess)
        }
        [_, "per_analyst", "epsilon_per_year"] => number(Absent::Most, ProtectsLess, ProtectsMore),
        _ => Unordered,
    }
}

fn framework(path: &[&str], old: Option<&Fact>, new: Option<&Fact>) -> Direction {
    let number = |absent, up, down| number(old, new, absent, (up, down));
    match path {
        ["floor", "min_people"] | ["profile", _, "min_people"] => {
            number(Absent::Unclear, ProtectsMore, ProtectsLess)
        }
        ["floor", "min_partners"] => number(Absent::Unclear, ProtectsMore, ProtectsLess),
        ["floor", "max_group_columns" | "max_filter_columns" | "max_valid_months"] => {
            number(Absent::Most, PermitsMore, PermitsLess)
        }
        [
            "floor",
            "epsilon_max_per_table" | "epsilon_max_per_year" | "epsilon_max_lifetime" | "delta_max",
        ] => number(Absent::Most, ProtectsLess, ProtectsMore),
        ["floor", "partner_tables"] => {
            let any = |fact: Option<&Fact>| fact.is_some_and(|f| f.words() == "any-role");
            if any(new) { PermitsMore } else { PermitsLess }
        }
        ["secure", "colluding_max" | "answering_min" | "invited_min"] => {
            number(Absent::Unclear, ProtectsMore, ProtectsLess)
        }
        ["indicator", _, "title"] => Words,
        ["grains", _] => set(old, new, (PermitsMore, PermitsLess, Unordered)),
        ["open", _, _] => set(old, new, (PermitsMore, PermitsLess, PermitsMore)),
        _ => Unordered,
    }
}

/// Which way a whole section goes that was added (`old` is none) or taken away.
pub(super) fn section(sides: Sides<'_>, path: &[&str], added: Section) -> Direction {
    let of = |path: &[&str], facts: &Facts| {
        let path: Vec<String> = path.iter().map(|p| (*p).to_owned()).collect();
        facts.get(&path).cloned()
    };
    match (path, added) {
        (["dataset", table, "columns", column], Section::Added) => {
            usage(None, of(&["dataset", table, "columns", column, "use"], sides.new).as_ref())
        }
        (["dataset", table, "columns", column], Section::Removed) => {
            usage(of(&["dataset", table, "columns", column, "use"], sides.old).as_ref(), None)
        }
        // Without it, people known to several partners count once for each.
        (["link", id], Section::Removed)
            if of(&["link", id, "kind"], sides.old).is_some_and(|k| k.words() == "count-once") =>
        {
            Unordered
        }
        (["framework", "secure"], Section::Added) => ProtectsMore,
        (["framework", "secure"], Section::Removed) => ProtectsLess,
        (_, Section::Added) => PermitsMore,
        (_, Section::Removed) => PermitsLess,
    }
}

/// What became of a section.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    Added,
    Removed,
}

/// The section that a path lies in, as how many of its parts name it; 0: none, its values are reported one by one.
pub(super) fn section_len(path: &[&str]) -> usize {
    match path {
        ["dataset", _, "columns", _, ..] => 4,
        ["framework", "purpose" | "profile" | "open", _, ..] => 3,
        ["share" | "link" | "release" | "role" | "purpose" | "dataset", _, ..]
        | ["framework", "secure", ..] => 2,
        _ => 0,
    }
}

fn by(order: Option<Ordering>, up: Direction, down: Direction) -> Direction {
    match order {
        Some(Ordering::Less) => up,
        Some(Ordering::Greater) => down,
        _ => Unordered,
    }
}

fn number(
    old: Option<&Fact>,
    new: Option<&Fact>,
    absent: Absent,
    (up, down): (Direction, Direction),
) -> Direction {
    let value = |fact: Option<&Fact>| match (fact, absent) {
        (Some(Fact::One(text)), _) => text.parse::<f64>().ok(),
        (None, Absent::Least) => Some(f64::NEG_INFINITY),
        (None, Absent::Most) => Some(f64::INFINITY),
        _ => None,
    };
    by(value(old).zip(value(new)).and_then(|(old, new)| old.partial_cmp(&new)), up, down)
}

/// Days as they are written, `2026-04-01`, are in order as text.
fn day(
    old: Option<&Fact>,
    new: Option<&Fact>,
    absent: Absent,
    (later, earlier): (Direction, Direction),
) -> Direction {
    let value = |fact: Option<&Fact>| match (fact, absent) {
        (Some(Fact::One(text)), _) => Some((1, text.clone())),
        (None, Absent::Least) => Some((0, String::new())),
        (None, Absent::Most) => Some((2, String::new())),
        _ => None,
    };
    by(value(old).zip(value(new)).map(|(old, new)| old.cmp(&new)), later, earlier)
}

fn flag(old: Option<&Fact>, new: Option<&Fact>, on: Direction, off: Direction) -> Direction {
    let set = |fact: Option<&Fact>| fact.is_some_and(|f| f.words() == "true");
    by(Some(set(old).cmp(&set(new))), on, off)
}

fn entries(fact: Option<&Fact>) -> BTreeSet<&str> {
    match fact {
        Some(Fact::List(entries)) => entries.iter().map(String::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

/// Lists whose order says nothing: entries were added, dropped, or both.
fn set(
    old: Option<&Fact>,
    new: Option<&Fact>,
    (added, dropped, mixed): (Direction, Direction, Direction),
) -> Direction {
    let (old, new) = (entries(old), entries(new));
    match (old.is_subset(&new), new.is_subset(&old)) {
        (true, false) => added,
        (false, true) => dropped,
        (true, true) => Unordered,
        (false, false) => mixed,
    }
}

/// Whether the new policy keeps a column back whatever a share says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kept {
    Yes,
    No,
}

fn kept(sides: Sides<'_>, table: &str, column: &str) -> Kept {
    let path = ["dataset", table, "columns", column, "use"].map(str::to_owned).to_vec();
    let usage = sides.new.get(&path).map(Fact::words);
    let known = Usage::WORDS.iter().find(|(w, _)| Some(*w) == usage.as_deref());
    if known.is_some_and(|(_, u)| u.groups() || u.filters()) { Kept::No } else { Kept::Yes }
}

/// A column that is not listed is hidden. Hidden, filter, dimension permit more in this order; hidden and filter less than
/// time; hidden less than measure. Nothing else is ordered.
fn usage(old: Option<&Fact>, new: Option<&Fact>) -> Direction {
    let word = |fact: Option<&Fact>| fact.map_or("hidden".to_owned(), Fact::words);
    let (old, new) = (word(old), word(new));
    let less = |less: &str, more: &str| {
        matches!(
            (less, more),
            ("hidden", "filter" | "dimension" | "time" | "measure") | ("filter", "dimension" | "time")
        )
    };
    match () {
        () if old == new => Words,
        () if less(&old, &new) => PermitsMore,
        () if less(&new, &old) => PermitsLess,
        () => Unordered,
    }
}

/// 1, which is also what is meant where nothing stands, is this partner's own table: another way out than a total.
fn partners(old: Option<&Fact>, new: Option<&Fact>) -> Direction {
    let own = |fact: Option<&Fact>| fact.is_none_or(|f| f.words() == "1");
    match (own(old), own(new)) {
        (false, false) => number(old, new, Absent::Unclear, (ProtectsMore, ProtectsLess)),
        (true, true) => Words,
        _ => Unordered,
    }
}

/// A column's grain on a share's list: finer permits more.
fn grain(sides: Sides<'_>, share: &str, column: &str, old: Option<&Fact>, new: Option<&Fact>) -> Direction {
    let (old, new) = match (old, new) {
        (None, _) => return PermitsMore,
        (_, None) => return PermitsLess,
        (Some(old), Some(new)) => (old.words(), new.words()),
    };
    let dataset = sides.new.get(&["share", share, "dataset"].map(str::to_owned).to_vec()).map(Fact::words);
    let found = dataset.and_then(|d| sides.schema.find(&d, column).map(|f| f.column));
    match found {
        Some(column) if sides.schema.nests(column, &old, &new) => PermitsLess,
        Some(column) if sides.schema.nests(column, &new, &old) => PermitsMore,
        _ => Unordered,
    }
}

/// A list of columns that never go together refuses all that a longer one refuses.
fn apart(old: Option<&Fact>, new: Option<&Fact>) -> Direction {
    let lists = |fact: Option<&Fact>| -> Vec<BTreeSet<String>> {
        let parts = |list: &&str| list.split(" + ").map(str::to_owned).collect();
        entries(fact).iter().map(parts).collect()
    };
    let (old, new) = (lists(old), lists(new));
    let holds = |list: &BTreeSet<String>, in_: &[BTreeSet<String>]| in_.iter().any(|l| l.is_subset(list));
    let kept = old.iter().all(|list| holds(list, &new));
    let none_new = new.iter().all(|list| holds(list, &old));
    match (kept, none_new) {
        (true, true) => Words,
        (true, false) => PermitsLess,
        (false, _) => PermitsMore,
    }
}
