//! `cairn demo`: a whole federation on one machine, ending in an indicator report.
//!
//! Everything is real but the people: the coordinator and ten nodes are processes of this same program, they speak QUIC
//! over loopback, and their files stand in a folder that is left to explore.

mod children;
mod members;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_generate::{Spec, Truth, generate};
use clap::Args;

use crate::coordinator::STATUS_FILE;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{context, files, say};
use children::{Program, Running};
use members::{MEMBERS, Member};

#[derive(Args)]
pub(crate) struct Demo {
    /// The folder to make; it is left behind to explore
    #[arg(long, default_value = "cairn-demo")]
    folder: PathBuf,
    /// How many people to make up
    #[arg(long, default_value_t = 8_000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    people: u32,
    /// The seed: the same seed makes up the same people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the federation running at the end, until Ctrl-C
    #[arg(long)]
    serve: bool,
}

/// The partner that is stopped for one question.
const STOPPED: &str = "orkney-islands";

/// Longest that the demo waits for the nodes to dial in.
const DIAL_IN: Duration = Duration::from_secs(120);

pub(crate) fn run(demo: &Demo) -> Result<Exit, Failure> {
    if demo.folder.exists() {
        let says = format!(
            "{} is there from before; delete it, or name another with --folder",
            demo.folder.display()
        );
        return Err(Failure::new("CC107", says));
    }
    files::make_folder(&demo.folder)?;
    say::out(&format!("`cairn` below is this program: {}\n\n", children::own_path()));
    let stage = Stage { folder: files::absolute(&demo.folder)?, program: Program::this()? };
    let truth = stage.make_people(demo)?;
    stage.make_federation()?;
    stage.load()?;
    let mut running = stage.start()?;
    stage.questions(&truth)?;
    stage.question_with_one_stopped(&mut running)?;
    stage.look_at_the_audit()?;
    stage.report()?;
    stage.close(demo, running)
}

struct Stage {
    folder: PathBuf,
    program: Program,
}

/// The coordinator first, so that it is dropped first and the nodes see it go; then the nodes by name.
struct Federation {
    _coordinator: Running,
    nodes: Vec<(&'static str, Running)>,
    address: String,
}

impl Stage {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn make_people(&self, demo: &Demo) -> Result<Truth, Failure> {
        heading(&format!("1. {} made-up people at ten partners (seed {})", demo.people, demo.seed));
        let spec = Spec { seed: demo.seed, people: demo.people, ..Spec::demo() };
        let truth = generate(&spec, &self.folder.join("exports"))
            .map_err(|e| Failure::new(e.code(), e.to_string()))?;
        say::out(
            "Each partner has its own export in its own shape, and a mapping file that reads it.\nexports/truth.json holds what only the maker of the people can know.\n\n",
        );
        Ok(truth)
    }

    fn make_federation(&self) -> Result<(), Failure> {
        heading("2. A federation: its authority, a coordinator, an issuer, an analyst, ten partners");
        let (authority, analyst) = (self.path("authority"), self.path("analyst"));
        let (identity, issuer) = (self.path("coordinator/identity"), self.path("issuer"));
        self.program.quiet(&["authority", "init", "--federation", "nolb-demo", &authority])?;
        self.program.quiet(&[
            "authority",
            "coordinator",
            &authority,
            "--address",
            "127.0.0.1",
            "--out",
            &identity,
        ])?;
        self.program.quiet(&[
            "authority",
            "issuer",
            &authority,
            "--name",
            "scottish-government",
            "--out",
            &issuer,
        ])?;
        self.program.quiet(&[
            "authority",
            "issuer",
            &authority,
            "--name",
            "local-partnership",
            "--out",
            &self.path("local-issuer"),
        ])?;
        self.program.quiet(&[
            "authority",
            "analyst",
            &authority,
            "--id",
            "demo-analyst",
            "--out",
            &analyst,
        ])?;
        for role in ["national-analyst", "equalities-analyst"] {
            let organisation = ["--organisation", "Scottish Government (demo)"];
            let words = ["authority", "credential", &issuer, "--analyst", &analyst, "--role", role];
            self.program.quiet(&[&words[..], &organisation[..]].concat())?;
        }
        for m in &MEMBERS {
            let out = self.path(&format!("partners/{}/identity", m.id));
            self.program.quiet(&[
                "authority",
                "partner",
                &authority,
                "--id",
                m.id,
                "--name",
                m.name,
                "--kind",
                m.kind,
                "--out",
                &out,
            ])?;
        }
        let (folder, register) = (self.path("coordinator"), self.path("authority/register.json"));
        let words = ["coordinator", "init", &folder, "--identity", &identity, "--register", &register];
        self.program
            .quiet(&[&words[..], &["--listen", "127.0.0.1:0", "--round-deadline-s", "10"]].concat())?;
        say::out("Every key was made just now, in this folder.\n\n");
        Ok(())
    }

