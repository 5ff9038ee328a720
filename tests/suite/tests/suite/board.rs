//! What a board and its officers read of their own node: the paper with its impact on groups, the account, and how the policy stands.

use cairn_policy::approval::MADE_UP_QUORUM;

use crate::harness::federation::{Board, EQUALITIES, Federation, Partner, now};
use crate::harness::people::{ANGUS, FIFE, Person, people, write_export};

/// A policy that leaves a column out, and has a share that ends early.
const LEFT_OUT: (&str, &str) = ("urban_rural               = { use = \"hidden\" }\n", "");

#[test]
fn a_boards_commands_say_what_is_at_its_own_node() {
    let partners = [
        Partner { board: Board::MadeUp, ..Partner::new("angus", women_and_men(1_373, 5)) },
        Partner { policy: vec![LEFT_OUT], ..Partner::new("fife", people("F", 30, FIFE, "F")) },
    ];
    let mut federation = Federation::set_up(&partners, "");
    nothing_is_made_up_before_there_is_anything(&federation);
    the_paper_has_the_impact_on_the_nodes_own_records(&federation);
    let ends = a_share_of_fife_ends_early(&federation);
    federation.start_coordinator();
    federation.load("fife").exits(0);
    for partner in ["angus", "fife"] {
        federation.start_node(partner);
    }
    federation.wait_connected(&["angus", "fife"]);
    the_status_names_version_last_days_and_columns(&federation, &ends);
    the_account_is_charged_once(&federation);
    a_node_that_has_stopped_still_shows_its_account(&mut federation);
}

/// Women in Fife, and a few men in Angus.
fn women_and_men(women: usize, men: usize) -> Vec<Person> {
    [people("W", women, FIFE, "F"), people("M", men, ANGUS, "M")].concat()
}

fn nothing_is_made_up_before_there_is_anything(federation: &Federation) {
    federation.cairn(&["policy", "budget", "--node", "angus"]).exits(1).says("[CC419]");
    federation.cairn(&["policy", "status", "--node", "angus"]).exits(1).says("[CC109]");
    let words = ["policy", "pack", "angus/policy/policy.toml", "--node", "angus", "--out", "none"];
    federation.cairn(&words).exits(1).says("[CC421]");
    assert!(!federation.path("none").exists());
}

fn the_paper_has_the_impact_on_the_nodes_own_records(federation: &Federation) {
    // The board's own cases are tried elsewhere; they take most of the time.
    std::fs::remove_file(federation.path("angus/policy/tests.toml")).unwrap();
    let first = impact(federation, "angus/policy/policy.toml", "angus-1");
    assert!(first.contains("partner's own data of 1 January 2026"), "{first}");
    for row in [
        // Women, men, and whose sex is not known: the five men are withheld, and so is their cell of Angus.
        "* smf-people. by: sex; cells: 3; withheld: 1; per cent: 33.3 %.",
        "* smf-people. by: sex, by council_code; cells: 99; withheld: 1; per cent: 1.0 %.",
        "* smf-people. by: age; cells: 7; withheld: 0; per cent: 0.0 %.",
        "* equalities-people. by: disability; noise typically moves a cell by less than 1 %; cells: 3;",
        "* equalities-people. by: sex; noise typically moves a cell by half or more; cells: 3;",
    ] {
        assert!(first.contains(row), "{row}\n{first}");
    }
    // A next version that replaces one that is not at hand is compared with nothing, which takes most of the rest of the time.
    let text = federation.read("angus/policy/policy.toml");
    let next = format!("[policy]\nversion = 8\nsupersedes = \"sha256:{}\"\n", "0".repeat(64));
    let kept: String =
        text.lines().filter(|l| !l.starts_with("version ")).map(|l| format!("{l}\n")).collect();
    std::fs::write(federation.path("next.toml"), kept.replacen("[policy]\n", &next, 1)).unwrap();
    // Other numbers of people, of which the same are few: the paper is the same, word for word.
    write_export(&federation.path("export/angus"), &women_and_men(2_041, 3));
    assert_eq!(impact(federation, "next.toml", "angus-2"), first);
    // Eight men are enough.
    write_export(&federation.path("export/angus"), &women_and_men(1_373, 8));
    let enough = impact(federation, "next.toml", "angus-3");
    let row = "* smf-people. by: sex; cells: 3; withheld: 0; per cent: 0.0 %.";
    assert!(enough.contains(row), "{enough}");
}

