//! `cairn policy board`: the file of those who may approve, and its change by the old board and the new.

use std::path::{Path, PathBuf};

use cairn_policy::approval::{self, Board, BoardNote, PublicKey};
use cairn_policy::folder::{BOARD_APPROVAL_FILE, BOARD_APPROVALS_DIR, BOARD_FILE};
use cairn_policy::render_file;
use cairn_question::{Day, Name};
use clap::{Args, Subcommand};

use super::given::{beside, file, today};
use super::key::{MemberKey, Passphrase};
use super::note::{self, Places};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{files, say};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check a board.toml: every fault in one run, with line, column, rule and fix
    Check {
        /// The board's file
        #[arg(value_name = "BOARD")]
        board: PathBuf,
    },
    /// Sign a new board.toml, as a member of the old board or of the new
    Rotate(Rotate),
    /// Check that the old board and the new one have signed enough
    Verify {
        #[command(flatten)]
        boards: Boards,
        /// The day on which the keys must count, in Europe/London; without it, today
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Option<Day>,
    },
}

#[derive(Args)]
pub(crate) struct Boards {
    /// The board's file that is pinned now
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The one that is to take its place
    #[arg(value_name = "NEW")]
    new: PathBuf,
}

#[derive(Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    boards: Boards,
    #[command(flatten)]
    signing: Signing,
}

/// Who signs, with what, and where it is minuted.
#[derive(Args)]
pub(crate) struct Signing {
    /// The member who signs, by the id in board.toml
    #[arg(long, value_name = "ID", required_unless_present = "note_only", requires = "key")]
    pub(super) member: Option<Name>,
    /// The member's private key, as OpenSSH keeps it
    #[arg(long, value_name = "FILE", required_unless_present = "note_only", requires = "member")]
    pub(super) key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) passphrase: Passphrase,
    /// Where the decision is minuted; asked for once, when the note is written
    #[arg(long, value_name = "TEXT")]
    pub(super) minute: Option<String>,
    /// Write the note only, for members who sign it with `ssh-keygen -Y sign`
    #[arg(long, conflicts_with_all = ["member", "key"])]
    pub(super) note_only: bool,
}

impl Signing {
    /// The member who signs and their key's file; `None` where only the note is written.
    pub(super) fn signer(&self) -> Option<(&Name, &Path)> {
        self.member.as_ref().zip(self.key.as_deref())
    }
}

pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Check { board } => check(board),
        Command::Rotate(rotate) => sign(rotate),
        Command::Verify { boards, on } => verify(boards, on.unwrap_or_else(today)),
    }
}

/// Reads a board's file; every fault is shown first.
pub(super) fn load(path: &Path) -> Result<Board, Failure> {
    let file = file(path)?;
    Board::load(&file).map_err(|findings| {
        say::out(&render_file(&findings, &file));
        Failure::bad_file("CC412", format!("{} has errors, so nobody can sign under it", file.name))
    })
}

/// The board that was named, or the one beside the policy where there is one that loads.
pub(super) fn named_or_near(named: Option<&Path>, policy: &Path) -> Result<Option<Board>, Failure> {
    if let Some(path) = named {
        return load(path).map(Some);
    }
    let near = beside(policy, BOARD_FILE);
    if files::is_absent(&near) {
        return Ok(None);
    }
    let board = Board::load(&file(&near)?);
    if board.is_err() {
        // Nobody asked about the board: what was asked for stands without it.
        let says = format!("{0} does not load; see cairn policy board check {0}", near.display());
        say::warning("CC412", &says);
    }
    Ok(board.ok())
}

fn check(path: &Path) -> Result<Exit, Failure> {
    let file = file(path)?;
    say::out(&render_file(&Board::check(&file), &file));
    let board = Board::load(&file).map_err(|_| {
        Failure::bad_file("CC412", format!("{} has errors, so nobody can sign under it", file.name))
    })?;
    let document = board.document();
    say::out(&format!("{} version {}: {}\n", document.id, document.version, document.hash));
    Ok(Exit::Done)
}

fn sign(rotate: &Rotate) -> Result<Exit, Failure> {
    let (old, new) = (load(&rotate.boards.old)?, load(&rotate.boards.new)?);
    let places = places(&rotate.boards.new);
    // Whoever cannot sign leaves no note behind.
    let signer = rotate.signing.signer().map(|(member, key)| -> Result<_, Failure> {
        let key = MemberKey::open(key, &rotate.signing.passphrase)?;
        let stem = stem(&old, &new, member, &key.public()?)?;
        Ok((key, stem))
    });
    let signer = signer.transpose()?;
    let text = note::written(&places, rotate.signing.minute.as_deref(), |given| {
        let (board, replaces) = (new.document().clone(), old.hash());
        let said = |text: &str| BoardNote::parse(text).ok().map(|n| n.minute);
        given.minute(said).map(|minute| BoardNote { board, replaces, minute }.print())
    })?;
    say::out(&text);
    if let Some((key, stem)) = signer {
        note::sign(&places, &text, &key, &stem)?;
    }
    let signatures = note::signatures(&places);
    note::still_missing(&approval::rotate(&old, &new, &text, &signatures, today()).err().unwrap_or_default());
    Ok(Exit::Done)
}

/// What the signature file of a member is called: a member whose key changes signs with each.
fn stem(old: &Board, new: &Board, member: &Name, key: &PublicKey) -> Result<String, Failure> {
    let keys = [old, new].map(|b| b.member(member.as_str()).map(|m| &m.key));
    let has = keys.map(|k| k == Some(key));
    match (has, keys) {
        ([true, true], _) | ([true, false], [_, None]) | ([false, true], [None, _]) => Ok(member.to_string()),
        ([true, false], _) => Ok(format!("{member}.old")),
        ([false, true], _) => Ok(format!("{member}.new")),
        ([false, false], [None, None]) => Err(note::stranger(member)),
        ([false, false], _) => Err(note::other_key(member)),
    }
}

fn verify(boards: &Boards, day: Day) -> Result<Exit, Failure> {
    let (old, new, places) = (load(&boards.old)?, load(&boards.new)?, places(&boards.new));
    let (text, signatures) = (note::read(&places)?, note::signatures(&places));
    match approval::rotate(&old, &new, &text, &signatures, day) {
        Ok(rotated) => {
            note::uncounted(rotated.uncounted());
            let (board, signers) = (rotated.board(), note::names(rotated.signers()));
            say::out(&format!(
                "APPROVED by {signers}: {} version {} replaces {}.\nIts hash, to be pinned: {}\n",
                board.id,
                board.version,
                rotated.replaces(),
                board.hash
            ));
            Ok(Exit::Done)
        }
        Err(reasons) => Ok(note::not_approved(&reasons)),
    }
}

/// Beside the new file, apart from what approves a policy.
fn places(new: &Path) -> Places {
    Places { note: beside(new, BOARD_APPROVAL_FILE), signatures: beside(new, BOARD_APPROVALS_DIR) }
}
