use super::*;
use std::str;

const BORN: (i32, u32, u32) = (1970, 2, 1);

fn born() -> Option<Day> {
    Day::new(BORN.0, BORN.1, BORN.2)
}

fn named<'a>(family_name: &'a str, first_name: &'a str) -> Identity<'a> {
    Identity { nino: "", family_name, first_name, born: born() }
}

fn numbered(nino: &str) -> Identity<'_> {
    Identity { nino, family_name: "", first_name: "", born: None }
}

/// What a record's key is made of, or why it has none.
fn said(key: Result<LinkageKey, NoKey>) -> String {
    match key {
        Ok(key) => str::from_utf8(key.0.as_slice()).unwrap().trim_end_matches('\0').to_owned(),
        Err(NoKey::Blank) => "blank".to_owned(),
        Err(NoKey::NotANino) => "not a number".to_owned(),
        Err(NoKey::NeverIssued) => "never issued".to_owned(),
        Err(NoKey::NotLatin) => "not Latin".to_owned(),
        Err(NoKey::Placeholder) => "placeholder".to_owned(),
    }
}

/// Lines of a table of cases, split at the bars, with `\t` and `\u{…}` written out.
fn cases(text: &'static str) -> impl Iterator<Item = Vec<String>> {
    let cells = |line: &str| line.split('|').map(unescaped).collect();
    text.lines().filter(|l| !l.starts_with("# ") && !l.is_empty()).map(cells)
}

fn unescaped(cell: &str) -> String {
    let mut text = cell.replace("\\t", "\t");
    while let Some(from) = text.find("\\u{") {
        let to = text[from..].find('}').unwrap() + from;
        let c = char::from_u32(u32::from_str_radix(&text[from + 3..to], 16).unwrap()).unwrap();
        text.replace_range(from..=to, &c.to_string());
    }
    text
}

#[test]
fn names_give_the_letters_of_the_table_of_cases() {
    let mut seen = 0;
    for case in cases(include_str!("tests/names.txt")) {
        let [family, first, expected] = case.as_slice() else { panic!("{case:?}") };
        let expected = expected.trim();
        let full = if expected.len() == 5 && expected != "blank" {
            format!("S{expected}19700201")
        } else {
            expected.to_owned()
        };
        assert_eq!(said(Method::Slk.key(&named(family, first))), full, "{family} | {first}");
        seen += 1;
    }
    assert!(seen >= 55, "{seen} cases");
}

#[test]
fn numbers_give_the_keys_of_the_table_of_cases() {
    let mut seen = 0;
    for case in cases(include_str!("tests/ninos.txt")) {
        let [cell, expected] = case.as_slice() else { panic!("{case:?}") };
        let expected = expected.trim();
        let full = if expected.len() == 8 { format!("N{expected}") } else { expected.to_owned() };
        assert_eq!(said(Method::Nino(Prefixes::Issued).key(&numbered(cell))), full, "{cell}");
        seen += 1;
    }
    assert!(seen >= 35, "{seen} cases");
}

#[test]
fn made_up_numbers_are_keys_only_where_they_are_expected() {
    let of = numbered("zz 12 34 56 a");
    assert_eq!(said(Method::Nino(Prefixes::AndMadeUp).key(&of)), "NZZ123456");
    assert_eq!(said(Method::Nino(Prefixes::Issued).key(&of)), "never issued");
    let temporary = numbered("TN010170A");
    assert_eq!(said(Method::Nino(Prefixes::AndMadeUp).key(&temporary)), "never issued");
}

#[test]
fn a_record_is_linked_by_its_datasets_method_and_no_other() {
    let of = Identity { nino: "AB123456C", family_name: "Smith", first_name: "Jane", born: born() };
    assert_eq!(said(Method::Nino(Prefixes::Issued).key(&of)), "NAB123456");
    assert_eq!(said(Method::Slk.key(&of)), "SMIHAN19700201");
    // Without a number there is no key by number, though a name is there; and the reverse.
    assert_eq!(said(Method::Nino(Prefixes::Issued).key(&Identity { nino: "", ..of })), "blank");
    assert_eq!(said(Method::Slk.key(&Identity { family_name: "", ..of })), "blank");
    assert_eq!(said(Method::Slk.key(&Identity { born: None, ..of })), "blank");
}

#[test]
fn a_wrong_date_of_birth_splits_a_person_linked_by_name_and_not_by_number() {
    let right = Identity { nino: "AB123456C", family_name: "Smith", first_name: "Jane", born: born() };
    let wrong = Identity { born: Day::new(1970, 1, 2), ..right };
    assert_ne!(said(Method::Slk.key(&right)), said(Method::Slk.key(&wrong)));
    let by_number = Method::Nino(Prefixes::Issued);
    assert_eq!(said(by_number.key(&right)), said(by_number.key(&wrong)));
}

#[test]
fn the_first_of_january_1900_is_no_birthday() {
    let of = |born| Identity { born, ..named("Smith", "Jane") };
    assert_eq!(said(Method::Slk.key(&of(Day::new(1900, 1, 1)))), "placeholder");
    assert_eq!(said(Method::Slk.key(&of(Some(Day::EARLIEST)))), "placeholder");
    assert_eq!(said(Method::Slk.key(&of(Day::new(1900, 1, 2)))), "SMIHAN19000102");
}

