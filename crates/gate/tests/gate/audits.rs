//! Audited tables: exact counts (`suppress-audit`), and rounded ones (`suppress-round` with `secondary = true`), beside every table that was
//! audited before.

use cairn_gate::{Step, stored_table};
use cairn_ledger::{History, witnesses_path};
use cairn_question::answer::{AnswerV1, AuditPromise, Zeros};
use cairn_question::{Cell, Hash, TreatmentV1};
use cairn_release::RawTable;
use cairn_release::audited::{Checked, check};

use crate::world::{Draft, PEOPLE, PlusOne, World, layers};

const PLAIN: &str = "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"";
const AUDIT: &str = "method  = \"suppress-audit\"\nprofile = \"scottish-5-audit\"";
const ROUND: &str = "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"\nsecondary = true";

fn world() -> World {
    world_of(AUDIT)
}

fn world_of(release: &str) -> World {
    let mut world = World::new();
    world.layers = layers(&[(PLAIN, release)], None);
    world
}

/// Asks with these people by sex and SIMD fifth, all of them with the first code of every other column.
fn ask(world: &mut World, draft: &Draft, people: &[(&str, &str, u64)]) -> AnswerV1 {
    let Step::On(counting) = world.count(&world.sign(draft)) else { panic!("not counted") };
    let grid = counting.plan().grid.clone();
    let mut counts = vec![0; grid.cells()];
    for (sex, fifth, n) in people {
        let code = |d: &cairn_question::Dimension| match d.column.as_str() {
            "sex" => (*sex).to_owned(),
            "simd_quintile" => (*fifth).to_owned(),
            _ => d.codes[0].clone(),
        };
        let codes: Vec<String> = grid.dimensions().iter().map(code).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        counts[grid.cell_of(&codes).unwrap()] += n;
    }
    let raw = RawTable::new(counting.plan().question_id, counts, None, vec![]);
    let releasable = world.gate.release(counting, raw, &mut PlusOne).unwrap();
    let reply = world.gate.reply(releasable, &mut world.ledger, world.now);
    world.table(&reply, draft)
}

fn asked(world: &mut World, id: u8, text: &str, people: &[(&str, &str, u64)]) -> AnswerV1 {
    let draft = world.draft(id, text);
    ask(world, &draft, people)
}

fn refused(world: &mut World, id: u8, text: &str) -> String {
    let draft = world.draft(id, text);
    let reply = world.answer(&world.sign(&draft));
    world.outcome(&reply, &draft)
}

const SOME: &[(&str, &str, u64)] =
    &[("female", "1", 40), ("male", "1", 30), ("unknown", "2", 3), ("female", "2", 20)];

#[test]
fn an_audited_table_leaves_with_its_totals_its_promise_and_its_witnesses() {
    let mut world = world();
    let draft = world.draft(1, PEOPLE);
    let answer = ask(&mut world, &draft, SOME);
    assert_eq!(answer.table.cells, [Cell::Value(60), Cell::Withheld, Cell::Withheld]);
    assert_eq!(answer.table.totals, [Cell::Value(93)]);
    let TreatmentV1::SuppressAudit { profile, min_people: 5, promise, .. } = &answer.treatment else {
        panic!("{:?}", answer.treatment)
    };
    assert_eq!((profile.as_str(), *promise), ("scottish-5-audit", AuditPromise::KnowsAlgorithm));
    assert_eq!(answer.privacy.charged.nano(), 0);
    let entry = world.entries().pop().unwrap();
    let path = world.folder.path().join("ledger");
    let file = std::fs::read(witnesses_path(&path, draft.ask.id)).unwrap();
    assert_eq!(entry.witnesses, Some(Hash::of(&file)));
}

/// 8, 8 and 1 of 17.
const EIGHT_EIGHT_ONE: &[(&str, &str, u64)] = &[("female", "1", 8), ("male", "1", 8), ("unknown", "1", 1)];

