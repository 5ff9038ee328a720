//! R6: same partners or new noise.

use crate::{Openings, Partners, Refused, Repeat, Series, Treatment};
use cairn_question::{Day, Name};

use super::world::node;

fn series(dataset: &str, edition: u32) -> Series {
    Series { dataset: Name::new(dataset).unwrap(), as_of: Day::new(2026, 3, 1).unwrap(), edition }
}

#[test]
fn r6_same_partners_or_new_noise() {
    let mut openings = Openings::default();
    let all = || Partners::new((0..5).map(node));
    let fewer = || Partners::new((0..4).map(node));
    openings.record(series("starts", 1), all(), Repeat::SamePartners).unwrap();
    let refused = Err(Refused::OtherPartners);
    assert_eq!(openings.allow(&series("starts", 1), &all(), Repeat::SamePartners), Ok(()));
    assert_eq!(openings.allow(&series("starts", 1), &fewer(), Repeat::SamePartners), refused);
    assert_eq!(openings.record(series("starts", 1), fewer(), Repeat::SamePartners), refused);
    // A fresh charge, another dataset and the next snapshot are other matters.
    assert_eq!(openings.allow(&series("starts", 1), &fewer(), Repeat::Charged), Ok(()));
    assert_eq!(openings.allow(&series("leavers", 1), &fewer(), Repeat::SamePartners), Ok(()));
    assert_eq!(openings.allow(&series("starts", 2), &fewer(), Repeat::SamePartners), Ok(()));
}

#[test]
fn a_charged_opening_binds_nobody() {
    let mut openings = Openings::default();
    openings.record(series("starts", 1), Partners::new([node(1)]), Repeat::Charged).unwrap();
    assert_eq!(openings.allow(&series("starts", 1), &Partners::new([node(2)]), Repeat::SamePartners), Ok(()));
}

#[test]
fn partners_are_a_set() {
    assert_eq!(Partners::new([node(2), node(1), node(2)]), Partners::new([node(1), node(2)]));
    assert_eq!(Partners::new([node(2), node(1)]).ids(), [node(1), node(2)]);
}

#[test]
fn only_a_charged_treatment_may_change_partners() {
    for (treatment, repeat) in [
        (Treatment::Dp, Repeat::Charged),
        (Treatment::Occupancy, Repeat::Charged),
        (Treatment::CellKey, Repeat::SamePartners),
        (Treatment::SuppressRound, Repeat::SamePartners),
    ] {
        assert_eq!(treatment.repeat(), repeat, "{treatment:?}");
    }
}
