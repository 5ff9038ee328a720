//! `cairn policy diff`: what a new version permits, protects and takes away, and who must sign it.

use std::path::PathBuf;

use cairn_policy::approval::{Board, Change};
use clap::Args;

use super::board;
use super::given::{Pair, beside, file};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

#[derive(Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pair: Pair,
    /// The board that signs; without it, `board.toml` beside NEW, where there is one
    #[arg(long, value_name = "FILE")]
    board: Option<PathBuf>,
}

pub(super) fn run(args: &DiffArgs) -> Result<Exit, Failure> {
    let (old, new) = args.pair.load()?;
    let diff = cairn_policy::diff(Some(&old.layers), &new.layers)
        .map_err(|e| Failure::bad_file("CC407", e.to_string()))?;
    let change = Change::from(&diff);
    say::out(&diff.render());
    if let Some(path) = &args.board {
        say::out(&signatures(&board::load(path)?, change));
        return Ok(Exit::Done);
    }
    let near = beside(&args.pair.new, "board.toml");
    if near.is_file() {
        match Board::load(&file(&near)?) {
            Ok(board) => say::out(&signatures(&board, change)),
            // Nobody asked about the board: the difference stands without it.
            Err(_) => say::warning(
                "CC412",
                &format!("{0} does not load; see cairn policy board check {0}", near.display()),
            ),
        }
    }
    Ok(Exit::Done)
}

fn signatures(board: &Board, change: Change) -> String {
    let by = board.document();
    format!("SIGNATURES it takes of {} version {}: {}\n", by.id, by.version, board.quorum(change))
}
