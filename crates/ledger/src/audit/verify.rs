//! Checks an export offline: needs the file, and to know who signed it the partner's registered key.

use cairn_question::{Envelope, Hash, Moment, VerifyingKey};
use std::fmt;
use std::io::BufRead;

use super::{HEAD_BEGINS, HEAD_TYPE, Head, LINE_BEGINS, LINE_GOES_ON};
use crate::chain::{GENESIS, link};
use crate::entry::{ENTRY_BYTES_MAX, Entry};

/// What a verified export is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many entries.
    pub entries: u64,
    /// The last one's hash.
    pub head: Hash,
    /// When the first was written.
    pub from: Option<Moment>,
    /// When the last was written.
    pub to: Option<Moment>,
    /// Whether it is known who signed the head.
    pub signature: Signature,
}

/// Whether it is known who signed the head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signature {
    /// The given key did.
    Holds,
    /// No key was given: whoever rewrites the whole export can sign it with a key of their own.
    NotChecked,
}

/// One place where an export does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Break {
    /// The entry's number.
    pub entry: u64,
    /// The line of the file, from 1.
    pub line: u64,
    /// What is wrong.
    pub kind: BreakKind,
}

/// What is wrong with an export. Complete, not open: an auditor's program knows every kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BreakKind {
    /// A line that is no entry and no head, or is too long, or of a newer program.
    Malformed,
    /// An entry whose hash does not hold.
    Edited,
    /// Entries are missing, from this one to that one.
    Dropped {
        /// The last one that is missing.
        through: u64,
    },
    /// An entry that stands out of its order, or twice.
    Reordered,
    /// The end is missing: there is no signed head, or it counts more entries than there are.
    Truncated,
    /// The signed head is of another chain.
    OtherHead,
    /// The given key did not sign the head.
    BadSignature,
    /// Something stands after the head.
    AfterHead,
    /// The file cannot be read further.
    Unreadable,
}

/// Most breaks that are listed: the first ones tell the story.
const BREAKS_MAX: usize = 100;

/// Most bytes of one line. A head is shorter than an entry.
const LINE_BYTES_MAX: usize = ENTRY_BYTES_MAX + 256;

/// Verifies an export as `cairn audit verify` does: offline, in one pass, in bounded memory.
///
/// # Errors
/// Every [`Break`], at most 100, in the order of the file; missing entries stand last.
pub fn verify_export(reader: impl BufRead, key: Option<&VerifyingKey>) -> Result<Verified, Vec<Break>> {
    let mut walk = Walk::new(key);
    let mut lines = Lines { reader, line: Vec::new() };
    loop {
        match lines.next() {
            Line::Text(text) => walk.line(text),
            Line::End => return walk.finish(),
            Line::TooLong => walk.stop(BreakKind::Malformed),
            Line::Unreadable => walk.stop(BreakKind::Unreadable),
        }
        if walk.given_up {
            return Err(walk.breaks);
        }
    }
}

/// Reads lines of bounded length.
struct Lines<R> {
    reader: R,
    line: Vec<u8>,
}

enum Line<'a> {
    Text(&'a [u8]),
    End,
    TooLong,
    Unreadable,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Line<'_> {
        use std::io::Read as _;
        self.line.clear();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        match self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line) {
            Err(_) => Line::Unreadable,
            Ok(0) => Line::End,
            Ok(_) => match self.line.strip_suffix(b"\n") {
                Some(text) => Line::Text(text),
                None if self.line.len() >= LINE_BYTES_MAX => Line::TooLong,
                // Every line that an export writes ends; one that does not was cut off.
                None => Line::Text(b""),
            },
        }
    }
}

/// What the check knows on its way down the file.
struct Walk<'a> {
    key: Option<&'a VerifyingKey>,
    line: u64,
    /// The number that the next entry must have.
    expected: u64,
    /// The hashes that the next entry may follow: the last one's as it stands, and as computed where the two differ. Empty
    /// after a gap: nothing is known of the entry before.
    previous: Vec<Hash>,
    /// Missing entries, which may still turn up out of order.
    gaps: Vec<(u64, u64, u64)>,
    breaks: Vec<Break>,
    from: Option<Moment>,
    to: Option<Moment>,
    last: Hash,
    head: Option<Head>,
    given_up: bool,
}

