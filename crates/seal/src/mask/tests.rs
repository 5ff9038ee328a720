use super::*;
use crate::layout::{Ring, SymbolBits};

fn id(n: u8) -> NodeId {
    NodeId::from_bytes([n; 16])
}

fn key(h1: &str, secret: u8, onboarding: Option<u8>, ids: (u8, u8)) -> [u8; 32] {
    let onboarding = onboarding.map(|byte| [byte; 32]);
    let ids = (id(ids.0), id(ids.1));
    *MaskKey::derive(&Hash::of(h1.as_bytes()), &[secret; 32], onboarding.as_ref(), ids).unwrap().0
}

#[test]
fn both_ends_derive_one_key_and_nobody_else_does() {
    let ours = key("round", 1, None, (4, 9));
    assert_eq!(ours, key("round", 1, None, (9, 4)));
    for (what, other) in [
        ("attempt", key("next", 1, None, (4, 9))),
        ("secret", key("round", 2, None, (4, 9))),
        ("pair", key("round", 1, None, (4, 8))),
        ("onboarding key", key("round", 1, Some(1), (4, 9))),
    ] {
        assert_ne!(ours, other, "{what}");
    }
}

/// HKDF by its definition (RFC 5869) over HMAC, so that the salt, the material and the info stand where the design has them.
#[test]
fn the_key_is_hkdf_as_rfc_5869_defines_it() {
    use ring::hmac::{HMAC_SHA256, Key, sign};
    let h1 = Hash::of(b"round");
    let prk = sign(&Key::new(HMAC_SHA256, h1.as_bytes()), &[[1; 32], [2; 32]].concat());
    let info = [b"mask".as_slice(), &[4; 16], &[9; 16], &[1]].concat();
    let okm = sign(&Key::new(HMAC_SHA256, prk.as_ref()), &info);
    assert_eq!(key("round", 1, Some(2), (9, 4)), okm.as_ref());
}

/// n nodes with a key for each pair, and the sum that opens.
fn round(layout: Layout, tables: &[Plain], vectors: &mut Vec<Masked>) -> Result<Plain, Refused> {
    let copy = |plain: &Plain| match (plain.values(), plain.symbols()) {
        (Some(values), _) => Plain::from_values(layout, &values),
        (_, symbols) => Plain::from_symbols(layout, &symbols.unwrap()),
    };
    let n = u8::try_from(tables.len()).unwrap();
    let blinds: Vec<Blind> = (0..n).map(|i| Blind::from_bytes([200 + i; 32])).collect();
    for (i, (table, blind)) in (0..n).zip(tables.iter().zip(&blinds)) {
        let pair = |j: u8| Pair {
            key: MaskKey(Zeroizing::new(key("round", i.min(j) * 16 + i.max(j), None, (i, j)))),
            side: if j > i { Side::Add } else { Side::Subtract },
        };
        let pairs = (0..n).filter(|j| *j != i).map(pair).collect();
        vectors.push(PairwiseMasks.seal(copy(table).unwrap(), pairs, blind).unwrap());
    }
    PairwiseMasks.open(layout, &vectors.iter().zip(&blinds).collect::<Vec<_>>())
}

#[test]
fn masks_cancel_in_every_ring() {
    for ring in [Ring::U64, Ring::U32] {
        let layout = Layout::new(ring, 300).unwrap();
        let table = |i: i64| (0..300).map(|c| (c - 150) * (i + 1)).collect::<Vec<i64>>();
        let tables: Vec<Plain> = (0..7).map(|i| Plain::from_values(layout, &table(i)).unwrap()).collect();
        let sum = round(layout, &tables, &mut Vec::new()).unwrap();
        assert_eq!(sum.values().unwrap(), (0..300).map(|c| (c - 150) * 28).collect::<Vec<i64>>(), "{ring:?}");
    }
    for bits in 1..=8 {
        let layout = Layout::new(Ring::Xor(SymbolBits::new(bits).unwrap()), 77).unwrap();
        let table = |i: u8| (0..77_u8).map(|c| c.wrapping_mul(i + 31) >> (8 - bits)).collect::<Vec<u8>>();
        let tables: Vec<Plain> = (0..5).map(|i| Plain::from_symbols(layout, &table(i)).unwrap()).collect();
        let expected: Vec<u8> = (0..77).map(|c| (0..5).fold(0, |sum, i| sum ^ table(i)[c])).collect();
        assert_eq!(
            round(layout, &tables, &mut Vec::new()).unwrap().symbols().unwrap(),
            expected,
            "{bits} bits"
        );
    }
}

#[test]
fn without_one_partners_vector_nothing_opens() {
    let layout = Layout::new(Ring::U64, 4).unwrap();
    let tables: Vec<Plain> = (0..4).map(|i| Plain::from_values(layout, &[i, 0, 0, 1]).unwrap()).collect();
    let mut vectors = Vec::new();
    assert_eq!(round(layout, &tables, &mut vectors).unwrap().values().unwrap(), [6, 0, 0, 4]);
    vectors.pop();
    let blinds: Vec<Blind> = (0..4).map(|i| Blind::from_bytes([200 + i; 32])).collect();
    let opened = PairwiseMasks.open(layout, &vectors.iter().zip(&blinds).collect::<Vec<_>>()).unwrap();
    assert!(
        opened.values().unwrap().iter().all(|word| word.unsigned_abs() > 1 << 20),
        "{:?}",
        opened.values()
    );
}

#[test]
fn vectors_of_another_layout_do_not_add_up() {
    let (one, two) = (Layout::new(Ring::U64, 1).unwrap(), Layout::new(Ring::U64, 2).unwrap());
    let masked = Masked::from_bytes(two, vec![0; 16]).unwrap();
    let blind = Blind::from_bytes([1; 32]);
    assert_eq!(PairwiseMasks.open(one, &[(&masked, &blind)]).err(), Some(Refused::OtherLayout));
}

/// In a ring of bits the spare ones of the last byte show it, as far as there are any.
#[test]
fn masks_that_do_not_cancel_show_in_the_spare_bits() {
    let layout = Layout::new(Ring::Xor(SymbolBits::new(1).unwrap()), 1).unwrap();
    let blind = Blind::from_bytes([1; 32]);
    let sealed = PairwiseMasks.seal(Plain::zero(layout), Vec::new(), &blind).unwrap();
    let spoiled = Masked::from_bytes(layout, vec![sealed.as_bytes()[0] ^ 0x80]).unwrap();
    assert!(PairwiseMasks.open(layout, &[(&sealed, &blind)]).is_ok());
    assert_eq!(PairwiseMasks.open(layout, &[(&spoiled, &blind)]).err(), Some(Refused::NotTheSum));
}
