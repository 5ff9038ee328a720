//! `cairn generate`: made-up partners' exports, with their truth.

use std::path::PathBuf;

use cairn_generate::{Spec, generate};
use cairn_question::Day;
use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::say;

#[derive(Args)]
pub(crate) struct Generate {
    /// The folder to write: one folder a partner, and truth.json
    folder: PathBuf,
    /// The seed: the same seed makes up the same people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many people in all
    #[arg(long, default_value_t = 8_000)]
    people: u32,
    /// All 32 councils and nine other partners instead of the demo's ten
    #[arg(long)]
    full_scale: bool,
    /// The day on which the exports stand so
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Day>,
}

pub(crate) fn run(args: &Generate) -> Result<Exit, Failure> {
    let base = if args.full_scale { Spec::full_scale() } else { Spec::demo() };
    let people =
        if args.full_scale && args.people == Spec::demo().people { base.people } else { args.people };
    let spec = Spec { seed: args.seed, people, as_of: args.as_of.unwrap_or(base.as_of), ..base };
    let progress = Progress::begin("making people up");
    let made = generate(&spec, &args.folder);
    progress.end();
    made.map_err(|e| Failure::new(e.code(), e.to_string()))?;
    say::note(&format!(
        "Wrote the exports of made-up partners, their mappings and truth.json to {}.",
        args.folder.display()
    ));
    Ok(Exit::Done)
}
