//! Tables whose answer is known by hand.

use super::*;
use crate::audit::grid::Place;

/// A table with all totals, as `sizes | counts`, and for each cell what left: its number or `c`.
fn check(threshold: u64, table: &str, expected: &str) {
    let audit = audited(exact(threshold), table);
    assert_eq!(cells(&audit), expected, "{table}");
}

#[test]
fn nothing_is_withheld_where_nothing_is_small() {
    check(5, "3 | 5 0 9", "5 0 9 14");
    check(5, "2 2 | 5 6 7 8", "5 6 7 8 11 15 12 14 26");
}

#[test]
fn one_small_count_takes_another_with_it() {
    check(5, "3 | 9 3 8", "9 c c 20");
    // Both margins are shown, so the cell needs a partner in its row, one in its column, and the corner.
    check(5, "2 2 | 3 9 9 9", "c c c c 12 18 12 18 30");
}

/// release.md, section 1 and 3: with 8 and the total shown, each 1 is known.
#[test]
fn the_row_8_1_1_1_1_does_not_give_its_ones_away() {
    let audit = audited(exact(5), "5 | 8 1 1 1 1");
    assert_eq!(cells(&audit), "c c c c c 12");
}

/// release.md, section 3, step 4. With 5 and 13 shown the pair has sum 8, which only a reader who knows more narrows down.
#[test]
fn the_row_4_4_5_says_which_promise_holds() {
    let audit = audited(exact(5), "3 | 4 4 5");
    assert_eq!(cells(&audit), "c c 5 13");
    let of = proof(&audit);
    let spread = spread_over_same_pattern(&audit, &[4, 4, 5], 8);
    let holds = spread.iter().all(|width| *width >= WIDTH);
    assert_eq!(of.promise() == Promise::KnowsAlgorithm, holds, "{spread:?}");
}

/// Differencing: the earlier table showed all people of each area, the new one shows men. Two women live in the first area.
#[test]
fn a_complement_in_an_earlier_table_is_protected() {
    // Men and women of area 1, then of area 2.
    let counts = [10, 2, 9, 7];
    let free = |members: &[usize], want| CellSpec { members: members.to_vec(), fate: Fate::Free { want } };
    let fixed = |members: &[usize], fate| CellSpec { members: members.to_vec(), fate };
    let men = [free(&[0], 0), free(&[2], 0), free(&[0, 2], 1)];
    let earlier =
        [fixed(&[0, 1], Fate::Published), fixed(&[2, 3], Fate::Published), fixed(&[1], Fate::Withheld)];
    let layout = Layout::new(4, &[&men[..], &earlier[..]].concat(), exact(5)).unwrap();
    let Outcome::Audited(linked) = suppress(&layout, &counts, &[]).unwrap() else { panic!("a pattern") };
    assert_eq!(linked.marks()[0], Mark::Withheld, "12 − 10 would be the women of area 1");
    assert!(linked.marks()[1..3].contains(&Mark::Withheld), "19 − 9 would be the men of area 1");
    // Without the earlier table there is nothing to protect.
    let alone = Layout::new(4, &men, exact(5)).unwrap();
    let Outcome::Audited(alone) = suppress(&alone, &counts, &[]).unwrap() else { panic!("a pattern") };
    assert!(alone.marks().iter().all(|mark| *mark == Mark::Published));
}

#[test]
fn what_the_register_gives_away_withholds_the_whole_table() {
    let spec = |members: &[usize], fate| CellSpec { members: members.to_vec(), fate };
    let cells = [
        spec(&[0, 1], Fate::Published),
        spec(&[0], Fate::Published),
        spec(&[1], Fate::Free { want: 0 }),
        spec(&[2], Fate::Free { want: 0 }),
    ];
    let layout = Layout::new(3, &cells, exact(5)).unwrap();
    let outcome = suppress(&layout, &[10, 2, 9], &[]).unwrap();
    assert!(matches!(outcome, Outcome::Whole(Whole::Register)), "{outcome:?}");
    // Not by adding and taking away, but because withheld cells have somebody in them: 1, 1 and 2 or 1, 2 and 1 or 2, 1 and 1.
    let cells = [
        spec(&[0, 1, 2], Fate::Published),
        spec(&[0], Fate::Withheld),
        spec(&[1], Fate::Withheld),
        spec(&[2], Fate::Withheld),
    ];
    let layout = Layout::new(3, &cells, exact(3)).unwrap();
    let outcome = suppress(&layout, &[1, 1, 2], &[]).unwrap();
    assert!(matches!(outcome, Outcome::Whole(Whole::NoWitness)), "{outcome:?}");
}

