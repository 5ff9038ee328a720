use super::*;

fn keys(shape: Shape, count: u64) -> BTreeMap<i16, i64> {
    let table = shape.table().unwrap();
    let mut keys = BTreeMap::new();
    for change in (0..KEYS).map(|key| table.change(table.row_of(count), key).unwrap()) {
        *keys.entry(change).or_default() += 1;
    }
    keys
}

/// Every D up to 3 with every js, at small, middling and the largest variances; and two larger ones.
fn shapes() -> Vec<Shape> {
    let mut shapes = vec![Shape::new(4, 16_000, 3).unwrap(), Shape::new(5, 3_000, 2).unwrap()];
    for change_max in 1..=3_u8 {
        for never_up_to in 0..change_max {
            for variance in [600, 2_000, u32::from(change_max * change_max) * 1_000] {
                shapes.extend(Shape::new(change_max, variance, never_up_to));
            }
        }
    }
    shapes
}

/// Every row has 256 keys, a mean of exactly 0, no change beyond D, no negative count and none of 1 to js; and the variance, in
/// 256ths, is the wanted one to within a tenth, or the nearest that a distribution with mean 0 can have.
#[test]
fn every_row_keeps_to_its_shape() {
    for shape in shapes() {
        let table = shape.table().unwrap_or_else(|e| panic!("{shape:?}: {e}"));
        for row in 1..=table.rows() as u64 {
            for key in 0..KEYS {
                let change = i64::from(table.change(row, key).unwrap());
                let after = i64::try_from(row).unwrap() + change;
                assert!(change.abs() <= i64::from(shape.change_max), "{shape:?} {row} {key}");
                assert!(after == 0 || after > i64::from(shape.never_up_to), "{shape:?} {row} {key}");
            }
            let (sum, squares) = table.sums(row).unwrap();
            let nearest = nearest_variance(shape, i64::try_from(row).unwrap());
            assert_eq!(sum, 0, "{shape:?} row {row}");
            assert!((squares - nearest).abs() <= 26, "{shape:?} row {row}: {squares}/256 for {nearest}/256");
        }
    }
}

/// In 256ths: least with the two allowed changes on either side of 0, most with the two furthest from it.
fn nearest_variance(shape: Shape, count: i64) -> i64 {
    let allowed = shape.allowed(count);
    let below = allowed.iter().rev().find(|v| **v <= 0).unwrap();
    let above = allowed.iter().find(|v| **v >= 0).unwrap();
    let (least, most) = (-below * above, -allowed.first().unwrap() * allowed.last().unwrap());
    (i64::from(shape.variance_thousandths) * 256 / 1_000).clamp(least * 256, most * 256)
}

/// Of mean 0, a variance and no other bound than D, the distribution of most entropy is the discrete normal one. The shipped
/// table's last row has it to within one key.
#[test]
fn the_widest_row_is_a_discrete_normal_distribution() {
    let d3 = keys(Shape::new(3, 2_000, 2).unwrap(), 100);
    let expected = [(-3_i16, 9_i64), (-2, 29), (-1, 56), (0, 69), (1, 55), (2, 28), (3, 10)];
    assert_eq!(d3, BTreeMap::from(expected));
    // V = 2 of changes up to 3: p(v) = e^(−0.21942 v²) / 3.71501, found by bisection in another program; in hundredths of a key.
    let exact = [956, 2_865, 5_533, 6_891, 5_533, 2_865, 956];
    for ((change, keys), exact) in expected.into_iter().zip(exact) {
        assert!((keys * 100 - exact).abs() < 100, "{change}");
    }
}

#[test]
fn the_same_shape_makes_the_same_table() {
    let shape = Shape::new(4, 1_500, 1).unwrap();
    assert_eq!(shape.table(), shape.table());
}

#[test]
fn impossible_shapes_are_refused() {
    let check = |change_max, variance, never_up_to, error| {
        assert_eq!(Shape::new(change_max, variance, never_up_to).err(), error);
    };
    check(0, 1_000, 0, Some(ShapeError::ChangeMax));
    check(9, 1_000, 0, Some(ShapeError::ChangeMax));
    check(3, 1_000, 3, Some(ShapeError::NeverUpTo));
    check(3, 0, 2, Some(ShapeError::Variance));
    check(3, 9_001, 2, Some(ShapeError::Variance));
    check(3, 9_000, 2, None);
    check(1, 1, 0, None);
}
