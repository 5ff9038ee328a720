//! DuckDB in a Python process of its own: one line of JSON in, one out.

use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use cairn_records::Snapshot;
use serde_json::{Value, json};

use crate::Failed;
use crate::questions::Counts;

/// The process.
pub(crate) struct Duck {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Duck {
    pub(crate) fn start(snapshot: &Snapshot, threads: NonZeroUsize) -> Result<Self, Failed> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("duck.py");
        let mut child =
            Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let no_pipe = || Failed::new("python3 has no pipes");
        let to = child.stdin.take().ok_or_else(no_pipe)?;
        let from = BufReader::new(child.stdout.take().ok_or_else(no_pipe)?);
        let mut duck = Self { child, to, from };
        let files =
            ["participants", "engagements", "outcomes"].map(|t| (t.to_owned(), json!(snapshot.parts(t))));
        duck.exchange(&json!({ "threads": threads, "files": Value::Object(files.into_iter().collect()) }))?;
        Ok(duck)
    }

    /// Runs the query of that name; gives the time that DuckDB took, and what it counted.
    pub(crate) fn ask(&mut self, name: &str) -> Result<(Duration, Counts), Failed> {
        let answer = self.exchange(&json!({ "ask": name }))?;
        let micros = answer.get("micros").and_then(Value::as_u64).ok_or_else(|| Failed::new("no time"))?;
        let rows = answer.get("rows").cloned().ok_or_else(|| Failed::new("no rows"))?;
        Ok((Duration::from_micros(micros), Counts::from_rows(serde_json::from_value(rows)?)))
    }

    fn exchange(&mut self, line: &Value) -> Result<Value, Failed> {
        writeln!(self.to, "{line}")?;
        self.to.flush()?;
        let mut answer = String::new();
        if self.from.read_line(&mut answer)? == 0 {
            return Err(Failed::new("duck.py ended; is the Python package `duckdb` installed?"));
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Duck {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
