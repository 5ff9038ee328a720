use std::collections::BTreeMap;

use cairn_question::answer::{PrivacyStatement, SnapshotStatement};
use cairn_question::combine::{CombinedCell, CombinedV1, CoverageV1};
use cairn_question::privacy::Epsilon;
use cairn_question::{Hash, Moment, PartnerId, QuestionId, Schema, SealedV1, TotalV1};

use super::*;

const PARTNERS: [&str; 8] = ["angus", "dundee", "fife", "highland", "moray", "orkney", "perth", "shetland"];

fn count() -> Question {
    let (role, purpose) = (Name::new("overlap-analyst").unwrap(), Name::new("smf-reporting").unwrap());
    cairn_question::form::parse("people where council = Fife", &role, &purpose, Schema::smf()).unwrap()
}

fn once() -> TreatmentV1 {
    let epsilon = Epsilon::from_millionths(2_000_000).unwrap();
    let linked_by = LinkedBy::Nino;
    TreatmentV1::CountOnce { epsilon, keys_per_person: 2, buckets_power: 14, linked_by, breakdown: None }
}

fn noise() -> TreatmentV1 {
    TreatmentV1::Dp {
        mechanism: "discrete-laplace".to_owned(),
        epsilon: Epsilon::from_millionths(100_000).unwrap(),
        sensitivity: 1,
        plus_minus_95: 40,
        added: None,
        concentrated: None,
    }
}

/// A total as it comes out of verification, every partner at this edition.
fn shown(question: Question, treatment: &TreatmentV1, cells: &[Cell], edition: u32) -> Shown {
    let grid = question.grid(Schema::smf()).unwrap();
    let partners: Vec<PartnerId> = PARTNERS.iter().map(|p| PartnerId::new(*p).unwrap()).collect();
    let hash = Hash::of(b"");
    let snapshot = SnapshotStatement {
        as_of: "2026-03-31".parse().unwrap(),
        edition,
        templates: vec![],
        notes: vec![],
        provisional: false,
    };
    let privacy = PrivacyStatement {
        unit: "person".to_owned(),
        charged: Default::default(),
        year_so_far: Default::default(),
        year_cap: Default::default(),
    };
    let sealed = SealedV1 {
        manifest: hash,
        opening: hash,
        partners: partners.clone(),
        treatment: treatment.clone(),
        snapshot,
        privacy,
    };
    let total = TotalV1 {
        treatment: treatment.clone(),
        partners: partners.clone(),
        colluding_max: 2,
        manifest: hash,
        opening: hash,
        transcript: hash,
    };
    let cell = |cell: &Cell| CombinedCell { cell: *cell, parts_withheld: 0, least: 0, most: None };
    let combined = CombinedV1 { dimensions: Vec::new(), cells: cells.iter().map(cell).collect() };
    let id = QuestionId::from_bytes([7; 32]);
    let coverage = CoverageV1 {
        cairn_coverage: 1,
        question_id: id,
        question_hash: hash,
        federation: Name::new("test").unwrap(),
        register_version: 1,
        partners: Vec::new(),
        combined: Some(combined.clone()),
        total: Some(total),
        closed_at: Moment::from_unix_s(0),
    };
    Shown {
        id,
        question,
        grid,
        coverage,
        combined: Some(combined),
        answers: vec![],
        sealed: partners.into_iter().map(|p| (p, sealed.clone())).collect(),
        refusals: vec![],
        quantiles: vec![],
        links: None,
    }
}

fn keys(cells: [i64; 3], edition: u32) -> Shown {
    shown(LinksAsk::question(&count()).unwrap(), &noise(), &cells.map(Cell::Value), edition)
}

fn of(count: &Shown, keys: Shown) -> Result<Links, Failure> {
    let terms = crate::total::framework_terms(None).unwrap();
    let put_as = PutAs::of("dp=0.1".parse().unwrap(), terms);
    LinksAsk { put_as, missed: Some(missed("2.5").unwrap()) }.of(count, keys)
}

