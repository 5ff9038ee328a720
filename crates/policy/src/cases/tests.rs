use super::*;
use crate::tests::{EXAMPLES, loaded, shipped};

#[test]
fn every_shipped_policy_answers_its_boards_cases() {
    for name in EXAMPLES {
        let report = run_cases(&loaded(name), &shipped(&format!("examples/{name}/tests.toml"))).unwrap();
        assert_eq!(report.failed, [], "{name}");
        assert_eq!(report.unexercised, [], "{name}");
        assert!(report.passed.len() > 15, "{name} has {} cases", report.passed.len());
    }
}

fn check(case: &str, expected: &str) {
    let request = "role = \"own-tables-analyst\", purpose = \"smf-reporting\", dataset = \"participants\", answer = \"people\"";
    let text = format!("[[case]]\nname = \"it\"\n{}", case.replace("REQUEST", request));
    let found = match run_cases(&loaded("council"), &File::new("tests.toml", text)) {
        Ok(report) => report.failed.first().map_or("passed".to_owned(), |f| f.says.clone()),
        Err(findings) => {
            findings.iter().map(|f| format!("{} {}", f.code, f.says)).collect::<Vec<_>>().join("; ")
        }
    };
    assert_eq!(found, expected, "{case}");
}

#[test]
fn a_case_that_comes_out_otherwise_says_how() {
    let by_sex = "request = { REQUEST, group_by = { sex = \"code\" }, filter_by = {} }\n";
    check(&format!("{by_sex}expect = \"answer\""), "passed");
    check(&format!("{by_sex}expect = \"refuse\""), "answered by the share smf-people");
    check(
        &format!("{by_sex}expect = \"answer\"\nshare = \"other\""),
        "answered by the share smf-people, not by other",
    );
    check(
        &format!("{by_sex}expect = \"answer\"\nrelease = {{ min_people = 10 }}"),
        "min_people is 8, not 10",
    );
    check(
        &format!("{by_sex}expect = \"answer\"\nrelease = {{ epsilon = 0.1 }}"),
        "the treatment has no epsilon",
    );
    check(&format!("{by_sex}expect = \"perhaps\""), "CP005 `expect` must be `answer` or `refuse`");
    check(&format!("{by_sex}expects = \"answer\""), "CP004 `expect` is missing; CP003 unknown key `expects`");
    let expired =
        "request = { REQUEST, group_by = {}, filter_by = {}, on = \"after-expiry\" }\nexpect = \"refuse\"\n";
    check(&format!("{expired}rules = [\"policy.expires\"]"), "passed");
    check(&format!("{expired}rules = [\"policy\"]"), "passed");
    check(
        &format!("{expired}rules = [\"policy.exp\"]"),
        "policy.exp did not refuse it; these did: policy.expires",
    );
    let two = "request = { REQUEST, group_by = { ethnic_group = \"code\" }, filter_by = {} }\nexpect = \"refuse\"\n";
    check(
        &format!("{two}rules = [\"share.smf-people.group_by\"]"),
        "dataset.participants.columns.ethnic_group refused it as well",
    );
}
