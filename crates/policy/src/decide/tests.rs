use super::*;
use crate::tests::{EXAMPLES, example, loaded};
use crate::{File, Sources, instantiate};
use cairn_question::form;
use cairn_question::{PartnerId, Schema};
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn ask(purpose: &str, text: &str) -> Question {
    let role = if purpose == "equalities" { "equalities-analyst" } else { "own-tables-analyst" };
    form::parse(text, &name(role), &name(purpose), Schema::smf()).unwrap()
}

/// The verdict as text: the share, or each rule and its line, then the nearest question.
fn verdict(layers: &Layers, question: &Question, on: &str) -> String {
    match decide(layers, question, Asker::Anyone, day(on)) {
        Ok(treatment) => treatment.share.to_string(),
        Err(refusal) => {
            let mut lines: Vec<String> =
                refusal.rules.iter().map(|r| format!("{} {}: {}", r.code, r.rule, r.says)).collect();
            lines.extend(refusal.nearest.map(|n| format!("nearest: {n}")));
            lines.join("\n")
        }
    }
}

fn check(policy: &str, purpose: &str, text: &str, expected: &str) {
    let layers = &policies()[EXAMPLES.iter().position(|e| *e == policy).unwrap()];
    let found = verdict(layers, &ask(purpose, text), "2026-11-21");
    assert_eq!(found, expected, "{policy}: {text}");
}

#[test]
fn each_policy_answers_what_its_board_shares() {
    let questions = [
        ("smf-reporting", "people by council", "smf-people"),
        ("smf-reporting", "people by council@nation, age@broad", "smf-people"),
        ("smf-reporting", "people by sex, age band", "smf-people"),
        ("smf-reporting", "people by gender, simd", "smf-people"),
        ("smf-reporting", "starts by quarter from 2024-Q2 to 2026-Q1", "smf-starts"),
        ("smf-reporting", "people by council, age band where quarter = 2025-Q2", "smf-starts"),
        (
            "smf-reporting",
            "people in engagements by lep where end year = 2024-25 and job_due_12m = due",
            "smf-starts",
        ),
        ("smf-reporting", "people by end_reason where end quarter = 2025-Q2", "smf-starts"),
        ("smf-reporting", "outcomes by outcome@group", "smf-outcomes"),
        (
            "smf-reporting",
            "people by council where outcome = into_work and within_12m = yes and job_due_12m = due and year = 2023-24",
            "smf-outcomes",
        ),
        (
            "smf-reporting",
            "people by age where week26 = in_employment and outcome year = 2024-25",
            "smf-outcomes",
        ),
        ("equalities", "people by disabled, council", "equalities-people"),
        ("equalities", "people by disabled, age", "equalities-people"),
        ("equalities", "people by disabled, council where quarter = 2025-Q2", "equalities-starters"),
        ("equalities", "people by disabled, year from 2023-24 to 2024-25", "equalities-starters"),
    ];
    for policy in EXAMPLES {
        for (purpose, text, share) in questions {
            check(policy, purpose, text, share);
        }
    }
}

/// The catalogue's questions, as its documents write them: a report must not meet a refusal that no board meant.
#[test]
fn every_indicator_is_answered_by_every_example() {
    let folder = format!("{}/../../schemas/smf/indicators", env!("CARGO_MANIFEST_DIR"));
    let mut asked = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let document: toml::Table = std::fs::read_to_string(file.unwrap().path()).unwrap().parse().unwrap();
        let purpose = document["purpose"].as_str().unwrap();
        let roles = ["totals_role", "own_tables_role"].map(|key| document.get(key)?.as_str());
        let roles: Vec<Name> = roles.into_iter().flatten().map(name).collect();
        let breakdowns = document["breakdowns"].as_array().unwrap().iter().map(|b| b.as_str().unwrap());
        let breakdowns: Vec<&str> = breakdowns.chain([""]).collect();
        for ask_text in document["ask"].as_array().unwrap().iter().map(|a| a["question"].as_str().unwrap()) {
            for (breakdown, (grain, period)) in
                breakdowns.iter().flat_map(|b| [("quarter", "2025-Q2"), ("year", "2024-25")].map(|g| (b, g)))
            {
                if breakdown.is_empty() == ask_text.contains("{breakdown}") {
                    continue;
                }
                let text = ask_text.replace("{breakdown}", breakdown).replace("{grain}", grain);
                let question = ask(purpose, &text.replace("{period}", period));
                for (layers, role) in
                    policies().iter().flat_map(|layers| roles.iter().map(move |r| (layers, r)))
                {
                    asked += 1;
                    let question = Question { role: role.clone(), ..question.clone() };
                    let found = verdict(layers, &question, "2026-11-21");
                    assert!(
                        layers.shares.iter().any(|r| r.share.id.value.as_str() == found),
                        "{text}: {found}"
                    );
                }
            }
        }
    }
    assert!(asked > 100, "{asked}");
}

