use super::*;
use cairn_policy::{Caps, Quota, Window};
use cairn_question::Name;
use cairn_question::answer::Zeros;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn question(text: &str) -> Question {
    cairn_question::form::parse(text, &name("r"), &name("p"), Schema::smf()).unwrap()
}

fn treatment(method: Method) -> Treatment {
    Treatment {
        share: name("quarterly"),
        release: "plain-table".to_owned(),
        min_partners: 1,
        summed: None,
        snapshot: None,
        keep: None,
        opt_out: None,
        method,
        window: Window { column: None, from: None, lag_days: 0 },
        min_cohort: 0,
        rows_per_person: None,
        quota: Quota { tables_per_day: 10, tables_per_year: 100, rho_per_year: None },
        caps: Caps {
            per_year: NanoRho::new(1_000_000_000),
            lifetime: NanoRho::new(5_000_000_000),
            year_starts_month: 4,
            year_starts_day: 1,
        },
    }
}

pub(crate) fn dp(groups_per_person: u32) -> Treatment {
    let epsilon = Epsilon::from_millionths(500_000).unwrap();
    treatment(Method::Dp { mechanism: Mechanism::Laplace, epsilon, groups_per_person })
}

pub(crate) fn suppress(min_people: u32, round_to: u32) -> Treatment {
    let profile = "sub-national-8-5".to_owned();
    treatment(Method::SuppressRound(cairn_policy::Cells {
        profile,
        min_people,
        round_to,
        zeros: Zeros::Show,
        secondary: cairn_policy::Secondary::No,
        dominance: None,
    }))
}

pub(crate) fn terms(text: &str, treatment: &Treatment) -> Result<Terms, ReleaseFault> {
    let as_of = "2026-03-31".parse().unwrap();
    Terms::new(QuestionId::from_bytes([1; 32]), &question(text), treatment, Schema::smf(), as_of, [0; 32])
}

fn check(text: &str, treatment: &Treatment, sensitivity: Result<u32, ReleaseFault>) {
    let found = terms(text, treatment).map(|t| match t.statement() {
        TreatmentV1::Dp { sensitivity, .. } => *sensitivity,
        TreatmentV1::SuppressRound { .. }
        | TreatmentV1::SuppressAudit { .. }
        | TreatmentV1::CellKey { .. }
        | TreatmentV1::CountOnce { .. } => 0,
    });
    assert_eq!(found, sensitivity, "{text}");
}

#[test]
fn sensitivity_is_the_bound_that_the_engine_keeps() {
    check("people by council", &dp(1), Ok(1));
    check("people by quarter from 2024-Q2 to 2025-Q1", &dp(4), Ok(4));
    check("starts by council", &Treatment { rows_per_person: Some(3), ..dp(1) }, Ok(3));
    // One row is one person.
    check("rows in participants by council", &dp(2), Ok(1));
}

fn bounded(least: u32, most: u32, rows: Option<u32>) -> Treatment {
    let summed = Some(cairn_policy::Summed { unit: "quarter-hours".to_owned(), least, most });
    Treatment { rows_per_person: rows, summed, ..dp(4) }
}

#[test]
fn the_sensitivity_of_a_sum_is_its_largest_value_for_each_row_of_a_person() {
    let sum = "sum:quarter_hours by activity_type";
    check(sum, &bounded(0, 60, Some(10)), Ok(600));
    // Rows are bounded, and groups do not make it less: all rows may lie in one cell.
    check(sum, &Treatment { method: dp(1).method, ..bounded(0, 60, Some(10)) }, Ok(600));
    check(sum, &bounded(50, 60, Some(10)), Ok(600));
    let mean = "mean:quarter_hours by activity_type";
    check(mean, &bounded(0, 60, Some(10)), Ok(300));
    check(mean, &bounded(0, 61, Some(10)), Ok(310));
    check(mean, &bounded(50, 60, Some(10)), Ok(50));
}

fn gaussian(groups_per_person: u32) -> Treatment {
    let loss = Concentrated { rho: NanoRho::new(500_000_000), delta_trillionths: 1_000_000 };
    let epsilon = Epsilon::from_millionths(5_000_000).unwrap();
    treatment(Method::Dp { mechanism: Mechanism::Gaussian(loss), epsilon, groups_per_person })
}

