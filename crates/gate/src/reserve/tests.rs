use cairn_policy::{Cells, KeepYears, OptOut, Quota, Secondary, Window};
use cairn_question::Name;
use cairn_question::answer::Zeros;
use cairn_question::privacy::NanoRho;

use super::*;

fn treatment() -> Treatment {
    let column = Some("start_date".to_owned());
    Treatment {
        share: Name::new("smf-people").unwrap(),
        release: "plain-table".to_owned(),
        method: Method::SuppressRound(Cells {
            profile: "sub-national-8-5".to_owned(),
            min_people: 8,
            round_to: 5,
            zeros: Zeros::Show,
            secondary: Secondary::No,
            dominance: None,
        }),
        min_partners: 1,
        window: Window { column, from: Some("2024-04-01".parse().unwrap()), lag_days: 30 },
        min_cohort: 10,
        rows_per_person: Some(4),
        snapshot: None,
        keep: None,
        opt_out: None,
        quota: Quota { tables_per_day: 10, tables_per_year: 100, rho_per_year: None },
        caps: Caps {
            per_year: NanoRho::new(1_000_000_000),
            lifetime: NanoRho::new(5_000_000_000),
            year_starts_month: 4,
            year_starts_day: 1,
        },
    }
}

fn hash(treatment: &Treatment) -> String {
    let name = |text: &str| Name::new(text).unwrap();
    let (role, purpose) = (name("national-analyst"), name("smf-reporting"));
    let question = cairn_question::form::parse("starts by sex", &role, &purpose, Schema::smf()).unwrap();
    let id = cairn_question::QuestionId::from_bytes([1; 32]);
    let as_of = "2026-03-31".parse().unwrap();
    let terms = Terms::new(id, &question, treatment, Schema::smf(), as_of, [7; 32]).unwrap();
    settings_hash(treatment, terms.statement()).to_string()
}

#[test]
fn what_was_answered_before_keeps_its_hash() {
    // Written by the program before it knew of closed rows and opt-outs: a ledger in use holds such hashes.
    assert_eq!(hash(&treatment()), "sha256:f7530a19feb4ccb2059200623910031915d8dacff9671c2d9897d8878080dc41");
}

#[test]
fn whom_and_what_never_counts_is_part_of_the_settings() {
    let keep = |years| Some(KeepYears { column: "end_date".into(), years });
    let opt_out = |codes: &[&str]| {
        let share_only_if = codes.iter().map(|c| (*c).to_owned()).collect();
        Some(OptOut { column: "participants.statistics_objection".into(), share_only_if })
    };
    let all = [
        treatment(),
        Treatment { keep: keep(5), ..treatment() },
        Treatment { keep: keep(6), ..treatment() },
        Treatment { opt_out: opt_out(&["no"]), ..treatment() },
        Treatment { opt_out: opt_out(&["no", "yes"]), ..treatment() },
        Treatment { keep: keep(5), opt_out: opt_out(&["no"]), ..treatment() },
    ];
    let hashes: std::collections::BTreeSet<String> = all.iter().map(hash).collect();
    assert_eq!(hashes.len(), all.len());
}