#[test]
fn only_the_health_board_refuses_parental_status() {
    check("council", "smf-reporting", "people by parental status", "smf-people");
    check("small-charity", "smf-reporting", "people by parental status", "smf-people");
    check(
        "health-board",
        "smf-reporting",
        "people by parental status, council",
        "CR012 dataset.participants.columns.parental_status: parental_status is kept back (hidden): it is never grouped, filtered or answered\n\
         CR020 share.smf-people.group_by.parental_status: parental_status may not be grouped by under this share\n\
         nearest: people in participants by participants.council_code",
    );
}

#[test]
fn every_failing_rule_is_named_at_once_with_the_nearest_question() {
    check(
        "health-board",
        "smf-reporting",
        "people in engagements by age band, referral source, end reason where year = 2018-19",
        "CR022 share.smf-starts.max_group_columns: 2 at most, you asked for 3\n\
         CR027 share.smf-starts.never_together[0]: never together: participants.age_band and referral_source\n\
         CR026 share.smf-starts.window: start_date is shared from 2019-04-01, you asked from 2018-04-01\n\
         nearest: people in engagements by participants.age_band",
    );
    check(
        "council",
        "smf-reporting",
        "people by disabled, council where lep = S12000042",
        "CR020 share.smf-starts.group_by.participants.disabled_eqa: participants.disabled_eqa may not be grouped by under this share\n\
         CR023 share.smf-starts.filter_by.lep_code: lep_code may not be filtered by under this share\n\
         nearest: people in engagements by participants.council_code",
    );
    check(
        "council",
        "smf-reporting",
        "starts by quarter from 2018-Q4 to 2020-Q1",
        "CR026 share.smf-starts.window: start_date is shared from 2019-04-01, you asked from 2018-10-01\n\
         nearest: rows in engagements by engagements.start_date@quarter from 2019-Q2 to 2020-Q1",
    );
    check(
        "council",
        "smf-reporting",
        "activities by activity type",
        "CR012 dataset.activities.columns.activity_type: activity_type is kept back (hidden): it is never grouped, filtered or answered\n\
         CR010 no-share: no share answers rows of activities to own-tables-analyst for smf-reporting",
    );
}

#[test]
fn a_grain_that_is_too_fine_is_offered_coarser() {
    let sources = example("council");
    let text = sources.policy.text.replace("start_date = \"quarter\"", "start_date = \"year\"");
    let layers = Layers::load(&Sources { policy: File::new("policy.toml", text), ..sources }).unwrap();
    let question = ask("smf-reporting", "people by council where quarter = 2025-Q1");
    assert_eq!(
        verdict(&layers, &question, "2026-11-21"),
        "CR024 share.smf-starts.filter_by.start_date: start_date is shared by year, you asked for quarter\n\
         nearest: people in engagements by participants.council_code where engagements.start_date@year = 2024-25"
    );
}

#[test]
fn days_in_force_are_counted_at_both_ends() {
    let layers = loaded("council");
    let question = ask("smf-reporting", "people by council");
    let check = |on: &str, expected: &str| assert_eq!(verdict(&layers, &question, on), expected, "{on}");
    check("2026-03-31", "CR001 policy.effective_from: the policy is in force from 2026-04-01");
    check("2026-04-01", "smf-people");
    check("2027-03-31", "smf-people");
    check("2027-04-01", "CR002 policy.expires: the policy expired after 2027-03-31");
}

