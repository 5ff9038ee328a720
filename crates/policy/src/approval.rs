//! Approvals: what a board signed, who may sign it, and whether enough of them did.
//!
//! What is signed is a short note about the policy file ([`Note`]), in OpenSSH's signature format ([`sshsig`]), one
//! detached file a member, so that anybody checks it with stock `ssh-keygen -Y verify`. Who may sign stands in
//! `board.toml` ([`Board`]), which a policy never names: a file must not choose its own judges. The formats are in
//! docs/reference/approval.md.

pub mod sshsig;

mod board;
mod facts;
mod key;
mod made_up;
mod note;
mod quorum;
mod rotation;
mod seats;
mod wire;

pub use board::{Board, Member};
pub use facts::english;
pub use key::{KeyError, PublicKey};
pub use made_up::{MADE_UP_MEMBERS, MADE_UP_QUORUM, MadeUpBoard, Placed};
pub use note::{BoardNote, Change, Document, Minute, Note, NoteError, WarningCode};
pub use quorum::{Approved, English, Facts, Reason, SignatureFile, approve};
pub use rotation::{Rotated, rotate};
pub use seats::Quorum;

/// The text with LF line ends: what is hashed and what is signed, whatever an editor made of the file.
#[must_use]
pub fn lf(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests;
