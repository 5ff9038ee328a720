//! The full run of the suppression audit: random tables with all totals, exact at t = 5 and rounded at t = 8 and base 5, and its figures.
//!
//! `cargo run --release -p cairn-disclosure --example audit_figures -- [tables per shape] [place of the only shape, rounded ones last]`
//!
//! A third of the tables each are small counts, mostly zeros, and larger counts. Fails where any release leaves a primary cell without
//! two tables, as checked here from the witness file and what was published.

#![expect(clippy::print_stdout, reason = "this is a program")]

use std::process::ExitCode;
use std::time::Instant;

use cairn_disclosure::audit::{
    Asked, Audited, Joined, Nobody, Outcome, Promise, Showing, Table, Terms, Unfit, WIDTH, WitnessFile,
};
use cairn_question::Cell;

const SHAPES: [&[usize]; 4] = [&[6, 4], &[8, 3], &[4, 3, 3], &[12, 6, 4]];

const EXACT: Terms = Terms { threshold: 5, nobody: Nobody::AlwaysShown, showing: Showing::Exact };
const ROUNDED: Terms =
    Terms { threshold: 8, nobody: Nobody::AlwaysShown, showing: Showing::Rounded { base: 5 } };

/// Counts to draw from.
const SPREADS: [[u64; 11]; 3] = [
    [0, 0, 1, 1, 2, 3, 4, 6, 9, 14, 30],
    [0, 0, 0, 0, 0, 1, 1, 2, 3, 6, 20],
    [0, 1, 3, 5, 8, 12, 20, 33, 50, 80, 120],
];

fn main() -> Result<ExitCode, Unfit> {
    let number = |at: usize| std::env::args().nth(at).and_then(|n| n.parse::<usize>().ok());
    let tables = number(1).unwrap_or(1_000);
    let mut exposed = 0;
    let runs = [EXACT, ROUNDED].into_iter().flat_map(|terms| SHAPES.map(|shape| (shape, terms)));
    for (at, (shape, terms)) in runs.enumerate() {
        if number(2).is_none_or(|only| only == at) {
            exposed += run(shape, terms, tables)?;
        }
    }
    Ok(if exposed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Default)]
struct Figures {
    primary: usize,
    eliminated: usize,
    withheld: usize,
    mended: usize,
    covered: usize,
    whole: usize,
    none: usize,
    algorithm: usize,
    exposed: usize,
    check_us_most: u128,
    times_us: Vec<u128>,
    tables_most: usize,
}

fn run(shape: &[usize], terms: Terms, tables: usize) -> Result<usize, Unfit> {
    let table = Table::new(shape, None, terms)?;
    let joined = joined(&table, shape, terms)?;
    let mut figures = Figures::default();
    for seed in 0..tables {
        let counts = counts(seed, shape.iter().product());
        let start = now();
        let outcome = match terms.showing {
            Showing::Exact => table.audit(&counts, &|_| Vec::new(), &[])?.outcome,
            // With the few between two cells watched, as at a node.
            Showing::Rounded { .. } => joined.audit(&counts, &[])?,
        };
        figures.times_us.push(start.elapsed().as_micros());
        match &outcome {
            Outcome::Whole(_) => figures.whole += 1,
            Outcome::Audited(audited) => figures.add(audited),
        }
    }
    figures.print(shape, terms);
    Ok(figures.exposed)
}

/// The same table as a node audits it. Every atom is a cell, so that it is a part of its own.
fn joined(table: &Table, shape: &[usize], terms: Terms) -> Result<Joined, Unfit> {
    let (layout, places) = table.layout(&[], &[])?;
    let asked = |(cell, place): (usize, &cairn_disclosure::audit::grid::Place)| Asked {
        members: layout.members(cell).to_vec(),
        totals: u32::try_from(place.totals()).unwrap_or(0),
    };
    let own: Vec<Asked> = places.iter().enumerate().map(asked).collect();
    Joined::new(shape.iter().product(), &own, &[], terms)
}

