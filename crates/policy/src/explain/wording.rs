//! Turns of phrase that several pages share.

use cairn_question::Day;

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(names: &[T]) -> String {
    joined(names, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn either<T: AsRef<str>>(names: &[T]) -> String {
    joined(names, "or")
}

fn joined<T: AsRef<str>>(names: &[T], word: &str) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
    }
}

/// A whole number as people write it: `14,400`.
pub(crate) fn whole(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A day as people say it: `1 April 2026`.
pub(crate) fn day(day: Day) -> String {
    let written = day.to_string();
    let mut parts = written.split('-').map(|p| p.trim_start_matches('0'));
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|m| m.parse::<u8>().ok()).unwrap_or(0);
    format!("{} {} {}", day.unwrap_or_default(), month_name(month), year.unwrap_or_default())
}

/// The month's name; from 1.
pub(crate) fn month_name(month: u8) -> &'static str {
    MONTHS.get(usize::from(month.saturating_sub(1))).copied().unwrap_or_default()
}

/// Where the Information Commissioner's Office takes complaints. Its postal address is on its site: it moved in 2026, and a notice
/// outlives an address.
pub(crate) const ICO_SITE: &str = "https://ico.org.uk/make-a-complaint";

/// Its helpline.
pub(crate) const ICO_PHONE: &str = "0303 123 1113";

/// Days in which a controller must say that it has a complaint, counted from the day it came: Data Protection Act 2018, section
/// 164A(3), put in by section 103 of the Data (Use and Access) Act 2025.
pub(crate) const ACKNOWLEDGE_DAYS: u32 = 30;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_days_and_lists_are_said_as_people_say_them() {
        assert_eq!([0, 12, 999, 1_000, 1_234_567].map(whole), ["0", "12", "999", "1,000", "1,234,567"]);
        assert_eq!(day("2026-04-01".parse().unwrap()), "1 April 2026");
        assert_eq!(day("2027-11-30".parse().unwrap()), "30 November 2027");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(either(&["a", "b"]), "a or b");
        assert_eq!(list::<&str>(&[]), "");
    }
}
