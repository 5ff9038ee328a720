//! What holds of every release, held against every table there is or against many random ones.

use super::*;
use proptest::prelude::*;

/// Random tables of a shape: each is released with a proof that a second reader accepts, or not at all.
fn check(sizes: &[usize], seeds: std::ops::Range<u64>) {
    let table = Table::new(sizes, None, exact(5)).unwrap();
    let mut proven = 0;
    for seed in seeds.clone() {
        let counts = Random(seed).table(sizes.iter().product());
        let audit = table.audit(&counts, &|_| vec![], &[]).unwrap();
        if let Outcome::Audited(of) = &audit.outcome {
            recheck(&audit);
            bears_out(&audit, of, &counts);
            proven += 1;
        }
    }
    // Free cells can all be withheld, and what is withheld has no upper bound: there is always a pattern.
    assert_eq!(proven, seeds.end - seeds.start, "{sizes:?}");
}

/// The same as the check, written another way: by the places of the grid and not by members.
fn bears_out(audit: &Audit, of: &Audited, counts: &[u64]) {
    let small: Vec<usize> =
        (0..audit.places.len()).filter(|&c| (1..5).contains(&value(audit, c, counts))).collect();
    let ones: Vec<usize> = small.iter().copied().filter(|&c| value(audit, c, counts) == 1).collect();
    for table in of.tables() {
        let table: Vec<u64> = table.iter().map(|&n| u64::try_from(n).unwrap()).collect();
        for (cell, shown) in of.cells().iter().enumerate() {
            let here = i64::try_from(value(audit, cell, &table)).unwrap();
            match shown {
                Cell::Value(shown) => assert_eq!(*shown, here),
                _ => assert!(here >= 1),
            }
        }
    }
    for &cell in &small {
        assert_eq!(of.cells()[cell], Cell::Withheld);
        assert!(spread(audit, of, cell, None) >= 2, "cell {cell} from outside");
        for &one in ones.iter().filter(|&&one| !same_people(audit, one, cell, counts)) {
            assert!(spread(audit, of, cell, Some(one)) >= 1, "cell {cell} for the person of {one}");
        }
    }
}

/// How far the witness tables differ in a cell, among those in which `one` has one person.
fn spread(audit: &Audit, of: &Audited, cell: usize, one: Option<usize>) -> u64 {
    let tables = of.tables().iter().map(|t| t.iter().map(|&n| u64::try_from(n).unwrap()).collect::<Vec<_>>());
    let fitting = tables.filter(|t| one.is_none_or(|one| value(audit, one, t) == 1));
    let values: Vec<u64> = fitting.map(|t| value(audit, cell, &t)).collect();
    values.iter().max().zip(values.iter().min()).map_or(0, |(most, fewest)| most - fewest)
}

#[test]
fn no_primary_cell_of_a_6_by_4_table_can_be_worked_out() {
    check(&[6, 4], 0..60);
}

#[test]
fn no_primary_cell_of_an_8_by_3_table_can_be_worked_out() {
    check(&[8, 3], 0..60);
}

#[test]
fn no_primary_cell_of_a_4_by_3_by_3_table_can_be_worked_out() {
    check(&[4, 3, 3], 0..25);
}

/// Every 2×2 table of these counts, against every table of whole numbers that its release allows.
#[test]
fn witnesses_agree_with_all_integer_tables() {
    let table = Table::new(&[2, 2], None, exact(5)).unwrap();
    for code in 0..5_usize.pow(4) {
        let counts: Vec<u64> = (0..4).map(|at| [0, 1, 2, 4, 7][code / 5_usize.pow(at) % 5]).collect();
        let audit = table.audit(&counts, &|_| vec![], &[]).unwrap();
        let of = proof(&audit);
        let all = allowed(&audit, of, 10);
        assert!(all.contains(&counts), "{counts:?}");
        for &cell in of.primaries() {
            let values = all.iter().map(|t| value(&audit, cell, t));
            let (fewest, most) = (values.clone().min().unwrap(), values.max().unwrap());
            assert!(most - fewest >= 2, "{counts:?} cell {cell}");
        }
        for witness in of.tables().iter().filter(|t| t.iter().all(|&n| n <= 10)) {
            let witness: Vec<u64> = witness.iter().map(|&n| u64::try_from(n).unwrap()).collect();
            assert!(all.contains(&witness), "{counts:?} {witness:?}");
        }
    }
}

/// Where a release is said to withstand a reader who runs the algorithm: run it on every table that the release allows.
#[test]
fn a_reader_who_runs_the_algorithm_is_left_with_two_tables() {
    let table = Table::new(&[3], None, exact(5)).unwrap();
    let mut withstood = 0;
    for code in 0..4_usize.pow(3) {
        let counts: Vec<u64> = (0..3).map(|at| [1, 3, 4, 6][code / 4_usize.pow(at) % 4]).collect();
        let audit = table.audit(&counts, &|_| vec![], &[]).unwrap();
        if proof(&audit).promise() == Promise::KnowsAlgorithm {
            let spread = spread_over_same_pattern(&audit, &counts, 8);
            assert!(spread.iter().all(|width| *width >= WIDTH), "{counts:?} {spread:?}");
            withstood += 1;
        }
    }
    assert!(withstood > 16, "{withstood} of 64");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Another order of the categories is another order of work: the pattern may differ, the promise may not be lost.
    #[test]
    fn order_does_not_decide_who_is_protected(
        rows in Just((0..5).collect::<Vec<usize>>()).prop_shuffle(),
        columns in Just((0..4).collect::<Vec<usize>>()).prop_shuffle(),
        seed in 0..1_000_u64,
    ) {
        let counts = Random(seed).table(20);
        let turned: Vec<u64> =
            rows.iter().flat_map(|&r| columns.iter().map(move |&c| r * 4 + c)).map(|at| counts[at]).collect();
        let table = Table::new(&[5, 4], None, exact(5)).unwrap();
        let [straight, other] = [&counts, &turned].map(|c| table.audit(c, &|_| vec![], &[]).unwrap());
        recheck(&straight);
        recheck(&other);
        bears_out(&straight, proof(&straight), &counts);
        bears_out(&other, proof(&other), &turned);
        prop_assert_eq!(proof(&straight).primaries().len(), proof(&other).primaries().len());
    }

    /// Whatever the counts: no panic, equal results for equal arguments, and a proof that a second reader accepts.
    #[test]
    fn any_table_is_audited_the_same_way_twice(counts in prop::collection::vec(0..9_u64, 12), t in 2..9_u64, base in 1..4_u32) {
        for showing in [Showing::Exact, Showing::Rounded { base }] {
            let table = Table::new(&[3, 4], Some(1), Terms { showing, ..exact(t) }).unwrap();
            let [one, two] = [(); 2].map(|()| table.audit(&counts, &|_| vec![], &[]));
            match (one, two) {
                (Ok(one), Ok(two)) => {
                    prop_assert_eq!(&one.bands, &two.bands);
                    if let (Outcome::Audited(a), Outcome::Audited(b)) = (&one.outcome, &two.outcome) {
                        prop_assert_eq!(a.file([1; 32]), b.file([1; 32]));
                        recheck(&one);
                    }
                }
                (Err(one), Err(two)) => prop_assert_eq!(one, two),
                _ => prop_assert!(false, "one of the two"),
            }
        }
    }
}