#[test]
fn the_second_question_is_of_the_same_people_by_the_key_they_have() {
    let question = LinksAsk::question(&count()).unwrap();
    assert_eq!(question.filter_by, count().filter_by);
    assert_eq!((question.purpose.as_str(), question.role.as_str()), ("linkage-quality", "overlap-analyst"));
    let grid = question.grid(Schema::smf()).unwrap();
    let codes: Vec<_> = (0..grid.cells()).map(|at| grid.codes_of(at).concat()).collect();
    assert_eq!(codes, ["nino", "composite", "none"]);
    let starts =
        Question { dataset: "engagements".to_owned(), group_by: vec![], filter_by: vec![], ..count() };
    assert_eq!(LinksAsk::question(&starts).unwrap().group_by[0].column, "participants.link_quality");
}

#[test]
fn two_totals_of_the_same_records_say_together_how_good_the_links_are() {
    let one = shown(count(), &once(), &[Cell::Value(7_000)], 3);
    let links = of(&one, keys([9_300, 200, 664], 3)).unwrap();
    let words = links.in_words();
    for says in [
        "records without a key: 864 (±80)",
        "if it missed 2.5 %: ",
        // R − N̂ = 2,300 appearances, over eight partners.
        "known to two or more partners: ",
    ] {
        assert!(words.contains(says), "{says}: {words}");
    }
    assert!(!words.contains("[c]"), "{words}");
    let said = links.for_programs(Value::Null);
    assert_eq!(said["records_with_key"], json!({ "value": 9_300, "plus_minus_95": 40 }));
    let appearances = &said["overlap"]["appearances"];
    let (least, most) = (appearances["least"].as_i64().unwrap(), appearances["most"].as_i64().unwrap());
    assert!(least < 2_300 && 2_300 < most && most - least < 500, "{said:#}");
    assert_eq!(said["corrected"]["missed_per_thousand"], 25);
}

#[test]
fn an_overlap_that_is_not_sure_is_withheld() {
    let one = shown(count(), &once(), &[Cell::Value(7_000)], 3);
    let links = of(&one, keys([7_050, 0, 10], 3)).unwrap();
    assert!(links.in_words().contains("[c] not sure to be at least 10 people"), "{}", links.in_words());
    assert_eq!(links.for_programs(Value::Null)["overlap"], "withheld");
}

#[test]
fn totals_that_do_not_belong_together_say_nothing_together() {
    let one = shown(count(), &once(), &[Cell::Value(7_000)], 3);
    let check = |count: &Shown, keys: Shown, says: &str| {
        let failure = of(count, keys).err().unwrap();
        assert_eq!(failure.code, "CC217");
        assert!(failure.says.contains(says), "{}", failure.says);
    };
    check(&one, keys([9_300, 0, 864], 4), "other records");
    let mut fewer = keys([9_300, 0, 864], 3);
    fewer.sealed.pop();
    check(&one, fewer, "other partners");
    let refused =
        Shown { coverage: CoverageV1 { total: None, ..one.coverage.clone() }, ..keys([1, 1, 1], 3) };
    check(&one, refused, "was not answered");
    let rounded = shown(LinksAsk::question(&count()).unwrap(), &once(), &[Cell::Value(7_000); 3], 3);
    check(&one, rounded, "was not answered");
    check(&keys([1, 1, 1], 3), keys([1, 1, 1], 3), "not counted");
}

#[test]
fn a_missed_share_is_a_per_cent_below_fifty() {
    let check = |text: &str, thousandths: Option<u16>| {
        assert_eq!(missed(text).ok().map(MissedShare::thousandths), thousandths, "{text}");
    };
    for (text, thousandths) in [("0", 0), ("5", 50), ("2.5", 25), ("49.9", 499)] {
        check(text, Some(thousandths));
    }
    for text in ["", "50", "-1", "+5", "2.55", "2.", ".5", "five", "70000", "1.+"] {
        check(text, None);
    }
    let said: BTreeMap<_, _> =
        [25, 50].map(|t| (t, MissedShare::from_thousandths(t).unwrap().to_string())).into();
    assert_eq!((said[&25].as_str(), said[&50].as_str()), ("2.5 %", "5 %"));
}

#[test]
fn a_count_by_groups_has_no_second_question() {
    let (role, purpose) = (Name::new("overlap-analyst").unwrap(), Name::new("smf-reporting").unwrap());
    let by_sex = cairn_question::form::parse("people by sex", &role, &purpose, Schema::smf()).unwrap();
    assert_eq!(LinksAsk::question(&by_sex).unwrap_err().code, "CC216");
}
