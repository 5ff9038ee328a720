//! The ways to get a policy wrong that the design lists (docs/reference/footguns.md).

use super::fixtures::{Edit, council, worked};

const OWN: &str = "profile = \"sub-national-8-5\"";
const FILTERS: &str = "max_filter_columns = 2\n";
const CHAIN: &str = "\"engagements.start_date\"      = [\"year\", \"quarter\"]";
const WINDOW: &str = "window   = { column = \"start_date\", from = 2019-04-01, lag_days = 0 }\nlinks";
const LOCAL: &str = "per_analyst = { tables_per_day = 40, tables_per_year = 1000 }\n";
const EXACT: &str =
    "method       = \"suppress-round\"\nmin_people   = 10\nround_to     = 5\nsecondary    = true";

/// Mistake, code, how it is made, and a part of the line that must be shown.
fn mistakes() -> Vec<(&'static str, &'static str, Edit, &'static str)> {
    let mut all = budgets();
    all.extend(words());
    all.extend(tables());
    all
}

fn budgets() -> Vec<(&'static str, &'static str, Edit, &'static str)> {
    let budget = "[dataset.outcomes]\n";
    vec![
        (
            "budget that refreshes over the same rows",
            "CP104",
            council("epsilon_lifetime = 8.0", ""),
            "[budget]",
        ),
        (
            "new view, new budget",
            "CP003",
            council(budget, "[dataset.outcomes]\nbudget = 4.0\n"),
            "budget = 4.0",
        ),
        ("per-analyst budgets that add up past the total", "CP425", worked("", ""), "epsilon_per_year = 1.0"),
        (
            "a reset",
            "CP003",
            council("epsilon_lifetime = 8.0", "epsilon_lifetime = 8.0\nreset = \"04-01\""),
            "reset",
        ),
        ("own queries exempt", "CP004", council(LOCAL, ""), "[[share]]"),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn words() -> Vec<(&'static str, &'static str, Edit, &'static str)> {
    let own = "per_analyst = { tables_per_day = 40, tables_per_year = 1000 }";
    vec![
        ("filters unlimited by default", "CP004", council(FILTERS, ""), "[[share]]"),
        (
            "a dataset with no policy",
            "CP404",
            council("dataset  = \"outcomes\"", "dataset  = \"workforce\""),
            "workforce",
        ),
        (
            "list replaced silently",
            "CP001",
            council("max_group_columns  = 3", "group_by = { sex = \"code\" }\nmax_group_columns  = 3"),
            "group_by = {",
        ),
        (
            "any form of \"unrestricted\"",
            "CP005",
            council("max_group_columns  = 3", "max_group_columns  = \"unlimited\""),
            "unlimited",
        ),
        (
            "misspelt key",
            "CP003",
            council("max_group_columns  = 3", "max_group_colums = 3"),
            "max_group_colums",
        ),
        (
            "misspelt role",
            "CP401",
            council("role     = \"lep-analyst\"", "role     = \"lep-analysts\""),
            "lep-analysts",
        ),
        (
            "misspelt column",
            "CP405",
            council("\"participants.sex\"", "\"participants.sax\""),
            "participants.sax",
        ),
        (
            "unknown decision word",
            "CP005",
            council("method    = \"dp\"", "method    = \"allow\""),
            "\"allow\"",
        ),
        (
            "an erring rule skipped",
            "CP010",
            council("epsilon   = 0.1 ", "epsilon   = 0.12345678 "),
            "0.12345678",
        ),
        ("bidi letters", "CP008", council("# national floor", "# national \u{202e}floor"), "floor"),
        ("mixed-script letters", "CP008", council("made-up council", "m\u{430}de-up council"), "de-up"),
        (
            "look-alike letters",
            "CP007",
            council(
                own,
                "per_analyst = { tables_per_day = 40, tables_per_year = 1000 }\nnamed_analysts = [\"\u{430}nn\"]",
            ),
            "nn",
        ),
        (
            "old binary ignoring a new key",
            "CP006",
            council("cairn_policy = 1", "cairn_policy = 2"),
            "cairn_policy",
        ),
        (
            "wildcards",
            "CP405",
            council("group_by  = { council", "group_by  = { \"*\" = \"code\", council"),
            "\"*\"",
        ),
    ]
}

fn tables() -> Vec<(&'static str, &'static str, Edit, &'static str)> {
    let exact =
        "method       = \"suppress-audit\"\nmin_people   = 10\nround_to     = 1\nsecondary    = false";
    vec![
        ("threshold of 0 or 1", "CP302", council(OWN, "min_people = 1\nround_to = 5 #"), "min_people = 1"),
        ("rows counted where people are meant", "CP416", council("max_rows_per_person = 4", "#"), "\"rows\""),
        (
            "new column in the export",
            "CP802",
            council("housing_status            = { use = \"hidden\" }\n", ""),
            "[dataset.participants]",
        ),
        (
            "blank objection read as consent",
            "CP215",
            worked("share_only_if = [\"yes\"]", "share_only_if = [\"yes\", \"\"]"),
            "\"\"",
        ),
        ("totals that reveal withheld cells", "CP309", worked(EXACT, exact), "secondary    = false"),
        (
            "overlapping bands",
            "CP204",
            council(CHAIN, "\"engagements.start_date\" = [\"quarter\", \"year\"]"),
            "start_date",
        ),
        ("sliding dates", "CP412", council(WINDOW, "links"), "start_date"),
        (
            "one big contributor",
            "CP310",
            worked("dominance    = { largest = 1, max_percent = 50 }\n", ""),
            "mean:hourly_pay",
        ),
        (
            "two partners, subtract your own",
            "CP304",
            worked("min_partners = 3                     # a", "min_partners = 2 # a"),
            "min_partners = 2",
        ),
        (
            "special-category column through a plain table",
            "CP418",
            council("group_by  = { council", "group_by  = { disabled_eqa = \"code\", council"),
            "disabled_eqa",
        ),
        ("declared but unused sensitive column", "CP801", worked("", ""), "conviction"),
        (
            "rounding base 5 with threshold below 8",
            "CP303",
            council(OWN, "min_people = 7\nround_to = 5 #"),
            "min_people = 7",
        ),
    ]
}

#[test]
fn every_mistake_that_check_catches_is_found_at_its_line() {
    for (mistake, code, edit, at) in mistakes() {
        let found = edit.brings(code, at);
        assert!(found.severity != crate::Severity::Note, "{mistake}");
    }
}

#[test]
fn the_page_of_mistakes_lists_these_and_no_other() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/footguns.md");
    let page = std::fs::read_to_string(page).unwrap();
    let first = page.split("## Caught elsewhere").next().unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let code = cells.get(2)?.strip_prefix('[')?.split(']').next()?.to_owned();
        Some((cells.get(1)?.to_string(), code))
    };
    let mut listed: Vec<(String, String)> = first.lines().filter_map(row).collect();
    let mut tested: Vec<(String, String)> =
        mistakes().iter().map(|(m, code, ..)| ((*m).to_owned(), (*code).to_owned())).collect();
    listed.sort();
    tested.sort();
    assert_eq!(listed, tested);
}
