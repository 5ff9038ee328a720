//! What WCAG 2.2 asks of a page and a program can see in its text.

use std::collections::BTreeSet;

use super::*;

fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for name in names() {
        let layers = loaded(name);
        pages.push((format!("explain {name}"), explain_html(&layers)));
        pages.push((format!("easy read {name}"), easy_read_html(&layers)));
        pages.push((format!("notice {name}"), notice_html(&layers)));
    }
    pages.push(("paper".to_owned(), crate::pack::tests::example().html()));
    pages
}

/// Every start and end tag, in order: its name, whether it ends, and its attributes.
fn tags(html: &str) -> Vec<(String, bool, String)> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        tags.push((name.trim_start_matches('/').to_owned(), name.starts_with('/'), attributes.to_owned()));
    }
    tags
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let at = attributes.find(&format!("{name}=\""))?;
    let value = &attributes[at + name.len() + 2..];
    value.split('"').next().map(str::to_owned)
}

#[test]
fn every_element_is_closed_in_its_order() {
    for (page, html) in pages() {
        let mut open = Vec::new();
        for (name, ends, _) in tags(&html).into_iter().skip(1).filter(|(n, ..)| n != "meta") {
            if ends {
                assert_eq!(open.pop(), Some(name), "{page}");
            } else {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{page}: {open:?}");
    }
}

#[test]
fn a_page_has_a_language_a_title_one_h1_and_headings_in_order() {
    for (page, html) in pages() {
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en-GB\">"), "{page}");
        let title = html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        assert!(!title.is_empty() && html.contains(&format!("<h1>{title}</h1>")), "{page}");
        let headings: Vec<String> = tags(&html)
            .into_iter()
            .filter(|(name, ends, _)| {
                !ends && matches!(name.as_str(), "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
            })
            .map(|(name, ..)| name)
            .collect();
        assert_eq!(headings.first().map(String::as_str), Some("h1"), "{page}");
        assert!(headings.iter().skip(1).all(|h| h == "h2"), "{page}: {headings:?}");
    }
}

#[test]
fn a_page_has_landmarks_and_a_way_past_what_repeats() {
    for (page, html) in pages() {
        for landmark in ["header", "nav", "main", "footer"] {
            let many = tags(&html).iter().filter(|(n, ends, _)| n == landmark && !ends).count();
            assert_eq!(many, 1, "{page}: {landmark}");
        }
        let first = tags(&html).into_iter().find(|(n, ..)| n == "a").unwrap();
        assert_eq!(attribute(&first.2, "href").as_deref(), Some("#content"), "{page}");
        assert!(html.contains("<main id=\"content\" tabindex=\"-1\">"), "{page}");
        assert!(html.contains("<nav aria-label="), "{page}");
    }
}

#[test]
fn ids_are_unique_and_every_reference_has_its_id() {
    for (page, html) in pages() {
        let ids: Vec<String> = tags(&html)
            .iter()
            .filter_map(|(.., a)| attribute(a, " id").or_else(|| attribute(a, "id")))
            .collect();
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{page}: {ids:?}");
        for (.., attributes) in tags(&html) {
            let link = attribute(&attributes, "href").and_then(|h| h.strip_prefix('#').map(str::to_owned));
            for id in link.into_iter().chain(attribute(&attributes, "aria-labelledby")) {
                assert!(unique.contains(&id), "{page}: {id}");
            }
        }
    }
}

#[test]
fn every_table_has_a_caption_and_every_heading_cell_its_scope() {
    let mut tables = 0;
    for (page, html) in pages() {
        for table in html.split("<table>").skip(1) {
            tables += 1;
            assert!(table.starts_with("\n<caption"), "{page}");
            let table = table.split("</table>").next().unwrap();
            let found = tags(table);
            let heads = found.iter().filter(|(n, ends, _)| n == "th" && !ends);
            for (.., attributes) in heads {
                assert!(matches!(attribute(attributes, "scope").as_deref(), Some("col" | "row")), "{page}");
            }
            let rows = found.iter().filter(|(n, ends, _)| n == "tr" && !ends).count();
            let named = table.matches("scope=\"row\"").count();
            assert_eq!(named + 1, rows, "{page}: every row but the first is named");
        }
    }
    assert!(tables > 0);
}

#[test]
fn a_page_fetches_nothing_and_runs_nothing() {
    for (page, html) in pages() {
        for (name, _, attributes) in tags(&html) {
            assert!(
                !matches!(name.as_str(), "script" | "img" | "link" | "iframe" | "object" | "form"),
                "{page}: {name}"
            );
            assert!(
                attribute(&attributes, "src").is_none() && !attributes.contains(" on"),
                "{page}: {attributes}"
            );
        }
        assert!(!html.contains("url(") && !html.contains("@import"), "{page}");
    }
}

/// Relative luminance and contrast as WCAG 2.2 defines them.
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_text_stands_out_from_its_background_by_four_and_a_half_to_one() {
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.01);
    let mut pairs = 0;
    for rule in html::STYLE.lines().filter(|l| l.contains('{')) {
        let value = |key: &str| {
            let declared = rule.split(['{', ';']).map(str::trim);
            declared
                .filter_map(|d| d.strip_prefix(key)?.strip_prefix(": "))
                .map(|v| v.trim_end_matches(" }"))
                .next()
        };
        let colour = value("color").filter(|c| c.starts_with('#'));
        let background = value("background");
        assert_eq!(colour.is_some(), background.is_some(), "a colour without its background: {rule}");
        if let (Some(colour), Some(background)) = (colour, background) {
            pairs += 1;
            assert!(contrast(colour, background) >= 4.5, "{rule}");
        }
    }
    assert!(pairs >= 4);
    // The ring around what has the focus, against the page: three to one (1.4.11).
    assert!(html::STYLE.contains("outline: 0.2rem solid #8a2600") && contrast("#8a2600", "#ffffff") >= 3.0);
}

#[test]
fn a_page_reflows_on_a_narrow_screen_and_prints() {
    assert!(
        html::STYLE.contains("overflow-x: auto")
            && html::STYLE.contains("@media print")
            && html::STYLE.contains("size: A4")
    );
    for rule in html::STYLE.lines() {
        let fixed = rule
            .split(['{', ';'])
            .map(str::trim)
            .filter(|d| d.starts_with("width") || d.starts_with("min-width"));
        assert_eq!(fixed.count(), 0, "a fixed width does not reflow: {rule}");
    }
    for (page, html) in pages() {
        assert!(html.contains("content=\"width=device-width, initial-scale=1\""), "{page}");
        assert_eq!(
            html.matches("class=\"figures\" role=\"region\"").count(),
            html.matches("<table>").count(),
            "{page}"
        );
    }
}

#[test]
fn what_a_board_writes_cannot_become_markup() {
    let mut sources = crate::tests::example("council");
    let hostile = r#"<script>alert('x')</script> & "quoted" https://e.example/"onload="x"#;
    sources.policy.text = sources.policy.text.replacen(
        "controller     = \"Strathcarron Council\"",
        &format!("controller = '''{hostile}'''"),
        1,
    );
    assert!(sources.policy.text.contains(hostile));
    let layers = crate::Layers::load(&sources).expect("it loads");
    for html in [explain_html(&layers), easy_read_html(&layers), notice_html(&layers)] {
        assert!(
            !html.contains("<script") && !html.contains("\"onload") && html.contains("&lt;script&gt;"),
            "{html}"
        );
    }
}
