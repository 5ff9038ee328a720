use super::*;
use crate::unsafe_cells::margins::tests::grid;
use proptest::prelude::*;
use std::collections::BTreeSet;

use crate::unsafe_cells::Place;

/// A place as text: `0.` is code 0 of the first axis and the total over the second.
fn text(place: &[Option<usize>]) -> String {
    place.iter().map(|code| code.map_or(".".to_owned(), |c| c.to_string())).collect()
}

/// The places with their reasons' letters: s small, a alike, c complement, b base.
fn marked(margins: &Margins, limits: Limits, sensitive: &[usize]) -> Vec<String> {
    let marks = primary(margins, limits, sensitive);
    let letter = |reason: Reason| match reason {
        Reason::Small => 's',
        Reason::Alike => 'a',
        Reason::Complement => 'c',
        Reason::SmallBase => 'b',
        other => panic!("{other:?} is of no count"),
    };
    let shown = |place: Place| {
        assert!(marks.is_primary(&place));
        format!("{} {}", text(&place), marks.reasons(&place).map(letter).collect::<String>())
    };
    marks.primary().map(shown).collect()
}

fn check(sizes: &[usize], people: &[u64], t: u32, base: u32, sensitive: &[usize], marks: &[&str]) {
    let margins = Margins::summed(&grid(sizes), people).unwrap();
    let limits = Limits { min_people: t, min_base: base };
    assert_eq!(marked(&margins, limits, sensitive), marks, "{people:?}");
}

#[test]
fn l1_counts_from_1_to_t_less_1_are_small() {
    check(&[4], &[0, 1, 4, 5], 5, 0, &[], &["1 s", "2 s"]);
    check(&[2], &[1, 1], 5, 0, &[], &["0 sc", "1 sc", ". s"]);
    check(&[2], &[9, 9], 5, 0, &[], &[]);
    check(&[], &[3], 5, 0, &[], &[" s"]);
}

/// Of 20 people 17 are in one cell: the other three are a difference, shown or not.
#[test]
fn l3_the_few_who_are_missing_from_a_total_count_too() {
    check(&[2], &[17, 3], 5, 0, &[], &["0 c", "1 s"]);
    check(&[2], &[17, 5], 5, 0, &[], &[]);
    // Two and two make four: neither cell is the complement of the other, but both together are of the third.
    check(&[3], &[17, 2, 2], 5, 0, &[], &["0 c", "1 s", "2 s"]);
    // Over two axes at once: 40 of 44, where row and column have 40 as well.
    check(&[2, 2], &[40, 0, 0, 4], 5, 0, &[], &["00 c", "0. c", "11 s", "1. s", ".0 c", ".1 s"]);
    // Everybody is in the cell: nobody is missing. Nobody is in the cell: zeros are shown.
    check(&[2], &[20, 0], 5, 0, &[], &[]);
    check(&[2], &[4, 0], 5, 0, &[], &["0 s", ". s"]);
}

/// The second axis is sensitive.
#[test]
fn l2_a_base_that_is_all_of_one_code_or_all_but_one_is_marked_with_its_zeros() {
    let none: &[&str] = &[];
    check(&[2, 2], &[12, 0, 9, 9], 5, 0, &[1], &["00 a", "01 a"]);
    check(&[2, 2], &[12, 1, 9, 9], 5, 0, &[1], &["00 ac", "01 sa", "11 c"]);
    check(&[2, 2], &[12, 5, 9, 9], 5, 0, &[1], none);
    // The same table where neither axis is sensitive.
    check(&[2, 2], &[12, 0, 9, 9], 5, 0, &[], none);
    // Nobody at all says nothing of anybody.
    check(&[2, 2], &[0, 0, 9, 9], 5, 0, &[1], none);
    // The base that is the whole table.
    check(&[2], &[12, 0], 5, 0, &[0], &["0 a", "1 a"]);
}

/// Codes: yes, no, unknown. Unknown is a code like the others: it can be the one that all have, and it keeps the rest from being all.
#[test]
fn missing_is_a_category_like_any_other() {
    check(&[3], &[0, 0, 30], 5, 0, &[0], &["0 a", "1 a", "2 a"]);
    check(&[3], &[30, 0, 9], 5, 0, &[0], &[]);
    check(&[3], &[30, 20, 3], 5, 0, &[], &["2 s"]);
    check(&[2], &[30, 3], 5, 0, &[], &["0 c", "1 s"]);
}

#[test]
fn l5_a_sensitive_axis_needs_a_base() {
    check(&[2, 2], &[6, 6, 30, 30], 5, 13, &[1], &["00 b", "01 b"]);
    check(&[2, 2], &[6, 6, 30, 30], 5, 12, &[1], &[]);
    check(&[2, 2], &[6, 6, 30, 30], 5, 13, &[], &[]);
    check(&[2, 2], &[0, 0, 30, 30], 5, 13, &[1], &[]);
}

/// Nobody under 16 has a pension: the schema says so, and everybody knows.
#[test]
fn structural_zeros_are_never_primary_and_nobody_is_alike_by_them() {
    let table = Margins::summed(&grid(&[2, 2]), &[0, 12, 20, 20]).unwrap();
    let limits = Limits { min_people: 5, min_base: 30 };
    assert_eq!(marked(&table, limits, &[1]), ["00 ab", "01 ab"]);
    let known = table.with_structural_zeros(&BTreeSet::from([0])).unwrap();
    assert_eq!(marked(&known, limits, &[1]), Vec::<String>::new());
}

