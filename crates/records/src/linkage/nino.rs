//! A National Insurance number as a linkage key.

use super::NoKey;

/// Which prefixes a number may have. Complete: a number is real or made up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prefixes {
    /// Those that are issued.
    Issued,
    /// `ZZ` too, which is never issued and which made-up records use.
    AndMadeUp,
}

/// Writes `N` and the number's two letters and six digits, capital. Spaces of any kind and case do not matter. The suffix A to D does not either: it
/// says in which quarter contributions were once due, and many systems leave it out.
///
/// Prefixes by HMRC's manual NIM39110: neither letter is D, F, I, Q, U or V, the second is not O, and BG, GB, KN, NK, NT, TN and ZZ are not issued. `TN`
/// begins a temporary number, which is made of a date of birth and sex and is no person's own.
pub(super) fn write(cell: &str, prefixes: Prefixes, key: &mut [u8]) -> Result<(), NoKey> {
    let mut letters = cell.chars().filter(|c| !c.is_whitespace() && *c != '-' && *c != '\u{feff}').peekable();
    if letters.peek().is_none() {
        return Err(NoKey::Blank);
    }
    let (tag, number) = key.split_first_mut().ok_or(NoKey::NotANino)?;
    let number = number.get_mut(..8).ok_or(NoKey::NotANino)?;
    for (place, to) in number.iter_mut().enumerate() {
        let letter = letters.next().map(|c| c.to_ascii_uppercase()).ok_or(NoKey::NotANino)?;
        let fits = if place < 2 { letter.is_ascii_uppercase() } else { letter.is_ascii_digit() };
        *to = u8::try_from(letter).ok().filter(|_| fits).ok_or(NoKey::NotANino)?;
    }
    let suffix = letters.next().map(|c| c.to_ascii_uppercase());
    if !matches!(suffix, None | Some('A'..='D')) || letters.next().is_some() {
        return Err(NoKey::NotANino);
    }
    *tag = b'N';
    let [first, second, ..] = number else { return Err(NoKey::NotANino) };
    if is_issued([*first, *second], prefixes) { Ok(()) } else { Err(NoKey::NeverIssued) }
}

fn is_issued(prefix: [u8; 2], prefixes: Prefixes) -> bool {
    if &prefix == b"ZZ" {
        return prefixes == Prefixes::AndMadeUp;
    }
    let letters = prefix.iter().all(|letter| !NEVER.contains(letter)) && prefix[1] != b'O';
    letters && !NOT_ISSUED.contains(&&prefix)
}

/// Letters in no prefix.
const NEVER: &[u8] = b"DFIQUV";

const NOT_ISSUED: [&[u8; 2]; 6] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN"];