impl Figures {
    fn add(&mut self, audited: &Audited) {
        let f = audited.figures();
        self.primary += f.primary;
        self.eliminated += f.eliminated;
        self.withheld += f.withheld;
        self.mended += usize::from(f.rounds > 0);
        self.covered += f.covered;
        self.none += usize::from(f.primary == 0);
        self.algorithm += usize::from(f.primary > 0 && audited.promise() == Promise::KnowsAlgorithm);
        let file = audited.file([7; 32]);
        let commitment = file.commitment();
        let start = now();
        let checked = file.recheck(audited.cells(), &commitment);
        self.check_us_most = self.check_us_most.max(start.elapsed().as_micros());
        self.exposed += usize::from(checked.is_err() || leaks(&file, audited.cells()));
        self.tables_most = self.tables_most.max(audited.tables().len());
    }

    fn print(&mut self, shape: &[usize], terms: Terms) {
        self.times_us.sort_unstable();
        let at = |per_mille: usize| {
            self.times_us.get(self.times_us.len().saturating_sub(1) * per_mille / 1000).copied().unwrap_or(0)
        };
        println!(
            "{shape:?}, {:?}: {} tables, of which {} without a primary cell",
            terms.showing,
            self.times_us.len(),
            self.none
        );
        println!("  exposed {}, wholly withheld {}", self.exposed, self.whole);
        println!(
            "  cells: primary {} (anything from 1 to t-1, or as far as totals leave room: {}), withheld by elimination alone {}, \
             in the end {}; mended tables {}",
            self.primary, self.covered, self.eliminated, self.withheld, self.mended
        );
        println!("  promise knows-algorithm: {} tables with a primary cell", self.algorithm);
        println!("  µs: median {}, 99 in 100 {}, most {}", at(500), at(990), at(1000));
        println!(
            "  slowest check of witnesses µs {}, most tables in a file {}",
            self.check_us_most, self.tables_most
        );
    }
}

/// Whether a primary cell is shown, or some reader is left without two tables that agree with what was published.
fn leaks(file: &WitnessFile, published: &[Cell]) -> bool {
    let count = |table: &[i64], cell: usize| -> i64 {
        file.cells.get(cell).into_iter().flatten().filter_map(|&part| table.get(part)).sum()
    };
    let agrees = |table: &Vec<i64>| {
        published.iter().enumerate().all(|(cell, shown)| match shown {
            Cell::Value(shown) => stands_for(file.terms, *shown).contains(&count(table, cell)),
            _ => count(table, cell) >= 1,
        })
    };
    let tables: Vec<&Vec<i64>> = file.tables.iter().filter(|table| agrees(table)).collect();
    let spread = |cell: usize, one: Option<usize>| {
        let fitting = tables.iter().filter(|table| one.is_none_or(|one| count(table, one) == 1));
        let counts: Vec<i64> = fitting.map(|table| count(table, cell)).collect();
        counts.iter().max().zip(counts.iter().min()).map_or(0, |(most, fewest)| most - fewest)
    };
    file.primaries.iter().any(|&cell| {
        // The few between two cells are of no table.
        published.get(cell).is_some_and(|shown| *shown != Cell::Withheld)
            || spread(cell, None) < WIDTH
            || file.singles.iter().any(|&one| one != cell && spread(cell, Some(one)) < 1)
    })
}

/// The counts that are shown as this.
fn stands_for(terms: Terms, shown: i64) -> std::ops::RangeInclusive<i64> {
    match terms.showing {
        Showing::Rounded { base } if shown != 0 => {
            let (base, least) = (i64::from(base), i64::try_from(terms.threshold).unwrap_or(i64::MAX));
            (shown - base / 2).max(least)..=shown + (base + 1) / 2 - 1
        }
        Showing::Exact | Showing::Rounded { .. } => shown..=shown,
    }
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn now() -> Instant {
    Instant::now()
}

/// Splitmix64: the same tables on every machine.
fn counts(seed: usize, cells: usize) -> Vec<u64> {
    let mut state = u64::try_from(seed).unwrap_or(0).wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let spread = SPREADS.get(seed % SPREADS.len()).copied().unwrap_or_default();
    let mut draw = || spread.get(usize::try_from(next() % 11).unwrap_or(0)).copied().unwrap_or(0);
    (0..cells).map(|_| draw()).collect()
}
