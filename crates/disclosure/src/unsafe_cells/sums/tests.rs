use super::*;
use proptest::prelude::*;

/// What a node would work out of the amounts of a cell's people.
fn parts(amounts: &[u64], top_of: u32) -> Parts {
    let mut sorted = amounts.to_vec();
    sorted.sort_by_key(|&amount| std::cmp::Reverse(amount));
    Parts {
        contributors: amounts.len() as u64,
        sum: amounts.iter().sum(),
        largest: sorted.first().copied().unwrap_or_default(),
        second: sorted.get(1).copied().unwrap_or_default(),
        top_of,
        top: sorted.iter().take(top_of as usize).sum(),
    }
}

const RESEARCH: SumLimits = SumLimits {
    min_contributors: 3,
    p_percent: Some(15),
    dominance: Some(Dominance { largest: 2, max_percent: 80 }),
};

fn check(limits: SumLimits, amounts: &[u64], cap: u64, safe: &str) {
    let cell = Contributions::of_people(parts(amounts, 2), cap).unwrap();
    let found = if limits.of_people(&cell).is_some() { "unsafe" } else { "safe" };
    assert_eq!(found, safe, "{amounts:?}");
}

#[test]
fn l6_few_people_are_unsafe_whatever_they_gave() {
    check(RESEARCH, &[], 40, "safe");
    check(RESEARCH, &[10], 40, "unsafe");
    check(RESEARCH, &[10, 10], 40, "unsafe");
    check(RESEARCH, &[10, 10, 10, 10], 40, "safe");
}

/// p = 15: with 100 and 60 named, the others must have at least 15.
#[test]
fn l6_the_p_percent_rule_at_its_edge() {
    let only = SumLimits { dominance: None, ..RESEARCH };
    check(only, &[100, 60, 15], 1_000, "safe");
    check(only, &[100, 60, 14], 1_000, "unsafe");
    check(only, &[100, 60, 7, 7], 1_000, "unsafe");
    check(SumLimits { p_percent: None, ..only }, &[100, 60, 1], 1_000, "safe");
}

/// N = 2, k = 80: two may have 80 per cent, and no more.
#[test]
fn l6_the_nk_rule_at_its_edge() {
    let only = SumLimits { p_percent: None, ..RESEARCH };
    check(only, &[50, 30, 20], 1_000, "safe");
    check(only, &[51, 30, 19], 1_000, "unsafe");
    // The top of another number of people says nothing about this rule.
    let three = Contributions::of_people(parts(&[30, 30, 30, 30], 3), 1_000).unwrap();
    assert_eq!(only.of_people(&three), Some(Reason::Sum));
}

#[test]
fn l6_a_sum_that_everybody_has_alike_says_so_of_each() {
    check(RESEARCH, &[0, 0, 0, 0], 40, "unsafe");
    check(RESEARCH, &[40, 40, 40, 40], 40, "unsafe");
    check(RESEARCH, &[40, 40, 40, 39], 40, "safe");
}

#[test]
fn l6_amounts_above_the_cap_and_figures_that_do_not_fit_are_refused() {
    let check = |contributors, sum, largest, second, top_of, top, fits: bool| {
        let parts = Parts { contributors, sum, largest, second, top_of, top };
        assert_eq!(
            Contributions::of_people(parts, 40).is_ok(),
            fits,
            "{contributors} {sum} {largest} {second}"
        );
    };
    check(0, 0, 0, 0, 2, 0, true);
    check(3, 60, 30, 20, 2, 50, true);
    check(3, 60, 41, 10, 2, 51, false);
    check(3, 60, 20, 30, 2, 50, false);
    check(3, 40, 30, 20, 2, 50, false);
    check(3, 90, 30, 20, 2, 50, false);
    check(3, 60, 30, 20, 2, 60, false);
    check(3, 60, 30, 20, 0, 0, false);
    check(3, 60, 30, 20, 5, 59, false);
    check(2, 60, 30, 20, 2, 50, false);
    check(1, 30, 30, 0, 2, 30, true);
    check(1, 30, 30, 30, 2, 30, false);
    check(0, 1, 1, 0, 2, 1, false);
    check(u64::MAX, u64::MAX, 40, 40, 2, 80, true);
}

/// Partners that added 30, 30 and 30 people; a council with 95 of 100; two partners, each of which can subtract its own.
#[test]
fn l7_a_cell_over_partners_needs_three_of_them_and_none_that_dominates() {
    let check = |people: &[u64], reason: Option<Reason>| {
        let adding: Vec<u64> = people.iter().copied().filter(|n| *n > 0).collect();
        let cell = Contributions::of_partners(parts(&adding, 2)).unwrap();
        assert_eq!(RESEARCH.of_partners(&cell), reason, "{people:?}");
    };
    check(&[30, 30, 30], None);
    check(&[30, 30, 0], Some(Reason::Partners));
    check(&[0, 0, 0], None);
    check(&[95, 3, 2], Some(Reason::Partners));
    check(&[40, 40, 19], Some(Reason::Partners));
    check(&[40, 39, 20], None);
    let nothing_added = Parts { contributors: 3, sum: 2, largest: 1, second: 1, top_of: 2, top: 2 };
    assert_eq!(Contributions::of_partners(nothing_added).err(), Some(NotContributions));
}

#[test]
fn debug_and_errors_show_no_amount() {
    let cell = Contributions::of_people(parts(&[37, 21, 5], 2), 40).unwrap();
    assert_eq!(format!("{cell:?} {:?}", parts(&[37], 1)), "Contributions(..) Parts(..)");
}

fn amounts() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(0_u64..=40, 0..12)
}

impl PartialEq for Contributions {
    fn eq(&self, other: &Self) -> bool {
        let of = |p: &Parts| (p.contributors, p.sum, p.largest, p.second, p.top_of, p.top);
        of(&self.parts) == of(&other.parts) && self.cap == other.cap
    }
}

proptest! {
    /// Whatever people gave within the cap is taken, and is judged as the rules' text says.
    #[test]
    fn every_cell_of_real_amounts_is_taken_and_judged(list in amounts(), top_of in 1_u32..4) {
        let cell = Contributions::of_people(parts(&list, top_of), 40).unwrap();
        let limits = SumLimits { dominance: Some(Dominance { largest: top_of, max_percent: 80 }), ..RESEARCH };
        let mut sorted = list.clone();
        sorted.sort_by_key(|&amount| std::cmp::Reverse(amount));
        let sum: u64 = list.iter().sum();
        let rest: u64 = sorted.iter().skip(2).sum();
        let top: u64 = sorted.iter().take(top_of as usize).sum();
        let alike = list.iter().all(|a| *a == 0) || list.iter().all(|a| *a == 40);
        let low = list.len() < 3 || alike || 100 * rest < 15 * sorted[0] || 100 * top > 80 * sum;
        prop_assert_eq!(limits.of_people(&cell).is_some(), !list.is_empty() && low);
    }

    /// A higher threshold, a larger p or a smaller k never shows a sum that was withheld.
    #[test]
    fn stricter_limits_never_show_more(list in amounts(), t in 1_u32..9, p in 1_u32..60, k in 1_u32..100, up in 0_u32..9) {
        let cell = Contributions::of_people(parts(&list, 2), 40).unwrap();
        let limits = |t, p, k| SumLimits {
            min_contributors: t,
            p_percent: Some(p),
            dominance: Some(Dominance { largest: 2, max_percent: k }),
        };
        let strict = limits(t + up, p + up, k.saturating_sub(up));
        prop_assert!(limits(t, p, k).of_people(&cell).is_none() || strict.of_people(&cell).is_some());
    }
}
