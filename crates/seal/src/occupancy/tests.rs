use super::*;
use crate::layout::{Plain, SymbolBits};
use cairn_question::privacy::Epsilon;
use cairn_question::{Hash, LinkedBy, TotalTreatment};

mod attacks;
mod cells;
mod figures;
mod privacy;
mod quality;
mod reader;

pub(super) fn epsilon(millionths: u32) -> Epsilon {
    Epsilon::from_millionths(millionths).unwrap()
}

/// 32 partners, 10 of whom may collude.
pub(super) fn usual(millionths: u32, power: u8) -> CountTerms {
    CountTerms::new(epsilon(millionths), 32, 10, Buckets::of_power(power).unwrap()).unwrap()
}

/// The linkage hash of a made-up person under a made-up question.
pub(super) fn person(number: u32, question: u32) -> [u8; 32] {
    *Hash::of(format!("person {number} in question {question}").as_bytes()).as_bytes()
}

/// Noise that a test can repeat.
pub(super) fn noise(run: u32, partner: u16) -> FreshNoise {
    FreshNoise::from_bytes(*Hash::of(format!("noise of {partner} in {run}").as_bytes()).as_bytes())
}

/// So many people over the terms' partners: each at one, every third at two, every ninth at five.
pub(super) fn federation(terms: &CountTerms, people: u32, run: u32) -> Vec<Occupied> {
    let n = u32::from(terms.in_round());
    let mut partners: Vec<_> = (0..n).map(|_| Occupied::nobody(terms.buckets())).collect();
    for number in 0..people {
        let hash = person(number, run);
        let known_to = if number % 9 == 0 { 5 } else { 1 + u32::from(number % 3 == 0) };
        for k in 0..known_to {
            partners[((number + k * 7) % n) as usize].add(&hash);
        }
    }
    partners
}

/// The vectors of all partners.
pub(super) fn vectors(terms: &CountTerms, partners: &[Occupied], run: u32) -> Vec<Vec<u8>> {
    let vector = |(i, p): (u16, &Occupied)| p.vector(terms, noise(run, i)).unwrap().symbols().unwrap();
    (0..).zip(partners).map(vector).collect()
}

/// What opens: the XOR of all vectors.
pub(super) fn xor(terms: &CountTerms, vectors: &[Vec<u8>]) -> Plain {
    let mut sum = vec![0_u8; terms.buckets().count() as usize];
    for vector in vectors {
        sum.iter_mut().zip(vector).for_each(|(s, v)| *s ^= v);
    }
    Plain::from_symbols(terms.layout().unwrap(), &sum).unwrap()
}

pub(super) fn counted(terms: &CountTerms, people: u32, run: u32) -> Result<Count, NotCounted> {
    let partners = federation(terms, people, run);
    Opened::read(terms, &xor(terms, &vectors(terms, &partners, run))).unwrap().count(terms)
}

#[test]
fn terms_out_of_range_are_refused() {
    let buckets = Buckets::of_power(15).unwrap();
    let check = |millionths, in_round, may_collude| {
        CountTerms::new(epsilon(millionths), in_round, may_collude, buckets).map(|_| ())
    };
    assert_eq!(check(1_000_000, 32, 10), Ok(()));
    assert_eq!(check(99_999, 32, 10), Err(NotCounted::Terms));
    assert_eq!(check(8_000_001, 32, 10), Err(NotCounted::Terms));
    assert_eq!(check(1_000_000, 11, 10), Err(NotCounted::Terms));
    assert_eq!(check(1_000_000, 9, 10), Err(NotCounted::Terms));
    assert_eq!(check(1_000_000, 2_001, 10), Err(NotCounted::Terms));
    let narrow = SymbolBits::new(1).unwrap();
    assert_eq!(
        CountTerms::with_symbols(epsilon(1_000_000), (32, 10), narrow, buckets),
        Err(NotCounted::Terms)
    );
    // 2²² buckets of 2 bits are 1 MiB, and fit no frame with their signature.
    let huge = Buckets::of_power(22).unwrap();
    assert_eq!(CountTerms::new(epsilon(1_000_000), 32, 10, huge), Err(NotCounted::Terms));
}

#[test]
fn buckets_are_a_power_of_two_of_at_least_twice_the_expected_people() {
    for (people, count) in [(0, 1 << 10), (512, 1 << 10), (513, 1 << 11), (1_000, 1 << 11)] {
        assert_eq!(Buckets::for_expected(people).unwrap().count(), count, "{people}");
    }
    assert_eq!(Buckets::for_expected(10_000).unwrap().count(), 1 << 15);
    assert_eq!(Buckets::for_expected(100_000).unwrap().count(), 1 << 18);
    assert_eq!(Buckets::for_expected(8_388_608).unwrap().count(), 1 << 24);
    assert_eq!(Buckets::for_expected(8_388_609), Err(NotCounted::Terms));
    for power in [9, 25, 255] {
        assert_eq!(Buckets::of_power(power), Err(NotCounted::Terms));
    }
}

