//! Rounded tables beside each other and beside their rounded totals, against every table of whole numbers that fits.
//!
//! The readers here are worked out by trying tables, and not by the audit's own search: a small count is open if two tables fit that
//! differ in it by two.

use super::*;
use cairn_question::Cell;

const ROUNDED: Terms =
    Terms { threshold: 8, nobody: Nobody::AlwaysShown, showing: Showing::Rounded { base: 5 } };

/// What has left: the atoms of a cell, and what was shown of it.
type Register = Vec<(Vec<usize>, Cell)>;

/// Asks for one table after another, each a list of cells as lists of atoms, the last of them the total.
fn ask(counts: &[u64], tables: &[Vec<Vec<usize>>]) -> Register {
    let mut register = Register::new();
    for table in tables {
        let left = |(members, cell): &(Vec<usize>, Cell)| Left {
            members: members.clone(),
            mark: if *cell == Cell::Withheld { Mark::Withheld } else { Mark::Published },
            marked: Marked::No,
        };
        let earlier: Vec<Left> = register.iter().map(left).collect();
        let most = table.iter().map(Vec::len).max().unwrap();
        let asked = |cell: &Vec<usize>| Asked { members: cell.clone(), totals: (cell.len() == most).into() };
        let own: Vec<Asked> = table.iter().map(asked).collect();
        let joined = Joined::new(counts.len(), &own, &earlier, ROUNDED).unwrap();
        match joined.audit(counts, &[]).unwrap() {
            Outcome::Audited(of) => {
                let file = of.file([4; 32]);
                assert!(file.is_over(joined.layout()));
                file.recheck(of.cells(), &file.commitment()).unwrap();
                register.extend(table.iter().cloned().zip(joined.own().iter().map(|at| of.cells()[*at])));
            }
            // Nothing was said of any of its cells.
            Outcome::Whole(_) => {}
        }
    }
    register
}

fn people(counts: &[u64], members: &[usize]) -> u64 {
    members.iter().map(|&atom| counts[atom]).sum()
}

/// Groups of few: small cells that left, and the few between two that did.
fn few(counts: &[u64], register: &Register) -> Vec<Vec<usize>> {
    let cells: Vec<&Vec<usize>> = register.iter().map(|(members, _)| members).collect();
    let inside = |part: &[usize], whole: &[usize]| part.iter().all(|atom| whole.contains(atom));
    let between = |part: &&Vec<usize>, whole: &&Vec<usize>| -> Vec<usize> {
        whole.iter().copied().filter(|atom| !part.contains(atom)).collect()
    };
    let nested = cells.iter().flat_map(|whole| {
        let parts = cells.iter().filter(|part| inside(part, whole) && people(counts, part) > 0);
        parts.map(|part| between(part, whole)).collect::<Vec<_>>()
    });
    let all = cells.iter().map(|cell| (*cell).clone()).chain(nested);
    all.filter(|group| (1..8).contains(&people(counts, group))).collect()
}

/// Whether each group may have two numbers of people that differ by two, to a reader who takes every withheld small count for one.
fn all_open(counts: &[u64], register: &Register, groups: &[Vec<usize>]) -> bool {
    let said: Vec<(&[usize], u64, u64)> = register
        .iter()
        .map(|(members, cell)| {
            let (low, high) = match cell {
                Cell::Value(0) => (0, 0),
                Cell::Value(v) => {
                    let v = u64::try_from(*v).unwrap();
                    ((v - 2).max(8), v + 2)
                }
                // Fewer tables than there are: a large withheld cell may have any number.
                _ if people(counts, members) < 8 => (1, 7),
                _ => (1, people(counts, members) + 9),
            };
            (members.as_slice(), low, high)
        })
        .collect();
    let mut fits = Fits { said: &said, groups, found: vec![(u64::MAX, 0); groups.len()] };
    let most: Vec<u64> = counts.iter().map(|count| count + 9).collect();
    fits.every(&mut vec![], &most);
    fits.are_open()
}

struct Fits<'a> {
    said: &'a [(&'a [usize], u64, u64)],
    groups: &'a [Vec<usize>],
    /// The fewest and the most people found in each group.
    found: Vec<(u64, u64)>,
}

impl Fits<'_> {
    fn are_open(&self) -> bool {
        self.found.iter().all(|(fewest, most)| most.saturating_sub(*fewest) >= 2)
    }

    /// Every table that begins so and fits, until all groups are open.
    fn every(&mut self, begun: &mut Vec<u64>, most: &[u64]) {
        if self.are_open() || !self.may_fit(begun, most.len()) {
            return;
        }
        let Some(limit) = most.get(begun.len()) else {
            for (group, found) in self.groups.iter().zip(&mut self.found) {
                let here = people(begun, group);
                *found = (found.0.min(here), found.1.max(here));
            }
            return;
        };
        for count in 0..=*limit {
            begun.push(count);
            self.every(begun, most);
            begun.pop();
        }
    }

    fn may_fit(&self, begun: &[u64], atoms: usize) -> bool {
        self.said.iter().all(|(members, low, high)| {
            let so_far: u64 = members.iter().filter_map(|atom| begun.get(*atom)).sum();
            let whole = begun.len() == atoms || members.iter().all(|atom| *atom < begun.len());
            so_far <= *high && (!whole || so_far >= *low)
        })
    }
}

