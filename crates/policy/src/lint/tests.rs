mod every_code;
mod fixtures;
mod footguns;
mod fuzz;

use crate::finding::{File, Severity, Sources, render_all};
use crate::tests::{EXAMPLES, example};

/// The council's policy with some edits, and every error and warning that they bring, as `code rule` (the warnings
/// that the shipped policy has anyway, and that its framework was edited, left out).
fn findings(edits: &[(&str, &str)]) -> (Sources, Vec<crate::Finding>) {
    let mut sources = example("council");
    for (from, to) in edits {
        let file =
            if sources.policy.text.contains(from) { &mut sources.policy } else { &mut sources.framework };
        assert!(file.text.contains(from), "nothing to edit: {from}");
        file.text = file.text.replacen(from, to, 1);
    }
    let mut found = crate::check(&sources);
    found.retain(|f| f.severity != Severity::Note && !["CP108", "CP223", "CP420"].contains(&f.code));
    (sources, found)
}

fn check(edits: &[(&str, &str)], expected: &[&str]) {
    let (sources, found) = findings(edits);
    let short: Vec<String> = found.iter().map(|f| format!("{} {}", f.code, f.rule)).collect();
    assert_eq!(short, expected, "{}", render_all(&found, &sources));
    let loads = crate::Layers::load(&sources).is_ok();
    assert_eq!(loads, found.iter().all(|f| f.severity != Severity::Error), "one error, and nothing loads");
}

fn says(edits: &[(&str, &str)], says: &str, fix: &str) {
    let (sources, found) = findings(edits);
    let said =
        found.iter().any(|f| f.says.contains(says) && f.fix.as_deref().unwrap_or_default().contains(fix));
    assert!(said, "`{says}` and `{fix}` in\n{}", render_all(&found, &sources));
}

#[test]
fn a_misspelt_key_is_named_with_the_nearest() {
    check(&[("review_by ", "reveiw_by ")], &["CP004 policy.review_by", "CP003 policy.reveiw_by"]);
    says(&[("review_by ", "reveiw_by ")], "unknown key `reveiw_by`", "did you mean `review_by`?");
    check(&[("[records]", "[record]")], &["CP004 records", "CP003 record"]);
    check(
        &[("max_group_columns  = 3", "max_group_colums  = 3")],
        &["CP004 share.smf-people.max_group_columns", "CP003 share.smf-people.max_group_colums"],
    );
    check(&[("[floor]", "[floor]\nmin_peple = 3")], &["CP003 floor.min_peple"]);
}

#[test]
fn an_unknown_word_is_named_with_the_nearest() {
    says(
        &[("sex                       = {", "sexx                      = {")],
        "unknown column `sexx`",
        "did you mean `sex`?",
    );
    says(
        &[("role     = \"lep-analyst\"", "role     = \"lep-analysts\"")],
        "unknown role",
        "did you mean `lep-analyst`?",
    );
    says(
        &[("purpose  = \"local-planning\"", "purpose  = \"local-plans\"")],
        "unknown purpose",
        "`local-planning`?",
    );
    says(
        &[("release  = \"plain-table\"", "release  = \"plane-table\"")],
        "unknown release",
        "`plain-table`?",
    );
    says(&[("dataset  = \"outcomes\"", "dataset  = \"outcome\"")], "unknown dataset", "`outcomes`?");
    says(
        &[("profile = \"sub-national-8-5\"", "profile = \"sub-national-5-8\"")],
        "unknown profile",
        "sub-national-8-5",
    );
    says(&[("answers  = [\"people\"]", "answers  = [\"peoples\"]")], "`peoples` is not an answer", "`rows`");
    says(&[("gender = \"code\"", "gender = \"codes\"")], "unknown grain `codes`", "did you mean `code`?");
    says(
        &[("[dataset.outcomes]", "[dataset.outcome]")],
        "unknown table `outcome`",
        "did you mean `outcomes`?",
    );
    says(&[("method    = \"dp\"", "method    = \"dpp\"")], "`method` must be", "did you mean `dp`?");
    says(&[("use = \"dimension\"", "use = \"dimensions\"")], "`use` must be", "did you mean `dimension`?");
    says(
        &[("links    = [\"participants-engagements\"]", "links    = [\"participant-engagement\"]")],
        "unknown link",
        "did you",
    );
    says(
        &[("\"participants.sex\" = \"code\"", "\"participants.sax\" = \"code\"")],
        "unknown column",
        "`participants.sex`?",
    );
    says(
        &[("\"participants.sex\" = \"code\"", "participants.sex = \"code\"")],
        "`participants` needs quotes around the whole column name",
        "\"participants.",
    );
}

