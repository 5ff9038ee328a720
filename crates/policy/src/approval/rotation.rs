//! A new `board.toml`: approved by a quorum of the old board and by one of the new.

use std::collections::BTreeSet;

use cairn_question::{Day, Hash, Name};

use super::board::Board;
use super::lf;
use super::note::{BoardNote, Document};
use super::quorum::{Reason, SignatureFile, counted, too_few, unreadable};

/// Proof that the old board handed over to the new one, and the new one took it. Only [`rotate`] makes one.
#[derive(Clone, Debug)]
#[must_use = "until the new board is pinned, the old one decides"]
pub struct Rotated {
    board: Document,
    replaces: Hash,
    signers: Vec<Name>,
    uncounted: Vec<Reason>,
}

impl Rotated {
    /// The new board; its hash is the one to pin.
    #[must_use]
    pub const fn board(&self) -> &Document {
        &self.board
    }

    /// SHA-256 of the old file.
    #[must_use]
    pub const fn replaces(&self) -> Hash {
        self.replaces
    }

    /// The members of either board whose signatures were counted, by id.
    #[must_use]
    pub fn signers(&self) -> &[Name] {
        &self.signers
    }

    /// Signatures that neither board counted, and why.
    #[must_use]
    pub fn uncounted(&self) -> &[Reason] {
        &self.uncounted
    }
}

/// Whether `new` may take the place of `old`: same id, a higher version, a note that says so, and the quorum `board` of
/// each, counted with each one's own keys, valid on `day` (London).
///
/// A member whose key changes signs twice, in `<member>.old.sig` and `<member>.new.sig`; else one signature counts for
/// both boards.
///
/// # Errors
/// Every reason at once, signatures that were not counted among them.
pub fn rotate(
    old: &Board,
    new: &Board,
    note: &str,
    signatures: &[SignatureFile],
    day: Day,
) -> Result<Rotated, Vec<Reason>> {
    let mut reasons = differences(old, new, note);
    let (there, uncounted) = counted([old, new], &lf(note), signatures, day);
    for ((board, which), there) in [(old, "old board"), (new, "new board")].into_iter().zip(&there) {
        if !board.board_quorum().met_by(there) {
            reasons.push(too_few(which, &board.board_quorum().missing(there)));
        }
    }
    if !reasons.is_empty() {
        return Err(reasons.into_iter().chain(uncounted).collect());
    }
    let signers: BTreeSet<Name> = there.into_iter().flatten().collect();
    let (board, signers) = (new.document().clone(), signers.into_iter().collect());
    Ok(Rotated { board, replaces: old.hash(), signers, uncounted })
}

fn differences(old: &Board, new: &Board, note: &str) -> Vec<Reason> {
    let (was, is) = (old.document(), new.document());
    let mut reasons = Vec::new();
    let mut wrong = |says: String, fix: &str| reasons.push(Reason::error("CP729", says, fix));
    if is.id != was.id {
        wrong(format!("the new board is `{}` and the old one `{}`", is.id, was.id), "keep the id");
    }
    if is.version <= was.version {
        let says = format!("the new board has version {} and the old one {}", is.version, was.version);
        wrong(says, "give the new one a higher version");
    }
    match BoardNote::parse(note) {
        Ok(note) => {
            let fix = "write the note again for these two files, and sign that";
            if note.board != *is {
                wrong("the note is about another `board.toml` than the new one".to_owned(), fix);
            }
            if note.replaces != was.hash {
                wrong(format!("the note replaces {}, and the old board is {}", note.replaces, was.hash), fix);
            }
        }
        Err(error) => reasons.push(unreadable(&error.to_string())),
    }
    reasons
}
