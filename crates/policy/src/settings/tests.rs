use super::*;
use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;

fn days() -> impl Strategy<Value = Option<Day>> {
    option::of((0_i32..20_000).prop_map(|d| Day::from_epoch_days(d).unwrap()))
}

fn grains() -> impl Strategy<Value = Option<Grains>> {
    option::of(btree_map("[a-d]", btree_set("[x-z]", 0..3), 0..4))
}

fn rho() -> impl Strategy<Value = Option<NanoRho>> {
    option::of((0_u64..1_000).prop_map(NanoRho::new))
}

fn epsilon() -> impl Strategy<Value = Epsilon> {
    (1_u32..10_000_000).prop_map(|e| Epsilon::from_millionths(e).unwrap())
}

fn settings() -> impl Strategy<Value = Settings> {
    let small = || option::of(0_u32..50);
    (
        (days(), days(), days(), 0_u32..50, 0_u32..50, 0_u32..50, 0_u32..50),
        (
            option::of(epsilon()),
            option::of(epsilon()),
            rho(),
            rho(),
            rho(),
            option::of(btree_set("[a-d]", 0..3)),
            option::of(btree_set((0_u8..4).prop_map(|b| Hash::from_bytes([b; 32])), 0..3)),
        ),
        (small(), small(), small(), small(), small(), grains(), grains(), small(), small()),
    )
        .prop_map(|(a, b, c)| Settings {
            from: a.0,
            until: a.1,
            window_from: a.2,
            lag_days: a.3,
            min_people: a.4,
            min_cohort: a.5,
            min_partners: a.6,
            epsilon: b.0,
            count_epsilon: b.1,
            rho_per_year: b.2,
            rho_lifetime: b.3,
            rho_per_analyst: b.4,
            named_analysts: b.5,
            approved: b.6,
            rows_per_person: c.0,
            max_group_columns: c.1,
            max_filter_columns: c.2,
            tables_per_day: c.3,
            tables_per_year: c.4,
            group_by: c.5,
            filter_by: c.6,
            counts_per_year: c.7,
            counts_lifetime: c.8,
        })
}

proptest! {
    #[test]
    fn meet_is_associative(a in settings(), b in settings(), c in settings()) {
        prop_assert_eq!(
            a.clone().meet(b.clone()).meet(c.clone()),
            a.meet(b.meet(c))
        );
    }

    #[test]
    fn meet_is_commutative(a in settings(), b in settings()) {
        prop_assert_eq!(a.clone().meet(b.clone()), b.meet(a));
    }

    #[test]
    fn meet_is_idempotent_and_open_settings_change_nothing(a in settings()) {
        prop_assert_eq!(a.clone().meet(a.clone()), a.clone());
        prop_assert_eq!(a.clone().meet(Settings::default()), a);
    }

    /// The meet allows no column, grain or day that one of the two does not.
    #[test]
    fn meet_never_widens(a in settings(), b in settings()) {
        let met = a.clone().meet(b.clone());
        for side in [&a, &b] {
            prop_assert!(met.from >= side.from && met.min_people >= side.min_people);
            prop_assert!(side.epsilon.is_none_or(|e| met.epsilon.is_some_and(|m| m <= e)));
            if let Some(list) = &side.group_by {
                for (column, grains) in met.group_by.iter().flatten() {
                    prop_assert!(grains.is_subset(&list[column]));
                }
            }
        }
    }
}
