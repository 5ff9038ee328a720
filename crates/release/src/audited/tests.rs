use super::*;
use crate::audited::check::{Checked, Unsound, check};
use cairn_question::{Cell, Hash, Name, Question, Schema, TableV1};
use proptest::prelude::*;

const KEY: [u8; 32] = [7; 32];
const EXACT: AuditRule = AuditRule { min_people: 5, round_to: 1 };
const ROUNDED: AuditRule = AuditRule { min_people: 8, round_to: 5 };

fn question(text: &str) -> Question {
    let (role, purpose) = (Name::new("national-analyst").unwrap(), Name::new("smf-reporting").unwrap());
    cairn_question::form::parse(text, &role, &purpose, Schema::smf()).unwrap()
}

/// People by sex and SIMD fifth, each in the atom of their codes; other columns have their first code.
#[derive(Clone, Debug)]
struct People(Vec<(usize, usize, u64)>);

impl People {
    fn counts(&self, joint: &Joint) -> Vec<u64> {
        let grid = joint.counted();
        let at = |column: &str, code: usize| {
            let dimension = grid.dimensions().iter().find(|d| d.column == column);
            dimension.map(|d| (column.to_owned(), d.codes[code % d.codes.len()].clone()))
        };
        let mut counts = vec![0; grid.cells()];
        for (sex, fifth, people) in &self.0 {
            let own = [at("sex", *sex), at("simd_quintile", *fifth)];
            let code = |d: &cairn_question::Dimension| {
                let known = own.iter().flatten().find(|(column, _)| *column == d.column);
                known.map_or(d.codes[0].clone(), |(_, code)| code.clone())
            };
            let codes: Vec<String> = grid.dimensions().iter().map(code).collect();
            let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
            counts[grid.cell_of(&codes).unwrap()] += people;
        }
        counts
    }
}

/// Asks one question after another and checks each as an auditor would. The cells and totals that left.
fn ask(people: &People, questions: &[&str], min_cohort: u32) -> Vec<(Joint, Protected)> {
    ask_under(EXACT, people, questions, min_cohort)
}

fn ask_under(
    rule: AuditRule,
    people: &People,
    questions: &[&str],
    min_cohort: u32,
) -> Vec<(Joint, Protected)> {
    let mut kept: Vec<Kept> = Vec::new();
    let mut all = Vec::new();
    for text in questions {
        let joint = Joint::new(&question(text), &kept, rule, Schema::smf()).unwrap();
        let salting = Salting { key: &KEY, question: text.as_bytes() };
        let protected = protect(&joint, &people.counts(&joint), (rule, min_cohort), salting);
        let left = left(&joint, &protected);
        let file = protected.table.witnesses.as_deref().map(|bytes| (bytes, Hash::of(bytes)));
        let found = check(&protected.table.kept, &kept, &left, file).unwrap();
        assert_eq!(found == Checked::Whole, file.is_none(), "{text}");
        kept.push(Kept::read(&protected.table.kept.to_json()).unwrap());
        all.push((joint, protected));
    }
    all
}

fn left(joint: &Joint, protected: &Protected) -> TableV1 {
    let (cells, totals) = protected.cells.split_at(joint.grid().cells());
    TableV1 { dimensions: joint.grid().dimensions().to_vec(), cells: cells.to_vec(), totals: totals.to_vec() }
}

fn marks(protected: &Protected) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Value(value) => value.to_string(),
        _ => "c".to_owned(),
    };
    protected.cells.iter().map(cell).collect::<Vec<_>>().join(" ")
}

fn check_marks(people: &[(usize, usize, u64)], questions: &[&str], expected: &[&str]) {
    check_marks_under(EXACT, people, questions, expected);
}

fn check_marks_under(rule: AuditRule, people: &[(usize, usize, u64)], questions: &[&str], expected: &[&str]) {
    let all = ask_under(rule, &People(people.to_vec()), questions, 0);
    assert_eq!(all.iter().map(|(_, p)| marks(p)).collect::<Vec<_>>(), expected, "{questions:?}");
}

#[test]
fn exact_counts_leave_with_their_totals_and_small_ones_do_not() {
    check_marks(&[(0, 0, 40), (1, 0, 30)], &["people by sex"], &["40 30 0 70"]);
    // One withheld cell beside a total would follow from it: another is withheld with it.
    check_marks(&[(0, 0, 40), (1, 0, 30), (2, 0, 3)], &["people by sex"], &["40 c c 73"]);
    check_marks(&[(0, 0, 3)], &["people by sex"], &["c 0 0 c"]);
    check_marks(&[], &["people by sex"], &["0 0 0 0"]);
}

