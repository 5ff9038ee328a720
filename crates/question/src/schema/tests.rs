use super::*;

#[test]
fn the_embedded_documents_hold_the_whole_dictionary() {
    let schema = Schema::smf();
    assert_eq!(schema.tables().count(), 7);
    assert_eq!(schema.code_lists().count(), 64, "63 of the dictionary and `due_status`");
    assert_eq!(schema.templates().len(), 3);
    assert_eq!(schema.code_list("council").unwrap().codes.len(), 32);
}

#[test]
fn a_column_is_found_in_its_own_table_or_above_it_under_one_spelling() {
    let schema = Schema::smf();
    let found = |dataset, column| schema.find(dataset, column).map(|f| f.table.name.clone());
    assert_eq!(found("outcomes", "outcome_type").as_deref(), Some("outcomes"));
    assert_eq!(found("outcomes", "participants.sex").as_deref(), Some("participants"));
    assert_eq!(found("outcomes", "engagements.start_date").as_deref(), Some("engagements"));
    assert_eq!(found("outcomes", "outcomes.outcome_type"), None);
    assert_eq!(found("participants", "engagements.start_date"), None, "never down a one-to-many link");
    assert_eq!(found("outcomes", "nothing"), None);
}

#[test]
fn a_coded_column_of_the_dataset_itself_is_none_of_a_table_above_it_and_no_date() {
    let own = |dataset, column| Schema::smf().own_coded(dataset, column).map(|c| c.name.as_str());
    assert_eq!(own("participants", "sex"), Some("sex"));
    assert_eq!(own("outcomes", "participants.sex"), None);
    for column in ["birth_month", "local_person_id", "participants.sex", "nothing"] {
        assert_eq!(own("participants", column), None, "{column}");
    }
}

#[test]
fn codes_have_their_grains_and_the_missing_category() {
    let schema = Schema::smf();
    let age = schema.find("participants", "age_band").unwrap().column;
    assert_eq!(schema.codes_at(age, "broad").unwrap(), ["16_24", "25_49", "50_plus", "unknown"]);
    let simd = schema.find("participants", "simd_quintile").unwrap().column;
    assert_eq!(schema.codes_at(simd, "code").unwrap(), ["1", "2", "3", "4", "5", "unknown"]);
    assert_eq!(schema.coarsen(age, "broad").unwrap()["20_24"], "16_24");
    assert!(schema.codes_at(age, "nothing").is_none());
    let birth = schema.find("participants", "birth_month").unwrap().column;
    assert!(schema.codes_at(birth, "code").is_none());
}

/// Bands and levels rise; sexes, councils and reasons have names only, whatever order they are written in.
#[test]
fn a_column_is_ordered_where_its_codes_rise() {
    let schema = Schema::smf();
    let ordered = |table: &str, column: &str| schema.is_ordered(schema.find(table, column).unwrap().column);
    for (table, column) in [
        ("participants", "age_band"),
        ("participants", "simd_quintile"),
        ("outcomes", "outcome_date"),
        ("outcomes", "engagements.start_date"),
    ] {
        assert!(ordered(table, column), "{column}");
    }
    for column in ["sex", "council_code", "disabled_eqa", "parental_status", "local_person_id"] {
        assert!(!ordered("participants", column), "{column}");
    }
    let rising = schema.code_lists().filter(|l| l.order == Order::Rising).map(|l| l.id.as_str());
    let rising: Vec<&str> = rising.collect();
    let known = "age_band days_band hours_band likert5 likert_delta scqf sfl_level simd years_band";
    assert_eq!(rising.join(" "), known);
}

#[test]
fn a_coarser_grain_rises_with_its_list() {
    let mut documents = Documents::embedded();
    let text = documents.0.get_mut("codes.toml").unwrap();
    let (young, middle) = (
        "{ code = \"16_24\", of = [\"16_19\", \"20_24\"] }",
        "{ code = \"25_49\", of = [\"25_34\", \"35_49\"] }",
    );
    let turned = text.replace(young, "YOUNG").replace(middle, young).replace("YOUNG", middle);
    assert_ne!(*text, turned);
    *text = turned;
    let faults = Schema::parse(&documents).unwrap_err();
    let says: Vec<&str> = faults.iter().map(|f| f.what.as_str()).collect();
    assert_eq!(says, ["list `age_band`: grain `broad` is not in the list's order"]);
}

#[test]
fn a_filter_value_is_one_code_or_one_named_group() {
    let schema = Schema::smf();
    let outcome = schema.find("outcomes", "outcome_type").unwrap().column;
    assert_eq!(schema.codes_meant(outcome, "code", "into_work").unwrap().len(), 3);
    assert_eq!(schema.codes_meant(outcome, "code", "job_start").unwrap(), ["job_start"]);
    assert_eq!(schema.codes_meant(outcome, "code", "jobstart"), None);
}

#[test]
fn every_fault_of_every_document_is_reported_in_one_run() {
    let mut documents = Documents::embedded();
    let edit = |d: &mut Documents, file: &str, from: &str, to: &str| {
        let text = d.0.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} has {from}");
        *text = text.replacen(from, to, 1);
    };
    edit(&mut documents, "tables/outcomes.toml", "class = \"I\"", "class = \"X\"");
    edit(&mut documents, "tables/engagements.toml", "codes = \"stage\"", "codes = \"stages\"");
    edit(&mut documents, "codes.toml", "of = [\"16_19\", \"20_24\"] }", "of = [\"16_19\"] }");
    documents.0.remove("templates.toml");
    let faults = Schema::parse(&documents).unwrap_err();
    let codes: Vec<&str> = faults.iter().map(|f| f.code).collect();
    assert_eq!(codes, ["CS002", "CS003", "CS004", "CS005"], "{faults:?}");
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let mut documents = Documents::embedded();
    documents.0.get_mut("tables/outcomes.toml").unwrap().push_str("\ncolour = 1\n");
    let faults = Schema::parse(&documents).unwrap_err();
    assert_eq!(faults[0].code, "CS001");
    assert!(faults[0].what.contains("colour"), "{}", faults[0].what);
}
