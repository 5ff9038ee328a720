//! A federation in a temporary folder, set up by the commands that a person would type.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cairn_policy::approval::{Change, MADE_UP_QUORUM, MadeUpBoard};
use cairn_policy::{File, Layers, Sources};
use cairn_question::{Day, Moment, Name};

use super::people::{Person, mapping, write_export};
use super::program::{Done, Running, cairn, run, wait_for};

/// The federation's name.
pub(crate) const NAME: &str = "suite";

/// The role and purpose that the shipped council policy answers under `suppress-round`.
pub(crate) const EVERYDAY: &[&str] = &["--role", "own-tables-analyst", "--purpose", "smf-reporting"];

/// The role and purpose that it answers under `dp`.
pub(crate) const EQUALITIES: &[&str] = &["--role", "equalities-analyst", "--purpose", "equalities"];

/// One partner of a test's federation.
#[derive(Default)]
pub(crate) struct Partner {
    pub(crate) id: &'static str,
    pub(crate) people: Vec<Person>,
    /// What is replaced in the shipped council policy.
    pub(crate) policy: Vec<(&'static str, &'static str)>,
    /// What is replaced in the shipped framework.
    pub(crate) framework: Vec<(&'static str, &'static str)>,
    /// Lines added to `node.toml`.
    pub(crate) config: &'static str,
    pub(crate) board: Board,
}

/// Who approves a partner's policy.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(crate) enum Board {
    /// A board of the suite's own, whose keys it has: it can approve again.
    #[default]
    Suites,
    /// The one of `cairn node init --made-up-board`, which approves the shipped policy as it is, once.
    MadeUp,
}

impl Partner {
    pub(crate) fn new(id: &'static str, people: Vec<Person>) -> Self {
        Self { id, people, ..Self::default() }
    }
}

/// A federation at work. Dropping it kills its children and removes its folder.
pub(crate) struct Federation {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) address: String,
    coordinator: Option<Running>,
    nodes: BTreeMap<String, Running>,
    /// How many connections of each partner the coordinator must have seen before the one that is waited for is there.
    due: BTreeMap<String, usize>,
    /// Whatever any command said, for the canary.
    said: Mutex<Vec<Vec<u8>>>,
}

impl Federation {
    /// Authority, coordinator and one loaded node for each partner, all of them connected.
    pub(crate) fn start(partners: &[Partner]) -> Self {
        Self::start_with(partners, "")
    }

    /// The same; the coordinator's configuration ends in `more` lines.
    pub(crate) fn start_with(partners: &[Partner], more: &str) -> Self {
        let mut federation = Self::set_up(partners, more);
        federation.start_coordinator();
        for partner in partners {
            federation.load(partner.id).exits(0);
            federation.start_node(partner.id);
        }
        federation.wait_connected(&partners.iter().map(|p| p.id).collect::<Vec<_>>());
        federation
    }

    /// Everything but loads and services.
    pub(crate) fn set_up(partners: &[Partner], more: &str) -> Self {
        let federation = Self {
            dir: tempfile::tempdir().unwrap(),
            address: String::new(),
            coordinator: None,
            nodes: BTreeMap::new(),
            due: BTreeMap::new(),
            said: Mutex::default(),
        };
        federation.make_authority();
        federation.make_analyst("analyst");
        let (identity, register) =
            (federation.path("hub-identity"), federation.path("authority/register.json"));
        partners.iter().for_each(|partner| federation.enrol(partner.id));
        let words = ["coordinator", "init", "coordinator", "--identity", &text(&identity)];
        let more_words = ["--register", &text(&register), "--listen", "127.0.0.1:0"];
        federation.cairn(&[&words[..], &more_words[..]].concat()).exits(0);
        federation.append("coordinator/coordinator.toml", more);
        for partner in partners {
            federation.make_node(partner);
        }
        federation
    }

    fn enrol(&self, partner: &str) {
        let out = self.path(&format!("identity/{partner}"));
        let words = ["authority", "partner", "authority", "--id", partner, "--name", partner];
        self.cairn(&[&words[..], &["--kind", "council", "--out", &text(&out)]].concat()).exits(0);
    }

    /// Enrols one more partner beside those that run, and starts its node.
    pub(crate) fn join(&mut self, partner: &Partner) {
        self.enrol(partner.id);
        self.make_node(partner);
        self.load(partner.id).exits(0);
        self.start_node(partner.id);
    }

    fn make_authority(&self) {
        self.cairn(&["authority", "init", "--federation", NAME, "authority"]).exits(0);
        let words =
            ["authority", "coordinator", "authority", "--address", "127.0.0.1", "--out", "hub-identity"];
        self.cairn(&words).exits(0);
        let words = ["authority", "issuer", "authority", "--name", "scottish-government", "--out", "issuer"];
        self.cairn(&words).exits(0);
    }

