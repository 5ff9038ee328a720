//! `cairn policy replay`: an audit log put to a new version of a policy. No record is read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use cairn_policy::{LINE_BYTES_MAX, Replay, Replayed};
use clap::Args;

use super::given::Pair;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

#[derive(Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pair: Pair,
    /// What `cairn audit export` wrote, or JSON lines of questions in kinds
    #[arg(value_name = "AUDIT")]
    audit: PathBuf,
}

pub(super) fn run(args: &ReplayArgs) -> Result<Exit, Failure> {
    let (old, new) = args.pair.load()?;
    let mut replay = Replay::new(&old.layers, &new.layers);
    lines(&args.audit, &mut replay)?;
    let done = replay.finish();
    say::out(&done.render());
    Ok(unreadable(&done))
}

fn unreadable(done: &Replayed) -> Exit {
    for line in &done.unreadable {
        say::error("CC406", &format!("line {}: {}", line.line, line.says));
    }
    if done.unreadable_lines == 0 {
        return Exit::Done;
    }
    say::note(&format!("{} lines could not be read; the rest was replayed.", done.unreadable_lines));
    Exit::BadFile
}

/// Hands every line over. Of a line that is too long only so much is held as shows that it is.
fn lines(audit: &Path, replay: &mut Replay) -> Result<(), Failure> {
    let cannot = |_| Failure::new("CC105", format!("{} cannot be read", audit.display()));
    let mut from = BufReader::new(File::open(audit).map_err(cannot)?);
    let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(2);
    loop {
        let mut line = Vec::new();
        if from.by_ref().take(most).read_until(b'\n', &mut line).map_err(cannot)? == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            from.skip_until(b'\n').map_err(cannot)?;
        }
        replay.line(line.trim_ascii_end());
    }
}