#[test]
fn the_issuer_and_the_brake_refuse_a_person() {
    let layers = loaded("council");
    let question = ask("smf-reporting", "people by council");
    let (analyst, other) = (name("a-person"), name("other-issuer"));
    let decided = |layers: &Layers, issuer: &str| {
        let issuer = name(issuer);
        let asker = Asker::Analyst { analyst: &analyst, issuer: &issuer };
        let rules = decide(layers, &question, asker, day("2026-11-21")).err().map(|r| r.rules);
        rules.into_iter().flatten().map(|r| format!("{} {}", r.code, r.rule)).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(decided(&layers, "scottish-government"), "");
    assert_eq!(decided(&layers, "other-issuer"), "CR006 role.own-tables-analyst.issuer");
    assert_eq!(issuer_rule(&layers, &name("no-such-role"), &other), None);
    let braked = |text: &str| layers.with_brake(Some(&File::new("local-brake.toml", text))).0;
    let brake = |text: &str| decided(&braked(&format!("cairn_brake = 1\n{text}")), "scottish-government");
    assert_eq!(brake("blocked_analysts = [\"a-person\"]"), "CR005 brake.blocked_analysts");
    assert_eq!(brake("blocked_analysts = [\"another\"]"), "");
    assert_eq!(brake("paused_shares = [\"smf-people\"]"), "CR004 brake.paused_shares");
    assert_eq!(brake("paused_shares = [\"smf-starts\"]"), "");
    assert_eq!(brake("pause_all = true"), "CR003 brake.pause_all");
    assert_eq!(brake("pause_al = true"), "CR003 brake.pause_all", "a mistyped brake stops everything");
    assert_eq!(brake("paused_shares = [\"smf-peple\"]"), "CR003 brake.pause_all");
    assert_eq!(decided(&layers.with_brake(None).0, "scottish-government"), "");
}

#[test]
fn the_treatment_is_the_meet_of_all_layers() {
    let decided = |layers: &Layers, purpose: &str, text: &str| {
        decide(layers, &ask(purpose, text), Asker::Anyone, day("2026-11-21")).unwrap()
    };
    let layers = loaded("council");
    let plain = decided(&layers, "smf-reporting", "starts by quarter from 2024-Q2 to 2024-Q3");
    assert_eq!(plain.rows_per_person, Some(4));
    assert_eq!(plain.window.column.as_deref(), Some("start_date"));
    assert_eq!(plain.caps.per_year, cairn_question::privacy::NanoRho::cap_for(1.6, 1e-6));
    assert_eq!((plain.caps.year_starts_month, plain.caps.year_starts_day), (4, 1));
    let people = decided(&layers, "smf-reporting", "people by quarter from 2024-Q2 to 2024-Q3");
    assert_eq!(people.rows_per_person, None, "a person is counted once, however many rows");
    let noisy = decided(&layers, "equalities", "people by disabled");
    let epsilon = cairn_question::privacy::Epsilon::from_millionths(100_000).unwrap();
    assert_eq!(
        noisy.method,
        Method::Dp { mechanism: crate::Mechanism::Laplace, epsilon, groups_per_person: 1 }
    );
    let groups = |text: &str| match decided(&layers, "equalities", text).method {
        Method::Dp { groups_per_person, .. } => groups_per_person,
        _ => 0,
    };
    assert_eq!(
        groups("people by disabled, council where quarter = 2025-Q2"),
        1,
        "each person is in one cell"
    );
    assert_eq!(groups("people by disabled, quarter from 2024-Q2 to 2025-Q1"), 2);
    // A framework that rises above a policy's own threshold stops the policy from loading; it is never answered below.
    let sources = example("council");
    let framework = sources.framework.text.replace("min_people            = 5", "min_people            = 9");
    let stricter = Sources { framework: File::new("framework.toml", framework), ..sources };
    assert!(Layers::load(&stricter).is_err());
}

#[test]
fn the_statement_does_not_depend_on_line_ends() {
    let sources = example("council");
    let crlf = File::new("policy.toml", sources.policy.text.replace('\n', "\r\n"));
    let other = Layers::load(&Sources { policy: crlf, ..sources.clone() }).unwrap();
    assert_eq!(other.statement(), loaded("council").statement());
    assert_eq!(other.statement().version, 7);
    let renamed = instantiate(&sources.policy.text, &PartnerId::new("angus").unwrap(), "Angus");
    let renamed = Layers::load(&Sources { policy: File::new("policy.toml", renamed), ..sources }).unwrap();
    assert_ne!(renamed.statement().hash, other.statement().hash);
}

fn columns() -> impl Strategy<Value = String> {
    let known: Vec<String> = Schema::smf()
        .tables()
        .flat_map(|t| t.columns.iter().flat_map(|c| [c.name.clone(), format!("{}.{}", t.name, c.name)]))
        .chain(
            ["start_date", "engagements.start_date", "participants.sex", "sex", "council_code"]
                .map(str::to_owned),
        )
        .collect();
    prop_oneof![9 => proptest::sample::select(known), 1 => ".{0,40}"]
}

fn grain() -> impl Strategy<Value = String> {
    prop_oneof!["code", "quarter", "year", "broad", "group", "nation", ".{0,9}"]
}

fn period() -> impl Strategy<Value = Period> {
    prop_oneof![
        (1900_u16..2201, 1_u8..5).prop_map(|(year, quarter)| Period::Quarter { year, quarter }),
        (1900_u16..2201).prop_map(|from| Period::Year { from }),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    let axis = (columns(), grain(), proptest::option::of((period(), period())))
        .prop_map(|(column, grain, span)| GroupBy { column, grain, span });
    let value = prop_oneof!["yes", "unknown", "into_work", "2025-Q1", "2018-19", "job_start", ".{0,9}"];
    let filter =
        (columns(), grain(), value).prop_map(|(column, grain, value)| Filter { column, grain, value });
    let words = (
        prop_oneof!["own-tables-analyst", "equalities-analyst", "lep-analyst", "x"],
        prop_oneof!["smf-reporting", "equalities", "local-planning", "x"],
        prop_oneof!["participants", "engagements", "outcomes", "activities", ".{0,9}"],
        prop_oneof![Just(Measure::People), Just(Measure::Rows)],
    );
    (words, proptest::collection::vec(axis, 0..9), proptest::collection::vec(filter, 0..11)).prop_map(
        |((role, purpose, dataset, measure), group_by, filter_by)| Question {
            role: Name::new(role).unwrap(),
            purpose: Name::new(purpose).unwrap(),
            dataset,
            measure,
            group_by,
            filter_by,
            as_of: None,
        },
    )
}

/// Questions near those that are answered, so that both verdicts are met often.
fn near_question() -> impl Strategy<Value = Question> {
    let texts = [
        ("smf-reporting", "people by council, age, sex"),
        (
            "smf-reporting",
            "people by council, referral source where quarter = 2025-Q1 and end reason = completed",
        ),
        (
            "smf-reporting",
            "outcomes by outcome, quarter from 2019-Q2 to 2020-Q1 where week26 = in_employment",
        ),
        ("equalities", "people by disabled, council, year from 2023-24 to 2024-25 where quarter = 2025-Q1"),
    ];
    let base = proptest::sample::select(texts.to_vec()).prop_map(|(purpose, text)| ask(purpose, text));
    (base, question(), 0_usize..4, 0_usize..3).prop_map(|(mut base, other, axes, filters)| {
        base.group_by.truncate(axes);
        base.filter_by.truncate(filters);
        if axes + filters == 3 {
            base.group_by.extend(other.group_by.into_iter().take(1));
            base.filter_by.extend(other.filter_by.into_iter().take(1));
        }
        base
    })
}

fn any_question() -> impl Strategy<Value = Question> {
    prop_oneof![question(), near_question()]
}

fn policies() -> &'static [Layers] {
    static LOADED: std::sync::LazyLock<Vec<Layers>> =
        std::sync::LazyLock::new(|| EXAMPLES.map(loaded).to_vec());
    &LOADED
}

fn rules(layers: &Layers, question: &Question) -> Option<Vec<RuleBroken>> {
    let mut rules = judge(layers, question, Asker::Anyone, day("2026-11-21")).err()?;
    rules.sort();
    Some(rules)
}

/// Of two columns that each stand twice, the one that was written first used to be named alone.
#[test]
fn every_column_that_stands_twice_is_named() {
    let mut question = ask("smf-reporting", "people in participants where sex = female and age_band = 16_19");
    question.filter_by = [question.filter_by.clone(), question.filter_by].concat();
    let twice = |question: &Question| {
        let rules = rules(&policies()[0], question).unwrap().into_iter();
        rules.filter(|r| r.code == "CR035").map(|r| r.says).collect::<Vec<_>>()
    };
    let named = twice(&question);
    assert_eq!(named.len(), 2, "{named:?}");
    question.filter_by.reverse();
    assert_eq!(twice(&question), named);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Total: any question has a verdict, and every nearest question offered is answered.
    #[test]
    fn decide_is_total_and_what_it_offers_holds(question in any_question(), on in 0_i32..40_000) {
        for layers in policies() {
            let on = Day::from_epoch_days(on).unwrap();
            for on in [on, day("2026-11-21")] {
                let Err(refusal) = decide(layers, &question, Asker::Anyone, on) else { continue };
                prop_assert!(!refusal.rules.is_empty());
                if let Some(nearest) = refusal.nearest {
                    let near = form::parse(&nearest, &question.role, &question.purpose, Schema::smf()).unwrap();
                    prop_assert!(decide(layers, &near, Asker::Anyone, on).is_ok(), "{}", nearest);
                }
            }
        }
    }

    #[test]
    fn the_order_of_columns_does_not_matter(question in any_question()) {
        let mut turned = question.clone();
        turned.group_by.reverse();
        turned.filter_by.reverse();
        for layers in policies() {
            prop_assert_eq!(rules(layers, &question), rules(layers, &turned));
        }
    }

    /// Asking for more never turns a refusal into an answer.
    #[test]
    fn another_column_never_opens_a_question(question in near_question(), other in question()) {
        for layers in policies() {
            if rules(layers, &question).is_none() {
                continue;
            }
            let mut more = question.clone();
            more.group_by.extend(other.group_by.iter().take(1).cloned());
            more.filter_by.extend(other.filter_by.iter().take(1).cloned());
            prop_assert!(rules(layers, &more).is_some());
        }
    }

    /// A filter's value counts by membership only: any code of a list has the verdict of any other.
    #[test]
    fn one_code_of_a_list_is_as_good_as_another(question in near_question(), n in 0_usize..50) {
        let schema = Schema::smf();
        let mut other = question.clone();
        for filter in &mut other.filter_by {
            let codes = schema.find(&question.dataset, &filter.column).and_then(|f| schema.codes_at(f.column, &filter.grain));
            let Some(codes) = codes.filter(|c| c.contains(&filter.value)) else { continue };
            filter.value.clone_from(&codes[n % codes.len()]);
        }
        for layers in policies() {
            prop_assert_eq!(rules(layers, &question), rules(layers, &other));
        }
    }

    /// Nothing that is answered is below the floor or uses a column that is kept back.
    #[test]
    fn every_treatment_is_at_or_above_the_floor(question in near_question()) {
        for layers in policies() {
            let Ok(treatment) = decide(layers, &question, Asker::Anyone, day("2026-11-21")) else { continue };
            let columns = question.group_by.iter().map(|g| &g.column).chain(question.filter_by.iter().map(|f| &f.column));
            for found in columns.map(|c| layers.schema.find(&question.dataset, c).unwrap()) {
                prop_assert!(!matches!(found.column.class, Class::Identifier | Class::Linkage));
                if found.column.class == Class::SpecialCategory {
                    prop_assert_eq!(treatment.method.as_str(), "dp");
                }
            }
            if let Some(cells) = treatment.method.cells() {
                prop_assert!(cells.min_people >= 5);
            }
            prop_assert!(treatment.quota.tables_per_day > 0);
        }
    }
}
