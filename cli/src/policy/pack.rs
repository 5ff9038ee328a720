//! `cairn policy pack`: the paper for a board's meeting, with everything that it is about, in one folder.

use std::path::{Path, PathBuf};

use cairn_policy::approval::{self, Board, Change, English, Facts, Minute, Note};
use cairn_policy::folder::{FRAMEWORK_FILE, POLICY_FILE, TESTS_FILE};
use cairn_policy::pack::{Impact, PackInputs, paper};
use cairn_policy::{Diff, File, Sources, check_with};
use clap::Args;

use super::approve::Offered;
use super::given::{Loaded, beside, file};
use super::{board, cases};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{files, say};

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Pack {
    #[command(flatten)]
    offered: Offered,
    /// The node's folder, or its node.toml: counts on its own records what protection does to groups of people; nothing leaves
    #[cfg(feature = "node")]
    #[arg(long, value_name = "NODE", conflicts_with = "dictionary")]
    node: Option<PathBuf>,
    /// The folder to make
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

const AFTER_HELP: &str = "\
Writes paper, explain (each .txt and .html), easy-read.html and notice.html, diff.txt (with --replaces),
approval-draft.txt (with a board that loads), and copies of policy.toml, framework.toml and tests.toml.
Refuses a folder that has anything in it. Nothing is signed.
With --node the paper is the board's own and is not for publication: it says how many cells are withheld for which groups.";

/// What the paper is made of, beside the policy itself.
struct Meeting {
    new: Loaded,
    /// `None`: it names one that it replaces, and that one was not given.
    diff: Option<Diff>,
    tests: Option<File>,
    note: Option<Note>,
    impact: Option<Impact>,
}

pub(super) fn run(pack: &Pack) -> Result<Exit, Failure> {
    empty(&pack.out)?;
    let meeting = pack.meeting()?;
    let texts = meeting.texts()?;
    files::make_folder(&pack.out)?;
    for (name, text) in &texts {
        files::write_new(&pack.out.join(name), text)?;
    }
    say::note(&format!("Made {} with {} files.", pack.out.display(), texts.len()));
    say::note(&format!("Next: read {}", pack.out.join("paper.html").display()));
    Ok(Exit::Done)
}

/// Nothing is there, or a folder with nothing in it.
fn empty(out: &Path) -> Result<(), Failure> {
    let full = std::fs::read_dir(out).map_or_else(|_| out.exists(), |mut inside| inside.next().is_some());
    if full {
        let says = format!("{} is there and not an empty folder; nothing is overwritten", out.display());
        return Err(Failure::new("CC107", says));
    }
    Ok(())
}

impl Pack {
    fn meeting(&self) -> Result<Meeting, Failure> {
        let policy = &self.offered.files.policy;
        let (new, old) = self.offered.both()?;
        let board = board::named_or_near(self.offered.board.as_deref(), policy)?;
        // A policy that replaces one that is not here cannot be compared: it is not the first.
        let comparable = old.is_some() || new.layers.supersedes().is_none();
        let diff = comparable.then(|| cairn_policy::diff(old.as_ref().map(|o| &o.layers), &new.layers));
        let diff = diff.transpose().map_err(|e| Failure::bad_file("CC407", e.to_string()))?;
        let note = match (&board, &diff) {
            (Some(board), Some(diff)) => Some(draft(&new, old.as_ref(), diff, board)?),
            _ => None,
        };
        let tests = Some(beside(policy, TESTS_FILE)).filter(|path| !files::is_absent(path));
        let tests = tests.map(|path| file(&path)).transpose()?;
        let impact = self.impact(&new)?;
        Ok(Meeting { new, diff, tests, note, impact })
    }

    #[cfg(feature = "node")]
    fn impact(&self, new: &Loaded) -> Result<Option<Impact>, Failure> {
        let Some(node) = &self.node else { return Ok(None) };
        let config = super::status::config(node)?;
        let worked_out = cairn_node::impact::on_own_records(&config, &new.layers, first_day(new));
        let impact = crate::context::runtime()?.block_on(worked_out);
        impact.map(|i| Some(i.for_paper())).map_err(|e| Failure::new("CC421", e.to_string()))
    }

    #[cfg(not(feature = "node"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "a program with a node counts here")]
    fn impact(&self, _: &Loaded) -> Result<Option<Impact>, Failure> {
        Ok(None)
    }
}

/// Today, or the nearest day on which the policy is in force: a board votes before it is.
#[cfg(feature = "node")]
fn first_day(new: &Loaded) -> cairn_question::Day {
    let (from, until) = new.layers.in_force();
    super::given::today().max(from).min(until)
}

/// The note as `cairn policy approve` would write it, but for its minute: the board has not met.
fn draft(new: &Loaded, old: Option<&Loaded>, diff: &Diff, board: &Board) -> Result<Note, Failure> {
    let replaces = old.map(|o| o.layers.statement().hash);
    let english = approval::english(&new.layers);
    let facts = Facts::of(&new.layers, &signed(new), replaces, Change::from(diff), English::Is(english))
        .ok_or_else(|| Failure::bad_file("CC401", "the framework has no id"))?;
    let minute = Minute::new(NOT_MINUTED).map_err(|e| Failure::new("CC415", e.to_string()))?;
    Ok(facts.note(english, board, minute))
}

/// What a board signs: the brake is nobody's to sign.
fn signed(new: &Loaded) -> Sources {
    Sources { brake: None, ..new.sources.clone() }
}

impl Meeting {
    /// The files of the folder, by name.
    fn texts(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let (layers, sources) = (&self.new.layers, &self.new.sources);
        let findings = check_with(self.new.schema, &signed(&self.new));
        let tried = self.tests.as_ref().map(|tests| cases::report(layers, tests, sources)).transpose()?;
        let paper = paper(&PackInputs {
            new: layers,
            diff: self.diff.as_ref(),
            findings: &findings,
            cases: tried.as_ref(),
            impact: self.impact.as_ref(),
            note: self.note.as_ref(),
        });
        let always = [
            ("paper.html", paper.html()),
            ("paper.txt", paper.text()),
            ("explain.txt", cairn_policy::explain(layers)),
            ("explain.html", cairn_policy::explain_html(layers)),
            ("easy-read.html", cairn_policy::easy_read_html(layers)),
            ("notice.html", cairn_policy::notice_html(layers)),
            (POLICY_FILE, sources.policy.text.clone()),
            (FRAMEWORK_FILE, sources.framework.text.clone()),
        ];
        let compared = self.diff.as_ref().filter(|diff| diff.old.is_some());
        let sometimes = [
            compared.map(|diff| ("diff.txt", diff.render())),
            self.note.as_ref().map(|note| ("approval-draft.txt", note.print())),
            self.tests.as_ref().map(|tests| (TESTS_FILE, tests.text.clone())),
        ];
        Ok(always.into_iter().chain(sometimes.into_iter().flatten()).collect())
    }
}

/// Stands in a draft in the place of the minute.
const NOT_MINUTED: &str = "DRAFT, not minuted; do not sign";