#[test]
fn a_threshold_is_never_below_the_floor() {
    let own = |min: &str, base: &str| {
        let to = format!("min_people = {min}\nround_to = {base}\n# ");
        findings(&[("profile = \"sub-national-8-5\"", &to)]).1.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(own("8", "5"), [""; 0]);
    assert_eq!(own("10", "5"), [""; 0]);
    assert_eq!(own("2", "5"), ["CP302", "CP303"]);
    assert_eq!(own("0", "5"), ["CP302", "CP303"]);
    assert_eq!(own("4", "5"), ["CP302", "CP303"], "the framework's floor is 5");
    assert_eq!(own("7", "5"), ["CP303"], "a shown 5 would mean 6 or 7");
    assert_eq!(own("8", "3"), ["CP307"]);
    assert_eq!(own("8", "0"), ["CP307"]);
    check(&[("min_people            = 5", "min_people            = 2")], &["CP005 floor.min_people"]);
    check(
        &[("zeros      = \"show\"", "zeros      = \"hide\"")],
        &[
            "CP005 profile.sub-national-8-5.zeros",
            "CP321 secure.usual",
            "CP301 release.plain-table.profile",
            "CP301 release.in-total.profile",
        ],
    );
    check(
        &[("profile = \"sub-national-8-5\"", "min_people = 6\nprofile = \"sub-national-8-5\"")],
        &["CP301 release.plain-table.min_people", "CP303 release.plain-table.min_people"],
    );
    check(&[("profile = \"sub-national-8-5\"", "min_people = 13\nprofile = \"sub-national-8-5\"")], &[]);
}

#[test]
fn two_partners_are_too_few_for_a_total() {
    let partners =
        |n: &str| ("[release.plain-table]\n", format!("[release.plain-table]\nmin_partners = {n}\n"));
    for (n, expected) in [("0", 1), ("1", 0), ("2", 1), ("3", 0)] {
        let (from, to) = partners(n);
        let found = findings(&[(from, &to)]).1;
        assert_eq!(found.iter().filter(|f| f.code == "CP304").count(), expected, "{n}");
    }
}

#[test]
fn rows_are_counted_only_with_a_bound() {
    check(
        &[("max_rows_per_person = 4", "# max_rows_per_person = 4")],
        &[
            "CP416 share.national-starts.answers",
            "CP416 share.smf-starts.answers",
            "CP416 share.local-starts.answers",
        ],
    );
    check(
        &[("max_rows_per_person = 4", "max_rows_per_person = 5")],
        &["CP206 dataset.engagements.max_rows_per_person"],
    );
    check(
        &[("one_row_is = \"person\"", "one_row_is = \"person\"\nmax_rows_per_person = 2")],
        &["CP206 dataset.participants.max_rows_per_person"],
    );
}

#[test]
fn days_and_parts_of_the_head() {
    check(&[("2027-03-31          # after", "2028-03-31          # after")], &[]);
    check(&[("2027-03-31          # after", "2028-04-01          # after")], &["CP102 policy.expires"]);
    check(
        &[("2027-03-31          # after", "2026-03-01          # after")],
        &["CP101 policy.review_by", "CP101 policy.expires"],
    );
    check(
        &[("effective_from = 2026-04-01", "effective_from = \"2026-04-01\"")],
        &["CP009 policy.effective_from"],
    );
    check(&[("need       = ", "# need = ")], &["CP103 policy.plan"]);
    check(&[("need       = ", "needs      = ")], &["CP103 policy.plan", "CP003 policy.plan.needs"]);
    check(&[("epsilon_lifetime = 8.0", "")], &["CP104 budget.epsilon_lifetime"]);
    check(&[("version = 3 }", "version = 4 }")], &["CP105 policy.framework.version"]);
    check(&[("https://www", "http://www")], &["CP106 policy.notice_url"]);
    check(&[("cairn_policy = 1", "cairn_policy = 2")], &["CP006 cairn_policy"]);
    check(&[("cairn_policy = 1", "")], &["CP004 cairn_policy"]);
}

#[test]
fn the_budget_keeps_to_the_framework_and_is_read_exactly() {
    check(&[("epsilon_per_year = 1.6", "epsilon_per_year = 4.000001")], &["CP107 budget.epsilon_per_year"]);
    check(&[("epsilon_per_year = 1.6", "epsilon_per_year = 4.0000001")], &["CP010 budget.epsilon_per_year"]);
    check(&[("epsilon_lifetime = 8.0", "epsilon_lifetime = 1")], &["CP107 budget.epsilon_lifetime"]);
    check(&[("delta_lifetime   = 1e-6", "delta_lifetime   = 1e-5")], &["CP107 budget.delta_lifetime"]);
    check(&[("epsilon   = 0.1 ", "epsilon   = 0.6 ")], &["CP305 release.noisy-people.epsilon"]);
    check(&[("epsilon   = 0.1 ", "epsilon   = 0.1234567 ")], &["CP010 release.noisy-people.epsilon"]);
    check(&[("epsilon   = 0.1 ", "epsilon   = 11.0 ")], &["CP305 release.noisy-people.epsilon"]);
    check(
        &[("tables_per_day = 100", "tables_per_day = 0")],
        &["CP414 share.national-people.per_analyst.tables_per_day"],
    );
    check(
        &[("tables_per_year = 2000", "tables_per_year = 20")],
        &["CP414 share.national-people.per_analyst"],
    );
}

#[test]
fn a_share_that_another_could_match_does_not_load() {
    check(&[("role     = \"lep-analyst\"", "role     = \"own-tables-analyst\"")], &[]);
    check(
        &[(
            "purpose  = \"local-planning\"\nrole     = \"lep-analyst\"",
            "purpose  = \"smf-reporting\"\nrole     = \"own-tables-analyst\"",
        )],
        &["CP409 share.local-people"],
    );
    check(&[("id       = \"local-people\"", "id       = \"smf-people\"")], &["CP419 share"]);
}

#[test]
fn special_category_columns_leave_with_noise_only() {
    let listed = (
        "id       = \"smf-people\"\npurpose  = \"smf-reporting\"\nrole     = \"own-tables-analyst\"\ndataset  = \"participants\"\nanswers  = [\"people\"]\ngroup_by  = { council_code",
        "id       = \"smf-people\"\npurpose  = \"smf-reporting\"\nrole     = \"own-tables-analyst\"\ndataset  = \"participants\"\nanswers  = [\"people\"]\ngroup_by  = { disabled_eqa = \"code\", council_code",
    );
    check(&[listed], &["CP418 share.smf-people.group_by.disabled_eqa"]);
    check(
        &[("release  = \"noisy-people\"", "release  = \"plain-table\"")],
        &["CP804 release.noisy-people", "CP418 share.equalities-people.group_by.disabled_eqa"],
    );
    check(
        &[(
            "disabled_eqa              = { use = \"dimension\", grains = [\"code\"], special = true }",
            "disabled_eqa = { use = \"dimension\", grains = [\"code\"] }",
        )],
        &["CP208 dataset.participants.columns.disabled_eqa"],
    );
    check(
        &[(
            "convictions               = { use = \"hidden\" }",
            "convictions = { use = \"filter\", grains = [\"code\"], special = true }",
        )],
        &["CP801 dataset.participants.columns.convictions"],
    );
    check(
        &[(
            "gender                    = { use = \"dimension\", grains = [\"code\"]",
            "gender = { use = \"dimension\", grains = [\"code\"], special = true",
        )],
        &[
            "CP418 share.national-people.group_by.gender",
            "CP418 share.national-starts.group_by.participants.gender",
            "CP418 share.smf-people.group_by.gender",
            "CP418 share.smf-people.filter_by.gender",
            "CP418 share.smf-starts.group_by.participants.gender",
            "CP418 share.local-people.group_by.gender",
            "CP418 share.local-people.filter_by.gender",
            "CP418 share.local-starts.group_by.participants.gender",
        ],
    );
}

/// L2 of docs/reference/unsafe-cells.md: where everybody of a base has one code of a sensitive axis, no threshold hides it. Such an axis leaves with
/// noise or not at all, whatever the method without noise, and no framework can say otherwise.
#[test]
fn l2_a_sensitive_axis_leaves_by_no_treatment_without_noise() {
    let releases = [
        "method = \"suppress-round\"\nprofile = \"sub-national-8-5\"",
        "method = \"suppress-round\"\nmin_people = 50\nround_to = 10",
        "method = \"suppress-audit\"\nprofile = \"scottish-5-audit\"",
        "method = \"cell-key\"\nprofile = \"census-cell-key\"\nptable = \"framework:d3\"",
    ];
    let named = ("release  = \"noisy-people\"", "release  = \"without-noise\"");
    for release in releases {
        let section = format!("[release.without-noise]\n{release}\n\n[release.noisy-people]");
        let (sources, found) = findings(&[named, ("[release.noisy-people]", &section)]);
        let refused = found
            .iter()
            .any(|f| f.code == "CP418" && f.rule == "share.equalities-people.group_by.disabled_eqa");
        assert!(refused && crate::Layers::load(&sources).is_err(), "{}", render_all(&found, &sources));
    }
    for method in ["suppress-round", "suppress-audit", "cell-key"] {
        let wider = format!("special_needs_method  = [\"dp\", \"{method}\"]");
        let (sources, _) = findings(&[("special_needs_method  = [\"dp\"]", &wider)]);
        assert!(crate::Layers::load(&sources).is_err(), "{method}");
    }
}

/// Gaussian noise is scaled to a whole number of billionths of ρ, which so small an ε has not.
#[test]
fn gaussian_noise_needs_a_loss_that_can_be_charged() {
    let gaussian = (
        "mechanism = \"discrete-laplace\"\nepsilon   = 0.1",
        "mechanism = \"discrete-gaussian\"\nepsilon   = 0.1",
    );
    let (_, found) = findings(&[gaussian]);
    assert!(found.iter().all(|f| f.code != "CP315" && f.severity != Severity::Error));
    let tiny = (gaussian.0, "mechanism = \"discrete-gaussian\"\nepsilon   = 0.000001");
    let (sources, found) = findings(&[tiny]);
    let refused = found.iter().filter(|f| f.code == "CP315").map(|f| f.rule.as_str());
    assert_eq!(refused.collect::<Vec<_>>(), ["release.noisy-people.epsilon"]);
    assert!(crate::Layers::load(&sources).is_err());
    // A billionth of ρ is enough for an own table, and in a total none of it would be left for the noise.
    let least = (1..1_000).find(|millionths| {
        cairn_question::privacy::NanoRho::cap_for(f64::from(*millionths) / 1e6, 1e-6).nano() == 1
    });
    let epsilon = |more: &str| {
        format!("mechanism = \"discrete-gaussian\"{more}\nepsilon   = {:.6}", f64::from(least.unwrap()) / 1e6)
    };
    for (more, refused) in [("", false), ("\nmin_partners = 3", true)] {
        let (_, found) = findings(&[(gaussian.0, &epsilon(more))]);
        assert_eq!(
            found.iter().any(|f| f.code == "CP315" && f.says.contains("two billionths")),
            refused,
            "{more}"
        );
        assert_eq!(found.iter().any(|f| f.code == "CP315"), refused, "{more}");
    }
    // Without a δ there is no loss to scale it to, and no policy.
    let (sources, found) = findings(&[gaussian, ("delta_lifetime", "delta_of_life")]);
    assert!(found.iter().any(|f| f.rule == "budget.delta_lifetime"));
    assert!(crate::Layers::load(&sources).is_err());
    let other = (gaussian.0, "mechanism = \"gaussian\"\nepsilon   = 0.1");
    let (sources, _) = findings(&[other]);
    assert!(crate::Layers::load(&sources).is_err());
}

#[test]
fn a_noisy_table_does_not_look_at_the_records_first() {
    check(
        &[("release  = \"noisy-people\"", "min_cohort = 8\nrelease  = \"noisy-people\"")],
        &["CP306 share.equalities-people.min_cohort"],
    );
}

#[test]
fn no_list_is_wider_than_the_framework() {
    check(
        &[
            (
                "housing_status            = { use = \"hidden\" }",
                "housing_status = { use = \"dimension\", grains = [\"code\"] }",
            ),
            ("group_by  = { council_code", "group_by  = { housing_status = \"code\", council_code"),
        ],
        &["CP408 share.national-people.group_by.housing_status"],
    );
    check(
        &[("max_group_columns  = 3", "max_group_columns  = 5")],
        &["CP413 share.smf-people.max_group_columns"],
    );
    check(
        &[("[purpose.local-planning]\ntext = \"Planning", "[purpose.planning]\ntext = \"Planning")],
        &["CP408 share.local-people.purpose", "CP408 share.local-starts.purpose"],
    );
    check(
        &[("lag_days              = 0", "lag_days              = 28")],
        &[
            "CP417 share.national-starts.window",
            "CP417 share.national-outcomes.window",
            "CP417 share.smf-starts.window",
            "CP417 share.smf-outcomes.window",
            "CP417 share.equalities-starters.window",
            "CP417 share.local-starts.window",
        ],
    );
    check(
        &[(
            "\"engagements.start_date\"      = [\"year\", \"quarter\"]",
            "\"engagements.start_date\" = [\"year\"]",
        )],
        &[
            "CP408 dataset.engagements.columns.start_date",
            "CP408 share.national-starts.group_by.start_date",
            "CP408 share.national-starts.filter_by.start_date",
            "CP408 share.national-outcomes.group_by.engagements.start_date",
            "CP408 share.national-outcomes.filter_by.engagements.start_date",
            "CP408 share.smf-starts.group_by.start_date",
            "CP408 share.smf-starts.filter_by.start_date",
            "CP408 share.smf-outcomes.group_by.engagements.start_date",
            "CP408 share.smf-outcomes.filter_by.engagements.start_date",
            "CP408 share.equalities-starters.group_by.start_date",
            "CP408 share.equalities-starters.filter_by.start_date",
            "CP408 share.local-starts.group_by.start_date",
            "CP408 share.local-starts.filter_by.start_date",
        ],
    );
}

#[test]
fn filters_are_listed_or_there_are_none() {
    check(
        &[(
            "filter_by = { council_code = \"code\", age_band = \"code\", sex = \"code\", gender = \"code\", simd_quintile = \"code\", parental_status = \"code\" }",
            "filter_by = {}",
        )],
        &["CP415 share.smf-people.max_filter_columns"],
    );
    check(
        &[("max_filter_columns = 2", "max_filter_columns = 0")],
        &["CP415 share.smf-people.max_filter_columns"],
    );
    check(&[("max_filter_columns = 2\n", "")], &["CP004 share.smf-people.max_filter_columns"]);
}

#[test]
fn identifiers_and_joins_are_the_dictionarys() {
    check(
        &[(
            "birth_month               = { use = \"hidden\" }",
            "birth_month = { use = \"time\", grains = [\"quarter\"] }",
        )],
        &["CP203 dataset.participants.columns.birth_month", "CP408 dataset.participants.columns.birth_month"],
    );
    check(
        &[("local_person_id           = { use = \"unit\" }", "local_person_id = { use = \"hidden\" }")],
        &["CP207 dataset.participants.columns.local_person_id"],
    );
    check(
        &[(
            "local_person_id           = { use = \"unit\" }",
            "local_person_id = { use = \"dimension\", grains = [\"code\"] }",
        )],
        &[
            "CP203 dataset.participants.columns.local_person_id",
            "CP207 dataset.participants.columns.local_person_id",
            "CP204 dataset.participants.columns.local_person_id",
        ],
    );
    check(
        &[("on    = \"engagement_id\"", "on    = \"local_person_id\"")],
        &["CP209 link.engagements-outcomes"],
    );
    check(
        &[(
            "links    = [\"participants-engagements\", \"engagements-outcomes\"]",
            "links    = [\"engagements-outcomes\"]",
        )],
        &[
            "CP411 share.national-outcomes.group_by.participants.council_code",
            "CP411 share.national-outcomes.group_by.participants.age_band",
            "CP411 share.national-outcomes.group_by.participants.sex",
        ],
    );
    check(
        &[("housing_status            = { use = \"hidden\" }\n", "")],
        &["CP802 dataset.participants.columns"],
    );
    check(
        &[("priority_family           = { use = \"hidden\" }", "priority_family = { use = \"dimension\" }")],
        &["CP203 dataset.participants.columns.priority_family"],
    );
    check(
        &[("window   = { column = \"start_date\", from = 2019-04-01, lag_days = 0 }\nlinks", "links")],
        &["CP412 share.national-starts.window"],
    );
}

#[test]
fn the_same_columns_by_two_treatments_are_named() {
    let twice = [
        (
            "[release.noisy-people]",
            "[release.other]\nmethod = \"suppress-round\"\nmin_people = 13\nround_to = 5\n\n[release.noisy-people]",
        ),
        (
            "links    = []\nrelease  = \"plain-table\"\nper_analyst = { tables_per_day = 40",
            "links    = []\nrelease  = \"other\"\nper_analyst = { tables_per_day = 40",
        ),
    ];
    let codes = |edits: &[(&str, &str)]| {
        let mut sources = example("council");
        for (from, to) in edits {
            assert!(sources.policy.text.contains(from), "{from}");
            sources.policy.text = sources.policy.text.replacen(from, to, 1);
        }
        let found = crate::check(&sources);
        let local = found.into_iter().filter(|f| {
            f.code == "CP420" && f.says.contains("local-people and") || f.says.contains("and local-people")
        });
        local.map(|f| (f.severity, f.says)).collect::<Vec<_>>()
    };
    assert!(
        codes(&twice).iter().all(|(s, says)| *s == Severity::Warning && says.contains("different roles"))
    );
    assert!(!codes(&twice).is_empty());
    let one_role = [twice[0], twice[1], ("role     = \"lep-analyst\"", "role     = \"own-tables-analyst\"")];
    assert!(codes(&one_role).iter().any(|(s, says)| *s == Severity::Error && says.contains("the same role")));
}

/// Own tables that are not noisy, added up, are bounds on the total beside them (decision 0016).
#[test]
fn an_own_table_beside_a_total_of_it_is_named() {
    let said = |edits: &[(&str, &str)]| {
        let mut sources = example("council");
        for (from, to) in edits {
            assert!(sources.policy.text.contains(from), "{from}");
            sources.policy.text = sources.policy.text.replacen(from, to, 1);
        }
        let found = crate::check(&sources).into_iter();
        let of_both = found.filter(|f| f.says.starts_with("national-people and smf-people give"));
        let path = of_both.filter(|f| f.says.ends_with("min_partners (an own table, a total)"));
        path.map(|f| (f.code, f.severity)).collect::<Vec<_>>()
    };
    assert_eq!(said(&[]), [("CP420", Severity::Warning)], "different roles");
    let one_role = (
        "purpose  = \"smf-reporting\"\nrole     = \"national-analyst\"",
        "purpose  = \"local-planning\"\nrole     = \"own-tables-analyst\"",
    );
    assert_eq!(said(&[one_role]), [("CP420", Severity::Error)]);
    let both_total = ("release  = \"plain-table\"", "release  = \"in-total\"");
    assert_eq!(said(&[both_total]), []);
}

/// What is said of the two shares `smf-…` and `local-…` of one role: `releases` is added, and each share's text is edited.
fn said_of_one_role(kind: &str, releases: &str, smf: (&str, &str), local: (&str, &str)) -> Vec<String> {
    let mut sources = example("council");
    let shares =
        sources.policy.text.replace("role     = \"lep-analyst\"", "role     = \"own-tables-analyst\"");
    let edited = shares.split("[[share]]").map(|share| {
        let of = |name: &str| share.contains(&format!("id       = \"{name}-{kind}\""));
        let (from, to) = if of("smf") {
            smf
        } else if of("local") {
            local
        } else {
            ("", "")
        };
        assert!(share.contains(from), "nothing to edit: {from}");
        share.replacen(from, to, 1)
    });
    sources.policy.text = edited.collect::<Vec<_>>().join("[[share]]");
    sources.policy.text = sources.policy.text.replacen(
        "[release.plain-table]",
        &format!("{releases}\n[release.plain-table]"),
        1,
    );
    let pair = format!("smf-{kind} and local-{kind} ");
    let found = crate::check(&sources).into_iter().filter(|f| f.code == "CP420" && f.says.starts_with(&pair));
    found.map(|f| format!("{:?}: {}", f.severity, f.says.trim_start_matches(&pair))).collect()
}

#[test]
fn two_treatments_of_one_role_are_found_whatever_they_differ_in() {
    let none = ("", "");
    assert!(said_of_one_role("starts", "", none, none).is_empty(), "one treatment");
    let check = |kind, releases: &str, smf, local, differ: &str| {
        let said = said_of_one_role(kind, releases, smf, local);
        let whole = said.len() == 1 && said[0].starts_with("Error: give ");
        assert!(whole && said[0].ends_with(&format!("they differ in {differ}")), "{differ}: {said:?}");
    };
    let links = "links    = [\"participants-engagements\"]";
    let cohort = format!("min_cohort = 8\n{links}");
    check("starts", "", none, ("from = 2019-04-01", "from = 2019-04-02"), "window");
    check("starts", "", none, ("lag_days = 0", "lag_days = 1"), "window");
    check("starts", "", none, ("column = \"start_date\"", "column = \"end_date\""), "window");
    check("starts", "", none, (links, &cohort), "min_cohort");
    let use_of = |name: &str| format!("release  = \"{name}\"");
    let plain = use_of("plain-table");
    let (one, other) = (use_of("one"), use_of("other"));
    let pairs = [
        (
            "min_people = 13\nround_to = 5\nzeros = \"show\"",
            "min_people = 13\nround_to = 5\nzeros = \"withhold\"",
        ),
        ("min_people = 13\nround_to = 5", "min_people = 13\nround_to = 10"),
        ("epsilon = 0.2\ngroups_per_person = 1", "epsilon = 0.1\ngroups_per_person = 1"),
        ("epsilon = 0.2\ngroups_per_person = 1", "epsilon = 0.2\ngroups_per_person = 2"),
    ];
    for (a, b) in pairs {
        let (method, differ) = if a.starts_with("epsilon") {
            ("dp\"\nmechanism = \"discrete-laplace", "mechanism, epsilon or groups_per_person")
        } else {
            ("suppress-round", "profile, min_people, round_to, zeros, secondary or dominance")
        };
        let releases = format!(
            "[release.one]\nmethod = \"{method}\"\n{a}\n[release.other]\nmethod = \"{method}\"\n{b}\n"
        );
        check("people", &releases, (&plain, &one), (&plain, &other), differ);
    }
}

#[test]
fn two_treatments_without_a_common_column_still_share_the_total() {
    let columns = "council_code = \"code\", age_band = \"code\", sex = \"code\", gender = \"code\", simd_quintile = \"code\", parental_status";
    let group = format!("group_by  = {{ {columns} = \"code\" }}");
    let local = "group_by  = { gender = \"code\" }\nmin_cohort = 8";
    let said = said_of_one_role("people", "", (&group, "group_by  = { sex = \"code\" }"), (&group, local));
    assert_eq!(
        said,
        [
            "Error: give participants in total to the same role under two treatments: they differ in min_cohort"
        ]
    );
}

#[test]
fn letters_that_are_not_what_they_look_like_are_refused() {
    check(&[("# national floor", "# national \u{202e}floor")], &["CP008 letters"]);
    check(&[("made-up council", "made-up\u{200b} council")], &["CP008 letters"]);
    check(&[("made-up council", "m\u{430}de-up council")], &["CP008 letters"]);
    check(
        &[("controller     = \"Strathcarron", "controller     = \"\\u202eStrathcarron")],
        &["CP008 policy.controller"],
    );
    let (_, found) = findings(&[("id       = \"smf-people\"", "id       = \"smf-p\u{435}ople\"")]);
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["CP007", "CP008"]);
    let (_, found) = findings(&[("gender                    = {", "\"g\u{435}nder\" = {")]);
    assert!(found.iter().any(|f| f.code == "CP007" && f.fix.as_deref() == Some("did you mean `gender`?")));
    check(&[("made-up council", "ε-council of Ayr, Dùn Èideann")], &[]);
}

