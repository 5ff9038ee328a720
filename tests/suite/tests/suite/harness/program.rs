//! The program under test: run to its end, or left running as a child that ends with the test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up: a debug build on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What a command said, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// The exit code; 128 where a signal ended it.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// Asserts the exit code, showing what was said where it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Asserts that one of the two streams says this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "no `{text}` in stdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }
}

/// `cairn`, as it stands beside this test's executable. Every command of the suite goes through here.
pub(crate) fn cairn() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(PROGRAM.get_or_init(find));
    command.stdin(Stdio::null()).env("NO_COLOR", "1").env("COLUMNS", "100");
    command.env_remove("CAIRN_AS").env_remove("CAIRN_COORDINATOR");
    command
}

/// The tests of the whole workspace build the program, since its own package has a test. Alone, the suite builds it once.
fn find() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join(format!("cairn{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        eprintln!("{} is not there: building it once", program.display());
        let mut cargo = cargo();
        cargo.args(["build", "--locked", "-p", "cairn", "--target-dir"]).arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "cargo build -p cairn");
    }
    program
}

/// cargo, for another build of the program in the folder of this one. What was told to this test, or to the build that a person began, would
/// change what is built: the flags stay, since with others every dependency would be built again.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells a test of its own package is news to build scripts, which would run again, and all that builds on them.
    let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];
    // A linter in the compiler's place, and another folder for what is built.
    let asked = ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC_", "CARGO_BUILD_TARGET"];
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| told.iter().chain(&asked).any(|begin| name.starts_with(begin))) {
        cargo.env_remove(name);
    }
    cargo
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> Done {
    let output = command.output().unwrap();
    Done {
        code: output.status.code().unwrap_or(128),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A running child of this test. Dropping it kills it, and nothing else.
pub(crate) struct Running {
    child: Child,
    pub(crate) log: PathBuf,
}

impl Running {
    /// Starts a service whose log is appended to a file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let out = file.try_clone().unwrap();
        let child = command.stdout(out).stderr(file).spawn().unwrap();
        Self { child, log: log.to_owned() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it at once (on Unix: SIGKILL) and waits until it is gone.
    pub(crate) fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as a service manager does, and gives its exit code.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> i32 {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let ended = wait_for("a service to stop", || self.child.try_wait().unwrap());
        ended.code().unwrap_or(128)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either may have happened already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until there is something, or [`PATIENCE`] is over.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}
