use crate::tests::{fixture, loaded, strathcarron};
use crate::{CaseReport, File, Layers, run_cases};

fn report(layers: &Layers, text: &str) -> Result<CaseReport, String> {
    run_cases(layers, &File::new("tests.toml", text)).map_err(|findings| {
        let line = |f: &crate::Finding| {
            format!("{} {}: {}; {}", f.code, f.rule, f.says, f.fix.clone().unwrap_or_default())
        };
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

/// One statement against the small charity's policy: `held`, or the number of violations and the smallest.
fn check(statement: &str, expected: &str) {
    let text = format!("[[never]]\nname = \"it\"\n{statement}");
    let found = match report(&loaded("small-charity"), &text) {
        Ok(report) => {
            let result = &report.never[0];
            assert_eq!(result.holds(), result.smallest.is_none());
            match &result.smallest {
                None => "held".to_owned(),
                Some(smallest) => {
                    format!("{} by {}: {}", result.violations, smallest.question.role, smallest.text())
                }
            }
        }
        Err(says) => says,
    };
    assert_eq!(found, expected, "{statement}");
}

fn worked(name: &str) -> CaseReport {
    let (schema, sources) = strathcarron(name);
    run_cases(&Layers::load_with(schema, &sources).unwrap(), &fixture("tests.toml")).unwrap()
}

#[test]
fn the_worked_example_passes_and_its_proposal_fails_at_exactly_two_places() {
    let passes = worked("policy");
    assert_eq!(passes.failed, []);
    assert!(passes.never.iter().all(super::NeverResult::holds));
    assert_eq!(passes.never.iter().map(|n| n.tried).collect::<Vec<_>>(), [1_414_359, 1_414_359, 1_410_699]);
    let proposed = worked("policy-v8-proposed");
    let failed: Vec<&str> = proposed.failed.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(failed, ["National analyst may not see wards"]);
    let violated: Vec<(&str, u64, String)> = proposed
        .never
        .iter()
        .filter(|n| !n.holds())
        .map(|n| (n.name.as_str(), n.violations, n.smallest.as_ref().unwrap().text()))
        .collect();
    let threshold = "Any answer with a threshold under 10 that is not differentially private";
    assert_eq!(violated, [(threshold, 81, "people in participants".to_owned())]);
}

#[test]
fn a_statement_is_violated_by_what_has_all_of_it() {
    check("uses_all = [\"ethnic_group\"]", "held");
    check("uses_all = [\"disabled_eqa\"]\nrelease = { method_not = \"dp\" }", "held");
    check("uses_all = [\"disabled_eqa\"]\nrole = \"national-analyst\"", "held");
    let disabled = "people in participants by participants.disabled_eqa";
    let smallest = format!("by equalities-analyst: {disabled}");
    let found = |statement: &str| {
        let report =
            report(&loaded("small-charity"), &format!("[[never]]\nname = \"it\"\n{statement}")).unwrap();
        let result = &report.never[0];
        let kind = result.smallest.as_ref().unwrap();
        (result.violations, format!("by {}: {}", kind.question.role, kind.text()))
    };
    let (all, text) = found("uses_all = [\"disabled_eqa\"]");
    assert_eq!(text, smallest.replace("in participants", "in engagements"), "by name");
    let (of_people, text) = found("uses_all = [\"disabled_eqa\"]\ndataset = \"participants\"");
    assert_eq!(text, smallest);
    assert!(of_people < all);
    let (grain, text) = found("uses_all = [\"council_code@nation\", \"disabled_eqa@code\"]");
    assert!(grain < all);
    assert!(text.contains("council_code@nation"), "{text}");
    let (either, _) = found("uses_any = [\"disabled_eqa\", \"simd_quintile\"]");
    assert!(either > all);
    assert_eq!(
        found("release = { method = \"dp\", epsilon_over = 0.09 }").0,
        found("release = { method = \"dp\" }").0
    );
    check("release = { method_not = \"count-once\", epsilon_over = 0.1 }", "held");
    check("release = { epsilon_over = 2.0 }", "held");
    check("release = { method_not = \"dp\", min_people_under = 8 }", "held");
    check("release = { round_to_under = 5, method_not = \"dp\" }", "held");
    check("release = { method = \"dp\", zeros = \"show\" }", "held");
}

#[test]
fn a_statement_that_could_not_fail_is_an_error() {
    let known = "did you mean `ethnic_group`?";
    check(
        "uses_any = [\"etnic_group\"]",
        &format!("CP501 never.it.uses_any: unknown column `etnic_group`; {known}"),
    );
    check(
        "uses_all = [\"council_code@nations\"]",
        "CP501 never.it.uses_all: unknown grain `nations`; did you mean `nation`?",
    );
    check(
        "role = \"national-analysts\"",
        "CP501 never.it.role: unknown role `national-analysts`; did you mean `national-analyst`?",
    );
    check(
        "dataset = \"outcome\"",
        "CP501 never.it.dataset: unknown dataset `outcome`; did you mean `outcomes`?",
    );
    check(
        "purpose = \"equality\"",
        "CP501 never.it.purpose: unknown purpose `equality`; did you mean `equalities`?",
    );
    let empty = "the statement does not say what never happens; name a role, purpose, dataset, columns or a release; leave out lists that are empty";
    check("", &format!("CP502 never.it: {empty}"));
    check("uses_any = []", &format!("CP502 never.it: {empty}"));
    check("release = {}", &format!("CP502 never.it.release: {empty}"));
    check(
        "release = { min_peple_under = 3 }",
        "CP003 never.it.release.min_peple_under: unknown key `min_peple_under`; did you mean `min_people_under`?",
    );
    check(
        "release = { min_people_under = 0 }",
        "CP005 never.it.release.min_people_under: `min_people_under` must be a whole number from 1 to 1000000; correct it",
    );
}
