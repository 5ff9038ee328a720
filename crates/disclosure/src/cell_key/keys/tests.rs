use super::*;

fn secret() -> NodeSecret {
    let mut bytes = [0_u8; 32];
    bytes.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
    NodeSecret::new(&bytes)
}

/// Keys that Python's `hmac` makes of the same secret, schema and person.
#[test]
fn a_record_key_is_the_hmac_of_schema_and_person_modulo_256() {
    let check = |schema: &str, person: &str, key: u8| {
        let made = secret().record_key(schema, person.as_bytes()).unwrap();
        assert_eq!(made.to_store(), key, "{schema} {person}");
    };
    check("smf/participants", "A-1001", 185);
    check("smf/participants", "A-1002", 215);
    check("smf/staff", "A-1001", 208);
    check("smf/participants", "Å", 11);
}

#[test]
fn a_record_without_a_person_has_no_key() {
    assert_eq!(secret().record_key("smf/participants", b""), Err(NoPersonId));
}

#[test]
fn where_the_schema_ends_is_part_of_what_is_hashed() {
    let (one, other) = (secret().record_key("ab", b"c").unwrap(), secret().record_key("a", b"bc").unwrap());
    assert_ne!(one.to_store(), other.to_store(), "these two would be one message without its length");
}

/// 5,120 people over 256 keys: chi-square with 255 degrees of freedom lies below 340 in 999 of 1,000 good functions. Nothing here
/// is random, so this either holds or it does not.
#[test]
fn keys_are_spread_evenly() {
    let mut seen = [0_i64; KEYS];
    for person in 0..5_120 {
        let key = secret().record_key("smf/participants", format!("person {person}").as_bytes()).unwrap();
        seen[usize::from(key.to_store())] += 1;
    }
    let chi_square: i64 = seen.iter().map(|n| (n - 20) * (n - 20)).sum::<i64>() / 20;
    assert!((170..340).contains(&chi_square), "{chi_square}");
}

#[test]
fn debug_shows_neither_secret_nor_key() {
    assert_eq!(format!("{:?} {:?}", secret(), RecordKey::stored(137)), "NodeSecret(..) RecordKey(..)");
}
