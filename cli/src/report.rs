//! `cairn report`: the indicators, asked as one batch and made from released tables only.

use std::path::PathBuf;

use cairn_question::{Period, Schema};
use cairn_report::{Batch, Catalogue, Order, Outcome, Report, Screen, plan, render_terminal, write_tidy_csv};
use clap::Args;

use crate::ask::From;
use crate::context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::federation::{EXPIRES_IN_S, Federation, Put};
use crate::progress::Progress;
use crate::say;

#[derive(Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    from: From,
    /// A financial year such as 2024-25, or a quarter such as 2025-Q2
    #[arg(long)]
    period: Period,
    /// Indicators, separated by commas; all of the catalogue without it
    #[arg(long, value_delimiter = ',')]
    indicators: Vec<String>,
    /// The area: council, nation or lep; each indicator's usual one without it
    #[arg(long)]
    by: Option<String>,
    /// Write the tidy CSV to this file as well
    #[arg(long)]
    csv: Option<PathBuf>,
}

pub(crate) fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let catalogue = &catalogue()?;
    let order =
        Order { indicators: args.indicators.clone(), period: args.period, breakdown: args.by.clone() };
    let batch = plan(catalogue, &order, Schema::smf()).map_err(|e| Failure::new(e.code(), e.to_string()))?;
    let outcomes = context::runtime()?.block_on(put(args, &batch))?;
    let report = Report::compute(catalogue, &batch, &outcomes, Schema::smf())
        .map_err(|e| Failure::new(e.code(), e.to_string()))?;
    say::out(&render_terminal(&report, Screen { width: usize::from(context::width()) }));
    if let Some(path) = &args.csv {
        let cannot = || Failure::new("CC104", format!("{} cannot be written", path.display()));
        let file = std::fs::File::create(path).map_err(|_| cannot())?;
        write_tidy_csv(&report, file).map_err(|_| cannot())?;
        say::note(&format!("Wrote {}.", path.display()));
    }
    Ok(exit(&outcomes))
}

fn catalogue() -> Result<Catalogue, Failure> {
    let first = |faults: Vec<cairn_report::CatalogueFault>| {
        faults.first().map(ToString::to_string).unwrap_or_default()
    };
    Catalogue::smf()
        .map_err(|faults| Failure::bad_file("CC302", format!("the built-in catalogue: {}", first(faults))))
}

/// Asks every question of the batch, one after another, so that a small node is never asked to count many at once.
async fn put(args: &ReportArgs, batch: &Batch) -> Result<Vec<Outcome>, Failure> {
    let mut federation = Federation::connect(&args.from.folder, &args.from.coordinator).await?;
    let mut progress = Progress::begin("report");
    let mut outcomes = Vec::with_capacity(batch.asks.len());
    for (n, ask) in batch.asks.iter().enumerate() {
        progress.say(&format!("question {} of {}", n + 1, batch.asks.len()));
        let held = federation.identity().credential(&ask.question.role).is_some();
        outcomes.push(if held {
            let (question, partners) = (ask.question.clone(), federation.everyone());
            let put = Put { question, partners, expires_in_s: EXPIRES_IN_S, put_as: None };
            let shown = federation.ask(put, &mut progress).await?;
            Outcome { coverage: Some(shown.coverage), answers: shown.answers }
        } else {
            say::warning(
                "CC301",
                &format!(
                    "no credential for the role `{}`: its indicators stay unanswered",
                    ask.question.role
                ),
            );
            Outcome::default()
        });
    }
    progress.end();
    federation.close().await;
    Ok(outcomes)
}

/// 0 when every question was answered by somebody, 3 when none was, 4 otherwise.
fn exit(outcomes: &[Outcome]) -> Exit {
    match outcomes.iter().filter(|o| !o.answers.is_empty()).count() {
        n if n == outcomes.len() => Exit::Done,
        0 => Exit::Refused,
        _ => Exit::InPart,
    }
}
