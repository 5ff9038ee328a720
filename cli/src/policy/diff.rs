//! `cairn policy diff`: what a new version permits, protects and takes away, and who must sign it.

use std::path::PathBuf;

use cairn_policy::approval::{Board, Change};
use clap::Args;

use super::board;
use super::given::Pair;
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
    if let Some(board) = board::named_or_near(args.board.as_deref(), &args.pair.new)? {
        say::out(&signatures(&board, change));
    }
    Ok(Exit::Done)
}

fn signatures(board: &Board, change: Change) -> String {
    let by = board.document();
    format!("SIGNATURES it takes of {} version {}: {}\n", by.id, by.version, board.quorum(change))
}