#[test]
fn only_plain_latin_letters_blanks_and_whole_accents_load() {
    let comment = |text: &str, expected: &[&str]| check(&[("made-up council", text)], expected);
    comment("\u{391}\u{392} council", &["CP008 letters"]);
    comment("D\u{75}\u{300}n council", &["CP008 letters"]);
    comment("made-up\u{a0}council", &["CP008 letters"]);
    comment("made-up\u{2009}council", &["CP008 letters"]);
    comment("made\u{ff0d}up council", &["CP008 letters"]);
    comment("count\u{131}l", &["CP008 letters"]);
    comment("\u{1d41a} council", &["CP008 letters"]);
    comment("a council of ½ km², “quoted” – €5, ≥ 10, ρ", &[]);
    comment("Aonghas Ó Gallchobhair, Łukasz, Zoë, Ștefan, Nguyễn", &[]);
    let escaped =
        |text: &str| check(&[("\"Strathcarron C", &format!("\"{text} C"))], &["CP008 policy.controller"]);
    escaped("\\u0391\\u0392");
    escaped("\\u00a0");
    escaped("u\\u0300");
}

#[test]
fn no_text_forges_a_line_of_a_page() {
    let forged = "Any\\n\\nNEVER LEAVES, in any form:\\n  * nothing";
    let (sources, found) = findings(&[("\"Strathcarron Council\"", &format!("\"{forged}\""))]);
    assert!(found.iter().any(|f| f.code == "CP008" && f.rule == "policy.controller"), "{found:#?}");
    assert!(crate::Layers::load(&sources).is_err());
    let name = "controller     = \"Strathcarron Council\"";
    check(&[(name, "controller = \"\"\"Any\nCouncil\"\"\"")], &["CP008 policy.controller"]);
    check(&[(name, "controller = \"Any\\tCouncil\"")], &["CP008 policy.controller"]);
    check(&[(name, "controller = \"Any\\rCouncil\"")], &["CP008 policy.controller"]);
    check(
        &[("title = \"Is learning given", "title = \"Is\\n\\nlearning given")],
        &["CP008 indicator.W3.title"],
    );
    check(
        &[("text = \"Equalities monitoring:", "text = \"Equalities\\nmonitoring:")],
        &["CP008 purpose.equalities.text"],
    );
    check(&[("conditions = [", "conditions = [\"first\\nsecond\", ")], &["CP008 records.conditions"]);
}