#[test]
fn no_key_falls_in_a_control_and_every_other_bucket_can_be_hit() {
    let buckets = Buckets::of_power(10).unwrap();
    assert_eq!((buckets.controls(), buckets.for_people()), (128, 896));
    let mut hits = vec![0_u32; 1_024];
    for number in 0..40_000 {
        hits[buckets.of_hash(&person(number, 0))] += 1;
    }
    for (bucket, hits) in hits.iter().enumerate() {
        // 44.6 expected, standard deviation 6.7.
        assert_eq!(*hits == 0, Buckets::is_control(bucket), "bucket {bucket}: {hits}");
        assert!(*hits < 90, "bucket {bucket}: {hits}");
    }
    assert_eq!(buckets.of_hash(&[0; 32]), 0);
    assert_eq!(buckets.of_hash(&[255; 32]), 1_022);
}

#[test]
fn a_vector_is_of_its_terms_and_its_size_is_the_designs() {
    let terms = usual(1_000_000, 18);
    let vector = Occupied::nobody(terms.buckets()).vector(&terms, noise(0, 0)).unwrap();
    assert_eq!(vector.layout().bytes(), 64 << 10);
    assert_eq!(usual(2_000_000, 18).layout().unwrap().bytes(), 96 << 10);
    let other = usual(1_000_000, 17);
    assert!(Occupied::nobody(other.buckets()).vector(&terms, noise(0, 0)).is_err());
    assert_eq!(Opened::read(&other, &vector), Err(NotCounted::OtherTerms));
}

/// Of a partner that knows nobody, a bucket fires with λᵢ; of one that knows somebody everywhere, always.
#[test]
fn a_partner_fires_as_often_as_the_terms_say() {
    let share = |partner: &Occupied, terms: &CountTerms| {
        let symbols = partner.vector(terms, noise(3, 1)).unwrap().symbols().unwrap();
        symbols.iter().filter(|s| **s != 0).count() as f64 / symbols.len() as f64
    };
    let terms = usual(1_000_000, 17);
    let lambda = f64::from(terms.fire()) / 2f64.powi(32);
    // 131,072 coins: a standard error is 0.0004.
    let seen = share(&Occupied::nobody(terms.buckets()), &terms);
    assert!((seen - 0.75 * lambda).abs() < 0.002, "{seen}");
    let terms = usual(1_000_000, 12);
    let mut full = Occupied::nobody(terms.buckets());
    (0..60_000).for_each(|number| full.add(&person(number, 0)));
    // 4,096 symbols: a standard error is 0.007.
    let seen = share(&full, &terms);
    assert!((seen - 0.75 * (7.0 / 8.0 + lambda / 8.0)).abs() < 0.03, "{seen}");
}

#[test]
fn nothing_prints_who_is_where() {
    let terms = usual(1_000_000, 10);
    let partner = Occupied::nobody(terms.buckets());
    assert_eq!(
        format!("{partner:?} {:?}", noise(0, 0)),
        "Occupied(1024 buckets withheld) FreshNoise(withheld)"
    );
}

/// The vector goes through the masks of a round and opens as the XOR.
#[test]
fn masked_vectors_open_as_their_xor() {
    use crate::mask::{Aggregator as _, Blind, MaskKey, Pair, PairwiseMasks, Side};
    use crate::members::NodeId;
    let terms = usual(1_000_000, 10);
    let partners: Vec<_> = federation(&terms, 600, 5).into_iter().take(2).collect();
    let plain = xor(&terms, &vectors(&terms, &partners, 5)).symbols();
    let ids = (NodeId::from_bytes([1; 16]), NodeId::from_bytes([2; 16]));
    let blinds = [Blind::from_bytes([7; 32]), Blind::from_bytes([8; 32])];
    let sealed: Vec<_> = [Side::Add, Side::Subtract]
        .into_iter()
        .zip(&blinds)
        .zip((0..).zip(&partners))
        .map(|((side, blind), (i, partner))| {
            let key = MaskKey::derive(&Hash::of(b"round"), &[9; 32], None, ids).unwrap();
            let vector = partner.vector(&terms, noise(5, i)).unwrap();
            PairwiseMasks.seal(vector, vec![Pair { key, side }], blind).unwrap()
        })
        .collect();
    let pairs: Vec<_> = sealed.iter().zip(&blinds).collect();
    let opened = PairwiseMasks.open(terms.layout().unwrap(), &pairs).unwrap();
    assert_eq!(opened.symbols(), plain);
}

#[test]
fn a_totals_terms_are_those_of_its_treatment() {
    let total = |keys_per_person, buckets_power| TotalTreatment::CountOnce {
        epsilon: epsilon(1_000_000),
        keys_per_person,
        buckets_power,
        linked_by: LinkedBy::Nino,
        breakdown: None,
    };
    assert_eq!(CountTerms::of_total(&total(2, 15), 32, 10), Ok(usual(1_000_000, 15)));
    assert_eq!(usual(1_000_000, 15).buckets().power(), 15);
    let other = TotalTreatment::Dp { epsilon: epsilon(1_000_000), sensitivity: 1 };
    for none in [total(0, 15), total(2, 9), total(2, 25), other] {
        assert_eq!(CountTerms::of_total(&none, 32, 10), Err(NotCounted::Terms), "{none:?}");
    }
    assert_eq!(CountTerms::of_total(&total(2, 15), 11, 10), Err(NotCounted::Terms), "one honest partner");
}

#[test]
fn who_reads_the_published_number_knows_its_error() {
    let terms = usual(1_000_000, 15);
    let count = counted(&terms, 9_000, 7).unwrap();
    let read = Count::published(&terms, count.rounded());
    assert!((read.people() - count.people()).abs() <= 0.5);
    assert!((read.standard_error() - count.standard_error()).abs() < 0.01);
}
