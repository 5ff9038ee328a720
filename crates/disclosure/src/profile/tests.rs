use super::*;

#[test]
fn a_profile_is_found_by_its_whole_name_only() {
    let figures = Profile::named("sub-national-8-5").unwrap().figures().unwrap();
    assert_eq!(figures.rule(), Rule::new(8, 5, Zeros::Show));
    for other in ["", "sub-national", "SUB-NATIONAL-8-5", "sub-national-8-5 "] {
        assert_eq!(Profile::named(other), None, "{other}");
    }
}

/// Base 5 needs a threshold of 8: otherwise a shown 5 is a 6 or a 7. In general no value below twice the base may be shown but 0, and
/// each shown one must stand for at least half as many counts as the base, and one more.
#[test]
fn no_profile_gives_a_small_count_away_by_its_rounding() {
    for (profile, figures) in PROFILES.iter().filter_map(|p| Some((p, p.figures()?))) {
        assert!(figures.rule().is_ok(), "{}", profile.name);
        let (people, base) = (u64::from(figures.min_people), u64::from(figures.round_to));
        let round = |count: u64| crate::round_half_up(count, figures.round_to);
        if base > 1 {
            assert!(round(people) >= 2 * base, "{}", profile.name);
        }
        for shown in (people..100).map(round) {
            let stands_for = (people..120).filter(|count| round(*count) == shown).count() as u64;
            assert!(stands_for > base / 2, "{} {shown}", profile.name);
        }
    }
}

/// One truth: what the national framework says of a profile is what this list says. Noise has no profile there.
#[test]
fn profiles_are_those_of_the_shipped_framework() {
    let framework: toml::Table =
        toml::from_str(include_str!("../../../../policies/framework/framework.toml")).unwrap();
    let theirs = framework["profile"].as_table().unwrap();
    let mut seen = 0;
    for profile in PROFILES {
        let Some(figures) = profile.figures() else {
            assert!(!theirs.contains_key(profile.name) && profile.treats == Treats::Dp);
            continue;
        };
        let page = theirs[profile.name].as_table().unwrap();
        let number = |key: &str| page[key].as_integer().unwrap();
        let method = match profile.treats {
            Treats::SuppressRound(_) => "suppress-round",
            Treats::SuppressAudit(_) => "suppress-audit",
            Treats::CellKey(..) => "cell-key",
            Treats::Dp => "dp",
        };
        assert_eq!(page.get("method").map_or("suppress-round", |m| m.as_str().unwrap()), method);
        assert_eq!(number("min_people"), i64::from(figures.min_people), "{}", profile.name);
        assert_eq!(number("round_to"), i64::from(figures.round_to), "{}", profile.name);
        assert_eq!(page["zeros"].as_str(), Some("show"));
        assert_eq!(figures.zeros, Zeros::Show);
        let secondary = page.get("secondary").is_some_and(|s| s.as_bool().unwrap());
        assert_eq!(secondary, figures.secondary == Secondary::Yes, "{}", profile.name);
        let dominance =
            page.get("dominance").map(|d| (d["largest"].as_integer(), d["max_percent"].as_integer()));
        let ours = figures
            .sums
            .map(|s| (Some(i64::from(s.dominance.largest)), Some(i64::from(s.dominance.max_percent))));
        assert_eq!(dominance, ours, "{}", profile.name);
        seen += 1;
    }
    assert_eq!(seen, theirs.len());
    assert_eq!(PROFILES.len(), seen + 1);
}

#[test]
fn research_sums_are_withheld_by_p_15_and_by_two_people_with_80_per_cent() {
    let limits = Profile::named("research-10-5").unwrap().figures().unwrap().sum_limits().unwrap();
    let expected = SumLimits {
        min_contributors: 10,
        p_percent: Some(15),
        dominance: Some(Dominance { largest: 2, max_percent: 80 }),
    };
    assert_eq!(limits, expected);
    assert_eq!(Profile::named("sub-national-8-5").unwrap().figures().unwrap().sum_limits(), None);
}

/// A sensitive axis with a base of 2t − 1 people: whatever the split over two codes, one has fewer than t.
#[test]
fn a_base_below_twice_the_threshold_always_has_a_small_code() {
    for figures in PROFILES.iter().filter_map(Profile::figures) {
        let limits = figures.limits();
        for base in 1..limits.min_base {
            assert!((0..=base).all(|one| one.min(base - one) < limits.min_people));
        }
        assert_eq!(limits.min_base / 2, limits.min_people);
    }
}

#[test]
fn a_profile_of_cell_keys_names_a_table_that_ships() {
    for profile in PROFILES {
        if let Treats::CellKey(table, _) = profile.treats {
            assert!(crate::cell_key::PerturbationTable::named(table).is_some(), "{table}");
        }
        assert!(!profile.source.is_empty());
    }
}
