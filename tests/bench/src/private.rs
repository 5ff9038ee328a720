//! What person-level bounding and noise cost, beside the engine's own count of the same question without either, and beside DuckDB's.

use std::num::NonZeroU32;

use cairn_engine::{Engine, Limits};
use cairn_question::privacy::Epsilon;
use cairn_records::Snapshot;
use cairn_release::{CountPlan, DiscreteLaplace, Noise, Scale};

use crate::compare::{Sizes, each, median_us, ratio, tenths};
use crate::duck::Duck;
use crate::questions::{Asked, Counts};
use crate::{Failed, now, say};

/// Cells that one person may be counted in: few enough that some people are in more, as in the shipped policies.
const GROUPS: u32 = 2;

/// Prints a line for each size and question; the third ratio is the one with a target, 1.5 at the most.
pub(crate) fn private(sizes: &Sizes) -> Result<(), Failed> {
    sizes.head("at most 2 cells a person, ε = 0.2; the noise of every cell is in the time");
    say(
        "| engagement rows | question | with noise | without | with / without | DuckDB | with noise / DuckDB |",
    );
    say("|---|---|---|---|---|---|---|");
    each(sizes, turns)
}

fn bounded(asked: &Asked) -> CountPlan {
    let mut plan = asked.plan.clone();
    plan.bounds.groups_per_person = Some(GROUPS);
    plan
}

/// One question, by turns. The engine's count without bounds must be DuckDB's, and no bounded cell may be above it.
fn turns(snapshot: &Snapshot, asked: &Asked, sizes: &Sizes) -> Result<String, Failed> {
    let engine = Engine::new(Limits { threads: sizes.threads(), ..Limits::default() })?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut duck = Duck::start(snapshot, sizes.threads())?;
    let groups = NonZeroU32::new(GROUPS).ok_or_else(|| Failed::new("no groups"))?;
    let scale = Scale::new(groups, Epsilon::from_millionths(200_000)?);
    let plan = bounded(asked);
    let (mut with, mut without, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms all up and is not counted.
    for _ in 0..=sizes.rounds() {
        let start = now();
        let bounded = runtime.block_on(engine.count(snapshot, &plan))?;
        let draws = DiscreteLaplace.draw(scale, bounded.counts().len())?;
        with.push(start.elapsed());
        let start = now();
        let table = runtime.block_on(engine.count(snapshot, &asked.plan))?;
        without.push(start.elapsed());
        let (took, other) = duck.ask(asked.name)?;
        theirs.push(took);
        let within = bounded.counts().iter().zip(table.counts()).all(|(bounded, all)| bounded <= all);
        if Counts::of(asked, &table) != other || !within || draws.len() != table.counts().len() {
            return Err(Failed::new(format!("the counts of `{}` differ", asked.name)));
        }
    }
    let (with, without, theirs) = (median_us(with), median_us(without), median_us(theirs));
    let (own, duck) = (ratio(with, without), ratio(with, theirs));
    Ok(format!("{} | {} | {own} | {} | {duck}", tenths(with), tenths(without), tenths(theirs)))
}
