//! Every code of docs/reference/codes/cp.md has a fixture that brings it.

use super::fixtures::{Edit, NO_SHARES, by_sex, council, once, worked};

const OWN: &str = "profile = \"sub-national-8-5\"";

/// Code, fixture, and a part of the line that must be shown.
fn fixtures() -> Vec<(&'static str, Edit, &'static str)> {
    let mut all = form();
    all.extend(datasets());
    all.extend(releases());
    all.extend(shares());
    all.extend(counted_once());
    all.extend(afterwards());
    all
}

fn form() -> Vec<(&'static str, Edit, &'static str)> {
    vec![
        ("CP001", council("[unit]", "[unit"), "[unit"),
        ("CP002", council("dpia           = \"DPIA-2026-031\"", "dpia = \"LONG\""), "dpia"),
        ("CP003", council("review_by ", "reveiw_by "), "reveiw_by"),
        ("CP004", council("delta_lifetime   = 1e-6\n", ""), "[budget]"),
        ("CP005", council("use = \"dimension\"", "use = \"dimensions\""), "dimensions"),
        ("CP006", council("cairn_policy = 1", "cairn_policy = 2"), "cairn_policy = 2"),
        ("CP007", council("id       = \"smf-people\"", "id       = \"smf_people\""), "smf_people"),
        ("CP008", council("made-up council", "m\u{430}de-up council"), "de-up council"),
        (
            "CP009",
            council("effective_from = 2026-04-01", "effective_from = \"2026-04-01\""),
            "effective_from",
        ),
        ("CP010", council("epsilon_per_year = 1.6", "epsilon_per_year = 4.0000001"), "4.0000001"),
        ("CP101", council("2027-03-31          # after", "2026-03-01          # after"), "# after this day"),
        ("CP102", council("2027-03-31          # after", "2030-03-31          # after"), "# after this day"),
        ("CP103", council("need       = ", "# need = "), "[policy.plan]"),
        ("CP104", council("epsilon_lifetime = 8.0", ""), "[budget]"),
        ("CP105", council("version = 3 }", "version = 4 }"), "version = 4 }"),
        ("CP106", council("https://www", "http://www"), "http://www"),
        ("CP108", council("", ""), "strathcarron.example"),
        ("CP107", council("epsilon_per_year = 1.6", "epsilon_per_year = 4.000001"), "4.000001"),
    ]
}

fn datasets() -> Vec<(&'static str, Edit, &'static str)> {
    let linked = "right   = \"other-partners:participants\"";
    let frozen = "oldest kept, before counting\nsnapshot   = \"month\"";
    vec![
        ("CP201", council("[dataset.outcomes]", "[dataset.outcome]"), "[dataset.outcome]"),
        ("CP202", council("sex                       = {", "sexx = {"), "sexx = {"),
        (
            "CP203",
            council(
                "birth_month               = { use = \"hidden\" }",
                "birth_month = { use = \"time\", grains = [\"quarter\"] }",
            ),
            "birth_month",
        ),
        ("CP204", council("grains = [\"broad\", \"code\"]", "grains = [\"board\", \"code\"]"), "\"board\""),
        ("CP205", council("one_row_is = \"person\"", "one_row_is = \"people\""), "\"people\""),
        ("CP206", council("max_rows_per_person = 4", "max_rows_per_person = 5"), "max_rows_per_person = 5"),
        (
            "CP207",
            council(
                "local_person_id           = { use = \"unit\" }",
                "local_person_id = { use = \"hidden\" }",
            ),
            "local_person_id",
        ),
        ("CP208", council("grains = [\"code\"], special = true", "grains = [\"code\"]"), "disabled_eqa"),
        (
            "CP209",
            council("on    = \"engagement_id\"", "on    = \"local_person_id\""),
            "engagements-outcomes",
        ),
        ("CP210", worked("table      = \"participants\"", "table      = \"participant\""), "\"participant\""),
        ("CP211", worked("age = [\"smf-band\"]", "person_id = [\"code\"]"), "person_id = "),
        ("CP212", worked("codes = \"smf:sex\"", "codes = \"smf:sexes\""), "smf:sexes"),
        ("CP213", worked("bounds = [0, 60]", "bounds = [0, 61]"), "[0, 61]"),
        ("CP214", worked("column = \"sharing_choice\"", "column = \"sharing_choise\""), "sharing_choise"),
        (
            "CP215",
            worked("share_only_if = [\"yes\"]", "share_only_if = [\"yes\", \"unknown\"]"),
            "\"unknown\"",
        ),
        (
            "CP216",
            council("one_row_is = \"person\"", "one_row_is = \"person\"\nkeep_years = 5"),
            "keep_years",
        ),
        ("CP217", worked("", ""), "sharing_choice"),
        ("CP218", worked(frozen, "\nsnapshot   = \"quarter\""), "\"quarter\""),
        ("CP223", council("max_filter_columns    = 4", "max_filter_columns    = 5"), "version = 3"),
        ("CP219", worked(linked, "right   = \"other-partners:outcomes\""), "other-partners:outcomes"),
        ("CP222", worked("opt_out    = { via = \"participants\" }", ""), "[dataset.outcomes]"),
    ]
}

