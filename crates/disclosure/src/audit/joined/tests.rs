use super::*;
use crate::audit::effort::Effort;
use crate::audit::solve::Microlp;
use crate::audit::{Nobody, Promise, Showing, Table, Whole, Witness, suppress_within};
use crate::unsafe_cells::{Limits, Margins, Reason, primary};
use cairn_question::{Dimension, Grid};
use proptest::prelude::*;

mod rounded;

const TERMS: Terms = Terms { threshold: 5, nobody: Nobody::AlwaysShown, showing: Showing::Exact };

/// Rows by columns with all totals, in the order of the grid's places.
fn cells(rows: usize, columns: usize) -> (Grid, Vec<Asked>) {
    let axis = |name: &str, size: usize| {
        let codes = (0..size).map(|n| n.to_string()).collect();
        Dimension { column: name.to_owned(), grain: "code".to_owned(), codes }
    };
    let grid = Grid::new(vec![axis("a", rows), axis("b", columns)]).unwrap();
    let members = |place: &Vec<Option<usize>>| {
        let here = |atom: &usize| {
            place[0].is_none_or(|row| row == atom / columns) && place[1].is_none_or(|c| c == atom % columns)
        };
        (0..rows * columns).filter(here).collect()
    };
    let asked = |place| Asked { members: members(place), totals: 0 };
    let all = grid.places().iter().map(asked).collect();
    (grid, all)
}

#[test]
fn a_cell_that_left_earlier_keeps_its_fate() {
    let atoms = |members: &[usize]| members.to_vec();
    let own = [Asked { members: atoms(&[0]), totals: 0 }, Asked { members: atoms(&[0, 1]), totals: 1 }];
    let left = |members: &[usize], mark| Left { members: atoms(members), mark, marked: Marked::No };
    let earlier = [left(&[1, 0], Mark::Published), left(&[2], Mark::Withheld), left(&[2], Mark::Withheld)];
    let joined = Joined::new(3, &own, &earlier, TERMS).unwrap();
    assert_eq!(joined.fates, [Fate::Free { want: 0 }, Fate::Published, Fate::Withheld]);
    assert_eq!((joined.own(), joined.layout().cells()), (&[0, 1][..], 3));
    assert_eq!((joined.place(&[2]), joined.place(&[0, 2])), (Some(2), None));
    assert_eq!(joined.people(&[4, 5, 6]), [4, 9]);
}

#[test]
fn the_few_between_two_cells_mark_the_one_that_has_not_left() {
    let check = |mark: Option<Mark>, expected: &[usize]| {
        let own = [Asked { members: vec![0], totals: 0 }, Asked { members: vec![0, 1], totals: 1 }];
        let left = |mark| Left { members: vec![0], mark, marked: Marked::No };
        let earlier: Vec<Left> = mark.map(left).into_iter().collect();
        let joined = Joined::new(2, &own, &earlier, TERMS).unwrap();
        assert_eq!(joined.by_difference(&[20, 3]), expected);
        assert_eq!(joined.by_difference(&[20, 5]), [] as [usize; 0]);
        assert_eq!(joined.by_difference(&[0, 3]), [] as [usize; 0]);
    };
    check(None, &[0]);
    check(Some(Mark::Withheld), &[0]);
    check(Some(Mark::Published), &[1]);
}

#[test]
fn an_audit_whose_work_is_used_up_withholds_everything_and_equal_work_comes_to_an_equal_end() {
    let counts = [9, 1, 2, 3, 8, 1, 4, 2, 11, 1, 6, 3];
    let (_, own) = cells(4, 3);
    let joined = Joined::new(12, &own, &[], TERMS).unwrap();
    let within = |units: u64| {
        let effort = Effort::new(units);
        suppress_within(&joined.layout, &counts, &[], (&Microlp, &effort), None).unwrap()
    };
    assert!(matches!(within(1_000), Outcome::Whole(Whole::NoWitness)));
    let cells = |outcome: Outcome| match outcome {
        Outcome::Audited(audited) => audited.cells().to_vec(),
        whole @ Outcome::Whole(_) => panic!("{whole:?}"),
    };
    assert_eq!(cells(within(50_000_000)), cells(within(50_000_000)));
    // A table by itself comes out as one that is audited alone.
    let alone = Table::new(&[4, 3], None, TERMS).unwrap();
    assert!(matches!(alone.audit(&counts, &|_| vec![], &[]).unwrap().outcome, Outcome::Audited(_)));
}

/// Whoever runs the algorithm runs all of it: a table in which a small difference marks a cell may give another pattern.
#[test]
fn the_algorithm_is_not_run_on_tables_that_another_rule_marks() {
    let single = (0..3).map(|atom| Asked { members: vec![atom], totals: 0 });
    let total = Asked { members: vec![0, 1, 2], totals: 1 };
    let own: Vec<Asked> = single.chain([total]).collect();
    let joined = Joined::new(3, &own, &[], TERMS).unwrap();
    let mut said = 0;
    for counts in [[9, 3, 3], [12, 4, 2], [20, 4, 4], [7, 4, 3], [6, 1, 4], [30, 30, 3]] {
        let Outcome::Audited(of) = joined.audit(&counts, &[]).unwrap() else { panic!("{counts:?}") };
        let against = |w: &&Witness| w.against == Promise::KnowsAlgorithm;
        for table in of.witnesses().iter().filter(against).flat_map(|w| [w.low, w.high]) {
            let table: Vec<u64> = of.tables()[table].iter().map(|n| u64::try_from(*n).unwrap()).collect();
            assert!(joined.by_difference(&table).is_empty(), "{counts:?} {table:?}");
            said += 1;
        }
    }
    assert!(said > 0, "no table of these has the promise");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Of a table by itself, small differences mark the cells of rule L3 and no others.
    #[test]
    fn by_difference_is_rule_l3(counts in prop::collection::vec(prop_oneof![0..7_u64, 0..40_u64], 12)) {
        let (grid, own) = cells(4, 3);
        let joined = Joined::new(12, &own, &[], TERMS).unwrap();
        let margins = Margins::summed(&grid, &counts).unwrap();
        let marks = primary(&margins, Limits { min_people: 5, min_base: 0 }, &[]);
        let few = joined.by_difference(&counts);
        for (at, place) in grid.places().iter().enumerate() {
            let complement = marks.reasons(place).any(|reason| reason == Reason::Complement);
            prop_assert_eq!(few.contains(&joined.own()[at]), complement, "{:?}", place);
        }
    }
}
