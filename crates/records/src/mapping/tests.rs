use super::*;

const GOOD: &str = r#"
cairn_mapping = 1
partner = "angus"
as_of = "2026-01-01"
template = "smf-2022"
objections = "held-elsewhere"
confirmed_by = "the data protection officer"

[source.people]
file = "people.csv"

[table.participants]
source = "people"

[table.participants.columns]
local_person_id = { from = "id" }
birth_month = { from = "born", date = "%Y-%m" }
gender = { from = "gender" }
"#;

fn faults(text: &str) -> Vec<String> {
    match Mapping::parse("m.toml", text) {
        Ok(_) => Vec::new(),
        Err(report) => {
            assert!(report.refuses());
            report.problems.iter().map(|p| p.code.to_owned()).collect()
        }
    }
}

/// Replaces a text of the good mapping and checks the codes of what is found.
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(GOOD.contains(from), "{from}");
    assert_eq!(faults(&GOOD.replacen(from, to, 1)), expected, "{from} → {to}");
}

#[test]
fn every_mistake_has_its_code() {
    check("smf-2022", "smf-2022", &[]);
    check("cairn_mapping = 1", "cairn_mapping = 2", &["CL102"]);
    check("cairn_mapping = 1", "cairn_mapping = 1\ncolour = 1", &["CL101"]);
    check("as_of = \"2026-01-01\"", "as_of = \"1 Jan\"", &["CL101"]);
    check("cairn_mapping = 1", "cairn_mapping = 1\nmax_rejected_percent = 101", &["CL102"]);
    check("smf-2022", "smf-2021", &["CL103"]);
    check("objections = \"held-elsewhere\"\n", "", &["CL104"]);
    check("confirmed_by = \"the data protection officer\"\n", "confirmed_by = \" \"\n", &["CL104"]);
    check("objections = \"held-elsewhere\"", "objections = \"none\"", &["CL104"]);
    check("gender = {", "statistics_objection = { from = \"o\" }\ngender = {", &["CL104"]);
    check(
        "[table.participants]\n",
        "[table.people]\nsource = \"people\"\ncolumns = {}\n[table.participants]\n",
        &["CL105"],
    );
    check("gender = {", "gneder = {", &["CL106"]);
    check("source = \"people\"", "source = \"persons\"", &["CL107"]);
    check("gender = {", "gender = { colour = 1, ", &["CL108"]);
    check("{ from = \"gender\" }", "{ from = \"gender\", value = \"man\" }", &["CL108"]);
    check("{ from = \"gender\" }", "{ from = \"gender\", date = \"%Y-%m-%d\" }", &["CL108"]);
    check("{ from = \"id\" }", "{ value = \"1\" }", &["CL108"]);
    check("gender = {", "barriers = { from = \"b\" }\ngender = {", &["CL108"]);
    check("{ from = \"gender\" }", "{ from = \"gender\", codes = { m = \"male\" } }", &["CL109"]);
    check("{ from = \"gender\" }", "{ from = \"gender\", blank = \"nobody\" }", &["CL109"]);
    check("local_person_id = { from = \"id\" }\n", "", &["CL110"]);
    check("%Y-%m", "%d/%m/%y", &["CL111"]);
    check(", date = \"%Y-%m\"", "", &["CL111"]);
    check("gender = {", "disabled_eqa = { from = \"d\" }\ngender = {", &["CL112"]);
    check("gender = {", "age_band = { from = \"a\" }\ngender = {", &["CL112"]);
    check("gender = {", "partner_id = { from = \"p\" }\ngender = {", &["CL112"]);
    check("gender = {", "data_zone = { from = \"z\" }\ngender = {", &["CL113"]);
    check("gender = {", "link_key = { from = \"nino\" }\ngender = {", &["CL113"]);
    check("gender = {", "simd_quintile = { from = \"z\" }\ngender = {", &["CL108"]);
    check("gender = {", "simd_quintile = { from = \"z\", lookup = \"simd\" }\ngender = {", &["CL117"]);
    check("file = \"people.csv\"", "file = \"../people.csv\"", &["CL116"]);
    check("file = \"people.csv\"", "file = \"people.csv\"\nencoding = \"klingon\"", &["CL116"]);
    check("file = \"people.csv\"", "file = \"people.csv\"\ndelimiter = \"x\"", &["CL116"]);
    check(
        "[table.participants.columns]",
        "linkage = { composite = [\"born\"] }\n[table.participants.columns]",
        &["CL108"],
    );
    let linkage = |says: &str, expected: &[&str]| {
        let to = format!("linkage = {{ {says} }}\n[table.participants.columns]");
        check("[table.participants.columns]", &to, expected);
    };
    let name =
        |date: &str| format!("name = {{ family = \"f\", first = \"g\", born = \"b\", date = \"{date}\" }}");
    linkage("nino = \"n\", made_up_numbers = true", &[]);
    linkage(&name("%d/%m/%Y"), &[]);
    linkage(&name("%m/%Y"), &["CL111"]);
    linkage(&name("%d/%m/%y"), &["CL111"]);
    linkage("made_up_numbers = true", &["CL108"]);
    linkage("nino = \"n\", by = \"name\"", &["CL108"]);
    linkage(&format!("{}, by = \"number\"", name("%d/%m/%Y")), &["CL108"]);
    linkage("name = { family = \"f\" }", &["CL101"]);
    linkage("nino = \"n\", by = \"sex\"", &["CL101"]);
}