/// One entry's line, taken apart.
struct Taken<'a> {
    hash: Option<Hash>,
    text: &'a [u8],
    entry: Option<Entry>,
}

impl<'a> Walk<'a> {
    fn new(key: Option<&'a VerifyingKey>) -> Self {
        Self {
            key,
            line: 0,
            expected: 1,
            previous: vec![GENESIS],
            gaps: Vec::new(),
            breaks: Vec::new(),
            from: None,
            to: None,
            last: GENESIS,
            head: None,
            given_up: false,
        }
    }

    fn line(&mut self, text: &[u8]) {
        self.line = self.line.saturating_add(1);
        if self.head.is_some() {
            self.found(self.expected, BreakKind::AfterHead);
        } else if let Some(envelope) = between(text, HEAD_BEGINS.as_bytes()) {
            self.head(envelope);
        } else if let Some(taken) = take(text) {
            self.entry(&taken);
        } else {
            // A line that was cut off or is something else stands where an entry stood.
            self.found(self.expected, BreakKind::Malformed);
            self.advance(self.expected, Vec::new());
        }
    }

    fn entry(&mut self, taken: &Taken<'_>) {
        let seq = taken.entry.as_ref().map_or(self.expected, |entry| entry.seq);
        if seq < self.expected {
            self.found(seq, BreakKind::Reordered);
            self.fill(seq);
            return;
        }
        if seq > self.expected {
            self.gap(self.expected, seq - 1);
            self.previous.clear();
        }
        let mut candidates: Vec<Hash> = taken.hash.into_iter().collect();
        let follows = |previous: &Hash| Some(link(*previous, taken.text)) == taken.hash;
        let holds = self.previous.is_empty() || self.previous.iter().any(follows);
        match () {
            () if !holds || taken.hash.is_none() => {
                self.found(seq, BreakKind::Edited);
                candidates.extend(self.previous.first().map(|previous| link(*previous, taken.text)));
            }
            () if taken.entry.is_none() => self.found(seq, BreakKind::Malformed),
            () => {}
        }
        if let Some(entry) = &taken.entry {
            self.from = self.from.or(Some(entry.at));
            self.to = Some(entry.at);
        }
        self.last = taken.hash.unwrap_or(GENESIS);
        self.advance(seq, candidates);
    }

    fn advance(&mut self, seq: u64, previous: Vec<Hash>) {
        self.expected = seq.saturating_add(1);
        self.previous = previous;
    }

    /// Opens the head; once every entry is known, it must agree with them.
    fn head(&mut self, envelope: &[u8]) {
        let count = self.expected.saturating_sub(1);
        match open_head(envelope, self.key) {
            Err(kind) => {
                self.head =
                    Some(Head { cairn_audit: 1, entries: count, hash: self.last, from: None, to: None });
                self.found(count, kind);
            }
            Ok(head) => {
                self.head = Some(head);
                let agrees =
                    (head.entries, head.hash, head.from, head.to) == (count, self.last, self.from, self.to);
                if head.entries > count {
                    self.found(self.expected, BreakKind::Truncated);
                } else if !agrees && self.breaks.is_empty() && self.gaps.is_empty() {
                    self.found(count, BreakKind::OtherHead);
                }
            }
        }
    }

    fn finish(mut self) -> Result<Verified, Vec<Break>> {
        if self.head.is_none() {
            self.line = self.line.saturating_add(1);
            self.found(self.expected, BreakKind::Truncated);
        }
        for (entry, through, line) in std::mem::take(&mut self.gaps) {
            self.line = line;
            self.found(entry, BreakKind::Dropped { through });
        }
        if !self.breaks.is_empty() {
            return Err(self.breaks);
        }
        let signature = if self.key.is_some() { Signature::Holds } else { Signature::NotChecked };
        let entries = self.expected.saturating_sub(1);
        Ok(Verified { entries, head: self.last, from: self.from, to: self.to, signature })
    }

    fn found(&mut self, entry: u64, kind: BreakKind) {
        self.breaks.push(Break { entry, line: self.line, kind });
        self.given_up = self.breaks.len() >= BREAKS_MAX;
    }