#[test]
fn a_byte_order_mark_is_refused_in_every_file_with_the_same_fix() {
    let marked = |file: &File| File::new(file.name.clone(), format!("\u{feff}{}", file.text));
    let good = example("council");
    let brake = good.brake.clone().unwrap();
    for sources in [
        Sources { policy: marked(&good.policy), ..good.clone() },
        Sources { framework: marked(&good.framework), ..good.clone() },
        Sources { brake: Some(marked(&brake)), ..good.clone() },
    ] {
        let found = crate::check(&sources);
        let errors: Vec<_> = found.iter().filter(|f| f.severity == Severity::Error).collect();
        let [only] = errors.as_slice() else { panic!("{found:#?}") };
        assert_eq!((only.code, only.line, only.column), ("CP008", 1, 1));
        assert_eq!(only.fix.as_deref(), Some("save the file as UTF-8 without BOM"));
    }
    let (_, found) = crate::tests::loaded("council").with_brake(Some(&marked(&brake)));
    assert!(found.iter().any(|f| f.code == "CP008"), "a node says the same of a brake: {found:#?}");
}

#[test]
fn a_notice_is_at_an_address_of_the_web() {
    let url = |url: &str| {
        let to = format!("\"{url}\"");
        let (_, found) = findings(&[("\"https://www.strathcarron.example/privacy/employability\"", &to)]);
        found.iter().any(|f| f.code == "CP106")
    };
    for good in ["https://www.fife.gov.uk", "https://fife.gov.uk/privacy?a=1#b", "https://a.b:8443/x_y/~z"] {
        assert!(!url(good), "{good}");
    }
    for bad in [
        "https://",
        "https:///privacy",
        "https://localhost/",
        "https://a.b/x y",
        "https://a.b/'x'",
        "http://a.b/",
        "https://.b/",
        "https://a..b/",
        "https://user@a.b/",
        "https://a.b/<x>",
        "https://-a.b/",
        "ftp://a.b",
        "https://a.b/\\\"x",
    ] {
        assert!(url(bad), "{bad}");
    }
}

