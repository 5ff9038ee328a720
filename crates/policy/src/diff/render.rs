//! The difference in plain English, for a board.

use std::fmt::Write as _;

use super::{Affected, Change, Diff, Direction, Supersedes, Verdict};
use crate::space::{Example, Kinds};

/// Most characters of one value: a long text is cut, since the whole file is in the pack.
const VALUE_CHARS_MAX: usize = 160;

impl Diff {
    /// The difference in plain English, for a board. Ends with a line end.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("{}\n\n", self.title());
        let parts = [
            self.part("PERMITS MORE", Direction::PermitsMore, &[("newly answered", &self.newly)]),
            self.part("PROTECTS LESS", Direction::ProtectsLess, &[("protected less", &self.weaker)]),
            self.part("PERMITS LESS", Direction::PermitsLess, &[("no longer answered", &self.no_longer)]),
            self.part("PROTECTS MORE", Direction::ProtectsMore, &[("protected more", &self.stronger)]),
            self.part(
                "CHANGED IN A WAY THAT IS NEITHER (counts as loosening: old and new tables together can tell more than either)",
                Direction::Unordered,
                &[("protected otherwise", &self.otherwise)],
            ),
            self.part("WORDS", Direction::Words, &[]),
        ];
        for part in parts.into_iter().flatten() {
            text.push_str(&part);
            text.push('\n');
        }
        text.push_str(&tried(&self.kinds));
        if let Some(note) = self.note() {
            let _ = writeln!(text, "Note: {note}");
        }
        let _ = writeln!(text, "\nVERDICT: {}", self.verdict_words());
        text
    }

    /// The verdict in capitals: `LOOSENS`, `LOOSENS (unordered)`, `TIGHTENS (every one of 1,234 kinds of question was
    /// tried)` or `SAME`.
    #[must_use]
    pub fn verdict_words(&self) -> String {
        match self.verdict {
            Verdict::Same => "SAME".to_owned(),
            Verdict::Loosens if self.only_unordered() => "LOOSENS (unordered)".to_owned(),
            Verdict::Loosens => "LOOSENS".to_owned(),
            Verdict::Tightens => {
                format!("TIGHTENS (every one of {} kinds of question was tried)", grouped(self.kinds.tried))
            }
        }
    }

    fn title(&self) -> String {
        let new = &self.new;
        match &self.old {
            None => format!("Nothing is in force. Everything in {} version {} is new.", new.id, new.version),
            Some(old) if old.id == new.id => {
                format!("What changes from version {} to version {} of {}", old.version, new.version, new.id)
            }
            Some(old) => format!(
                "What changes from {} version {} to {} version {}",
                old.id, old.version, new.id, new.version
            ),
        }
    }

    /// One part, where it has anything to say.
    fn part(&self, title: &str, direction: Direction, kinds: &[(&str, &Affected)]) -> Option<String> {
        let mut lines: Vec<String> = Vec::new();
        for (what, affected) in kinds.iter().filter(|(_, a)| a.count > 0) {
            lines.extend(affected_lines(what, affected));
        }
        lines.extend(self.going(direction).map(change_line));
        (!lines.is_empty()).then(|| format!("{title}\n{}\n", lines.join("\n")))
    }

    fn note(&self) -> Option<String> {
        let old = self.old.as_ref()?;
        let version = old.version;
        if old.hash == self.new.hash {
            return None;
        }
        match self.supersedes {
            Supersedes::TheOld => None,
            Supersedes::Nothing => {
                Some(format!("the new file does not say in `supersedes` that it replaces version {version}."))
            }
            Supersedes::Another => Some(format!(
                "`supersedes` in the new file is not the hash of version {version} laid beside it here."
            )),
        }
    }
}

fn affected_lines(what: &str, affected: &Affected) -> Vec<String> {
    let kinds = if affected.count == 1 { "kind" } else { "kinds" };
    let mut lines = vec![format!("  {} {kinds} of question {what}", grouped(affected.count))];
    if let Some(smallest) = &affected.smallest {
        lines.push(format!("    the smallest: {}", asked(smallest)));
    }
    if !affected.says.is_empty() {
        lines.push(format!("    there: {}", affected.says.join("; ")));
    }
    lines
}

fn asked(example: &Example) -> String {
    let question = &example.question;
    format!("{} (asked as {}, for {})", example.text(), question.role, question.purpose)
}

fn change_line(change: &Change) -> String {
    let rule = crate::read::shown(&change.rule);
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("  {rule}: {} → {}", value(old), value(new)),
        (None, Some(new)) if new == super::PRESENT => format!("  {rule}: added"),
        (Some(old), None) if old == super::PRESENT => format!("  {rule}: taken away"),
        (None, Some(new)) => format!("  {rule}: added, {}", value(new)),
        (Some(old), None) => format!("  {rule}: taken away, was {}", value(old)),
        (None, None) => format!("  {rule}: another one"),
    }
}

fn value(text: &str) -> String {
    let shown: String = text.chars().take(VALUE_CHARS_MAX).map(crate::finding::plain).collect();
    if shown.len() < text.len() && text.chars().count() > VALUE_CHARS_MAX {
        format!("{shown} …")
    } else {
        shown
    }
}

fn tried(kinds: &Kinds) -> String {
    format!(
        "{} kinds of question were tried, none left out; the old policy answers {} of them, the new one {}.\n{} more have a role, purpose, dataset or answer that no share of either is for: refused by both.\n",
        grouped(kinds.tried),
        grouped(kinds.answered_old),
        grouped(kinds.answered_new),
        grouped(kinds.without_share)
    )
}

/// A number as people read it: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
