use super::*;
use cairn_question::answer::{AnswerV1, PrivacyStatement, SnapshotStatement, TableV1, TreatmentV1};
use cairn_question::privacy::NanoRho;
use proptest::prelude::*;

mod complements;

const RULE: Rule = Rule { min_people: 8, round_to: 5, zeros: Zeros::Show, min_cohort: 0 };

fn words(cells: &[Cell]) -> String {
    let word = |c: &Cell| match c {
        Cell::Value(v) => v.to_string(),
        Cell::Withheld => "c".to_owned(),
        Cell::NotAnswered => "x".to_owned(),
    };
    cells.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().map(|n| n.parse().unwrap()).collect()
}

fn check(people: &str, rule: Rule, shown: &str) {
    let people = numbers(people);
    let cells = suppress_round(&Counts::new(&people, None, &[]).unwrap(), &rule);
    assert_eq!(words(&cells), shown, "{people:?} under {rule:?}");
}

fn check_rows(people: &str, rows: &str, shown: &str) {
    let (people, rows) = (numbers(people), numbers(rows));
    let cells = suppress_round(&Counts::new(&people, Some(&rows), &[]).unwrap(), &RULE);
    assert_eq!(words(&cells), shown, "{people:?} with rows {rows:?}");
}

fn check_cohort(left_out: &str, min_cohort: u32, shown: &str) {
    let (people, left_out) = (numbers("0 20 3"), numbers(left_out));
    let cells = suppress_round(&Counts::new(&people, None, &left_out).unwrap(), &Rule { min_cohort, ..RULE });
    assert_eq!(words(&cells), shown, "{left_out:?} under {min_cohort}");
}

#[test]
fn small_counts_are_withheld_and_the_others_rounded_half_up() {
    check("0 1 7 8 9 10 11 12 13 17 18 22 23", RULE, "0 c c 10 10 10 10 10 15 15 20 20 25");
    check("0 1 7 8", Rule { zeros: Zeros::Withhold, ..RULE }, "c c c 10");
    check("9 10 14 15 24 25", Rule { min_people: 10, round_to: 10, ..RULE }, "c 10 10 20 20 30");
    check("7 8 9 10 11", Rule { round_to: 4, ..RULE }, "c 8 8 12 12");
    check("7 8 9", Rule { round_to: 1, ..RULE }, "c 8 9");
    check("7 8 9", Rule { round_to: 0, ..RULE }, "c 8 9");
    check("", RULE, "");
    check("18446744073709551615", RULE, "9223372036854775807");
}

#[test]
fn the_fixture_of_the_rounding_rule_holds() {
    // count, base, rounded: made by hand from "the nearest multiple; halfway goes up".
    for line in include_str!("../../tests/fixtures/round_half_up.csv").lines().skip(1) {
        let figures: Vec<u64> = line.split(',').map(|n| n.parse().unwrap()).collect();
        let base = u32::try_from(figures[1]).unwrap();
        assert_eq!(round_half_up(figures[0], base), figures[2], "{line}");
    }
}

#[test]
fn rows_are_shown_only_where_enough_people_have_them() {
    // Five rows of one person are one person.
    check_rows("1 7 8 0", "40 40 40 0", "c c 40 0");
    check_rows("8 10", "13 12", "15 10");
    // Counts that contradict each other are withheld, never shown.
    check_rows("0 9 9", "12 0 7", "c c c");
    assert_eq!(Counts::new(&[1, 2], Some(&[1]), &[]).unwrap_err(), Uneven);
}

#[test]
fn a_filter_that_leaves_out_a_few_withholds_the_whole_table() {
    check_cohort("", 10, "0 20 c");
    check_cohort("0 0", 10, "0 20 c");
    check_cohort("0 10", 10, "0 20 c");
    check_cohort("0 9", 10, "c c c");
    check_cohort("1 0", 10, "c c c");
    check_cohort("1 5", 0, "0 20 c");
    check_cohort("1", 1, "0 20 c");
}

#[test]
fn a_base_that_would_show_people_as_nobody_is_no_rule() {
    let rule = |k, b| Rule::new(k, b, Zeros::Show).is_ok();
    assert!(rule(8, 5) && rule(8, 16) && rule(1, 2) && rule(0, 100));
    assert!(!rule(8, 17) && !rule(1, 3) && !rule(2, 13));
    assert_eq!(
        Rule::new(2, 13, Zeros::Show).unwrap_err().to_string(),
        "rounding to 13 would show 2 people as 0"
    );
}

#[test]
fn counts_never_show_in_debug() {
    let people = [41_u64, 42];
    assert_eq!(format!("{:?}", Counts::new(&people, None, &[]).unwrap()), "Counts(2 cells withheld)");
}