#[test]
fn a_version_cannot_be_the_last() {
    let policy =
        |version: &str| findings(&[("version        = 7", &format!("version        = {version}"))]).1;
    let has = |version: &str| policy(version).iter().any(|f| f.code == "CP005" && f.rule == "policy.version");
    assert!(!has("1000000") && has("1000001") && has("4294967295"));
}

#[test]
fn a_policy_of_too_many_shares_is_refused_before_they_are_tried() {
    let mut sources = example("council");
    sources.policy.text.push_str(&"[[share]]\n".repeat(20_000));
    let found = crate::check(&sources);
    assert!(
        found.iter().any(|f| f.code == "CP002" && f.says == "more than 64 shares"),
        "{:#?}",
        found.first()
    );
}

#[test]
fn a_cohort_smaller_than_a_withheld_count_is_warned_of() {
    let share = "per_analyst = { tables_per_day = 40, tables_per_year = 1000 }";
    let cohort = |least: u32| format!("min_cohort = {least}\n{share}");
    check(&[(share, &cohort(1))], &["CP429 share.local-people.min_cohort"]);
    check(&[(share, &cohort(7))], &["CP429 share.local-people.min_cohort"]);
    check(&[(share, &cohort(8))], &[]);
    check(&[(share, &cohort(0))], &[]);
}

