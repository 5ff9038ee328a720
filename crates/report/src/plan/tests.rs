use super::*;
use cairn_question::form::print;

fn order(indicators: &str, period: &str, breakdown: Option<&str>) -> Order {
    Order {
        indicators: indicators.split_whitespace().map(str::to_owned).collect(),
        period: period.parse().unwrap(),
        breakdown: breakdown.map(str::to_owned),
        path: ReleasePath::Total,
        as_of: Some(Day::new(2026, 9, 30).unwrap()),
    }
}

fn check(indicators: &str, period: &str, breakdown: Option<&str>, expected: &str) {
    let order = order(indicators, period, breakdown);
    let got = match plan(&Catalogue::smf().unwrap(), &order, Schema::smf()) {
        Ok(batch) => batch
            .asks
            .iter()
            .map(|a| format!("{} {}: {}", a.question.role, a.question.purpose, print(&a.question)))
            .collect::<Vec<_>>()
            .join("\n"),
        Err(e) => format!("{} {e}", e.code()),
    };
    assert_eq!(got, expected);
}

#[test]
fn orders_become_questions() {
    check(
        "R1",
        "2025-Q2",
        None,
        "national-analyst smf-reporting: people in engagements by participants.council_code where engagements.start_date@quarter = 2025-Q2 as of 2026-09-30",
    );
    check(
        "R4",
        "2024-25",
        Some("nation"),
        "equalities-analyst equalities: people in engagements by participants.disabled_eqa, participants.council_code@nation where engagements.start_date@year = 2024-25 as of 2026-09-30",
    );
    check(
        "P6",
        "2024-25",
        Some("council"),
        "national-analyst smf-reporting: rows in engagements by engagements.end_reason where engagements.end_date@year = 2024-25 as of 2026-09-30",
    );
}

#[test]
fn an_order_that_cannot_be_asked_says_why() {
    check("R1 P9", "2025-Q2", None, "CG101 there is no indicator `P9`; the catalogue has R1, R4, P1, P2, P6");
    check(
        "R4",
        "2025-Q2",
        Some("lep"),
        "CG102 R4 is not broken down by `engagements.lep_code`; it is by participants.council_code@nation, participants.council_code",
    );
}

#[test]
fn the_whole_catalogue_is_one_batch_with_each_question_once() {
    let order = order("", "2024-25", None);
    let batch = plan(&Catalogue::smf().unwrap(), &order, Schema::smf()).unwrap();
    assert_eq!(batch.asks.len(), 1 + 1 + 2 + 13 + 1);
    for (n, ask) in batch.asks.iter().enumerate() {
        assert!(batch.asks.iter().skip(n + 1).all(|b| b.question != ask.question));
        assert_eq!(batch.at(&ask.uses[0].0, &ask.uses[0].1), Some(n));
    }
}

/// What is special-category data is asked of own tables, with noise, whatever the order; the rest as the order says.
#[test]
fn totals_are_asked_for_where_an_indicator_is_made_of_them() {
    let asked = |path| {
        let order = Order { path, ..order("R1 R4", "2024-25", None) };
        let batch = plan(&Catalogue::smf().unwrap(), &order, Schema::smf()).unwrap();
        batch.asks.iter().map(|a| (a.path, a.question.role.to_string())).collect::<Vec<_>>()
    };
    let own = |role: &str| (ReleasePath::OwnTables, role.to_owned());
    let total = (ReleasePath::Total, "national-analyst".to_owned());
    assert_eq!(asked(ReleasePath::Total), [total, own("equalities-analyst")]);
    assert_eq!(asked(ReleasePath::OwnTables), [own("own-tables-analyst"), own("equalities-analyst")]);
}