#[test]
fn rounded_counts_leave_with_their_rounded_totals_and_small_ones_stay_open() {
    let check = |people: &[_], questions: &[&str], expected: &[&str]| {
        check_marks_under(ROUNDED, people, questions, expected);
    };
    check(&[(0, 0, 41), (1, 0, 28)], &["people by sex"], &["40 30 0 70"]);
    // 40 and [c] of 45: the small count may be 1 to 7, so that nothing else is withheld.
    check(&[(0, 0, 41), (1, 0, 3)], &["people by sex"], &["40 c 0 45"]);
    // 10, 10 and [c] of 15 would be 8, 8 and 1: another is withheld, and the smaller question says no more.
    let few = [(0, 0, 8), (1, 0, 8), (2, 0, 1)];
    check(&few, &["people by sex", "people"], &["c 10 c 15", "15"]);
    check(&few, &["people", "people by sex"], &["15", "c 10 c 15"]);
    check(&[(0, 0, 3)], &["people by sex"], &["c 0 0 c"]);
    check(&[], &["people by sex"], &["0 0 0 0"]);
}

/// Exact counts would show the two others; rounded ones leave them open, and both tables are shown.
#[test]
fn the_few_between_two_rounded_tables_stay_open_without_a_withheld_cell() {
    let people = [(0, 0, 98), (0, 1, 2), (1, 0, 50), (1, 1, 50)];
    let all = ask_under(
        ROUNDED,
        &People(people.to_vec()),
        &["people by sex", "people by sex where simd_quintile = 1"],
        0,
    );
    assert_eq!((all[0].1.cells[0], all[1].1.cells[0]), (Cell::Value(100), Cell::Value(100)));
    let few: cairn_disclosure::audit::WitnessFile =
        serde_json::from_slice(all[1].1.table.witnesses.as_deref().unwrap()).unwrap();
    assert!(few.watched > 0, "the two others are among those who must not be worked out");
}

#[test]
fn what_was_kept_of_an_exact_table_reads_as_it_did_before_tables_were_rounded() {
    let people = People(vec![(0, 0, 40), (1, 0, 30)]);
    let kept = |rule| {
        let all = ask_under(rule, &people, &["people by sex"], 0);
        String::from_utf8(all[0].1.table.kept.to_json()).unwrap()
    };
    assert!(!kept(EXACT).contains("round_to"));
    assert!(kept(ROUNDED).contains("\"round_to\":5"));
}

#[test]
fn a_later_table_shows_what_an_earlier_one_showed_and_nothing_that_it_withheld() {
    let people = [(0, 0, 40), (1, 0, 30), (2, 1, 3), (0, 1, 20)];
    let asked = ["people by sex", "people by sex, simd_quintile", "people by sex"];
    let all = ask(&People(people.to_vec()), &asked, 0);
    let [first, second, third] = all.as_slice() else { panic!() };
    assert_eq!(marks(&first.1), marks(&third.1));
    // Totals over fifths are the cells of the first table.
    let grid = second.0.grid();
    let totals: Vec<Cell> = grid
        .places()
        .iter()
        .zip(&second.1.cells)
        .filter(|(place, _)| place[0].is_some() && place[1].is_none())
        .map(|(_, cell)| *cell)
        .collect();
    assert_eq!(totals, first.1.cells[..3]);
}

#[test]
fn the_few_that_two_tables_differ_by_are_not_shown() {
    // 98 of 100 women are in the first fifth: beside the table of all, the one of that fifth would show the two others.
    let people = [(0, 0, 98), (0, 1, 2), (1, 0, 50), (1, 1, 50)];
    let fifth = "people by sex where simd_quintile = 1";
    let all = ask(&People(people.to_vec()), &["people by sex", fifth], 0);
    assert_eq!(all[0].1.cells[0], Cell::Value(100));
    assert_eq!(all[1].1.cells[0], Cell::Withheld);
    // And the other way about: what left first stays, and the total is withheld.
    let all = ask(&People(people.to_vec()), &[fifth, "people by sex"], 0);
    assert_eq!((all[0].1.cells[0], all[1].1.cells[0]), (Cell::Value(98), Cell::Withheld));
}

