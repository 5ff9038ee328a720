//! Names and a date of birth as a linkage key: SLK-581 without sex.
//!
//! Source: Australian Institute of Health and Welfare, *Statistical linkage key 581 cluster* (METeOR 349510): letters 2, 3 and 5 of the family name, 2 and 3 of
//! the first name; what is not a letter does not count; a letter that a short name does not have is `2`. Ours on top: accents are folded, and `Mc` and
//! `M'` are `Mac`. Sex is left out: partners record it, or gender, or neither.

use cairn_question::Day;
use zeroize::Zeroizing;

use super::{Identity, NoKey};

/// Writes `S`, five letters and the day of birth as eight digits.
pub(super) fn write(of: &Identity<'_>, key: &mut [u8]) -> Result<(), NoKey> {
    let family = letters(of.family_name)?;
    let first = letters(of.first_name)?;
    let born = of.born.ok_or(NoKey::Blank)?;
    let placeholder = |name: &[u8]| PLACEHOLDERS.iter().any(|word| word.as_bytes() == name);
    if placeholder(&family) || placeholder(&first) || born <= no_birthday() {
        return Err(NoKey::Placeholder);
    }
    let at = |name: &[u8], place: usize| name.get(place - 1).copied().unwrap_or(b'2');
    let mut written = Zeroizing::new(Vec::with_capacity(key.len()));
    written.push(b'S');
    written.extend(FAMILY.iter().map(|place| at(&family, *place)));
    written.extend(FIRST.iter().map(|place| at(&first, *place)));
    // `YYYY-MM-DD`.
    let day = Zeroizing::new(born.to_string());
    written.extend(day.bytes().filter(u8::is_ascii_digit));
    if written.len() != key.len() {
        return Err(NoKey::Placeholder);
    }
    key.copy_from_slice(&written);
    Ok(())
}

/// The letters A to Z of a name: accents folded, everything else left out, `Mc` and `M'` as `Mac`.
pub(super) fn letters(name: &str) -> Result<Zeroizing<Vec<u8>>, NoKey> {
    let mut letters = Zeroizing::new(Vec::with_capacity(name.len() + 8));
    let mut m_apostrophe = false;
    for c in name.chars() {
        m_apostrophe |= APOSTROPHES.contains(&c) && letters.as_slice() == b"M";
        match c {
            'a'..='z' | 'A'..='Z' => letters.extend(u8::try_from(c.to_ascii_uppercase())),
            _ if COMBINING.contains(&c) => {}
            _ => match folded(c) {
                Some(plain) => letters.extend_from_slice(plain.as_bytes()),
                None if c.is_alphabetic() => return Err(NoKey::NotLatin),
                None => {}
            },
        }
    }
    if letters.is_empty() {
        return Err(NoKey::Blank);
    }
    if m_apostrophe && letters.len() > 1 {
        letters.splice(0..1, *b"MAC");
    } else if letters.starts_with(b"MC") && letters.len() > 2 {
        letters.splice(0..2, *b"MAC");
    }
    Ok(letters)
}

/// The plain letters of a Latin letter with an accent, a stroke or a ligature.
fn folded(c: char) -> Option<&'static str> {
    FOLDED.iter().find(|(_, accented)| accented.contains(c)).map(|(plain, _)| *plain)
}

/// Latin-1, Latin Extended-A and the letters of Romanian, Vietnamese, Welsh and Gaelic names outside them. Umlauts lose their dots; they are not written with an E.
const FOLDED: [(&str, &str); 30] = [
    ("A", "ÀÁÂÃÄÅĀĂĄǍàáâãäåāăąǎẠẢẤẦẨẪẬẮẰẲẴẶạảấầẩẫậắằẳẵặ"),
    ("AE", "ÆǼæǽ"),
    ("B", "Ḃḃ"),
    ("C", "ÇĆĈĊČçćĉċčḈḉ"),
    ("D", "ÐĎĐðďđḊḋ"),
    ("E", "ÈÉÊËĒĔĖĘĚèéêëēĕėęěẸẺẼẾỀỂỄỆẹẻẽếềểễệ"),
    ("F", "Ḟḟ"),
    ("G", "ĜĞĠĢǦĝğġģǧ"),
    ("H", "ĤĦĥħ"),
    ("I", "ÌÍÎÏĨĪĬĮİǏìíîïĩīĭįıǐỈỊỉị"),
    ("IJ", "Ĳĳ"),
    ("J", "Ĵĵ"),
    ("K", "Ķķĸ"),
    ("L", "ĹĻĽĿŁĺļľŀł"),
    ("M", "Ṁṁ"),
    ("N", "ÑŃŅŇŊñńņňŉŋ"),
    ("O", "ÒÓÔÕÖØŌŎŐǑƠòóôõöøōŏőǒơỌỎỐỒỔỖỘỚỜỞỠỢọỏốồổỗộớờởỡợ"),
    ("OE", "Œœ"),
    ("P", "Ṗṗ"),
    ("R", "ŔŖŘŕŗř"),
    ("S", "ŚŜŞŠȘſśŝşšșṠṡ"),
    ("SS", "ßẞ"),
    ("T", "ŢŤŦȚţťŧțṪṫ"),
    ("TH", "Þþ"),
    ("U", "ÙÚÛÜŨŪŬŮŰŲǓƯùúûüũūŭůűųǔưỤỦỨỪỬỮỰụủứừửữự"),
    ("W", "ŴŵẀẁẂẃẄẅ"),
    ("Y", "ÝŶŸýÿŷỲỳỴỵỶỷỸỹ"),
    ("Z", "ŹŻŽźżž"),
    // Marks of Latin names that Unicode calls letters: the okina and its look-alikes.
    ("", "ʻʼʹˈ"),
    // Ordinals in Spanish and Portuguese given names.
    ("", "ªº"),
];

/// Accents written as marks of their own, as some systems store them.
const COMBINING: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

const APOSTROPHES: [char; 6] = ['\'', '’', '‘', 'ʼ', '`', '´'];

/// Words that stand for no name.
const PLACEHOLDERS: [&str; 4] = ["UNKNOWN", "NOTKNOWN", "NOTSTATED", "NONAME"];

const FAMILY: [usize; 3] = [2, 3, 5];
const FIRST: [usize; 2] = [2, 3];

/// 1 January 1900, which systems write where they have no date. Nobody alive was born before it.
fn no_birthday() -> Day {
    Day::new(1900, 1, 1).unwrap_or(Day::EARLIEST)
}
