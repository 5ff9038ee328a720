use super::*;

fn figure(value: i64, plus_minus_95: u32) -> Figure {
    Figure { value, plus_minus_95 }
}

/// 6,881 by number, give or take 100; 10,170 rows of which 864 have no number, ten partners.
fn demonstration() -> LinkageQuality {
    LinkageQuality::new(Count::of(6_881.0, 51.021), figure(9_306, 20), figure(864, 10), 10)
}

#[test]
fn records_without_a_key_widen_the_answer_to_an_interval() {
    let quality = demonstration();
    assert_eq!(quality.linked(), Range { least: 6_781, most: 6_981 });
    // At least the linked people; at most these and every record without a key.
    assert_eq!(quality.all(), Range { least: 6_781, most: 7_855 });
    assert!((quality.without_key_share() - 0.085).abs() < 0.001);
}

#[test]
fn missed_links_are_taken_off_by_the_designs_formula() {
    let quality = demonstration();
    assert_eq!(quality.corrected(MissedShare::from_thousandths(0).unwrap()), quality.linked());
    // f = .1: 6,881 − (1/9)·2,425 = 6,611.6; the count's error grows to 1/(1 − f), the rows' comes in with f/(1 − f).
    let corrected = quality.corrected(MissedShare::from_thousandths(100).unwrap());
    // 6,611.6 ± √(111.1² + 2.2²).
    let expected = Range { least: 6_500, most: 6_723 };
    assert_eq!(corrected, expected);
    assert_eq!(MissedShare::from_thousandths(500), Err(NotCounted::MissedShare));
}

/// The correction gives the truth back: 1,000 people at three partners each, of whose two links a tenth is missed.
#[test]
fn the_correction_undoes_what_missing_links_did() {
    let (people, rows, missed) = (1_000.0, 3_000_i64, 0.1);
    let seen = people + missed * (3_000.0 - people);
    let quality = LinkageQuality::new(Count::of(seen, 1.0), figure(rows, 0), figure(0, 0), 3);
    let corrected = quality.corrected(MissedShare::from_thousandths(100).unwrap());
    assert!(corrected.least <= 1_000 && corrected.most >= 1_000 && corrected.most - corrected.least <= 6);
}

#[test]
fn the_overlap_is_appearances_and_bounds_on_people_or_nothing() {
    // R − N̂ = 2,425 ± 102 appearances beyond the first: of 10 partners, at least a ninth as many people, at most as many.
    let said = demonstration().overlap(10);
    let appearances = Range { least: 2_323, most: 2_527 };
    assert_eq!(said, Overlap::Said { appearances, people: Range { least: 258, most: 2_527 } });
    assert_eq!(demonstration().overlap(259), Overlap::Withheld);
    // Two partners: each such person is one appearance.
    let two = LinkageQuality::new(Count::of(1_000.0, 10.0), figure(1_200, 0), figure(0, 0), 2);
    let Overlap::Said { appearances, people } = two.overlap(10) else { panic!("withheld") };
    assert_eq!(appearances, people);
    // Less than the noise: nothing is said, not even zero.
    let none = LinkageQuality::new(Count::of(1_000.0, 10.0), figure(1_010, 0), figure(0, 0), 2);
    assert_eq!(none.overlap(1), Overlap::Withheld);
    assert_eq!(none.overlap(0), Overlap::Withheld);
}

#[test]
fn the_foot_of_a_table_says_how_good_the_links_are() {
    assert_eq!(
        demonstration().to_string(),
        "people with a linkage key, counted once: 6781 to 6981 (95 %)\n\
         records without a key: 864 (±10)\n\
         share without a key: 8.5 %\n\
         all people: 6781 to 7855, by whether those records are of people counted already or of others\n\
         if the key missed 5 % of links: 6648 to 6859; 10 %: 6500 to 6723"
    );
}

/// Noise can make a small total negative; what is said of it is not.
#[test]
fn figures_below_zero_say_nothing_below_zero() {
    let quality = LinkageQuality::new(Count::of(600.0, 5.0), figure(-3, 4), figure(-7, 4), 5);
    assert!(quality.all().most >= quality.all().least && quality.without_key_share() == 0.0);
    assert_eq!(quality.overlap(10), Overlap::Withheld);
}