#[test]
fn a_filter_that_leaves_out_a_few_withholds_everything() {
    let people = People(vec![(0, 0, 98), (0, 1, 2), (1, 0, 50)]);
    let fifth = ["people by sex where simd_quintile = 1"];
    assert_eq!(marks(&ask(&people, &fifth, 3)[0].1), "c c c c");
    assert_eq!(marks(&ask(&people, &fifth, 2)[0].1), "98 50 0 148");
}

#[test]
fn counts_that_are_not_those_that_left_withhold_everything() {
    let people = People(vec![(0, 0, 40), (1, 0, 30)]);
    let kept: Vec<Kept> =
        ask(&people, &["people by sex"], 0).into_iter().map(|(_, p)| p.table.kept).collect();
    let joint = Joint::new(&question("people by simd_quintile"), &kept, EXACT, Schema::smf()).unwrap();
    let salting = Salting { key: &KEY, question: b"q" };
    let mut counts = people.counts(&joint);
    assert_eq!(marks(&protect(&joint, &counts, (EXACT, 0), salting)), "70 0 0 0 0 0 70");
    counts[0] += 6;
    assert!(protect(&joint, &counts, (EXACT, 0), salting).cells.iter().all(|c| *c == Cell::Withheld));
    // What was rounded is held against what it was rounded to.
    let kept: Vec<Kept> =
        ask_under(ROUNDED, &people, &["people by sex"], 0).into_iter().map(|(_, p)| p.table.kept).collect();
    let joint = Joint::new(&question("people by simd_quintile"), &kept, ROUNDED, Schema::smf()).unwrap();
    let mut counts = people.counts(&joint);
    assert_eq!(marks(&protect(&joint, &counts, (ROUNDED, 0), salting)), "70 0 0 0 0 0 70");
    counts[0] += 6;
    assert!(protect(&joint, &counts, (ROUNDED, 0), salting).cells.iter().all(|c| *c == Cell::Withheld));
}

#[test]
fn what_is_too_large_is_known_before_anything_is_counted() {
    let too_many =
        |text: &str, kept: &[Kept]| Joint::new(&question(text), kept, EXACT, Schema::smf()).unwrap_err();
    let wide = "people by council_code, simd_quintile, age_band, sex";
    assert_eq!(too_many(wide, &[]), TooMany::Alone);
    assert_eq!(
        too_many("people in engagements by start_date@quarter from 2024-Q1 to 2024-Q4", &[]),
        TooMany::Columns
    );
    let people = People(vec![(0, 0, 40)]);
    let asked = ["people by council_code, simd_quintile", "people by age_band, gender, sex"];
    let kept: Vec<Kept> = ask(&people, &asked[..1], 0).into_iter().map(|(_, p)| p.table.kept).collect();
    assert_eq!(too_many(asked[1], &kept), TooMany::Together);
}

#[test]
fn a_spoilt_record_is_told_from_a_sound_one() {
    let people = People(vec![(0, 0, 40), (1, 0, 30), (2, 0, 3)]);
    let all = ask(&people, &["people by sex", "people by simd_quintile"], 0);
    let [(joint, one), (_, two)] = all.as_slice() else { panic!() };
    let (kept, table) = (&one.table.kept, left(joint, one));
    let bytes = one.table.witnesses.clone().unwrap();
    let hash = Hash::of(&bytes);
    let says = |kept: &Kept, earlier: &[Kept], left: &TableV1, file: Option<(&[u8], Hash)>| {
        check(kept, earlier, left, file).unwrap_err()
    };
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(says(kept, &[], &table, Some((&changed, hash))), Unsound::Changed);
    assert_eq!(says(kept, &[], &table, None), Unsound::OtherTable);
    let mut shown = table.clone();
    shown.cells[2] = Cell::Value(3);
    assert_eq!(says(kept, &[], &shown, Some((&bytes, hash))), Unsound::OtherTable);
    let mut both = kept.clone();
    both.cells[2] = Cell::Value(3);
    assert!(matches!(says(&both, &[], &shown, Some((&bytes, hash))), Unsound::Unproven(_)));
    let other = two.table.kept.clone();
    assert_eq!(says(kept, &[other], &table, Some((&bytes, hash))), Unsound::OtherLayout);
    let file = two.table.witnesses.clone().unwrap();
    assert_eq!(says(kept, &[], &table, Some((&file, Hash::of(&file)))), Unsound::OtherLayout);
}

