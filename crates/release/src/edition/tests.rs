use cairn_disclosure::{Counts, Rule, suppress_round};
use cairn_policy::{Caps, Cells, Method, Quota, Secondary, Treatment, Window};
use cairn_question::answer::Zeros;
use cairn_question::privacy::NanoRho;
use cairn_question::{Name, QuestionId, Schema};
use proptest::prelude::*;

use super::*;

fn plan(question: &str) -> CountPlan {
    let name = |text: &str| Name::new(text).unwrap();
    let cells = Cells {
        profile: "sub-national-8-5".into(),
        min_people: 8,
        round_to: 5,
        zeros: Zeros::Show,
        secondary: Secondary::No,
        dominance: None,
    };
    let none = NanoRho::ZERO;
    let treatment = Treatment {
        share: name("quarterly"),
        release: "plain".into(),
        method: Method::SuppressRound(cells),
        min_partners: 1,
        window: Window { column: None, from: None, lag_days: 0 },
        min_cohort: 10,
        rows_per_person: None,
        summed: None,
        snapshot: None,
        keep: None,
        opt_out: None,
        quota: Quota { tables_per_day: 1, tables_per_year: 1, rho_per_year: None },
        caps: Caps { per_year: none, lifetime: none, year_starts_month: 4, year_starts_day: 1 },
    };
    let schema = Schema::smf();
    let question = cairn_question::form::parse(question, &name("r"), &name("p"), schema).unwrap();
    let (id, day) = (QuestionId::from_bytes([1; 32]), "2026-03-31".parse().unwrap());
    CountPlan::new(id, &question, &treatment, schema, day, [7; 32]).unwrap()
}

fn raw(plan: &CountPlan, people: &[u64], rows: Option<&[u64]>, left_out: &[u64]) -> RawTable {
    RawTable::new(plan.question_id, people.to_vec(), rows.map(<[u64]>::to_vec), left_out.to_vec())
}

/// The counts of each edition in turn, at a threshold of 8, and what the last one's table is made from.
fn check(editions: &[[u64; 4]], expected: [u64; 4]) {
    let plan = plan("people by age@broad");
    assert_eq!(plan.grid.cells(), 4);
    let mut earlier = Vec::new();
    let mut held = None;
    for people in editions {
        let table = held_against(raw(&plan, people, None, &[]), &earlier, &plan, 8).unwrap();
        let basis = Basis::of(&table, &plan).unwrap();
        assert_eq!(Basis::read(&basis.to_json()).unwrap(), basis);
        earlier.push(basis);
        held = Some(table);
    }
    assert_eq!(Numbers::of(&held.unwrap()).people, expected, "{editions:?}");
}

#[test]
fn a_change_is_of_nobody_or_of_enough_people() {
    check(&[[20, 0, 3, 9]], [20, 0, 3, 9]);
    check(&[[20, 0, 3, 9], [20, 0, 3, 9]], [20, 0, 3, 9]);
    check(&[[20, 0, 3, 9], [21, 7, 4, 2]], [20, 0, 3, 9]);
    check(&[[20, 0, 3, 9], [28, 8, 11, 1]], [28, 8, 11, 1]);
    // Small changes that add up are seen once they are large, in people and not in editions.
    check(&[[20; 4], [24; 4], [28; 4]], [28; 4]);
    check(&[[20; 4], [24; 4], [27; 4]], [20; 4]);
    // Back to within a few of an edition before the last: those two would be subtracted.
    check(&[[20; 4], [30; 4], [22; 4]], [30; 4]);
    check(&[[20; 4], [30; 4], [20; 4]], [20; 4]);
}

#[test]
fn people_exchanged_for_others_with_other_keys_are_a_small_change() {
    let plan = plan("people by age@broad");
    let table = |people: &[u64], keys: &[u64]| raw(&plan, people, None, &[]).with_keys(keys.to_vec());
    let before = Basis::of(&table(&[20; 4], &[700; 4]), &plan).unwrap();
    let again = Basis::read(&before.to_json()).unwrap();
    // As before; one person exchanged for another; one more; nine more.
    let new = table(&[20, 20, 21, 29], &[700, 650, 733, 1_600]);
    let held = Numbers::of(&held_against(new, &[again], &plan, 8).unwrap());
    assert_eq!(held.people, [20, 20, 20, 29]);
    assert_eq!(held.keys, Some(vec![700, 700, 700, 1_600]));
    // A table that was made without keys is no basis for one with them.
    let plain = Basis::of(&raw(&plan, &[20; 4], None, &[]), &plan).unwrap();
    let keyed = table(&[20; 4], &[700; 4]);
    assert_eq!(held_against(keyed, &[plain], &plan, 8).unwrap_err(), NotTheBasis);
}

