use super::*;
use Cell::{NotAnswered, Value, Withheld};

fn check(numerator: Cell, denominator: Cell, per: u32, expected: Rate) {
    assert_eq!(rate(numerator, denominator, per), expected, "{numerator:?} / {denominator:?}");
}

#[test]
fn a_withheld_part_gives_a_withheld_rate() {
    check(Withheld, Value(20), 100, Rate::Withheld);
    check(Value(20), Withheld, 100, Rate::Withheld);
    check(Value(0), Withheld, 100, Rate::Withheld);
    check(Withheld, Value(0), 100, Rate::Withheld);
    check(Withheld, NotAnswered, 100, Rate::Withheld);
    check(NotAnswered, Withheld, 100, Rate::Withheld);
    check(NotAnswered, Value(20), 100, Rate::NotAnswered);
    check(Value(20), NotAnswered, 100, Rate::NotAnswered);
}

#[test]
fn a_rate_is_of_the_values_as_released() {
    check(Value(10), Value(40), 100, Rate::Value(25));
    check(Value(10), Value(30), 1_000, Rate::Value(333));
    check(Value(1), Value(200), 100, Rate::Value(1));
    check(Value(-1), Value(200), 100, Rate::Value(0));
    check(Value(-3), Value(200), 100, Rate::Value(-1));
    check(Value(15), Value(10), 100, Rate::Value(150));
    check(Value(0), Value(10), 100, Rate::Value(0));
    check(Value(1_250), Value(100), 1, Rate::Value(13));
    check(Value(10), Value(0), 100, Rate::NoBase);
    check(Value(10), Value(-2), 100, Rate::NoBase);
    check(Value(i64::MAX), Value(1), u32::MAX, Rate::Value(i64::MAX));
    check(Value(i64::MIN), Value(1), u32::MAX, Rate::Value(i64::MIN));
}
