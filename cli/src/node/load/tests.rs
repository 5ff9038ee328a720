use super::*;

/// The warnings of a node with the shipped council policy, which is changed first, for records of `as_of`.
fn check(change: impl Fn(String) -> String, as_of: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let shipped = format!("{}/../policies", env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(format!("{shipped}/{path}")).unwrap();
    std::fs::write(folder.path().join("framework.toml"), read("framework/framework.toml")).unwrap();
    std::fs::write(folder.path().join("policy.toml"), change(read("examples/council/policy.toml"))).unwrap();
    let text = "identity_dir = 'i'\ncoordinator = 'localhost:4433'\ndata_dir = 'd'\nledger_path = 'l'\npolicy_dir = '.'";
    let config = Config::parse(text, folder.path()).unwrap();
    assert_eq!(other_days(&config, as_of.parse().unwrap()), expected);
}

#[test]
fn a_snapshot_of_a_day_that_the_policy_does_not_name_is_warned_of() {
    let each = |every: &'static str| {
        move |text: String| {
            let to = format!("[dataset.engagements]\nsnapshot = \"{every}\"");
            text.replace("[dataset.engagements]", &to)
        }
    };
    let warning = "Warning: the policy lets engagements be counted as they stand on the last day of a quarter only, and these records stand for 2026-02-28: every question about them will be refused (CN011).";
    check(each("quarter"), "2026-02-28", &[warning]);
    check(each("quarter"), "2026-03-31", &[]);
    check(each("month"), "2026-02-28", &[]);
    check(|text| text, "2026-02-27", &[]);
    check(|_| "no policy".to_owned(), "2026-02-28", &[]);
}