    /// An analyst with a credential for both roles, in a folder of its name.
    pub(crate) fn make_analyst(&self, id: &str) {
        self.cairn(&["authority", "analyst", "authority", "--id", id, "--out", id]).exits(0);
        for role in ["own-tables-analyst", "equalities-analyst"] {
            let words = ["authority", "credential", "issuer", "--analyst", id, "--role", role];
            self.cairn(&[&words[..], &["--organisation", "A made-up office"]].concat()).exits(0);
        }
    }

    fn make_node(&self, partner: &Partner) {
        let identity = format!("identity/{}", partner.id);
        let words = ["node", "init", partner.id, "--identity", &identity, "--coordinator", UNKNOWN];
        let policy = ["--policy", "council", "--controller", "A made-up council"];
        let board: &[&str] = match partner.board {
            Board::Suites => &[],
            Board::MadeUp => &["--made-up-board"],
        };
        self.cairn(&[&words[..], &policy[..], board].concat()).exits(0);
        self.append(&format!("{}/node.toml", partner.id), partner.config);
        if partner.board == Board::Suites {
            self.make_policy(partner);
        }
        write_export(&self.path(&format!("export/{}", partner.id)), &partner.people);
        std::fs::write(self.path(&format!("export/{}.toml", partner.id)), mapping(partner.id)).unwrap();
    }

    fn make_policy(&self, partner: &Partner) {
        let changed = |text: String, changes: &[(&str, &str)]| {
            changes.iter().fold(text, |text, (was, is)| {
                assert!(text.contains(was), "the shipped file has no `{was}`");
                text.replace(was, is)
            })
        };
        let file = |name: &str| format!("{}/policy/{name}.toml", partner.id);
        self.edit(&file("policy"), |policy| changed(in_date(policy), &partner.policy));
        self.edit(&file("framework"), |framework| changed(framework, &partner.framework));
        self.pin_board(partner.id);
        self.approve(partner.id, &MADE_UP_QUORUM);
    }

    /// The suite's board of a partner.
    fn board(partner: &str) -> MadeUpBoard {
        let today = now().day_utc();
        let id = Name::new(format!("{partner}-board")).unwrap();
        MadeUpBoard::new(id, partner.as_bytes(), today.plus_days(-2), today.plus_days(30))
    }

    fn pin_board(&self, partner: &str) {
        let board = Self::board(partner);
        // On top: a table may stand at the end.
        self.edit(&format!("{partner}/node.toml"), |text| format!("board = \"{}\"\n{text}", board.hash()));
        std::fs::write(self.path(&format!("{partner}/policy/board.toml")), board.text()).unwrap();
    }

    /// These members of the partner's board sign the policy that lies in its folder, as what it does to the one that the node keeps.
    pub(crate) fn approve(&self, partner: &str, members: &[&str]) {
        let file = |name: &str| File::new(name, self.read(&format!("{partner}/policy/{name}")));
        let sources = Sources { framework: file("framework.toml"), policy: file("policy.toml"), brake: None };
        let new = Layers::load(&sources).unwrap();
        let old = self.kept_policy(partner);
        let change = Change::between(old.as_ref(), &new).unwrap();
        let replaces = old.map(|old| old.statement().hash);
        let folder = self.path(&format!("{partner}/policy"));
        let _ = std::fs::remove_dir_all(folder.join("approvals"));
        std::fs::create_dir(folder.join("approvals")).unwrap();
        for file in Self::board(partner).approve(&sources, replaces, change, members).unwrap() {
            std::fs::write(folder.join(&file.path), file.text).unwrap();
        }
    }

    /// The policy that a node keeps as the one in force.
    fn kept_policy(&self, partner: &str) -> Option<Layers> {
        let kept = std::fs::read_to_string(self.path(&format!("{partner}/policy-in-force.json"))).ok()?;
        let kept: serde_json::Value = serde_json::from_str(kept.split_once('\n')?.1).ok()?;
        let file = |name: &str, key: &str| File::new(name, kept[key].as_str().unwrap());
        let (framework, policy) = (file("framework.toml", "framework"), file("policy.toml", "policy"));
        Some(Layers::load(&Sources { framework, policy, brake: None }).unwrap())
    }

    /// A new version of a partner's policy, naming the one that it replaces, signed by these members.
    pub(crate) fn next_policy(&self, partner: &str, members: &[&str], change: impl FnOnce(String) -> String) {
        self.edit(&format!("{partner}/policy/policy.toml"), |text| {
            let head = |line: &str| !line.starts_with("version ") && !line.starts_with("supersedes ");
            let was = self.kept_policy(partner).unwrap();
            let (version, hash) = (was.statement().version + 1, was.statement().hash);
            let kept: String = text.lines().filter(|l| head(l)).map(|l| format!("{l}\n")).collect();
            let lines = format!("[policy]\nversion = {version}\nsupersedes = \"{hash}\"");
            change(kept.replacen("[policy]", &lines, 1))
        });
        self.approve(partner, members);
    }

