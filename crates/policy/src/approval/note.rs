//! The note that a board signs: short enough to be read aloud, and naming every text it stands for by its SHA-256.
//!
//! There is one way to write a note: what [`Note::parse`] takes is exactly what [`Note::print`] gives. So the bytes that
//! were signed follow from what they say, and no line can hide in them.

use std::collections::BTreeSet;
use std::fmt;

use cairn_question::{Day, Hash, Name};

use super::lf;
use super::seats::Quorum;
use crate::letters;

/// Longest note. A real one has some 700 bytes.
pub(super) const NOTE_BYTES_MAX: usize = 8 * 1024;

/// A text with a name and a version, by its hash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// The id that stands in it.
    pub id: Name,
    /// The version that stands in it.
    pub version: u32,
    /// SHA-256 of its text with LF line ends.
    pub hash: Hash,
}

/// What a change does, as far as signatures go. Complete: every policy change is one of the three.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Change {
    /// There is no policy yet. Asks for the same signatures as [`Change::Loosens`].
    First,
    /// It permits something new, or changes a setting that has no order.
    Loosens,
    /// It provably permits nothing new.
    Tightens,
}

/// Where the board's decision is minuted: one line of 1 to 200 characters without hidden ones.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Minute(String);

/// The code of a warning of `cairn policy check`: `CP` and three digits.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct WarningCode(String);

/// What a board approves about a policy file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// The policy file.
    pub policy: Document,
    /// SHA-256 of what `cairn policy explain` prints of it.
    pub english: Hash,
    /// The framework under which it was read. `None` in notes made before the line existed; none is approved without.
    pub framework: Option<Document>,
    /// The policy file that it replaces; `None`: nothing.
    pub replaces: Option<Hash>,
    /// What the change does.
    pub change: Change,
    /// The signatures that this asks for, as the board's file has them.
    pub quorum: Quorum,
    /// The warnings that the board takes on; the line is left out where there is none.
    pub warnings: BTreeSet<WarningCode>,
    /// First day in force, London.
    pub from: Day,
    /// Last day in force, London.
    pub until: Day,
    /// Where it is minuted.
    pub minute: Minute,
}

/// What an old and a new board approve about a new `board.toml`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BoardNote {
    /// The new file.
    pub board: Document,
    /// SHA-256 of the file that it replaces.
    pub replaces: Hash,
    /// Where it is minuted.
    pub minute: Minute,
}

/// Why a text is not a note.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Too long.
    #[error("the note is longer than {} kB", NOTE_BYTES_MAX / 1024)]
    TooLong,
    /// The first line is another.
    #[error("line 1 of the note must be `{0}`")]
    Format(&'static str),
    /// A line is missing, unknown, doubled or out of order, or says something that cannot stand there.
    #[error(
        "line {line} of the note must begin with `{wanted}` and be written as `cairn policy approve` writes it"
    )]
    Line {
        /// From 1.
        line: usize,
        /// The word that should stand there.
        wanted: &'static str,
    },
    /// Something stands before the first character.
    #[error("the text begins with a byte order mark; save the file as UTF-8 without BOM")]
    Marked,
    /// Not a minute.
    #[error("a minute is one line of 1 to {MINUTE_CHARS_MAX} plain characters, with no blank at either end")]
    Minute,
    /// Not a code of a warning.
    #[error("a warning is named by its code, such as CP420")]
    Warning,
}

impl Document {
    /// The document with this text.
    #[must_use]
    pub fn of(id: Name, version: u32, text: &str) -> Self {
        Self { id, version, hash: Hash::of(lf(text).as_bytes()) }
    }
}

impl Change {
    /// `first`, `loosens` or `tightens`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Loosens => "loosens",
            Self::Tightens => "tightens",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::First, Self::Loosens, Self::Tightens].into_iter().find(|c| c.as_str() == word)
    }
}