#[test]
fn another_text_under_the_frameworks_name_is_warned_of() {
    let warned = |edits: &[(&str, &str)]| {
        let mut sources = example("council");
        for (from, to) in edits {
            sources.framework.text = sources.framework.text.replacen(from, to, 1);
        }
        let found = crate::check(&sources);
        let codes = found.iter().filter(|f| f.code == "CP223").count();
        let alone = crate::altered_framework(&sources.framework).is_some();
        assert_eq!(codes == 1, alone);
        alone
    };
    let floor = ("max_filter_columns    = 4", "max_filter_columns    = 5");
    assert!(!warned(&[]));
    assert!(!warned(&[("\n", "\r\n")]), "line ends are an editor's");
    assert!(warned(&[floor]));
    assert!(
        warned(&[("# coarse to fine", "# Coarse to fine"), ("# people:", "# persons:")]),
        "a comment is read too"
    );
    assert!(!warned(&[floor, ("version = 3", "version = 4")]), "another version is another text");
}

#[test]
fn a_brake_names_shares_that_exist() {
    let mut sources = example("council");
    sources.brake = Some(File::new("local-brake.toml", "cairn_brake = 1\npaused_shares = [\"smf-peple\"]\n"));
    let found = crate::check(&sources);
    assert!(
        found.iter().any(|f| f.code == "CP601" && f.fix.as_deref() == Some("did you mean `smf-people`?"))
    );
}