#[test]
fn rows_of_one_person_are_one_person() {
    let plan = plan("starts by age@broad");
    let base = Basis::of(&raw(&plan, &[20; 4], Some(&[40; 4]), &[]), &plan).unwrap();
    let new = raw(&plan, &[20, 28, 28, 28], Some(&[45, 41, 48, 60]), &[]);
    let held = Numbers::of(&held_against(new, &[base], &plan, 8).unwrap());
    assert_eq!((held.people, held.rows), (vec![20, 20, 28, 28], Some(vec![40, 40, 48, 60])));
}

#[test]
fn equal_questions_are_held_against_each_other_whatever_the_order_of_their_words() {
    let (one, other) = (
        plan("people by sex, disabled where age = 16_19 and council = S12000042"),
        plan("people by disabled, sex where council = S12000042 and age = 16_19"),
    );
    let cells = one.grid.cells();
    let numbered: Vec<u64> = (0..).map(|n| n * 100).take(cells).collect();
    let base = Basis::of(&raw(&one, &numbered, None, &[3, 50]), &one).unwrap();
    let turned: Vec<u64> = (0..cells)
        .map(|at| {
            let codes = other.grid.codes_of(at);
            numbered[one.grid.cell_of(&[codes[1], codes[0]]).unwrap()]
        })
        .collect();
    let later: Vec<u64> = turned.iter().map(|count| count + 1).collect();
    let held = Numbers::of(&held_against(raw(&other, &later, None, &[51, 4]), &[base], &other, 8).unwrap());
    assert_eq!((held.people, held.left_out), (turned, vec![50, 3]));
}

#[test]
fn what_is_not_the_basis_lets_nothing_out() {
    let (broad, age) = (plan("people by age@broad"), plan("people by age"));
    let base = Basis::of(&raw(&broad, &[1; 4], None, &[]), &broad).unwrap();
    let cells = age.grid.cells();
    assert!(held_against(raw(&age, &vec![1; cells], None, &[]), &[base], &age, 8).is_err());
    for json in ["", "{}", r#"{"cairn_basis":2,"dimensions":[],"people":[],"rows":null,"left_out":{}}"#] {
        assert_eq!(Basis::read(json.as_bytes()), Err(NotTheBasis), "{json}");
    }
    let debug = format!("{:?}", Basis::of(&raw(&broad, &[41, 42, 43, 44], None, &[]), &broad).unwrap());
    assert_eq!(debug, "Basis(4 cells withheld)");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Late rows of a few people, and none at all, give the very same table; and of any two editions' tables no cell differs by a few.
    #[test]
    fn a_few_late_people_change_no_table(
        first in prop::array::uniform4(0..60_u64),
        later in prop::collection::vec(prop::array::uniform4(0..40_u64), 1..5),
        few in prop::array::uniform4(0..8_u64),
    ) {
        let plan = plan("people by age@broad");
        let mut earlier = vec![Basis::of(&raw(&plan, &first, None, &[]), &plan).unwrap()];
        for people in &later {
            let table = held_against(raw(&plan, people, None, &[]), &earlier, &plan, 8).unwrap();
            earlier.push(Basis::of(&table, &plan).unwrap());
        }
        for (n, one) in earlier.iter().enumerate() {
            for other in earlier.iter().skip(n + 1) {
                for (a, b) in one.people.iter().zip(&other.people) {
                    prop_assert!(a == b || a.abs_diff(*b) >= 8, "{:?} {:?}", one.people, other.people);
                }
            }
        }
        let base = earlier.pop().unwrap();
        let rule = Rule::new(8, 5, Zeros::Show).unwrap();
        let shown = |people: &[u64]| {
            let held = Numbers::of(&held_against(raw(&plan, people, None, &[]), std::slice::from_ref(&base), &plan, 8).unwrap());
            suppress_round(&Counts::new(&held.people, None, &[]).unwrap(), &rule)
        };
        let places = places(&plan.grid, &Grid::new(base.dimensions.clone()).unwrap()).unwrap();
        let before = turned(&base.people, &places).unwrap();
        let after: Vec<u64> = before.iter().zip(&few).map(|(count, few)| count + few).collect();
        prop_assert_eq!(shown(&after), shown(&before));
    }
}
