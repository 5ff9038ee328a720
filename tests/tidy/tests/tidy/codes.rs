//! Every code a person can see has a page, and every page is of a code that is used.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{files, read, report};

/// Codes in string literals of shipped source: `"CQ001"`.
fn used() -> BTreeMap<String, String> {
    let mut used = BTreeMap::new();
    for file in files(".rs") {
        let path = file.to_string_lossy().into_owned();
        if path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs") {
            continue;
        }
        for code in codes_in(&read(&file), '"') {
            used.entry(code).or_insert_with(|| path.clone());
        }
    }
    used
}

/// Each `"XX000` that begins at `quote`.
fn codes_in(text: &str, quote: char) -> Vec<String> {
    text.split(quote).filter_map(|piece| piece.get(..5)).filter(|p| is_code(p)).map(str::to_owned).collect()
}

fn is_code(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first() == Some(&b'C') && bytes[1].is_ascii_uppercase() && bytes[2..].iter().all(u8::is_ascii_digit)
}

fn documented() -> BTreeSet<String> {
    let pages = files(".md").into_iter().filter(|f| f.starts_with("docs/reference/codes"));
    let headings = |text: String| -> Vec<String> {
        text.lines()
            .filter_map(|l| l.strip_prefix("## "))
            .filter_map(|h| h.get(..5))
            .filter(|h| is_code(h))
            .map(str::to_owned)
            .collect()
    };
    pages.flat_map(|f| headings(read(&f))).collect()
}

#[test]
fn every_code_has_a_page() {
    let documented = documented();
    let missing: Vec<String> = used()
        .into_iter()
        .filter(|(c, _)| !documented.contains(c))
        .map(|(c, f)| format!("{c} ({f})"))
        .collect();
    report("codes without an entry in docs/reference/codes/", &missing);
}

#[test]
fn every_page_is_of_a_code_in_use() {
    let used = used();
    let stale: Vec<String> = documented().into_iter().filter(|c| !used.contains_key(c)).collect();
    report("entries in docs/reference/codes/ of codes that no source uses", &stale);
    assert!(used.len() > 20, "codes are really found");
}
