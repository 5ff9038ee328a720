//! Partners that do not keep to the rules, and those that are broken.

use super::*;

fn read(terms: &CountTerms, vectors: &[Vec<u8>]) -> Opened {
    Opened::read(terms, &xor(terms, vectors)).unwrap()
}

/// A partner that says a random symbol in every bucket leaves nothing to read.
#[test]
fn a_saturating_partner_is_refused() {
    let terms = usual(1_000_000, 15);
    for run in 0..2 {
        let mut vectors = vectors(&terms, &federation(&terms, 10_000, run), run);
        // Every bucket, controls too.
        let mut symbols = vec![0; vectors[7].len()];
        crate::prg::stream(&person(0, run + 100), &mut symbols).unwrap();
        symbols.iter_mut().for_each(|symbol| *symbol &= 3);
        vectors[7] = symbols;
        assert_eq!(read(&terms, &vectors).count(&terms), Err(NotCounted::Saturated), "run {run}");
    }
}

/// One that fills only the buckets for people, so that the controls are in order.
#[test]
fn a_partner_that_fills_every_bucket_but_the_controls_is_refused() {
    let terms = usual(1_000_000, 12);
    let mut partners = federation(&terms, 1_500, 1);
    (0..60_000).for_each(|number| partners[3].add(&person(1_000_000 + number, 1)));
    let opened = read(&terms, &vectors(&terms, &partners, 1));
    assert!(opened.controls_off_by(&terms).abs() < 4.0);
    assert_eq!(opened.count(&terms), Err(NotCounted::Saturated));
}

/// The controls notice as many as the terms say: one at 2²⁰ buckets.
#[test]
fn silent_partners_are_noticed_by_the_controls() {
    let terms = usual(1_000_000, 15);
    let noticed = terms.silent_partners_noticed().unwrap();
    let mut found = 0;
    for run in 0..6 {
        let mut vectors = vectors(&terms, &federation(&terms, 10_000, run), run);
        vectors.iter_mut().take(usize::from(noticed)).for_each(|v| v.fill(0));
        found += u32::from(read(&terms, &vectors).count(&terms) == Err(NotCounted::Controls));
    }
    assert!(found >= 5, "{noticed} silent partners noticed {found} times in 6");
    assert_eq!([11, 13, 15, 18, 20].map(|power| usual(1_000_000, power).silent_partners_noticed()), NOTICED);
}

/// Of 32 partners with 10 that may collude at ε = 1, by the number of buckets.
const NOTICED: [Option<u16>; 5] = [Some(18), Some(10), Some(6), Some(2), Some(1)];

/// m·λᵢ is 717 of 10,000 people; the same rounds with and without it.
#[test]
fn one_silent_partner_takes_m_times_its_coin_off_the_count() {
    let terms = usual(1_000_000, 15);
    let mut off = 0.0;
    for run in 0..3 {
        // Partner 0 knows nobody: only its noise is missing.
        let mut partners = federation(&terms, 10_000, run);
        partners[0] = Occupied::nobody(terms.buckets());
        let mut vectors = vectors(&terms, &partners, run);
        let whole = read(&terms, &vectors).count(&terms).unwrap().people();
        vectors[0].fill(0);
        off += whole - read(&terms, &vectors).count(&terms).unwrap().people();
    }
    let coin = f64::from(terms.fire()) / 2f64.powi(32) * f64::from(terms.buckets().for_people());
    assert!((coin - 717.0).abs() < 5.0, "{coin}");
    assert!((off / 3.0 / coin - 1.0).abs() < 0.35, "{}", off / 3.0);
}

#[test]
fn one_silent_partner_among_few_is_noticed() {
    // Among 8 of whom 2 may collude, each carries more of the noise.
    let terms = CountTerms::new(epsilon(1_000_000), 8, 2, Buckets::of_power(17).unwrap()).unwrap();
    assert_eq!(terms.silent_partners_noticed(), Some(1));
    let mut vectors = vectors(&terms, &federation(&terms, 30_000, 0), 0);
    assert!(read(&terms, &vectors).count(&terms).is_ok());
    vectors[5].fill(0);
    assert_eq!(read(&terms, &vectors).count(&terms), Err(NotCounted::Controls));
}

/// An honest round is refused for its controls about once in 10,000.
#[test]
fn an_honest_round_passes_its_controls() {
    let terms = usual(2_000_000, 11);
    for run in 0..40 {
        let opened = read(&terms, &vectors(&terms, &federation(&terms, 700, run), run));
        assert!(opened.controls_off_by(&terms).abs() < 4.0, "run {run}");
    }
}

/// Colluders who know what they put in subtract it exactly: the rest is what h honest partners make, and its claim is `one_bucket_keeps_the_claimed_epsilon…`.
#[test]
fn colluders_can_subtract_their_own_vectors_and_no_more() {
    let terms = usual(1_000_000, 12);
    let all = vectors(&terms, &federation(&terms, 1_500, 6), 6);
    let (colluders, honest) = all.split_at(10);
    let opened = xor(&terms, &all).symbols().unwrap();
    let known = xor(&terms, colluders).symbols().unwrap();
    let rest: Vec<u8> = opened.iter().zip(&known).map(|(o, k)| o ^ k).collect();
    assert_eq!(rest, xor(&terms, honest).symbols().unwrap());
    // What is left of the noise in empty buckets, the controls: as often zero as 22 partners make it, within 5 standard errors.
    let controls = rest.iter().enumerate().filter(|(b, _)| Buckets::is_control(*b));
    let (zeros, of) =
        controls.fold((0.0, 0.0), |(z, of), (_, s)| (z + f64::from(u8::from(*s == 0)), of + 1.0));
    let p = terms.empty_is_zero(22);
    assert!((zeros / of - p).abs() < 5.0 * (p * (1.0 - p) / of).sqrt(), "{} for {p}", zeros / of);
}

/// The number of buckets comes from public figures alone, so it is the same whatever the records are: nothing in the terms takes a record, and too small a guess is
/// refused as full, not mended.
#[test]
fn more_people_than_were_expected_are_refused_and_not_fitted() {
    let terms = CountTerms::new(epsilon(2_000_000), 32, 10, Buckets::for_expected(500).unwrap()).unwrap();
    assert_eq!(counted(&terms, 5_000, 3), Err(NotCounted::Saturated));
}
