//! What a report would cost at every node of a federation, before anybody asks: from the command to its prices, at 32 nodes at once.

use std::fmt::Write as _;
use std::time::Duration;

use crate::federation::Federation;
use crate::totals::{PARTNERS, grid, mapping, people, program};
use crate::{Failed, federation, now, say};

/// Times that every node is asked, after once to warm the files.
const ROUNDS: usize = 7;

/// A report as noisy tables under the shipped example policy, which its account pays for.
const REPORT: [&str; 7] = [
    "people in engagements by disabled, council, quarter from 2019-Q2 to 2022-Q1",
    "people in engagements by disabled, council, quarter from 2022-Q2 to 2025-Q1",
    "people in engagements by disabled, council, quarter from 2025-Q2 to 2026-Q1",
    "people in engagements by disabled, council, quarter from 2020-Q1 to 2022-Q4",
    "people in engagements by disabled, council, quarter from 2023-Q1 to 2025-Q4",
    "people by disabled, council",
    "people by age band, council",
];

pub(crate) fn price(arguments: &[String]) -> Result<(), Failed> {
    let holds = federation::Holds { policy: Ok, framework: Ok, mapping, people: people()? };
    let federation =
        Federation::start(program(arguments)?, usize::from(PARTNERS), &["equalities-analyst"], &holds)?;
    let report = REPORT.iter().try_fold((String::new(), 0), |(mut text, cells), question| {
        writeln!(text, "{question}")?;
        Ok::<_, Failed>((text, cells + grid(question)?.cells()))
    })?;
    federation.write("report.txt", &report.0)?;
    let mut took = (0..=ROUNDS).map(|_| round(&federation)).collect::<Result<Vec<_>, _>>()?;
    took.remove(0);
    took.sort_unstable();
    let at = |place: usize| took.get(place).map_or(0, Duration::as_millis);
    say(format!("`cairn policy price` of {} questions with {} cells", REPORT.len(), report.1));
    say("| at 32 nodes at once | least | median | most |");
    say("|---|---|---|---|");
    say(format!(
        "| from the first command to the last price | {} ms | {} ms | {} ms |",
        at(0),
        at(ROUNDS / 2),
        at(ROUNDS - 1)
    ));
    Ok(())
}

/// Every node's prices, all asked at once; each would answer.
fn round(federation: &Federation) -> Result<Duration, Failed> {
    let start = now();
    let who = ["--role", "equalities-analyst", "--purpose", "equalities", "--analyst", "analyst"];
    let asked: Vec<_> = federation
        .partners()
        .map(|partner| {
            let of = ["policy", "price", "--node", partner, "--questions", "report.txt"];
            federation.begin(&[&of[..], &who[..]].concat())
        })
        .collect::<Result<_, _>>()?;
    for child in asked {
        let done = child.wait_with_output()?;
        if !done.status.success() {
            return Err(Failed::new(format!("not priced: {}", String::from_utf8_lossy(&done.stdout))));
        }
    }
    Ok(start.elapsed())
}
