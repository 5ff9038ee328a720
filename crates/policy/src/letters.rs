//! Letters that are not what they look like: what a board reads aloud must be what the computer reads.
//!
//! Unicode Technical Report 36 (look-alike letters) and CVE-2021-42574 (direction characters in source text).

use crate::finding::{Faults, File, plain};

/// Reports every hidden character and every word of mixed alphabets in a file, comments too.
pub(crate) fn check(file: &File, faults: &Faults<'_>) {
    for (at, c) in file.text.char_indices() {
        let control = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if control || is_hidden(c) {
            faults.error(
                "CP008",
                &(at..at + c.len_utf8()),
                "letters",
                format!("a hidden character (U+{:04X}) stands here", u32::from(c)),
                "delete it: text must read the same to a person and to a computer",
            );
        }
    }
    for (at, word) in words(&file.text) {
        if is_mixed(word) {
            let shown: String = word.chars().take(40).map(plain).collect();
            faults.error(
                "CP008",
                &(at..at + word.len()),
                "letters",
                format!("`{shown}` mixes letters of two alphabets that look alike"),
                "type the word again with plain letters",
            );
        }
    }
}

/// Whether a decoded text hides something that the file's own text did not show (`\u202E` in a string).
pub(crate) fn hides(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\n' || is_hidden(c)) || words(text).any(|(_, w)| is_mixed(w))
}

/// Characters that change how the text around them is shown, or are not shown at all.
pub(crate) const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

fn is_mixed(word: &str) -> bool {
    let latin = word.chars().any(|c| c.is_ascii_alphabetic() || matches!(c, '\u{c0}'..='\u{24f}'));
    let other = word.chars().any(|c| {
        c.is_alphabetic()
            && matches!(c, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{ff00}'..='\u{ffef}' | '\u{1d400}'..='\u{1d7ff}')
    });
    latin && other
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(move |w| (w.as_ptr() as usize - start, w))
}
