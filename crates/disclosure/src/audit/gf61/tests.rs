use super::*;
use proptest::prelude::*;

fn follows(parts: usize, published: &[&[usize]], asked: &[usize]) -> bool {
    let mut known = Known::default();
    for members in published {
        if let Some(row) = known.rest(Sum::of(parts, members.iter().copied())).direction() {
            known.add(row);
        }
    }
    known.rest(Sum::of(parts, asked.iter().copied())).is_zero()
}

#[test]
fn a_cell_follows_from_its_total_and_the_rest() {
    assert!(follows(3, &[&[0, 1, 2], &[1], &[2]], &[0]));
    assert!(!follows(3, &[&[0, 1, 2], &[1]], &[0]));
    // Three pairs give each of three: half of (01 + 02 − 12).
    assert!(follows(3, &[&[0, 1], &[0, 2], &[1, 2]], &[0]));
    // The four margins of 2×2 give no inner cell.
    assert!(!follows(4, &[&[0, 1], &[2, 3], &[0, 2], &[1, 3]], &[0]));
    assert!(follows(4, &[&[0, 1], &[2, 3], &[0, 2], &[1, 3]], &[0, 1, 2, 3]));
}

proptest! {
    #[test]
    fn it_is_the_field(a in 1..PRIME, b in 0..PRIME, c in 0..PRIME) {
        prop_assert_eq!(times(a, inverse(a)), 1);
        prop_assert_eq!(times(a, plus(b, c)), plus(times(a, b), times(a, c)));
        prop_assert_eq!(minus(plus(b, c), c), b);
        let exact = u128::from(a) * u128::from(b) % u128::from(PRIME);
        prop_assert_eq!(u128::from(times(a, b)), exact);
    }
}
