//! A federation of many partners on this machine: real processes of the program `cairn`, set up by its own commands, over loopback.

use std::fs::File as FsFile;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use cairn_policy::approval::{Change, MADE_UP_QUORUM, MadeUpBoard};
use cairn_policy::{File, Layers, Sources};
use cairn_question::{Day, Moment, Name};
use serde_json::Value;

use crate::{Failed, now};

/// Longest that anybody waits for a process to come up.
const PATIENCE: Duration = Duration::from_secs(600);

/// What every partner holds.
pub(crate) struct Holds {
    /// The policy, as `cairn node init` writes it, changed.
    pub(crate) policy: fn(String) -> Result<String, Failed>,
    pub(crate) framework: fn(String) -> Result<String, Failed>,
    /// How its export is read.
    pub(crate) mapping: fn(partner: &str) -> String,
    /// Its one file of records.
    pub(crate) people: String,
}

/// A running federation. Dropping it ends its processes and removes its folder.
pub(crate) struct Federation {
    folder: tempfile::TempDir,
    program: PathBuf,
    partners: Vec<String>,
    // Dropped first of all by `Drop`: nodes that lose the folder under them have much to say.
    children: Vec<Child>,
    address: String,
}

impl Federation {
    /// Makes an authority, an analyst with these roles, a coordinator and `partners` loaded nodes, starts them and waits until all are connected.
    pub(crate) fn start(
        program: PathBuf,
        partners: usize,
        roles: &[&str],
        holds: &Holds,
    ) -> Result<Self, Failed> {
        let mut federation = Self {
            folder: tempfile::tempdir()?,
            program,
            partners: (1..=partners).map(|n| format!("partner-{n:02}")).collect(),
            children: Vec::new(),
            address: String::new(),
        };
        federation.make_authority(roles)?;
        for partner in federation.partners.clone() {
            federation.make_partner(&partner, holds)?;
        }
        federation.start_coordinator()?;
        for partner in federation.partners.clone() {
            federation.start_node(&partner)?;
        }
        federation.wait("the nodes", |f| f.connected() == Some(f.partners.len()))?;
        Ok(federation)
    }

    /// `cairn ask --format json`: what it took from the command to its table, and the table.
    pub(crate) fn ask(&self, question: &str, words: &[&str]) -> Result<(Duration, Value), Failed> {
        let who = ["--format", "json", "--as", "analyst", "--coordinator", &self.address];
        let mut command = self.command(&[&["ask", question], words, &who[..]].concat());
        let start = now();
        let done = command.output()?;
        let took = start.elapsed();
        let answer: Value = serde_json::from_slice(&done.stdout)
            .map_err(|_| Failed::new(format!("no answer: {}", String::from_utf8_lossy(&done.stderr))))?;
        if done.status.success() { Ok((took, answer)) } else { Err(Failed::new(format!("{answer:#}"))) }
    }

    /// The partners' names.
    pub(crate) fn partners(&self) -> impl Iterator<Item = &str> {
        self.partners.iter().map(String::as_str)
    }