fn answer(cells: Vec<Cell>, rule: &Rule) -> AnswerV1 {
    AnswerV1 {
        table: TableV1 { dimensions: vec![], cells, totals: vec![] },
        treatment: TreatmentV1::SuppressRound {
            profile: "test".into(),
            min_people: rule.min_people,
            round_to: rule.round_to,
            zeros: rule.zeros,
            min_cohort: rule.min_cohort,
            rows_per_person: 1,
            promise: None,
        },
        snapshot: SnapshotStatement {
            as_of: "2026-03-31".parse().unwrap(),
            edition: 1,
            templates: vec![],
            notes: vec![],
            provisional: false,
        },
        privacy: PrivacyStatement {
            unit: "person".into(),
            charged: NanoRho::ZERO,
            year_so_far: NanoRho::ZERO,
            year_cap: NanoRho::ZERO,
        },
    }
}

fn shown(people: &[u64], rule: &Rule) -> Vec<Cell> {
    suppress_round(&Counts::new(people, None, &[]).unwrap(), rule)
}

fn rules() -> impl Strategy<Value = Rule> {
    let zeros = prop_oneof![Just(Zeros::Show), Just(Zeros::Withhold)];
    (2_u32..40, 1_u32..30, zeros).prop_filter_map("rounds to 0", |(min_people, round_to, zeros)| {
        Rule::new(min_people, round_to, zeros).ok()
    })
}

proptest! {
    /// What a reader is told a cell stands for holds the count it was made from.
    #[test]
    fn a_cells_range_holds_its_count(rule in rules(), mut people in prop::collection::vec(0_u64..200, 1..20)) {
        // A count that is shown, so that the table is not wholly withheld and every range is the narrow one.
        people.push(100);
        let ranges = answer(shown(&people, &rule), &rule).ranges();
        for (count, range) in people.iter().zip(ranges) {
            let (count, range) = (i64::try_from(*count).unwrap(), range.unwrap());
            prop_assert!(range.least <= count && range.most.is_none_or(|most| count <= most), "{count} {range:?}");
        }
    }

    /// No cell with 1 to k−1 people is ever told from another such cell.
    #[test]
    fn all_small_counts_look_alike(rule in rules(), count in 1_u64..40) {
        prop_assume!(count < u64::from(rule.min_people));
        prop_assert_eq!(shown(&[count], &rule), vec![Cell::Withheld]);
    }

    /// A person less changes that person's cell only, and a shown value by at most one base.
    #[test]
    fn one_person_less_changes_one_cell_by_at_most_one_step(
        rule in rules(),
        mut people in prop::collection::vec(0_u64..200, 1..20),
        at in 0_usize..20,
    ) {
        let at = at % people.len();
        prop_assume!(people[at] > 0);
        let before = shown(&people, &rule);
        people[at] -= 1;
        let after = shown(&people, &rule);
        for (n, (before, after)) in before.iter().zip(&after).enumerate() {
            match (before, after) {
                _ if n != at => prop_assert_eq!(before, after),
                (Cell::Value(b), Cell::Value(a)) => prop_assert!((0..=i64::from(rule.round_to)).contains(&(b - a))),
                // The step over the threshold, or from the last person to nobody.
                (Cell::Value(_), other) => prop_assert_eq!(*other, Cell::Withheld),
                (Cell::Withheld, Cell::Value(v)) => prop_assert_eq!(*v, 0),
                (before, after) => prop_assert_eq!(before, after),
            }
        }
    }

    /// Rounding is to a multiple, the nearest one, and never goes down as the count goes up.
    #[test]
    fn rounding_is_to_the_nearest_multiple(count in 0_u64..1 << 62, base in 1_u32..1_000) {
        let rounded = round_half_up(count, base);
        prop_assert_eq!(rounded % u64::from(base), 0);
        prop_assert!(rounded.abs_diff(count) * 2 <= u64::from(base));
        prop_assert!(round_half_up(count + 1, base) >= rounded);
    }

    /// Rows never show where people would not be, and the marks agree.
    #[test]
    fn rows_and_people_get_the_same_marks(rule in rules(), cells in prop::collection::vec((0_u64..60, 0_u64..5), 1..20)) {
        let people: Vec<u64> = cells.iter().map(|(p, _)| *p).collect();
        let rows: Vec<u64> = cells.iter().map(|(p, more)| p * (1 + more)).collect();
        let of_rows = suppress_round(&Counts::new(&people, Some(&rows), &[]).unwrap(), &rule);
        for (people, rows) in shown(&people, &rule).iter().zip(of_rows) {
            prop_assert_eq!(*people == Cell::Withheld, rows == Cell::Withheld);
        }
    }
}

/// Every table of one to three cells with up to 12 people each: what is shown is consistent with at least all of the small
/// counts of a withheld cell, so a withheld cell is never pinned down by the others.
#[test]
fn every_small_table_leaves_every_small_count_possible() {
    let counts = 0_u64..=12;
    for (a, b) in counts.clone().flat_map(|a| counts.clone().map(move |b| (a, b))) {
        let table = shown(&[a, b, 20], &RULE);
        for (at, cell) in table.iter().enumerate().filter(|(_, c)| **c == Cell::Withheld) {
            for other in 1..8 {
                let mut people = [a, b, 20];
                people[at] = other;
                assert_eq!(shown(&people, &RULE), table, "{cell:?} of {a}, {b} told from {other}");
            }
        }
    }
}
