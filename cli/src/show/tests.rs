use super::*;
use cairn_question::answer::{PrivacyStatement, SnapshotStatement, Zeros};
use cairn_question::combine::{PartnerLine, PolicyLine, combine};
use cairn_question::{Hash, Moment, Name, RuleBroken, TableV1};

fn answer(grid: &Grid, cells: &str) -> AnswerV1 {
    let cell = |text: &str| match text {
        "c" => Cell::Withheld,
        n => Cell::Value(n.parse().unwrap()),
    };
    AnswerV1 {
        table: TableV1 {
            dimensions: grid.dimensions().to_vec(),
            cells: cells.split_whitespace().map(cell).collect(),
            totals: vec![],
        },
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
            charged: Default::default(),
            year_so_far: Default::default(),
            year_cap: Default::default(),
        },
    }
}

fn shown() -> Shown {
    let (role, purpose) = (Name::new("national-analyst").unwrap(), Name::new("smf-reporting").unwrap());
    let question =
        cairn_question::form::parse("people by age@broad, sex", &role, &purpose, Schema::smf()).unwrap();
    let grid = question.grid(Schema::smf()).unwrap();
    let partner = |id: &str| PartnerId::new(id).unwrap();
    let answers = vec![
        (partner("fife"), answer(&grid, "1490 1510 0 20 25 0 c c 0 0 0 0")),
        (partner("orkney-islands"), answer(&grid, "c 10 0 c c 0 c 0 0 0 0 0")),
    ];
    let combined = combine(&grid, answers.iter().map(|(_, a)| a));
    let rule = RuleBroken {
        rule: "share.smf-people.group_by.sex".into(),
        code: "CR012".into(),
        says: "sex is not shared".into(),
    };
    let line = |id: &str, standing| PartnerLine::new(partner(id), standing);
    let decided = |id: &str, standing, until: Option<&str>| {
        let policy = PolicyLine {
            id: Name::new(format!("{id}-sharing")).unwrap(),
            version: 7,
            hash: Hash::of(id.as_bytes()),
            until: until.map(|day| day.parse().unwrap()),
        };
        PartnerLine { policy: Some(policy), ..line(id, standing) }
    };
    let coverage = CoverageV1 {
        cairn_coverage: 1,
        question_id: QuestionId::from_bytes([0x3f; 32]),
        question_hash: Hash::of(b""),
        federation: Name::new("nolb").unwrap(),
        register_version: 3,
        closed_at: Moment::from_unix_s(1_790_000_000),
        partners: vec![
            decided("fife", Standing::Answered, Some("2027-03-31")),
            decided("orkney-islands", Standing::Answered, None),
            decided("health-board", Standing::Refused(vec![rule]), Some("2027-03-31")),
            line("college", Standing::Offline),
        ],
        combined: combined.clone(),
        total: None,
    };
    let refusals =
        vec![(partner("health-board"), Some("people in participants by participants.age_band".to_owned()))];
    let id = QuestionId::from_bytes([0x3f; 32]);
    Shown {
        id,
        question,
        grid,
        coverage,
        combined,
        answers,
        sealed: vec![],
        refusals,
        quantiles: vec![],
        links: None,
    }
}

#[test]
fn the_screen_says_all_that_is_needed_to_read_the_table() {
    insta::assert_snapshot!(terminal(&shown(), 100));
}

#[test]
fn an_audited_answer_says_its_totals_and_its_promise() {
    let mut shown = shown();
    let cell = |n: i64| if n < 0 { Cell::Withheld } else { Cell::Value(n) };
    for (_, answer) in &mut shown.answers {
        answer.treatment = TreatmentV1::SuppressAudit {
            profile: "scottish-5-audit".into(),
            min_people: 5,
            min_cohort: 0,
            promise: cairn_question::answer::AuditPromise::KnowsThresholds,
        };
        answer.table.cells = [1491, 1508, 0, -1, -1, 0, 0, 12, 0, 0, 7, 0].map(cell).to_vec();
        answer.table.totals = [2999, -1, 12, 7, -1, -1, 0, 3055].map(cell).to_vec();
    }
    shown.combined = combine(&shown.grid, shown.answers.iter().map(|(_, a)| a));
    insta::assert_snapshot!(terminal(&shown, 100));
    let (_, answer) = &shown.answers[0];
    insta::assert_snapshot!(serde_json::to_string_pretty(&(&answer.table, &answer.treatment)).unwrap());
}

