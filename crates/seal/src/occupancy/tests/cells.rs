//! A count that is broken down: a pattern for each cell, and how far one person reaches.

use super::*;
use cairn_question::Breakdown;

fn breakdown(cells: u32, cells_per_person: u32) -> Option<Breakdown> {
    Some(Breakdown::new(cells, cells_per_person).unwrap())
}

fn in_cells(terms: CountTerms, cells: u32) -> CountTerms {
    terms.in_cells(cells).unwrap()
}

/// So many people in each cell, each at one partner and every third at two.
fn federation_in(terms: &CountTerms, people: &[u32], run: u32) -> Vec<Occupied> {
    let n = u32::from(terms.in_round());
    let nobody = || Occupied::nobody_in(terms.buckets(), breakdown(terms.cells(), 1)).unwrap();
    let mut partners: Vec<_> = (0..n).map(|_| nobody()).collect();
    for (cell, people) in (0..).zip(people) {
        for number in 0..*people {
            let hash = person(cell * 1_000_000 + number, run);
            for k in 0..1 + u32::from(number % 3 == 0) {
                partners[((number + k * 7) % n) as usize].add_in(&hash, &[cell]);
            }
        }
    }
    partners
}

/// What opens, of vectors of several cells.
fn xor_in(terms: &CountTerms, vectors: &[Vec<u8>]) -> Plain {
    let mut sum = vec![0_u8; terms.layout().unwrap().symbols()];
    for vector in vectors {
        sum.iter_mut().zip(vector).for_each(|(s, v)| *s ^= v);
    }
    Plain::from_symbols(terms.layout().unwrap(), &sum).unwrap()
}

fn count_in(terms: &CountTerms, vectors: &[Vec<u8>]) -> Result<Vec<CellCount>, NotCounted> {
    OpenedCells::read(terms, &xor_in(terms, vectors)).unwrap().count(terms)
}

fn people(terms: &CountTerms, people: &[u32], run: u32) -> Result<Vec<CellCount>, NotCounted> {
    count_in(terms, &vectors(terms, &federation_in(terms, people, run), run))
}

/// The law of a breakdown: without one person, under every key they stand under and at every partner, at most c_max · s_max buckets of what opens differ, whatever
/// cells each partner has them in up to c_max and however many more it would put them in.
#[test]
fn a_person_is_at_most_so_many_buckets_as_keys_times_cells() {
    let terms = in_cells(usual(1_000_000, 10), 5);
    let (per_person, keys) = (2, [person(70_001, 3), person(70_002, 3)]);
    let without = |cells: Option<&[u32]>, known_to: usize| {
        let nobody = || Occupied::nobody_in(terms.buckets(), breakdown(5, per_person)).unwrap();
        let mut partners: Vec<_> = (0..terms.in_round()).map(|_| nobody()).collect();
        for number in 0..600 {
            partners[(number % 32) as usize].add_in(&person(number, 3), &[number % 5]);
        }
        for partner in partners.iter_mut().take(known_to) {
            cells.into_iter().for_each(|cells| keys.iter().for_each(|key| partner.add_in(key, cells)));
        }
        xor_in(&terms, &vectors(&terms, &partners, 3)).symbols().unwrap()
    };
    let before = without(None, 0);
    let mut reached = 0;
    for cells in [&[0][..], &[1, 4], &[4, 1, 1], &[0, 1, 2, 3, 4], &[4, 3, 2, 1, 0, 9]] {
        for known_to in [1, 2, 17, 32] {
            let after = without(Some(cells), known_to);
            let changed = (0..before.len()).filter(|b| before[*b] != after[*b]).count();
            assert!(changed <= keys.len() * per_person as usize, "{cells:?} at {known_to}: {changed}");
            reached = reached.max(changed);
        }
    }
    assert!(reached >= 3, "the bound is reached but for symbols that happen to be equal: {reached}");
}

