//! The full run of the suppression audit: random tables with all totals at t = 5, and its figures.
//!
//! `cargo run --release -p cairn-disclosure --example audit_figures -- [tables per shape] [place of the only shape]`
//!
//! A third of the tables each are small counts, mostly zeros, and larger counts. Fails where any release leaves a primary cell without
//! two tables, as checked here from the witness file and what was published.

#![expect(clippy::print_stdout, reason = "this is a program")]

use std::process::ExitCode;
use std::time::Instant;

use cairn_disclosure::audit::{
    Audited, Nobody, Outcome, Promise, Showing, Table, Terms, Unfit, WIDTH, WitnessFile,
};
use cairn_question::Cell;

const SHAPES: [&[usize]; 4] = [&[6, 4], &[8, 3], &[4, 3, 3], &[12, 6, 4]];

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
    for (at, shape) in SHAPES.into_iter().enumerate() {
        if number(2).is_none_or(|only| only == at) {
            exposed += run(shape, tables)?;
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

fn run(shape: &[usize], tables: usize) -> Result<usize, Unfit> {
    let terms = Terms { threshold: 5, nobody: Nobody::AlwaysShown, showing: Showing::Exact };
    let table = Table::new(shape, None, terms)?;
    let mut figures = Figures::default();
    for seed in 0..tables {
        let counts = counts(seed, shape.iter().product());
        let start = now();
        let audit = table.audit(&counts, &|_| Vec::new(), &[])?;
        figures.times_us.push(start.elapsed().as_micros());
        match &audit.outcome {
            Outcome::Whole(_) => figures.whole += 1,
            Outcome::Audited(audited) => figures.add(audited),
        }
    }
    figures.print(shape);
    Ok(figures.exposed)
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

    fn print(&mut self, shape: &[usize]) {
        self.times_us.sort_unstable();
        let at = |per_mille: usize| {
            self.times_us.get(self.times_us.len().saturating_sub(1) * per_mille / 1000).copied().unwrap_or(0)
        };
        println!("{shape:?}: {} tables, of which {} without a primary cell", self.times_us.len(), self.none);
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
            Cell::Value(shown) => count(table, cell) == *shown,
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
        published.get(cell) != Some(&Cell::Withheld)
            || spread(cell, None) < WIDTH
            || file.singles.iter().any(|&one| one != cell && spread(cell, Some(one)) < 1)
    })
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
