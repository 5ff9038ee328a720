use super::*;

#[test]
fn every_template_passes_check_and_its_own_cases_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let templates =
        ["council", "charity", "college", "health-board", "national-body", "peer-assessment", "workforce"];
    for from in templates {
        for partner in [&[][..], &["--partner", "north-example", "--name", "North \"Example\" Trust"]] {
            let out = folder.path().join(format!("{from}-{}", partner.len()));
            let out = out.to_str().unwrap();
            policy(&[&["new", "--from", from, "--out", out], partner].concat()).exits(0);
            let file = format!("{out}/policy.toml");
            policy(&["check", &file]).exits(0).says("0 errors");
            policy(&["test", &file]).exits(0).says("cases as expected, 0 not");
            // The board's file waits for keys and for nothing else.
            let board = policy(&["board", "check", &format!("{out}/board.toml")]).exits(5);
            assert_eq!(
                board.out.matches("error CP708").count(),
                board.out.matches("error CP").count(),
                "{}",
                board.out
            );
        }
    }
}

#[test]
fn a_template_is_in_force_from_today_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    std::fs::write(folder.path().join("board.toml"), "mine").unwrap();
    policy(&["new", "--from", "council", "--out", out]).exits(1).says("CC107");
    assert_eq!(std::fs::read_to_string(folder.path().join("board.toml")).unwrap(), "mine");
    let file = format!("{out}/policy.toml");
    let words =
        ["ask", &file, "people by council", "--role", "national-analyst", "--purpose", "smf-reporting"];
    policy(&words).exits(0);
    policy(&["new", "--from", "town", "--out", out]).exits(2);
    policy(&["new", "--from", "college", "--out", out, "--partner", "north"]).exits(2);
}
