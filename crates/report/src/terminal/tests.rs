use super::*;
use crate::fixture::{Reply, outcomes};
use crate::{Batch, Catalogue, Order, Outcome, ReleasePath, plan};
use cairn_question::{Question, Schema};

/// A federation in which one partner refuses part of P2, one is offline and one late, with noise for R4.
pub(crate) fn sample() -> Report {
    let catalogue = Catalogue::smf().unwrap();
    let order = Order {
        indicators: vec![],
        period: "2024-25".parse().unwrap(),
        breakdown: Some("council".into()),
        path: ReleasePath::OwnTables,
        as_of: None,
    };
    let batch = plan(&catalogue, &order, Schema::smf()).unwrap();
    let outcomes = answers(&batch);
    Report::compute(&catalogue, &batch, &outcomes, Schema::smf()).unwrap()
}

fn answers(batch: &Batch) -> Vec<Outcome> {
    let partners = ["angus", "charity-northern-steps", "college-east", "dundee-city", "orkney-islands"];
    let reply = |partner: &str, question: &Question| match partner {
        "college-east" => Reply::Offline,
        "orkney-islands" if question.purpose.as_str() == "equalities" => Reply::Late,
        "charity-northern-steps" if question.filter_by.iter().any(|f| f.column == "week52") => Reply::Refused,
        _ if question.purpose.as_str() == "equalities" => Reply::Noisy,
        _ => Reply::Rounded,
    };
    outcomes(batch, &partners, reply, people)
}

fn people(partner: &str, question: &Question, codes: &[&str]) -> i64 {
    let size = match (partner, codes.last().copied()) {
        ("dundee-city", Some("S12000042")) => 1_200,
        ("angus", Some("S12000041")) => 480,
        ("charity-northern-steps", Some("S12000042")) => 150,
        ("charity-northern-steps", Some("S12000041")) => 40,
        ("orkney-islands", Some("S12000023")) => 14,
        (_, Some("completed" | "outcome_achieved")) => 90,
        (_, Some("early_leaver_disengaged" | "early_leaver_health")) => 33,
        (_, Some("died")) => 1,
        _ => 0,
    };
    let of = |column: &str| question.filter_by.iter().find(|f| f.column == column).map(|f| f.value.as_str());
    let status = codes.first().copied().filter(|_| codes.len() == 2);
    match (status, question.dataset.as_str(), of("within_12m")) {
        (Some("yes"), ..) => size * 18 / 100,
        (Some("no"), ..) => size * 68 / 100,
        (Some("unknown"), ..) => size * 14 / 100,
        (_, "outcomes", Some("yes")) => size * 27 / 100,
        (_, "outcomes", None) => week(size * 30 / 100, &of),
        _ => size,
    }
}

fn week<'a>(entrants: i64, of: &impl Fn(&str) -> Option<&'a str>) -> i64 {
    let rates =
        [("week4", 95, 60, 55), ("week13", 84, 40, 35), ("week26", 70, 38, 26), ("week52", 32, 12, 8)];
    let asked = rates.iter().find_map(|(column, due, heard, work)| match of(column)? {
        "due" => Some(due),
        "heard_from" => Some(heard),
        _ => Some(work),
    });
    entrants * asked.unwrap_or(&100) / 100
}

#[test]
fn a_report_on_a_wide_screen() {
    insta::assert_snapshot!("wide", render_terminal(&sample(), Screen { width: 140 }));
}

#[test]
fn a_report_on_a_usual_screen() {
    insta::assert_snapshot!("usual", render_terminal(&sample(), Screen::default()));
}

#[test]
fn a_report_on_a_narrow_screen() {
    insta::assert_snapshot!("narrow", render_terminal(&sample(), Screen { width: 60 }));
}

#[test]
fn no_line_is_wider_than_the_screen() {
    for width in [60, 80, 100, 140] {
        let text = render_terminal(&sample(), Screen { width });
        for line in text.lines().filter(|l| !l.contains("https://")) {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn thousands_are_grouped() {
    for (n, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "−1,234,567")] {
        assert_eq!(thousands(n), expected);
    }
}