/// Partners see only their own cells of a person: what one node holds to, all of them together do not where each has the person in another cell. So c_max is the
/// framework's to say, and a person in more cells loses ε₀ for each.
#[test]
fn a_person_in_another_cell_at_each_partner_loses_for_each() {
    let terms = in_cells(usual(1_000_000, 10), 4);
    let opened = |with: u32| {
        let nobody = || Occupied::nobody_in(terms.buckets(), breakdown(4, 1)).unwrap();
        let mut partners: Vec<_> = (0..terms.in_round()).map(|_| nobody()).collect();
        (0..with).for_each(|cell| partners[cell as usize].add_in(&person(5, 8), &[cell]));
        xor_in(&terms, &vectors(&terms, &partners, 8)).symbols().unwrap()
    };
    let (before, after) = (opened(0), opened(4));
    let bucket = terms.buckets().of_hash(&person(5, 8));
    let may: Vec<_> = (0..4).map(|cell| cell * 1_024 + bucket).collect();
    let changed: Vec<_> = (0..before.len()).filter(|b| before[*b] != after[*b]).collect();
    assert!(changed.len() > 1 && changed.iter().all(|b| may.contains(b)), "{changed:?} of {may:?}");
}

/// Of more cells than a person is reckoned with, the same are chosen wherever they are all known, and which ones is nobody's to say beforehand.
#[test]
fn which_cells_of_a_person_count_is_the_same_at_every_partner_and_even_among_people() {
    let terms = in_cells(usual(8_000_000, 10), 3);
    let buckets = terms.buckets();
    let mut hits = [0_u32; 3];
    for number in 0..3_000 {
        let marked = |cells: &[u32]| {
            let mut one = Occupied::nobody_in(buckets, breakdown(3, 1)).unwrap();
            one.add_in(&person(number, 1), cells);
            (0..3).filter(|cell| one.is_marked(*cell, &person(number, 1))).collect::<Vec<u32>>()
        };
        let marked_here = marked(&[0, 1, 2]);
        assert_eq!(marked_here, marked(&[2, 0, 1, 1]));
        let [cell] = marked_here[..] else { panic!("{marked_here:?}") };
        hits[cell as usize] += 1;
    }
    // 1,000 expected in each, standard deviation 26.
    assert!(hits.iter().all(|hits| (870..1_130).contains(hits)), "{hits:?}");
}

#[test]
fn each_cell_is_estimated_or_says_why_not_and_the_others_stand() {
    let terms = in_cells(usual(3_000_000, 12), 5);
    let found = people(&terms, &[1_800, 100, 0, 14_000, 900], 2).unwrap();
    let [
        CellCount::Counted(first),
        CellCount::TooFew,
        CellCount::TooFew,
        CellCount::Full,
        CellCount::Counted(last),
    ] = found[..]
    else {
        panic!("{found:?}")
    };
    // Five standard errors.
    for (count, truth) in [(first, 1_800.0), (last, 900.0)] {
        assert!((count.people() - truth).abs() < 5.0 * count.standard_error(), "{count:?} for {truth}");
        assert!(count.standard_error() < 0.06 * truth, "{count:?}");
    }
}

/// In 20 rounds of three such cells, at least 92 of 100 intervals hold the truth, as where nothing is broken down.
#[test]
fn the_intervals_of_cells_hold_the_truth_as_often_as_that_of_one() {
    let terms = in_cells(usual(2_000_000, 12), 3);
    let truth = [700, 1_200, 2_000];
    let mut covered = 0;
    for run in 0..20 {
        for (cell, truth) in people(&terms, &truth, run).unwrap().into_iter().zip(truth) {
            let CellCount::Counted(count) = cell else { panic!("{cell:?} for {truth}") };
            covered += u32::from(count.covers(f64::from(truth)));
        }
    }
    assert!(covered >= 55, "{covered} of 60");
}

#[test]
fn where_no_cell_has_an_empty_bucket_or_one_was_filled_the_round_is_refused() {
    let terms = in_cells(usual(2_000_000, 10), 3);
    assert_eq!(people(&terms, &[9_000, 9_000, 9_000], 1), Err(NotCounted::Saturated));
    // One partner says a random symbol in every bucket of one cell, controls too.
    let mut all = vectors(&terms, &federation_in(&terms, &[700, 700, 700], 4), 4);
    let cell = &mut all[9][1_024..2_048];
    crate::prg::stream(&person(0, 77), cell).unwrap();
    cell.iter_mut().for_each(|symbol| *symbol &= 7);
    assert_eq!(count_in(&terms, &all), Err(NotCounted::Saturated));
    // All cells have people enough, and none too few: nobody refuses for a cell that is merely small.
    assert!(people(&terms, &[0, 0, 0], 1).unwrap().iter().all(|cell| *cell == CellCount::TooFew));
}

