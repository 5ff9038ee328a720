//! The privacy of one bucket, worked out by counting every way that coins and symbols can fall.

use super::*;
use crate::occupancy::exact::{ONE, exp_at_least, exp_minus_at_most, power_at_most};

/// P(T = s) for each symbol s over `partners` of whom the first `occupied` know somebody, in units of 1/(2³²ⁿ·qⁿ): every pattern of coins, every tuple of
/// symbols. Up to 3 partners of 4 symbols fit 128 bits.
fn exactly(fire: u32, q: u8, partners: u32, occupied: u32) -> Vec<u128> {
    let (fire, all) = (u128::from(fire), 1_u128 << 32);
    let mut mass = vec![0_u128; usize::from(q)];
    for pattern in 0..1_u32 << partners {
        let mut chance = 1_u128;
        let mut firing = 0;
        for partner in 0..partners {
            let coin = pattern >> partner & 1 == 1;
            chance *= if coin { fire } else { all - fire };
            firing += u32::from(coin || partner < occupied);
        }
        let quiet = u128::from(q).pow(partners - firing);
        for tuple in 0..u64::from(q).pow(firing) {
            let symbols = (0..firing).map(|i| tuple / u64::from(q).pow(i) % u64::from(q));
            mass[usize::try_from(symbols.fold(0, |s, t| s ^ t)).unwrap()] += chance * quiet;
        }
    }
    mass
}

fn terms(millionths: u32, honest: u16) -> CountTerms {
    let bits = SymbolBits::new(2).unwrap();
    CountTerms::with_symbols(epsilon(millionths), (honest + 4, 4), bits, Buckets::of_power(10).unwrap())
        .unwrap()
}

#[test]
fn one_bucket_keeps_the_claimed_epsilon_however_many_partners_know_the_person() {
    for (millionths, honest) in [(500_000, 2), (1_000_000, 2), (1_000_000, 3), (2_000_000, 3)] {
        let terms = terms(millionths, honest);
        let n = u32::from(honest);
        let empty = exactly(terms.fire(), 4, n, 0);
        let claimed = f64::from(terms.loss().millionths()) / 1e6;
        assert!(claimed <= f64::from(millionths) / 1e6);
        for known_to in 1..=n {
            let occupied = exactly(terms.fire(), 4, n, known_to);
            assert!(occupied.iter().all(|m| *m == occupied[0]), "occupied is not uniform: {occupied:?}");
            let loss = occupied.iter().zip(&empty).map(|(o, e)| (*o as f64 / *e as f64).ln().abs());
            let loss = loss.fold(0.0, f64::max);
            assert!(loss <= claimed + 1e-12, "ε {millionths}, {known_to} of {n}: {loss} above {claimed}");
            // And no more noise than it takes.
            assert!(loss >= claimed - 2e-6, "ε {millionths}, {known_to} of {n}: {loss} far below {claimed}");
        }
    }
}

/// One colluder more than t takes its coins out of the noise, and the claim no longer holds.
#[test]
fn the_claim_stands_against_t_colluders_and_not_against_one_more() {
    let terms = terms(1_000_000, 3);
    let loss = |honest| {
        let (empty, occupied) = (exactly(terms.fire(), 4, honest, 0), exactly(terms.fire(), 4, honest, 1));
        empty.iter().zip(&occupied).map(|(e, o)| (*e as f64 / *o as f64).ln().abs()).fold(0.0, f64::max)
    };
    assert!(loss(3) <= 1.0 && loss(2) > 1.05, "{} {}", loss(3), loss(2));
}