/// σ² = Δ₂² ÷ 2ρ, and ρ = ½ here: people √G, rows and sums all that a person may have in one cell.
#[test]
fn the_statement_under_gaussian_noise_says_rho_and_the_distance() {
    let summed = cairn_policy::Summed { unit: "quarter-hours".to_owned(), least: 0, most: 60 };
    let check = |text: &str, treatment: Treatment, says: &str| {
        let terms = terms(text, &treatment).unwrap();
        let found = serde_json::to_string(terms.statement()).unwrap();
        let loss = r#""concentrated":{"rho":500000000,"l2_squared":"#;
        assert!(found.starts_with(r#"{"method":"dp","mechanism":"discrete-gaussian","epsilon":5000000,"#));
        assert!(found.replace(loss, "").contains(says) && found.contains(loss), "{found}");
        assert_eq!(cost(&treatment), (NanoRho::new(500_000_000), None));
    };
    check("people by council", gaussian(1), r#""sensitivity":1,"plus_minus_95":2,1,"#);
    let quarters = "people by quarter from 2024-Q2 to 2025-Q1";
    check(quarters, gaussian(16), r#""sensitivity":16,"plus_minus_95":8,16,"#);
    let rows = Some(3);
    check("starts by council", Treatment { rows_per_person: rows, ..gaussian(4) }, r#""plus_minus_95":6,9,"#);
    let sums = Treatment { rows_per_person: rows, summed: Some(summed.clone()), ..gaussian(4) };
    check("sum:quarter_hours by activity_type", sums, r#""plus_minus_95":353,"added""#);
    let none = Concentrated { rho: NanoRho::ZERO, delta_trillionths: 1 };
    let epsilon = Epsilon::from_millionths(1).unwrap();
    let nothing = Method::Dp { mechanism: Mechanism::Gaussian(none), epsilon, groups_per_person: 1 };
    let contradiction = terms("people by council", &treatment(nothing)).err();
    assert_eq!(contradiction, Some(ReleaseFault::Contradiction));
}

/// An unbounded column is never taken to be bounded by 1, nor the rows of a person.
#[test]
fn an_unbounded_column_is_not_added_up() {
    for measure in ["sum", "mean"] {
        let text = format!("{measure}:quarter_hours in activities");
        check(&text, &Treatment { rows_per_person: Some(3), ..dp(1) }, Err(ReleaseFault::NoBound));
        check(&text, &bounded(0, 60, None), Err(ReleaseFault::NoBound));
        check(&text, &bounded(0, 60, Some(0)), Err(ReleaseFault::NoBound));
        // More than a person may add at most.
        check(&text, &bounded(0, u32::MAX, Some(3)), Err(ReleaseFault::NoBound));
        // Without noise there is no rule yet for sums that a few people dominate.
        let rows_per_person = Some(3);
        check(
            &text,
            &Treatment { method: suppress(8, 5).method, rows_per_person, ..bounded(0, 60, None) },
            Err(ReleaseFault::NoPlan),
        );
    }
    // Totals of an organisation are nobody's: no person's part of them is bounded.
    check("sum:spend_pence in partner_totals", &bounded(0, 60, Some(1)), Err(ReleaseFault::NoBound));
}

#[test]
fn the_statement_of_a_sum_and_of_a_mean_says_how_values_were_bounded() {
    let statement = |text: &str| {
        serde_json::to_string(terms(text, &bounded(0, 60, Some(10))).unwrap().statement()).unwrap()
    };
    assert_eq!(
        statement("sum:quarter_hours in activities"),
        r#"{"method":"dp","mechanism":"discrete-laplace","epsilon":500000,"sensitivity":600,"plus_minus_95":3595,"added":{"unit":"quarter-hours","least":0,"most":60,"rows_per_person":10}}"#
    );
    // Scale 1,200 for the sums less 30 a row, 40 for the rows: 1,200·ln 40 and 40·ln 40 are 4,427 and 148; 4,427 + 30·148 is 8,867.
    assert_eq!(
        statement("mean:quarter_hours in activities"),
        r#"{"method":"dp","mechanism":"discrete-laplace","epsilon":500000,"sensitivity":300,"plus_minus_95":8867,"added":{"unit":"quarter-hours","least":0,"most":60,"rows_per_person":10,"rows":{"epsilon":250000,"plus_minus_95":120,"mean_within":8867}}}"#
    );
}

#[test]
fn no_bound_no_answer() {
    check("people by council", &dp(0), Err(ReleaseFault::NoBound));
    check("starts by council", &dp(4), Err(ReleaseFault::NoBound));
    check("starts by council", &Treatment { rows_per_person: Some(0), ..dp(1) }, Err(ReleaseFault::NoBound));
    // A table without persons bounds nobody.
    check("rows in charter_feedback", &dp(1), Err(ReleaseFault::NoBound));
}

#[test]
fn a_treatment_that_contradicts_itself_releases_nothing() {
    check("people by council", &Treatment { min_cohort: 10, ..dp(1) }, Err(ReleaseFault::Contradiction));
    check("people by council", &suppress(8, 17), Err(ReleaseFault::Contradiction));
    check("people by council", &suppress(8, 5), Ok(0));
}

#[test]
fn the_statement_carries_the_figures_that_protect() {
    let with_noise = terms("people by council", &dp(2)).unwrap();
    assert_eq!(
        serde_json::to_string(with_noise.statement()).unwrap(),
        r#"{"method":"dp","mechanism":"discrete-laplace","epsilon":500000,"sensitivity":2,"plus_minus_95":12}"#
    );
    let rounded = terms("people by council", &Treatment { min_cohort: 10, ..suppress(8, 5) }).unwrap();
    assert_eq!(
        serde_json::to_string(rounded.statement()).unwrap(),
        r#"{"method":"suppress-round","profile":"sub-national-8-5","min_people":8,"round_to":5,"zeros":"show","min_cohort":10,"rows_per_person":1}"#
    );
}

#[test]
fn a_table_costs_its_epsilon_once_whatever_its_size() {
    assert_eq!(cost(&suppress(8, 5)), (NanoRho::ZERO, None));
    let half = Epsilon::from_millionths(500_000).unwrap();
    assert_eq!(cost(&dp(1)), (NanoRho::new(122_459_332), Some(half)));
    assert_eq!(cost(&dp(40)), cost(&dp(1)));
}

#[test]
fn every_fault_has_its_own_code_and_says_one_thing() {
    use ReleaseFault as F;
    let all =
        [F::OtherQuestion, F::NotTheGrid, F::NoNoise, F::BadNoise, F::NoBound, F::Contradiction, F::NoPlan];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|f| f.code()).collect();
    assert_eq!(codes.len(), all.len());
    assert!(all.iter().all(|f| !f.to_string().ends_with('.') && f.code().starts_with("CT")));
}