fn releases() -> Vec<(&'static str, Edit, &'static str)> {
    let audit =
        "method       = \"suppress-audit\"\nmin_people   = 10\nround_to     = 1\nsecondary    = false";
    let secure = "[secure]\ncolluding_max = 2\nanswering_min = 5\ninvited_min = 6\nkeys_per_person_max = 4\n";
    vec![
        ("CP301", council(OWN, "profile = \"sub-national-5-8\""), "sub-national-5-8"),
        ("CP302", council(OWN, "min_people = 2\nround_to = 5 #"), "min_people = 2"),
        ("CP303", council(OWN, "min_people = 7\nround_to = 5 #"), "min_people = 7"),
        (
            "CP304",
            worked("min_partners = 3                     # a", "min_partners = 2 # a"),
            "min_partners = 2",
        ),
        ("CP305", council("epsilon   = 0.1 ", "epsilon   = 0.6 "), "0.6"),
        (
            "CP306",
            council("release  = \"noisy-people\"", "min_cohort = 8\nrelease  = \"noisy-people\""),
            "min_cohort = 8",
        ),
        ("CP307", council(OWN, "min_people = 8\nround_to = 3 #"), "round_to = 3"),
        ("CP308", worked("\"framework:d3\"", "\"framework:d4\""), "framework:d4"),
        (
            "CP309",
            worked(
                "method       = \"suppress-round\"\nmin_people   = 10\nround_to     = 5\nsecondary    = true",
                audit,
            ),
            "secondary    = false",
        ),
        ("CP310", worked("max_percent = 50", "max_percent = 100"), "max_percent = 100"),
        ("CP311", worked("answering_min = 5", "answering_min = 4"), "answering_min = 4"),
        ("CP321", worked("answering_min = 5", "answering_min = 5\nusual = \"other\""), "usual = \"other\""),
        ("CP312", worked(secure, ""), "min_partners = 3"),
        ("CP313", worked("", ""), "[release.published-table]"),
        (
            "CP314",
            council(
                "release  = \"plain-table\"\nper_analyst = { tables_per_day = 100, tables_per_year = 2000 }\n",
                EXACT,
            ),
            "[[share]]",
        ),
        (
            "CP315",
            council("discrete-laplace\"\nepsilon   = 0.1 ", "discrete-gaussian\"\nepsilon   = 0.000001 "),
            "0.000001",
        ),
    ]
}

/// The first share's release exchanged for one of its own.
const EXACT: &str = "release  = \"exact\"\nper_analyst = { tables_per_day = 100, tables_per_year = 2000 }\n\n\
    [release.exact]\nmethod  = \"suppress-audit\"\nprofile = \"scottish-5-audit\"\n";

