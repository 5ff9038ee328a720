use super::*;

fn answer(cells: Vec<Cell>) -> AnswerV1 {
    AnswerV1 {
        table: TableV1 { dimensions: vec![], cells, totals: vec![] },
        treatment: TreatmentV1::SuppressRound {
            profile: "sub-national-8-5".into(),
            min_people: 8,
            round_to: 5,
            zeros: Zeros::Show,
            min_cohort: 0,
            rows_per_person: 1,
            promise: None,
        },
        snapshot: SnapshotStatement {
            as_of: "2026-03-31".parse().unwrap(),
            edition: 1,
            templates: vec!["smf-2022".into()],
            notes: vec![],
            provisional: false,
        },
        privacy: PrivacyStatement {
            unit: "person".into(),
            charged: NanoRho::ZERO,
            year_so_far: NanoRho::ZERO,
            year_cap: NanoRho::ZERO,
        },
    }
}

#[test]
fn cells_are_three_things_from_wire_to_screen() {
    let cells = vec![Cell::Value(0), Cell::Value(-3), Cell::Withheld, Cell::NotAnswered];
    let json = serde_json::to_string(&cells).unwrap();
    assert_eq!(json, "[0,-3,\"c\",\"x\"]");
    assert_eq!(serde_json::from_str::<Vec<Cell>>(&json).unwrap(), cells);
    for bad in ["\"\"", "null", "1.5", "\"0\"", "true", "99999999999999999999"] {
        assert!(serde_json::from_str::<Cell>(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_rounded_value_stands_for_exactly_the_counts_that_round_to_it() {
    let ranges = answer(vec![Cell::Value(0), Cell::Value(10), Cell::Value(15), Cell::Withheld]).ranges();
    let pairs: Vec<_> = ranges.into_iter().flatten().map(|r| (r.least, r.most)).collect();
    assert_eq!(pairs, [(0, Some(0)), (8, Some(12)), (13, Some(17)), (1, Some(7))]);
}

#[test]
fn a_wholly_withheld_table_bounds_nothing() {
    let ranges = answer(vec![Cell::Withheld, Cell::Withheld]).ranges();
    assert!(ranges.iter().flatten().all(|r| r.least == 0 && r.most.is_none()));
}

#[test]
fn an_audited_value_is_exact_and_a_withheld_one_has_somebody_in_it() {
    let mut audited = answer(vec![Cell::Value(0), Cell::Value(7), Cell::Withheld]);
    audited.treatment = TreatmentV1::SuppressAudit {
        profile: "scottish-5-audit".into(),
        min_people: 5,
        min_cohort: 0,
        promise: AuditPromise::KnowsThresholds,
    };
    let pairs =
        |a: &AnswerV1| a.ranges().into_iter().flatten().map(|r| (r.least, r.most)).collect::<Vec<_>>();
    assert_eq!(pairs(&audited), [(0, Some(0)), (7, Some(7)), (1, None)]);
    // Where a total is shown, the table was not withheld as a whole.
    audited.table.cells = vec![Cell::Withheld; 2];
    assert_eq!(pairs(&audited), [(0, None), (0, None)]);
    audited.table.totals = vec![Cell::Value(12)];
    assert_eq!(pairs(&audited), [(1, None), (1, None)]);
}

#[test]
fn a_withheld_cell_of_an_audited_rounded_table_may_have_any_number_of_people() {
    let mut audited = answer(vec![Cell::Value(0), Cell::Value(10), Cell::Withheld]);
    let plain = serde_json::to_string(&audited.treatment).unwrap();
    assert!(!plain.contains("promise"), "what is not audited is written as before: {plain}");
    let TreatmentV1::SuppressRound { promise, .. } = &mut audited.treatment else { unreachable!() };
    *promise = Some(AuditPromise::KnowsThresholds);
    let pairs: Vec<_> = audited.ranges().into_iter().flatten().map(|r| (r.least, r.most)).collect();
    assert_eq!(pairs, [(0, Some(0)), (8, Some(12)), (1, None)]);
    let stated = audited.treatment.promising(AuditPromise::KnowsAlgorithm);
    assert_eq!(stated.promise(), Some(AuditPromise::KnowsAlgorithm));
}

#[test]
fn a_withheld_count_of_rows_stands_for_every_row_of_the_few_people_in_it() {
    let mut rows = answer(vec![Cell::Value(0), Cell::Withheld]);
    let TreatmentV1::SuppressRound { rows_per_person, .. } = &mut rows.treatment else { unreachable!() };
    *rows_per_person = 4;
    let range = rows.ranges()[1].unwrap();
    assert_eq!((range.least, range.most), (1, Some(28)));
}

/// What a partner's records could be told by: which codes an axis has, in which order, and what a fault says.
#[test]
fn a_reply_with_other_axes_or_with_text_for_a_code_is_malformed() {
    let key = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
    let (federation, partner) = (Name::new("here").unwrap(), PartnerId::new("partner").unwrap());
    let grid = |codes: &[&str]| {
        let codes = codes.iter().map(|c| (*c).to_owned()).collect();
        Grid::new(vec![Dimension { column: "sex".into(), grain: "code".into(), codes }]).unwrap()
    };
    let asked = grid(&["f", "m", "unknown"]);
    let check = |outcome: OutcomeV1, expected: Result<(), ReplyError>| {
        let (question_id, question_hash) = (QuestionId::from_bytes([1; 32]), Hash::of(b"question"));
        let policy = PolicyStatement { id: "none".into(), version: 1, hash: Hash::of(b"policy") };
        let (at, federation_id) = (Moment::from_unix_s(0), federation.clone());
        let reply = ReplyV1 {
            cairn_reply: 1,
            question_id,
            question_hash,
            federation: federation_id,
            partner: partner.clone(),
            at,
            policy,
            outcome,
        };
        let wanted =
            Expected { question_id, question_hash, federation: &federation, partner: &partner, grid: &asked };
        let opened = ReplyV1::open(&reply.sign(&key).to_bytes(), &key.verifying_key(), &wanted);
        assert_eq!(opened.map(|_| ()), expected);
    };
    let table = |codes: &[&str]| {
        let mut answer = answer(vec![Cell::Value(10); codes.len()]);
        answer.table.dimensions = grid(codes).dimensions().to_vec();
        OutcomeV1::Answer(Box::new(answer))
    };
    check(table(&["f", "m", "unknown"]), Ok(()));
    check(table(&["f", "m"]), Err(ReplyError::Malformed));
    check(table(&["m", "f", "unknown"]), Err(ReplyError::Malformed));
    check(OutcomeV1::Fault { code: "CE004".into() }, Ok(()));
    for text in ["CE004: Fife", "CE04", "ce004", "CE0040", ""] {
        check(OutcomeV1::Fault { code: text.into() }, Err(ReplyError::Malformed));
    }
}
