use super::*;
use crate::terminal::sample;

fn csv_text() -> String {
    let mut bytes = Vec::new();
    write_tidy_csv(&sample(), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_first_rows_are_as_documented() {
    let text = csv_text();
    let wanted = |l: &&str| l.contains("Dundee") || l.contains(",all,") || l.starts_with("indicator_id");
    let some: Vec<&str> = text.lines().filter(wanted).collect();
    insta::assert_snapshot!("tidy", some.join("\n"));
}

#[test]
fn every_area_and_measure_has_a_row_with_a_value_or_a_marker() {
    let text = csv_text();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut rows = 0;
    for record in reader.records() {
        let record = record.unwrap();
        let field = |name: &str| &record[COLUMNS.iter().position(|c| *c == name).unwrap()];
        assert!(!field("value").is_empty() || !field("marker").is_empty());
        assert!(field("note").contains(OVERSTATES));
        if field("marker").starts_with("[c]") {
            assert_eq!((field("value"), field("least"), field("most")), ("", "", ""));
        }
        rows += 1;
    }
    // 34 areas: R1 1, R4 5, P1 3, P2 4 weeks of 5; and P6 without areas.
    assert_eq!(rows, 34 * (1 + 5 + 3 + 20) + 21);
}
