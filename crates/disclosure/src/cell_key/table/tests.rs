use super::*;
use crate::cell_key::Shape;
use cairn_question::Perturbations;

fn of_rows(rows: usize) -> PerturbationTable {
    PerturbationTable::from_checked(vec![0; rows * KEYS])
}

/// With 750 rows as in the ONS package: n up to 750, then ((n − 1) mod 250) + 501.
#[test]
fn counts_above_the_table_take_its_last_rows_in_turn() {
    let ons = of_rows(750);
    for people in 0..5_000 {
        let row = if people <= 750 { people } else { (people - 1) % 250 + 501 };
        assert_eq!(ons.row_of(people), row, "{people}");
    }
    let check = |rows: usize, people: u64, row: u64| {
        assert_eq!(of_rows(rows).row_of(people), row, "{people} of {rows}");
    };
    check(6, 6, 6);
    check(6, 7, 6);
    check(6, 1_000_000, 6);
    check(500, 501, 500);
    check(501, 502, 501);
    check(502, 503, 501);
    check(502, 504, 502);
    check(2_000, u64::MAX, 501 + (u64::MAX - 501) % 1_500);
}

#[test]
fn nobody_stays_nobody_and_a_table_has_no_other_keys() {
    let d3 = PerturbationTable::named("framework:d3").unwrap();
    for key in 0..=255 {
        assert_eq!(d3.perturbed(0, key), 0);
    }
    assert_eq!(d3.change(1, 256), None);
    assert_eq!(d3.change(7, 0), None);
    assert_eq!(d3.sums(0), None);
    assert_eq!(d3.sums(7), None);
}

/// The shipped file is what the generator makes: nobody edited it by hand, and it can be made again.
#[test]
fn the_shipped_table_is_the_generators_to_the_byte() {
    let made = Shape::new(3, 2_000, 2).unwrap().table().unwrap();
    assert_eq!(made.to_csv(made.rows()), include_str!("../../../tables/d3.csv"));
    assert_eq!(PerturbationTable::named("framework:d3"), Some(&made));
    assert_eq!(PerturbationTable::named("d3"), None);
    let made = Shape::new(3, 2_000, 0).unwrap().table().unwrap();
    assert_eq!(made.to_csv(made.rows()), include_str!("../../../tables/d3-total.csv"));
    assert_eq!(PerturbationTable::named("framework:d3-total"), Some(&made));
}

#[test]
fn a_table_for_totals_is_even_in_every_row_and_hides_no_small_count() {
    let d3 = PerturbationTable::named("framework:d3").unwrap();
    assert_eq!(d3.for_totals(), Err(NotForTotals::HidesOne));
    // One change of the second row is one higher.
    let mut skewed = d3.clone();
    skewed.changes[KEYS] += 1;
    assert_eq!(skewed.for_totals(), Err(NotForTotals::Biased(2)));
    for table in Perturbations::ALL {
        let changes = PerturbationTable::named(table.as_str()).unwrap();
        assert_eq!(changes.for_totals(), Ok(()), "{table:?}");
        let squares =
            (1..=changes.rows() as u64).filter_map(|row| changes.sums(row)).map(|(_, squares)| squares);
        assert_eq!(squares.max(), Some(table.squares_max().into()), "{table:?}");
        assert_eq!(changes.max_change(), table.change_max(), "{table:?}");
    }
}

/// The law of the sum of so many partners' changes at most ±span: by row, from −span on.
fn sum_of(rows: &[u64], table: &PerturbationTable) -> Vec<f64> {
    let span = usize::from(table.max_change());
    let mut law = vec![1.0];
    for row in rows {
        let mut wider = vec![0.0; law.len() + 2 * span];
        for key in 0..KEYS {
            let up = usize::try_from(table.at(*row, key) + i64::from(table.max_change())).unwrap();
            law.iter().enumerate().for_each(|(at, p)| wider[at + up] += p / KEYS as f64);
        }
        law = wider;
    }
    law
}

/// Whatever the partners' counts, as many in one row and in another as may be: the stated width holds 95 in 100, and the stated standard error is at
/// least the law's own.
#[test]
fn a_totals_stated_width_holds_whatever_the_partners_counts() {
    for named in Perturbations::ALL {
        let table = PerturbationTable::named(named.as_str()).unwrap();
        let rows = table.rows() as u64;
        for partners in [3_usize, 4, 5, 6, 7, 10, 22, 32, 40] {
            let off = named.off_by(u16::try_from(partners).unwrap());
            for (one, other) in (0..=rows).flat_map(|one| (one..=rows).map(move |other| (one, other))) {
                let ones = partners.div_ceil(3);
                let of = |at: usize| if at < ones { one } else { other };
                let law = sum_of(&(0..partners).map(of).collect::<Vec<_>>(), table);
                let middle = law.len() / 2;
                let far = |at: usize| at.abs_diff(middle);
                let mass = |within: usize| -> f64 {
                    law.iter().enumerate().filter(|(at, _)| far(*at) <= within).map(|(_, p)| p).sum()
                };
                let variance: f64 = law.iter().enumerate().map(|(at, p)| p * (far(at) as f64).powi(2)).sum();
                assert!(mass(off.plus_minus_95 as usize) >= 0.95, "{partners} in {one} and {other}");
                assert!(variance.sqrt() * 1_000.0 <= f64::from(off.standard_error_thousandths));
            }
        }
    }
}

/// A board that gives the shipped table to the ONS package, with 750 rows, gets the same changes there and here.
#[test]
fn the_long_form_of_a_table_says_the_same() {
    let short = PerturbationTable::named("framework:d3").unwrap();
    let long = PerturbationTable::read(&short.to_csv(750)).unwrap().table;
    assert_eq!(long.rows(), 750);
    for people in (0..40).chain(740..1_100) {
        for key in 0..=255 {
            assert_eq!(short.perturbed(people, key), long.perturbed(people, key), "{people} {key}");
        }
    }
}