#[test]
fn an_audited_rounded_answer_says_its_totals_and_its_promise() {
    let mut shown = shown();
    let cell = |n: i64| if n < 0 { Cell::Withheld } else { Cell::Value(n) };
    for (_, answer) in &mut shown.answers {
        answer.treatment = TreatmentV1::SuppressRound {
            profile: "sub-national-8-5".into(),
            min_people: 8,
            round_to: 5,
            zeros: Zeros::Show,
            min_cohort: 0,
            rows_per_person: 1,
            promise: Some(cairn_question::answer::AuditPromise::KnowsThresholds),
        };
        answer.table.cells = [1490, 1510, 0, -1, -1, 0, 0, 10, 0, 0, 10, 0].map(cell).to_vec();
        answer.table.totals = [3000, 15, 10, 10, 1495, 1535, 0, 3035].map(cell).to_vec();
    }
    shown.combined = combine(&shown.grid, shown.answers.iter().map(|(_, a)| a));
    insta::assert_snapshot!(terminal(&shown, 100));
    let (_, answer) = &shown.answers[0];
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.treatment).unwrap());
}

/// A table by itself says how it was treated, how far off it may be and what it cost.
#[test]
fn a_perturbed_and_a_noisy_answer_say_how_far_off_they_may_be() {
    let check = |treatment: TreatmentV1, charged: u64| {
        let mut shown = shown();
        for (_, answer) in &mut shown.answers {
            answer.treatment = treatment.clone();
            answer.privacy.charged = cairn_question::privacy::NanoRho::new(charged);
            answer.privacy.year_so_far = cairn_question::privacy::NanoRho::new(3 * charged);
            answer.privacy.year_cap = cairn_question::privacy::NanoRho::new(200_000_000);
        }
        shown.combined = combine(&shown.grid, shown.answers.iter().map(|(_, a)| a));
        insta::assert_snapshot!(terminal(&shown, 100));
    };
    let keyed = TreatmentV1::CellKey {
        profile: "census-cell-key".into(),
        table: "framework:d3".into(),
        max_change: 3,
        min_people: 5,
        round_to: 1,
        zeros: Zeros::Show,
        min_cohort: 10,
        total: None,
    };
    check(keyed, 0);
    let noisy = TreatmentV1::Dp {
        mechanism: "discrete-laplace".into(),
        epsilon: cairn_question::privacy::Epsilon::from_millionths(200_000).unwrap(),
        sensitivity: 1,
        plus_minus_95: 15,
        added: None,
        concentrated: None,
    };
    check(noisy, 19_933_599);
}

