//! `cairn ask`: one question to a federation.

use std::path::PathBuf;

use cairn_link::Address;
use cairn_question::combine::Standing;
use cairn_question::{Name, PartnerId, Question, Schema};
use cairn_report::QuantileAsk;
use clap::{Args, ValueEnum};

use crate::context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::federation::{EXPIRES_IN_S, Federation, Put};
use crate::links::{LinksArgs, LinksAsk};
use crate::progress::Progress;
use crate::say;
use crate::show::{self, Shown};
use crate::total::{PutAs, Total};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ask {
    /// The question, in words
    #[arg(required = true)]
    question: Vec<String>,
    #[command(flatten)]
    from: From,
    /// The role to ask in; not needed where there is one credential
    #[arg(long)]
    role: Option<Name>,
    /// The purpose; policies name the purposes they answer
    #[arg(long, default_value = "smf-reporting")]
    purpose: Name,
    /// The partners to ask, separated by commas; everyone without it
    #[arg(long, value_delimiter = ',')]
    partners: Vec<PartnerId>,
    /// The median (50) or another quantile of a column in bands, in per cent: age_band=50
    #[arg(long = "quantile", value_name = "COLUMN=PERCENT")]
    quantiles: Vec<String>,
    #[command(flatten)]
    total: Total,
    #[command(flatten)]
    links: LinksArgs,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Minutes after which nobody answers any more
    #[arg(long, default_value_t = EXPIRES_IN_S / 60, value_parser = clap::value_parser!(u64).range(1..=1_440))]
    expires_in_min: u64,
}

const EXAMPLES: &str = "\
Questions:
  cairn ask people by council as of 2026-09-30
  cairn ask people by council, age band where quarter = 2025-Q2 as of 2026-09-30
  cairn ask people by sex, age@broad where year = 2024-25 and council = Fife as of 2026-09-30
  cairn ask starts by quarter from 2024-Q2 to 2025-Q1 as of 2026-09-30
  cairn ask --total dp=0.1 --purpose equalities people by disabled
  cairn ask --own-tables people by council where outcome = into_work
  cairn ask --own-tables people by sex, age band --quantile age_band=50
A question is put as one secure total of which nobody sees a part, fewer people than the framework says withheld and the rest rounded;
--total protects it otherwise, --own-tables asks every partner for its own table. Without noise a total is as of the day of the records.
Words: council, age, sex, gender, disabled, simd, parent, lep, quarter, year, outcome …; `cairn schema show` has them all.
A cell is a number, [c] (withheld) or [x] (not answered). `+2c` says that two partners' figures are withheld and not in the sum.";

/// Who asks, and whom.
#[derive(Args)]
pub(crate) struct From {
    /// The analyst's folder
    #[arg(long = "as", env = "CAIRN_AS", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// The coordinator's address
    #[arg(long, env = "CAIRN_COORDINATOR", value_name = "HOST:PORT")]
    pub(crate) coordinator: Address,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Format {
    /// For reading
    Table,
    /// Tidy: one row a cell, with its marker and its range
    Csv,
    /// Everything, for programs
    Json,
}

pub(crate) fn run(ask: &Ask) -> Result<Exit, Failure> {
    let shown = context::runtime()?.block_on(put(ask))?;
    let text = match ask.format {
        Format::Table => show::terminal(&shown, context::width()),
        Format::Csv => show::csv(&shown),
        Format::Json => show::json(&shown),
    };
    say::out(&text);
    Ok(exit(&shown))
}

async fn put(ask: &Ask) -> Result<Shown, Failure> {
    // The question is read before anybody is dialled.
    let probe = Name::new("any").map_err(|e| Failure::new("CC204", e.to_string()))?;
    let text = ask.question.join(" ");
    let mut question = cairn_question::form::parse(&text, &probe, &ask.purpose, Schema::smf())
        .map_err(|e| Failure::new("CC204", e.to_string()))?;
    let quantiles = quantiles(ask, &question)?;
    let put_as = ask.total.put_as(&question)?;
    let links = links(ask, put_as.as_ref())?;
    let mut federation = Federation::connect(&ask.from.folder, &ask.from.coordinator).await?;
    question.role = federation.role(ask.role.as_ref())?;
    let partners = federation.those(&ask.partners);
    let mut progress = Progress::begin("asking");
    let put = Put { question, partners, expires_in_s: ask.expires_in_min * 60, put_as };
    let shown = asked(&mut federation, put, links, &mut progress).await;
    progress.end();
    let shown = Shown { quantiles, ..shown? };
    federation.close().await;
    Ok(shown)
}

/// The answer to a question, with what is said of its links.
async fn asked(
    federation: &mut Federation,
    put: Put,
    links: Option<LinksAsk>,
    progress: &mut Progress,
) -> Result<Shown, Failure> {
    let keys = links.map(|links| links.put(&put).map(|keys| (links, keys))).transpose()?;
    let mut shown = federation.ask(put, progress).await?;
    if let Some((links, keys)) = keys.filter(|_| shown.combined.is_some()) {
        match federation.ask(keys, progress).await.and_then(|keys| links.of(&shown, keys)) {
            Ok(links) => shown.links = Some(links),
            // The count was answered and charged: it is shown without.
            Err(failure) => say::warning(&failure.code, &failure.says),
        }
    }
    Ok(shown)
}

/// Read before anybody is dialled, like the question.
fn links(ask: &Ask, count: Option<&PutAs>) -> Result<Option<LinksAsk>, Failure> {
    let links = ask.links.ask(count)?;
    if ask.format == Format::Csv && links.is_some() {
        let says = "what is said of links is no cell, so it is not in the CSV; use --format table or json";
        return Err(Failure::new("CC212", says.to_owned()));
    }
    Ok(links)
}

/// Read before anybody is dialled, like the question.
fn quantiles(ask: &Ask, question: &Question) -> Result<Vec<QuantileAsk>, Failure> {
    if ask.format == Format::Csv && !ask.quantiles.is_empty() {
        let says = "a quantile is no cell, so it is not in the CSV; use --format table or json";
        return Err(Failure::new("CC212", says.to_owned()));
    }
    let read = |text: &String| QuantileAsk::new(text, question, Schema::smf());
    ask.quantiles
        .iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(|e| Failure::new(e.code(), e.to_string()))
}

/// 0 when everyone answered, 4 when some did, 3 when nobody did and somebody refused, 1 otherwise.
pub(crate) fn exit(shown: &Shown) -> Exit {
    let count =
        |is: fn(&Standing) -> bool| shown.coverage.partners.iter().filter(|l| is(&l.standing)).count();
    let answered = count(|s| *s == Standing::Answered);
    match answered {
        n if n == shown.coverage.partners.len() => Exit::Done,
        0 if count(|s| matches!(s, Standing::Refused(_))) > 0 => Exit::Refused,
        0 => Exit::Failed,
        _ => Exit::InPart,
    }
}