#[test]
fn a_table_needs_the_one_above_it() {
    let alone = GOOD.replace("participants", "engagements");
    let found = faults(&alone);
    assert!(found.contains(&"CL115".to_owned()) && found.contains(&"CL110".to_owned()), "{found:?}");
}

#[test]
fn all_mistakes_are_listed_in_one_run_with_their_lines() {
    let text =
        GOOD.replace("smf-2022", "smf-2021").replace("gender = {", "gneder = {").replace("%Y-%m", "%y");
    let report = Mapping::parse("m.toml", &text).unwrap_err();
    let found: Vec<_> = report.problems.iter().map(|p| (p.code, p.rows[0])).collect();
    assert_eq!(found, [("CL103", 5), ("CL111", 17), ("CL106", 18)], "{report}");
    assert!(
        report.to_string().contains(
            "CL106 m.toml:18: `participants` has no column `gneder`\n    refused; did you mean `gender`?"
        ),
        "{report}"
    );
}

#[test]
fn a_vintage_brings_its_codes_its_gaps_and_its_notes() {
    let vintage = |text: &str| Mapping::parse("m.toml", &text.replace("smf-2022", "year1"));
    let mapping = vintage(GOOD).unwrap();
    assert_eq!(mapping.notes.len(), 1);
    assert_eq!(mapping.notes[0].column, "participants.gender");
    let gender = mapping.tables[0].fills.iter().find(|f| f.column == "gender").unwrap();
    let By::Cell { read: Read::Codes(codes), .. } = &gender.by else { panic!("{gender:?}") };
    assert_eq!(codes["female"], codes["woman"], "year 1 asked for male and female");
    let lacking = GOOD.replace("gender = {", "care_experienced = { from = \"c\" }\ngender = {");
    assert_eq!(vintage(&lacking).unwrap_err().problems[0].code, "CL114");
    assert!(Mapping::parse("m.toml", &lacking).unwrap().notes.is_empty());
}

#[test]
fn date_forms_are_declared_and_strict() {
    let check = |form: &str, cell: &str, expected: Result<&str, DayFault>| {
        let form = DateForm::new(form, false).unwrap();
        assert_eq!(form.read(cell).map(|(d, _)| d.to_string()), expected.map(str::to_owned), "{cell}");
    };
    check("%d/%m/%Y", "01/05/2024", Ok("2024-05-01"));
    check("%d/%m/%Y", "1/5/2024", Ok("2024-05-01"));
    check("%d/%m/%Y", "2024-05-01", Err(DayFault::NotADate));
    check("%d/%m/%Y", "01/05/24", Err(DayFault::NotADate));
    check("%d/%m/%Y", "31/02/2024", Err(DayFault::NotADate));
    check("%d/%m/%Y", "45413", Err(DayFault::DayNumber));
    check("%d %b %Y", "1 May 2024", Ok("2024-05-01"));
    check("%Y-%m-%d %H:%M:%S", "2024-05-01 00:00:00", Ok("2024-05-01"));
    for form in ["%d/%m/%y", "%d/%m", "%Y-%d", "%Y", "%Y-%m-%d%Y", "%s", "%d/%m/%Y %H", "%Y-%m-%d x"] {
        assert_eq!(DateForm::new(form, false), None, "{form}");
    }
    let month = DateForm::new("%m/%Y", true).unwrap();
    assert_eq!(month.read("05/2024").unwrap().0.to_string(), "2024-05-01");
}

#[test]
fn a_draft_is_suggested_from_a_header() {
    insta::assert_snapshot!(suggest(&["local_person_id", "gender", "start_date", "week4", "shoe \"size\""]));
}

#[test]
fn a_special_category_is_never_guessed_from_a_name_that_is_near() {
    let draft = suggest(&["local_person_id", "parent_status", "parental_statu"]);
    assert!(!draft.contains("trans_status"), "{draft}");
    assert!(draft.contains(r#"parental_status = { from = "parent"#), "{draft}");
    assert!(suggest(&["trans_status"]).contains(r#"trans_status = { from = "trans_status" }"#));
}

#[test]
fn the_documented_example_loads() {
    let page = include_str!("../../../../docs/reference/mapping.md");
    let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    if let Err(report) = Mapping::parse("docs/reference/mapping.md", example) {
        panic!("{report}");
    }
}