fn shares() -> Vec<(&'static str, Edit, &'static str)> {
    let first = "purpose  = \"local-planning\"\nrole     = \"lep-analyst\"";
    let links = "links    = [\"participants-engagements\"]";
    vec![
        ("CP401", council("role     = \"lep-analyst\"", "role     = \"lep-analysts\""), "lep-analysts"),
        ("CP402", council("purpose  = \"local-planning\"", "purpose  = \"local-plans\""), "local-plans"),
        ("CP403", council("release  = \"plain-table\"", "release  = \"plane-table\""), "plane-table"),
        ("CP404", council("dataset  = \"outcomes\"", "dataset  = \"outcome\""), "\"outcome\""),
        ("CP405", council("\"participants.sex\"", "\"participants.sax\""), "participants.sax"),
        ("CP406", council("gender = \"code\"", "gender = \"codes\""), "\"codes\""),
        (
            "CP407",
            council("group_by  = { council", "group_by  = { data_zone = \"code\", council"),
            "data_zone",
        ),
        (
            "CP408",
            council("max_filter_columns    = 4", "finest = { \"participants.council_code\" = \"nation\" }"),
            "council_code = \"code\"",
        ),
        (
            "CP409",
            council(first, "purpose  = \"smf-reporting\"\nrole     = \"own-tables-analyst\""),
            "[[share]]",
        ),
        ("CP410", council("answers  = [\"people\"]", "answers  = [\"peoples\"]"), "\"peoples\""),
        ("CP411", council(links, "links    = [\"participant-engagement\"]"), "participant-engagement"),
        (
            "CP412",
            council(
                "window   = { column = \"start_date\", from = 2019-04-01, lag_days = 0 }\nlinks",
                "links",
            ),
            "start_date = \"quarter\"",
        ),
        ("CP413", council("max_group_columns  = 3", "max_group_columns  = 5"), "max_group_columns  = 5"),
        ("CP414", council("tables_per_day = 100", "tables_per_day = 0"), "tables_per_day = 0"),
        ("CP415", council("max_filter_columns = 2", "max_filter_columns = 0"), "max_filter_columns = 0"),
        (
            "CP416",
            council("max_rows_per_person = 4", "# max_rows_per_person = 4"),
            "answers  = [\"people\", \"rows\"]",
        ),
        ("CP417", council("lag_days              = 0", "lag_days              = 28"), "lag_days = 0"),
        (
            "CP418",
            council("group_by  = { council", "group_by  = { disabled_eqa = \"code\", council"),
            "disabled_eqa",
        ),
        ("CP419", council("id       = \"local-people\"", "id       = \"smf-people\""), "\"smf-people\""),
        ("CP420", council("", ""), "[[share]]"),
        (
            "CP427",
            worked("[\"person-outcomes\"]", "[\"person-outcomes\", \"across-partners\"]"),
            "across-partners",
        ),
        (
            "CP422",
            worked("id       = \"pay-bands\"", "id       = \"pay-bands\"\nuntil = 2028-01-01"),
            "until = ",
        ),
        (
            "CP423",
            worked("id       = \"pay-bands\"", "id       = \"pay-bands\"\nnamed_analysts = []"),
            "named_analysts",
        ),
        ("CP424", worked("epsilon_per_year = 1.0", "epsilon_per_year = 3.5"), "3.5"),
        ("CP425", worked("", ""), "epsilon_per_year = 1.0"),
        ("CP426", worked("[\"mean:hourly_pay\"]", "[\"mean:hourly_pays\"]"), "hourly_pays"),
    ]
}

/// The shipped framework's terms of secure totals.
const SECURE: &str = "[secure]\n\
    colluding_max       = 10         # partners that may collude\n\
    answering_min       = 22         # partners behind a total: more than half of those asked and of those who may collude, together\n\
    invited_min         = 32         # partners that are asked\n\
    keys_per_person_max = 2          # matching keys that one person may stand under by mistake, when people are counted once\n";

fn counted_once() -> Vec<(&'static str, Edit, &'static str)> {
    let second = "[release.again]\nmethod = \"count-once\"\nmin_partners = 5\nepsilon = 1\ncounts_per_year = 2\n\
        counts_lifetime = 8\n\n[role.national-analyst]";
    let partners = "min_partners    = 5 ";
    vec![
        ("CP316", once(partners, "min_partners    = 1 "), "min_partners    = 1"),
        ("CP316", once(partners, "# "), "[release.counted-once]"),
        ("CP304", once(partners, "min_partners    = 2 "), "min_partners    = 2"),
        ("CP317", once("= 1.0 ", "= 0.499999 "), "0.499999"),
        ("CP317", once("= 1.0 ", "= 4.000001 "), "4.000001"),
        ("CP317", once("keys_per_person_max = 2", "keys_per_person_max = 11"), "= 1.0"),
        ("CP318", once("counts_lifetime = 8", "counts_lifetime = 1"), "counts_lifetime = 1"),
        ("CP319", once(SECURE, ""), "[release.counted-once]"),
        ("CP320", once("[role.national-analyst]", second), "[release.counted-once]"),
        ("CP005", once("counts_per_year = 2", "counts_per_year = 101"), "101"),
        ("CP005", once("counts_lifetime = 8", "counts_lifetime = 1001"), "1001"),
        ("CP306", once("max_group_columns  = 0", "max_group_columns = 0\nmin_cohort = 8"), "min_cohort = 8"),
        ("CP424", once("tables_per_year = 2 }", "epsilon_per_year = 1.0 }"), "epsilon_per_year"),
        (
            "CP432",
            once(
                "answers  = [\"people\"]\ngroup_by  = {}",
                "answers  = [\"people\", \"rows\"]\ngroup_by = {}",
            ),
            "rows",
        ),
        (
            "CP432",
            once(
                "group_by  = {}\nfilter_by = { council_code = \"code\", disabled_eqa = \"code\" }\nmax_group_columns  = 0",
                "group_by  = { sex = \"code\" }\nfilter_by = { council_code = \"code\" }\nmax_group_columns  = 1",
            ),
            "sex = ",
        ),
        ("CP435", by_sex("cells_per_person_max = 2", "cells_per_person_max = 6"), "sex = "),
        ("CP435", by_sex("cells_per_person_max = 2", "cells_per_person_max = 4"), "sex = "),
        ("CP433", once("links    = [\"across-partners\"]", "links    = []"), "\"counted-once\""),
        ("CP434", worked("", ""), "across-partners"),
        ("CP434", once("release  = \"counted-once\"", "release  = \"plain-table\""), "across-partners"),
    ]
}

