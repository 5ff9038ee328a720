//! How hard the pages are to read: the Flesch–Kincaid grade (Kincaid, Fishburne, Rogers and Chissom 1975), 0.39 × words a sentence + 11.8 ×
//! syllables a word − 15.59.
//!
//! What is not ours is left out, by rule: what stands in “quotation marks” or brackets, web and mail addresses, words with a digit or a
//! hyphen (names of roles and shares, dates, acts), names and words that the policy's author wrote, and lists of column names.

use super::*;

/// Vowel groups, less a silent `e` at the end, at least one: the usual count, right for nine words in ten of English text.
fn syllables(word: &str) -> usize {
    let word = word.to_lowercase();
    let vowel = |c: char| "aeiouy".contains(c);
    let mut groups = 0;
    let mut before = false;
    for c in word.chars() {
        groups += usize::from(vowel(c) && !before);
        before = vowel(c);
    }
    let silent = ["e", "es", "ed"].iter().any(|end| {
        let Some(stem) = word.strip_suffix(end) else { return false };
        let heard = match *end {
            "e" => vec!["e"],
            "es" => vec!["s", "c", "g", "z", "x", "sh", "ch"],
            _ => vec!["t", "d"],
        };
        // "table", "tables": a consonant and an l are a syllable; "rule" and "rules" have none after the u.
        let with_l = stem.ends_with('l') && stem.chars().rev().nth(1).is_some_and(|c| !vowel(c));
        !with_l && !heard.iter().any(|h| stem.ends_with(h))
    });
    groups.saturating_sub(usize::from(silent && groups > 1)).max(1)
}

#[derive(Debug)]
struct Reading {
    words_a_sentence: f64,
    longest: usize,
    grade: f64,
}

fn reading(sentences: &[Vec<String>]) -> Reading {
    let words: Vec<&String> = sentences.iter().flatten().collect();
    let syllables: usize = words.iter().map(|w| syllables(w)).sum();
    let words_a_sentence = words.len() as f64 / sentences.len() as f64;
    let grade = 0.39 * words_a_sentence + 11.8 * syllables as f64 / words.len() as f64 - 15.59;
    Reading { words_a_sentence, longest: sentences.iter().map(Vec::len).max().unwrap_or(0), grade }
}

/// The text without what stands between two marks.
fn without(text: &str, from: char, to: char) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for c in text.chars() {
        if c == from {
            depth += 1;
        } else if c == to && depth > 0 {
            depth -= 1;
        } else if depth == 0 {
            kept.push(c);
        }
    }
    kept
}

/// Sentences of our own wording: of every paragraph and item of the page.
fn sentences(page: &page::Page, model: &Model) -> Vec<Vec<String>> {
    use page::Block;
    let mut texts: Vec<String> = Vec::new();
    let blocks = page
        .lead
        .iter()
        .chain(page.sections.iter().filter(|s| s.id != "action-plan").flat_map(|s| &s.blocks));
    for block in blocks {
        match block {
            Block::Paragraph(text) => texts.push(text.clone()),
            Block::Items(items) => texts.extend(items.iter().cloned()),
            Block::Terms(terms) => texts.extend(terms.iter().map(|(_, says)| says.clone())),
            Block::Table(_) | Block::Lines(..) => {}
        }
    }
    let theirs = model.purposes.iter().flat_map(|p| [&p.text, &p.basis]);
    let theirs: Vec<&String> = theirs
        .chain([&model.controller, &model.legal_basis, &model.agreement, &model.dpia, &model.contact])
        .chain(&model.conditions)
        .collect();
    texts.iter().flat_map(|text| own_sentences(text, &theirs)).collect()
}

fn own_sentences(text: &str, theirs: &[&String]) -> Vec<Vec<String>> {
    let mut text = text.to_owned();
    for words in theirs {
        text = text.replace(words.as_str(), "");
    }
    let text = without(&without(&text, '“', '”'), '(', ')');
    // A list of columns ends its sentence at the colon.
    let split =
        text.split_inclusive(['.', ':', ';', '?']).fold(vec![String::new()], |mut all: Vec<String>, part| {
            let ends = part.ends_with(['.', ':', ';', '?']);
            if let Some(last) = all.last_mut() {
                last.push_str(part);
            }
            if ends && !part.ends_with(char::is_numeric) {
                all.push(String::new());
            }
            all
        });
    let is_list = |s: &String| s.matches(',').count() > 3;
    let words = |s: &String| -> Vec<String> {
        let plain = |w: &&str| {
            !w.chars().any(|c| c.is_ascii_digit() || "-@/_`=".contains(c))
                && w.chars().any(char::is_alphabetic)
        };
        s.split_whitespace()
            .filter(plain)
            .map(|w| w.trim_matches(|c: char| !c.is_alphabetic()).to_owned())
            .collect()
    };
    split.iter().filter(|s| !is_list(s)).map(words).filter(|w: &Vec<String>| w.len() > 1).collect()
}

fn check(name: &str, page: fn(&Model) -> page::Page, words_a_sentence: f64, longest: usize, grade: f64) {
    let model = Model::of(&loaded(name), COUNCILS);
    let sentences = sentences(&page(&model), &model);
    assert!(sentences.len() > 30, "{name}: {} sentences", sentences.len());
    let found = reading(&sentences);
    let far = sentences.iter().max_by_key(|s| s.len()).map(|s| s.join(" "));
    assert!(
        found.words_a_sentence <= words_a_sentence && found.longest <= longest && found.grade <= grade,
        "{name}: {found:?}\n{far:?}"
    );
}

#[test]
fn easy_read_has_short_sentences_of_everyday_words() {
    for name in names() {
        check(name, easy::page, 8.0, 15, 3.0);
    }
}

#[test]
fn the_notice_can_be_read_by_most_people() {
    for name in names() {
        check(name, notice::page, 14.0, 32, 8.0);
    }
}

#[test]
fn the_boards_text_is_plain_english() {
    for name in names() {
        check(name, board::page, 16.0, 40, 9.0);
    }
}

#[test]
fn syllables_are_counted_as_people_say_them() {
    for (word, expected) in [
        ("count", 1),
        ("people", 2),
        ("person", 2),
        ("name", 1),
        ("record", 2),
        ("coordinator", 4),
        ("table", 2),
        ("rounded", 2),
        ("asked", 1),
        ("objection", 3),
        ("always", 2),
        ("statistics", 3),
        ("tables", 2),
        ("a", 1),
        ("policy", 3),
        ("the", 1),
    ] {
        assert_eq!(syllables(word), expected, "{word}");
    }
}

#[test]
fn a_long_word_and_a_long_sentence_raise_the_grade() {
    let text = |t: &str| own_sentences(t, &[]);
    let easy = reading(&text("We hide small counts. You can say no.")).grade;
    let long =
        reading(&text("We hide the small counts so that you can say no to what we do with them.")).grade;
    let hard =
        reading(&text("Administrative confidentiality obligations necessitate aggregation. You can say no."))
            .grade;
    assert!(easy < long && easy < hard, "{easy} {long} {hard}");
    // By hand: 8 words, 2 sentences, 8 syllables.
    assert!((easy - (0.39 * 4.0 + 11.8 - 15.59)).abs() < 1e-9);
}
