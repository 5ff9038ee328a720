//! Letters that are not what they look like: what a board reads aloud must be what the computer reads.
//!
//! Unicode Technical Report 36 (look-alike letters) and CVE-2021-42574 (direction characters in source text). The files are in
//! English, with Gaelic and other names in Latin letters, so no other alphabet has a place in them.

use std::ops::Range;

use crate::finding::{Faults, File, plain};

/// Reports every character and every word of a file that is not what it looks like, comments too.
pub(crate) fn check(file: &File, faults: &Faults<'_>) {
    let error = |span: Range<usize>, (says, fix): (String, &str)| {
        faults.error("CP008", &span, "letters", says, fix);
    };
    let marked = file.text.starts_with(MARK);
    if marked {
        let says = "the file begins with a byte order mark (U+FEFF)".to_owned();
        error(0..0, (says, "save the file as UTF-8 without BOM"));
    }
    for (at, c) in file.text.char_indices().skip(usize::from(marked)) {
        if let Some(wrong) = unlike(c) {
            error(at..at + c.len_utf8(), wrong);
        }
    }
    for (at, word) in words(&file.text).filter(|(_, word)| is_foreign(word)) {
        let shown: String = word.chars().take(40).map(plain).collect();
        let says = match word.chars().any(is_latin_letter) {
            true => format!("`{shown}` mixes letters of two alphabets that look alike"),
            false => format!("`{shown}` is not in Latin letters, and others look like them"),
        };
        error(at..at + word.len(), (says, "type the word again with plain letters"));
    }
}

/// Whether a decoded text hides something that the file's own text did not show (`\u202E` in a string).
pub(crate) fn hides(text: &str) -> bool {
    text.chars().any(|c| unlike(c).is_some()) || words(text).any(|(_, w)| is_foreign(w))
}

/// Whether a decoded text is more than one line, or has a control character: in a page it would stand as text that nobody wrote there.
pub(crate) fn breaks(text: &str) -> bool {
    text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// The text as one line, each run of blanks and line ends as one blank.
pub(crate) fn one_line(text: &str) -> String {
    let blank = |c: char| c.is_control() || c.is_whitespace();
    text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What is wrong with a character by itself, and what to do.
fn unlike(c: char) -> Option<(String, &'static str)> {
    let named = |what: &str| format!("{what} (U+{:04X}) stands here", u32::from(c));
    if c.is_control() && !matches!(c, '\n' | '\r' | '\t') || is_hidden(c) {
        return Some((
            named("a hidden character"),
            "delete it: text must read the same to a person and to a computer",
        ));
    }
    if c.is_whitespace() && !matches!(c, ' ' | '\n' | '\r' | '\t') {
        return Some((named("a blank that is not the plain one"), "type a plain blank"));
    }
    is_apart(c).then(|| {
        (
            named("an accent apart from its letter"),
            "type the letter with its accent as one character, such as ò",
        )
    })
}

/// Characters that change how the text around them is shown, or are not shown at all.
pub(crate) const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Marks that are drawn over or under the letter before them.
const fn is_apart(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A word with a letter or digit that is not Latin. The letters by which quantities go (ε, ρ) may stand alone.
fn is_foreign(word: &str) -> bool {
    let quantity = word.chars().count() == 1 && word.contains(QUANTITIES);
    !quantity && word.chars().any(|c| !c.is_ascii_digit() && !is_latin_letter(c) && !is_latin_sign(c))
}

/// Letters that no plain one is mistaken for: without dotless `ı`, long `ſ`, `ŉ`, and the clicks `ǀ` to `ǃ`.
const fn is_latin_letter(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{130}' | '\u{132}'..='\u{148}'
        | '\u{14a}'..='\u{17e}' | '\u{1cd}'..='\u{1dc}' | '\u{218}'..='\u{21b}' | '\u{1e00}'..='\u{1e99}' | '\u{1e9e}'
        | '\u{1ea0}'..='\u{1eff}')
}

/// Digits above the line, fractions and the signs of ordinals.
const fn is_latin_sign(c: char) -> bool {
    matches!(c, 'ª' | 'º' | 'µ' | '¹' | '²' | '³' | '¼'..='¾' | '⁰' | '⁴'..='⁹' | '₀'..='₉')
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split(|c: char| !c.is_alphanumeric() && !is_wide(c))
        .filter(|w| !w.is_empty())
        .map(move |w| (w.as_ptr() as usize - start, w))
}

/// Punctuation of East Asian width, which looks like the plain one.
const fn is_wide(c: char) -> bool {
    matches!(c, '\u{ff01}'..='\u{ff65}' | '\u{ffe0}'..='\u{ffee}')
}

/// What some editors put before the first character.
const MARK: char = '\u{feff}';

/// Letters of the field that stand for a quantity.
const QUANTITIES: [char; 6] = ['ε', 'δ', 'ρ', 'σ', 'μ', 'Δ'];
