//! Two treatments of one kind of question, laid side by side.

use cairn_question::answer::Zeros;

use crate::decimal;
use crate::treatment::{Cells, CountOnce, Method, Secondary, Treatment};

/// How the new treatment of a kind stands to the old.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Against {
    Same,
    Stronger,
    Unordered,
    Weaker,
}

/// What differs, and how the whole stands: weaker in anything is weaker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Compared {
    pub(super) against: Against,
    pub(super) says: Vec<String>,
}

impl Compared {
    fn note(&mut self, what: &str, old: &str, new: &str, against: Against) {
        if old != new {
            self.against = self.against.max(against);
            self.says.push(format!("{what} {old} → {new}"));
        }
    }

    /// A larger number protects more.
    fn larger_is_stronger(&mut self, what: &str, old: u32, new: u32) {
        let against = if new > old { Against::Stronger } else { Against::Weaker };
        self.note(what, &old.to_string(), &new.to_string(), against);
    }

    /// A larger number gives more away; `None` is no limit.
    fn larger_is_weaker(&mut self, what: &str, old: Option<u64>, new: Option<u64>) {
        let limit = |n: Option<u64>| n.unwrap_or(u64::MAX);
        let words = |n: Option<u64>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
        let against = if limit(new) > limit(old) { Against::Weaker } else { Against::Stronger };
        self.note(what, &words(old), &words(new), against);
    }

    fn unordered(&mut self, what: &str, old: &str, new: &str) {
        self.note(what, old, new, Against::Unordered);
    }
}

/// The treatment of each kind, but for its share's name, which changes nothing, and the caps and days, which are the whole
/// policy's and reported once.
pub(super) fn compare(old: &Treatment, new: &Treatment) -> Compared {
    let mut found = Compared { against: Against::Same, says: Vec::new() };
    methods(&old.method, &new.method, &mut found);
    partners(old.min_partners, new.min_partners, &mut found);
    found.larger_is_stronger("min_cohort", old.min_cohort, new.min_cohort);
    found.unordered("window", &window(old), &window(new));
    rows(old, new, &mut found);
    let bounds = |t: &Treatment| {
        let words = |s: &crate::Summed| format!("{} to {} {}", s.least, s.most, s.unit);
        t.summed.as_ref().map_or("none".to_owned(), words)
    };
    found.unordered("bounds", &bounds(old), &bounds(new));
    let every = |t: &Treatment| t.snapshot.map_or("none", |s| s.as_str());
    found.unordered("snapshot", every(old), every(new));
    let keep =
        |t: &Treatment| t.keep.as_ref().map_or("none".to_owned(), |k| format!("{} by {}", k.years, k.column));
    found.unordered("keep_years", &keep(old), &keep(new));
    let left_out = |t: &Treatment| {
        let words = |o: &crate::OptOut| format!("{} in {}", o.column, o.share_only_if.join(", "));
        t.opt_out.as_ref().map_or("none".to_owned(), words)
    };
    found.unordered("opt_out", &left_out(old), &left_out(new));
    let (was, is) = (old.quota, new.quota);
    found.larger_is_weaker("tables_per_day", Some(was.tables_per_day.into()), Some(is.tables_per_day.into()));
    let year = |tables: u32| (tables < u32::MAX).then_some(u64::from(tables));
    found.larger_is_weaker("tables_per_year", year(was.tables_per_year), year(is.tables_per_year));
    let rho = |q: crate::Quota| q.rho_per_year.map(|r| r.nano());
    found.larger_is_weaker("loss of one analyst in a year (nano-ρ)", rho(was), rho(is));
    found
}

fn methods(old: &Method, new: &Method, found: &mut Compared) {
    found.unordered("method", old.as_str(), new.as_str());
    match (old, new) {
        (
            Method::Dp { mechanism: old, epsilon: was, groups_per_person: groups },
            Method::Dp { mechanism: new, epsilon: is, groups_per_person: new_groups },
        ) => {
            found.unordered("mechanism", old.as_str(), new.as_str());
            let against = if is > was { Against::Weaker } else { Against::Stronger };
            let words = |e: &cairn_question::privacy::Epsilon| decimal::print(e.millionths());
            found.note("epsilon", &words(was), &words(is), against);
            found.unordered("groups_per_person", &groups.to_string(), &new_groups.to_string());
        }
        (Method::CountOnce(was), Method::CountOnce(is)) => counted_once(was, is, found),
        (Method::CellKey { table: was, .. }, Method::CellKey { table: is, .. }) => {
            found.unordered("ptable", was, is);
        }
        _ => {}
    }
    if let (Some(old), Some(new)) = (old.cells(), new.cells()) {
        cells(old, new, found);
    }
}

fn counted_once(old: &CountOnce, new: &CountOnce, found: &mut Compared) {
    let words = |count: &CountOnce| decimal::print(count.epsilon.millionths());
    let against = if new.epsilon > old.epsilon { Against::Weaker } else { Against::Stronger };
    found.note("epsilon", &words(old), &words(new), against);
    // More keys, and more cells, are charged for more: the account holds that many counts whatever one costs.
    found.unordered("keys_per_person", &old.keys_per_person.to_string(), &new.keys_per_person.to_string());
    found.unordered("cells_per_person", &old.cells_per_person.to_string(), &new.cells_per_person.to_string());
    let more = [
        ("counts_per_year", old.counts_per_year, new.counts_per_year),
        ("counts_lifetime", old.counts_lifetime, new.counts_lifetime),
    ];
    for (what, was, is) in more {
        found.larger_is_weaker(what, Some(was.into()), Some(is.into()));
    }
}

fn cells(old: &Cells, new: &Cells, found: &mut Compared) {
    found.unordered("profile", &old.profile, &new.profile);
    found.larger_is_stronger("min_people", old.min_people, new.min_people);
    found.unordered("round_to", &old.round_to.to_string(), &new.round_to.to_string());
    let zeros = |c: &Cells| if c.zeros == Zeros::Show { "show" } else { "withhold" };
    found.unordered("zeros", zeros(old), zeros(new));
    let secondary = |c: &Cells| (c.secondary == Secondary::Yes).to_string();
    found.unordered("secondary", &secondary(old), &secondary(new));
    let dominance = |c: &Cells| {
        let words = |d: crate::Dominance| format!("{} people, {} %", d.largest, d.max_percent);
        c.dominance.map_or("none".to_owned(), words)
    };
    found.unordered("dominance", &dominance(old), &dominance(new));
}

/// One partner's own table and a total over several leave by two ways, which are not ordered.
fn partners(old: u32, new: u32, found: &mut Compared) {
    if (old == 1) == (new == 1) {
        found.larger_is_stronger("min_partners", old, new);
    } else {
        found.unordered("min_partners", &old.to_string(), &new.to_string());
    }
}

/// More rows of a person show more of them; fewer count other rows than before, which is not ordered.
fn rows(old: &Treatment, new: &Treatment, found: &mut Compared) {
    let most = |t: &Treatment| t.rows_per_person.unwrap_or(u32::MAX);
    let words = |t: &Treatment| t.rows_per_person.map_or("none".to_owned(), |n| n.to_string());
    let against = if most(new) > most(old) { Against::Weaker } else { Against::Unordered };
    found.note("max_rows_per_person", &words(old), &words(new), against);
}

fn window(treatment: &Treatment) -> String {
    let window = &treatment.window;
    let Some(column) = &window.column else { return "none".to_owned() };
    let from = window.from.map_or("ever".to_owned(), |d| d.to_string());
    format!("{column} from {from}, {} days of lag", window.lag_days)
}