#[test]
fn a_table_does_not_depend_on_how_its_question_is_written() {
    let people = People(vec![(0, 0, 40), (1, 1, 3), (2, 0, 7), (0, 1, 1)]);
    let one = ask(&people, &["people by sex, simd_quintile"], 0);
    let two = ask(&people, &["people by simd_quintile, sex"], 0);
    assert_eq!(marks(&one[0].1), marks(&two[0].1));
    assert_eq!(one[0].0.grid(), two[0].0.grid());
}

fn some_people() -> impl Strategy<Value = People> {
    let count = prop_oneof![3 => 0..5_u64, 2 => 5..12_u64, 1 => 12..90_u64];
    prop::collection::vec((0..3_usize, 0..6_usize, count), 0..12).prop_map(People)
}

fn some_questions() -> impl Strategy<Value = Vec<&'static str>> {
    let all = vec![
        "people by sex",
        "people by simd_quintile",
        "people by sex, simd_quintile",
        "people by sex where simd_quintile = 1",
        "people by simd_quintile where sex = female",
        "people by sex where simd_quintile = 2",
        "people by simd_quintile where sex = male",
    ];
    prop::sample::subsequence(all, 1..5).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Each rounded table is borne out beside all before it, no cell with 1 to 7 people is shown, and every other that is shown is
    /// rounded as plain ones are.
    #[test]
    fn every_sequence_of_rounded_tables_is_borne_out(people in some_people(), questions in some_questions()) {
        for (text, (joint, protected)) in questions.iter().zip(ask_under(ROUNDED, &people, &questions, 0)) {
            let asked = question(text);
            for (place, cell) in joint.grid().places().iter().zip(&protected.cells) {
                let Cell::Value(value) = cell else { continue };
                let inside = members(&asked, joint.grid(), place);
                let is_in = |sex: usize, fifth: usize| inside.contains(&(sex, fifth));
                let count: u64 = people.0.iter().filter(|(s, f, _)| is_in(*s, *f)).map(|(_, _, n)| n).sum();
                prop_assert!(count == 0 || count >= 8, "{text} {count}");
                let rounded = i64::try_from(cairn_disclosure::round_half_up(count, 5)).unwrap();
                prop_assert_eq!(*value, rounded);
            }
        }
    }

    /// Each table is borne out beside all before it, and no cell with 1 to 4 people, nor the few between two nested cells of any two
    /// tables, is shown.
    #[test]
    fn no_sequence_of_tables_shows_a_few(people in some_people(), questions in some_questions()) {
        let all = ask(&people, &questions, 0);
        let mut shown: Vec<(Vec<(usize, usize)>, i64)> = Vec::new();
        for (text, (joint, protected)) in questions.iter().zip(&all) {
            let asked = question(text);
            let grid = joint.grid();
            for (place, cell) in grid.places().iter().zip(&protected.cells) {
                let Cell::Value(value) = cell else { continue };
                shown.push((members(&asked, grid, place), *value));
            }
        }
        for (one, people) in &shown {
            prop_assert!(!(1..5).contains(people), "{questions:?} {people}");
            for (other, more) in shown.iter().filter(|(other, _)| one.iter().all(|m| other.contains(m))) {
                let few = *people > 0 && (1..5).contains(&(more - people));
                prop_assert!(!few, "{questions:?} {people} of {more} in {other:?}");
            }
        }
    }
}

/// The pairs of sex and fifth that a place counts, worked out from the question by itself.
fn members(
    asked: &Question,
    grid: &cairn_question::Grid,
    place: &cairn_question::Place,
) -> Vec<(usize, usize)> {
    let schema = Schema::smf();
    let codes = |column: &str| {
        let found = schema.find("participants", column).unwrap();
        schema.codes_at(found.column, "code").unwrap()
    };
    let keeps = |column: &str, code: &str| {
        let filter = asked.filter_by.iter().filter(|f| f.column == column).all(|f| f.value == code);
        let axis = grid.dimensions().iter().position(|d| d.column == column);
        let own = axis.and_then(|axis| place[axis].map(|at| grid.dimensions()[axis].codes[at].clone()));
        filter && own.is_none_or(|own| own == code)
    };
    let fifths = codes("simd_quintile");
    let sexes = codes("sex");
    let pair = |sex: usize, fifth: usize| keeps("sex", &sexes[sex]) && keeps("simd_quintile", &fifths[fifth]);
    let all = (0..sexes.len()).flat_map(|sex| (0..fifths.len()).map(move |fifth| (sex, fifth)));
    all.filter(|(sex, fifth)| pair(*sex, *fifth)).collect()
}
