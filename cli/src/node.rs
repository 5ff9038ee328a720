//! `cairn node`: set a partner's node up, load its records, run it.

mod load;
mod people;
pub(crate) mod serve;

use std::path::{Path, PathBuf};

use cairn_link::{Address, NodeIdentity};
use cairn_node::Config;
use cairn_policy::approval::{Board, Change, MADE_UP_QUORUM, MadeUpBoard, Placed, lf};
use cairn_policy::folder::{BOARD_FILE, BRAKE_FILE, FRAMEWORK_FILE, POLICY_FILE, TESTS_FILE};
use cairn_policy::{File, Sources};
use cairn_question::{Hash, Name};
use clap::{Subcommand, ValueEnum};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{context, files, say};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a node's folder: its configuration, and a policy to read, change and sign
    Init {
        /// The folder to make
        folder: PathBuf,
        /// The identity folder that the authority gave
        #[arg(long)]
        identity: PathBuf,
        /// The coordinator's address
        #[arg(long, value_name = "HOST:PORT")]
        coordinator: Address,
        /// The shipped policy to begin with
        #[arg(long, value_enum)]
        policy: Template,
        /// The framework of the federation, framework.toml; the shipped one without it
        #[arg(long, value_name = "FILE")]
        framework: Option<PathBuf>,
        /// The data controller's name, as the policy states it
        #[arg(long)]
        controller: String,
        /// The board whose approval the node asks for, a board.toml to pin
        #[arg(long, conflicts_with = "made_up_board")]
        board: Option<PathBuf>,
        /// Pin a made-up board and approve the policy with it: to try things out, never for records of people
        #[arg(long)]
        made_up_board: bool,
    },
    /// Draft a mapping file from the header of an export
    SuggestMapping {
        /// The export, a CSV file
        export: PathBuf,
    },
    /// Check an export and, with --commit, publish it as the snapshot in force
    Load {
        /// The node's folder
        #[arg(long)]
        node: PathBuf,
        /// The mapping file
        #[arg(long)]
        mapping: PathBuf,
        /// The folder with the export's files
        #[arg(long)]
        source: PathBuf,
        /// Publish; without it everything is checked and nothing changes
        #[arg(long)]
        commit: bool,
    },
    /// Run the node until it is told to stop
    Run {
        /// The node's folder
        #[arg(long)]
        node: PathBuf,
    },
    /// Leave people out from the next load on: they object. Their ids come on standard input, one a line
    Object {
        /// The node's folder
        #[arg(long)]
        node: PathBuf,
        /// Take them in again: they withdrew their objection
        #[arg(long)]
        withdraw: bool,
    },
    /// Erase people's records at once and leave them out of every later load. Their ids come on standard input, one a line. The node must be
    /// stopped
    Erase {
        /// The node's folder
        #[arg(long)]
        node: PathBuf,
    },
    /// Acknowledge that the ledger was put back from a backup: what may be missing is charged at the caps. The node must be stopped
    Restored {
        /// The node's folder
        #[arg(long)]
        node: PathBuf,
    },
    /// Show what is in force: identity, snapshot, policy
    Status {
        /// The node's folder
        #[arg(long)]
        node: PathBuf,
    },
}

/// The shipped policies that a board can begin with.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Template {
    Council,
    SmallCharity,
    HealthBoard,
}

/// The configuration of a node, in its folder.
const CONFIG: &str = "node.toml";

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Init {
            folder,
            identity,
            coordinator,
            policy,
            framework,
            controller,
            board,
            made_up_board,
        } => {
            let framework =
                framework.as_deref().map_or(Ok(crate::policy::FRAMEWORK.to_owned()), files::read_text)?;
            let pinned = match (board, made_up_board) {
                (Some(path), _) => Pinned::Own(files::read_text(path)?),
                (None, true) => Pinned::MadeUp,
                (None, false) => Pinned::Nothing,
            };
            init(folder, identity, coordinator, (*policy, &framework), controller, pinned)
        }
        Command::SuggestMapping { export } => load::suggest(export),
        Command::Load { node, mapping, source, commit } => {
            let then = if *commit { load::Then::Commit } else { load::Then::Forget };
            load::load(node, mapping, source, then)
        }
        Command::Run { node } => serve::run(node),
        Command::Object { node, withdraw } => {
            let objection = if *withdraw { people::Objection::Withdrawn } else { people::Objection::Made };
            people::object(node, objection)
        }
        Command::Erase { node } => people::erase(node),
        Command::Restored { node } => serve::restored(node),
        Command::Status { node } => serve::status(node),
    }
}

/// Whose approval a new node asks for.
enum Pinned {
    /// The board of this file.
    Own(String),
    /// A made-up one, which approves at once and then is gone.
    MadeUp,
    /// Nobody's yet.
    Nothing,
}

