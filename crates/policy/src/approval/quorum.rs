//! Whether enough of a board signed exactly what is true of a policy.

use std::collections::BTreeSet;

use cairn_question::{Day, Hash, Name};

use super::board::{Board, Member};
use super::lf;
use super::note::{Change, Document, Minute, Note, WarningCode};
use super::seats::MEMBERS_MAX;
use super::sshsig::{NAMESPACE, Signature, SignatureError};
use crate::finding::{Severity, plain};

/// What is true of the policy that is offered, worked out by whoever checks the approval, not read from the note.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The policy file.
    pub policy: Document,
    /// What `cairn policy explain` prints of it.
    pub english: English,
    /// The framework file under which it was read.
    pub framework: Document,
    /// The policy file in force, if there is one.
    pub replaces: Option<Hash>,
    /// The verdict of comparing the two.
    pub change: Change,
    /// The warnings of `cairn policy check`.
    pub warnings: BTreeSet<WarningCode>,
    /// First day in force.
    pub from: Day,
    /// Last day in force.
    pub until: Day,
}

/// Whether the English that the board read is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum English {
    /// It has this SHA-256.
    Is(Hash),
    /// It is not: another version of the program may word the same policy otherwise.
    NotCompared,
}

/// One file of `approvals/`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignatureFile {
    /// The file's name without `.sig`: the member's id, and in a rotation perhaps `.old` or `.new` behind it.
    pub stem: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Why an approval does not stand, or why one signature was not counted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// A stable code with an entry in docs/reference/codes/cp.md.
    pub code: &'static str,
    /// [`Severity::Error`], or [`Severity::Warning`] for a signature that was not counted.
    pub severity: Severity,
    /// What is wrong, one line.
    pub says: String,
    /// What to do next.
    pub fix: String,
}

/// Proof that a quorum of this board signed this note, and that the note says what is true. Only [`approve`] makes one.
#[derive(Clone, Debug)]
#[must_use = "an approval that nothing asks for protects nothing"]
pub struct Approved {
    note: Note,
    board: Document,
    signers: Vec<Name>,
    uncounted: Vec<Reason>,
}

impl Facts {
    /// The note that says these facts, for a board to sign. `english` is the SHA-256 of what the board reads.
    #[must_use]
    pub fn note(&self, english: Hash, board: &Board, minute: Minute) -> Note {
        Note {
            policy: self.policy.clone(),
            english,
            framework: Some(self.framework.clone()),
            replaces: self.replaces,
            change: self.change,
            quorum: board.quorum(self.change).clone(),
            warnings: self.warnings.clone(),
            from: self.from,
            until: self.until,
            minute,
        }
    }
}

impl SignatureFile {
    /// A file of this name, with or without `.sig`.
    #[must_use]
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { stem: name.strip_suffix(".sig").unwrap_or(name).to_owned(), bytes: bytes.into() }
    }
}

impl Approved {
    /// What was approved.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// The board that approved it.
    #[must_use]
    pub const fn board(&self) -> &Document {
        &self.board
    }

    /// The members whose signatures were counted, by id.
    #[must_use]
    pub fn signers(&self) -> &[Name] {
        &self.signers
    }

    /// Signatures that were not counted, and why.
    #[must_use]
    pub fn uncounted(&self) -> &[Reason] {
        &self.uncounted
    }
}

/// Whether the note says exactly these facts and enough members signed it, each with a key that is valid on `day`
/// (London).
///
/// The signatures are over the note with LF line ends, so that a copy with CRLF still verifies. A member counts once.
/// A signature that does not hold is named and not counted.
///
/// # Errors
/// Every reason at once, signatures that were not counted among them.
pub fn approve(
    board: &Board,
    facts: &Facts,
    note: &str,
    signatures: &[SignatureFile],
    day: Day,
) -> Result<Approved, Vec<Reason>> {
    let mut reasons = Vec::new();
    let parsed = Note::parse(note).map_err(|error| reasons.push(unreadable(&error.to_string()))).ok();
    if let Some(note) = &parsed {
        differences(board, facts, note, &mut reasons);
    }
    let ([signers], uncounted) = counted([board], &lf(note), signatures, day);
    let quorum = board.quorum(facts.change);
    if !quorum.met_by(&signers) {
        let board = &board.document().id;
        reasons.push(too_few(&format!("board {board}"), &quorum.missing(&signers)));
    }
    match parsed.filter(|_| reasons.is_empty()) {
        Some(note) => {
            let (board, signers) = (board.document().clone(), signers.into_iter().collect());
            Ok(Approved { note, board, signers, uncounted })
        }
        None => Err(reasons.into_iter().chain(uncounted).collect()),
    }
}

/// For each board the members who signed this text, and why each signature that no board counts is not counted.
pub(super) fn counted<const N: usize>(
    boards: [&Board; N],
    text: &str,
    signatures: &[SignatureFile],
    day: Day,
) -> ([BTreeSet<Name>; N], Vec<Reason>) {
    let (mut signers, mut uncounted) = ([const { BTreeSet::new() }; N], Vec::new());
    for file in signatures.iter().take(FILES_MAX) {
        let mut refused = Vec::new();
        for (board, signers) in boards.into_iter().zip(&mut signers) {
            match signer(board, text, file, day) {
                Ok(member) => {
                    signers.insert(member.id.clone());
                }
                Err(reason) => refused.push(reason),
            }
        }
        if refused.len() == N {
            // A key that one board never had says less than what the other board found.
            refused.sort_by_key(|r| r.code == STRANGER);
            uncounted.extend(refused.into_iter().take(1));
        }
    }
    if let Some(more) = signatures.len().checked_sub(FILES_MAX).filter(|more| *more > 0) {
        let says = format!("{more} signature files beyond the first {FILES_MAX} were not looked at");
        uncounted.push(Reason::warning(STRANGER, says, "keep only the signatures of the board's members"));
    }
    (signers, uncounted)
}

