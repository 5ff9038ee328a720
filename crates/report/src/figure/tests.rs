use super::*;
use proptest::prelude::*;

/// One part as text: `120` rounded to 5 with threshold 8, `c` withheld, `?` a whole table withheld, `0` shown; `~50` with
/// noise of ±3; nothing: not answered.
fn count(parts: &str) -> Count {
    let mut sum = Count::default();
    for part in parts.split_whitespace() {
        let cell = |cell, parts_withheld, least, most| CombinedCell { cell, parts_withheld, least, most };
        let one = match (part, part.strip_prefix('~')) {
            ("c", _) => Count::new(Some(cell(Cell::Withheld, 1, 1, Some(7))), 8, None, 0),
            ("?", _) => Count::new(Some(cell(Cell::Withheld, 1, 0, None)), 8, None, 0),
            // Rows, of 1 to 7 people with at most 4 each.
            ("r", _) => Count::new(Some(cell(Cell::Withheld, 1, 1, Some(28))), 8, None, 0),
            ("0", _) => Count::new(Some(cell(Cell::Value(0), 0, 0, Some(0))), 0, None, 0),
            (_, Some(v)) => {
                let v = v.parse().unwrap();
                Count::new(None, 0, Some(cell(Cell::Value(v), 0, v - 3, Some(v + 3))), 9)
            }
            (v, None) => {
                let v: i64 = v.parse().unwrap();
                Count::new(Some(cell(Cell::Value(v), 0, (v - 2).max(8), Some(v + 2))), 0, None, 0)
            }
        };
        sum = sum.plus(&one);
    }
    sum
}

fn shown(figure: &Figure) -> String {
    let text = |q: Option<Quantity>| q.map_or("-".to_owned(), |q| q.to_string());
    format!("{} {}..{} {}", text(figure.value), text(figure.least), text(figure.most), figure.marks())
        .trim_end()
        .to_owned()
}

fn check_count(parts: &str, expected: &str) {
    assert_eq!(shown(&count(parts).figure()), expected, "{parts}");
}

#[test]
fn counts() {
    check_count("", "- -..- [x]");
    check_count("0", "0 0..0");
    check_count("c", "- -..- [c]");
    check_count("0 c", "- -..- [c]");
    check_count("120", "120 118..122");
    check_count("10", "10 8..12");
    check_count("120 35 0", "155 151..159");
    // A withheld part stands at the middle of 1 to 7.
    check_count("120 c", "124 119..129 [e]");
    check_count("10 c c", "18 10..26 [e][u]");
    check_count("120 r", "124 119..150 [e]");
    check_count("120 ?", "120 118..- [e][u]");
    // Noise: one part's own range; four parts' half-widths add to 6, not 12.
    check_count("~50", "50 47..53");
    check_count("~50 ~50 ~50 ~50", "200 194..206");
    check_count("~-2", "-2 0..1");
    check_count("100 ~50", "150 145..155");
}

fn check_share(numerator: &str, denominator: &str, rest: Option<&str>, expected: &str) {
    let ratio = Ratio {
        numerator: count(numerator),
        denominator: count(denominator),
        rest: rest.map(count),
        min_people: if numerator.contains('~') { 0 } else { 8 },
    };
    assert_eq!(shown(&ratio.figure()), expected, "{numerator} / {denominator}");
}

#[test]
fn shares() {
    // 118/402 = 29.35… down, 122/398 = 30.65… up.
    check_share("120", "400", None, "30.0 29.3..30.7");
    check_share("1", "3", None, "- -..- [c]");
    check_share("0", "400", None, "0.0 0.0..0.0");
    check_share("0", "0", None, "- -..- [z]");
    check_share("", "400", None, "- -..- [x]");
    check_share("120", "", None, "- -..- [x]");
    // A withheld numerator, denominator or complement gives no share.
    check_share("c", "400", None, "- -..- [c]");
    check_share("c", "c", None, "- -..- [c]");
    check_share("400", "400", None, "- -..- [c]");
    check_share("395", "400", None, "- -..- [c]");
    check_share("390", "400", None, "97.5 96.5..98.5");
    check_share("120", "120 c", Some("c"), "- -..- [c]");
    // Parts withheld: both ends move, and the value stays between them.
    check_share("120 c", "400 c", None, "30.7 29.0..32.4 [e]");
    check_share("10 c c c c c", "100", None, "30.0 12.7..48.0 [e][u]");
    // A numerator without an upper bound is bounded by its denominator.
    check_share("120 ?", "400", None, "30.0 29.3..100.0 [e][u]");
    // The rest known by itself: 118/(118+282) and 122/(122+278).
    check_share("120", "400", Some("280"), "30.0 29.5..30.5");
    // Noise.
    check_share("~120", "~400", None, "30.0 29.0..31.0");
    check_share("~3", "~2", None, "100.0 0.0..100.0 [u]");
    check_share("~3", "~-2", None, "- -..- [u]");
}

proptest! {
    /// For partners whose true counts are protected by the default profile, the true share lies in the range and so does the value.
    #[test]
    fn the_true_share_lies_in_its_range(people in proptest::collection::vec((0_i64..60, 0_i64..60), 1..8)) {
        let protect = |n: i64| match n { 0 => "0".to_owned(), 1..=7 => "c".to_owned(), _ => ((n + 2) / 5 * 5).to_string() };
        let numerator: Vec<String> = people.iter().map(|(n, _)| protect(*n)).collect();
        let denominator: Vec<String> = people.iter().map(|(n, r)| protect(n + r)).collect();
        let (n, d) = people.iter().fold((0, 0), |(a, b), (n, r)| (a + n, b + n + r));
        let ratio = Ratio {
            numerator: count(&numerator.join(" ")),
            denominator: count(&denominator.join(" ")),
            rest: None,
            min_people: 8,
        };
        let figure = ratio.figure();
        if let (Some(Quantity::Share(value)), Some(Quantity::Share(least)), Some(Quantity::Share(most))) = (figure.value, figure.least, figure.most) {
            prop_assert!(d > 0);
            prop_assert!(i64::from(least.tenths()) * d <= n * 1_000);
            prop_assert!(i64::from(most.tenths()) * d >= n * 1_000);
            prop_assert!(least <= value && value <= most);
        }
    }

    #[test]
    fn adding_is_commutative(a in "[0-9]{1,3}|c|~[0-9]{1,2}", b in "[1-9][0-9]|c|~[0-9]{1,2}") {
        prop_assume!(!a.bytes().all(|x| x == b'0') || a == "0");
        prop_assert_eq!(count(&a).plus(&count(&b)), count(&b).plus(&count(&a)));
    }

    #[test]
    fn the_root_is_rounded_up(n in 0_u128..1_000_000_000_000) {
        let root = root_up(n);
        prop_assert!(root * root >= n && (root == 0 || (root - 1) * (root - 1) < n));
    }
}
