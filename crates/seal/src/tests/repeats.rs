//! R2 and R6 over what a node opened: one opening of a question; same partners or new noise.

use cairn_question::{Day, Hash, Name, QuestionId, Signature};

use crate::mask::Blind;
use crate::{Attempt, OpenRecord, Openings, Partners, Refused, Repeat, Series};

use super::world::{KEYED, ROUNDED, dp, node, once};

fn series(dataset: &str, edition: u32) -> Series {
    Series { dataset: Name::new(dataset).unwrap(), as_of: Day::new(2026, 3, 1).unwrap(), edition }
}

pub(crate) fn opened(question: u8, series: Series, partners: Partners, repeat: Repeat) -> OpenRecord {
    let hash = Hash::of(b"anything");
    OpenRecord {
        question: QuestionId::from_bytes([question; 32]),
        question_hash: hash,
        manifest: hash,
        attempt: Attempt::FIRST,
        series,
        repeat,
        partners,
        h2: hash,
        blind: Blind::from_bytes([0; 32]),
        signature: Signature::from_bytes([0; 64]),
    }
}

fn check(
    openings: &Openings,
    question: u8,
    of: &Series,
    n: usize,
    repeat: Repeat,
    expected: Option<Refused>,
) {
    let (question, partners) = (QuestionId::from_bytes([question; 32]), Partners::new((0..n).map(node)));
    assert_eq!(openings.allow(question, (of, &partners), repeat).err(), expected, "{of:?} {n} {repeat:?}");
}

#[test]
fn r6_same_partners_or_new_noise() {
    let mut openings = Openings::default();
    let partners = |n: usize| Partners::new((0..n).map(node));
    let starts = series("starts", 1);
    openings.record(&opened(1, starts.clone(), partners(5), Repeat::SamePartners)).unwrap();
    check(&openings, 2, &starts, 5, Repeat::SamePartners, None);
    check(&openings, 2, &starts, 4, Repeat::SamePartners, Some(Refused::OtherPartners));
    check(&openings, 2, &starts, 6, Repeat::SamePartners, Some(Refused::OtherPartners));
    let refused = openings.record(&opened(2, starts.clone(), partners(4), Repeat::SamePartners));
    assert_eq!(refused, Err(Refused::OtherPartners));
    // What was refused was not kept. A fresh charge, another dataset and the next snapshot are other matters.
    check(&openings, 2, &starts, 5, Repeat::SamePartners, None);
    check(&openings, 2, &starts, 4, Repeat::Charged, None);
    check(&openings, 2, &series("leavers", 1), 4, Repeat::SamePartners, None);
    check(&openings, 2, &series("starts", 2), 4, Repeat::SamePartners, None);
}

#[test]
fn r2_a_question_is_opened_once_whatever_it_charges() {
    for repeat in [Repeat::Charged, Repeat::SamePartners] {
        let mut openings = Openings::default();
        let first = || opened(1, series("starts", 1), Partners::new([node(1)]), repeat);
        openings.record(&first()).unwrap();
        assert_eq!(openings.record(&first()), Err(Refused::AlreadyOpened));
        check(&openings, 1, &series("starts", 2), 3, repeat, Some(Refused::AlreadyOpened));
    }
}

#[test]
fn a_charged_opening_binds_nobody() {
    let mut openings = Openings::default();
    let charged = opened(1, series("starts", 1), Partners::new([node(1)]), Repeat::Charged);
    openings.record(&charged).unwrap();
    check(&openings, 2, &series("starts", 1), 3, Repeat::SamePartners, None);
}

#[test]
fn partners_are_a_set() {
    assert_eq!(Partners::new([node(2), node(1), node(2)]), Partners::new([node(1), node(2)]));
    assert_eq!(Partners::new([node(2), node(1)]).ids(), [node(1), node(2)]);
}

#[test]
fn only_a_charged_treatment_may_change_partners() {
    for (treatment, repeat) in [
        (dp(), Repeat::Charged),
        (once(), Repeat::Charged),
        (KEYED, Repeat::SamePartners),
        (ROUNDED, Repeat::SamePartners),
    ] {
        assert_eq!(Repeat::of(&treatment), repeat, "{treatment:?}");
    }
}
