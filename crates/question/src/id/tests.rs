use super::*;

#[test]
fn names_keep_to_their_letters() {
    for good in ["a", "dundee-city", "smf-2022", &"x".repeat(64)] {
        assert_eq!(Name::new(good).unwrap().as_str(), good);
    }
    for bad in ["", "Dundee", "a b", "ä", "a/b", "..", &"x".repeat(65)] {
        assert_eq!(Name::new(bad), Err(IdError::Name), "{bad}");
    }
}

#[test]
fn ids_and_hashes_round_trip() {
    let id = QuestionId::from_bytes([0xab; 32]);
    assert_eq!(id.to_string().parse::<QuestionId>().unwrap(), id);
    let hash = Hash::of(b"abc");
    assert_eq!(hash.to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(Hash::try_from(hash.to_string()).unwrap(), hash);
    for bad in ["", "sha256:", "ab", &"+1".repeat(32), &"é".repeat(32)] {
        assert!(bad.parse::<QuestionId>().is_err(), "{bad}");
    }
    assert_eq!(id.to_string().to_uppercase().parse::<QuestionId>().unwrap(), id);
}

#[test]
fn bytes_are_written_in_one_way() {
    for bytes in [&[][..], &[0], &[0x0f, 0xa0, 0xff], &[7; 33]] {
        assert_eq!(unhex(&hex(bytes)).as_deref(), Some(bytes));
    }
    for bad in ["0", "0g", "AB", "+1", "abc", "é", "0x00", " 00"] {
        assert_eq!(unhex(bad), None, "{bad}");
    }
}