/// λᵢ = ⌈2³²·(1 − (1−λ)^{1/h})⌉/2³² by its formula, up to what rounding against us adds.
#[test]
fn the_coin_is_the_designs_formula_rounded_up() {
    for (millionths, bits, h) in [
        (500_000, 2, 22),
        (1_000_000, 2, 22),
        (2_000_000, 3, 22),
        (3_000_000, 4, 22),
        (4_000_000, 5, 22),
        (1_000_000, 2, 2),
        (2_000_000, 3, 490),
    ] {
        let terms = CountTerms::new(epsilon(millionths), h + 10, 10, Buckets::of_power(15).unwrap()).unwrap();
        assert_eq!(terms.bits().bits(), bits);
        let (e, q) = (f64::from(millionths) / 1e6, f64::from(1 << bits));
        let lambda = (-e).exp().max((q - e.exp()) / (q - 1.0));
        let exact = 2f64.powi(32) * (1.0 - (1.0 - lambda).powf(1.0 / f64::from(h)));
        let fire = f64::from(terms.fire());
        assert!(fire >= exact - 1e-3 && fire < exact + 1.01, "ε {e}, h {h}: {fire} for {exact}");
        // Recomputed from the rounded coin, ε is at most what was asked, and hardly less.
        let loss = terms.loss().millionths();
        assert!(loss <= millionths && loss >= millionths - 3, "ε {e}, h {h}: {loss}");
    }
}

#[test]
fn bounds_of_powers_and_exponentials_lie_on_their_side() {
    let float = |x: u128| x as f64 / ONE as f64;
    for millionths in [100_000, 500_000, 1_000_000, 3_141_592, 8_000_000] {
        let e = f64::from(millionths) / 1e6;
        let (low, high) =
            (float(exp_at_least(epsilon(millionths))), float(exp_minus_at_most(epsilon(millionths))));
        assert!((low / e.exp() - 1.0).abs() < 1e-14 && (high * e.exp() - 1.0).abs() < 1e-14, "{e}");
        // Their product is at least one: the one is not above e^ε while the other is below e^−ε.
        assert!(exp_at_least(epsilon(millionths)) * exp_minus_at_most(epsilon(millionths)) >= ONE * ONE);
    }
    // 3/4 to the 5th is 243/1024, exactly in this unit; a third is not, and is rounded up.
    assert_eq!(power_at_most(ONE / 4 * 3, 5), ONE / 1_024 * 243);
    assert_eq!(power_at_most(ONE, 2_000), ONE);
    assert_eq!(power_at_most(ONE / 3, 0), ONE);
    let cube = power_at_most(ONE / 3, 3);
    assert!(cube * 27 >= (ONE / 3) * 3 && float(cube) - 1.0 / 27.0 < 1e-15);
}

/// Removing one linkage key from every partner changes one bucket at most, whatever else is in the data.
#[test]
fn a_person_is_one_bucket_whether_one_partner_knows_them_or_all() {
    let terms = usual(1_000_000, 12);
    let before = vectors(&terms, &federation(&terms, 900, 1), 1);
    let opened = |vectors: &[Vec<u8>]| xor(&terms, vectors).symbols().unwrap();
    for known_to in [1, 2, 17, 32] {
        let mut partners = federation(&terms, 900, 1);
        partners.iter_mut().take(known_to).for_each(|p| p.add(&person(50_000, 1)));
        let after = vectors(&terms, &partners, 1);
        let bucket = terms.buckets().of_hash(&person(50_000, 1));
        for (before, after) in before.iter().zip(&after) {
            let changed: Vec<_> = (0..before.len()).filter(|b| before[*b] != after[*b]).collect();
            assert!(changed.is_empty() || changed == [bucket], "{known_to}: {changed:?}");
        }
        let (before, after) = (opened(&before), opened(&after));
        assert!((0..before.len()).all(|b| b == bucket || before[b] == after[b]), "{known_to}");
    }
}

#[test]
fn a_person_is_charged_for_each_key_and_each_cell() {
    let terms = usual(1_000_000, 15);
    assert_eq!(terms.person_loss(2, 1).millionths(), 2_000_000);
    assert_eq!(terms.person_loss(2, 3).millionths(), 6_000_000);
    assert_eq!(terms.person_loss(255, u32::MAX).millionths(), 1_000_000 * 255 * u64::from(u32::MAX));
}