    /// Loads every partner's export. The node's folder is made first, with the coordinator's address to come.
    fn load(&self) -> Result<(), Failure> {
        heading("3. Each partner loads its own export");
        let mut progress = Progress::begin("loading");
        for m in &MEMBERS {
            progress.say(&format!("loading {}", m.id));
            let node = self.path(&format!("partners/{}", m.id));
            let exports = self.path(&format!("exports/{}", m.id));
            let mapping = format!("{exports}/mapping.toml");
            let words =
                ["node", "load", "--node", &node, "--mapping", &mapping, "--source", &exports, "--commit"];
            self.make_node(m, "127.0.0.1:1")?;
            self.program.quiet(&words)?;
        }
        progress.end();
        let (node, source) = ("partners/angus", "exports/angus");
        say::out(&format!(
            "Each partner's policy was approved by its own made-up board: convener, SIRO and data protection officer signed it. Without that a node answers nothing.\n\
             For example: cairn node load --node {node} --mapping {source}/mapping.toml --source {source} --commit\n\n"
        ));
        Ok(())
    }

    fn make_node(&self, m: &Member, address: &str) -> Result<(), Failure> {
        let folder = self.path(&format!("partners/{}", m.id));
        let identity = self.path(&format!("partners/{}/identity", m.id));
        let words = ["node", "init", &folder, "--identity", &identity, "--coordinator", address];
        let policy = ["--policy", m.policy, "--controller", m.name, "--made-up-board"];
        self.program.quiet(&[&words[..], &policy[..]].concat()).map(|_| ())
    }

    fn start(&self) -> Result<Federation, Failure> {
        heading("4. The coordinator listens; ten nodes dial out to it");
        files::make_folder(&self.folder.join("logs"))?;
        let (config, address_file) =
            (self.path("coordinator/coordinator.toml"), self.path("coordinator/address"));
        let words = ["coordinator", "run", "--config", &config, "--address-file", &address_file];
        let mut coordinator = self.program.start(&words, &self.folder.join("logs/coordinator.log"))?;
        let address =
            self.wait(&mut coordinator, "the coordinator", || read_line(Path::new(&address_file)))?;
        self.write_address(&config, "127.0.0.1:0", &address)?;
        let mut nodes = Vec::new();
        for m in &MEMBERS {
            let config = self.path(&format!("partners/{}/node.toml", m.id));
            self.write_address(&config, "127.0.0.1:1", &address)?;
            nodes.push((m.id, self.start_node(m.id)?));
        }
        let status = self.folder.join("coordinator").join(STATUS_FILE);
        self.wait(&mut coordinator, "the nodes", || all_connected(&status, nodes.len()))?;
        say::out(&format!(
            "All ten are connected to {address} over QUIC with mutual TLS 1.3. Their logs are in logs/.\n\n"
        ));
        Ok(Federation { _coordinator: coordinator, nodes, address })
    }

    fn start_node(&self, id: &str) -> Result<Running, Failure> {
        let folder = self.path(&format!("partners/{id}"));
        self.program.start(&["node", "run", "--node", &folder], &self.folder.join(format!("logs/{id}.log")))
    }

