use super::*;
use cairn_question::Dimension;

/// A grid of these many codes on each axis.
pub(crate) fn grid(sizes: &[usize]) -> Grid {
    let axis = |(n, &size): (usize, &usize)| Dimension {
        column: format!("axis {n}"),
        grain: "code".into(),
        codes: (0..size).map(|code| code.to_string()).collect(),
    };
    Grid::new(sizes.iter().enumerate().map(axis).collect()).unwrap()
}

fn counts(margins: &Margins) -> Vec<u64> {
    margins.places().all().map(|p| margins.at(p)).collect()
}

#[test]
fn totals_follow_the_codes_of_each_axis() {
    let margins = Margins::summed(&grid(&[2, 3]), &[1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(counts(&margins), [1, 2, 3, 6, 4, 5, 6, 15, 5, 7, 9, 21]);
    let listed: Vec<Place> = margins.listed().collect();
    assert_eq!(listed[3], [Some(0), None]);
    assert_eq!(listed[8], [None, Some(0)]);
    assert_eq!(listed[11], [None, None]);
    for (index, place) in listed.iter().enumerate() {
        assert_eq!(margins.places().index(place), Some(index));
    }
    assert_eq!(margins.places().index(&[Some(2), Some(4)]), None);
    assert_eq!(margins.places().index(&[Some(2), None]), None);
    assert_eq!(margins.places().index(&[Some(0)]), None);
}

#[test]
fn every_total_is_the_sum_of_its_parts_over_each_axis() {
    let people: Vec<u64> = (0..24).map(|n| n * 7 % 11).collect();
    let margins = Margins::summed(&grid(&[2, 3, 4]), &people).unwrap();
    let places = margins.places();
    for (place, axis) in places.all().flat_map(|p| (0..3).map(move |a| (p, a))) {
        if places.is_total(place, axis) {
            assert_eq!(margins.at(place), places.parts(place, axis).map(|p| margins.at(p)).sum::<u64>());
        }
        assert!(places.is_total(places.total_over(place, axis), axis));
    }
}

#[test]
fn a_table_without_axes_is_one_cell() {
    assert_eq!(counts(&Margins::summed(&grid(&[]), &[9]).unwrap()), [9]);
}

/// People who can be in several cells: a total may be less than its parts together, but no less than the largest.
#[test]
fn given_totals_must_fit_their_parts() {
    let check = |people: &[u64], fault: Option<Unfit>| {
        assert_eq!(Margins::given(&grid(&[2]), people).err(), fault, "{people:?}");
    };
    check(&[3, 4, 7], None);
    check(&[3, 4, 4], None);
    check(&[3, 4, 3], Some(Unfit::Total));
    check(&[3, 4, 8], Some(Unfit::Total));
    check(&[3, 4], Some(Unfit::Uneven));
    assert_eq!(Margins::summed(&grid(&[2]), &[1]).err(), Some(Unfit::Uneven));
}

#[test]
fn a_table_with_too_many_places_is_refused() {
    let ones = [1; 21];
    assert_eq!(Margins::summed(&grid(&ones), &[1]).err(), Some(Unfit::TooLarge));
}

#[test]
fn structural_zeros_make_their_totals_impossible() {
    let table = Margins::summed(&grid(&[2, 2]), &[0, 0, 4, 5]).unwrap();
    let zeros = table.clone().with_structural_zeros(&BTreeSet::from([0, 1])).unwrap();
    let possible: Vec<Place> = zeros
        .listed()
        .zip(zeros.places().all())
        .filter(|(_, at)| !zeros.possible(*at))
        .map(|(p, _)| p)
        .collect();
    assert_eq!(possible, [[Some(0), Some(0)], [Some(0), Some(1)], [Some(0), None]]);
    assert_eq!(table.with_structural_zeros(&BTreeSet::from([3])).err(), Some(NotEmpty));
}

#[test]
fn debug_shows_no_count() {
    let margins = Margins::summed(&grid(&[1]), &[77]).unwrap();
    assert_eq!(format!("{margins:?}"), "Margins(2 counts withheld)");
}
