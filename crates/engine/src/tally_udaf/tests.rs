use cairn_release::Bounds;

use super::*;

/// Merges the states of parts that hold these persons, one row each, in the one cell of a grid.
fn merged(parts: &[&[u32]]) -> Result<ScalarValue, EngineFault> {
    let mut sum = tallying();
    for persons in parts {
        let mut part = tallying();
        let rows: [ArrayRef; 2] = [
            Arc::new(arrow::array::UInt32Array::from(persons.to_vec())),
            Arc::new(arrow::array::UInt32Array::from(vec![0; persons.len()])),
        ];
        part.update_batch(&rows).unwrap();
        let state: Vec<ArrayRef> = part.state().unwrap().iter().map(|s| s.to_array().unwrap()).collect();
        sum.merge_batch(&state).unwrap();
    }
    sum.evaluate().map_err(|e| EngineFault::of(&e))
}

fn tallying() -> Tallying {
    let of =
        TallyOf::of_people(1, Bounds { rows_per_person: None, groups_per_person: None, cap_key: [0; 32] });
    Tallying { merged: vec![0; of.numbers()], tally: Tally::new(of), ranges: Vec::new() }
}

#[test]
fn parts_add_up_in_any_order() {
    assert_eq!(merged(&[&[4, 4, 6], &[], &[0, 3]]), Ok(list(vec![4])));
    assert_eq!(merged(&[]), Ok(list(vec![0])));
}

#[test]
fn parts_that_share_a_person_are_refused() {
    for torn in [[&[0, 3][..], &[3, 5]], [&[3, 5], &[0, 3]], [&[0, 9], &[4]]] {
        assert_eq!(merged(&torn), Err(EngineFault::PersonOrder));
    }
}

#[test]
fn a_person_without_a_number_is_refused() {
    let rows: [ArrayRef; 2] = [
        Arc::new(arrow::array::UInt32Array::from(vec![Some(0), None])),
        Arc::new(arrow::array::UInt32Array::from(vec![0, 0])),
    ];
    let refused = tallying().update_batch(&rows).unwrap_err();
    assert_eq!(EngineFault::of(&refused), EngineFault::PersonOrder);
}

#[test]
fn debug_shows_no_count() {
    let of =
        TallyOf::of_people(1, Bounds { rows_per_person: None, groups_per_person: None, cap_key: [42; 32] });
    assert_eq!(format!("{:?}", tallying()), "Tallying(1 numbers withheld)");
    assert_eq!(format!("{:?}", TallyFunction::new(of)), "TallyFunction(1 cells)");
}
