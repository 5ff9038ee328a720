//! What the commands of a board do: their words, their files and their exit codes. The real program, run by its path.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

#[path = "policy/ask.rs"]
mod ask;
#[path = "policy/diff.rs"]
mod diff;
#[path = "policy/files.rs"]
mod files;
#[path = "policy/new.rs"]
mod new;
#[path = "policy/pack.rs"]
mod pack;
#[path = "policy/replay.rs"]
mod replay;
#[path = "policy/sign.rs"]
mod sign;
#[path = "policy/status.rs"]
mod status;
#[path = "policy/tried.rs"]
mod tried;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs `cairn policy …` in the root of the tree.
fn policy(words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
    command.arg("policy").args(words).current_dir(root()).env("NO_COLOR", "1").env("COLUMNS", "100");
    Ran::new(words, command.output().unwrap())
}

/// How a command ended, and what it said.
struct Ran {
    words: String,
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn new(words: &[&str], output: Output) -> Self {
        Self {
            words: words.join(" "),
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Ends with this code.
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}{}", self.words, self.out, self.err);
        self
    }

    /// Says this, on either stream.
    fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "{}: {text}\n{}{}",
            self.words,
            self.out,
            self.err
        );
        self
    }

    /// Everything that it said, for a golden file.
    fn told(&self) -> String {
        format!("$ cairn policy {}\n{}{}exit {}\n", self.words, self.out, self.err, self.code)
    }
}

/// The design's worked example.
const FIXTURE: &str = "crates/policy/tests/fixtures/strathcarron";

/// Runs `cairn policy COMMAND FILES…` on files of the worked example, under its own dictionary and framework.
fn example(command: &str, files: &[&str], also: &[&str]) -> Ran {
    let files: Vec<String> = files.iter().map(|f| format!("{FIXTURE}/{f}")).collect();
    let (dictionary, framework) = (format!("{FIXTURE}/dictionary"), format!("{FIXTURE}/framework.toml"));
    let mut words = vec![command];
    words.extend(files.iter().map(String::as_str));
    words.extend(["--dictionary", &dictionary, "--framework", &framework]);
    words.extend(also);
    policy(&words)
}

/// The root of the tree, where the shipped policies are.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