#[test]
fn records_without_a_key_are_counted_apart_by_why() {
    let mut tally = LinkageTally::default();
    let method = Method::Nino(Prefixes::Issued);
    for nino in ["AB123456C", "AB123456", "", "  ", "AB1", "TN010170A", "ZZ123456A"] {
        method.key_counted(&numbered(nino), &mut tally);
    }
    let expected = LinkageTally { with_key: 2, blank: 2, not_a_nino: 1, never_issued: 2, ..tally };
    assert_eq!(tally, expected);
    assert_eq!((tally.without_key(), tally.records()), (5, 7));
    Method::Slk.key_counted(&named("Иванов", "Иван"), &mut tally);
    Method::Slk.key_counted(&named("Unknown", "Jane"), &mut tally);
    assert_eq!((tally.not_latin, tally.placeholder, tally.records()), (1, 1, 9));
}

fn hash(sub_key: u8, nino: &str) -> [u8; 32] {
    let key = Method::Nino(Prefixes::Issued).key(&numbered(nino)).unwrap();
    *QuestionKey::new([sub_key; 32]).hash(&key).as_bytes()
}

#[test]
fn the_same_person_has_the_same_hash_in_a_question_and_another_in_the_next() {
    assert_eq!(hash(1, "AB123456C"), hash(1, " ab 12 34 56 d"));
    assert_ne!(hash(1, "AB123456C"), hash(1, "AB123457C"));
    assert_ne!(hash(1, "AB123456C"), hash(2, "AB123456C"));
}

/// Worked out with Python's `hmac` over `b"NAB123456" + bytes(5)`.
#[test]
fn a_hash_is_the_hmac_of_the_key_under_the_questions_sub_key() {
    let expected = "af016224753534c30e74b6aaa5d2c7c8e8c58430476233779e49bb516198dadd";
    assert_eq!(cairn_question::id::hex(&hash(1, "AB123456C")), expected);
}

#[test]
fn nothing_prints_a_key() {
    let key = Method::Nino(Prefixes::Issued).key(&numbered("AB123456C")).unwrap();
    let question = QuestionKey::new([1; 32]);
    let printed = format!("{key:?} {:?} {question:?} {:?}", question.hash(&key), numbered("AB123456C"));
    assert_eq!(
        printed,
        "LinkageKey(withheld) LinkageHash(withheld) QuestionKey(withheld) Identity(withheld)"
    );
}

proptest::proptest! {
    /// Any text in any cell has a key or a reason, and never a panic.
    #[test]
    fn any_text_has_a_key_or_a_reason(nino in ".*", family in ".*", first in ".*") {
        let of = Identity { nino: &nino, family_name: &family, first_name: &first, born: born() };
        for method in [Method::Slk, Method::Nino(Prefixes::Issued), Method::Nino(Prefixes::AndMadeUp)] {
            if let Ok(key) = method.key(&of) {
                let written = str::from_utf8(key.0.as_slice()).unwrap().trim_end_matches('\0').to_owned();
                proptest::prop_assert!(written.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
            }
        }
    }
}

/// Two exports that write the same people differently, through linkage and the occupancy sum: counted once.
#[test]
fn people_of_two_exports_are_counted_once_however_their_names_are_written() {
    use cairn_question::privacy::Epsilon;
    use cairn_seal::Plain;
    use cairn_seal::occupancy::{Buckets, CountTerms, FreshNoise, Occupied, Opened};
    let buckets = Buckets::for_expected(2_500).unwrap();
    let terms = CountTerms::new(Epsilon::from_millionths(3_000_000).unwrap(), 2, 0, buckets).unwrap();
    let key = QuestionKey::new([7; 32]);
    let person = |n: u32| {
        (
            format!("O'{}{}Á-{}", letter(n), letter(n / 26), letter(n / 9)),
            Day::from_epoch_days(i32::try_from(9 * n).unwrap()),
        )
    };
    // 2,000 people at the first partner; the last 1,200 of them at the second too, without apostrophes and accents and in capitals; 300 only there.
    let mut partners = [Occupied::nobody(buckets), Occupied::nobody(buckets)];
    for (partner, people) in partners.iter_mut().zip([0..2_000, 800..2_300]) {
        let plainly = people.start > 0;
        for n in people {
            let (family, born) = person(n);
            let plain = family.replace(['\'', '-'], " ").replace('Á', "A").to_uppercase();
            let family_name = if plainly { &plain } else { &family };
            let of = Identity { nino: "", family_name, first_name: "Jo", born };
            partner.add(key.hash(&Method::Slk.key(&of).unwrap()).as_bytes());
        }
    }
    let mut sum = vec![0_u8; buckets.count() as usize];
    for (n, partner) in (1..).zip(&partners) {
        let vector = partner.vector(&terms, FreshNoise::from_bytes([n; 32])).unwrap().symbols().unwrap();
        sum.iter_mut().zip(vector).for_each(|(sum, symbol)| *sum ^= symbol);
    }
    let opened = Plain::from_symbols(terms.layout().unwrap(), &sum).unwrap();
    let count = Opened::read(&terms, &opened).unwrap().count(&terms).unwrap();
    // 3,500 records; 2,300 people.
    assert!(count.covers(2_300.0) && count.plus_minus_95() < 150.0, "{count:?}");
}

fn letter(n: u32) -> char {
    char::from(b'A' + u8::try_from(n % 26).unwrap())
}
