//! Speaking to the person at the screen: results to stdout, everything else to stderr.
//!
//! Colour follows the terminal and `NO_COLOR` (by `anstream`). Nothing here may print a person's value.

use std::io::Write as _;

const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

/// A result, as it is. A closed pipe is no fault of ours.
pub(crate) fn out(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
    let _ = anstream::stdout().flush();
}

/// A line about what is going on.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// A warning.
pub(crate) fn warning(code: &str, text: &str) {
    let _ = writeln!(anstream::stderr(), "{YELLOW}warning{RESET} [{code}]: {text}");
}

/// An error with its stable code; its page in docs/reference/codes says what to do next.
pub(crate) fn error(code: &str, text: &str) {
    // Some errors begin with their own code.
    let text = text.strip_prefix(code).map_or(text, str::trim_start);
    let _ = writeln!(anstream::stderr(), "{RED}error{RESET} [{code}]: {text}");
}