#[test]
fn any_text_is_checked_without_a_panic() {
    for text in [
        "",
        "=",
        "[policy",
        "policy = 1",
        "[[share]]\n[[share]]",
        "[dataset]\nx = 1",
        "cairn_policy = 1e400",
        "\u{0}",
    ] {
        let sources = Sources { policy: File::new("policy.toml", text), ..example("council") };
        assert!(crate::check(&sources).iter().any(|f| f.severity == Severity::Error), "{text}");
    }
    let long = "a".repeat(300 * 1024);
    let sources = Sources { policy: File::new("policy.toml", long), ..example("council") };
    assert!(crate::check(&sources).iter().any(|f| f.code == "CP002"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..proptest::prelude::ProptestConfig::default() })]

    /// Whatever is cut out of a shipped policy or put into it, checking ends with findings and never with a panic.
    #[test]
    fn a_damaged_file_is_checked_without_a_panic(at in 0_usize..12_000, cut in 0_usize..40, put in "[\\[\\]={}\"a-z0-9\\.#\n\u{202e}е]{0,8}") {
        let mut sources = example("council");
        let mut text: Vec<char> = sources.policy.text.chars().collect();
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        text.splice(at..end, put.chars());
        sources.policy.text = text.into_iter().collect();
        let found = crate::check(&sources);
        let _ = render_all(&found, &sources);
    }
}