#[test]
fn a_rounded_table_is_audited_with_its_totals_and_says_its_promise() {
    let mut world = world_of(ROUND);
    let answer = asked(&mut world, 1, PEOPLE, EIGHT_EIGHT_ONE);
    assert_eq!(answer.table.cells, [Cell::Withheld, Cell::Value(10), Cell::Withheld]);
    assert_eq!(answer.table.totals, [Cell::Value(15)]);
    let expected = TreatmentV1::SuppressRound {
        profile: "sub-national-8-5".to_owned(),
        min_people: 8,
        round_to: 5,
        zeros: Zeros::Show,
        min_cohort: 0,
        rows_per_person: 1,
        promise: Some(AuditPromise::KnowsThresholds),
    };
    assert_eq!(answer.treatment, expected);
    // Who reads it is told that a withheld cell may be one of many people.
    let ranges = answer.ranges().into_iter().map(|range| range.map(|r| (r.least, r.most)));
    assert_eq!(ranges.collect::<Vec<_>>(), [Some((1, None)), Some((8, Some(12))), Some((1, None))]);
    assert!(world.entries().pop().unwrap().witnesses.is_some());
}

/// Plainly rounded it is 10, 10 and [c] of 15, and only 8, 8 and 1 fit.
#[test]
fn the_one_of_8_8_1_stays_open_whether_the_table_or_its_total_is_asked_first() {
    let smaller = ["people", "people by simd_quintile"];
    for total in smaller {
        for questions in [[PEOPLE, total], [total, PEOPLE]] {
            let mut world = world_of(ROUND);
            let answers = [1, 2].map(|id| {
                let text = questions[usize::from(id) - 1];
                asked(&mut world, id, text, EIGHT_EIGHT_ONE).table
            });
            let (table, total) =
                if questions[0] == PEOPLE { (&answers[0], &answers[1]) } else { (&answers[1], &answers[0]) };
            assert_eq!(table.cells, [Cell::Withheld, Cell::Value(10), Cell::Withheld], "{questions:?}");
            assert_eq!(
                (table.totals[0], total.cells[0]),
                (Cell::Value(15), Cell::Value(15)),
                "{questions:?}"
            );
        }
    }
}

#[test]
fn every_audited_table_is_borne_out_from_the_ledger_alone() {
    for release in [AUDIT, ROUND] {
        borne_out(world_of(release));
    }
}

fn borne_out(mut world: World) {
    asked(&mut world, 1, PEOPLE, SOME);
    asked(&mut world, 2, "people by simd_quintile, sex", SOME);
    asked(&mut world, 3, "people by simd_quintile where sex = female", SOME);
    let path = world.folder.path().join("ledger");
    let mut earlier = Vec::new();
    for answer in History::open(&path).unwrap().audited().unwrap() {
        let kept = cairn_release::Kept::read(&answer.kept).unwrap();
        let file = std::fs::read(witnesses_path(&path, answer.question_id)).unwrap();
        let left = stored_table(&answer.table_json).unwrap();
        let found = check(&kept, &earlier, &left, answer.witnesses.map(|hash| (file.as_slice(), hash)));
        assert!(matches!(found, Ok(Checked::Holds { .. })), "{found:?}");
        earlier.push(kept);
    }
    assert_eq!(earlier.len(), 3);
}

#[test]
fn an_equal_question_gets_the_same_table_however_its_axes_stand() {
    let mut world = world();
    let one = asked(&mut world, 1, "people by sex, simd_quintile", SOME);
    let draft = world.draft(2, "people by simd_quintile, sex");
    let Step::Reply(reply) = world.count(&world.sign(&draft)) else { panic!("counted again") };
    let two = world.table(&reply, &draft);
    let sum = |answer: &AnswerV1| -> Vec<Cell> {
        let mut cells: Vec<Cell> = answer.table.totals.clone();
        cells.sort_by_key(|cell| format!("{cell:?}"));
        cells
    };
    assert_eq!(sum(&one), sum(&two));
    // Totals over fifths come last but one in the one and first in the other: the total over everything is last in both.
    assert_eq!(one.table.totals.last(), two.table.totals.last());
    assert_eq!(one.treatment, two.treatment);
}