impl Minute {
    /// Takes one line.
    ///
    /// # Errors
    /// [`NoteError::Minute`].
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        let length = text.chars().count();
        let plain = !letters::breaks(&text) && !letters::hides(&text) && text.trim() == text;
        if (1..=MINUTE_CHARS_MAX).contains(&length) && plain {
            Ok(Self(text))
        } else {
            Err(NoteError::Minute)
        }
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl WarningCode {
    /// Takes a code such as `CP420`.
    ///
    /// # Errors
    /// [`NoteError::Warning`].
    pub fn new(code: impl Into<String>) -> Result<Self, NoteError> {
        let code = code.into();
        let digits = code.strip_prefix("CP").unwrap_or_default();
        let plain = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
        if plain { Ok(Self(code)) } else { Err(NoteError::Warning) }
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Note {
    /// The note as it is signed: UTF-8, LF line ends.
    #[must_use]
    pub fn print(&self) -> String {
        let policy = &self.policy;
        let mut text = format!("{NOTE_HEAD}\n");
        text.push_str(&line(POLICY, &format!("{} version {}", policy.id, policy.version)));
        text.push_str(&line(FILE, &format!("{}{FILE_TAIL}", policy.hash)));
        text.push_str(&line(ENGLISH, &format!("{}{ENGLISH_TAIL}", self.english)));
        if let Some(Document { id, version, hash }) = &self.framework {
            text.push_str(&line(FRAMEWORK, &format!("{hash} ({id} version {version})")));
        }
        let replaces = self.replaces.map_or_else(|| NOTHING.to_owned(), |h| h.to_string());
        text.push_str(&line(REPLACES, &replaces));
        text.push_str(&line(CHANGE, &format!("{}; quorum {}", self.change.as_str(), self.quorum)));
        if !self.warnings.is_empty() {
            let codes: Vec<&str> = self.warnings.iter().map(WarningCode::as_str).collect();
            text.push_str(&line(WARNINGS, &codes.join(", ")));
        }
        text.push_str(&line(IN_FORCE, &format!("{} to {}", self.from, self.until)));
        text.push_str(&line(MINUTE, self.minute.as_str()));
        text
    }

    /// Reads a note, with LF or CRLF line ends; the signatures are over the text with LF.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let text = bounded(text)?;
        let mut lines = Lines::new(&text, NOTE_HEAD)?;
        let (id, version) = lines.read(POLICY, versioned)?;
        let hash = lines.read(FILE, |v| hash_of(v.strip_suffix(FILE_TAIL)?))?;
        let note = Self {
            policy: Document { id, version, hash },
            english: lines.read(ENGLISH, |v| hash_of(v.strip_suffix(ENGLISH_TAIL)?))?,
            framework: lines.read_opt(FRAMEWORK, framework)?,
            replaces: lines
                .read(REPLACES, |v| if v == NOTHING { Some(None) } else { hash_of(v).map(Some) })?,
            change: lines.peek(CHANGE, |v| Change::parse(v.split_once("; quorum ")?.0))?,
            quorum: lines.read(CHANGE, |v| Quorum::parse(v.split_once("; quorum ")?.1))?,
            warnings: lines.read_opt(WARNINGS, warnings)?.unwrap_or_default(),
            from: lines.peek(IN_FORCE, |v| v.split_once(" to ")?.0.parse().ok())?,
            until: lines.read(IN_FORCE, |v| v.split_once(" to ")?.1.parse().ok())?,
            minute: lines.read(MINUTE, |v| Minute::new(v).ok())?,
        };
        lines.end(&note.print())?;
        Ok(note)
    }
}

impl BoardNote {
    /// The note as it is signed: UTF-8, LF line ends.
    #[must_use]
    pub fn print(&self) -> String {
        let Document { id, version, hash } = &self.board;
        let mut text = format!("{BOARD_HEAD}\n");
        text.push_str(&line(BOARD, &format!("{id} version {version}")));
        text.push_str(&line(FILE, &format!("{hash}{FILE_TAIL}")));
        text.push_str(&line(REPLACES, &self.replaces.to_string()));
        text.push_str(&line(MINUTE, self.minute.as_str()));
        text
    }

    /// Reads a note, with LF or CRLF line ends; the signatures are over the text with LF.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let text = bounded(text)?;
        let mut lines = Lines::new(&text, BOARD_HEAD)?;
        let (id, version) = lines.read(BOARD, versioned)?;
        let note = Self {
            board: Document { id, version, hash: lines.read(FILE, |v| hash_of(v.strip_suffix(FILE_TAIL)?))? },
            replaces: lines.read(REPLACES, hash_of)?,
            minute: lines.read(MINUTE, |v| Minute::new(v).ok())?,
        };
        lines.end(&note.print())?;
        Ok(note)
    }
}

/// The lines of a note that are still to be read, each with its number.
struct Lines<'a> {
    text: &'a str,
    left: std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'a>>>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, head: &'static str) -> Result<Self, NoteError> {
        if text.starts_with('\u{feff}') {
            return Err(NoteError::Marked);
        }
        let mut left = text.lines().enumerate().peekable();
        let first = left.next().filter(|(_, l)| *l == head);
        first.map(|_| Self { text, left }).ok_or(NoteError::Format(head))
    }

    /// What the next line says under this label, without going on.
    fn peek<T>(
        &mut self,
        label: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, NoteError> {
        let next = self.left.peek().copied();
        let value = next.and_then(|(_, line)| labelled(line, label));
        let line = next.map_or_else(|| self.text.lines().count(), |(n, _)| n).saturating_add(1);
        value.and_then(read).ok_or(NoteError::Line { line, wanted: label })
    }

    fn read<T>(
        &mut self,
        label: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, NoteError> {
        let value = self.peek(label, read)?;
        self.left.next();
        Ok(value)
    }

    fn read_opt<T>(
        &mut self,
        label: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<Option<T>, NoteError> {
        let there = self.left.peek().is_some_and(|(_, line)| labelled(line, label).is_some());
        if there { self.read(label, read).map(Some) } else { Ok(None) }
    }

    /// The text must be what the note prints: nothing after the last line, nothing written another way.
    fn end(&self, printed: &str) -> Result<(), NoteError> {
        if self.text == printed {
            return Ok(());
        }
        let same = self.text.lines().zip(printed.lines()).take_while(|(a, b)| a == b).count();
        let wanted = LABELS.iter().find(|l| printed.lines().nth(same).is_some_and(|p| p.starts_with(**l)));
        Err(NoteError::Line { line: same.saturating_add(1), wanted: wanted.unwrap_or(&"nothing more") })
    }
}

fn bounded(text: &str) -> Result<String, NoteError> {
    if text.len() > NOTE_BYTES_MAX { Err(NoteError::TooLong) } else { Ok(lf(text)) }
}

fn line(label: &str, value: &str) -> String {
    format!("{label:<LABEL_WIDTH$}{value}\n")
}

fn labelled<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    line.strip_prefix(&format!("{label:<LABEL_WIDTH$}"))
}

fn hash_of(text: &str) -> Option<Hash> {
    Hash::try_from(text.to_owned()).ok()
}

fn versioned(text: &str) -> Option<(Name, u32)> {
    let (id, version) = text.split_once(" version ")?;
    Some((Name::new(id).ok()?, version.parse().ok()?))
}

fn framework(text: &str) -> Option<Document> {
    let (hash, named) = text.split_once(" (")?;
    let (id, version) = versioned(named.strip_suffix(')')?)?;
    Some(Document { id, version, hash: hash_of(hash)? })
}

fn warnings(text: &str) -> Option<BTreeSet<WarningCode>> {
    text.split(", ").map(|code| WarningCode::new(code).ok()).collect()
}

const NOTE_HEAD: &str = "cairn-policy approval, format 1";
const BOARD_HEAD: &str = "cairn-board approval, format 1";
const LABEL_WIDTH: usize = 10;
const POLICY: &str = "policy";
const BOARD: &str = "board";
const FILE: &str = "file";
const ENGLISH: &str = "english";
const FRAMEWORK: &str = "framework";
const REPLACES: &str = "replaces";
const CHANGE: &str = "change";
const WARNINGS: &str = "warnings";
const IN_FORCE: &str = "in force";
const MINUTE: &str = "minute";
const LABELS: [&str; 10] =
    [POLICY, BOARD, FILE, ENGLISH, FRAMEWORK, REPLACES, CHANGE, WARNINGS, IN_FORCE, MINUTE];
const FILE_TAIL: &str = "   (line ends as LF)";
const ENGLISH_TAIL: &str = "   (what \"cairn policy explain\" prints)";
const NOTHING: &str = "nothing";
const MINUTE_CHARS_MAX: usize = 200;
