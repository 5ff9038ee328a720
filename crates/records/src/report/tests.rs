use super::*;

#[test]
fn a_report_names_rule_place_and_next_step() {
    let place = |rule, effect, column| Place { rule, effect, file: 0, table: Some(0), column };
    let mut problems = RowProblems::default();
    for row in 2..1_000_002 {
        problems.add(place(Rule::NotInCodes, Effect::CellUnknown, Some("gender")), Some("Sex/Gender"), row);
    }
    problems.add(place(Rule::Blank, Effect::RowRejected, Some("local_person_id")), Some("id"), 7);
    assert_eq!(problems.len(), 2);
    let report = Report {
        problems: problems.into_problems(&["people.csv".to_owned()], &["participants"]),
        tables: vec![Tally { table: "participants".to_owned(), read: 1_000_000, kept: 999_999 }],
    };
    insta::assert_snapshot!(report);
}

#[test]
fn a_report_stays_short_whatever_the_export_holds() {
    let mut problems = RowProblems::default();
    for file in 0..10_000 {
        problems.add(
            Place { rule: Rule::Blank, effect: Effect::Kept, file, table: None, column: None },
            None,
            2,
        );
    }
    assert_eq!(problems.len(), PROBLEMS_MAX);
}
