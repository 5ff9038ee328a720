use super::*;

fn check(parts: &str, expected: &str) {
    let parts = parts.split_whitespace().map(|p| {
        let (cell, range) = p.split_once(':').unwrap_or((p, ""));
        let cell = match cell {
            "c" => Cell::Withheld,
            "x" => Cell::NotAnswered,
            n => Cell::Value(n.parse().unwrap()),
        };
        let range = range
            .split_once('-')
            .map(|(least, most)| Range { least: least.parse().unwrap(), most: most.parse().ok() });
        (cell, range)
    });
    let sum = add(parts);
    let cell = serde_json::to_string(&sum.cell).unwrap().replace('"', "");
    let most = sum.most.map_or("?".to_owned(), |m| m.to_string());
    assert_eq!(format!("{cell} +{}c {}..{most}", sum.parts_withheld, sum.least), expected);
}

#[test]
fn sums_say_what_is_not_in_them() {
    check("10:8-12 15:13-17", "25 +0c 21..29");
    check("10:8-12 c:1-7", "10 +1c 9..19");
    check("0:0-0 c:1-7 c:1-7", "c +2c 2..14");
    check("c:0-?", "c +1c 0..?");
    check("0:0-0 0:0-0", "0 +0c 0..0");
    check("x x", "x +0c 0..?");
    check("x 10:8-12", "10 +0c 8..12");
    check("", "x +0c 0..?");
}

#[test]
fn a_mean_is_of_released_parts_and_of_one_row_at_least() {
    let cell = |cell| CombinedCell { cell, parts_withheld: 0, least: 0, most: None };
    let check = |sum, rows, expected| {
        assert_eq!(mean_hundredths(&cell(sum), &cell(rows)), expected, "{sum:?} {rows:?}");
    };
    use Cell::{NotAnswered, Value, Withheld};
    check(Value(60), Value(9), Some(667));
    check(Value(-60), Value(9), Some(-667));
    check(Value(1), Value(8), Some(13));
    check(Value(-1), Value(8), Some(-12));
    check(Value(7), Value(0), Some(700));
    check(Value(7), Value(-3), Some(700));
    check(Value(i64::MAX), Value(1), None);
    check(Withheld, Value(3), None);
    check(Value(3), NotAnswered, None);
}
