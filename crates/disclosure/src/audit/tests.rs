//! One door to the audit: tables as text, and what is asked of every release.

use super::case::Case;
use super::solve::{Ask, Solver};
use super::table::people;
use super::*;
use cairn_question::Cell;

mod fixtures;
mod laws;
mod witnesses;

pub(crate) fn exact(threshold: u64) -> Terms {
    Terms { threshold, nobody: Nobody::AlwaysShown, showing: Showing::Exact }
}

/// Splitmix64: the same tables on every machine.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    /// Small and sparse: the tables on which elimination alone fails.
    pub(crate) fn table(&mut self, cells: usize) -> Vec<u64> {
        let spread = [0, 0, 1, 1, 2, 3, 4, 6, 9, 14, 30];
        (0..cells).map(|_| spread[usize::try_from(self.below(11)).unwrap()]).collect()
    }
}

/// `sizes | counts` put to the audit without bands.
pub(crate) fn audited(terms: Terms, table: &str) -> Audit {
    let (sizes, counts) = table.split_once('|').unwrap();
    let numbers = |text: &str| text.split_whitespace().map(|n| n.parse().unwrap()).collect::<Vec<u64>>();
    let sizes: Vec<usize> = numbers(sizes).into_iter().map(|n| usize::try_from(n).unwrap()).collect();
    let audit = Table::new(&sizes, None, terms).unwrap().audit(&numbers(counts), &|_| vec![], &[]).unwrap();
    recheck(&audit);
    audit
}

pub(crate) fn proof(audit: &Audit) -> &Audited {
    match &audit.outcome {
        Outcome::Audited(of) => of,
        Outcome::Whole(why) => panic!("the whole table is withheld: {why:?}"),
    }
}

/// The cells of the table as they leave, without those of the register.
pub(crate) fn cells(audit: &Audit) -> String {
    let text = |cell: &Cell| match cell {
        Cell::Value(value) => value.to_string(),
        _ => "c".to_owned(),
    };
    let cells = proof(audit).cells().iter().take(audit.places.len()).map(text);
    cells.collect::<Vec<_>>().join(" ")
}

/// An auditor's check of the proof.
pub(crate) fn recheck(audit: &Audit) {
    if let Outcome::Audited(of) = &audit.outcome {
        let file = of.file([3; 32]);
        let checked = file.recheck(of.cells(), &file.commitment()).unwrap();
        assert_eq!(checked.primaries, of.primaries().len());
    }
}

/// The people in a place of the grid (one axis for each code of the place, the last varying fastest).
pub(crate) fn value(audit: &Audit, cell: usize, counts: &[u64]) -> u64 {
    holds(audit, cell, counts.len()).iter().zip(counts).filter(|(inside, _)| **inside).map(|(_, n)| n).sum()
}

fn holds(audit: &Audit, cell: usize, atoms: usize) -> Vec<bool> {
    let axes = audit.places[0].0.len();
    let size =
        |axis: usize| audit.places.iter().filter_map(|p| p.0[axis].as_ref()).map(|g| g.end).max().unwrap();
    let mut inside = vec![true; atoms];
    for (atom, inside) in inside.iter_mut().enumerate() {
        let mut rest = atom;
        for axis in (0..axes).rev() {
            let code = rest % size(axis);
            rest /= size(axis);
            *inside &= audit.places[cell].0[axis].as_ref().is_none_or(|g| g.contains(&code));
        }
    }
    inside
}

/// Whether two cells count the same people, zeros aside.
pub(crate) fn same_people(audit: &Audit, one: usize, other: usize, counts: &[u64]) -> bool {
    let [one, other] = [one, other].map(|cell| holds(audit, cell, counts.len()));
    one.iter().zip(&other).zip(counts).all(|((a, b), &n)| n == 0 || a == b)
}

/// Every table of whole numbers up to `most` that a release allows to a reader who knows that withheld means at least 1.
pub(crate) fn allowed(audit: &Audit, of: &Audited, most: u64) -> Vec<Vec<u64>> {
    let inner = audit.places.iter().take_while(|p| p.totals() == 0).count();
    let mut tables = vec![vec![]];
    for cell in of.cells().iter().take(inner) {
        let options: Vec<u64> = match cell {
            Cell::Value(value) => vec![u64::try_from(*value).unwrap()],
            _ => (1..=most).collect(),
        };
        tables = tables
            .iter()
            .flat_map(|t: &Vec<u64>| options.iter().map(|&o| [t.clone(), vec![o]].concat()))
            .collect();
    }
    let totals = inner..audit.places.len();
    let agrees = |t: &Vec<u64>| {
        totals.clone().all(|cell| match of.cells()[cell] {
            Cell::Value(shown) => i64::try_from(value(audit, cell, t)).unwrap() == shown,
            _ => true,
        })
    };
    tables.into_iter().filter(agrees).collect()
}

/// For each primary cell of a row how far it may differ, over all tables up to `most` on which the algorithm gives this pattern.
pub(crate) fn spread_over_same_pattern(audit: &Audit, counts: &[u64], most: u64) -> Vec<i64> {
    let of = proof(audit);
    let row = Table::new(&[counts.len()], None, exact(5)).unwrap();
    let marks = |t: &[u64]| proof(&row.audit(t, &|_| vec![], &[]).unwrap()).marks().to_vec();
    let same: Vec<Vec<u64>> =
        allowed(audit, of, most).into_iter().filter(|t| marks(t) == of.marks()).collect();
    let width = |&cell: &usize| {
        let values = same.iter().map(|t| i64::try_from(value(audit, cell, t)).unwrap());
        values.clone().max().unwrap() - values.min().unwrap()
    };
    of.primaries().iter().map(width).collect()
}
