//! Holds docs/reference/wire.md against the code.

use crate::close::Close;
use crate::frame::Kind;
use crate::quic::{FLIGHT_BYTES_UNREAD_MAX, FLIGHTS_UNREAD_MAX};
use crate::session::{
    FLIGHT_BYTES_SUM_MAX, FLIGHTS_MAX, OPEN_QUESTIONS_MAX, OPEN_REQUESTS_MAX, RESULT_BYTES_MAX,
};

const PAGE: &str = include_str!("../../../docs/reference/wire.md");

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn every_kind_has_its_row_with_its_number_and_limit() {
    let rows: Vec<Vec<&str>> = PAGE.lines().filter(|l| l.starts_with("| ")).map(cells).collect();
    for kind in Kind::ALL {
        let (number, name, most) =
            (kind.number().to_string(), kind.to_string(), kind.bytes_max().to_string());
        let row =
            rows.iter().find(|r| r.len() == 5 && r[1] == name).unwrap_or_else(|| panic!("no row for {kind}"));
        assert_eq!((row[0], row[4]), (number.as_str(), most.as_str()), "{kind}");
    }
    let numbered = rows.iter().filter(|r| r.len() == 5 && r[0].parse::<u8>().is_ok()).count();
    assert_eq!(numbered, Kind::ALL.len(), "no row for a kind that is not there");
}

#[test]
fn every_code_of_closing_has_its_row() {
    for close in Close::ALL {
        assert!(PAGE.contains(&format!("\n| {} | ", close.number())), "{close}");
        assert_eq!(close.code(), format!("CI{}", close.number()));
        assert_eq!(Close::from_number(u64::from(close.number())), Some(close));
    }
}

#[test]
fn the_limits_on_the_page_are_those_of_the_code() {
    let rows = |text: &str| PAGE.lines().any(|l| l.contains(text));
    assert!(rows(&format!("| questions open on one node's connection | {OPEN_QUESTIONS_MAX} |")));
    assert!(rows(&format!("| requests open on one analyst's connection | {OPEN_REQUESTS_MAX} |")));
    assert!(rows(&format!("| {} bytes, 1,024 replies |", in_threes(RESULT_BYTES_MAX))));
    assert!(rows(&format!(
        "| flights each way on one question's stream | {FLIGHTS_MAX}, {} bytes |",
        in_threes(FLIGHT_BYTES_SUM_MAX)
    )));
    assert!(rows(&format!(
        "| flights that wait for one question's program | {FLIGHTS_UNREAD_MAX}, {} bytes |",
        in_threes(FLIGHT_BYTES_UNREAD_MAX)
    )));
}

/// A number in groups of three digits.
fn in_threes(number: usize) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let (front, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3).map(|g| String::from_utf8_lossy(g).into_owned());
    [front.to_owned()].into_iter().chain(groups).collect::<Vec<_>>().join(" ")
}