/// The loss of a total, of ε = 0.1 at δ = 10⁻⁶: what is charged, what a person loses whom several partners know, how it adds up, and against whom it holds.
#[test]
fn a_total_under_gaussian_noise_says_what_it_costs_and_against_whom() {
    let loss = cairn_question::privacy::GaussianLoss::at(
        cairn_question::privacy::Epsilon::from_millionths(100_000).unwrap(),
        1_000_000,
    );
    let loss = loss.unwrap();
    let nano = loss.rho().nano();
    let (rho, l2_squared) = (loss.rho(), 1);
    let treatment = |concentrated| TreatmentV1::Dp {
        mechanism: "discrete-gaussian".into(),
        epsilon: loss.epsilon(),
        sensitivity: 1,
        plus_minus_95: 99,
        added: None,
        concentrated,
    };
    let concentrated = Some(ConcentratedV1 { rho, l2_squared, delta_trillionths: loss.delta_trillionths() });
    let check = |treatment: TreatmentV1, adds_up: bool| {
        let shown = of_total(treatment, rho);
        let screen = terminal(&shown, 2_000);
        let [two, three] = [4, 9].map(|times| cairn_question::privacy::NanoRho::new(nano * times));
        let says = |line: &str| screen.contains(line);
        assert!(
            says(&format!("Privacy loss at each of 3 partners, unit person: ρ {rho} for this table")),
            "{screen}"
        );
        // The distance counts by its square.
        assert!(says(&format!("loses together at most ρ {two} to 2, {three} to 3")), "{screen}");
        assert!(
            says(
                "the coordinator and up to 1 of the partners learn no more than the total of the others, and the noise of the others keeps the loss to what is said here."
            ),
            "{screen}"
        );
        assert_eq!(says("The ε of several tables is what that sum is at δ"), adds_up, "{screen}");
        assert_eq!(
            says(&format!("ρ = {rho} (ε = 0.1 at δ = 1e-6) for one person at one partner")),
            adds_up,
            "{screen}"
        );
        assert!(says("each cell is off by at most 99 in 95 of 100"), "{screen}");
    };
    check(treatment(concentrated), true);
    check(treatment(None), false);
}

/// A total of three partners, of whom one may collude.
fn of_total(treatment: TreatmentV1, charged: cairn_question::privacy::NanoRho) -> Shown {
    let mut shown = shown();
    let (_, answer) = shown.answers.drain(..).next().unwrap();
    let partners = ["angus", "fife", "orkney-islands"].map(|id| PartnerId::new(id).unwrap()).to_vec();
    let privacy = PrivacyStatement { charged, ..answer.privacy };
    let (manifest, opening) = (Hash::of(b"manifest"), Hash::of(b"opening"));
    let sealed = SealedV1 {
        manifest,
        opening,
        partners: partners.clone(),
        treatment: treatment.clone(),
        snapshot: answer.snapshot,
        privacy,
    };
    let transcript = Hash::of(b"transcript");
    shown.combined = cairn_question::TotalV1::combined(answer.table, &sealed, &shown.grid);
    shown.sealed = partners.iter().map(|partner| (partner.clone(), sealed.clone())).collect();
    shown.coverage.total = Some(cairn_question::TotalV1 {
        treatment,
        partners,
        colluding_max: 1,
        manifest,
        opening,
        transcript,
    });
    shown
}

/// Of noisy tables, of rounded ones with a withheld band, and for programs.
#[test]
fn a_median_stands_under_its_table_with_the_bands_it_may_lie_in() {
    let mut shown = shown();
    shown.quantiles = ["age_band=50", "age=90"]
        .map(|text| QuantileAsk::new(text, &shown.question, Schema::smf()).unwrap())
        .to_vec();
    insta::assert_snapshot!(terminal(&shown, 100));
    for (partner, answer) in &mut shown.answers {
        answer.treatment = TreatmentV1::Dp {
            mechanism: "discrete-laplace".into(),
            epsilon: cairn_question::privacy::Epsilon::from_millionths(200_000).unwrap(),
            sensitivity: 1,
            plus_minus_95: 15,
            added: None,
            concentrated: None,
        };
        let fife = [510, 480, -3, 650, 820, 12, 200, 190, 4, -20, 16, 3];
        let orkney = [12, 20, 1, 18, 11, 0, -6, 9, 2, 4, 0, -1];
        let noisy = if partner.as_str() == "fife" { fife } else { orkney };
        answer.table.cells = noisy.map(Cell::Value).to_vec();
    }
    shown.combined = combine(&shown.grid, shown.answers.iter().map(|(_, a)| a));
    insta::assert_snapshot!(terminal(&shown, 100));
    let value: serde_json::Value = serde_json::from_str(&json(&shown)).unwrap();
    insta::assert_snapshot!(format!("{:#}", value["quantiles"]));
}