    /// Puts the address that the system gave into a configuration, so that it can be run again.
    fn write_address(&self, config: &str, was: &str, is: &str) -> Result<(), Failure> {
        let path = Path::new(config);
        let text = files::read_text(path)?.replace(&format!("\"{was}\""), &format!("\"{is}\""));
        files::replace(path, &text)
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

    fn address(&self) -> Result<String, Failure> {
        read_line(&self.folder.join("coordinator/address"))
            .ok_or_else(|| Failure::new("CC503", "the coordinator's address is gone"))
    }

    fn ask(&self, words: &[&str]) -> Result<u8, Failure> {
        let (analyst, address) = (self.path("analyst"), self.address()?);
        let who = ["--as", &analyst, "--coordinator", &address];
        self.program.shown(&[&["ask"], words, &who].concat())
    }

    fn questions(&self, truth: &Truth) -> Result<(), Failure> {
        heading("5. An analyst asks");
        self.ask(&["people by council", "--role", "national-analyst"])?;
        say::out(&format!("{}\n\n", overstated(truth)));
        self.ask(&["people by age@broad, gender where year = 2024-25", "--role", "national-analyst"])?;
        say::out(
            "Disability is special-category data: here it is answered with differential privacy only.\n\n",
        );
        self.ask(&["people by disabled", "--role", "equalities-analyst", "--purpose", "equalities"])?;
        heading("6. One question that a policy refuses, and one that every policy refuses");
        self.ask(&["people by parent", "--role", "national-analyst"])?;
        self.ask(&["people by council", "--role", "national-analyst", "--purpose", "benefit-sanctions"])?;
        Ok(())
    }

    fn question_with_one_stopped(&self, running: &mut Federation) -> Result<(), Failure> {
        heading(&format!("7. One partner's node is stopped ({STOPPED})"));
        running.nodes.retain(|(id, _)| *id != STOPPED);
        self.ask(&["people by gender", "--role", "national-analyst"])?;
        running.nodes.push((STOPPED, self.start_node(STOPPED)?));
        Ok(())
    }

    fn look_at_the_audit(&self) -> Result<(), Failure> {
        heading("8. What a partner can see of itself");
        let (ledger, identity) =
            (self.path("partners/fife/ledger.sqlite"), self.path("partners/fife/identity"));
        let (export, key) = (self.path("health-board-audit.jsonl"), format!("{identity}/signing.pub"));
        self.program.shown(&["audit", "show", &ledger, "--last", "4"])?;
        self.program.quiet(&["audit", "export", &ledger, "--identity", &identity, "--out", &export])?;
        self.program.shown(&["audit", "verify", &export, "--key", &key])?;
        Ok(())
    }

    fn report(&self) -> Result<(), Failure> {
        heading("9. The first indicator report");
        let (analyst, address, csv) = (self.path("analyst"), self.address()?, self.path("report.csv"));
        self.program.shown(&[
            "report",
            "--period",
            "2023-24",
            "--as",
            &analyst,
            "--coordinator",
            &address,
            "--csv",
            &csv,
        ])?;
        Ok(())
    }

    fn close(&self, demo: &Demo, running: Federation) -> Result<Exit, Failure> {
        heading("Next");
        let folder = demo.folder.display();
        say::out(&format!(
            "{folder}/ is left to explore:\n  report.csv, exports/truth.json, partners/*/policy/policy.toml, logs/\nTry:\n  \
             cairn policy explain {folder}/partners/fife/policy/policy.toml\n  cairn audit show {folder}/partners/angus/ledger.sqlite\n  \
             cairn schema show participants\n  cairn demo --serve --folder another-demo      (keeps the federation running, to ask your own)\n"
        ));
        if demo.serve {
            say::out(&format!(
                "The federation runs until Ctrl-C. In another window:\n  export CAIRN_AS={folder}/analyst CAIRN_COORDINATOR={}\n  \
                 cairn ask --role national-analyst people by council, age band where quarter = 2025-Q2\n",
                running.address
            ));
            context::runtime()?.block_on(context::until_told_to_stop())?;
        }
        drop(running);
        Ok(Exit::Done)
    }
}

/// A step's heading.
fn heading(text: &str) {
    say::out(&format!("\x1b[1m{text}\x1b[0m\n"));
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

/// How far the sum of partners exceeds the people there are.
fn overstated(truth: &Truth) -> String {
    let (sum, people) = (truth.all.people_added_up, truth.all.people);
    format!(
        "Adding partners overstates people: the exports hold {sum} people at partners, who are {people} different people\n({} % too many). Only the made-up truth file can tell; counting people once is not part of this version.",
        (sum * 100 / people.max(1)).saturating_sub(100)
    )
}
