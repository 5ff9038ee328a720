//! `cairn report`: the indicators, asked as one batch of secure totals and made from released tables only.

use std::path::PathBuf;

use cairn_policy::SecureTerms;
use cairn_question::{Day, PartnerId, Period, Schema};
use cairn_report::{
    Ask, Batch, Catalogue, Order, Outcome, ReleasePath, Report, Screen, plan, render_terminal, write_tidy_csv,
};
use clap::Args;

use crate::ask::From;
use crate::context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::federation::{EXPIRES_IN_S, Federation, Put};
use crate::progress::Progress;
use crate::say;
use crate::total::{PutAs, framework_terms};

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
    /// The partners to ask, separated by commas; everyone without it
    #[arg(long, value_delimiter = ',')]
    partners: Vec<PartnerId>,
    /// The day of the records that are counted, such as 2026-09-30: needed for totals, so that all of them are of the same partners
    #[arg(long, value_name = "DAY")]
    as_of: Option<Day>,
    /// Ask every partner for its own protected tables, instead of totals whose parts nobody sees
    #[arg(long)]
    own_tables: bool,
    /// The framework whose terms of secure totals the partners hold; the shipped one without it
    #[arg(long, value_name = "FILE", conflicts_with = "own_tables")]
    framework: Option<PathBuf>,
    /// Write the tidy CSV to this file as well
    #[arg(long)]
    csv: Option<PathBuf>,
}

pub(crate) fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let catalogue = &catalogue()?;
    let batch =
        plan(catalogue, &args.order(), Schema::smf()).map_err(|e| Failure::new(e.code(), e.to_string()))?;
    let puts = args.puts(&batch)?;
    let outcomes = context::runtime()?.block_on(put(args, &batch, puts))?;
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

impl ReportArgs {
    fn order(&self) -> Order {
        Order {
            indicators: self.indicators.clone(),
            period: self.period,
            breakdown: self.by.clone(),
            path: if self.own_tables { ReleasePath::OwnTables } else { ReleasePath::Total },
            as_of: self.as_of,
        }
    }

    /// What each question of the batch is put as; `None` for partners' own tables. Made before anybody is dialled.
    fn puts(&self, batch: &Batch) -> Result<Vec<Option<PutAs>>, Failure> {
        if batch.asks.iter().all(|ask| ask.path == ReleasePath::OwnTables) {
            return Ok(vec![None; batch.asks.len()]);
        }
        if self.as_of.is_none() {
            let says = "totals without noise are of a named day, so that all of a day's totals are of the same partners: add --as-of and the day of the records, such as --as-of 2026-09-30, or ask with --own-tables";
            return Err(Failure::new("CC219", says));
        }
        let terms = framework_terms(self.framework.as_deref())?;
        batch.asks.iter().map(|ask| put_as(ask, terms)).collect()
    }
}

fn put_as(ask: &Ask, terms: SecureTerms) -> Result<Option<PutAs>, Failure> {
    match ask.path {
        ReleasePath::OwnTables => Ok(None),
        ReleasePath::Total => PutAs::usual(&ask.question, terms).map(Some),
    }
}

/// Asks every question of the batch, one after another, so that a small node is never asked to count many at once.
async fn put(args: &ReportArgs, batch: &Batch, puts: Vec<Option<PutAs>>) -> Result<Vec<Outcome>, Failure> {
    let mut federation = Federation::connect(&args.from.folder, &args.from.coordinator).await?;
    let mut progress = Progress::begin("report");
    let mut outcomes = Vec::with_capacity(batch.asks.len());
    for (n, (ask, put_as)) in batch.asks.iter().zip(puts).enumerate() {
        progress.say(&format!("question {} of {}", n + 1, batch.asks.len()));
        let held = federation.identity().credential(&ask.question.role).is_some();
        outcomes.push(if held {
            let (question, partners) = (ask.question.clone(), federation.those(&args.partners));
            let put = Put { question, partners, expires_in_s: EXPIRES_IN_S, put_as };
            let shown = federation.ask(put, &mut progress).await?;
            match ask.path {
                ReleasePath::OwnTables => Outcome::own_tables(shown.coverage, shown.answers),
                ReleasePath::Total => Outcome::total(shown.coverage, &shown.sealed),
            }
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

/// 0 when every question has a table, 3 when none has, 4 otherwise.
fn exit(outcomes: &[Outcome]) -> Exit {
    match outcomes.iter().filter(|o| !o.released.is_empty()).count() {
        n if n == outcomes.len() => Exit::Done,
        0 => Exit::Refused,
        _ => Exit::InPart,
    }
}

#[cfg(test)]
mod tests;
