use super::*;

#[test]
fn a_set_is_written_in_one_way() {
    let set = Members::of([0, 9, 3]).unwrap();
    assert_eq!(String::from(set.clone()), "0902");
    assert_eq!(set.places().collect::<Vec<_>>(), [0, 3, 9]);
    assert_eq!(set.len(), 3);
    assert_eq!(Members::try_from("0902".to_owned()).unwrap(), set);
    for other in ["090200", "09020", "09G2", "090A", &"ff".repeat(129)] {
        assert_eq!(Members::try_from(other.to_owned()).err(), Some(Refused::Members), "{other}");
    }
    assert!(Members::default().is_empty() && Members::of([]).unwrap().is_empty());
    assert_eq!(Members::of([PARTNERS_MAX]).err(), Some(Refused::Members));
    assert_eq!(Members::of(0..PARTNERS_MAX).unwrap().len(), PARTNERS_MAX);
}

#[test]
fn a_set_knows_what_is_in_it() {
    let (all, some) = (Members::of(0..20).unwrap(), Members::of([2, 19]).unwrap());
    assert!(some.is_within(&all) && !all.is_within(&some) && some.is_within(&some));
    assert!(some.contains(19) && !some.contains(18) && !some.contains(5_000));
}

#[test]
fn a_node_id_is_32_digits() {
    let id = NodeId::from_bytes([0xAB; 16]);
    assert_eq!(id.to_string(), "ab".repeat(16));
    assert_eq!(NodeId::try_from(id.to_string()).unwrap(), id);
    assert!(NodeId::try_from("ab".repeat(15)).is_err());
}
