//! Links in documents lead somewhere; a link to a test names a test that exists.

use std::path::{Path, PathBuf};

use crate::tree::{files, read, report, root};

/// `(target)` of each `[text](target)`, outside code fences.
fn targets(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if !fenced {
            let pieces = line.split("](").skip(1);
            found.extend(pieces.filter_map(|p| p.split_once(')')).map(|(target, _)| target.to_owned()));
        }
    }
    found
}

fn fault(page: &Path, target: &str) -> Option<String> {
    let outside = ["https://", "http://", "mailto:"];
    if outside.iter().any(|o| target.starts_with(o)) {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(p, a)| (p, Some(a)));
    let file: PathBuf = match path {
        "" => root().join(page),
        path => root().join(page).parent()?.join(path),
    };
    let says = |what: &str| Some(format!("{}: ({target}) {what}", page.display()));
    if !file.exists() {
        return says("leads nowhere");
    }
    let anchor = anchor?;
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let there = match file.extension().and_then(|e| e.to_str()) {
        Some("rs") => text.contains(&format!("fn {anchor}(")),
        Some("md") => text.lines().filter(|l| l.starts_with('#')).any(|l| slug(l) == anchor),
        _ => true,
    };
    if there { None } else { says("names a test or heading that is not there") }
}

/// The anchor that a heading gets.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let pages = files(".md");
    assert!(pages.len() > 10, "the pages are really found");
    let faults =
        pages.iter().flat_map(|page| targets(&read(page)).into_iter().filter_map(|t| fault(page, &t)));
    report("links", &faults.collect::<Vec<_>>());
}

#[test]
fn a_link_to_nowhere_is_found() {
    let page = Path::new("README.md");
    assert!(fault(page, "docs/no-such-page.md").is_some());
    assert!(fault(page, "tests/tidy/tests/tidy/links.rs#no_such_test").is_some());
    assert!(fault(page, "tests/tidy/tests/tidy/links.rs#a_link_to_nowhere_is_found").is_none());
    assert_eq!(targets("[a](b) `x` [c](d#e)\n```\n[f](g)\n```"), ["b", "d#e"]);
}

#[test]
fn no_page_or_source_names_a_path_of_one_machine() {
    // In halves, so that this file does not find itself.
    let words = [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/")];
    let mut faults = Vec::new();
    for ending in [".md", ".rs", ".toml", ".py", "run"] {
        for file in files(ending) {
            faults.extend(
                words
                    .iter()
                    .filter(|w| read(&file).contains(**w))
                    .map(|w| format!("{}: {w}", file.display())),
            );
        }
    }
    report("paths of one machine", &faults);
}