#[test]
fn what_an_audit_cannot_take_in_is_refused_before_anything_is_counted() {
    let mut world = world();
    let method = |code: &str| format!("release.plain-table.method {code}");
    assert_eq!(
        refused(&mut world, 1, "people by council_code, age_band, simd_quintile where sex = female"),
        method("CN015")
    );
    assert_eq!(refused(&mut world, 2, "people in engagements by lep_code"), method("CN010"));
    assert_eq!(
        refused(&mut world, 3, "rows in outcomes by outcome_type"),
        format!("{0}, {0}", method("CN010"))
    );
    asked(&mut world, 4, "people by council_code, simd_quintile", &[("female", "1", 40)]);
    assert_eq!(refused(&mut world, 5, "people by age_band, gender, sex"), method("CN016"));
    assert_eq!(refused(&mut world, 6, PEOPLE), "answer");
    let mut world = world_of(ROUND);
    let secondary = "release.plain-table.secondary CN010";
    assert_eq!(refused(&mut world, 7, "people in engagements by lep_code"), secondary);
    assert_eq!(
        refused(&mut world, 8, "rows in outcomes by outcome_type"),
        format!("{secondary}, {secondary}")
    );
    let zeros = format!("{ROUND}\nmin_people = 8\nround_to = 5\nzeros = \"withhold\"");
    let zeros = zeros.replace("profile = \"sub-national-8-5\"\n", "");
    assert_eq!(refused(&mut world_of(&zeros), 9, PEOPLE), "release.plain-table.zeros CN010");
}

#[test]
fn tables_audited_under_another_rule_do_not_meet_on_a_snapshot() {
    let mut world = world_of(ROUND);
    asked(&mut world, 1, PEOPLE, SOME);
    for (id, other) in [(2, AUDIT), (3, PLAIN)] {
        world.layers = layers(&[(PLAIN, other)], None);
        assert_eq!(refused(&mut world, id, "people by simd_quintile"), "ledger.audited CA212");
    }
    world.layers = layers(&[(PLAIN, ROUND)], None);
    assert_eq!(refused(&mut world, 4, "people by simd_quintile"), "answer");
}

#[test]
fn a_rounded_table_and_an_audited_one_do_not_meet_on_a_snapshot() {
    let mut world = world();
    asked(&mut world, 1, PEOPLE, SOME);
    world.layers = layers(&[], None);
    assert_eq!(refused(&mut world, 2, "people by simd_quintile"), "ledger.audited CA212");
    world.facts.as_of = "2026-06-30".parse().unwrap();
    assert_eq!(refused(&mut world, 3, "people by simd_quintile"), "answer");
    world.layers = layers(&[(PLAIN, AUDIT)], None);
    assert_eq!(refused(&mut world, 4, "people by age_band"), "ledger.audited CA212");
}

#[test]
fn another_edition_of_the_day_is_not_audited() {
    let mut world = world();
    asked(&mut world, 1, PEOPLE, SOME);
    world.facts.edition = 2;
    assert_eq!(refused(&mut world, 2, PEOPLE), "ledger.audited CA212");
}

#[test]
fn damage_to_what_was_kept_stops_every_later_audit() {
    let mut world = world();
    asked(&mut world, 1, PEOPLE, SOME);
    let path = world.folder.path().join("ledger");
    let other = cairn_ledger::rusqlite::Connection::open(&path).unwrap();
    other.execute("UPDATE answer SET counts = x'7b7d'", []).unwrap();
    assert_eq!(refused(&mut world, 2, "people by simd_quintile"), "fault CN017");
}