    /// A file for the program to read.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Failed> {
        Ok(std::fs::write(self.path(name), text)?)
    }

    /// Begins a command, and waits for nothing.
    pub(crate) fn begin(&self, words: &[&str]) -> Result<Child, Failed> {
        Ok(self.command(words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
    }

    fn make_authority(&self, roles: &[&str]) -> Result<(), Failed> {
        self.cairn(&["authority", "init", "--federation", "bench", "authority"])?;
        let hub = ["authority", "coordinator", "authority", "--address", "127.0.0.1", "--out", "hub"];
        self.cairn(&hub)?;
        self.cairn(&[
            "authority",
            "issuer",
            "authority",
            "--name",
            "scottish-government",
            "--out",
            "issuer",
        ])?;
        self.cairn(&["authority", "analyst", "authority", "--id", "analyst", "--out", "analyst"])?;
        for role in roles {
            let whose = ["--analyst", "analyst", "--role", role, "--organisation", "A made-up office"];
            self.cairn(&[&["authority", "credential", "issuer"], &whose[..]].concat())?;
        }
        let words = ["coordinator", "init", "coordinator", "--identity", "hub", "--listen", "127.0.0.1:0"];
        self.cairn(&[&words[..], &["--register", "authority/register.json"]].concat())
    }

    fn make_partner(&self, id: &str, holds: &Holds) -> Result<(), Failed> {
        let identity = format!("identity/{id}");
        let words = ["authority", "partner", "authority", "--id", id, "--name", id];
        self.cairn(&[&words[..], &["--kind", "council", "--out", &identity]].concat())?;
        let words = ["node", "init", id, "--identity", &identity, "--coordinator", NOWHERE];
        self.cairn(&[&words[..], &["--policy", "council", "--controller", "A made-up council"]].concat())?;
        self.edit(&format!("{id}/policy/policy.toml"), |text| (holds.policy)(in_date(&text)))?;
        self.edit(&format!("{id}/policy/framework.toml"), holds.framework)?;
        self.approve(id)?;
        let (export, mapping) = (format!("export/{id}"), format!("export/{id}.toml"));
        std::fs::create_dir_all(self.path(&export))?;
        std::fs::write(self.path(&format!("{export}/people.csv")), &holds.people)?;
        std::fs::write(self.path(&mapping), (holds.mapping)(id))?;
        let words = ["node", "load", "--node", id, "--mapping", &mapping, "--source", &export, "--commit"];
        self.cairn(&words)
    }

    /// A board that nobody sits on approves what lies in the partner's folder, and the node pins it.
    fn approve(&self, id: &str) -> Result<(), Failed> {
        let today = today();
        let board = Name::new(format!("{id}-board"))?;
        let board = MadeUpBoard::new(board, id.as_bytes(), today.plus_days(-2), today.plus_days(30));
        self.edit(&format!("{id}/node.toml"), |text| Ok(format!("board = \"{}\"\n{text}", board.hash())))?;
        let folder = self.path(&format!("{id}/policy"));
        let file = |name: &str| Ok::<_, Failed>(File::new(name, std::fs::read_to_string(folder.join(name))?));
        let sources =
            Sources { framework: file("framework.toml")?, policy: file("policy.toml")?, brake: None };
        let layers = Layers::load(&sources).map_err(|found| Failed::new(format!("{found:?}")))?;
        let change = Change::between(None, &layers)?;
        let placed = board.approve(&sources, None, change, &MADE_UP_QUORUM);
        std::fs::write(folder.join("board.toml"), board.text())?;
        std::fs::create_dir_all(folder.join("approvals"))?;
        for file in placed.ok_or_else(|| Failed::new("the policy is not approved"))? {
            std::fs::write(folder.join(&file.path), file.text)?;
        }
        Ok(())
    }

    fn start_coordinator(&mut self) -> Result<(), Failed> {
        let words = ["coordinator", "run", "--config", "coordinator/coordinator.toml"];
        self.start_child(&[&words[..], &["--address-file", "coordinator/address"]].concat(), "coordinator")?;
        self.wait("the coordinator", |f| f.read("coordinator/address").is_some_and(|a| a.ends_with('\n')))?;
        self.address = self.read("coordinator/address").unwrap_or_default().trim_end().to_owned();
        Ok(())
    }

    fn start_node(&mut self, id: &str) -> Result<(), Failed> {
        let address = self.address.clone();
        self.edit(&format!("{id}/node.toml"), |text| Ok(text.replace(NOWHERE, &address)))?;
        self.start_child(&["node", "run", "--node", id], id)
    }

    fn start_child(&mut self, words: &[&str], name: &str) -> Result<(), Failed> {
        let log = FsFile::create(self.path(&format!("{name}.log")))?;
        let child = self.command(words).stdout(log.try_clone()?).stderr(log).spawn()?;
        self.children.push(child);
        Ok(())
    }

    fn connected(&self) -> Option<usize> {
        let status: Value = serde_json::from_str(&self.read("coordinator/status.json")?).ok()?;
        Some(status.get("connected")?.as_array()?.len())
    }

    fn wait(&mut self, whom: &str, ready: impl Fn(&Self) -> bool) -> Result<(), Failed> {
        let start = now();
        while !ready(self) {
            let ended = self.children.iter_mut().any(|child| !matches!(child.try_wait(), Ok(None)));
            if ended || start.elapsed() > PATIENCE {
                return Err(Failed::new(format!("{whom} did not come up")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn cairn(&self, words: &[&str]) -> Result<(), Failed> {
        let done = self.command(words).output()?;
        let said = || format!("cairn {}: {}", words.join(" "), String::from_utf8_lossy(&done.stderr));
        if done.status.success() { Ok(()) } else { Err(Failed::new(said())) }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        command.env_remove("CAIRN_AS").env_remove("CAIRN_COORDINATOR");
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    fn edit(&self, name: &str, change: impl FnOnce(String) -> Result<String, Failed>) -> Result<(), Failed> {
        let path = self.path(name);
        Ok(std::fs::write(&path, change(std::fs::read_to_string(&path)?)?)?)
    }
}

impl Drop for Federation {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program, where none is named: the one beside this measurement.
pub(crate) fn program_beside() -> Result<PathBuf, Failed> {
    let own = std::env::current_exe()?;
    let folder = own.parent().unwrap_or_else(|| Path::new("."));
    let program = folder.join(format!("cairn{}", std::env::consts::EXE_SUFFIX));
    let missing = || {
        let says = "is not there: build it (`cargo build --release -p cairn`), or name one with --program";
        Failed::new(format!("{} {says}", program.display()))
    };
    if program.is_file() { Ok(program) } else { Err(missing()) }
}

/// The policy with dates around today.
fn in_date(policy: &str) -> String {
    let (from, until) = (today().plus_days(-60), today().plus_days(300));
    let date = |line: &str| match line.split('=').next().unwrap_or_default().trim() {
        "effective_from" => format!("effective_from = {from}\n"),
        "review_by" => format!("review_by = {}\n", until.plus_days(-1)),
        "expires" => format!("expires = {until}\n"),
        _ => format!("{line}\n"),
    };
    policy.lines().map(date).collect()
}

#[expect(clippy::disallowed_methods, reason = "a policy in force today is what this program measures")]
fn today() -> Day {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment::from_unix_s(since.as_secs()).day_utc()
}

/// Where a node dials before there is a coordinator.
const NOWHERE: &str = "127.0.0.1:1";