fn afterwards() -> Vec<(&'static str, Edit, &'static str)> {
    let daily = "per_analyst = { tables_per_day = 40, tables_per_year = 1000 }";
    vec![
        (
            "CP429",
            council(daily, "min_cohort = 1\nper_analyst = { tables_per_day = 40, tables_per_year = 1000 }"),
            "min_cohort = 1",
        ),
        ("CP428", worked("answers_cached_days = 400", "answers_cached_days = 30"), "= 30"),
        ("CP601", council("paused_shares", "paused_shares = [\"smf-peple\"] #"), "smf-peple"),
        (
            "CP805",
            worked("never_together = [[\"ethnicity\", \"care_experience\"]]", "never_together = [[]]"),
            "equalities-noisy",
        ),
        (
            "CP806",
            council(
                "is_rejoin         = { use = \"hidden\" }",
                "is_rejoin = { use = \"dimension\", grains = [\"code\"] }",
            ),
            "is_rejoin",
        ),
        (
            "CP807",
            worked(
                "[[\"ethnicity\", \"care_experience\"]]",
                "[[\"ethnicity\"], [\"ethnicity\", \"care_experience\"]]",
            ),
            "never_together",
        ),
        ("CP801", worked("", ""), "conviction"),
        ("CP802", worked("", ""), "[dataset.participants]"),
        (
            "CP803",
            council(
                "# ---------------------------------------------------------------- what is shared",
                NO_SHARES,
            ),
            "#",
        ),
        (
            "CP804",
            council("release  = \"noisy-people\"", "release  = \"plain-table\""),
            "[release.noisy-people]",
        ),
        ("CP901", worked("", ""), "[[share]]"),
        ("CP902", worked("", ""), "zeros        = \"withhold\""),
        ("CP903", worked("", ""), "across-partners"),
    ]
}

#[test]
fn every_fixture_brings_its_code_at_its_line() {
    for (code, edit, at) in fixtures() {
        let found = edit.brings(code, at);
        assert!(found.column > 0 && !found.rule.is_empty(), "{code}");
        let advised = found.fix.is_some() || found.severity == crate::Severity::Note;
        assert!(advised, "{code} says what to do next");
    }
}

/// A policy too wide to review, indicators, and what `check` never says of a policy: `never` statements, `board.toml` and approvals. Each has
/// its failing fixture with the tests of its own module, which name the code.
const ELSEWHERE: [&str; 5] = ["CP22", "CP421", "CP43", "CP5", "CP7"];

#[test]
fn every_code_of_the_page_has_a_failing_fixture() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let page = std::fs::read_to_string(format!("{root}/docs/reference/codes/cp.md")).unwrap();
    let codes: Vec<&str> = page.lines().filter_map(|l| l.strip_prefix("## ")).collect();
    assert!(codes.len() > 80, "the page is really read");
    let here: std::collections::BTreeSet<&str> = fixtures().iter().map(|(code, ..)| *code).collect();
    let elsewhere = tests_of(&std::path::PathBuf::from(format!("{}/src", env!("CARGO_MANIFEST_DIR"))));
    let tested = |code: &str| {
        let other = ELSEWHERE.iter().any(|prefix| code.starts_with(prefix));
        here.contains(code) || other && elsewhere.contains(code)
    };
    let missing: Vec<&&str> = codes.iter().filter(|code| !tested(code)).collect();
    assert!(missing.is_empty(), "codes without a failing fixture: {missing:?}");
    let stale: Vec<&&str> = here.iter().filter(|code| !codes.contains(code)).collect();
    assert!(stale.is_empty(), "fixtures of codes that the page does not have: {stale:?}");
}

/// The text of every test of the crate but this file's.
fn tests_of(folder: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&tests_of(&path));
        } else if path.to_string_lossy().contains("tests") && !path.ends_with("every_code.rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
    text
}
