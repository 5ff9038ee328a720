use cairn_question::privacy::NanoRho;

use super::*;

fn caps(month: u8, day: u8) -> Caps {
    Caps { per_year: NanoRho::ZERO, lifetime: NanoRho::ZERO, year_starts_month: month, year_starts_day: day }
}

#[test]
fn a_policy_year_starts_once_a_year() {
    let check = |starts: (u8, u8), day: &str, expected: &str| {
        let start = year_start(&caps(starts.0, starts.1), day.parse().unwrap());
        assert_eq!(start.map(|d| d.to_string()).unwrap_or_else(|f| f.code().into()), expected, "{day}");
    };
    check((4, 1), "2026-03-31", "2025-04-01");
    check((4, 1), "2026-04-01", "2026-04-01");
    check((1, 1), "2026-12-31", "2026-01-01");
    check((2, 29), "2024-02-28", "2023-02-28");
    check((2, 29), "2024-02-29", "2024-02-29");
    check((2, 29), "2025-02-28", "2025-02-28");
    check((13, 1), "2026-04-01", "CA013");
}

/// Spends `cost` on `day` under a policy whose year starts on the first of `month`; says whether it was held.
fn spend(ledger: &mut crate::Ledger, number: &mut u8, day: Day, month: u8, cap: u64) -> bool {
    let now = Moment::from_unix_s(u64::try_from(day.epoch_days()).unwrap() * 86_400 + 43_200);
    let mut want = crate::testing::want(*number, 100);
    *number += 1;
    want.caps = Caps { year_starts_month: month, year_starts_day: 1, ..crate::testing::caps(cap, 1_000_000) };
    (want.day, want.hold_until) = (day, now.plus_s(60));
    match ledger.reserve(&want, now) {
        Ok(crate::Reserved::Debited(debit)) => {
            ledger.settle(debit, b"reply", b"table", &crate::testing::answered(), now).unwrap();
            true
        }
        Err(crate::Denied::Refusal(refusal)) => {
            assert_eq!(refusal.rules[0].code, "CA202", "{refusal:?}");
            false
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_policy_that_moves_the_years_start_refills_nothing() {
    let (_folder, mut ledger) = crate::testing::fresh();
    let mut number = 0;
    let mut at = |day: &str, month: u8| spend(&mut ledger, &mut number, day.parse().unwrap(), month, 200);
    assert!(at("2026-05-01", 4));
    assert!(at("2026-05-02", 4));
    assert!(!at("2026-05-03", 4));
    // By the policy alone a new year would begin on each of these days.
    assert!(!at("2026-06-01", 6));
    assert!(!at("2026-07-01", 7));
    assert!(!at("2027-01-01", 1));
    assert!(!at("2027-03-31", 4));
    // Twelve months are over.
    assert!(at("2027-04-01", 4));
    assert!(at("2027-04-02", 4));
    // A later start makes the running year longer.
    assert!(!at("2028-04-01", 6));
    assert!(at("2028-06-01", 6));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 30, failure_persistence: None, ..Default::default()
    })]

    /// Whatever versions of the policy come, with whatever caps and years: what was spent for life never falls, the year's sum falls only
    /// where a year begins, and no two years begin within twelve months.
    #[test]
    fn no_change_of_policy_lowers_what_was_spent(
        steps in proptest::collection::vec((1..120_i32, 1..=12_u8, 1..6_u64), 1..40)
    ) {
        let (_folder, mut ledger) = crate::testing::fresh();
        let (mut day, mut number) = (Day::new(2026, 4, 1).unwrap(), 0);
        let (mut lifetime, mut grants) = (0, Vec::<Day>::new());
        let mut spent: Vec<(Day, u64)> = Vec::new();
        for (days, month, hundreds) in steps {
            day = day.plus_days(days);
            let held = spend(&mut ledger, &mut number, day, month, hundreds * 100);
            if held {
                spent.push((day, 100));
            }
            let caps = Caps { year_starts_month: month, year_starts_day: 1, ..crate::testing::caps(100 * hundreds, 1_000_000) };
            let now = Moment::from_unix_s(u64::try_from(day.epoch_days()).unwrap() * 86_400 + 43_200);
            let account = ledger.account(&caps, now).unwrap();
            proptest::prop_assert!(account.lifetime.nano() >= lifetime);
            lifetime = account.lifetime.nano();
            let since = |from: Day| spent.iter().filter(|(d, _)| *d >= from).map(|(_, cost)| cost).sum::<u64>();
            proptest::prop_assert_eq!(account.year.nano(), since(account.year_from));
            let kept: String = ledger.connection_for_tests()
                .query_row("SELECT began FROM year", [], |row| row.get(0)).unwrap_or_default();
            if let Ok(began) = kept.parse::<Day>() {
                // A year that nothing was held in yet is not kept.
                proptest::prop_assert!(!held || account.year_from <= began);
                if grants.last() != Some(&began) {
                    if let Some(last) = grants.last() {
                        proptest::prop_assert!(last.plus_months(12) <= began, "{} {}", last, began);
                    }
                    grants.push(began);
                }
            }
        }
    }
}

#[test]
fn people_counted_once_are_charged_on_a_line_of_their_own() {
    use crate::testing::{NOON, caps, debit, fresh, want};
    use crate::{Denied, Kind, Reservation, Scope};
    let (_folder, mut ledger) = fresh();
    let once = |number: u8| {
        let table = want(number, 60);
        let scope = Scope { kind: Kind::Once, ..table.scope.clone() };
        Reservation { scope, caps: caps(100, 110), ..table }
    };
    let _counted = debit(&mut ledger, &once(1), NOON);
    // The caps of tables know nothing of it, nor the other way about.
    let _table = debit(&mut ledger, &Reservation { caps: caps(60, 60), ..want(2, 60) }, NOON);
    let account = ledger.account(&caps(60, 60), NOON).unwrap();
    assert_eq!((account.year.nano(), account.lifetime.nano()), (60, 60));
    assert_eq!((account.once_year.nano(), account.once_lifetime.nano()), (60, 60));
    let Err(Denied::Refusal(refusal)) = ledger.reserve(&once(3), NOON) else { panic!("over its own caps") };
    let rules: Vec<(&str, &str)> = refusal.rules.iter().map(|r| (r.rule.as_str(), r.code.as_str())).collect();
    assert_eq!(rules, [("release.counts_per_year", "CA202"), ("release.counts_lifetime", "CA203")]);
    let dearer = Reservation { caps: caps(160, 160), ..once(3) };
    let price = ledger.price(&[once(3), dearer, want(4, 7)], &caps(100, 100), NOON).unwrap();
    let refused = price.questions.iter().map(|q| matches!(q.answerable, crate::Answerable::Refused(_)));
    assert_eq!(refused.collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(
        (price.cost.nano(), price.year_left.nano()),
        (67, 33),
        "the line of tables has 40 left and pays 7"
    );
}