/// People with two engagements are in two cells: 6 and 6 of 8 people. Of the 8, two are not in the first.
#[test]
fn people_in_several_cells_are_checked_on_their_own_totals() {
    let limits = Limits { min_people: 5, min_base: 0 };
    let once = Margins::given(&grid(&[2]), &[6, 6, 12]).unwrap();
    assert_eq!(marked(&once, limits, &[]), Vec::<String>::new());
    let twice = Margins::given(&grid(&[2]), &[6, 6, 8]).unwrap();
    assert_eq!(marked(&twice, limits, &[]), ["0 c", "1 c"]);
}

#[test]
fn the_data_dictionary_says_which_axes_are_sensitive() {
    let axis = |column: &str| cairn_question::Dimension {
        column: column.into(),
        grain: "code".into(),
        codes: vec!["x".into()],
    };
    let of = |columns: &[&str]| {
        let grid = Grid::new(columns.iter().map(|c| axis(c)).collect()).unwrap();
        sensitive_axes(Schema::smf(), "engagements", &grid)
    };
    assert_eq!(of(&["participants.council_code", "participants.ethnic_group", "end_reason"]), [1]);
    assert_eq!(of(&["participants.disabled_eqa", "no_such_column"]), [0, 1]);
}

#[test]
fn a_place_that_the_table_has_not_is_primary() {
    let margins = Margins::summed(&grid(&[2]), &[9, 9]).unwrap();
    let mut marks = primary(&margins, Limits { min_people: 5, min_base: 0 }, &[7]);
    assert!(!marks.is_primary(&[Some(0)]));
    assert!(marks.is_primary(&[Some(3)]));
    assert!(marks.is_primary(&[]));
    marks.mark(&[Some(3)], Reason::Sum);
    assert_eq!(marks.primary().count(), 0);
    marks.mark(&[Some(1)], Reason::Sum);
    assert_eq!(marks.reasons(&[Some(1)]).collect::<Vec<_>>(), [Reason::Sum]);
    assert_eq!(format!("{marks:?}"), "Marks(3 places withheld)");
}

#[test]
fn marks_of_two_checks_go_together_for_one_table_only() {
    let limits = Limits { min_people: 5, min_base: 0 };
    let of = |sizes: &[usize], people: &[u64]| {
        primary(&Margins::summed(&grid(sizes), people).unwrap(), limits, &[])
    };
    let both = of(&[3], &[3, 9, 9]).and(&of(&[3], &[9, 2, 9])).unwrap();
    assert_eq!(both.primary().collect::<Vec<_>>(), [[Some(0)], [Some(1)]]);
    assert_eq!(of(&[3], &[3, 9, 9]).and(&of(&[2], &[3, 9])), None);
}

fn table() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(prop_oneof![Just(0_u64), 0_u64..8, 0_u64..40], 12)
}

proptest! {
    /// A higher threshold or a larger base never shows a place that a lower one withholds.
    #[test]
    fn stricter_limits_never_show_more(people in table(), t in 1_u32..12, base in 0_u32..40, up in 0_u32..9, wider in 0_u32..20) {
        let margins = Margins::summed(&grid(&[3, 2, 2]), &people).unwrap();
        let at = |min_people, min_base| primary(&margins, Limits { min_people, min_base }, &[1]);
        let (lax, strict) = (at(t, base), at(t + up, base + wider));
        for place in lax.primary() {
            prop_assert!(strict.is_primary(&place), "{place:?}");
        }
    }

    /// The order of an axis's codes does not matter: the marks move with the counts.
    #[test]
    fn the_order_of_categories_changes_nothing(people in table(), order in Just(vec![0_usize, 1, 2]).prop_shuffle()) {
        let limits = Limits { min_people: 5, min_base: 12 };
        let moved: Vec<u64> = order.iter().flat_map(|&code| people[code * 4..code * 4 + 4].to_vec()).collect();
        let (here, there) =
            (Margins::summed(&grid(&[3, 4]), &people).unwrap(), Margins::summed(&grid(&[3, 4]), &moved).unwrap());
        let (marks, moved) = (primary(&here, limits, &[0]), primary(&there, limits, &[0]));
        for place in there.listed() {
            let from = [place[0].map(|code| order[code]), place[1]];
            let reasons = |marks: &Marks, place: &[Option<usize>]| marks.reasons(place).collect::<Vec<_>>();
            prop_assert_eq!(reasons(&moved, &place), reasons(&marks, &from));
        }
    }

    /// Written out again from the rules' text, place by place, for two axes of which the second is sensitive.
    #[test]
    fn the_marks_are_those_of_the_rules_text(people in proptest::collection::vec(0_u64..14, 6)) {
        let (t, base) = (5_u64, 9_u64);
        let margins = Margins::summed(&grid(&[2, 3]), &people).unwrap();
        let marks = primary(&margins, Limits { min_people: 5, min_base: 9 }, &[1]);
        let n = |row: Option<usize>, column: Option<usize>| -> u64 {
            let inside = |at: &usize| row.is_none_or(|r| r == at / 3) && column.is_none_or(|c| c == at % 3);
            (0..6).filter(inside).map(|at| people[at]).sum()
        };
        for place in margins.listed() {
            let (row, column) = (place[0], place[1]);
            let own = n(row, column);
            let low = |count: u64| count > 0 && count < t;
            let totals = [n(None, column), n(row, None), n(None, None)];
            let mut unsafe_cell = low(own) || own > 0 && totals.iter().any(|total| low(total - own));
            if column.is_some() {
                let whole = n(row, None);
                let alike = (0..3).any(|c| n(row, Some(c)) == whole || n(row, Some(c)) + 1 == whole);
                unsafe_cell |= whole > 0 && (alike || whole < base);
            }
            prop_assert_eq!(marks.is_primary(&place), unsafe_cell, "{:?}", place);
        }
    }
}