    /// Loads a partner's export and publishes it.
    pub(crate) fn load(&self, partner: &str) -> Done {
        let (mapping, source) = (format!("export/{partner}.toml"), format!("export/{partner}"));
        self.cairn(&[
            "node",
            "load",
            "--node",
            partner,
            "--mapping",
            &mapping,
            "--source",
            &source,
            "--commit",
        ])
    }

    /// Starts the coordinator: the first time on a port that the system chooses, later on the same one.
    pub(crate) fn start_coordinator(&mut self) {
        let address_file = self.path("coordinator/address");
        let _ = std::fs::remove_file(&address_file);
        for partner in self.nodes.keys().cloned().collect::<Vec<_>>() {
            self.expect(&partner);
        }
        let words = ["coordinator", "run", "--config", "coordinator/coordinator.toml"];
        let command = self.command(&[&words[..], &["--address-file", "coordinator/address"]].concat());
        let mut running = Running::start(command, &self.path("coordinator.log"));
        let address = wait_for("the coordinator", || {
            assert!(!running.has_ended(), "the coordinator ended: {}", self.read("coordinator.log"));
            std::fs::read_to_string(&address_file).ok()?.strip_suffix('\n').map(str::to_owned)
        });
        self.coordinator = Some(running);
        self.edit("coordinator/coordinator.toml", |text| text.replace("127.0.0.1:0", &address));
        self.address = address;
    }

    /// Starts a partner's node, which dials the coordinator.
    pub(crate) fn start_node(&mut self, partner: &str) {
        let address = self.address.clone();
        self.start_node_at(partner, &address);
    }

    /// Starts a partner's node, which dials `address`.
    pub(crate) fn start_node_at(&mut self, partner: &str, address: &str) {
        let place = |line: &str| {
            if line.starts_with("coordinator") {
                format!("coordinator = \"{address}\"")
            } else {
                line.to_owned()
            }
        };
        self.edit(&format!("{partner}/node.toml"), |text| text.lines().map(|l| place(l) + "\n").collect());
        self.start_node_as(partner, self.command(&["node", "run", "--node", partner]));
    }

    /// Starts a partner's node by this command, where it dialled last.
    pub(crate) fn start_node_as(&mut self, partner: &str, command: std::process::Command) {
        let log = self.path(&format!("{partner}.log"));
        self.expect(partner);
        let running = Running::start(command, &log);
        self.nodes.insert(partner.to_owned(), running);
    }

    /// The partner is about to connect: [`Self::wait_connected`] waits for one connection more than there were.
    pub(crate) fn expect(&mut self, partner: &str) {
        self.due.insert(partner.to_owned(), self.connections(partner) + 1);
    }

    /// How often a partner has connected, by the coordinator's log.
    pub(crate) fn connections(&self, partner: &str) -> usize {
        let log = std::fs::read_to_string(self.path("coordinator.log")).unwrap_or_default();
        let end = format!("a node is connected partner={partner}");
        log.lines().filter(|line| line.ends_with(&end)).count()
    }

