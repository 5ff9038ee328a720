//! `cairn audit`: what a partner's node was asked, what it answered, and what that cost.

#[cfg(all(feature = "node", feature = "coordinator"))]
mod attack;
#[cfg(all(feature = "node", feature = "coordinator"))]
mod had;
#[cfg(feature = "coordinator")]
mod recompute;
#[cfg(feature = "node")]
mod witnesses;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use cairn_ledger::{History, Signature, render, verify_export};
use cairn_link::NodeIdentity;
use cairn_question::VerifyingKey;
use clap::Subcommand;

use crate::context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;
#[cfg(all(feature = "node", feature = "coordinator"))]
pub(crate) use had::Had;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the latest entries: who asked what, when, and what left
    Show {
        /// The node's ledger file
        ledger: PathBuf,
        /// How many entries
        #[arg(long, default_value_t = 20)]
        last: u32,
    },
    /// Write the whole log as JSON lines with a signed end, for an auditor
    Export {
        /// The node's ledger file
        ledger: PathBuf,
        /// The node's identity folder, whose key signs the end
        #[arg(long)]
        identity: PathBuf,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Verify an export, offline: finds an edit, a drop, a reorder and a truncation
    Verify {
        /// The exported file
        export: PathBuf,
        /// The partner's public signing key (the file signing.pub)
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Check the witnesses of every audited table again, offline: that no small count can be worked out, and no byte has changed
    #[cfg(feature = "node")]
    Witnesses {
        /// The node's ledger file; the witnesses lie beside it
        ledger: PathBuf,
    },
    /// Work a secure total out again from what its partners signed, offline, and hold the published figures against it
    #[cfg(feature = "coordinator")]
    Recompute(recompute::Recompute),
    /// Attack a federation that is started for it, and say of each attack whether it was withstood
    #[cfg(all(feature = "node", feature = "coordinator"))]
    Attack(attack::Attack),
}

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Show { ledger, last } => show(ledger, *last),
        Command::Export { ledger, identity, out } => export(ledger, identity, out),
        Command::Verify { export, key } => verify(export, key.as_deref()),
        #[cfg(feature = "node")]
        Command::Witnesses { ledger } => witnesses::run(ledger),
        #[cfg(feature = "coordinator")]
        Command::Recompute(recompute) => recompute::run(recompute),
        #[cfg(all(feature = "node", feature = "coordinator"))]
        Command::Attack(attack) => attack::run(attack),
    }
}

fn show(ledger: &Path, last: u32) -> Result<Exit, Failure> {
    let history = History::open(ledger)?;
    let after = history.last()?.saturating_sub(u64::from(last));
    say::out(&render(&history.entries(after, last)?));
    Ok(Exit::Done)
}

fn export(ledger: &Path, identity: &Path, out: &Path) -> Result<Exit, Failure> {
    let identity = NodeIdentity::load(identity, context::now())?;
    let history = History::open(ledger)?;
    let cannot = |_| Failure::new("CC104", format!("{} cannot be written", out.display()));
    let mut to = BufWriter::new(File::create_new(out).map_err(cannot)?);
    let head = history.export(&mut to, identity.signing_key())?;
    let file =
        to.into_inner().map_err(|_| Failure::new("CC104", format!("{} cannot be written", out.display())))?;
    file.sync_all().map_err(cannot)?;
    say::note(&format!("Wrote {} entries to {}.", head.entries, out.display()));
    say::note(&format!("Next: cairn audit verify {} --key {}", out.display(), "IDENTITY/signing.pub"));
    Ok(Exit::Done)
}

fn verify(export: &Path, key: Option<&Path>) -> Result<Exit, Failure> {
    let key = key.map(|key| public_key(key, "the partner's signing.pub")).transpose()?;
    let file = File::open(export)
        .map_err(|_| Failure::new("CC105", format!("{} cannot be read", export.display())))?;
    match verify_export(&mut BufReader::new(file), key.as_ref()) {
        Ok(verified) => {
            say::out(&format!("{} entries, unbroken, ending in {}.\n", verified.entries, verified.head));
            if verified.signature == Signature::NotChecked {
                say::warning(
                    "CC106",
                    "no key was given, so whoever rewrote the whole log would not be found; give --key signing.pub",
                );
            }
            Ok(Exit::Done)
        }
        Err(breaks) => {
            for found in &breaks {
                say::error(found.kind.code(), &found.to_string());
            }
            let _ = std::io::stderr().flush();
            Ok(Exit::NotVerified)
        }
    }
}

/// `give` is the file that is wanted, in words.
fn public_key(path: &Path, give: &str) -> Result<VerifyingKey, Failure> {
    let wrong = || Failure::bad_file("CC103", format!("{} is not a public key; give {give}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|_| wrong())?;
    VerifyingKey::try_from(text.trim().to_owned()).map_err(|_| wrong())
}
