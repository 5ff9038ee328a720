//! The engine and DuckDB by turns.

use std::num::NonZeroUsize;
use std::time::Duration;

use cairn_engine::{Engine, Limits};
use cairn_records::Snapshot;

use crate::duck::Duck;
use crate::made_up;
use crate::questions::{Asked, Counts};
use crate::{Failed, now, say};

/// What to measure.
pub(crate) struct Sizes {
    rows: Vec<u32>,
    threads: NonZeroUsize,
    rounds: usize,
}

impl Sizes {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failed> {
        let mut sizes = Self { rows: Vec::new(), threads: NonZeroUsize::MIN.saturating_add(1), rounds: 7 };
        let mut rest = arguments.iter();
        while let Some(key) = rest.next() {
            let value = rest.next().ok_or_else(|| Failed::new(format!("`{key}` needs a number")))?;
            match key.as_str() {
                "--rows" => sizes.rows.push(value.parse()?),
                "--threads" => sizes.threads = value.parse()?,
                "--rounds" => sizes.rounds = value.parse::<usize>()?.max(1),
                _ => return Err(Failed::new(format!("unknown argument `{key}`"))),
            }
        }
        if sizes.rows.is_empty() {
            sizes.rows = vec![1_000_000, 10_000_000];
        }
        Ok(sizes)
    }

    pub(crate) const fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    pub(crate) const fn rounds(&self) -> usize {
        self.rounds
    }

    /// Says how it is measured.
    pub(crate) fn head(&self, what: &str) {
        let Self { threads, rounds, .. } = self;
        say(format!(
            "{threads} threads each, median of {rounds} rounds by turns, files in the page cache; {what}"
        ));
    }
}

pub(crate) fn engine(sizes: &Sizes) -> Result<(), Failed> {
    sizes.head("the same question of both");
    say("| engagement rows | question | engine | DuckDB | engine / DuckDB |");
    say("|---|---|---|---|---|");
    each(sizes, turns)
}

/// One line of a table for each size and question.
pub(crate) fn each(
    sizes: &Sizes,
    turns: fn(&Snapshot, &Asked, &Sizes) -> Result<String, Failed>,
) -> Result<(), Failed> {
    for rows in &sizes.rows {
        let dir = tempfile::tempdir()?;
        let snapshot = made_up::snapshot(dir.path(), *rows)?;
        for asked in Asked::all() {
            let line = turns(&snapshot, &asked, sizes)?;
            say(format!("| {rows} | {} | {line} |", asked.name));
        }
    }
    Ok(())
}

/// One question, by turns; the counts must agree every time.
fn turns(snapshot: &Snapshot, asked: &Asked, sizes: &Sizes) -> Result<String, Failed> {
    let engine = Engine::new(Limits { threads: sizes.threads, ..Limits::default() })?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut duck = Duck::start(snapshot, sizes.threads)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // The first round warms both up and is not counted.
    for _ in 0..=sizes.rounds {
        let start = now();
        let table = runtime.block_on(engine.count(snapshot, &asked.plan))?;
        ours.push(start.elapsed());
        let counts = Counts::of(asked, &table);
        let (took, other) = duck.ask(asked.name)?;
        theirs.push(took);
        if counts != other {
            return Err(Failed::new(format!("the counts of `{}` differ", asked.name)));
        }
    }
    let (ours, theirs) = (median_us(ours), median_us(theirs));
    Ok(format!("{} | {} | {}", tenths(ours), tenths(theirs), ratio(ours, theirs)))
}

/// `9.1 ms`.
pub(crate) fn tenths(us: u128) -> String {
    format!("{}.{} ms", us / 1000, us / 100 % 10)
}

/// `0.04`.
pub(crate) fn ratio(over: u128, under: u128) -> String {
    let hundredths = over * 100 / under.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

pub(crate) fn median_us(mut times: Vec<Duration>) -> u128 {
    times.remove(0);
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0, Duration::as_micros)
}
