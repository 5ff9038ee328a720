//! `cairn audit attack --quick`: attacks a federation that it starts itself, through the public protocol alone, and says of each attack
//! whether it was withstood. The gate that every change of this program passes.
//!
//! Two partners hold the same made-up people but for known ones (see [`people`]), so that what is seen can be held against what is
//! claimed. A statistical attack raises the alarm only where its finding comes up under the claim once in 10⁷ runs at most.

mod line;
mod noise;
mod people;
mod reconstruction;
mod round;
mod rules;
mod secrets;
mod stage;
mod statistics;
mod timing;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{context, files, say};
use line::{Line, Outcome};
use people::Made;
use round::{Against, Round};
use secrets::Secrets;
use stage::{Attacked, Scene, Session};

#[derive(Args)]
pub(crate) struct Attack {
    /// The attacks that take less than a minute or two; there are no others yet in this program
    #[arg(long, required = true)]
    quick: bool,
    /// Try this attack only; may be given several times
    #[arg(long, value_name = "ATTACK", value_parser = PossibleValuesParser::new(Round::ALL.iter().flat_map(|r| r.attacks())))]
    only: Vec<String>,
    /// The folder to make for the attacked federation; it is left behind to explore
    #[arg(long, default_value = "cairn-attack")]
    folder: PathBuf,
    /// How many questions are timed at each of the two partners; 6,400, by four analysts, show an advantage of two in a hundred
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
    let wanted = |name: &&str| attack.only.is_empty() || attack.only.iter().any(|only| only == name);
    let rounds = Round::ALL.into_iter().filter(|r| r.attacks().iter().any(&wanted));
    let (gate, templates): (Vec<Round>, Vec<Round>) = rounds.partition(|r| *r != Round::Reconstruction);
    let (made, secrets) = (Made::new(attack.seed), Secrets::new(attack.seed));
    let own = Scene::gate(&made, &gate, timing::analysts(usize::from(attack.timed)));
    let shipped = reconstruction::scene(&secrets);
    let apart = attack.folder.join("templates");
    let second = if gate.is_empty() { &attack.folder } else { &apart };
    let mut lines = Vec::new();
    for (rounds, folder, scene) in [(&gate, &attack.folder, &own), (&templates, second, &shipped)] {
        if !rounds.is_empty() {
            lines.extend(against(attack, rounds, Attacked::start(folder, scene)?, (&made, &secrets))?);
        }
    }
    lines.retain(|line| wanted(&line.attack));
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

/// These rounds, one after the other.
fn against(
    attack: &Attack,
    rounds: &[Round],
    attacked: Attacked,
    (made, secrets): (&Made, &Secrets),
) -> Result<Vec<Line>, Failure> {
    let mut progress = Progress::begin("attacking");
    let timed = usize::from(attack.timed);
    let against = Against { made, secrets, attacked: &attacked, timed };
    let lines = context::runtime()?.block_on(async {
        let mut session = Session::open(&attacked).await?;
        session.ready(&attacked).await?;
        let mut lines = Vec::new();
        for round in rounds {
            progress.say(round.says());
            lines.extend(round.run(&against, &mut session).await?);
        }
        session.close().await;
        Ok(lines)
    });
    progress.end();
    lines
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