/// One partner of eight that leaves out its noise is not seen in 2¹³ buckets; in sixteen cells of them it is, since their controls are looked at together.
#[test]
fn the_controls_of_all_cells_together_notice_what_those_of_one_do_not() {
    let one = CountTerms::new(epsilon(1_000_000), 8, 2, Buckets::of_power(13).unwrap()).unwrap();
    assert!(one.silent_partners_noticed() > Some(1));
    let terms = in_cells(one, 16);
    let sizes = [700_u32; 16];
    let mut all = vectors(&terms, &federation_in(&terms, &sizes, 6), 6);
    assert!(count_in(&terms, &all).is_ok());
    let opened = |all: &[Vec<u8>]| OpenedCells::read(&terms, &xor_in(&terms, all)).unwrap();
    assert!(opened(&all).controls_off_by(&terms).abs() < 4.0);
    all[5].fill(0);
    assert!(opened(&all).controls_off_by(&terms) > 4.0);
    assert_eq!(opened(&all).count(&terms), Err(NotCounted::Controls));
}

/// And a cell of its own that is off says so although the others are in order.
#[test]
fn one_cell_whose_controls_are_off_is_a_bad_round() {
    let terms = in_cells(usual(1_000_000, 12), 4);
    let mut all = vectors(&terms, &federation_in(&terms, &[800, 800, 800, 800], 5), 5);
    assert!(count_in(&terms, &all).is_ok());
    all.iter_mut().take(26).for_each(|vector| vector[4_096..8_192].fill(0));
    assert_eq!(count_in(&terms, &all), Err(NotCounted::Controls));
}

#[test]
fn an_honest_round_of_many_cells_passes_its_controls() {
    let terms = in_cells(usual(2_000_000, 11), 12);
    for run in 0..25 {
        assert!(people(&terms, &[600; 12], run).is_ok(), "run {run}");
    }
}

#[test]
fn cells_and_buckets_fit_one_vector_or_are_refused() {
    // 2¹⁴ buckets of 3 bits are 6 KiB; a vector has 960.
    let terms = usual(2_000_000, 14);
    assert_eq!(in_cells(terms, 160).layout().unwrap().bytes(), 960 << 10);
    assert_eq!(terms.in_cells(161), Err(NotCounted::TooManyCells));
    assert_eq!(terms.in_cells(u32::MAX), Err(NotCounted::TooManyCells));
    assert_eq!(terms.in_cells(0), Err(NotCounted::Terms));
    let nobody = |power, cells| {
        let buckets = Buckets::of_power(power).unwrap();
        Occupied::nobody_in(buckets, breakdown(cells, 1)).map(|_| ())
    };
    assert_eq!(nobody(10, 3_840), Ok(()));
    assert_eq!(nobody(10, 3_841), Err(NotCounted::TooManyCells));
    assert_eq!(nobody(24, u32::MAX), Err(NotCounted::TooManyCells));
    // A vector of other cells is none of these terms.
    let other = Occupied::nobody(terms.buckets());
    assert!(other.vector(&in_cells(terms, 2), noise(0, 0)).is_err());
    let vector = other.vector(&terms, noise(0, 0)).unwrap();
    assert_eq!(OpenedCells::read(&in_cells(terms, 2), &vector), Err(NotCounted::OtherTerms));
}

#[test]
fn the_terms_of_a_broken_down_total_have_a_pattern_for_each_cell() {
    let total = |breakdown| TotalTreatment::CountOnce {
        epsilon: epsilon(2_000_000),
        keys_per_person: 2,
        buckets_power: 14,
        linked_by: LinkedBy::Nino,
        breakdown,
    };
    let of = |breakdown| CountTerms::of_total(&total(breakdown), 32, 10);
    assert_eq!(of(None), Ok(usual(2_000_000, 14)));
    assert_eq!(of(breakdown(4, 2)), Ok(in_cells(usual(2_000_000, 14), 4)));
    assert_eq!(of(breakdown(161, 2)), Err(NotCounted::TooManyCells));
}