    fn stop(&mut self, kind: BreakKind) {
        self.line = self.line.saturating_add(1);
        self.found(self.expected, kind);
        self.given_up = true;
    }

    fn gap(&mut self, first: u64, last: u64) {
        self.gaps.push((first, last, self.line));
        self.given_up = self.gaps.len() >= BREAKS_MAX;
        if self.given_up {
            self.found(first, BreakKind::Dropped { through: last });
        }
    }

    /// An entry turned up out of order: it is not missing.
    fn fill(&mut self, seq: u64) {
        let Some(at) = self.gaps.iter().position(|(first, last, _)| (*first..=*last).contains(&seq)) else {
            return;
        };
        let (first, last, line) = self.gaps.swap_remove(at);
        if first < seq {
            self.gaps.push((first, seq - 1, line));
        }
        if seq < last {
            self.gaps.push((seq.saturating_add(1), last, line));
        }
    }
}

/// `…` of a line `{"head":…}`.
fn between<'t>(text: &'t [u8], begins: &[u8]) -> Option<&'t [u8]> {
    text.strip_prefix(begins)?.strip_suffix(b"}")
}

/// Takes a line of an entry apart by its fixed places, so that what is hashed is exactly what stands there.
fn take(text: &[u8]) -> Option<Taken<'_>> {
    let rest = between(text, LINE_BEGINS.as_bytes())?;
    let (digits, rest) = rest.split_at_checked(64)?;
    let text = rest.strip_prefix(LINE_GOES_ON.as_bytes())?;
    let written = format!("sha256:{}", String::from_utf8_lossy(digits));
    // One spelling only: capital digits would be an edit too.
    let hash = Hash::try_from(written.clone()).ok().filter(|hash| hash.to_string() == written);
    Some(Taken { hash, text, entry: serde_json::from_slice(text).ok() })
}

fn open_head(bytes: &[u8], key: Option<&VerifyingKey>) -> Result<Head, BreakKind> {
    let envelope = Envelope::parse(bytes, LINE_BYTES_MAX).map_err(|_| BreakKind::Malformed)?;
    let payload = match key {
        Some(key) => {
            // The name of the key is not under the signature; it is held to what the program writes.
            let named = String::from_utf8_lossy(bytes).contains(&format!(r#""keyid":"{}""#, key.id()));
            let payload = envelope.open(HEAD_TYPE, key).map_err(|_| BreakKind::BadSignature)?;
            if named { payload } else { return Err(BreakKind::BadSignature) }
        }
        None => envelope.payload_unverified(HEAD_TYPE).map_err(|_| BreakKind::Malformed)?,
    };
    let head: Head = serde_json::from_slice(&payload).map_err(|_| BreakKind::Malformed)?;
    if head.cairn_audit == 1 { Ok(head) } else { Err(BreakKind::Malformed) }
}

impl BreakKind {
    /// The stable code, with an entry in docs/reference/codes/ca.md.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "CA101",
            Self::Edited => "CA102",
            Self::Dropped { .. } => "CA103",
            Self::Reordered => "CA104",
            Self::Truncated => "CA105",
            Self::OtherHead => "CA106",
            Self::BadSignature => "CA107",
            Self::AfterHead => "CA108",
            Self::Unreadable => "CA109",
        }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, line, kind } = self;
        write!(f, "line {line}: ")?;
        match kind {
            BreakKind::Malformed => {
                write!(f, "expected entry {entry} or the signed head, found something else")
            }
            BreakKind::Edited => write!(f, "entry {entry} was changed: its hash does not hold"),
            BreakKind::Dropped { through } if through == entry => write!(f, "entry {entry} is missing"),
            BreakKind::Dropped { through } => write!(f, "entries {entry} to {through} are missing"),
            BreakKind::Reordered => write!(f, "entry {entry} is out of order, or stands twice"),
            BreakKind::Truncated => write!(f, "the end is missing, from entry {entry} or the signed head on"),
            BreakKind::OtherHead => write!(f, "the signed head does not belong to the entries up to {entry}"),
            BreakKind::BadSignature => write!(f, "the given key did not sign the head"),
            BreakKind::AfterHead => write!(f, "something stands after the signed head"),
            BreakKind::Unreadable => write!(f, "the file cannot be read further"),
        }
    }
}

#[cfg(test)]
mod tests;
