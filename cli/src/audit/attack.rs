//! `cairn audit attack --quick`: attacks a federation that it starts itself, through the public protocol alone, and says of each attack
//! whether it was withstood. The gate that every change of this program passes.
//!
//! Two partners hold the same made-up people but for known ones (see [`people`]), so that what is seen can be held against what is
//! claimed. A statistical attack raises the alarm only where its finding is impossible under the claim but once in 10⁷ runs.

mod line;
mod noise;
mod people;
mod rules;
mod stage;
mod statistics;
mod timing;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{context, files, say};
use line::{Line, Outcome};
use people::Made;
use stage::{Attacked, Session};

#[derive(Args)]
pub(crate) struct Attack {
    /// The attacks that take less than a minute or two; there are no others yet in this program
    #[arg(long, required = true)]
    quick: bool,
    /// The folder to make for the attacked federation; it is left behind to explore
    #[arg(long, default_value = "cairn-attack")]
    folder: PathBuf,
    /// How many questions are timed at each of the two partners; 4,000 can tell an advantage of two in a hundred
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(8..=i64::from(timing::TIMED_MOST)))]
    timed: u16,
    /// The seed of the made-up people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object a line instead of text
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(attack: &Attack) -> Result<Exit, Failure> {
    let mut progress = Progress::begin("making up people");
    let made = Made::new(attack.seed);
    progress.say("starting a federation");
    let attacked = Attacked::start(&attack.folder, &made)?;
    let lines = context::runtime()?.block_on(attacks(&made, &attacked, attack.timed, &mut progress))?;
    progress.end();
    drop(attacked);
    let json = lines.iter().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{}", line.json());
        all
    });
    files::write_new(&attack.folder.join("attack.jsonl"), &json)?;
    say::out(&if attack.json { json } else { text(&lines) });
    let alarms = lines.iter().filter(|l| l.outcome == Outcome::Alarm).count();
    if alarms > 0 {
        say::error("CC601", &format!("{alarms} of {} attacks were not withstood", lines.len()));
        return Ok(Exit::NotVerified);
    }
    Ok(Exit::Done)
}

/// In an order that matters: what needs the account comes before the race, which empties it, and records are damaged after all that
/// reads them.
async fn attacks(
    made: &Made,
    attacked: &Attacked,
    timed: u16,
    progress: &mut Progress,
) -> Result<Vec<Line>, Failure> {
    let mut session = Session::open(attacked).await?;
    let mut lines = vec![rules::mode_mixing()];
    progress.say("canaries");
    lines.extend(noise::canaries(made, &mut session).await?);
    progress.say("floods");
    lines.extend(noise::floods(made, &mut session).await?);
    progress.say("repeats and rewritings");
    lines.extend(rules::repeats(&mut session).await?);
    progress.say("thresholds and trackers");
    lines.push(rules::thresholds(made, &mut session).await?);
    lines.push(rules::tracker(&mut session).await?);
    progress.say("times and sizes");
    lines.extend(timing::times_and_sizes(attacked, usize::from(timed)).await?);
    progress.say("a race for the account");
    lines.push(rules::race(attacked, &mut session).await?);
    progress.say("questions that fail");
    lines.push(rules::failing(attacked, &mut session).await?);
    session.close().await;
    Ok(lines)
}

fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    let withstood = lines.iter().filter(|l| l.outcome == Outcome::Withstood).count();
    let _ = writeln!(text, "{withstood} of {} attacks withstood.", lines.len());
    text
}
