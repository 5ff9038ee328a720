//! A federation on one machine, in one folder: child processes of this same program that speak QUIC over loopback. The demo
//! shows it, the attack gate attacks it.

mod children;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::coordinator::STATUS_FILE;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{context, files};
pub(crate) use children::{Program, Running, own_path};

/// Longest that anybody waits for a process to come up.
const DIAL_IN: Duration = Duration::from_secs(120);

/// Where a coordinator listens before it has been given a port.
const ANY_PORT: &str = "127.0.0.1:0";

/// The coordinator's address in a node's configuration before there is one.
const NO_ADDRESS: &str = "127.0.0.1:1";

/// The folder of a federation, and the program that its processes run.
pub(crate) struct Staged {
    folder: PathBuf,
    pub(crate) program: Program,
    round_s: u16,
    /// The framework that every partner holds; `None` for the shipped one.
    framework: Option<String>,
}

/// One partner of a staged federation. All are made up, whatever they are called.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// The shipped policy that its folder begins with.
    pub(crate) policy: &'static str,
}

impl Staged {
    /// Makes the folder. One that is there is left as it is. A round of the coordinator lasts `round_s` seconds at most.
    ///
    /// # Errors
    /// CC107 where there is one.
    pub(crate) fn new(folder: &Path, round_s: u16) -> Result<Self, Failure> {
        if folder.exists() {
            let says = format!(
                "{} is there from before; delete it, or name another with --folder",
                folder.display()
            );
            return Err(Failure::new("CC107", says));
        }
        files::make_folder(folder)?;
        Ok(Self { folder: files::absolute(folder)?, program: Program::this()?, round_s, framework: None })
    }

