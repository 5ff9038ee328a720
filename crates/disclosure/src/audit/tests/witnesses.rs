//! Nobody is trusted: not the solver, and not a file of witnesses.

use super::search::{Means, Move};
use super::solve::Towards;
use super::*;
use std::cell::Cell as Count;

/// A release with both kinds of reader, its file and what was published.
fn release() -> (WitnessFile, Vec<Cell>) {
    let audit = audited(exact(5), "2 3 | 1 7 9 8 3 12");
    let of = proof(&audit);
    assert!(of.witnesses().iter().any(|w| w.known.is_some()), "a person alone in a cell");
    (of.file([9; 32]), of.cells().to_vec())
}

/// Changes the file, commits to it anew, and checks it.
fn check(change: impl FnOnce(&mut WitnessFile, &mut Vec<Cell>), expected: Result<(), Unproven>) {
    let (mut file, mut published) = release();
    change(&mut file, &mut published);
    let found = file.recheck(&published, &file.commitment()).map(|_| ());
    assert_eq!(found, expected);
}

#[test]
fn a_sound_file_is_accepted_after_a_journey_through_json() {
    let (file, published) = release();
    let read: WitnessFile = serde_json::from_str(&serde_json::to_string(&file).unwrap()).unwrap();
    let checked = read.recheck(&published, &file.commitment()).unwrap();
    assert_eq!((checked.primaries, checked.witnesses), (file.primaries.len(), file.witnesses.len()));
}

#[test]
fn a_spoilt_file_is_refused() {
    check(|_, _| {}, Ok(()));
    check(|f, _| f.form = 2, Err(Unproven::Form));
    check(|f, _| f.tables[1][0] += 1, Err(Unproven::Table { table: 1 }));
    check(|f, _| f.tables[0][2] = -1, Err(Unproven::Table { table: 0 }));
    check(
        |f, _| {
            f.tables[1].pop();
        },
        Err(Unproven::Table { table: 1 }),
    );
    let first = release().0.primaries[0];
    check(
        |f, _| {
            f.witnesses.remove(0);
        },
        Err(Unproven::NoWitness { cell: first }),
    );
    check(|f, _| f.witnesses[0].high = f.witnesses[0].low, Err(Unproven::NoWitness { cell: first }));
    check(|f, _| f.witnesses[0].high = 10_000, Err(Unproven::NoWitness { cell: first }));
    // A range made wider than what was published would let any table pass.
    check(|f, _| f.ranges[shown_at()].high = None, Err(Unproven::OtherRelease { cell: shown_at() }));
    check(|_, p| p[shown_at()] = Cell::Withheld, Err(Unproven::OtherRelease { cell: shown_at() }));
    check(
        |_, p| {
            p.pop();
        },
        Err(Unproven::OtherRelease { cell: 11 }),
    );
}

/// The first shown cell of the release.
fn shown_at() -> usize {
    let (_, published) = release();
    published.iter().position(|cell| matches!(cell, Cell::Value(_))).unwrap()
}

#[test]
fn witnesses_other_than_those_committed_to_are_refused() {
    let (file, published) = release();
    let resalted = WitnessFile { salt: [8; 32], ..file.clone() };
    assert_eq!(resalted.recheck(&published, &file.commitment()), Err(Unproven::Commitment));
    assert_ne!(resalted.commitment(), file.commitment(), "small tables cannot be tried against it");
}

#[test]
fn a_file_is_held_against_the_layout_of_the_question() {
    let (file, _) = release();
    let layout = |sizes: &[usize], t| Table::new(sizes, None, exact(t)).unwrap().layout(&[], &[]).unwrap().0;
    assert!(file.is_over(&layout(&[2, 3], 5)));
    assert!(!file.is_over(&layout(&[3, 2], 5)));
    assert!(!file.is_over(&layout(&[2, 3], 6)));
}

#[test]
fn no_count_is_in_debug() {
    let (file, _) = release();
    assert_eq!(
        format!("{file:?}"),
        format!("WitnessFile({} witnesses, counts withheld)", file.witnesses.len())
    );
}

/// Says of every cell that it can be whatever is asked, and leaves the rest of the table as it is.
struct Liar {
    asked: Count<u32>,
}

impl Solver for Liar {
    fn solve(&self, ask: &Ask<'_>) -> Option<Vec<i64>> {
        self.asked.set(self.asked.get() + 1);
        let mut table = ask.from.to_vec();
        let (part, line) = (*ask.cell.first()?, ask.also.first()?);
        *table.get_mut(part)? += line.lacks(people(ask.from, ask.cell));
        Some(table)
    }
}

#[test]
fn a_solver_that_lies_is_refused() {
    // Four cells with their margins: the corner can only grow if the other three move with it, which the liar leaves out.
    let table = Table::new(&[2, 2], None, exact(5)).unwrap();
    let (layout, _) = table.layout(&[], &[]).unwrap();
    let truth = vec![3, 9, 9, 9];
    let case = Case::new(&layout, truth.clone(), &[]).unwrap();
    let marks: Vec<Mark> =
        (0..layout.cells()).map(|cell| if cell < 4 { Mark::Withheld } else { Mark::Published }).collect();
    let view = view::View::new(&layout, case.ranges(&marks));
    let solved = |solver: &dyn Solver| {
        let wanted = Move { cell: 0, known: None, towards: Towards::More, goal: 5, means: Means::Solver };
        search::Searcher { view: &view, solver, effort: &Effort::new(UNITS) }.solved(&truth, wanted, 4)
    };
    assert_eq!(solved(&Microlp), Some(vec![5, 7, 7, 11]));
    let liar = Liar { asked: Count::new(0) };
    assert_eq!(solved(&liar), None);
    assert_eq!(liar.asked.get(), 1);
}

#[test]
fn a_lying_solver_costs_cells_and_never_protection() {
    for seed in 0..30 {
        let counts = Random(seed).table(24);
        let liar = Liar { asked: Count::new(0) };
        let table = Table::new(&[6, 4], None, exact(5)).unwrap();
        let (layout, _) = table.layout(&[], &[]).unwrap();
        if let Outcome::Audited(of) = suppress_with(&layout, &counts, &[], &liar).unwrap() {
            let file = of.file([0; 32]);
            assert_eq!(
                file.recheck(of.cells(), &file.commitment()).map(|c| c.primaries),
                Ok(of.primaries().len())
            );
        }
    }
}

/// The check itself, given what a search that cheats would hand it.
#[test]
fn the_check_refuses_what_a_search_made_up() {
    let table = Table::new(&[5], None, exact(5)).unwrap();
    let (layout, _) = table.layout(&[], &[]).unwrap();
    let case = Case::new(&layout, vec![8, 1, 1, 1, 1], &[]).unwrap();
    let marks = |text: &str| -> Vec<Mark> {
        text.chars().map(|c| if c == 'c' { Mark::Withheld } else { Mark::Published }).collect()
    };
    let mut settled = suppress::settle(&case, (&Microlp, &Effort::new(UNITS)), suppress::Mend::Hide).unwrap();
    assert!(check::audited(&case, &settled, None).is_some());
    // A pattern that gives the ones away, with the tables of another.
    settled.marks = marks(".cccc.");
    assert!(check::audited(&case, &settled, None).is_none());
    // The same with only tables that agree with it: there is one.
    settled.tables.truncate(1);
    assert!(check::audited(&case, &settled, None).is_none());
    // A shown primary.
    settled.marks = marks("ccccc.");
    settled.marks[1] = Mark::Published;
    assert!(check::audited(&case, &settled, None).is_none());
}