fn shown(register: &Register) -> String {
    let cell = |(_, cell): &(Vec<usize>, Cell)| match cell {
        Cell::Value(value) => value.to_string(),
        _ => "c".to_owned(),
    };
    register.iter().map(cell).collect::<Vec<_>>().join(" ")
}

/// 8, 8 and 1 of 17, plainly rounded, are 10, 10, c and 15, and only these fit
/// (`suppress/tests/complements.rs`, `l3_totals_beside_a_rounded_table_can_give_a_small_count_away`).
#[test]
fn the_one_of_8_8_1_stays_open_beside_its_rounded_total_whichever_comes_first() {
    let counts = [8, 8, 1];
    let row = vec![vec![0], vec![1], vec![2], vec![0, 1, 2]];
    let total = vec![vec![0, 1, 2]];
    let plainly: Register = row
        .iter()
        .cloned()
        .zip([Cell::Value(10), Cell::Value(10), Cell::Withheld, Cell::Value(15)])
        .collect();
    assert!(!all_open(&counts, &plainly, &[vec![2]]), "the test itself must tell an open count from another");
    for (tables, expected) in [([row.clone(), total.clone()], "c 10 c 15 15"), ([total, row], "15 c 10 c 15")]
    {
        let register = ask(&counts, &tables);
        assert_eq!(shown(&register), expected);
        assert!(all_open(&counts, &register, &few(&counts, &register)), "{expected}");
    }
}

/// release.md, section 1.
#[test]
fn the_row_8_1_1_1_1_rounded_does_not_give_its_ones_away() {
    let counts = [8, 1, 1, 1, 1];
    let register = ask(&counts, &[vec![vec![0], vec![1], vec![2], vec![3], vec![4], vec![0, 1, 2, 3, 4]]]);
    assert!(all_open(&counts, &register, &few(&counts, &register)), "{}", shown(&register));
}

#[test]
fn where_nothing_is_small_nothing_is_withheld_and_the_totals_are_rounded() {
    let row = vec![vec![0], vec![1], vec![0, 1]];
    assert_eq!(shown(&ask(&[21, 48], std::slice::from_ref(&row))), "20 50 70");
    assert_eq!(shown(&ask(&[21, 0], std::slice::from_ref(&row))), "20 0 20");
    // A small count that its total leaves open is all that is withheld.
    assert_eq!(shown(&ask(&[40, 3], &[row])), "40 c 45");
}

/// The few between two cells of which no table has a place: rounded, the two cells may both be shown.
#[test]
fn the_few_between_two_tables_are_watched_and_not_withheld_for_nothing() {
    // 100 in all, 98 of them in the first table.
    let counts = [98, 2];
    let tables = [vec![vec![0]], vec![vec![0, 1]]];
    let register = ask(&counts, &tables);
    assert_eq!(shown(&register), "100 100");
    assert!(all_open(&counts, &register, &[vec![1]]));
    // 9 and 9 of 19, each from a table of its own: shown as 10, 10 and 20, and the one other of 0 to 6.
    let counts = [9, 9, 1];
    let tables = [vec![vec![0]], vec![vec![1]], vec![vec![0, 1, 2]]];
    let register = ask(&counts, &tables);
    assert!(all_open(&counts, &register, &[vec![2]]), "{}", shown(&register));
}

/// All tables over two columns of 2 and 3 codes that a question can ask for: each column, both, and each where the other is its first code.
fn tables() -> Vec<Vec<Vec<usize>>> {
    let atom = |a: usize, b: usize| a * 3 + b;
    let a = |a: usize| (0..3).map(|b| atom(a, b)).collect::<Vec<usize>>();
    let b = |b: usize| (0..2).map(|a| atom(a, b)).collect::<Vec<usize>>();
    let single = |atoms: Vec<usize>| atoms.into_iter().map(|atom| vec![atom]);
    let all: Vec<usize> = (0..6).collect();
    vec![
        vec![a(0), a(1), all.clone()],
        vec![b(0), b(1), b(2), all.clone()],
        single(all.clone()).chain([a(0), a(1), b(0), b(1), b(2), all.clone()]).collect(),
        single(a(0)).chain([a(0)]).collect(),
        single(b(0)).chain([b(0)]).collect(),
        vec![all],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Up to three questions in any order: no small count of any of them, and none between two, has but one number that fits.
    #[test]
    fn no_small_count_of_rounded_tables_can_be_worked_out(
        counts in prop::collection::vec(prop_oneof![3 => 1..4_u64, 1 => Just(0), 3 => 8..10_u64, 1 => 4..14_u64], 6),
        asked in prop::sample::subsequence(tables(), 1..4).prop_shuffle(),
    ) {
        let register = ask(&counts, &asked);
        let groups = few(&counts, &register);
        for (members, cell) in &register {
            let small = (1..8).contains(&people(&counts, members));
            prop_assert!(!small || *cell == Cell::Withheld);
        }
        prop_assert!(all_open(&counts, &register, &groups), "{counts:?} {asked:?} {}", shown(&register));
    }
}
