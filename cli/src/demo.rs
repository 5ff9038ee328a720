//! `cairn demo`: a whole federation on one machine, ending in an indicator report.
//!
//! Everything is real but the people: the coordinator and ten nodes are processes of this same program, they speak QUIC
//! over loopback, and their files stand in a folder that is left to explore.

mod beside;
mod members;

use std::path::{Path, PathBuf};

use cairn_generate::{Spec, Truth, generate};
use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::staged::{Federation, Staged, own_path};
use crate::{context, say};
use members::MEMBERS;

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

/// The partner that makes the linkage secret.
const KEEPER: &str = "fife";

/// Who asks for totals.
const TOTALS: &[&str] = &["--role", "national-analyst"];

/// Who asks for every partner's own table.
const OWN: &[&str] = &["--own-tables", "--role", "own-tables-analyst"];

/// Who asks about special-category data, which every partner protects with noise of its own.
const EQUALITIES: &[&str] = &["--own-tables", "--role", "equalities-analyst", "--purpose", "equalities"];

/// Longest that a round lasts: a node that was killed is soon said to be late.
const ROUND_S: u16 = 10;

pub(crate) fn run(demo: &Demo) -> Result<Exit, Failure> {
    let stage = Stage { staged: Staged::new(&demo.folder, ROUND_S)?.under(&framework())? };
    say::out(&format!("`cairn` below is this program: {}\n\n", own_path()));
    let truth = stage.make_people(demo)?;
    stage.make_federation()?;
    stage.load()?;
    let mut running = stage.start()?;
    stage.total(&running, &truth)?;
    stage.people_once(&running, demo.people, &truth)?;
    stage.questions(&running)?;
    stage.question_with_one_stopped(&mut running)?;
    stage.look_at_the_audit()?;
    stage.report(&running)?;
    stage.close(demo, running)
}

struct Stage {
    staged: Staged,
}

/// The shipped framework with terms of secure totals for ten partners: the shipped ones are for Scotland's 32 councils.
fn framework() -> String {
    let terms = [
        ("colluding_max       = 10 ", "colluding_max       = 2  "),
        ("answering_min       = 22 ", "answering_min       = 7  "),
        ("invited_min         = 32 ", "invited_min         = 10 "),
    ];
    terms.iter().fold(crate::policy::FRAMEWORK.to_owned(), |text, (was, is)| text.replace(was, is))
}

impl Stage {
    fn make_people(&self, demo: &Demo) -> Result<Truth, Failure> {
        heading(&format!("1. {} made-up people at ten partners (seed {})", demo.people, demo.seed));
        let spec = Spec { seed: demo.seed, people: demo.people, ..Spec::demo() };
        let truth = generate(&spec, Path::new(&self.staged.path("exports")))
            .map_err(|e| Failure::new(e.code(), e.to_string()))?;
        say::out(
            "Each partner has its own export in its own shape, and a mapping file that reads it.\nexports/truth.json holds what only the maker of the people can know.\n\n",
        );
        Ok(truth)
    }

    fn make_federation(&self) -> Result<(), Failure> {
        heading("2. A federation: its authority, a coordinator, an issuer, an analyst, ten partners");
        let analyst = ("demo-analyst", "Scottish Government (demo)");
        let roles = ["own-tables-analyst", "equalities-analyst", "national-analyst", "overlap-analyst"];
        self.staged.make_federation("nolb-demo", analyst, &roles, &MEMBERS)?;
        self.staged.program.quiet(&[
            "authority",
            "keeper",
            &self.staged.path("authority"),
            "--id",
            KEEPER,
        ])?;
        say::out(&format!(
            "Every key was made just now, in this folder. {KEEPER} makes the secret under which people are counted once, and hands it to the other partners sealed.\n\n"
        ));
        Ok(())
    }

    /// Loads every partner's export. The node's folder is made first, with the coordinator's address to come.
    fn load(&self) -> Result<(), Failure> {
        heading("3. Each partner loads its own export");
        let mut progress = Progress::begin("loading");
        for m in &MEMBERS {
            progress.say(&format!("loading {}", m.id));
            self.staged.make_node(m)?;
            self.staged.load(m.id)?;
        }
        progress.end();
        let (node, source) = ("partners/angus", "exports/angus");
        say::out(&format!(
            "Each partner's policy was approved by its own made-up board: convener, SIRO and data protection officer signed it. Without that a node answers nothing.\n\
             For example: cairn node load --node {node} --mapping {source}/mapping.toml --source {source} --commit\n\n"
        ));
        Ok(())
    }

    fn start(&self) -> Result<Federation, Failure> {
        heading("4. The coordinator listens; ten nodes dial out to it");
        let federation = self.staged.start(&MEMBERS)?;
        let address = &federation.address;
        say::out(&format!(
            "All ten are connected to {address} over QUIC with mutual TLS 1.3. Their logs are in logs/.\n\n"
        ));
        Ok(federation)
    }

