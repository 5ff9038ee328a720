//! Child processes of a staged federation: the same program, each with its own folder and log, ended with it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

/// This program, run again with other words.
pub(crate) struct Program(PathBuf);

impl Program {
    pub(crate) fn this() -> Result<Self, Failure> {
        std::env::current_exe()
            .map(Self)
            .map_err(|_| Failure::new("CC501", "cannot find this program's own file to run it again"))
    }

    /// Runs a command to its end without showing it; a failure shows what it said.
    pub(crate) fn quiet(&self, words: &[&str]) -> Result<Output, Failure> {
        let out =
            Command::new(&self.0).args(words).stdin(Stdio::null()).output().map_err(|_| cannot(words))?;
        if out.status.success() {
            return Ok(out);
        }
        say::note(&String::from_utf8_lossy(&out.stderr));
        Err(Failure::new("CC502", format!("`cairn {}` ended with {}", words.join(" "), out.status)))
    }

    /// Shows a command as a person would type it, runs it, and lets it speak. Gives its exit code.
    pub(crate) fn shown(&self, words: &[&str]) -> Result<u8, Failure> {
        say::out(&format!("$ cairn {}\n\n", typed(words)));
        let status =
            Command::new(&self.0).args(words).stdin(Stdio::null()).status().map_err(|_| cannot(words))?;
        say::out("\n");
        Ok(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(Exit::Failed.number()))
    }

    /// Starts a service whose log goes to a file.
    pub(crate) fn start(&self, words: &[&str], log: &Path) -> Result<Running, Failure> {
        let cannot_log = |_| Failure::new("CC104", format!("{} cannot be written", log.display()));
        let file = File::options().create(true).append(true).open(log).map_err(cannot_log)?;
        let child =
            Command::new(&self.0).args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn();
        child.map(Running).map_err(|_| cannot(words))
    }
}

/// This program's file, as short as it can be written from here.
pub(crate) fn own_path() -> String {
    let own = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("cairn"));
    let here = std::env::current_dir().ok();
    let short = here.and_then(|here| own.strip_prefix(here).ok().map(Path::to_path_buf));
    short.unwrap_or(own).display().to_string()
}

/// A running child. Dropping it ends it.
pub(crate) struct Running(Child);

impl Running {
    /// Whether it ended by itself.
    pub(crate) fn ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either may have happened already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The words as a shell would take them.
fn typed(words: &[&str]) -> String {
    let quoted = |w: &&str| if w.contains(' ') { format!("\"{w}\"") } else { (*w).to_owned() };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn cannot(words: &[&str]) -> Failure {
    Failure::new("CC502", format!("`cairn {}` cannot be started", words.join(" ")))
}