/// What it said before: that the counts are of nobody.
#[test]
fn a_median_of_a_total_is_that_of_its_table() {
    let mut own = shown();
    own.answers.truncate(1);
    own.combined = combine(&own.grid, own.answers.iter().map(|(_, a)| a));
    let mut total = of_total(own.answers[0].1.treatment.clone(), Default::default());
    let quantiles = |shown: &mut Shown| {
        shown.quantiles = vec![QuantileAsk::new("age_band=50", &shown.question, Schema::smf()).unwrap()];
        let value: serde_json::Value = serde_json::from_str(&json(shown)).unwrap();
        value["quantiles"].clone()
    };
    let (own, total) = (quantiles(&mut own), quantiles(&mut total));
    assert_ne!(own[0]["groups"][0]["none"], "nobody", "{own:#}");
    assert_eq!(total, own);
}

#[test]
fn a_refusal_of_the_terms_of_a_total_says_how_to_mend_it() {
    let mut shown = shown();
    let check = |shown: &Shown, said| {
        let screen = terminal(shown, 100);
        assert_eq!(
            screen.contains("ask with the framework that these partners have: --framework FILE"),
            said
        );
    };
    check(&shown, false);
    for line in &mut shown.coverage.partners {
        if let Standing::Refused(rules) = &mut line.standing {
            rules[0].code = "CM126".to_owned();
        }
    }
    check(&shown, true);
}

#[test]
fn the_csv_has_a_row_for_every_declared_cell() {
    insta::assert_snapshot!(csv(&shown()));
}

#[test]
fn the_json_is_read_back() {
    let value: serde_json::Value = serde_json::from_str(&json(&shown())).unwrap();
    assert_eq!(value["combined"]["cells"][0]["cell"], 1490);
    assert_eq!(value["combined"]["cells"][0]["parts_withheld"], 1);
    assert_eq!(value["coverage"]["partners"][2]["standing"]["refused"][0]["code"], "CR012");
    let statement: Vec<&str> =
        value["statement"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let on_screen = terminal(&shown(), 100);
    assert!(statement.len() == 4 && statement.iter().all(|line| on_screen.contains(line)), "{statement:?}");
}

#[test]
fn thousands_have_their_comma() {
    let check = |value, text: &str| assert_eq!(super::terminal::thousands(value), text);
    check(0, "0");
    check(999, "999");
    check(1_000, "1,000");
    check(-1_234_567, "-1,234,567");
    check(i64::MIN, "-9,223,372,036,854,775,808");
}

#[test]
fn a_mean_stands_beside_its_parts() {
    let check = |text: &str, cells: &[Cell], expected: &[&str]| {
        let mut shown = shown();
        let (role, purpose) = (shown.question.role.clone(), shown.question.purpose.clone());
        shown.question = cairn_question::form::parse(text, &role, &purpose, Schema::smf()).unwrap();
        shown.grid = shown.question.grid(Schema::smf()).unwrap();
        let cells = cells.iter().cycle().take(shown.grid.cells());
        let cells = cells.map(|cell| CombinedCell { cell: *cell, parts_withheld: 0, least: 0, most: None });
        let dimensions = shown.grid.dimensions().to_vec();
        shown.combined = Some(CombinedV1 { dimensions, cells: cells.collect() });
        let screen = terminal(&shown, 80);
        let line = |words: &&&str| {
            screen.lines().any(|l| l.replace('|', " ").split_whitespace().eq(words.split(' ')))
        };
        assert!(expected.iter().all(|words| line(&words)), "{screen}");
    };
    let parts = [Cell::Value(60_000), Cell::Value(9)];
    check("mean:quarter_hours in activities", &parts, &["Sum Rows Mean", "60,000 9 6,666.67"]);
    check(
        "mean:quarter_hours by completed",
        &parts,
        &["completed Sum Rows Mean", "Unknown 60,000 9 6,666.67"],
    );
    check("mean:quarter_hours in activities", &[Cell::Value(-60), Cell::NotAnswered], &["-60 [x] [x]"]);
}
