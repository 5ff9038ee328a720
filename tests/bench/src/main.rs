//! Measures Cairn side by side with named peers, in one run, as ratios. Never a timed test: figures are for reading.

#[cfg(feature = "engine")]
mod compare;
#[cfg(feature = "engine")]
mod duck;
#[cfg(feature = "federation")]
mod federation;
#[cfg(feature = "engine")]
mod made_up;
mod policy;
#[cfg(feature = "federation")]
mod price;
#[cfg(feature = "engine")]
mod private;
#[cfg(feature = "engine")]
mod questions;
#[cfg(feature = "federation")]
mod totals;

use std::fmt;
use std::process::ExitCode;
use std::time::Instant;

#[cfg(feature = "engine")]
use crate::compare::Sizes;

const USAGE: &str = "cairn-bench engine|dp [--rows N]… [--threads N] [--rounds N] | totals|price [--program FILE] | policy

  Counts people in N made-up engagement rows (1000000 and 10000000 unless said otherwise) with the engine and with
  DuckDB, by turns, on the same Parquet files. Needs `python3` with the package `duckdb`.

  dp: the engine with person-level bounds and noise beside the same count without, and beside DuckDB, by turns.

  totals: small cells of 32 partners, as tables of each and as secure totals, over real nodes of the program `cairn` on
  this machine; what each is off by, and how long it takes. The program is the one beside this one, or FILE.

  price: what a report of over 5,000 cells would cost, asked of 32 nodes at once.

  policy: tries every kind of question of the council's policy, and of one with about 10⁹ kinds, twice.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, [])) if first == "policy" => policy::policy(),
        #[cfg(feature = "federation")]
        Some((first, rest)) if first == "totals" => totals::totals(rest),
        #[cfg(feature = "federation")]
        Some((first, rest)) if first == "price" => price::price(rest),
        #[cfg(feature = "engine")]
        Some((first, rest)) if first == "engine" => Sizes::parse(rest).and_then(|s| compare::engine(&s)),
        #[cfg(feature = "engine")]
        Some((first, rest)) if first == "dp" => Sizes::parse(rest).and_then(|s| private::private(&s)),
        _ => Err(Failed::new(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            say_failed(&failed);
            ExitCode::FAILURE
        }
    }
}

/// Why a measurement was not made.
#[derive(Debug)]
struct Failed(String);

impl Failed {
    fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[expect(clippy::print_stdout, reason = "a measurement's one output is what it prints")]
fn say(line: impl fmt::Display) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "a program's failure goes to standard error")]
fn say_failed(failed: &Failed) {
    eprintln!("cairn-bench: {failed}");
}

#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
fn now() -> Instant {
    Instant::now()
}
