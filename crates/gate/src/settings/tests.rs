use std::collections::BTreeSet;

use cairn_policy::{Caps, Cells, Concentrated, CountOnce, Mechanism, Quota};
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Name, Schema};
use cairn_release::Terms;

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
        summed: None,
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

fn whole(treatment: &Treatment) -> String {
    let name = |text: &str| Name::new(text).unwrap();
    let (role, purpose) = (name("national-analyst"), name("smf-reporting"));
    let question = cairn_question::form::parse("starts by sex", &role, &purpose, Schema::smf()).unwrap();
    let id = cairn_question::QuestionId::from_bytes([1; 32]);
    let as_of = "2026-03-31".parse().unwrap();
    let terms = Terms::new(id, &question, treatment, Schema::smf(), as_of, [7; 32]).unwrap();
    all(treatment, terms.statement()).to_string()
}

#[test]
fn what_was_answered_before_keeps_its_hash() {
    // Written by the program before it knew of closed rows and opt-outs: a ledger in use holds such hashes.
    assert_eq!(
        whole(&treatment()),
        "sha256:f7530a19feb4ccb2059200623910031915d8dacff9671c2d9897d8878080dc41"
    );
}

#[test]
fn whom_and_what_never_counts_is_part_of_the_settings() {
    let keep = |years| Some(KeepYears { column: "end_date".into(), years });
    let opt_out = |codes: &[&str]| {
        let share_only_if = codes.iter().map(|c| (*c).to_owned()).collect();
        Some(OptOut { column: "participants.statistics_objection".into(), share_only_if })
    };
    let settings = [
        treatment(),
        Treatment { keep: keep(5), ..treatment() },
        Treatment { keep: keep(6), ..treatment() },
        Treatment { opt_out: opt_out(&["no"]), ..treatment() },
        Treatment { opt_out: opt_out(&["no", "yes"]), ..treatment() },
        Treatment { keep: keep(5), opt_out: opt_out(&["no"]), ..treatment() },
    ];
    let hashes: BTreeSet<String> = settings.iter().map(whole).collect();
    assert_eq!(hashes.len(), settings.len());
}

#[test]
fn what_a_linkage_key_and_a_person_may_lose_is_part_of_the_settings() {
    let once = |millionths, keys_per_person, counts| {
        let epsilon = Epsilon::from_millionths(millionths).unwrap();
        let (counts_per_year, counts_lifetime) = (counts, counts);
        let count =
            CountOnce { epsilon, keys_per_person, cells_per_person: 1, counts_per_year, counts_lifetime };
        Treatment { method: Method::CountOnce(count), min_partners: 5, min_cohort: 0, ..treatment() }
    };
    // One statement for all, so that only the settings themselves differ.
    let statement = TreatmentV1::SuppressAudit {
        profile: "own".to_owned(),
        min_people: 5,
        min_cohort: 0,
        promise: cairn_question::answer::AuditPromise::KnowsThresholds,
    };
    let hash = |treatment: &Treatment| all(treatment, &statement).to_string();
    let first = once(1_000_000, 2, 4);
    let Method::CountOnce(one) = first.method.clone() else { panic!() };
    let in_two = Method::CountOnce(CountOnce { cells_per_person: 2, ..one });
    let in_two = Treatment { method: in_two, ..first.clone() };
    let unlike = [treatment(), first.clone(), once(1_100_000, 2, 4), once(1_000_000, 3, 4), in_two];
    let hashes: BTreeSet<String> = unlike.iter().map(hash).collect();
    assert_eq!(hashes.len(), unlike.len());
    // How many counts there may be is the account's, and changes no count.
    assert_eq!(hash(&first), hash(&once(1_000_000, 2, 5)));
    assert_eq!(unordered(&first), unordered(&once(2_000_000, 3, 5)));
}

fn cells(change: impl FnOnce(&mut Cells)) -> Treatment {
    let mut made = treatment();
    let Method::SuppressRound(cells) = &mut made.method else { panic!("cells") };
    change(cells);
    made
}

#[test]
fn what_is_not_ordered_sticks_and_what_is_does_not() {
    let mut from_a_day_later = treatment();
    from_a_day_later.window.from = Some("2024-04-02".parse().unwrap());
    let method = |method: fn(Cells) -> Method| {
        let Method::SuppressRound(cells) = treatment().method else { panic!("cells") };
        Treatment { method: method(cells), ..treatment() }
    };
    let dominance = |largest| cairn_policy::Dominance { largest, max_percent: 75 };
    let keep = |years| Some(KeepYears { column: "end_date".into(), years });
    let noise = |millionths, groups_per_person| {
        let epsilon = Epsilon::from_millionths(millionths).unwrap();
        let method = Method::Dp { mechanism: Mechanism::Laplace, epsilon, groups_per_person };
        Treatment { method, min_cohort: 0, ..treatment() }
    };
    let gaussian = |nano| {
        let loss = Concentrated { rho: NanoRho::new(nano), delta_trillionths: 1_000_000 };
        let epsilon = Epsilon::from_millionths(200_000).unwrap();
        let method = Method::Dp { mechanism: Mechanism::Gaussian(loss), epsilon, groups_per_person: 1 };
        Treatment { method, min_cohort: 0, ..treatment() }
    };
    let unlike = [
        treatment(),
        cells(|c| c.round_to = 10),
        cells(|c| c.zeros = Zeros::Withhold),
        cells(|c| c.profile = "own".to_owned()),
        cells(|c| c.secondary = Secondary::Yes),
        cells(|c| c.dominance = Some(dominance(1))),
        cells(|c| c.dominance = Some(dominance(2))),
        method(Method::SuppressAudit),
        method(|cells| Method::CellKey { table: "a".into(), cells }),
        method(|cells| Method::CellKey { table: "b".into(), cells }),
        from_a_day_later,
        Treatment { rows_per_person: Some(3), ..treatment() },
        Treatment { min_partners: 3, ..treatment() },
        Treatment { keep: keep(5), ..treatment() },
        Treatment { keep: keep(4), ..treatment() },
        noise(200_000, 1),
        gaussian(10_000_000),
    ];
    let hashes: BTreeSet<String> = unlike.iter().map(|t| unordered(t).to_string()).collect();
    assert_eq!(hashes.len(), unlike.len());
    let share = Name::new("another").unwrap();
    let alike = [
        cells(|c| c.min_people = 10),
        Treatment { min_cohort: 20, ..treatment() },
        Treatment { share, release: "another".into(), ..treatment() },
        Treatment { quota: Quota { tables_per_day: 1, ..treatment().quota }, ..treatment() },
    ];
    assert!(alike.iter().all(|t| unordered(t) == unordered(&treatment())));
    // How many cells a person can be in follows from the question; what it costs is the account's.
    assert_eq!(unordered(&noise(100_000, 2)), unordered(&noise(200_000, 1)));
    assert_eq!(unordered(&gaussian(1_000)), unordered(&gaussian(2_000)));
    let total = |min_partners| unordered(&Treatment { min_partners, ..treatment() });
    assert_eq!(total(3), total(5));
}

#[test]
fn the_form_of_what_sticks_is_fixed() {
    assert_eq!(
        unordered(&treatment()).to_string(),
        "sha256:2db67964a537ba97663c46301c5f1c8bd8a89120bbd24f55fe0a992fbe5a4f40"
    );
}
