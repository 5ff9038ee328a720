use super::*;

#[test]
fn a_profile_is_found_by_its_whole_name_only() {
    let profile = Profile::named("sub-national-8-5").unwrap();
    assert_eq!(profile.rule(), Rule::new(8, 5, Zeros::Show));
    for other in ["", "sub-national", "SUB-NATIONAL-8-5", "sub-national-8-5 "] {
        assert_eq!(Profile::named(other), None, "{other}");
    }
}

#[test]
fn no_profile_gives_a_small_count_away_by_its_rounding() {
    for profile in PROFILES {
        // The smallest count shown and its neighbours that round alike: the whole rounding interval must lie at or above the
        // threshold, or a shown value would mean fewer candidates than the base promises ("a 5 is a 6 or a 7").
        let least = crate::round_half_up(u64::from(profile.min_people), profile.round_to);
        let low_end = least - u64::from(profile.round_to / 2);
        assert!(low_end >= u64::from(profile.min_people), "{}", profile.name);
    }
}