    /// The same, every partner holding this framework.
    pub(crate) fn under(self, framework: &str) -> Result<Self, Failure> {
        let path = self.path("framework.toml");
        files::write_new(Path::new(&path), framework)?;
        Ok(Self { framework: Some(path), ..self })
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The federation's authority, its coordinator, two issuers, one analyst with a credential for each role, and the partners'
    /// identities: every key is made now.
    pub(crate) fn make_federation(
        &self,
        name: &str,
        analyst: (&str, &str),
        roles: &[&str],
        members: &[Member],
    ) -> Result<(), Failure> {
        let authority = self.path("authority");
        let quiet = |words: &[&str]| self.program.quiet(&[&["authority"], words].concat()).map(|_| ());
        quiet(&["init", "--federation", name, &authority])?;
        let (issuer, local) = (self.path("issuer"), self.path("local-issuer"));
        quiet(&["issuer", &authority, "--name", "scottish-government", "--out", &issuer])?;
        quiet(&["issuer", &authority, "--name", "local-partnership", "--out", &local])?;
        self.make_analyst(analyst, "analyst", roles)?;
        for m in members {
            let out = self.path(&format!("partners/{}/identity", m.id));
            quiet(&["partner", &authority, "--id", m.id, "--name", m.name, "--kind", m.kind, "--out", &out])?;
        }
        self.make_coordinator(&authority)
    }

    /// An analyst (id and organisation) with a credential for each role, in a folder of this name: the first and any other.
    pub(crate) fn make_analyst(
        &self,
        analyst: (&str, &str),
        folder: &str,
        roles: &[&str],
    ) -> Result<(), Failure> {
        let (authority, issuer, folder) = (self.path("authority"), self.path("issuer"), self.path(folder));
        let quiet = |words: &[&str]| self.program.quiet(&[&["authority"], words].concat()).map(|_| ());
        quiet(&["analyst", &authority, "--id", analyst.0, "--out", &folder])?;
        for role in roles {
            let whose = ["--analyst", &folder, "--role", role, "--organisation", analyst.1];
            quiet(&[&["credential", &issuer][..], &whose].concat())?;
        }
        Ok(())
    }

    fn make_coordinator(&self, authority: &str) -> Result<(), Failure> {
        let (identity, folder) = (self.path("coordinator/identity"), self.path("coordinator"));
        let register = self.path("authority/register.json");
        let make = ["authority", "coordinator", authority, "--address", "127.0.0.1", "--out", &identity];
        self.program.quiet(&make)?;
        let words = ["coordinator", "init", &folder, "--identity", &identity, "--register", &register];
        let round = self.round_s.to_string();
        self.program
            .quiet(&[&words[..], &["--listen", ANY_PORT, "--round-deadline-s", &round]].concat())
            .map(|_| ())
    }

    /// A node's folder, before there is an address to dial. A made-up board approves its policy.
    pub(crate) fn make_node(&self, m: &Member) -> Result<(), Failure> {
        self.init_node(m, &["--made-up-board"])
    }

    /// The same with a board whose approval is to come.
    pub(crate) fn make_node_under(&self, m: &Member, board: &Path) -> Result<(), Failure> {
        self.init_node(m, &["--board", &board.display().to_string()])
    }

    fn init_node(&self, m: &Member, board: &[&str]) -> Result<(), Failure> {
        let folder = self.path(&format!("partners/{}", m.id));
        let identity = self.path(&format!("partners/{}/identity", m.id));
        let words = ["node", "init", &folder, "--identity", &identity, "--coordinator", NO_ADDRESS];
        let policy = ["--policy", m.policy, "--controller", m.name];
        let framework: Vec<&str> =
            self.framework.iter().flat_map(|path| ["--framework", path.as_str()]).collect();
        self.program.quiet(&[&words[..], &policy[..], &framework, board].concat()).map(|_| ())
    }

    /// Loads and publishes an export.
    pub(crate) fn load(&self, member: &str) -> Result<(), Failure> {
        let node = self.path(&format!("partners/{member}"));
        let exports = self.path(&format!("exports/{member}"));
        let mapping = format!("{exports}/mapping.toml");
        let words =
            ["node", "load", "--node", &node, "--mapping", &mapping, "--source", &exports, "--commit"];
        self.program.quiet(&words).map(|_| ())
    }

    /// Starts the coordinator, then every node, and waits until all have dialled in.
    pub(crate) fn start(&self, members: &[Member]) -> Result<Federation, Failure> {
        files::make_folder(&self.folder.join("logs"))?;
        let (config, address_file) =
            (self.path("coordinator/coordinator.toml"), self.path("coordinator/address"));
        let words = ["coordinator", "run", "--config", &config, "--address-file", &address_file];
        let mut coordinator = self.program.start(&words, &self.folder.join("logs/coordinator.log"))?;
        let address =
            self.wait(&mut coordinator, "the coordinator", || read_line(Path::new(&address_file)))?;
        write_address(&config, ANY_PORT, &address)?;
        let mut nodes = Vec::new();
        for m in members {
            let config = self.path(&format!("partners/{}/node.toml", m.id));
            write_address(&config, NO_ADDRESS, &address)?;
            nodes.push((m.id, self.start_node(m.id)?));
        }
        self.wait_for_nodes(&mut coordinator, nodes.len())?;
        Ok(Federation { _coordinator: coordinator, nodes, address })
    }

    /// Starts one node.
    pub(crate) fn start_node(&self, id: &str) -> Result<Running, Failure> {
        let folder = self.path(&format!("partners/{id}"));
        self.program.start(&["node", "run", "--node", &folder], &self.folder.join(format!("logs/{id}.log")))
    }

    /// Waits until so many nodes are connected.
    pub(crate) fn wait_for_nodes(&self, coordinator: &mut Running, wanted: usize) -> Result<(), Failure> {
        let status = self.folder.join("coordinator").join(STATUS_FILE);
        self.wait(coordinator, "the nodes", || all_connected(&status, wanted))
    }

    /// Waits for something a child will do, and gives up when the child ends or the time is over.
    fn wait<T>(
        &self,
        child: &mut Running,
        whom: &str,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T, Failure> {
        let mut progress = Progress::begin(&format!("waiting for {whom}"));
        let until = context::now().plus_s(DIAL_IN.as_secs());
        loop {
            if let Some(found) = ready() {
                progress.end();
                return Ok(found);
            }
            if child.ended() || context::now() > until {
                progress.end();
                return Err(Failure::new(
                    "CC503",
                    format!("{whom} did not come up; see {}", self.path("logs")),
                ));
            }
            progress.say(&format!("waiting for {whom}"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The coordinator first, so that it is dropped first and the nodes see it go; then the nodes by name.
pub(crate) struct Federation {
    _coordinator: Running,
    pub(crate) nodes: Vec<(&'static str, Running)>,
    /// Where the coordinator listens.
    pub(crate) address: String,
}

/// Puts the address that the system gave into a configuration, so that it can be run again.
fn write_address(config: &str, was: &str, is: &str) -> Result<(), Failure> {
    let path = Path::new(config);
    let text = files::read_text(path)?.replace(&format!("\"{was}\""), &format!("\"{is}\""));
    files::replace(path, &text)
}

fn read_line(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.strip_suffix('\n').map(str::to_owned)
}

fn all_connected(status: &Path, wanted: usize) -> Option<()> {
    let text = std::fs::read_to_string(status).ok()?;
    let status: serde_json::Value = serde_json::from_str(&text).ok()?;
    (status.get("connected")?.as_array()?.len() == wanted).then_some(())
}