/// release.md, section 1: 10, c, c, c, c with a total of 10 gives every cell away, since 8 + 1 + 1 + 1 + 1 is the most it can be.
#[test]
fn rounded_ones_merge_with_their_neighbours() {
    let terms = Terms { showing: Showing::Rounded { base: 5 }, ..exact(8) };
    let row = Table::new(&[5], Some(0), terms).unwrap();
    let audit = row.audit(&[8, 1, 1, 1, 1], &|_| vec![], &[]).unwrap();
    assert_eq!(audit.bands, [0..1, 1..3, 3..5]);
    assert_eq!(cells(&audit), "10 c c 10");
    // Without bands to merge, more is withheld.
    let row = Table::new(&[5], None, terms).unwrap();
    let audit = row.audit(&[8, 1, 1, 1, 1], &|_| vec![], &[]).unwrap();
    assert_ne!(cells(&audit), "10 c c c c 10");
    assert_eq!(proof(&audit).primaries().len(), 4);
    recheck(&audit);
}

#[test]
fn bands_merge_where_an_earlier_release_leaves_no_room() {
    // The first three bands together were released as 4: withheld as at least 1 each, none could be more than 2.
    let earlier = [CellSpec { members: vec![0, 1, 2], fate: Fate::Published }];
    let row = Table::new(&[4], Some(0), exact(3)).unwrap();
    let audit = row.audit(&[1, 1, 2, 9], &|_| vec![], &earlier).unwrap();
    assert_eq!(audit.bands, [0..2, 2..3, 3..4]);
    assert_eq!(cells(&audit), "c c 9 13");
    assert_eq!(proof(&audit).promise(), Promise::KnowsThresholds, "other tables would have merged otherwise");
}

/// L2: a group where everyone is in one category. The zeros beside it say so as well.
#[test]
fn a_marked_zero_is_withheld_with_a_partner() {
    let terms = Terms { nobody: Nobody::MayBeWithheld, ..exact(5) };
    let row = Table::new(&[2], None, terms).unwrap();
    let audit = row.audit(&[10, 0], &|_| vec![1], &[]).unwrap();
    assert_eq!(cells(&audit), "c c 10");
    let shown = Table::new(&[2], None, exact(5)).unwrap();
    assert_eq!(shown.audit(&[10, 0], &|_| vec![1], &[]).unwrap_err(), Unfit::ZeroWithheld);
}

/// A large cell that another rule marks (one contributor has most of it) is protected like a small one.
#[test]
fn a_marked_count_is_primary() {
    let row = Table::new(&[3], None, exact(5)).unwrap();
    let audit = row.audit(&[10, 20, 30], &|_| vec![0], &[]).unwrap();
    assert_eq!(cells(&audit), "c 20 c 60");
    assert_eq!(proof(&audit).promise(), Promise::KnowsThresholds, "other tables cannot be marked here");
}

/// What the rules on unsafe cells mark is what is protected here.
#[test]
fn the_marks_of_the_rules_on_unsafe_cells_are_places_here() {
    let row = Table::new(&[2, 2], Some(1), exact(5)).unwrap();
    let marked = |places: &[Place]| {
        let corner = |place: &Place| place.codes() == Some(vec![Some(1), None]);
        places.iter().position(corner).into_iter().collect::<Vec<_>>()
    };
    let audit = row.audit(&[10, 11, 12, 13], &marked, &[]).unwrap();
    assert_eq!(proof(&audit).primaries().len(), 1);
    assert_eq!(cells(&audit).split(' ').nth(5), Some("c"), "the total over the second axis");
    assert_eq!(Place(vec![Some(0..2)]).codes(), None);
}

#[test]
fn what_cannot_be_audited_is_refused_before_any_count_is_read() {
    let table = |sizes: &[usize], bands| Table::new(sizes, bands, exact(5)).map(|_| ());
    assert_eq!(table(&[12, 12, 11], None), Err(Unfit::TooManyCells { cells: 13 * 13 * 12 }));
    assert_eq!(table(&[usize::MAX, 2], None), Err(Unfit::TooManyAtoms { atoms: usize::MAX }));
    assert_eq!(table(&[2], Some(1)), Err(Unfit::NoSuchAxis));
    let row = Table::new(&[2], None, exact(5)).unwrap();
    assert_eq!(row.audit(&[1], &|_| vec![], &[]).unwrap_err(), Unfit::Uneven);
    assert_eq!(row.audit(&[1, 1], &|_| vec![9], &[]).unwrap_err(), Unfit::Outside);
    assert_eq!(row.audit(&[1, u64::MAX], &|_| vec![], &[]).unwrap_err(), Unfit::CountTooLarge);
    let coarse = Terms { showing: Showing::Rounded { base: 20 }, ..exact(8) };
    let row = Table::new(&[2], None, coarse).unwrap();
    assert_eq!(row.audit(&[9, 9], &|_| vec![], &[]).unwrap_err(), Unfit::RoundsToZero);
}
