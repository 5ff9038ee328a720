use super::*;

fn bits(bits: u8) -> Ring {
    Ring::Xor(SymbolBits::new(bits).unwrap())
}

#[test]
fn a_layout_has_a_size_and_a_limit() {
    let check = |ring, symbols, bytes: Option<usize>| {
        assert_eq!(Layout::new(ring, symbols).ok().map(Layout::bytes), bytes, "{ring:?} {symbols}");
    };
    check(Ring::U64, 0, None);
    check(Ring::U64, 10_000, Some(80_000));
    check(Ring::U32, 3, Some(12));
    check(bits(3), 8, Some(3));
    check(bits(3), 9, Some(4));
    check(bits(5), 1 << 20, Some(655_360));
    check(Ring::U64, VECTOR_BYTES_MAX / 8, Some(VECTOR_BYTES_MAX));
    check(Ring::U64, VECTOR_BYTES_MAX / 8 + 1, None);
    check(bits(8), usize::MAX, None);
    assert!(SymbolBits::new(0).is_err() && SymbolBits::new(9).is_err());
}

#[test]
fn words_are_little_endian_and_keep_their_sign() {
    let layout = Layout::new(Ring::U32, 3).unwrap();
    let plain = Plain::from_values(layout, &[1, -2, 258]).unwrap();
    assert_eq!(*plain.bytes, [1, 0, 0, 0, 254, 255, 255, 255, 2, 1, 0, 0]);
    assert_eq!(plain.values(), Some(vec![1, -2, 258]));
    let layout = Layout::new(Ring::U64, 2).unwrap();
    let plain = Plain::from_values(layout, &[i64::MIN, 7]).unwrap();
    assert_eq!(plain.values(), Some(vec![i64::MIN, 7]));
}

#[test]
fn symbols_are_packed_from_the_lowest_bit() {
    let layout = Layout::new(bits(3), 3).unwrap();
    let plain = Plain::from_symbols(layout, &[0b101, 0b010, 0b111]).unwrap();
    assert_eq!(*plain.bytes, [0b1101_0101, 0b0000_0001]);
    for width in 1..=8 {
        let symbols: Vec<u8> = (0..37_u8).map(|n| n.wrapping_mul(73) & (u8::MAX >> (8 - width))).collect();
        let plain = Plain::from_symbols(Layout::new(bits(width), 37).unwrap(), &symbols).unwrap();
        assert_eq!(plain.symbols(), Some(symbols), "{width} bits");
        assert!(plain.is_whole());
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let u32s = Layout::new(Ring::U32, 1).unwrap();
    let threes = Layout::new(bits(3), 1).unwrap();
    assert_eq!(Plain::from_values(u32s, &[1 << 31]).err(), Some(Refused::TooWide));
    assert_eq!(Plain::from_values(u32s, &[1, 2]).err(), Some(Refused::OtherLayout));
    assert_eq!(Plain::from_values(threes, &[1]).err(), Some(Refused::OtherLayout));
    assert_eq!(Plain::from_symbols(threes, &[8]).err(), Some(Refused::TooWide));
    assert_eq!(Plain::from_symbols(u32s, &[1]).err(), Some(Refused::OtherLayout));
    assert_eq!(Masked::from_bytes(u32s, vec![0; 5]).err(), Some(Refused::OtherLayout));
}

#[test]
fn debug_shows_no_value() {
    let plain = Plain::from_values(Layout::new(Ring::U64, 1).unwrap(), &[4_711]).unwrap();
    assert_eq!(format!("{plain:?}"), "Plain(U64, 1 symbols withheld)");
}