    fn ask(&self, running: &Federation, words: &[&str]) -> Result<u8, Failure> {
        let who = ["--as", &self.staged.path("analyst"), "--coordinator", &running.address];
        self.staged.program.shown(&[&["ask"], words, &who].concat())
    }

    /// The same question as one total of which nobody sees a part, and of every partner's own table.
    fn total(&self, running: &Federation, truth: &Truth) -> Result<(), Failure> {
        heading("5. An analyst asks: one total of which nobody sees a part");
        say::out(
            "This is how a question is put unless it says otherwise. Each node masks its exact counts with keys that it shares with every other node; the coordinator adds up ten masked tables, and the masks cancel in the sum alone. It withholds and rounds that sum.\n\n",
        );
        let framework = self.staged.path("framework.toml");
        let question = format!("people by council, gender as of {}", Spec::demo().as_of);
        let total = [TOTALS, &["--framework", &framework]].concat();
        self.ask(running, &[&[question.as_str()], &total[..]].concat())?;
        say::out(
            "The same with --own-tables: every partner protects and signs a table of its own, and what it withholds is in no sum.\n\n",
        );
        self.ask(running, &[&[question.as_str()], OWN].concat())?;
        self.beside(running, &question, (&total, OWN), truth)
    }

    /// How many different people: the estimate, beside what only the maker of the people can know.
    fn people_once(&self, running: &Federation, people: u32, truth: &Truth) -> Result<(), Failure> {
        heading("6. People counted once");
        say::out(&format!("{}\n\n", overstated(truth)));
        let (framework, once) = (self.staged.path("framework.toml"), format!("once=1,{people}"));
        let words = ["people", "--role", "overlap-analyst", "--total", &once, "--framework", &framework];
        self.ask(running, &words)?;
        say::out(&format!(
            "The truth file: {} different numbers, which is what was counted; with those who gave no number {} people.\n\n",
            truth.all.people_with_number, truth.all.people
        ));
        Ok(())
    }

    fn questions(&self, running: &Federation) -> Result<(), Failure> {
        heading("7. Tables of the partners' own, where a policy gives them");
        let filtered = "people by age@broad, gender where year = 2024-25";
        self.ask(running, &[&[filtered], OWN].concat())?;
        say::out(
            "Disability is special-category data: here it is answered with differential privacy only.\n\n",
        );
        self.ask(running, &[&["people by disabled"], EQUALITIES].concat())?;
        heading("8. One question that a policy refuses, and one that every policy refuses");
        self.ask(running, &[&["people by parent"], OWN].concat())?;
        self.ask(running, &[&["people by council"], OWN, &["--purpose", "benefit-sanctions"]].concat())?;
        Ok(())
    }

    fn question_with_one_stopped(&self, running: &mut Federation) -> Result<(), Failure> {
        heading(&format!("9. One partner's node is stopped ({STOPPED})"));
        running.nodes.retain(|(id, _)| *id != STOPPED);
        self.ask(running, &[&["people by gender"], OWN].concat())?;
        running.nodes.push((STOPPED, self.staged.start_node(STOPPED)?));
        Ok(())
    }

    fn look_at_the_audit(&self) -> Result<(), Failure> {
        heading("10. What a partner can see of itself");
        let (ledger, identity) =
            (self.staged.path("partners/fife/ledger.sqlite"), self.staged.path("partners/fife/identity"));
        let (export, key) = (self.staged.path("health-board-audit.jsonl"), format!("{identity}/signing.pub"));
        self.staged.program.shown(&["audit", "show", &ledger, "--last", "4"])?;
        self.staged.program.quiet(&[
            "audit",
            "export",
            &ledger,
            "--identity",
            &identity,
            "--out",
            &export,
        ])?;
        self.staged.program.shown(&["audit", "verify", &export, "--key", &key])?;
        Ok(())
    }

    fn report(&self, running: &Federation) -> Result<(), Failure> {
        heading("11. The first indicator report");
        say::out(
            "Secure totals, as in step 5; what is said of disability is added up from every partner's own tables, each with its noise.\n\n",
        );
        let (analyst, csv) = (self.staged.path("analyst"), self.staged.path("report.csv"));
        let (framework, as_of) = (self.staged.path("framework.toml"), Spec::demo().as_of.to_string());
        let totals = ["report", "--period", "2023-24", "--as-of", &as_of, "--framework", &framework];
        let who = ["--as", &analyst, "--coordinator", &running.address, "--csv", &csv];
        self.staged.program.shown(&[&totals[..], &who].concat())?;
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
                 cairn ask --own-tables --role own-tables-analyst people by council, age band where quarter = 2025-Q2\n",
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

/// How far the sum of partners exceeds the people there are.
fn overstated(truth: &Truth) -> String {
    let (sum, people) = (truth.all.people_added_up, truth.all.people);
    format!(
        "Adding partners overstates people: the exports hold {sum} people at partners, who are {people} different people\n({} % too many). Each node puts a noisy pattern of its people's linkage keys into the mask; a person at several partners is one in what opens, and no number travels.",
        (sum * 100 / people.max(1)).saturating_sub(100)
    )
}