fn signer<'a>(board: &'a Board, text: &str, file: &SignatureFile, day: Day) -> Result<&'a Member, Reason> {
    let stem: String = file.stem.chars().take(STEM_SHOWN).map(plain).collect();
    let id = file.stem.split('.').next().unwrap_or_default();
    let member = board.member(id).ok_or_else(|| {
        let says = format!("`{stem}.sig` is not counted: nobody of that id is on the board");
        Reason::warning(STRANGER, says, "name the file after the member's id, or delete it")
    })?;
    let verified =
        Signature::parse(&file.bytes).and_then(|s| s.verify(&member.key, NAMESPACE, text.as_bytes()));
    match verified {
        Ok(()) if member.valid_on(day) => Ok(member),
        Ok(()) => {
            let says = format!(
                "`{stem}.sig` is not counted: the key of `{id}` counts from {} to before {}, and it is {day}",
                member.from, member.to
            );
            Err(Reason::warning("CP727", says, "let another member sign, or change the board first"))
        }
        Err(SignatureError::OtherKey) => {
            let says = format!(
                "`{stem}.sig` is not counted: it was made with another key than the board has of `{id}`"
            );
            let fix = format!("sign with the key {}", member.key.fingerprint());
            Err(Reason::warning(STRANGER, says, fix))
        }
        Err(error) => {
            let says = format!("`{stem}.sig` is not counted: {error}");
            Err(Reason::warning(
                "CP725",
                says,
                format!("let `{id}` sign the note as it is, and keep the file unchanged"),
            ))
        }
    }
}

/// Everything in which the note differs from the facts.
fn differences(board: &Board, facts: &Facts, note: &Note, reasons: &mut Vec<Reason>) {
    let mut differs = |what: &str, said: String, is: String| {
        if said != is {
            let says = format!("`{what}`: the note says {said}, and it is {is}");
            reasons.push(Reason::error(
                "CP721",
                says,
                "write the note again with `cairn policy approve`, and sign that",
            ));
        }
    };
    let named = |d: &Document| format!("{} version {}", d.id, d.version);
    let or_nothing = |h: Option<Hash>| h.map_or_else(|| "nothing".to_owned(), |h| h.to_string());
    let framework = |d: &Document| format!("{} ({})", d.hash, named(d));
    differs("policy", named(&note.policy), named(&facts.policy));
    differs("file", note.policy.hash.to_string(), facts.policy.hash.to_string());
    if let English::Is(hash) = facts.english {
        differs("english", note.english.to_string(), hash.to_string());
    }
    let said = note.framework.as_ref().map_or_else(|| "nothing".to_owned(), framework);
    differs("framework", said, framework(&facts.framework));
    differs("replaces", or_nothing(note.replaces), or_nothing(facts.replaces));
    let days = |from: Day, until: Day| format!("{from} to {until}");
    differs("in force", days(note.from, note.until), days(facts.from, facts.until));
    if note.change != facts.change {
        let says = format!(
            "the note says `{}`, and the change is `{}`",
            note.change.as_str(),
            facts.change.as_str()
        );
        let fix = "`cairn policy diff` shows what changes; write the note again and sign that";
        reasons.push(Reason::error("CP722", says, fix));
    }
    let quorum = board.quorum(facts.change);
    if note.quorum != *quorum {
        let says = format!("the note says quorum {}, and the board's file says {quorum}", note.quorum);
        reasons.push(Reason::error(
            "CP723",
            says,
            "write the note again with the board's own file, and sign that",
        ));
    }
    let unnamed: Vec<&str> = facts.warnings.difference(&note.warnings).map(WarningCode::as_str).collect();
    if !unnamed.is_empty() {
        let says = format!("the note does not name the warnings {}", unnamed.join(", "));
        reasons.push(Reason::error(
            "CP724",
            says,
            "mend the policy, or let the board sign a note that names them",
        ));
    }
}

pub(super) fn unreadable(error: &str) -> Reason {
    Reason::error(
        "CP720",
        error.to_owned(),
        "write the note with `cairn policy approve`, and change nothing in it",
    )
}

pub(super) fn too_few(whose: &str, missing: &str) -> Reason {
    let says = format!("too few signatures of the {whose}: {missing}");
    Reason::error("CP728", says, "let the missing members sign the note")
}

impl Reason {
    pub(super) fn error(code: &'static str, says: String, fix: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, says, fix: fix.into() }
    }

    fn warning(code: &'static str, says: String, fix: impl Into<String>) -> Self {
        Self { code, severity: Severity::Warning, says, fix: fix.into() }
    }
}

/// A signature by nobody whom the board knows.
const STRANGER: &str = "CP726";
/// Most signature files that are looked at: two for each member, as in a rotation.
const FILES_MAX: usize = 2 * MEMBERS_MAX;
/// Longest part of a file's name that is shown.
const STEM_SHOWN: usize = 80;
