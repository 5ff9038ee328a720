//! How accurate counting people once is, and how long it takes: `cargo run --release -p cairn-seal --example people_counted_once -- [RUNS]`. The figures of
//! `docs/reference/people-counted-once.md`. Noise is drawn from numbered seeds, so the figures are the same in every run.

use std::env;
use std::time::{Duration, Instant};

use cairn_question::Hash;
use cairn_question::privacy::Epsilon;
use cairn_seal::Plain;
use cairn_seal::occupancy::{Buckets, CountTerms, FreshNoise, NotCounted, Occupied, Opened, ReaderLoss};

const PARTNERS: u16 = 32;
const MAY_COLLUDE: u16 = 10;

#[expect(clippy::print_stdout, reason = "an example prints its figures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runs: u32 = env::args().nth(1).map_or(Ok(100), |text| text.parse())?;
    println!(
        "{PARTNERS} partners, {MAY_COLLUDE} may collude, {runs} runs; every third person at two partners, every ninth at five"
    );
    println!(
        "  people  buckets  ε   relative RMSE  covered at 95 %  KiB a node  ms a node  reader's ε at δ = 1e-6"
    );
    for people in [1_000, 10_000, 100_000] {
        for millionths in [1_000_000, 2_000_000, 3_000_000] {
            let buckets = Buckets::for_expected(people)?;
            let terms =
                CountTerms::new(Epsilon::from_millionths(millionths)?, PARTNERS, MAY_COLLUDE, buckets)?;
            let tried = tried(&terms, people, runs)?;
            println!(
                "{people:>8} {:>8} {:>2} {:>13.2} % {:>15.0} % {:>11} {:>10.1} {:>10.4} {:>10}",
                buckets.count(),
                terms.epsilon(),
                100.0 * tried.error,
                100.0 * tried.covered,
                terms.layout()?.bytes() >> 10,
                tried.took.as_secs_f64() * 1e3,
                ReaderLoss::at(&terms, 1e-6).epsilon(),
                tried.refused,
            );
        }
    }
    Ok(())
}

struct Tried {
    /// Relative root mean square error.
    error: f64,
    /// The share of intervals that hold the truth.
    covered: f64,
    /// Of one node's vector.
    took: Duration,
    /// Rounds that were refused for their controls: about once in 10,000 honest ones.
    refused: u32,
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn tried(terms: &CountTerms, people: u32, runs: u32) -> Result<Tried, Box<dyn std::error::Error>> {
    let (mut squares, mut covered, mut refused) = (0.0, 0.0, 0);
    let mut took = Duration::ZERO;
    for run in 0..runs {
        let mut sum = vec![0_u8; usize::try_from(terms.buckets().count())?];
        for (partner, occupied) in (0_u32..).zip(federation(terms, people, run)) {
            let seed = Hash::of(format!("noise of {partner} in {run}").as_bytes());
            let start = Instant::now();
            let vector = occupied.vector(terms, FreshNoise::from_bytes(*seed.as_bytes()))?;
            took += start.elapsed();
            let symbols = vector.symbols().ok_or("not symbols")?;
            sum.iter_mut().zip(symbols).for_each(|(sum, symbol)| *sum ^= symbol);
        }
        let opened = Opened::read(terms, &Plain::from_symbols(terms.layout()?, &sum)?)?;
        match opened.count(terms) {
            Ok(count) => {
                squares += (count.people() / f64::from(people) - 1.0).powi(2);
                covered += f64::from(u8::from(count.covers(f64::from(people))));
            }
            Err(NotCounted::Controls) => refused += 1,
            Err(other) => return Err(other.into()),
        }
    }
    let counted = f64::from(runs - refused);
    let (error, covered) = ((squares / counted).sqrt(), covered / counted);
    Ok(Tried { error, covered, took: took / (runs * u32::from(PARTNERS)), refused })
}

fn federation(terms: &CountTerms, people: u32, run: u32) -> Vec<Occupied> {
    let n = u32::from(PARTNERS);
    let mut partners: Vec<_> = (0..n).map(|_| Occupied::nobody(terms.buckets())).collect();
    for number in 0..people {
        let hash = *Hash::of(format!("person {number} in question {run}").as_bytes()).as_bytes();
        let known_to = if number % 9 == 0 { 5 } else { 1 + u32::from(number % 3 == 0) };
        for k in 0..known_to {
            let partner = usize::try_from((number + k * 7) % n).unwrap_or_default();
            if let Some(partner) = partners.get_mut(partner) {
                partner.add(&hash);
            }
        }
    }
    partners
}
