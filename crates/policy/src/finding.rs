//! What is wrong, or worth a look, in a policy's files: each with its place, its rule and what to do next.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::ops::Range;

/// One of the files a policy is made of, as text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// The name to show in findings: `policy.toml`.
    pub name: String,
    /// The whole text, UTF-8.
    pub text: String,
}

/// The files that together decide: the framework, the partner's policy and, where there is one, the local brake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sources {
    /// `framework.toml`, of the national board.
    pub framework: File,
    /// `policy.toml`, of the partner's board.
    pub policy: File,
    /// `local-brake.toml`, of the duty officer; `None`: no brake is set.
    pub brake: Option<File>,
}

/// How much a finding matters. Complete, not open: a command's exit code depends on it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The policy does not load.
    Error,
    /// It loads; the approval note must name the warning.
    Warning,
    /// A figure to know before signing.
    Note,
}

/// One finding.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Finding {
    /// A stable code with an entry in docs/reference/codes/cp.md.
    pub code: &'static str,
    /// The file's name.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How much it matters.
    pub severity: Severity,
    /// Where it stands in the document: `share.smf-quarterly.group_by`.
    pub rule: String,
    /// What is wrong, one line.
    pub says: String,
    /// What to do next; `None` where only the board can know.
    pub fix: Option<String>,
}

impl File {
    /// A file with this name and text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

impl Sources {
    /// The files in the order in which their findings are listed.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        [&self.framework, &self.policy].into_iter().chain(self.brake.as_ref())
    }
}

impl Severity {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One finding as people read it: the place, the source line with a caret, the rule and the fix. Ends with a line end.
#[must_use]
pub fn render(finding: &Finding, sources: &Sources) -> String {
    render_in(finding, sources.files())
}

/// Every finding of one file that stands alone, such as `board.toml`, one after another.
#[must_use]
pub fn render_file(findings: &[Finding], file: &File) -> String {
    let shown: Vec<String> = findings.iter().map(|f| render_in(f, std::iter::once(file))).collect();
    shown.join("\n")
}

fn render_in<'a>(finding: &Finding, mut files: impl Iterator<Item = &'a File>) -> String {
    let Finding { code, file, line, column, severity, rule, says, fix } = finding;
    let mut text = format!("{} {code}: {says}\n", severity.as_str());
    let _ = writeln!(text, "  --> {file}:{line}:{column}  {rule}");
    let source = files.find(|f| f.name == *file);
    let nth = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    if let Some(shown) = source.and_then(|f| f.text.lines().nth(nth)) {
        let shown: String = shown.chars().take(SHOWN_CHARS_MAX).map(plain).collect();
        let before = usize::try_from(column.saturating_sub(1)).unwrap_or(0).min(SHOWN_CHARS_MAX);
        let _ = writeln!(text, "{line:>5} | {}", shown.trim_end());
        let _ = writeln!(text, "      | {}^", " ".repeat(before));
    }
    if let Some(fix) = fix {
        let _ = writeln!(text, "  fix: {fix}");
    }
    text
}

/// Every finding, one after another.
#[must_use]
pub fn render_all(findings: &[Finding], sources: &Sources) -> String {
    let shown: Vec<String> = findings.iter().map(|f| render(f, sources)).collect();
    shown.join("\n")
}

/// A control or direction character must not reach a terminal.
pub(crate) fn plain(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() || crate::letters::is_hidden(c) => '\u{fffd}',
        c => c,
    }
}

/// Widest source line shown.
const SHOWN_CHARS_MAX: usize = 200;

/// Gathers the findings of one file.
pub(crate) struct Faults<'a> {
    file: &'a File,
    found: RefCell<Vec<Finding>>,
}

impl<'a> Faults<'a> {
    pub(crate) const fn new(file: &'a File) -> Self {
        Self { file, found: RefCell::new(Vec::new()) }
    }

    pub(crate) fn add(
        &self,
        code: &'static str,
        severity: Severity,
        span: &Range<usize>,
        rule: impl Into<String>,
        says: impl Into<String>,
        fix: Option<String>,
    ) {
        let (line, column) = self.place(span.start);
        let file = self.file.name.clone();
        let finding =
            Finding { code, file, line, column, severity, rule: rule.into(), says: says.into(), fix };
        let mut found = self.found.borrow_mut();
        if found.len() < FINDINGS_MAX && !found.contains(&finding) {
            found.push(finding);
        }
    }

    pub(crate) fn error(
        &self,
        code: &'static str,
        span: &Range<usize>,
        rule: impl Into<String>,
        says: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(code, Severity::Error, span, rule, says, Some(fix.into()));
    }

    pub(crate) fn warn(
        &self,
        code: &'static str,
        span: &Range<usize>,
        rule: impl Into<String>,
        says: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(code, Severity::Warning, span, rule, says, Some(fix.into()));
    }

    pub(crate) fn text(&self) -> &'a str {
        &self.file.text
    }

    /// The findings in the order of the file.
    pub(crate) fn into_found(self) -> Vec<Finding> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|f| (f.line, f.column, f.code));
        found
    }

    fn place(&self, at: usize) -> (u32, u32) {
        let before: &str = self.file.text.get(..at).unwrap_or_default();
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}

/// Most findings kept of one file: nobody reads more, and a hostile file must not fill memory.
const FINDINGS_MAX: usize = 500;
