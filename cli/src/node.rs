//! `cairn node`: set a partner's node up, load its records, run it.

mod load;
mod serve;

use std::path::{Path, PathBuf};

use cairn_link::{Address, NodeIdentity};
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
        /// The data controller's name, as the policy states it
        #[arg(long)]
        controller: String,
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
pub(crate) const CONFIG: &str = "node.toml";

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Init { folder, identity, coordinator, policy, controller } => {
            init(folder, identity, coordinator, *policy, controller)
        }
        Command::SuggestMapping { export } => load::suggest(export),
        Command::Load { node, mapping, source, commit } => {
            let then = if *commit { load::Then::Commit } else { load::Then::Forget };
            load::load(node, mapping, source, then)
        }
        Command::Run { node } => serve::run(node),
        Command::Status { node } => serve::status(node),
    }
}

fn init(
    folder: &Path,
    identity: &Path,
    coordinator: &Address,
    policy: Template,
    controller: &str,
) -> Result<Exit, Failure> {
    let identity = files::absolute(identity)?;
    let partner = NodeIdentity::load(&identity, context::now())?.partner().clone();
    let policies = folder.join("policy");
    files::make_folder(&policies)?;
    let config = folder.join(CONFIG);
    files::write_new(&config, &configuration(&identity, coordinator))?;
    files::write_new(&policies.join("framework.toml"), crate::policy::FRAMEWORK)?;
    // In force from today: the shipped example's own dates would let a node of next year answer nothing.
    let own = cairn_policy::dated(policy.text(), cairn_policy::london_day(context::now()));
    let own = cairn_policy::instantiate(&own, &partner, controller);
    files::write_new(&policies.join("policy.toml"), &own)?;
    files::write_new(&policies.join("tests.toml"), policy.tests())?;
    files::write_new(&policies.join("local-brake.toml"), policy.brake())?;
    say::note(&format!("Made {} for `{partner}`.", folder.display()));
    say::note(&format!(
        "Next: your board reads, changes and signs {}: its agreement, dpia, contact, notice_url and plan are \
         made up; then cairn node load",
        policies.join("policy.toml").display()
    ));
    Ok(Exit::Done)
}

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