#[test]
fn every_fault_is_shown_in_one_run_with_its_line_and_a_caret() {
    let edits = [
        ("max_rows_per_person = 4 ", "max_rows_per_persn = 4 "),
        ("profile = \"sub-national-8-5\"", "min_people = 3\nround_to = 5 #"),
        ("role     = \"lep-analyst\"", "role     = \"lep-analysts\""),
        ("expires        = 2027-03-31", "expires        = 2030-03-31"),
        ("epsilon   = 0.1 ", "epsilon   = 0.7 "),
        (
            "convictions               = { use = \"hidden\" }",
            "convictions = { use = \"filter\", grains = [\"code\"], special = true }",
        ),
    ];
    let mut sources = example("council");
    for (from, to) in edits {
        assert!(sources.policy.text.contains(from), "{from}");
        sources.policy.text = sources.policy.text.replacen(from, to, 1);
    }
    insta::assert_snapshot!("check_faulty_council", render_all(&crate::check(&sources), &sources));
}

#[test]
fn the_shipped_policies_say_what_their_caps_buy() {
    for name in EXAMPLES {
        let found = crate::check(&example(name));
        let notes: Vec<&str> = found.iter().filter(|f| f.code == "CP901").map(|f| f.says.as_str()).collect();
        assert_eq!(notes.len(), 3, "{name}");
        for share in ["links", "equalities-people"] {
            let says = format!("pays for 11 tables of {share} a year and 210 in all");
            assert!(notes.iter().any(|note| note.contains(&says)), "{notes:?}");
        }
    }
}

#[test]
fn a_profile_holds_its_method_and_what_else_protects() {
    const PLAIN: &str = "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"";
    let errors = |release: &str| -> Vec<String> {
        let (_, found) = findings(&[(PLAIN, release)]);
        let errors = found.iter().filter(|f| f.severity == Severity::Error);
        errors.map(|f| format!("{} {}", f.code, f.rule)).collect()
    };
    for fits in [
        "method = \"suppress-round\"\nprofile = \"research-10-5\"",
        "method = \"suppress-audit\"\nprofile = \"scottish-5-audit\"",
        "method = \"cell-key\"\nptable = \"framework:d3\"\nprofile = \"census-cell-key\"",
        "method = \"suppress-round\"\nprofile = \"sub-national-8-5\"\nsecondary = true\nmin_people = 10",
    ] {
        assert_eq!(errors(fits), Vec::<String>::new(), "{fits}");
    }
    let audit = "method = \"suppress-audit\"\nprofile = \"scottish-5-audit\"\n";
    let own = |line: &str| errors(&format!("{audit}{line}"));
    assert_eq!(own("secondary = false"), ["CP301 release.plain-table.secondary"]);
    assert_eq!(
        own("min_people = 4"),
        ["CP301 release.plain-table.min_people", "CP302 release.plain-table.min_people"]
    );
    let other = "method = \"suppress-round\"\nprofile = \"scottish-5-audit\"";
    assert_eq!(errors(other), ["CP301 release.plain-table.method"]);
    let sums = "method = \"suppress-round\"\nprofile = \"research-10-5\"\ndominance = { largest = 1, max_percent = 90 }";
    assert_eq!(errors(sums), ["CP301 release.plain-table.dominance"]);
    // A partner's own exact counts are below the floor's rounding; the framework's own profile is not.
    let bare = "method = \"cell-key\"\nptable = \"framework:d3\"\nmin_people = 5\nround_to = 1";
    assert_eq!(errors(bare), ["CP307 release.plain-table.round_to"]);
    // A profile that rounds less than the framework's own floor is the framework's fault.
    let base = "min_people = 8\nround_to   = 5";
    check(&[(base, "min_people = 8\nround_to   = 3")], &["CP307 profile.sub-national-8-5.round_to"]);
}

#[test]
fn what_answers_nothing_is_named() {
    let share = "max_group_columns  = 3\nmax_filter_columns = 2\n";
    let with = |line: &str| format!("{share}{line}\n");
    check(&[(share, &with("never_together = [[\"sex\", \"gender\"]]"))], &[]);
    check(&[(share, &with("never_together = [[]]"))], &["CP805 share.smf-people"]);
    check(&[(share, &with("named_analysts = []"))], &["CP423 share.smf-people.named_analysts"]);
    check(
        &[(share, &with("never_together = [[\"sex\"]]"))],
        &["CP806 share.smf-people.group_by.sex", "CP806 share.smf-people.filter_by.sex"],
    );
    check(
        &[(share, &with("never_together = [[\"sex\", \"gender\"], [\"sex\", \"gender\", \"age_band\"]]"))],
        &["CP807 share.smf-people.never_together[1]"],
    );
    check(
        &[(share, &with("never_together = [[\"sex\", \"ethnic_group\"]]"))],
        &["CP807 share.smf-people.never_together[0]"],
    );
    check(
        &[(
            "is_rejoin         = { use = \"hidden\" }",
            "is_rejoin         = { use = \"dimension\", grains = [\"code\"] }",
        )],
        &["CP806 dataset.engagements.columns.is_rejoin"],
    );
}
