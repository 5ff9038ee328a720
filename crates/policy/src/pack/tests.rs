use super::*;
use crate::approval::{Change, Document, Minute, Quorum, WarningCode};
use crate::finding::Severity;
use crate::tests::{fixture, strathcarron};
use cairn_question::{Hash, Name};

fn loaded(name: &str) -> (Layers, Vec<Finding>) {
    let (schema, sources) = strathcarron(name);
    let layers = Layers::load_with(schema, &sources);
    let layers = layers.unwrap_or_else(|f| panic!("{}", crate::render_all(&f, &sources)));
    (layers, crate::check_with(schema, &sources))
}

fn drafted(new: &Layers, old: &Layers, findings: &[Finding]) -> Note {
    let statement = new.statement();
    let warnings = findings.iter().filter(|f| f.severity == Severity::Warning);
    let framework = fixture("framework.toml");
    let (from, until) = new.in_force();
    Note {
        policy: Document {
            id: statement.id.parse().unwrap(),
            version: statement.version,
            hash: statement.hash,
        },
        english: Hash::of(crate::explain(new).as_bytes()),
        framework: Some(Document::of(Name::new("smf-framework").unwrap(), 3, &framework.text)),
        replaces: Some(old.statement().hash),
        change: Change::Loosens,
        quorum: Quorum::parse("2 of convener, siro, caldicott-guardian and dpo").unwrap(),
        warnings: warnings.map(|f| WarningCode::new(f.code).unwrap()).collect(),
        from,
        until,
        minute: Minute::new("LEP board 2027-01-18 item 4").unwrap(),
    }
}

/// The worked example's version 8, as it would come before the board that has version 7 in force.
pub(crate) fn example() -> Paper {
    let ((old, _), (new, findings)) = (loaded("policy"), loaded("policy-v8-proposed"));
    let diff = crate::diff(Some(&old), &new).unwrap();
    let cases = crate::run_cases(&new, &fixture("tests.toml")).unwrap();
    let row = |share: &str, by: &str, cells, withheld| {
        ImpactRow::new(Name::new(share).unwrap(), by, cells, withheld).unwrap()
    };
    let impact = Impact {
        as_of: "2026-12-31".parse().unwrap(),
        rows: vec![
            row("smf-quarterly", "age", 1_240, 310),
            row("smf-quarterly", "sex", 310, 31),
            row("lep-planning", "age", 96, 50),
        ],
        left_out: vec![Name::new("pay-bands").unwrap()],
    };
    let note = drafted(&new, &old, &findings);
    paper(&PackInputs {
        new: &new,
        diff: Some(&diff),
        findings: &findings,
        cases: Some(&cases),
        impact: Some(&impact),
        note: Some(&note),
    })
}

#[test]
fn the_paper_of_the_worked_example_is_read_here() {
    let paper = example();
    insta::assert_snapshot!("paper", paper.text());
    insta::assert_snapshot!("paper_html", paper.html());
}

/// The part of the golden paper under a heading, its lines joined.
fn passage(heading: &str) -> String {
    let path = "src/pack/snapshots/cairn_policy__pack__tests__paper.snap";
    let text = std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let from = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let lines = text[from + 1..].lines().skip(1);
    let inside: Vec<&str> = lines.take_while(|l| l.is_empty() || l.starts_with(' ')).collect();
    inside.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn says(heading: &str, wanted: &[&str]) {
    let found = passage(heading);
    for wanted in wanted {
        assert!(found.contains(wanted), "{heading}: {wanted}\n{found}");
    }
}

#[test]
fn question_1_the_paper_says_who_may_ask() {
    says(
        "1. WHO MAY ASK?",
        &[
            "national-analyst, for equalities and smf-reporting: each vouched for by scottish-government-employability, which agreed to \
         name at most 12 people",
            "Nobody else.",
        ],
    );
}

#[test]
fn question_2_the_paper_says_what_never_leaves() {
    says(
        "2. WHAT NEVER LEAVES?",
        &["Any record of a person.", "full name, date of birth, postcode, case notes"],
    );
}

#[test]
fn question_3_the_paper_says_what_changes() {
    says(
        "3. WHAT CHANGES?",
        &[
            "Verdict: LOOSENS.",
            "1,414,359 kinds of question tried, none left out",
            "210 kinds of question newly answered",
            "share.smf-quarterly.group_by.area: council → ward",
            "release.management-table.min_people: 10 → 5",
        ],
    );
}

#[test]
fn question_4_the_paper_says_what_it_costs_in_privacy() {
    says(
        "4. WHAT DOES IT COST IN PRIVACY?",
        &[
            "tables a year in all and 418 for life",
            "95 % within ±31 on the national figure",
            "Any other noisy table costs every person its ε, for good.",
        ],
    );
}

#[test]
fn question_5_the_paper_says_how_to_stop_it() {
    says("5. HOW IS IT STOPPED?", &["`pause_all = true` in local-brake.toml", "Within a second nothing is"]);
}

#[test]
fn the_paper_shows_impact_five_safes_checks_and_the_note() {
    says(
        "IMPACT, on groups of people:",
        &["smf-quarterly age 1,240 310 25.0 %", "lep-planning age 96 50 52.1 %"],
    );
    says("FIVE SAFES:", &["Safe people", "Safe projects", "Safe settings", "Safe data", "Safe outputs"]);
    says("WHAT THE CHECK FOUND:", &["The approval note must name these warnings:"]);
    says("THE BOARD'S OWN CASES:", &["Failed: "]);
    says(
        "CHECKLIST:",
        &[
            "DPIA-2026-031",
            "named in the draft note",
            "the draft note holds the hashes of this file and of its explanation",
            "2 of convener, siro, caldicott-guardian and dpo; the change loosens",
        ],
    );
    says(
        "THE APPROVAL NOTE, to be signed:",
        &["cairn-policy approval, format 1", "minute LEP board 2027-01-18 item 4"],
    );
}

#[test]
fn a_paper_says_what_it_was_not_given() {
    let (new, _) = loaded("policy");
    let inputs = PackInputs { new: &new, diff: None, findings: &[], cases: None, impact: None, note: None };
    let text = paper(&inputs).text().split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "This version was not compared with the one in force.",
        "It was not worked out how many cells are withheld",
        "`cairn policy check` finds nothing.",
        "No cases were tried.",
        "There is no draft yet",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
}

#[test]
fn a_note_about_another_file_or_without_a_warning_is_seen() {
    let ((old, _), (new, findings)) = (loaded("policy"), loaded("policy-v8-proposed"));
    let mut note = drafted(&new, &old, &findings);
    note.policy.hash = old.statement().hash;
    note.warnings.clear();
    let inputs = PackInputs {
        new: &new,
        diff: None,
        findings: &findings,
        cases: None,
        impact: None,
        note: Some(&note),
    };
    let text = paper(&inputs).text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("the draft note is about another file"), "{text}");
    assert!(text.contains("not named in a draft note: CP"), "{text}");
}