    /// Waits until exactly these are connected, by the coordinator's own status file. Of a node that was killed, or has stopped just
    /// now, it still says so: whoever was started since must also have come.
    #[track_caller]
    pub(crate) fn wait_connected(&mut self, partners: &[&str]) {
        let status = self.path("coordinator/status.json");
        let mut wanted = partners.to_vec();
        wanted.sort_unstable();
        wait_for(&format!("{wanted:?} to be connected"), || {
            for (id, node) in &mut self.nodes {
                assert!(!node.has_ended(), "{id} ended: {}", std::fs::read_to_string(&node.log).unwrap());
            }
            let status: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(&status).ok()?).ok()?;
            let mut connected: Vec<&str> =
                status["connected"].as_array()?.iter().filter_map(|p| p.as_str()).collect();
            connected.sort_unstable();
            let due = |partner: &&str| self.due.get(*partner).is_none_or(|d| self.connections(partner) >= *d);
            (connected == wanted && wanted.iter().all(due)).then_some(())
        });
    }

    /// Whether a partner's node, which nobody stopped, has ended.
    pub(crate) fn has_ended(&mut self, partner: &str) -> bool {
        self.nodes.get_mut(partner).unwrap().has_ended()
    }

    /// Takes a partner's running node out, to kill or to stop.
    pub(crate) fn take_node(&mut self, partner: &str) -> Running {
        self.nodes.remove(partner).unwrap()
    }

    /// Takes the running coordinator out, to kill or to stop.
    pub(crate) fn take_coordinator(&mut self) -> Running {
        self.coordinator.take().unwrap()
    }

    /// `cairn ask`, as the analyst: for every partner's own table, unless the words name a total's protection or the framework by
    /// whose usual one it is made.
    pub(crate) fn ask(&self, question: &str, words: &[&str]) -> Done {
        self.ask_through(&self.address, question, words)
    }

    /// The same, by way of something that stands before the coordinator.
    pub(crate) fn ask_through(&self, address: &str, question: &str, words: &[&str]) -> Done {
        let who = ["--as", "analyst", "--coordinator", address];
        let total = words.iter().any(|word| ["--total", "--framework"].contains(word));
        let path: &[&str] = if total { &[] } else { &["--own-tables"] };
        self.cairn(&[&["ask", question], words, path, &who[..]].concat())
    }

    /// `cairn ask --format json`, read; with the exit code.
    pub(crate) fn ask_json(&self, question: &str, words: &[&str]) -> (i32, serde_json::Value) {
        let done = self.ask(question, &[words, &["--format", "json"]].concat());
        let read = serde_json::from_str(&done.out);
        (done.code, read.unwrap_or_else(|_| panic!("no JSON: {done:?}")))
    }

    /// Exports a partner's audit to a new file and gives its path. The node may run.
    pub(crate) fn export_audit(&self, partner: &str, file: &str) -> PathBuf {
        let (ledger, identity) = (format!("{partner}/ledger.sqlite"), format!("identity/{partner}"));
        self.cairn(&["audit", "export", &ledger, "--identity", &identity, "--out", file]).exits(0);
        self.path(file)
    }

    /// Verifies an exported audit under the partner's key.
    pub(crate) fn verify_audit(&self, partner: &str, file: &str) -> Done {
        self.cairn(&["audit", "verify", file, "--key", &format!("identity/{partner}/signing.pub")])
    }

    /// The entries of a partner's audit, exported and verified just now.
    pub(crate) fn audit(&self, partner: &str) -> Vec<serde_json::Value> {
        let file = format!("{partner}-{}.jsonl", self.said.lock().unwrap().len());
        let text = std::fs::read_to_string(self.export_audit(partner, &file)).unwrap();
        self.verify_audit(partner, &file).exits(0);
        let entry =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap().get("entry").cloned();
        text.lines().filter_map(entry).collect()
    }

    /// Any command, in the federation's folder.
    pub(crate) fn cairn(&self, words: &[&str]) -> Done {
        let done = run(self.command(words));
        let mut said = self.said.lock().unwrap();
        said.extend([done.out.clone().into_bytes(), done.err.clone().into_bytes()]);
        done
    }

    /// A command of the program in the federation's folder, to be run.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> std::process::Command {
        let mut command = cairn();
        command.args(words).current_dir(self.dir.path());
        command
    }

    /// Everything that any command has said so far.
    pub(crate) fn said(&self) -> Vec<Vec<u8>> {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Rewrites a text file, whole.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let (path, fresh) = (self.path(name), self.path(&format!("{name}.new")));
        std::fs::write(&fresh, change(self.read(name))).unwrap();
        std::fs::rename(&fresh, &path).unwrap();
    }

    /// Adds lines at the end of a configuration; a key that stands there already goes.
    fn append(&self, name: &str, more: &str) {
        let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
        let added: Vec<String> = more.lines().map(key).collect();
        self.edit(name, |text| {
            let kept: String =
                text.lines().filter(|l| !added.contains(&key(l))).map(|l| format!("{l}\n")).collect();
            format!("{kept}{more}\n")
        });
    }
}

impl Drop for Federation {
    /// A test that failed shows what the services had to say.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for entry in std::fs::read_dir(self.dir.path()).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "log") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
                eprintln!("the end of {}:\n{last}\n", path.display());
            }
        }
    }
}

/// Lines of each log that a failed test shows.
const LOG_LINES: usize = 40;

/// Where a node dials that was never told the coordinator's port.
const UNKNOWN: &str = "127.0.0.1:1";

/// The policy with dates around today, so that the suite passes in any year.
fn in_date(policy: String) -> String {
    let today = now().day_utc();
    dated(policy, today.plus_days(-60), today.plus_days(300))
}

/// The policy in force from one day to another.
pub(crate) fn dated(policy: String, from: Day, until: Day) -> String {
    let date = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        match key {
            "effective_from" => format!("{key} = {from}\n"),
            "review_by" => format!("{key} = {}\n", until.plus_days(-1)),
            "expires" => format!("{key} = {until}\n"),
            _ => format!("{line}\n"),
        }
    };
    policy.lines().map(date).collect()
}

/// This machine's time.
pub(crate) fn now() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Moment::from_unix_s(since.as_secs())
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