fn init(
    folder: &Path,
    identity: &Path,
    coordinator: &Address,
    (policy, framework): (Template, &str),
    controller: &str,
    pinned: Pinned,
) -> Result<Exit, Failure> {
    let identity = files::absolute(identity)?;
    let partner = NodeIdentity::load(&identity, context::now())?.partner().clone();
    let policies = folder.join("policy");
    files::make_folder(&policies)?;
    // In force from today: the shipped example's own dates would let a node of next year answer nothing.
    let own = cairn_policy::dated(policy.text(), cairn_policy::london_day(context::now()));
    let own = cairn_policy::instantiate(&own, &partner, controller);
    let approval = approval(&pinned, &own, framework)?;
    let board = approval.iter().find(|file| file.path == BOARD_FILE).map(|file| {
        let hash = Hash::of(lf(&file.text).as_bytes());
        format!("board        = \"{hash}\"\n")
    });
    let config = folder.join(CONFIG);
    files::write_new(&config, &(configuration(&identity, coordinator) + &board.unwrap_or_default()))?;
    files::write_new(&policies.join(FRAMEWORK_FILE), framework)?;
    files::write_new(&policies.join(POLICY_FILE), &own)?;
    files::write_new(&policies.join(TESTS_FILE), policy.tests())?;
    files::write_new(&policies.join(BRAKE_FILE), policy.brake())?;
    for file in approval {
        let path = policies.join(&file.path);
        path.parent().map_or(Ok(()), files::make_folder)?;
        files::write_new(&path, &file.text)?;
    }
    say::note(&format!("Made {} for `{partner}`.", folder.display()));
    let policy = policies.join(POLICY_FILE);
    say::note(&match pinned {
        Pinned::MadeUp => "A made-up board approved the policy: nobody met. Next: cairn node load".to_owned(),
        Pinned::Own(_) => format!("{}. {APPROVE}; then cairn node load", changes(&policy)),
        Pinned::Nothing => format!(
            "{}, and who they are stands in {}, whose SHA-256 you pin: board = \"sha256:…\" in {}. Until then \
             nothing is answered (CN008). {APPROVE}; then cairn node load",
            changes(&policy),
            policies.join(BOARD_FILE).display(),
            config.display()
        ),
    });
    Ok(Exit::Done)
}

fn changes(policy: &Path) -> String {
    format!(
        "Next: your board reads, changes and signs {}: its agreement, dpia, contact, notice_url and plan are made up",
        policy.display()
    )
}

/// What a board does next.
const APPROVE: &str =
    "The approval is approval.txt and approvals/ beside the policy: docs/reference/approval.md";

/// The files that approve a new node's policy, as far as they are there already.
fn approval(pinned: &Pinned, policy: &str, framework: &str) -> Result<Vec<Placed>, Failure> {
    match pinned {
        Pinned::Nothing => Ok(Vec::new()),
        Pinned::Own(text) => {
            let file = File::new(BOARD_FILE, text.as_str());
            Board::load(&file).map_err(|findings| {
                say::out(&cairn_policy::render_file(&findings, &file));
                Failure::bad_file("CC113", "the board has errors, so it is not pinned")
            })?;
            Ok(vec![Placed { path: BOARD_FILE.to_owned(), text: text.clone() }])
        }
        Pinned::MadeUp => {
            let today = cairn_policy::london_day(context::now());
            let id = Name::new("made-up-board").map_err(|_| Failure::new("CC114", MADE_UP_FAILED))?;
            let board =
                MadeUpBoard::new(id, &context::random()?, today.plus_days(-1), today.plus_days(1_000));
            let sources = Sources {
                framework: File::new(FRAMEWORK_FILE, framework),
                policy: File::new(POLICY_FILE, policy),
                brake: None,
            };
            let signed = board.approve(&sources, None, Change::First, &MADE_UP_QUORUM);
            let mut files = signed.ok_or_else(|| Failure::new("CC114", MADE_UP_FAILED))?;
            files.push(Placed { path: BOARD_FILE.to_owned(), text: board.text() });
            Ok(files)
        }
    }
}

/// The configuration in a node's folder.
pub(crate) fn config(folder: &Path) -> Result<Config, Failure> {
    config_file(&folder.join(CONFIG))
}

/// The configuration that this file is.
pub(crate) fn config_file(path: &Path) -> Result<Config, Failure> {
    Config::read(path).map_err(|e| Failure::bad_file(e.code(), e.to_string()))
}

const MADE_UP_FAILED: &str = "the made-up board could not approve the policy, which has errors";

fn configuration(identity: &Path, coordinator: &Address) -> String {
    format!(
        "# A Cairn node. All settings with their defaults: deploy/samples/node.toml\n\
         identity_dir = {}\ncoordinator  = \"{coordinator}\"\ndata_dir     = \"data\"\nledger_path  = \"ledger.sqlite\"\npolicy_dir   = \"policy\"\n",
        files::quoted(identity)
    )
}

impl Template {
    const fn text(self) -> &'static str {
        match self {
            Self::Council => include_str!("../../policies/examples/council/policy.toml"),
            Self::SmallCharity => include_str!("../../policies/examples/small-charity/policy.toml"),
            Self::HealthBoard => include_str!("../../policies/examples/health-board/policy.toml"),
        }
    }

    const fn tests(self) -> &'static str {
        match self {
            Self::Council => include_str!("../../policies/examples/council/tests.toml"),
            Self::SmallCharity => include_str!("../../policies/examples/small-charity/tests.toml"),
            Self::HealthBoard => include_str!("../../policies/examples/health-board/tests.toml"),
        }
    }

    const fn brake(self) -> &'static str {
        match self {
            Self::Council => include_str!("../../policies/examples/council/local-brake.toml"),
            Self::SmallCharity => include_str!("../../policies/examples/small-charity/local-brake.toml"),
            Self::HealthBoard => include_str!("../../policies/examples/health-board/local-brake.toml"),
        }
    }
}