/// The impact in the paper that is packed from the export as it is now, on lines of no fixed width.
fn impact(federation: &Federation, policy: &str, out: &str) -> String {
    federation.load("angus").exits(0);
    let words = ["policy", "pack", policy, "--node", "angus", "--out", out];
    federation.cairn(&words).exits(0).says("paper.html");
    let paper = federation.read(&format!("{out}/paper.txt"));
    let (_, from) = paper.split_once("IMPACT, on groups of people:\n").expect("a paper has its impact");
    let (section, _) = from.split_once("FIVE SAFES:\n").expect("the section ends");
    let html = federation.read(&format!("{out}/paper.html"));
    assert!(html.contains("Cells that protection withholds, on this partner&#39;s own data"), "{html}");
    section.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The last day of a share that ends before its policy; within the week, so that it is warned of.
fn a_share_of_fife_ends_early(federation: &Federation) -> String {
    let ends = now().day_utc().plus_days(3).to_string();
    let share = "id       = \"local-starts\"\n";
    federation.edit("fife/policy/policy.toml", |text| {
        assert!(text.contains(share));
        text.replace(share, &format!("{share}until = {ends}\n"))
    });
    federation.approve("fife", &MADE_UP_QUORUM);
    ends
}

fn the_status_names_version_last_days_and_columns(federation: &Federation, ends: &str) {
    let angus = federation.cairn(&["policy", "status", "--node", "angus"]).exits(0);
    let angus = angus.says("angus-sharing version 7, A made-up council\n").says("  in force; from ");
    let angus = angus.says("in force, approved by convener, dpo, siro\n").says("  made-up-board version 1, ");
    let angus = angus.says("\nNAMED NOWHERE IN THE POLICY, AND SO HIDDEN\n  activities: activity_id, ");
    assert!(!angus.out.contains("participants:") && !angus.out.contains("the share"), "{}", angus.out);
    let fife = federation.cairn(&["policy", "status", "--node", "fife/node.toml"]).exits(0);
    let fife = fife.says(&format!("within 7 days: the share local-starts ({ends})"));
    let fife = fife.says("\n  participants: urban_rural\n").says("fife-board version 1, ");
    let (_, days) = fife.out.split_once("\nLAST DAYS\n").unwrap();
    let what = |line: &str| line.split_once(" days ").map(|(_, what)| what.trim().to_owned());
    let days: Vec<String> = days.lines().map_while(what).collect();
    // Soonest first: the share in 3 days, the board's keys in 29, the review in 299.
    assert_eq!(days[0], "the share local-starts");
    assert_eq!(days[1], "the key of convener on the board");
    assert_eq!(
        days[days.len() - 2..],
        ["the board's review", "the policy; after it every question is refused"]
    );
}

/// ε = 0.1 by tanh(ε/2), rounded up, as the answer itself says.
const COST: &str = "0.004995838";

fn the_account_is_charged_once(federation: &Federation) {
    assert_eq!(account(federation, "angus"), ["0.000000000", "0.000000000", "11", "210"]);
    for _ in 0..2 {
        // The same question again has the same noise, and is free.
        federation.ask("people by disabled", EQUALITIES).exits(0);
        for partner in ["angus", "fife"] {
            assert_eq!(account(federation, partner), [COST, COST, "10", "209"], "{partner}");
        }
    }
    // Another question of angus alone.
    let words = [EQUALITIES, &["--partners", "angus"]].concat();
    federation.ask("people by sex", &words).exits(0);
    assert_eq!(account(federation, "angus"), ["0.009991676", "0.009991676", "9", "208"]);
    assert_eq!(account(federation, "fife"), [COST, COST, "10", "209"]);
}

/// ρ of the year and for life, and the tables of equalities-people that are left in the year and for life.
fn account(federation: &Federation, partner: &str) -> [String; 4] {
    let out = federation.cairn(&["policy", "budget", "--node", partner]).exits(0).out;
    assert!(out.contains(&format!("(policy {partner}-sharing v7)")), "{out}");
    let words = |begin: &str| -> Vec<String> {
        let line = out.lines().find(|l| l.trim_start().starts_with(begin)).expect("a line of the account");
        line.split_whitespace().map(str::to_owned).collect()
    };
    let after_rho = |line: &[String]| line[line.iter().position(|w| w == "ρ").unwrap() + 1].clone();
    let share = words("equalities-people");
    [after_rho(&words("since")), after_rho(&words("for life")), share[1].clone(), share[2].clone()]
}

fn a_node_that_has_stopped_still_shows_its_account(federation: &mut Federation) {
    federation.take_node("angus").stop();
    assert_eq!(account(federation, "angus")[0], "0.009991676");
    federation.cairn(&["policy", "status", "--node", "angus"]).exits(0).says("[CC110]").says("version 7");
}
