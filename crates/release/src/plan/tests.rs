use cairn_policy::{Caps, KeepYears, Method, OptOut, Quota, Window};
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Name, QuestionId};

use super::*;

fn treatment() -> Treatment {
    let no_loss = NanoRho::new(0);
    Treatment {
        share: Name::new("quarterly").unwrap(),
        release: "noisy".to_owned(),
        method: Method::Dp {
            mechanism: cairn_policy::Mechanism::Laplace,
            epsilon: Epsilon::from_millionths(500_000).unwrap(),
            groups_per_person: 1,
        },
        min_partners: 1,
        window: Window { column: None, from: None, lag_days: 30 },
        min_cohort: 0,
        rows_per_person: None,
        summed: None,
        snapshot: None,
        keep: None,
        opt_out: None,
        quota: Quota { tables_per_day: 10, tables_per_year: 100, rho_per_year: None },
        caps: Caps { per_year: no_loss, lifetime: no_loss, year_starts_month: 4, year_starts_day: 1 },
    }
}

/// What `treatment` leaves out of `question` on a snapshot of `as_of`, predicate by predicate.
fn check(question: &str, treatment: &Treatment, as_of: &str, expected: &[&str]) {
    let name = |text: &str| Name::new(text).unwrap();
    let schema = Schema::smf();
    let question = cairn_question::form::parse(question, &name("r"), &name("p"), schema).unwrap();
    let id = QuestionId::from_bytes([1; 32]);
    let plan = CountPlan::new(id, &question, treatment, schema, as_of.parse().unwrap(), [7; 32]).unwrap();
    let word = |p: &Predicate| {
        let keep = match &p.keep {
            Keep::Codes(codes) => format!("in {}", codes.join(" ")),
            Keep::Days(first, last) => format!("{first} to {last}"),
            Keep::OpenOrSince(first) => format!("open or since {first}"),
        };
        format!("{}.{} {keep}", p.column.table, p.column.column)
    };
    assert_eq!(plan.always.iter().map(word).collect::<Vec<_>>(), expected);
    // Whom the partner leaves out is in no table: the cohort rule never looks at them, and no axis shows them.
    assert_eq!((plan.filters.len(), plan.axes.len()), (question.filter_by.len(), question.group_by.len()));
}

#[test]
fn rows_closed_too_long_ago_never_count() {
    let keep =
        |years| Treatment { keep: Some(KeepYears { column: "end_date".into(), years }), ..treatment() };
    let started = |t: Treatment| Treatment {
        window: Window { column: Some("start_date".into()), from: None, lag_days: 31 },
        ..t
    };
    check("starts by lep_code", &treatment(), "2026-03-31", &[]);
    check("starts by lep_code", &keep(5), "2026-03-31", &["engagements.end_date open or since 2021-03-31"]);
    // The day before 1 March 2020 is more than four years before 29 February 2024 only where it is not 29 February.
    check("starts by lep_code", &keep(4), "2024-02-29", &["engagements.end_date open or since 2020-02-29"]);
    check("starts by lep_code", &keep(5), "2024-02-29", &["engagements.end_date open or since 2019-03-01"]);
    check("starts by lep_code", &keep(5), "2025-02-28", &["engagements.end_date open or since 2020-02-28"]);
    let first = Day::new(2026, 2, 28).unwrap();
    let both = format!("engagements.start_date {} to {first}", Day::EARLIEST);
    let both = [both.as_str(), "engagements.end_date open or since 2016-03-31"];
    check("starts by lep_code", &started(keep(10)), "2026-03-31", &both);
}

#[test]
fn only_those_who_may_count_do_and_a_blank_never() {
    let opt_out = |column: &str, codes: &[&str]| {
        let share_only_if = codes.iter().map(|c| (*c).to_owned()).collect();
        Treatment { opt_out: Some(OptOut { column: column.into(), share_only_if }), ..treatment() }
    };
    check("people by age", &opt_out("sex", &["female"]), "2026-03-31", &["participants.sex in female"]);
    check(
        "people by age",
        &opt_out("sex", &["female", "unknown"]),
        "2026-03-31",
        &["participants.sex in female"],
    );
    check("people by age", &opt_out("sex", &["unknown"]), "2026-03-31", &["participants.sex in "]);
    let seen = opt_out("participants.sex", &["female", "male"]);
    check("outcomes by outcome_type", &seen, "2026-03-31", &["participants.sex in female male"]);
    check("starts by lep_code", &seen, "2026-03-31", &["participants.sex in female male"]);
}
